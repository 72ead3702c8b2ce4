// What v1 requesters have been given (PROTOCOL.md 5.7, 5.10): which request each (requester, nonce) stands for, until a
// minute after its deadline, and how many requests of each requester were answered under each key. Durable: what
// `take_unsaved` gives must be saved before anything leaves this node; then a restart forgets nothing.
//
// Bounds: `nonces_max` at a time, shared fairly among requesters: none may hold more than are left free.
#pragma once

#include <map>

#include "base/time.h"
#include "dkg/effects.h"
#include "node/delegation/v1_authorisation.h"

namespace kms::delegation {

struct ReplayLimits {
  std::size_t nonces_max = 262'144;              // some 40 MiB
  std::uint64_t quota = std::uint64_t{1} << 24;  // network-wide, per requester and key; 0: none
};

enum class Admission : std::uint8_t {
  fresh,
  again,     // the same request as before
  conflict,  // the nonce stands for another request
  full,      // this requester holds too many nonces; try again when deadlines have passed
  quota,     // nothing more under this key
};

class ReplayWindow {
 public:
  explicit ReplayWindow(ReplayLimits limits) : limits_(limits) {}
  // What earlier runs saved. Records that cannot be read are an error: forgetting them would break the promise.
  Result<void> restore(const dkg::Records& records, Now now);

  // Remembers the use if it is fresh. The share of the quota that falls to one member is t/n of it.
  Admission admit(const NonceUse& use, const ServingKey& key, Now now);
  void tick(Now now);
  std::optional<Instant> wakes_at() const { return next_sweep_; }

  bool has_unsaved() const { return !unsaved_uses_.empty() || !unsaved_.empty(); }
  dkg::Checkpoint take_unsaved();
  std::size_t size() const { return uses_.size(); }

 private:
  using NonceId = std::pair<ByteArray<20>, Hash32>;
  struct Use {
    Hash32 rh{};
    std::uint64_t until = 0;  // Unix seconds
  };
  // Uses are saved in chunks, so that a busy node writes few rows; a chunk is erased with its last use.
  struct Chunk {
    Bytes value;
    std::size_t uses = 0;
    std::uint64_t until = 0;
  };
  struct Spent {
    std::uint64_t count = 0;
    std::uint64_t saved_to = 0;  // what is durable, ahead of `count`
  };
  bool remember(const NonceUse& use);
  static Bytes encode(const NonceUse& use);

  ReplayLimits limits_;
  std::map<NonceId, Use> uses_;
  std::map<ByteArray<20>, std::size_t> held_;  // uses by requester
  std::map<std::uint64_t, Chunk> chunks_;      // by number; the last one grows
  std::map<std::pair<Hash32, ByteArray<20>>, Spent> spent_;
  std::vector<NonceUse> unsaved_uses_;
  dkg::Checkpoint unsaved_;
  std::uint64_t next_chunk_ = 0;
  std::optional<Instant> next_sweep_;
};

}  // namespace kms::delegation
