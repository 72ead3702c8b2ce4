// Who sends on a certificate that everybody forms (PROTOCOL.md 4.5): votes go to all, so that with n members as many
// copies would say the same. One member, drawn by the certificate's id, sends it at once; the others wait, the next one
// first, and keep silent once they saw it. What that costs if the first one is dead or lies is Delta / 2 for those who
// missed votes; and everybody repeats its certificates anyway until the slot is decided.
#pragma once

#include <map>
#include <set>

#include "dkg/turn.h"

namespace kms::dkg {

class Forwarder {
 public:
  explicit Forwarder(const SlotContext& slot) : slot_(slot) {}

  // Certificates that this node formed.
  void add(const std::vector<Certificate>& formed, Turn& turn);
  // Another member sent it; need not be verified, since only the wait depends on it.
  void heard(const Certificate& certificate);
  void tick(Turn& turn);
  std::optional<Instant> wakes_at() const;

 private:
  struct Waiting {
    Certificate certificate;
    Instant at;
  };
  Duration wait_of(const Certificate& certificate) const;

  const SlotContext& slot_;
  std::map<CertificateId, Waiting> waiting_;
  std::set<CertificateId> heard_;  // bounded: beyond it, certificates are sent on although somebody did
};

}  // namespace kms::dkg
