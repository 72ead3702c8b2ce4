// What a ceremony costs each member: time on the processor, bytes said and heard, and when it was released.
#pragma once

#include <set>

#include "tests/sim/program/epoch_member.h"

namespace kms::sim {

// Of one member in one ceremony.
struct Reading {
  double cpu_ms = 0;               // of the thread, in receive(), tick() and connected()
  std::uint64_t bytes_said = 0;    // envelopes of its own, once each, however many members they go to
  std::uint64_t bytes_heard = 0;   // of others, each message once; without the next
  std::uint64_t bytes_beside = 0;  // the same of announcements of prekeys and NodeStatus
  std::optional<Instant> released_at;
};

// By place, from 1; a new one for each ceremony.
using Meter = std::map<std::size_t, Reading>;

// The member inside does the work, and is watched.
class MeteredMember final : public Machine {
 public:
  MeteredMember(std::unique_ptr<EpochMember> inside, Reading& reading)
      : inside_(std::move(inside)), reading_(reading) {}
  Output receive(const Bytes& message, Now now) override;
  Output tick(Now now) override;
  std::optional<Instant> wakes_at() const override { return inside_->wakes_at(); }
  Output connected(const std::set<std::size_t>& members, Now now) override;

 private:
  template <class Input>
  Output timed(Now now, const Input& input);

  std::unique_ptr<EpochMember> inside_;
  Reading& reading_;
  std::set<std::size_t> heard_;  // hashes of messages
};

}  // namespace kms::sim
