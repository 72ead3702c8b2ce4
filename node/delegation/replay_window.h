// What v1 requesters have been given (PROTOCOL.md 5.7, 5.10): which request each (requester, nonce) stands for, until a
// minute after its deadline, and how many requests of each requester were answered under each key. Durable: what
// `take_unsaved` gives must be saved before anything leaves this node; then a restart forgets nothing.
//
// Clocks may jump. A use is forgotten only when the wall clock has passed its deadline *and* as much time has passed as
// was left when it was taken, so that a clock set ahead forgets nothing that a clock set right again would let repeat.
// A restart knows the wall clock only: what it drops as over raises a floor, durable like the rest, and whatever would
// have been over with it is refused.
//
// Bounds: `nonces_max` at a time, some 300 bytes each, shared fairly among requesters: none may hold more than are left
// free. At the bound uses are refused (`full`), nothing is forgotten early.
#pragma once

#include <map>

#include "base/time.h"
#include "dkg/effects.h"
#include "node/delegation/v1_authorisation.h"

namespace kms::delegation {

struct ReplayLimits {
  std::size_t nonces_max = 1'048'576;            // 145 a second with deadlines an hour ahead, for one requester
  std::uint64_t quota = std::uint64_t{1} << 24;  // network-wide, per requester and key; 0: none
};

enum class Admission : std::uint8_t {
  fresh,
  again,      // the same request as before
  conflict,   // the nonce stands for another request
  full,       // this requester holds too many nonces; try again when deadlines have passed
  quota,      // nothing more under this key
  forgotten,  // its nonce may be among those that a restart dropped as over
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
    Instant kept_until;       // and at least so long
  };
  // Uses are saved in chunks, so that a busy node writes few rows; a chunk is erased with its last use.
  struct Chunk {
    Bytes value;
    std::size_t uses = 0;
    std::uint64_t until = 0;
    Instant kept_until;
  };
  struct Spent {
    std::uint64_t count = 0;
    std::uint64_t saved_to = 0;  // what is durable, ahead of `count`
  };
  void remember(const NonceUse& use, Now now);
  static Instant kept_until(std::uint64_t until, Now now);
  static bool is_over(std::uint64_t until, Instant kept_until, Now now);
  static Bytes encode(const NonceUse& use);

  ReplayLimits limits_;
  std::map<NonceId, Use> uses_;
  std::map<ByteArray<20>, std::size_t> held_;  // uses by requester
  std::map<std::uint64_t, Chunk> chunks_;      // by number; the last one grows
  std::map<std::pair<Hash32, ByteArray<20>>, Spent> spent_;
  std::uint64_t floor_ = 0;  // Unix seconds
  std::vector<std::pair<NonceUse, Instant>> unsaved_uses_;
  dkg::Checkpoint unsaved_;
  std::uint64_t next_chunk_ = 0;
  std::optional<Instant> next_sweep_;
};

}  // namespace kms::delegation
