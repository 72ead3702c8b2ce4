// The pubsub seqnos of one author's messages, so that none counts twice, however late it is played again: the seen
// cache of the router forgets after minutes (LIBP2P.md 8.4, PROTOCOL.md 5.6).
//
// A seqno is fresh if it was not taken before and is above the floor. The newest `kTakenMax` taken ones are remembered;
// the floor is the highest that is not any more. So messages that overtake each other all count, until one comes
// later than `kTakenMax` that were made after it.
#pragma once

#include <cstdint>
#include <deque>

namespace kms::net {

class SeqnoWindow {
 public:
  static constexpr std::size_t kTakenMax = 4096;  // 32 KiB; at 1000 a second of one author 4 s

  // False: it was taken, or is at or below the floor.
  bool take(std::uint64_t seqno);
  // Whether `take` would be true.
  bool is_fresh(std::uint64_t seqno) const;
  bool is_empty() const { return taken_.empty(); }
  std::uint64_t newest() const { return taken_.empty() ? 0 : taken_.back(); }

 private:
  std::uint64_t floor_ = 0;
  std::deque<std::uint64_t> taken_;  // ascending
};

}  // namespace kms::net
