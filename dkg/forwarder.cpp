#include "dkg/forwarder.h"

#include <algorithm>

namespace kms::dkg {
namespace {

constexpr std::size_t kHeardMax = 256;

}  // namespace

Duration Forwarder::wait_of(const Certificate& certificate) const {
  const auto delta = slot_.plan.timing.delta;
  const bool is_of_all = certificate.kind == CertificateKind::activation;
  const std::size_t place = is_of_all ? slot_.member : slot_.decider;
  if (place == 0) return 2 * delta;
  const std::size_t count = is_of_all ? slot_.everybody().size() : slot_.deciders().size();
  const auto id = certificate.id();
  const std::size_t first = (std::size_t{id.bytes[0]} << 8 | id.bytes[1]) % count;
  const std::size_t distance = (place - 1 + count - first) % count;
  if (distance == 0) return {};
  return std::min<Duration>(2 * delta, delta / 4 * static_cast<std::int64_t>(distance + 1));
}

void Forwarder::add(const std::vector<Certificate>& formed, Turn& turn) {
  for (const auto& certificate : formed) {
    const auto id = certificate.id();
    if (heard_.contains(id) || waiting_.contains(id)) continue;
    waiting_.emplace(id, Waiting{certificate, turn.instant() + wait_of(certificate)});
  }
}

void Forwarder::heard(const Certificate& certificate) {
  const auto id = certificate.id();
  waiting_.erase(id);
  if (heard_.size() < kHeardMax) heard_.insert(id);
}

void Forwarder::tick(Turn& turn) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (turn.instant() < at->second.at) {
      ++at;
      continue;
    }
    turn.show(at->second.certificate);
    at = waiting_.erase(at);
  }
}

std::optional<Instant> Forwarder::wakes_at() const {
  std::optional<Instant> out;
  for (const auto& [id, waiting] : waiting_) out = out ? std::min(*out, waiting.at) : waiting.at;
  return out;
}

}  // namespace kms::dkg
