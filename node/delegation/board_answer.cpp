// A member's side of forms B and C: whether and when it owes a partial to everybody.
#include <algorithm>

#include "base/assert.h"
#include "node/delegation/board.h"
#include "node/delegation/rank.h"
#include "node/delegation/request_time.h"

namespace kms::delegation {

template <class PassedOver>
std::size_t Board::members_ahead(const Record& record, const Hash32& rh, PassedOver passed_over) const {
  std::size_t ahead = 0;
  for (const Position position : ranking(*record.key, rh, record.asker_place)) {
    if (position == record.key->self) break;
    if (alive_.contains(record.key->members.at(position).node) && !passed_over(position)) ++ahead;
  }
  return ahead;
}

bool Board::is_recent(const Record& record, Now now) const {
  return record.answered_at && now.instant < *record.answered_at + limits_.hedge_delay;
}

void Board::refuse(const Hash32& rh, Position self, RefusalCode code, Effects& effects) {
  if (code == RefusalCode::busy) {
    ++counts_.busy;
  } else {
    ++counts_.requests_refused;
  }
  if (self == 0) return;
  Refusal refusal;
  refusal.rh = rh;
  refusal.index = self;
  refusal.code = code;
  effects.send.push_back({Audience::partials, {}, Refusal::kType, refusal.body(), std::nullopt});
}

Effects Board::receive(const dkg::Member& from, PublicRequest request, std::vector<crypto::Address> allowed,
                       ServingKeyPtr key, Now now) {
  Effects effects;
  ++counts_.seen;
  const Hash32 rh = request.rh;
  std::optional<RefusalCode> fault = time_fault(request.issued_at, request.authorisation.deadline, now);
  const bool is_ours = request.key == key->key && request.epoch == key->epoch && request.transcript == key->transcript;
  if (!fault && !is_ours) fault = RefusalCode::stale;
  if (fault || from.node == credentials_->node_id()) {
    refuse(rh, key->self, fault.value_or(RefusalCode::entry), effects);
    return effects;
  }
  const Instant forget_at = forget_time(request.authorisation.deadline, now);
  const auto found = records_.find(rh);
  Record* record = found == records_.end() ? place(rh, from.node, key, forget_at) : &found->second;
  if (record == nullptr) {
    refuse(rh, key->self, RefusalCode::busy, effects);
    return effects;
  }
  // A partial that overtook its request names no key, only the epoch.
  if (!record->request && record->key->transcript == key->transcript) record->key = key;
  if (record->key->transcript != key->transcript) {
    // What was asked for an older epoch is asked anew for a newer one, never the other way round.
    if (key->epoch <= record->key->epoch && record->request) {
      refuse(rh, key->self, RefusalCode::stale, effects);
      return effects;
    }
    renew(*record, key);
    if (!record->waiters.empty() && !record->is_making && record->request) make_partial(rh, *record, effects);
  }
  record->rounds.erase(from.node);  // a new request counts its own
  const bool is_under_way = record->request && (record->is_making || record->due || is_recent(*record, now));
  if (!is_under_way) {
    record->forget_at = std::max(forget_at, record->forget_at);
    record->asker = from.node;
    record->asker_place = record->key->members.position_of(from.node).value_or(0);
    // One that was verified stays: another of this rh says the same, or is made up.
    if (record->terms && record->request) {
      record->request->spare = request.spare;
    } else {
      record->request = std::move(request);
      record->allowed = std::move(allowed);
    }
    rank(rh, *record, effects, now);
  }
  set_wake(rh, *record);
  return effects;
}

void Board::rank(const Hash32& rh, Record& record, Effects& effects, Now now) {
  const ServingKey& key = *record.key;
  if (key.self == 0) return;
  if (!key.share) return refuse(rh, key.self, RefusalCode::no_share, effects);
  const std::size_t ahead = members_ahead(record, rh, [](Position) { return false; });
  const std::size_t first = first_responders(key, record.asker_place, record.request->spare);
  if (ahead < first) return answer(rh, record, effects, now);
  const auto turn = static_cast<std::int64_t>(ahead - first + 1);
  record.due = now.instant + turn * limits_.hedge_delay;
  record.late = now.instant + 2 * turn * limits_.hedge_delay;
}

// Sends the own partial, at once if it is made already: the same one again to whoever asks again.
void Board::answer(const Hash32& rh, Record& record, Effects& effects, Now now) {
  record.due.reset();
  if (record.partials.contains(record.key->self)) return publish_own(record, effects, now);
  record.owes = true;
  if (record.is_making) return;
  if (!making_room_.take(record.asker)) {
    record.owes = false;
    return refuse(rh, record.key->self, RefusalCode::busy, effects);
  }
  making_.emplace(next_job_, std::pair(rh, record.asker));
  make_partial(rh, record, effects);
}

// With it the request is verified, which a node without a share needs as well.
void Board::make_partial(const Hash32& rh, Record& record, Effects& effects) {
  record.is_making = true;
  ++record.jobs;
  making_.try_emplace(next_job_, std::pair(rh, dkg::NodeId{}));
  PartialJob job{record.request->authorisation, record.allowed, record.key, credentials_, rh, {}};
  effects.compute.push_back(Job{next_job_++, std::move(job)});
}

void Board::publish_own(Record& record, Effects& effects, Now now) {
  if (is_recent(record, now)) return;
  record.answered_at = now.instant;
  ++counts_.partials_sent;
  const PublicPartial& own = record.partials.at(record.key->self).partial;
  if (const auto* b = std::get_if<PartialB>(&own)) {
    effects.send.push_back({Audience::partials, {}, PartialB::kType, b->body(), b->signature});
  } else {
    effects.send.push_back({Audience::partials, {}, PartialC::kType, std::get<PartialC>(own).body(), std::nullopt});
  }
}

Effects Board::made(std::uint64_t job_id, PartialJob job, Now now) {
  const auto admitting = admitting_.find(job_id);
  if (admitting != admitting_.end()) {
    const Ticket ticket = admitting->second;
    admitting_.erase(admitting);
    return admitted(ticket, std::move(job), now);
  }
  Effects effects;
  const auto making = making_.find(job_id);
  KMS_ASSERT(making != making_.end());
  const auto [rh, asker] = making->second;
  making_.erase(making);
  if (asker != dkg::NodeId{}) making_room_.give_back(asker);
  const auto found = records_.find(rh);
  KMS_ASSERT(found != records_.end());  // a job keeps its record
  Record& record = found->second;
  --record.jobs;
  record.is_making = false;
  const bool owes = std::exchange(record.owes, false);
  if (record.key != job.key) {  // renewed meanwhile
    if (owes || !record.waiters.empty()) make_partial(rh, record, effects);
    record.owes = owes;
    set_wake(rh, record);
    return effects;
  }
  if (auto* fault = std::get_if<AuthorisationError>(&job.result)) {
    const bool is_point = fault->fault == AuthorisationFault::bad_point;
    effects.report.push_back({"asked for what nobody authorised: " + fault->message, record.asker_place, record.asker});
    refuse(rh, record.key->self, is_point ? RefusalCode::bad_point : RefusalCode::unauthorised, effects);
    answer_all(rh, record, *fault, effects);
    drop(found);
    return effects;
  }
  auto& result = std::get<PartialJob::Made>(job.result);
  const Admission admission = replay_.admit(result.use, *job.key, now);
  if (admission == Admission::conflict) {
    refuse(rh, record.key->self, RefusalCode::replay, effects);
    answer_all(rh, record, Conflict{"the nonce was used for another request"}, effects);
    drop(found);
    return effects;
  }
  record.terms = result.terms;
  if (const auto code = replay_fault(admission)) {
    refuse(rh, record.key->self, *code, effects);
  } else if (result.own) {
    hold(record, std::move(*result.own), State::good);
    if (owes) publish_own(record, effects, now);
  }
  serve(rh, record, effects);
  set_wake(rh, record);
  shrink();
  return effects;
}

Effects Board::receive(const dkg::NodeId& from, const Need& need, Now now) {
  Effects effects;
  const auto found = records_.find(need.rh);
  if (found == records_.end() || !found->second.request) return effects;
  Record& record = found->second;
  const ServingKey& key = *record.key;
  std::uint32_t& round = record.rounds[from];  // by members of this network only
  const bool is_new = need.epoch == key.epoch && need.transcript == key.transcript && need.round > round &&
                      need.round <= key.members.size();
  if (!is_new) return effects;
  round = need.round;
  record.named_bad.insert(need.bad.begin(), need.bad.end());
  const auto is_listed = [&](Position position) {
    return std::binary_search(need.good.begin(), need.good.end(), position) ||
           std::binary_search(need.bad.begin(), need.bad.end(), position);
  };
  const bool is_asked = key.share && !is_listed(key.self) && !record.is_making && !is_recent(record, now) &&
                        members_ahead(record, need.rh, is_listed) < need.want;
  if (is_asked) {
    ++counts_.hedged;
    answer(need.rh, record, effects, now);
  }
  set_wake(need.rh, record);
  return effects;
}

Effects Board::receive(const dkg::NodeId& from, const Done& done) {
  const auto found = records_.find(done.rh);
  if (found == records_.end() || found->second.asker != from) return {};
  found->second.due.reset();
  set_wake(done.rh, found->second);
  return {};
}

}  // namespace kms::delegation
