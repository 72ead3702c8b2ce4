// Who must not be grafted again yet, per topic (LIBP2P.md 8.3). An entry counts for our own GRAFTs until it is swept,
// some heartbeats after it ran out, so that a remote whose clock runs late does not see us as too early.
//
// Bounded per topic, and so that nobody's entry is forgotten for what strangers do elsewhere: peers of one address
// share kPerGroupMax entries, and when all places are taken the address with the most entries loses one. Entries of
// peers that are named without an address group (members) give way only when such entries alone fill the book.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/time.h"
#include "net/peer_id.h"

namespace kms::net {

class Backoffs {
 public:
  static constexpr std::size_t kPerGroupMax = 64;

  explicit Backoffs(std::size_t per_topic_max) : per_topic_max_(per_topic_max) {}
  // A later end than the one on record replaces it, an earlier one does not. Of a group that gives way, the entry that
  // runs out first does.
  void add(std::string_view topic, const PeerId& peer, Instant end, const std::string& group = {});
  // While an entry exists, run out or not.
  std::optional<Instant> end(std::string_view topic, const PeerId& peer) const;
  bool counts(std::string_view topic, const PeerId& peer) const { return end(topic, peer).has_value(); }
  // Forgets what ran out more than `slack` ago.
  void sweep(Instant now, Duration slack);
  std::size_t size(std::string_view topic) const;

 private:
  struct Entry {
    Instant end;
    std::string group;
  };
  struct Topic {
    std::map<PeerId, Entry> peers;
    std::map<std::string, std::set<std::pair<Instant, PeerId>>> groups;  // first ends first
    void erase(const PeerId& peer);
    void drop_first_of(const std::string& group);
    void make_room();
  };

  std::size_t per_topic_max_;
  std::map<std::string, Topic, std::less<>> topics_;
};

}  // namespace kms::net
