#include "tests/sim/world.h"

#include <utility>

#include "base/assert.h"

namespace kms::sim {
namespace {

constexpr int kRoundsOfAnInstant = 1000;
constexpr int kRollbacksMax = 2;  // of one member

}  // namespace

World::World(Schedule schedule, std::uint64_t seed, Boot boot, Observer observer)
    : schedule_(std::move(schedule)),
      random_(seed),
      boot_(std::move(boot)),
      observer_(std::move(observer)),
      nodes_(schedule_.members) {
  for (const auto& [member, start] : schedule_.starts) nodes_[member - 1].boots_at = Instant{} + start;
}

Now World::now(std::size_t member) const {
  const auto clock = schedule_.clocks.find(member);
  if (clock == schedule_.clocks.end()) return now();
  const auto& [rate, offset] = clock->second;
  return {Instant{} + now_.time_since_epoch() * rate / 1000, now().unix_ms + offset};
}

// In the world's time, rounded up: a member that is woken early wants to wake at once.
std::optional<Instant> World::wake_of(std::size_t member) const {
  const auto wake = nodes_[member - 1].machine->wakes_at();
  const auto clock = schedule_.clocks.find(member);
  if (!wake || clock == schedule_.clocks.end()) return wake;
  const auto rate = clock->second.rate_per_mille;
  return Instant{} + Duration((wake->time_since_epoch().count() * 1000 + rate - 1) / rate);
}

void World::note(Step::Kind kind, std::size_t to, const Packet* packet) {
  if (kind != Step::Kind::save) ++events_;
  if (!tracer_) return;
  tracer_({kind, now_, packet == nullptr ? 0 : packet->from, to, packet == nullptr ? nullptr : packet->message.get(),
           packet == nullptr ? 0 : packet->fingerprint});
}

bool World::is_apart(std::size_t a, std::size_t b) const {
  for (const auto& absence : schedule_.absences) {
    const Instant begin = Instant{} + absence.from;
    const bool is_on = now_ >= begin && now_ < Instant{} + absence.until;
    if (is_on && (absence.member == a || absence.member == b) && a != b) return true;
  }
  if (!weather().is_split || a == b) return false;
  const auto period = static_cast<std::uint64_t>(now_.time_since_epoch() / 4s);
  const auto side = [&](std::size_t member) { return ((period * 2654435761ULL + 97) >> (member % 11)) & 1U; };
  return side(a) != side(b);
}

void World::boot(std::size_t member) {
  auto& node = nodes_[member - 1];
  note(Step::Kind::boot, member);
  node.machine = boot_(member, node.disk, now(member));
  apply(member, node.machine->tick(now(member)));
  meet();
}

void World::crash(std::size_t member, bool stays_down) {
  auto& node = nodes_[member - 1];
  note(Step::Kind::crash, member);
  node.machine.reset();
  if (schedule_.rolled_back.contains(member) && node.rollbacks < kRollbacksMax) {
    ++node.rollbacks;
    node.disk = node.image;
  }
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
  const bool is_shaky = schedule_.rolled_back.contains(member) && nodes_[member - 1].rollbacks < kRollbacksMax;
  if (!random_.chance(weather().crash_per_mille) && !(is_shaky && random_.chance(40))) return true;
  crash(member, false);
  return false;
}

// Of a member that will be rolled back, now and then.
void World::keep_image(std::size_t member) {
  if (!schedule_.rolled_back.contains(member) || !random_.chance(200)) return;
  nodes_[member - 1].image = nodes_[member - 1].disk;
}

World::Letter World::letter(Bytes message) const {
  std::uint64_t fingerprint = 0xcbf29ce484222325ULL;
  if (tracer_) {
    for (const auto byte : message) fingerprint = (fingerprint ^ byte) * 0x100000001b3ULL;
  }
  return {std::make_shared<const Bytes>(std::move(message)), fingerprint};
}

// Two boundaries where something is to be stored: before (the writes are lost) and after (nothing was sent yet).
void World::apply(std::size_t member, Output output) {
  if (!output.save.empty()) {
    if (!survives(member)) return;
    keep_image(member);
    nodes_[member - 1].disk.apply(output.save);
    note(Step::Kind::save, member);
    if (!survives(member)) return;
  }
  for (auto& message : output.send) {
    if (observer_) observer_(member, message);
    const auto sent = letter(std::move(message));
    for (std::size_t to = 1; to <= nodes_.size(); ++to) {
      if (to != member) post(member, to, sent);
    }
  }
  for (auto& one : output.whispers) {
    if (observer_) observer_(member, one.message);
    whisper(member, std::move(one));
  }
}

void World::whisper(std::size_t from, Whisper whisper) {
  const auto sent = letter(std::move(whisper.message));
  post(from, whisper.to, sent);
  if (!schedule_.relays_whispers) return;
  for (std::size_t to = 1; to <= nodes_.size(); ++to) {
    if (to != from && to != whisper.to) post(from, to, sent, 300ms);
  }
}

void World::post(std::size_t from, std::size_t to, const Letter& letter, Duration held) {
  const auto& sky = weather();
  if (is_apart(from, to) || random_.chance(sky.loss_per_mille)) return;
  const int copies = random_.chance(sky.repeat_per_mille) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    const auto spread = static_cast<std::uint64_t>((sky.latency_max - sky.latency_min).count()) + 1;
    Duration delay = held + sky.latency_min + Duration{static_cast<std::int64_t>(random_.below(spread))};
    if (random_.chance(sky.straggle_per_mille)) delay += Duration{static_cast<std::int64_t>(random_.below(4'000'000))};
    packets_.push({now_ + delay, ++order_, from, to, letter.message, letter.fingerprint});
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
    if (machine != nullptr) apply(member, machine->connected(up, now(member)));
  }
}

