#include "tests/sim/program/meter.h"

#include <ctime>
#include <string_view>

namespace kms::sim {
namespace {

constexpr std::size_t kPlaceBytes = 2;  // in front of an envelope

double cpu_ms_of_thread() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

std::size_t hash_of(const Bytes& message) {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(message.data()), message.size()});
}

}  // namespace

template <class Input>
Output MeteredMember::timed(Now now, const Input& input) {
  const double began = cpu_ms_of_thread();
  auto output = input();
  reading_.cpu_ms += cpu_ms_of_thread() - began;
  for (const auto& message : output.send) reading_.bytes_said += message.size() - kPlaceBytes;
  if (!reading_.released_at && inside_->ceremony().is_released()) reading_.released_at = now.instant;
  return output;
}

Output MeteredMember::receive(const Bytes& message, Now now) {
  if (heard_.insert(hash_of(message)).second) {
    const auto envelope = envelope_of(message);
    const bool is_beside = envelope && (envelope->type == dkg::MessageType::prekey_announce ||
                                        envelope->type == dkg::MessageType::node_status);
    (is_beside ? reading_.bytes_beside : reading_.bytes_heard) += message.size() - kPlaceBytes;
  }
  return timed(now, [&] { return inside_->receive(message, now); });
}

Output MeteredMember::tick(Now now) {
  return timed(now, [&] { return inside_->tick(now); });
}

Output MeteredMember::connected(const std::set<std::size_t>& members, Now now) {
  return timed(now, [&] { return inside_->connected(members, now); });
}

}  // namespace kms::sim
