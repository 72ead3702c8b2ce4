// A node's own attempt number in a slot (PROTOCOL.md 4.1 "Attempts"): it decides who starts and what is live, nothing
// else. A dead initiator costs seconds, nobody runs ahead alone, and f faulty members cannot move it.
#pragma once

#include <map>
#include <optional>

#include "dkg/plan.h"

namespace kms::dkg {

class AttemptClock {
 public:
  AttemptClock(const Timing& timing, const Threshold& deciding, Position self)
      : timing_(timing), deciding_(deciding), self_(self) {}

  void open(std::uint32_t own, Instant now);
  bool is_open() const { return opened_.has_value(); }
  // From now on `quorum` members that report an attempt make its timer short, and headers seen so far do not count.
  void begin_emergency(std::uint16_t quorum, Instant now);
  Instant opened() const { return *opened_; }
  std::uint32_t own() const { return own_; }
  // own - 1, own, own + 1.
  bool is_live(std::uint32_t attempt) const;

  // By NodeStatus; a member's number only ever rises.
  void heard(Position member, std::uint32_t attempt);
  void saw_header(std::uint32_t attempt);
  // Raises the own number as far as the rules allow; true if it rose.
  bool advance(Instant now);
  std::optional<Instant> wakes_at() const;

 private:
  std::size_t members_at_or_beyond(std::uint32_t attempt) const;
  Instant expiry() const;

  Timing timing_;
  Threshold deciding_;
  std::uint16_t reach_ = deciding_.q();
  Position self_;
  std::uint32_t own_ = 0;
  std::optional<Instant> opened_;
  Instant started_{};
  bool has_header_ = false;
  std::map<Position, std::uint32_t> heard_;
};

}  // namespace kms::dkg
