#include "node/delegation/replay_window.h"

#include <algorithm>

#include "dkg/break.h"

namespace kms::delegation {
namespace {

constexpr std::string_view kUsesPrefix = "delegation/replay/";
constexpr std::string_view kSpentPrefix = "delegation/spent/";
constexpr std::string_view kFloorKey = "delegation/replay-floor";
constexpr std::size_t kUseBytes = 20 + 32 + 32 + 8;
constexpr std::size_t kUsesInChunk = 128;
// A restart loses at most so many of a requester's quota.
constexpr std::uint64_t kSpentStep = 1024;
constexpr Duration kSweepEvery = 10s;
// No deadline that is taken lies further ahead; members allow for clocks that differ.
constexpr std::uint64_t kAheadMax_s = kDeadlineMax_s + kReplayMargin_s + 30;

std::string plain_hex(ByteView bytes) {
  return to_0x(bytes).substr(2);
}

std::string chunk_key(std::uint64_t number) {
  ByteArray<8> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  return std::string(kUsesPrefix) + plain_hex(bytes);
}

std::uint64_t read_number(ByteView bytes8) {
  std::uint64_t out = 0;
  for (const std::uint8_t byte : bytes8) out = out << 8 | byte;
  return out;
}

void append_number(Bytes& to, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(number >> shift));
}

Error damaged(const std::string& key) {
  return error(
      "the record " + key +
      " is damaged; without it used nonces could be used again. Restore the data folder, or wait until an hour "
      "after the node last ran and erase the record");
}

}  // namespace

Bytes ReplayWindow::encode(const NonceUse& use) {
  Bytes out;
  append(out, use.requester.bytes);
  append(out, use.nonce);
  append(out, use.rh);
  append_number(out, use.deadline);
  return out;
}

Instant ReplayWindow::kept_until(std::uint64_t until, Now now) {
  const std::uint64_t left = until > now.unix_s() ? until - now.unix_s() : 0;
  return now.instant + std::chrono::seconds(std::min(left, kAheadMax_s));
}

// Deadlines that a clock set ahead let in are no longer taken once it is right again.
bool ReplayWindow::is_over(std::uint64_t until, Instant kept_until, Now now) {
  return now.instant >= kept_until && (until <= now.unix_s() || until > now.unix_s() + kAheadMax_s);
}

Result<void> ReplayWindow::restore(const dkg::Records& records, Now now) {
  if (const auto value = records.find(kFloorKey)) {
    if (value->size() != 8) return damaged(std::string(kFloorKey));
    floor_ = read_number(*value);
  }
  std::uint64_t floor = floor_;
  for (const std::string& key : records.list(kUsesPrefix)) {
    const auto value = records.find(key);
    const auto number = parse_hex_array<8>(key.substr(kUsesPrefix.size()));
    if (!value || !number || value->size() % kUseBytes != 0) return damaged(key);
    Chunk chunk{*value, value->size() / kUseBytes, 0, now.instant};
    for (ByteView rest = *value; !rest.empty(); rest = rest.subspan(kUseBytes)) {
      NonceUse use{{to_array<20>(rest)},
                   to_array<32>(rest.subspan(20)),
                   to_array<32>(rest.subspan(52)),
                   read_number(rest.subspan(84, 8))};
      const std::uint64_t until = use.deadline + kReplayMargin_s;
      chunk.until = std::max(chunk.until, until);
      chunk.kept_until = std::max(chunk.kept_until, kept_until(until, now));
      if (until > now.unix_s()) {
        remember(use, now);
      } else {
        floor = std::max(floor, until);
      }
    }
    next_chunk_ = std::max(next_chunk_, read_number(*number) + 1);
    chunks_.emplace(read_number(*number), std::move(chunk));
  }
  if (floor > floor_) {
    floor_ = floor;
    Bytes value;
    append_number(value, floor);
    unsaved_.writes.push_back(dkg::Put{std::string(kFloorKey), std::move(value)});
  }
  for (const std::string& key : records.list(kSpentPrefix)) {
    const auto value = records.find(key);
    const auto name = parse_hex_array<52>(key.substr(kSpentPrefix.size()));
    if (!value || !name || value->size() != 8) return damaged(key);
    const std::uint64_t saved = read_number(*value);
    spent_[{to_array<32>(*name), to_array<20>(ByteView(*name).subspan(32))}] = {saved, saved};
  }
  next_sweep_ = now.instant;
  return {};
}

