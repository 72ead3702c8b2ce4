#include "tests/sim/world.h"

#include <utility>

#include "base/assert.h"

namespace kms::sim {
namespace {

constexpr int kRoundsOfAnInstant = 1000;

}  // namespace

World::World(Schedule schedule, std::uint64_t seed, Boot boot, Observer observer)
    : schedule_(std::move(schedule)),
      random_(seed),
      boot_(std::move(boot)),
      observer_(std::move(observer)),
      nodes_(schedule_.members) {
  for (const auto& [member, start] : schedule_.starts) nodes_[member - 1].boots_at = Instant{} + start;
}

bool World::is_apart(std::size_t a, std::size_t b) const {
  if (!weather().is_split || a == b) return false;
  const auto period = static_cast<std::uint64_t>(now_.time_since_epoch() / 4s);
  const auto side = [&](std::size_t member) { return ((period * 2654435761ULL + 97) >> (member % 11)) & 1U; };
  return side(a) != side(b);
}

void World::boot(std::size_t member) {
  auto& node = nodes_[member - 1];
  node.machine = boot_(member, node.disk, now());
  apply(member, node.machine->tick(now()));
  meet();
}

void World::crash(std::size_t member, bool stays_down) {
  auto& node = nodes_[member - 1];
  node.machine.reset();
  node.boots_at = stays_down ? Instant::max() : now_ + schedule_.reboot;
  meet();
}

bool World::survives(std::size_t member) {
  const auto boundary = boundaries_++;
  if (schedule_.crash && boundary == schedule_.crash->boundary) {
    victim_ = member;
    crash(member, schedule_.crash->stays_down);
    return false;
  }
  if (!random_.chance(weather().crash_per_mille)) return true;
  crash(member, false);
  return false;
}

// Two boundaries where something is to be stored: before (the writes are lost) and after (nothing was sent yet).
void World::apply(std::size_t member, Output output) {
  if (!output.save.empty()) {
    if (!survives(member)) return;
    nodes_[member - 1].disk.apply(output.save);
    if (!survives(member)) return;
  }
  for (auto& message : output.send) {
    if (observer_) observer_(member, message);
    const auto shared = std::make_shared<const Bytes>(std::move(message));
    for (std::size_t to = 1; to <= nodes_.size(); ++to) {
      if (to != member) post(member, to, shared);
    }
  }
}

void World::post(std::size_t from, std::size_t to, std::shared_ptr<const Bytes> message) {
  const auto& sky = weather();
  if (is_apart(from, to) || random_.chance(sky.loss_per_mille)) return;
  const int copies = random_.chance(sky.repeat_per_mille) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    const auto spread = static_cast<std::uint64_t>((sky.latency_max - sky.latency_min).count()) + 1;
    Duration delay = sky.latency_min + Duration{static_cast<std::int64_t>(random_.below(spread))};
    if (random_.chance(sky.straggle_per_mille)) delay += Duration{static_cast<std::int64_t>(random_.below(4'000'000))};
    packets_.push({now_ + delay, ++order_, from, to, message});
  }
}

// Everybody that is up is connected to everybody that is up.
void World::meet() {
  std::set<std::size_t> up;
  for (std::size_t member = 1; member <= nodes_.size(); ++member) {
    if (nodes_[member - 1].machine) up.insert(member);
  }
  for (const auto member : up) {
    auto* machine = nodes_[member - 1].machine.get();
    if (machine != nullptr) apply(member, machine->connected(up, now()));
  }
}

Instant World::next_instant() const {
  Instant next = Instant{} + schedule_.end;
  if (!packets_.empty()) next = std::min(next, packets_.top().at);
  for (const auto& node : nodes_) {
    if (!node.machine) {
      next = std::min(next, node.boots_at);
    } else if (const auto wake = node.machine->wakes_at()) {
      next = std::min(next, *wake);
    }
  }
  return std::max(next, now_);
}

void World::run(const std::function<bool()>& is_over) {
  const Instant end = Instant{} + schedule_.end;
  Instant last = now_;
  int rounds = 0;
  while (now_ < end && !is_over()) {
    now_ = next_instant();
    rounds = std::exchange(last, now_) == now_ ? rounds + 1 : 0;
    KMS_ASSERT(rounds < kRoundsOfAnInstant);  // a machine that wants to wake in the past stops time
    for (std::size_t member = 1; member <= nodes_.size(); ++member) {
      if (!nodes_[member - 1].machine && nodes_[member - 1].boots_at <= now_) boot(member);
    }
    while (!packets_.empty() && packets_.top().at <= now_) {
      const Packet packet = packets_.top();
      packets_.pop();
      auto* machine = nodes_[packet.to - 1].machine.get();
      if (machine == nullptr) continue;
      ++delivered_;
      apply(packet.to, machine->receive(*packet.message, now()));
    }
    for (std::size_t member = 1; member <= nodes_.size(); ++member) {
      auto* machine = nodes_[member - 1].machine.get();
      if (machine == nullptr) continue;
      const auto wake = machine->wakes_at();
      if (wake && *wake <= now_) apply(member, machine->tick(now()));
    }
  }
}

}  // namespace kms::sim
