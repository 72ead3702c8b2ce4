// A member's side of forms B and C: whether and when it owes a partial to everybody.
#include <algorithm>

#include "base/assert.h"
#include "node/delegation/board.h"
#include "node/delegation/rank.h"
#include "node/delegation/request_time.h"

namespace kms::delegation {

template <class PassedOver>
std::size_t Board::members_ahead(const Asker& asker, const Hash32& rh, PassedOver passed_over) const {
  std::size_t ahead = 0;
  for (const Position position : ranking(*asker.key, rh, asker.place)) {
    if (position == asker.key->self) break;
    if (alive_.contains(asker.key->members.at(position).node) && !passed_over(position)) ++ahead;
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

// Null if too many nodes outside the committee ask.
Board::Asker* Board::find_room_for(Record& record, const dkg::NodeId& node, const ServingKeyPtr& key) {
  const Position place = key->members.position_of(node).value_or(0);
  const auto found = record.askers.find(node);
  if (found == record.askers.end() && place == 0) {
    const auto is_outside = [](const auto& asker) { return asker.second.place == 0; };
    const auto outside = std::count_if(record.askers.begin(), record.askers.end(), is_outside);
    if (static_cast<std::size_t>(outside) >= key->members.size()) return nullptr;
  }
  Asker& asker = record.askers.try_emplace(node, Asker{.key = key}).first->second;
  asker.key = key;
  asker.place = place;
  return &asker;
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
  const bool is_orphan = record != nullptr && !knows(rh);
  const bool has_place = record != nullptr && (!is_orphan || give_place(*record, from.node));
  Asker* asker = has_place ? find_room_for(*record, from.node, key) : nullptr;
  // What was asked for an older epoch is asked anew for a newer one, never the other way round.
  const bool is_stale = record != nullptr && record->terms && key->epoch < record->key->epoch;
  if (asker == nullptr || is_stale) {
    refuse(rh, key->self, is_stale ? RefusalCode::stale : RefusalCode::busy, effects);
    if (record != nullptr) settle(rh, *record);
    return effects;
  }
  // Nobody's word counts for others before it is verified; of which epoch partials are kept until then is a guess.
  if (!record->terms && !record->is_making && key->epoch >= record->key->epoch) {
    if (record->key->transcript != key->transcript) renew(*record, key);
    record->key = key;
  }
  asker->round = 0;  // a new request counts its own
  if (!asker->due && !asker->is_owed && !is_recent(*record, now)) {
    record->forget_at = std::max(forget_at, record->forget_at);
    asker->spare = request.spare;
    asker->allowed = std::move(allowed);
    asker->named_bad.clear();
    if (!record->request) remember_candidate(*record, *asker, std::move(request.authorisation));
    rank(rh, *record, record->askers.find(from.node), effects, now);
  }
  settle(rh, *record);
  shrink();
  return effects;
}

void Board::rank(const Hash32& rh, Record& record, Askers::iterator asker, Effects& effects, Now now) {
  Asker& one = asker->second;
  if (one.key->self == 0) return;
  if (!one.key->share) return refuse(rh, one.key->self, RefusalCode::no_share, effects);
  const std::size_t ahead = members_ahead(one, rh, [](Position) { return false; });
  const std::size_t first = first_responders(*one.key, one.place, one.spare);
  if (ahead < first) return answer(rh, record, asker, effects, now);
  const auto turn = static_cast<std::int64_t>(ahead - first + 1);
  one.due = now.instant + turn * patience();
  one.late = now.instant + 2 * turn * patience();
}

// Who asked itself comes first.
Board::Askers::iterator Board::next_candidate(Record& record, Askers::iterator preferred) {
  if (preferred != record.askers.end() && preferred->second.says) return preferred;
  return std::find_if(record.askers.begin(), record.askers.end(),
                      [](const auto& asker) { return asker.second.says.has_value(); });
}

// Sends the own partial, at once if it is made already: the same one again to whoever asks again.
void Board::answer(const Hash32& rh, Record& record, Askers::iterator asker, Effects& effects, Now now) {
  Asker& one = asker->second;
  one.due.reset();
  one.is_owed = false;
  const bool is_of_epoch = record.terms && one.key->transcript == record.key->transcript;
  if (is_of_epoch && record.partials.contains(one.key->self)) return publish_own(record, effects, now);
  if (record.terms && one.key->epoch < record.key->epoch) {
    return refuse(rh, one.key->self, RefusalCode::stale, effects);
  }
  one.is_owed = true;
  if (record.is_making) return;
  const auto source = record.request ? asker : next_candidate(record, asker);
  one.is_owed = source != record.askers.end();
  if (!one.is_owed) return;
  // Work on a word that is not verified is charged to whose word it is, all other to who asks.
  if (!making_room_.take(source->first)) {
    one.is_owed = false;
    return refuse(rh, one.key->self, RefusalCode::busy, effects);
  }
  const Asker& from = source->second;
  const V1Authorisation& says = record.request ? record.request->authorisation : *from.says;
  work_on(rh, record, {{says, from.allowed}, from.key, source->first, source->first}, effects, now);
}

// What became due while something else was in work.
void Board::answer_owed(const Hash32& rh, Record& record, Effects& effects, Now now) {
  for (auto asker = record.askers.begin(); asker != record.askers.end() && !record.is_making; ++asker) {
    if (asker->second.is_owed) answer(rh, record, asker, effects, now);
  }
  check(rh, record, effects, now);
}

// For clients that wait for what others say: finds out whose word is true.
void Board::check(const Hash32& rh, Record& record, Effects& effects, Now now) {
  if (record.terms || record.is_making || record.waiters.empty()) return;
  const auto source = next_candidate(record, record.askers.end());
  if (source == record.askers.end()) return;
  const Asker& from = source->second;
  work_on(rh, record, {{*from.says, from.allowed}, from.key, source->first, {}, PartialJob::Own::skip}, effects, now);
}

void Board::work_on(const Hash32& rh, Record& record, Work work, Effects& effects, Now now) {
  record.is_making = true;
  ++record.jobs;
  making_.emplace(next_job_, Making{rh, work.author, work.charged, now.instant});
  PartialJob job{std::move(work.request.authorisation),
                 std::move(work.request.allowed),
                 std::move(work.key),
                 credentials_,
                 rh,
                 work.own,
                 {}};
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
    const auto [ticket, since] = admitting->second;
    admitting_.erase(admitting);
    turnaround_.note(now.instant - since);
    return admitted(ticket, std::move(job), now);
  }
  Effects effects;
  const auto making = making_.find(job_id);
  KMS_ASSERT(making != making_.end());
  const Making made = making->second;
  making_.erase(making);
  turnaround_.note(now.instant - made.since);
  if (made.charged != dkg::NodeId{}) making_room_.give_back(made.charged);
  const auto found = records_.find(made.rh);
  KMS_ASSERT(found != records_.end());  // a job keeps its record
  Record& record = found->second;
  --record.jobs;
  record.is_making = false;
  if (std::holds_alternative<AuthorisationError>(job.result)) {
    proved_false(found, made.author, job, effects, now);
    return effects;
  }
  const NonceUse& use = std::get<PartialJob::Made>(job.result).use;
  const bool is_answer = job.own == PartialJob::Own::make;
  const Admission admission = is_answer ? replay_.admit(use, *job.key, now) : Admission::again;
  if (admission == Admission::conflict) {
    refuse(made.rh, job.key->self, RefusalCode::replay, effects);
    answer_all(made.rh, record, Conflict{"the nonce was used for another request"}, effects);
    record.askers.clear();
    drop(found);
    return effects;
  }
  if (const auto code = replay_fault(admission)) {
    std::get<PartialJob::Made>(job.result).own.reset();
    for (auto& [node, asker] : record.askers) asker.is_owed = false;
    refuse(made.rh, job.key->self, *code, effects);
  }
  take_partial(made.rh, record, std::move(job), effects, now);
  settle(made.rh, record);
  shrink();
  return effects;
}

void Board::take_partial(const Hash32& rh, Record& record, PartialJob job, Effects& effects, Now now) {
  auto& made = std::get<PartialJob::Made>(job.result);
  const bool is_new = !record.terms || record.key->transcript != job.key->transcript;
  const bool is_adopted = adopt(record, {job.authorisation, job.allowed}, job.key, made.terms);
  if (is_adopted && made.own && !record.partials.contains(job.key->self)) {
    hold(record, std::move(*made.own), State::good);
  }
  answer_owed(rh, record, effects, now);
  if (is_new && is_adopted) {
    begin(rh, record, effects, now);
  } else {
    serve(rh, record, effects);
  }
}

// Another may have said the truth under this rh; only if nobody is left who may have, somebody is told.
void Board::proved_false(Records::iterator record, const dkg::NodeId& author, const PartialJob& job, Effects& effects,
                         Now now) {
  const auto& [rh, one] = *record;
  Record& mutable_one = record->second;
  const auto& fault = std::get<AuthorisationError>(job.result);
  const Position place = job.key->members.position_of(author).value_or(0);
  effects.report.push_back({"asked for what nobody authorised: " + fault.message, place, author});
  const auto asker = mutable_one.askers.find(author);
  const bool is_same =
      asker != mutable_one.askers.end() && (!asker->second.says || *asker->second.says == job.authorisation);
  if (is_same) {
    forget_candidate(mutable_one, asker->second);
    mutable_one.askers.erase(asker);
  }
  const bool is_open = !one.terms && next_candidate(mutable_one, mutable_one.askers.end()) != mutable_one.askers.end();
  if (!is_open) {
    const bool is_point = fault.fault == AuthorisationFault::bad_point;
    refuse(rh, job.key->self, is_point ? RefusalCode::bad_point : RefusalCode::unauthorised, effects);
  }
  if (is_open || one.terms) {
    answer_owed(rh, mutable_one, effects, now);
    settle(rh, mutable_one);
    return;
  }
  answer_all(rh, mutable_one, fault, effects);
  if (one.partials.empty()) return drop(record);
  mutable_one.forget_at = now.instant + kOrphanLife;
  settle(rh, mutable_one);
}

Effects Board::receive(const dkg::NodeId& from, const Need& need, Now now) {
  Effects effects;
  const auto found = records_.find(need.rh);
  if (found == records_.end()) return effects;
  Record& record = found->second;
  const auto known = record.askers.find(from);
  const ServingKeyPtr key =
      known == record.askers.end() || known->second.key->transcript != need.transcript ? record.key : known->second.key;
  if (need.epoch != key->epoch || need.transcript != key->transcript) return effects;
  Asker* asker = find_room_for(record, from, key);
  if (asker == nullptr || need.round <= asker->round || need.round > key->members.size()) return effects;
  asker->round = need.round;
  asker->named_bad.insert(need.bad.begin(), need.bad.end());
  const auto is_listed = [&](Position position) {
    return std::binary_search(need.good.begin(), need.good.end(), position) ||
           std::binary_search(need.bad.begin(), need.bad.end(), position);
  };
  const bool is_asked = key->share && !is_listed(key->self) && !asker->is_owed && !is_recent(record, now) &&
                        members_ahead(*asker, need.rh, is_listed) < need.want;
  if (is_asked) {
    ++counts_.hedged;
    answer(need.rh, record, record.askers.find(from), effects, now);
  }
  settle(need.rh, record);
  return effects;
}

Effects Board::receive(const dkg::NodeId& from, const Done& done) {
  const auto found = records_.find(done.rh);
  if (found == records_.end()) return {};
  const auto asker = found->second.askers.find(from);
  if (asker == found->second.askers.end()) return {};
  asker->second.due.reset();
  asker->second.is_owed = false;
  settle(done.rh, found->second);
  return {};
}

}  // namespace kms::delegation
