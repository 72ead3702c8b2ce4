// What announcers owe us: a peer that offers an id (IHAVE) and is asked for it (IWANT) has promised it. Of every IWANT
// one random id is watched; it is kept when anybody brings the message, and broken when its time is up. Who brings the
// message itself after that redeems its promise: it was slow, and no liar.
#pragma once

#include <map>

#include "base/entropy.h"
#include "net/pubsub_message.h"

namespace kms::net {

class Promises {
 public:
  static constexpr Duration kRedeemable = 30s;  // after it broke

  explicit Promises(std::size_t ids_max) : ids_max_(ids_max) {}
  // Of the ids that `peer` was asked for; at `ids_max` watched ids nothing more is watched.
  void watch(const PeerId& peer, std::span<const MessageId> asked, Instant due, Entropy& entropy);
  void kept(const MessageId& id) { due_.erase(id); }
  // How long ago the promise of `peer` to bring it broke, which it brought now; it is forgotten with this.
  std::optional<Duration> redeemed(const MessageId& id, const PeerId& peer, Instant now);
  // We were away for so long: what came meanwhile is still to be read, so nobody is late yet.
  void postpone(Duration time);
  // Who broke how many; they are no longer due with this, and for a while redeemable (of at most `ids_max`).
  std::map<PeerId, std::size_t> broken(Instant now);
  std::size_t size() const { return due_.size(); }
  std::size_t redeemable() const { return broken_.size(); }

 private:
  std::size_t ids_max_;
  std::map<MessageId, std::map<PeerId, Instant>> due_;
  std::map<std::pair<MessageId, PeerId>, Instant> broken_;
};

}  // namespace kms::net