void World::fall_due() {
  for (; fallen_ < schedule_.falls.size() && Instant{} + schedule_.falls[fallen_].at <= now_; ++fallen_) {
    const std::size_t member = schedule_.falls[fallen_].member;
    if (nodes_[member - 1].machine) crash(member, false);
  }
}

Instant World::next_instant() const {
  Instant next = Instant{} + schedule_.end;
  if (fallen_ < schedule_.falls.size()) next = std::min(next, Instant{} + schedule_.falls[fallen_].at);
  if (!packets_.empty()) next = std::min(next, packets_.top().at);
  for (std::size_t member = 1; member <= nodes_.size(); ++member) {
    const auto& node = nodes_[member - 1];
    if (!node.machine) {
      next = std::min(next, node.boots_at);
    } else if (const auto wake = wake_of(member)) {
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
    if (std::exchange(crashes_all_, false)) {
      for (std::size_t member = 1; member <= nodes_.size(); ++member) {
        if (nodes_[member - 1].machine) crash(member, false);
      }
    }
    now_ = next_instant();
    rounds = std::exchange(last, now_) == now_ ? rounds + 1 : 0;
    KMS_ASSERT(rounds < kRoundsOfAnInstant);  // a machine that wants to wake in the past stops time
    fall_due();
    for (std::size_t member = 1; member <= nodes_.size(); ++member) {
      if (!nodes_[member - 1].machine && nodes_[member - 1].boots_at <= now_) boot(member);
    }
    while (!packets_.empty() && packets_.top().at <= now_) {
      const Packet packet = packets_.top();
      packets_.pop();
      auto* machine = nodes_[packet.to - 1].machine.get();
      if (machine == nullptr) continue;
      ++delivered_;
      note(Step::Kind::deliver, packet.to, &packet);
      apply(packet.to, machine->receive(*packet.message, now(packet.to)));
    }
    for (std::size_t member = 1; member <= nodes_.size(); ++member) {
      auto* machine = nodes_[member - 1].machine.get();
      if (machine == nullptr) continue;
      const auto wake = wake_of(member);
      if (!wake || *wake > now_) continue;
      note(Step::Kind::timer, member);
      apply(member, machine->tick(now(member)));
    }
  }
}

}  // namespace kms::sim
