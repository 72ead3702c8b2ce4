#include "node/delegation/board.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::delegation {
namespace {

std::size_t bytes_of(const V1Authorisation& authorisation) {
  return sizeof(V1Authorisation) + authorisation.target.size();
}

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

void Board::hold(Record& record, PublicPartial partial, State state) {
  const std::size_t bytes = bytes_of(partial);
  if (record.partials.emplace(index_of(partial), Held{std::move(partial), state}).second) charge(record, bytes);
}

// A request was verified under `key`. False: the record has one that was verified for a newer epoch.
bool Board::adopt(Record& record, const Candidate& request, ServingKeyPtr key, PublicTermsPtr terms) {
  if (record.terms && record.key->transcript == key->transcript) return true;
  if (record.terms && key->epoch < record.key->epoch) return false;
  if (record.key->transcript != key->transcript) renew(record, key);
  record.key = std::move(key);
  record.terms = std::move(terms);
  if (!record.request) charge(record, bytes_of(request.authorisation));
  record.request = request;
  for (auto& [node, asker] : record.askers) forget_candidate(record, asker);
  return true;
}

// The shares of another epoch answer now; partials of two epochs are never combined. Who waits for some has the members
// asked again.
void Board::renew(Record& record, ServingKeyPtr key) {
  for (const auto& [index, held] : record.partials) uncharge(record, bytes_of(held.partial));
  record.partials.clear();
  record.result.reset();
  record.terms.reset();
  record.key = std::move(key);
  record.answered_at.reset();
  record.has_asked = false;
  record.round = 0;
  record.need_at = Instant{};
  record.refused.clear();
  record.more_at.reset();
}

void Board::remember_candidate(Record& record, Asker& asker, V1Authorisation says) {
  forget_candidate(record, asker);
  charge(record, bytes_of(says));
  asker.says = std::move(says);
}

void Board::forget_candidate(Record& record, Asker& asker) {
  if (asker.says) uncharge(record, bytes_of(*asker.says));
  asker.says.reset();
}

bool Board::wants_partials(const Record& record) {
  return std::any_of(record.waiters.begin(), record.waiters.end(),
                     [](const Waiter& waiter) { return waiter.wants == Wants::partials; });
}

bool Board::knows(const Hash32& rh) const {
  const auto found = records_.find(rh);
  if (found == records_.end()) return false;
  const auto has_said = [](const auto& asker) { return asker.second.says.has_value(); };
  const Askers& askers = found->second.askers;
  return found->second.request || std::any_of(askers.begin(), askers.end(), has_said);
}

Effects Board::receive(const dkg::NodeId& from, PublicPartial partial, ServingKeyPtr key, Now now) {
  Effects effects;
  const Hash32 rh = rh_of(partial);
  const Position index = index_of(partial);
  const auto [epoch, transcript] =
      std::visit([](const auto& one) { return std::pair(one.epoch, one.transcript); }, partial);
  auto found = records_.find(rh);
  const ServingKey& serving = found == records_.end() ? *key : *found->second.key;
  const bool fits = serving.members.position_of(from) == index && index != serving.self && epoch == serving.epoch &&
                    transcript == serving.transcript;
  if (!fits) return effects;
  if (found == records_.end()) {
    // It may overtake its request.
    if (!place(rh, from, key, now.instant + kOrphanLife)) return effects;
    found = records_.find(rh);
  }
  Record& record = found->second;
  if (!record.partials.contains(index)) {
    hold(record, std::move(partial), State::unchecked);
    serve(rh, record, effects);
  }
  settle(rh, record);
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
  const bool is_wanted = wants_partials(record);
  if (is_wanted && now.instant >= record.need_at) {
    if (!record.terms) {
      record.need_at = now.instant + patience();  // there is nothing to ask for before it is verified
      check(rh, record, effects, now);
    } else if (record.has_asked) {
      caution_.note_late(now);
      if (is_half_over(record, now)) move_on(rh, record, effects, now);
      need_more(rh, record, effects, now);
    } else {
      ask(rh, record, effects, now);
    }
  }
  for (auto asker = record.askers.begin(); asker != record.askers.end(); ++asker) {
    Asker& one = asker->second;
    if (!one.due || now.instant < *one.due) continue;
    // Partials of others are not verified here; should too few of them count, nobody will say Done, and then this
    // member answers after all.
    std::size_t there = 0;
    for (const auto& [index, held] : record.partials) {
      if (held.state != State::bad && !one.named_bad.contains(index)) ++there;
    }
    const bool is_same_epoch = one.key->transcript == record.key->transcript;
    const bool waits = is_same_epoch && there >= one.key->threshold.t() && now.instant < one.late;
    one.due = waits ? std::optional(one.late) : std::nullopt;
    if (waits) continue;
    ++counts_.hedged;
    answer(rh, record, asker, effects, now);
  }
}

Effects Board::tick(Now now) {
  Effects effects;
  while (!timers_.empty() && timers_.begin()->first <= now.instant) {
    const Hash32 rh = timers_.begin()->second;
    const auto found = records_.find(rh);
    KMS_ASSERT(found != records_.end());
    Record& record = found->second;
    if (now.instant >= record.forget_at) {
      if (use_of(record) == Use::pressing) {
        record.forget_at = now.instant + limits_.timeout;
      } else {
        forget(found);
        continue;
      }
    }
    tick_record(rh, record, effects, now);
    settle(rh, record);
    KMS_ASSERT(record.wake > now.instant);
  }
  return effects;
}

std::optional<Instant> Board::wakes_at() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

}  // namespace kms::delegation
