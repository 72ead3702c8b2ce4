// Who must not be grafted again yet, per topic (LIBP2P.md 8.3). An entry counts for our own GRAFTs until it is swept,
// some heartbeats after it ran out, so that a remote whose clock runs late does not see us as too early.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "net/peer_id.h"

namespace kms::net {

class Backoffs {
 public:
  // `per_topic_max`: beyond it the entry that runs out first is forgotten.
  explicit Backoffs(std::size_t per_topic_max) : per_topic_max_(per_topic_max) {}
  // A later end than the one on record replaces it, an earlier one does not.
  void add(std::string_view topic, const PeerId& peer, Instant end);
  // While an entry exists, run out or not.
  std::optional<Instant> end(std::string_view topic, const PeerId& peer) const;
  bool counts(std::string_view topic, const PeerId& peer) const { return end(topic, peer).has_value(); }
  // Forgets what ran out more than `slack` ago.
  void sweep(Instant now, Duration slack);
  std::size_t size(std::string_view topic) const;

 private:
  std::size_t per_topic_max_;
  std::map<std::string, std::map<PeerId, Instant>, std::less<>> topics_;
};

}  // namespace kms::net
