#include "node/delegation/board.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::delegation {
namespace {

constexpr Duration kOrphanLife = 10s;        // of partials whose request has not come
constexpr std::size_t kBusyToPassOver = 64;  // records looked at for one to evict

std::size_t bytes_of(const PublicPartial& partial) {
  constexpr std::size_t kRest = 64;
  if (const auto* b = std::get_if<PartialB>(&partial)) return sizeof(PartialB) + b->ciphertext.size() + kRest;
  return sizeof(PartialC) + kRest;
}

}  // namespace

Board::Board(CredentialsPtr credentials, BoardLimits limits, ReplayWindow& replay)
    : credentials_(std::move(credentials)),
      limits_(limits),
      replay_(replay),
      places_(limits.records_max),
      making_room_(limits.jobs_max) {}

bool Board::is_busy(const Record& record) {
  return !record.waiters.empty() || record.jobs > 0;
}

void Board::forget(Records::iterator record) {
  auto& [rh, one] = *record;
  timers_.erase({one.wake, rh});
  places_.give_back(one.holder);
  const auto ages = ages_.find(one.holder);
  ages->second.erase(one.age);
  if (ages->second.empty()) ages_.erase(ages);
  bytes_ -= one.bytes;
  records_.erase(record);
}

void Board::drop(Records::iterator record) {
  if (!is_busy(record->second)) return forget(record);
  record->second.forget_at = Instant{};
  set_wake(record->first, record->second);
}

bool Board::evict_oldest(const dkg::NodeId& holder) {
  const auto ages = ages_.find(holder);
  if (ages == ages_.end()) return false;
  std::size_t looked_at = 0;
  for (const Hash32& rh : ages->second) {
    const auto record = records_.find(rh);
    if (!is_busy(record->second)) {
      ++counts_.evicted;
      forget(record);
      return true;
    }
    if (++looked_at == kBusyToPassOver) break;
  }
  return false;
}

// Null if everything is in use.
Board::Record* Board::place(const Hash32& rh, const dkg::NodeId& holder, ServingKeyPtr key, Instant forget_at) {
  const auto largest = [&] {
    return std::max_element(ages_.begin(), ages_.end(),
                            [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  };
  // Nobody keeps more than is left free, so that who holds the most gives way, and more than once if others came since.
  while (!places_.take(holder)) {
    if (ages_.empty()) return nullptr;
    const dkg::NodeId loser = largest()->first;
    if (!evict_oldest(loser)) return nullptr;
  }
  std::list<Hash32>& ages = ages_[holder];
  const auto age = ages.insert(ages.end(), rh);
  Record record{.holder = holder, .age = age, .key = std::move(key), .forget_at = forget_at, .wake = forget_at};
  auto& out = records_.emplace(rh, std::move(record)).first->second;
  timers_.insert({out.wake, rh});
  return &out;
}

void Board::shrink() {
  while (bytes_ > limits_.bytes_max && !ages_.empty()) {
    const auto largest = std::max_element(
        ages_.begin(), ages_.end(), [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    if (!evict_oldest(largest->first)) return;
  }
}

void Board::hold(Record& record, PublicPartial partial, State state) {
  const std::size_t bytes = bytes_of(partial);
  if (!record.partials.emplace(index_of(partial), Held{std::move(partial), state}).second) return;
  record.bytes += bytes;
  bytes_ += bytes;
}

// The shares of another epoch answer now; partials of two epochs are never combined.
void Board::renew(Record& record, ServingKeyPtr key) {
  bytes_ -= record.bytes;
  record.bytes = 0;
  record.partials.clear();
  record.result.reset();
  record.terms.reset();
  record.key = std::move(key);
  record.answered_at.reset();
  record.due.reset();
  record.rounds.clear();
  record.named_bad.clear();
  record.refused.clear();
}

bool Board::knows(const Hash32& rh) const {
  const auto found = records_.find(rh);
  return found != records_.end() && found->second.request;
}

void Board::set_wake(const Hash32& rh, Record& record) {
  Instant wake = record.forget_at;
  if (record.due) wake = std::min(wake, *record.due);
  if (!record.waiters.empty()) wake = std::min(wake, record.need_at);
  for (const Waiter& waiter : record.waiters) wake = std::min(wake, waiter.deadline);
  if (wake == record.wake) return;
  timers_.erase({record.wake, rh});
  record.wake = wake;
  timers_.insert({wake, rh});
}

Effects Board::receive(const dkg::NodeId& from, PublicPartial partial, ServingKeyPtr key, Now now) {
  Effects effects;
  const Hash32 rh = rh_of(partial);
  const Position index = index_of(partial);
  auto found = records_.find(rh);
  if (found == records_.end()) {
    // It may overtake its request.
    if (key->members.position_of(from) != index || !place(rh, from, key, now.instant + kOrphanLife)) return effects;
    found = records_.find(rh);
  }
  Record& record = found->second;
  const ServingKey& serving = *record.key;
  const auto [epoch, transcript] =
      std::visit([](const auto& one) { return std::pair(one.epoch, one.transcript); }, partial);
  const bool fits = serving.members.position_of(from) == index && index != serving.self && epoch == serving.epoch &&
                    transcript == serving.transcript && !record.partials.contains(index);
  if (!fits) return effects;
  hold(record, std::move(partial), State::unchecked);
  serve(rh, record, effects);
  set_wake(rh, record);
  shrink();
  return effects;
}

Effects Board::computed(Job job, Now now) {
  if (auto* partial = std::get_if<PartialJob>(&job.work)) return made(job.id, std::move(*partial), now);
  if (auto* verify = std::get_if<VerifyJob>(&job.work)) return verified(std::move(*verify), now);
  if (auto* combine = std::get_if<CombineJob>(&job.work)) return combined(job.id, std::move(*combine));
  return {};
}

void Board::tick_record(const Hash32& rh, Record& record, Effects& effects, Now now) {
  give_up(rh, record, effects, now);
  if (!record.waiters.empty() && now.instant >= record.need_at) {
    if (record.has_asked) {
      need_more(rh, record, effects, now);
    } else {
      ask(rh, record, effects, now);
    }
  }
  if (!record.due || now.instant < *record.due) return;
  // Partials of others are not verified here; should too few of them count, nobody will say Done, and then this
  // member answers after all.
  std::size_t there = 0;
  for (const auto& [index, held] : record.partials) {
    if (held.state != State::bad && !record.named_bad.contains(index)) ++there;
  }
  const bool waits = there >= record.key->threshold.t() && now.instant < record.late;
  record.due = waits ? std::optional(record.late) : std::nullopt;
  if (waits) return;
  ++counts_.hedged;
  answer(rh, record, effects, now);
}

Effects Board::tick(Now now) {
  Effects effects;
  while (!timers_.empty() && timers_.begin()->first <= now.instant) {
    const Hash32 rh = timers_.begin()->second;
    const auto found = records_.find(rh);
    KMS_ASSERT(found != records_.end());
    Record& record = found->second;
    if (now.instant >= record.forget_at) {
      if (is_busy(record)) {
        record.forget_at = now.instant + limits_.timeout;
      } else {
        forget(found);
        continue;
      }
    }
    tick_record(rh, record, effects, now);
    set_wake(rh, record);
    KMS_ASSERT(record.wake > now.instant);
  }
  return effects;
}

std::optional<Instant> Board::wakes_at() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

}  // namespace kms::delegation
