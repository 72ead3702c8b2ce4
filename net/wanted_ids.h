// Ids that peers announced and were asked for: of each, one peer at a time is asked, and the others that announced it
// are asked in turn when it does not come. Bounded in all, and by a share for each peer that depends on what is free,
// so that whoever takes all it can get always leaves as much to the next one.
#pragma once

#include <map>
#include <vector>

#include "base/time.h"
#include "net/pubsub_message.h"

namespace kms::net {

class WantedIds {
 public:
  explicit WantedIds(Duration patience) : patience_(patience) {}

  // A peer may be asked for new ids while it is asked for fewer than what is free of `places`, halved `halvings` times.
  struct Share {
    std::size_t places, halvings;
  };
  // `from` announced it. True: ask it, now. False: another one was asked just now, or there is no place.
  enum class Answer : std::uint8_t { ask, wait, no_place };
  Answer announced(const MessageId& id, const PeerId& from, Share share, Instant now);
  // Turns to the next announcer of what did not come: whom to ask for what, at most `ids_max` each.
  std::map<PeerId, std::vector<MessageId>> overdue(std::size_t ids_max, Instant now);
  // It came: who announced it. Nothing if it was not wanted.
  std::vector<PeerId> arrived(const MessageId& id);
  // What nobody else has announced is given up: with the peer, and `life` after it was asked for.
  void left(const PeerId& peer);
  void expire(Duration life, Instant now);
  std::size_t size() const { return wanted_.size(); }
  std::size_t asked_of(const PeerId& peer) const;

 private:
  struct Wanted {
    PeerId asked;
    Instant asked_at;
    std::vector<PeerId> others;
  };
  using Entries = std::map<MessageId, Wanted>;
  void ask(Wanted& wanted, const PeerId& peer, Instant now);
  void count_down(const PeerId& peer);
  Entries::iterator erase(Entries::iterator at);

  Duration patience_;
  Entries wanted_;
  std::map<PeerId, std::size_t> asked_;  // entries of each asked peer
};

}  // namespace kms::net