void ReplayWindow::remember(const NonceUse& use, Now now) {
  const std::uint64_t until = use.deadline + kReplayMargin_s;
  const Use entry{use.rh, until, kept_until(until, now)};
  if (uses_.try_emplace({use.requester.bytes, use.nonce}, entry).second) ++held_[use.requester.bytes];
}

Admission ReplayWindow::admit(const NonceUse& use, const ServingKey& key, Now now) {
  const auto known = uses_.find({use.requester.bytes, use.nonce});
  if (known != uses_.end() && !dkg::is_broken("nonces"))
    return known->second.rh == use.rh ? Admission::again : Admission::conflict;
  if (use.deadline + kReplayMargin_s <= floor_) return Admission::forgotten;
  const auto held = held_.find(use.requester.bytes);
  const std::size_t own = held == held_.end() ? 0 : held->second;
  if (uses_.size() >= limits_.nonces_max || own >= limits_.nonces_max - uses_.size()) return Admission::full;
  Spent& spent = spent_[{key.key.bytes, use.requester.bytes}];
  const std::uint64_t share = limits_.quota * key.threshold.t() / key.threshold.n();
  if (limits_.quota != 0 && spent.count >= share) return Admission::quota;
  ++spent.count;
  if (spent.count > spent.saved_to) {
    spent.saved_to = spent.count + kSpentStep;
    Bytes name = to_bytes(key.key.bytes);
    append(name, use.requester.bytes);
    Bytes value;
    append_number(value, spent.saved_to);
    unsaved_.writes.push_back(dkg::Put{std::string(kSpentPrefix) + plain_hex(name), std::move(value)});
  }
  remember(use, now);
  unsaved_uses_.emplace_back(use, kept_until(use.deadline + kReplayMargin_s, now));
  if (!next_sweep_) next_sweep_ = now.instant + kSweepEvery;
  return Admission::fresh;
}

void ReplayWindow::tick(Now now) {
  if (!next_sweep_ || now.instant < *next_sweep_) return;
  for (auto use = uses_.begin(); use != uses_.end();) {
    if (!is_over(use->second.until, use->second.kept_until, now)) {
      ++use;
      continue;
    }
    const auto held = held_.find(use->first.first);
    if (--held->second == 0) held_.erase(held);
    use = uses_.erase(use);
  }
  for (auto chunk = chunks_.begin(); chunk != chunks_.end();) {
    if (!is_over(chunk->second.until, chunk->second.kept_until, now)) {
      ++chunk;
      continue;
    }
    unsaved_.writes.push_back(dkg::Erase{chunk_key(chunk->first)});
    chunk = chunks_.erase(chunk);
  }
  next_sweep_ = uses_.empty() && chunks_.empty() ? std::nullopt : std::optional(now.instant + kSweepEvery);
}

dkg::Checkpoint ReplayWindow::take_unsaved() {
  dkg::Checkpoint out = std::exchange(unsaved_, {});
  std::optional<std::uint64_t> touched;
  const auto write = [&] {
    if (touched) out.writes.push_back(dkg::Put{chunk_key(*touched), chunks_.at(*touched).value});
    touched.reset();
  };
  for (const auto& [use, kept] : std::exchange(unsaved_uses_, {})) {
    const bool has_room =
        !chunks_.empty() && chunks_.rbegin()->second.uses < kUsesInChunk && chunks_.rbegin()->first + 1 == next_chunk_;
    if (!has_room) {
      write();
      chunks_.emplace(next_chunk_++, Chunk{});
    }
    auto& [number, chunk] = *chunks_.rbegin();
    append(chunk.value, encode(use));
    ++chunk.uses;
    chunk.until = std::max(chunk.until, use.deadline + kReplayMargin_s);
    chunk.kept_until = std::max(chunk.kept_until, kept);
    touched = number;
  }
  write();
  return out;
}

}  // namespace kms::delegation
