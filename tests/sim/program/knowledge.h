// What the adversary's scalars span (PROTOCOL.md 8, invariant 5). Every scalar of a ceremony is a linear form over the
// coefficients that honest dealers drew; the secret is safe as long as it is no combination of the forms that traitors
// saw. Positions are small integers, so that ranks are the same over any large prime: here 2^61 - 1.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "dkg/envelope.h"
#include "dkg/epoch.h"

namespace kms::sim {

class Knowledge {
 public:
  using Form = std::map<std::uint32_t, std::uint64_t>;  // by variable

  // One ceremony: who is on the adversary's side, as positions in the committees.
  struct Ceremony {
    std::uint32_t epoch = 0;
    std::set<dkg::Position> dealers;    // traitors in D
    std::set<dkg::Position> receivers;  // traitors in N
  };
  void begin(Ceremony ceremony);
  // Everything that left a member.
  void saw(const dkg::Message& message);
  // The decision of the ceremony: from here on shares of its epoch are forms.
  void decide(const dkg::EpochRecord& record);
  // A member's share of a decided epoch came into the adversary's hands.
  void learn_share(std::uint32_t epoch, dkg::Position position) { rows_.push_back(share(epoch, position)); }
  // The adversary knows everything that receivers of this ceremony with these positions could decrypt.
  bool knows_secret() const { return is_spanned(share(0, 0)); }
  bool would_know_secret_with(std::uint32_t epoch, const std::vector<dkg::Position>& positions) const;

 private:
  struct Dealt {
    std::uint32_t epoch = 0;
    std::uint16_t threshold = 0;
    std::set<dkg::Position> absent;
    std::set<dkg::Position> dealers;
  };
  Form polynomial(std::uint32_t epoch, const dkg::Sid& sid, dkg::Position dealer, dkg::Position at) const;
  const Form& share(std::uint32_t epoch, dkg::Position at) const;
  std::uint32_t variable(const std::string& name) const;
  bool is_spanned(const Form& target, const std::vector<Form>& more = {}) const;
  void saw_delta(const dkg::RepairDelta& delta);
  void saw_sigma(const dkg::RepairSigma& sigma);

  Ceremony now_;
  std::map<std::uint32_t, Ceremony> ceremonies_;
  std::map<dkg::Sid, Dealt> dealt_;
  std::map<dkg::Rid, dkg::RepairRequest> requests_;
  std::set<std::pair<dkg::Rid, dkg::Position>> deltas_;
  std::set<std::pair<dkg::Rid, dkg::Position>> sigmas_;
  struct Decided {
    dkg::Sid sid;
    dkg::DealList list;
  };
  std::map<std::uint32_t, Decided> decided_;
  mutable std::map<std::string, std::uint32_t> variables_;
  mutable std::map<std::pair<std::uint32_t, dkg::Position>, Form> shares_;
  std::vector<Form> rows_;
};

}  // namespace kms::sim
