// The asking side of forms B and C: clients wait here until t partials are good.
#include <algorithm>

#include "base/assert.h"
#include "node/delegation/board.h"
#include "node/delegation/rank.h"
#include "node/delegation/request_time.h"

namespace kms::delegation {
namespace {

std::string board_list_of(const std::set<Position>& positions) {
  std::string out;
  for (const Position position : positions) out.append(out.empty() ? "" : ", ").append(std::to_string(position));
  return out;
}

}  // namespace

std::size_t Board::usable_members_alive(const ServingKey& key) const {
  std::size_t count = key.share ? 1 : 0;
  for (const dkg::NodeId& node : alive_) {
    const auto position = key.members.position_of(node);
    if (position && *position != key.self && !key.table.share(*position).is_infinity()) ++count;
  }
  return count;
}

void Board::reply(Effects& effects, Ticket ticket, Outcome outcome, const std::optional<Hash32>& rh) {
  KMS_ASSERT(pending_ > 0);
  --pending_;
  if (std::holds_alternative<PublicResultPtr>(outcome)) ++counts_.answered;
  if (std::holds_alternative<AuthorisationError>(outcome)) ++counts_.refused;
  if (std::holds_alternative<Conflict>(outcome)) ++counts_.conflicts;
  if (std::holds_alternative<Unavailable>(outcome)) ++counts_.unavailable;
  if (std::holds_alternative<Overloaded>(outcome)) ++counts_.overloaded;
  effects.reply.push_back({ticket, std::move(outcome), rh});
}

void Board::answer_all(const Hash32& rh, Record& record, const Outcome& outcome, Effects& effects) {
  for (const Waiter& waiter : std::exchange(record.waiters, {})) reply(effects, waiter.ticket, outcome, rh);
}

Effects Board::start(Ticket ticket, V1Authorisation authorisation, std::vector<crypto::Address> allowed,
                     ServingKeyPtr key, Now now) {
  Effects effects;
  ++counts_.asked;
  ++pending_;
  if (pending_ > limits_.pending_max) {
    reply(effects, ticket, Overloaded{std::to_string(limits_.pending_max) + " delegations are pending here"}, {});
    return effects;
  }
  admitting_.emplace(next_job_, std::pair(ticket, now.instant));
  PartialJob job{std::move(authorisation),
                 std::move(allowed),
                 std::move(key),
                 credentials_,
                 std::nullopt,
                 PartialJob::Own::make,
                 {}};
  effects.compute.push_back(Job{next_job_++, std::move(job)});
  return effects;
}

Effects Board::admitted(Ticket ticket, PartialJob job, Now now) {
  Effects effects;
  if (auto* fault = std::get_if<AuthorisationError>(&job.result)) {
    reply(effects, ticket, std::move(*fault), {});
    return effects;
  }
  auto& made = std::get<PartialJob::Made>(job.result);
  const Hash32 rh = made.use.rh;
  if (auto refusal = refusal_of(replay_.admit(made.use, *job.key, now))) {
    reply(effects, ticket, std::move(*refusal), rh);
    return effects;
  }
  const dkg::NodeId self = credentials_->node_id();
  const Instant forget_at = std::max(now.instant + limits_.timeout, forget_time(made.use.deadline, now));
  const auto found = records_.find(rh);
  Record* record = found == records_.end() ? place(rh, self, job.key, forget_at) : &found->second;
  if (record == nullptr) {
    reply(effects, ticket, Overloaded{"too many results are kept here"}, rh);
    return effects;
  }
  if (found != records_.end()) give_place(*record, self);
  record->forget_at = std::max(record->forget_at, forget_at);
  // What others said under this rh counts only once it was verified here.
  const bool is_adopted = adopt(*record, {job.authorisation, std::move(job.allowed)}, job.key, made.terms);
  const Position own = record->key->self;
  if (is_adopted && made.own && !record->partials.contains(own)) hold(*record, std::move(*made.own), State::good);
  record->waiters.push_back({ticket, now.instant + limits_.timeout, {}, Wants::partials});
  begin(rh, *record, effects, now);
  settle(rh, *record);
  shrink();
  return effects;
}

// Whoever waits is served from what is there, else the members are asked.
void Board::begin(const Hash32& rh, Record& record, Effects& effects, Now now) {
  const bool is_wanted = wants_partials(record);
  serve(rh, record, effects);
  if (!is_wanted) return;
  const std::size_t needed = record.key->threshold.t();
  const bool is_shared = record.key->members.size() > 1 && record.partials.contains(record.key->self);
  if (is_shared) publish_own(record, effects, now);
  if (!wants_partials(record)) return;
  std::size_t within_reach = usable_members_alive(*record.key);
  for (const auto& [index, held] : record.partials) {
    const dkg::NodeId& node = record.key->members.at(index).node;
    if (index != record.key->self && held.state != State::bad && !alive_.contains(node)) ++within_reach;
  }
  if (within_reach < needed) {
    answer_all(rh, record,
               Unavailable{"only " + std::to_string(within_reach) + " of the " + std::to_string(needed) +
                           " members that a delegation needs are connected"},
               effects);
    return;
  }
  if (!record.has_asked) ask(rh, record, effects, now);
}

// Publishes the request, for this node's sake; from here on timers lead to an answer or to a 503.
void Board::ask(const Hash32& rh, Record& record, Effects& effects, Now now) {
  record.has_asked = true;
  record.round = 0;
  record.refused.clear();
  record.need_at = now.instant + patience();
  const ServingKey& key = *record.key;
  const std::uint32_t spare = (caution_.is_due(now) ? 1u : 0u) + (key.share || key.self == 0 ? 0u : 1u);
  const PublicRequest request{key.key,        spare,       record.request->authorisation, rh, key.epoch,
                              key.transcript, now.unix_s()};
  effects.send.push_back({Audience::everybody, {}, PublicRequest::kType, request.body(), std::nullopt});
}

Effects Board::look(Ticket ticket, const Hash32& rh, std::set<Position> bad, Look look, Now now) {
  Effects effects;
  ++counts_.asked;
  ++pending_;
  Record& record = records_.at(rh);
  const ServingKey& key = *record.key;
  const bool is_more = look == Look::more;
  const bool is_full = pending_ > limits_.pending_max;
  const bool is_early = is_more && record.more_at && now.instant < *record.more_at;
  if (is_full || is_early) {
    reply(effects, ticket, Overloaded{is_full ? "too many delegations are pending here" : "asked too often"}, rh);
    return effects;
  }
  if (bad.size() + key.threshold.t() > key.members.size()) {
    reply(effects, ticket, Unavailable{"fewer than t members are left beside those named as bad"}, rh);
    return effects;
  }
  const auto is_waiting = [&] {
    return std::any_of(record.waiters.begin(), record.waiters.end(),
                       [&](const Waiter& waiter) { return waiter.ticket == ticket; });
  };
  // Waiting for what comes puts nothing off that others wait for.
  const bool was_wanted = wants_partials(record);
  if (is_more) record.more_at = now.instant + limits_.hedge_delay;
  const bool lacks_own = key.share && !record.partials.contains(key.self) && !bad.contains(key.self);
  record.waiters.push_back(
      {ticket, now.instant + limits_.timeout, std::move(bad), is_more ? Wants::partials : Wants::what_comes});
  if (is_more && !was_wanted) record.need_at = now.instant + patience();
  serve(rh, record, effects);
  if (!record.terms) {
    check(rh, record, effects, now);
  } else if (is_more && is_waiting()) {
    if (lacks_own && !record.is_making) {
      work_on(rh, record, {*record.request, record.key, credentials_->node_id()}, effects, now);
    }
    if (record.round >= key.members.size()) {
      ask(rh, record, effects, now);
    } else {
      record.has_asked = true;
      need_more(rh, record, effects, now);
    }
  }
  settle(rh, record);
  return effects;
}

// True if the waiter is taken care of.
bool Board::serve_one(const Hash32& rh, Record& record, const Waiter& waiter, Effects& effects) {
  const std::size_t needed = record.key->threshold.t();
  std::vector<Position> good;
  std::size_t coming = 0;
  for (const auto& [index, held] : record.partials) {
    if (waiter.bad.contains(index)) continue;
    if (held.state == State::good && good.size() < needed) good.push_back(index);
    if (held.state == State::checking) ++coming;
  }
  for (auto& [index, held] : record.partials) {
    if (good.size() + coming >= needed) break;
    if (held.state != State::unchecked || waiter.bad.contains(index)) continue;
    held.state = State::checking;
    ++record.jobs;
    ++coming;
    effects.compute.push_back(Job{next_job_++, VerifyJob{record.key, record.terms, held.partial, {}}});
  }
  if (good.size() < needed) return false;
  const auto is_same = [&](const PublicResult& result) {
    return std::equal(result.partials.begin(), result.partials.end(), good.begin(), good.end(),
                      [](const PublicPartial& partial, Position index) { return index_of(partial) == index; });
  };
  if (record.result && is_same(*record.result)) {
    reply(effects, waiter.ticket, record.result, rh);
    return true;
  }
  if (record.terms->form == Form::b) {
    PublicResult result{Form::b, record.key, {}, std::nullopt};
    for (const Position index : good) result.partials.push_back(record.partials.at(index).partial);
    record.result = std::make_shared<const PublicResult>(std::move(result));
    reply(effects, waiter.ticket, record.result, rh);
    return true;
  }
  CombineJob job{{}, weights_.at_zero(good), std::nullopt};
  for (const Position index : good) job.partials.push_back(std::get<PartialC>(record.partials.at(index).partial));
  combining_.emplace(next_job_, std::tuple(rh, record.key, waiter));
  ++record.jobs;
  effects.compute.push_back(Job{next_job_++, std::move(job)});
  return true;
}

void Board::serve(const Hash32& rh, Record& record, Effects& effects) {
  if (!record.terms || record.waiters.empty()) return;
  std::erase_if(record.waiters, [&](const Waiter& waiter) { return serve_one(rh, record, waiter, effects); });
  if (!record.has_asked || wants_partials(record)) return;
  record.has_asked = false;
  if (record.round == 0) caution_.note_smooth();
  Done done;
  done.rh = rh;
  effects.send.push_back({Audience::everybody, {}, Done::kType, done.body(), std::nullopt});
}

Effects Board::verified(VerifyJob job, Now now) {
  Effects effects;
  const Hash32 rh = rh_of(job.partial);
  const Position index = index_of(job.partial);
  const auto found = records_.find(rh);
  KMS_ASSERT(found != records_.end());
  Record& record = found->second;
  --record.jobs;
  const auto held = record.partials.find(index);
  if (record.key != job.key || held == record.partials.end()) {  // renewed meanwhile
    settle(rh, record);
    return effects;
  }
  held->second.state = job.fault.empty() ? State::good : State::bad;
  if (!job.fault.empty()) {
    ++counts_.bad_partials;
    const dkg::NodeId& node = job.key->members.at(index).node;
    effects.report.push_back({"sent a bad partial: " + job.fault, index, node});
    std::deque<BadPartial>& kept = bad_partials_[node];
    if (kept.size() == kBadPartialsKept) kept.pop_front();
    kept.push_back({job.partial, node, job.fault, now.unix_ms});
  }
  serve(rh, record, effects);
  if (!job.fault.empty()) caution_.note_bad(now);
  if (!job.fault.empty() && wants_partials(record)) need_more(rh, record, effects, now);
  settle(rh, record);
  return effects;
}

Effects Board::combined(std::uint64_t job_id, CombineJob job) {
  Effects effects;
  const auto combining = combining_.find(job_id);
  KMS_ASSERT(combining != combining_.end());
  const auto [rh, key, waiter] = std::move(combining->second);
  combining_.erase(combining);
  const auto found = records_.find(rh);
  KMS_ASSERT(found != records_.end());
  --found->second.jobs;
  settle(rh, found->second);
  if (!job.result) {
    reply(effects, waiter.ticket, Unavailable{"the partials add up to no point"}, rh);
    return effects;
  }
  PublicResult result{Form::c, key, {}, std::move(job.result)};
  for (PartialC& partial : job.partials) result.partials.emplace_back(std::move(partial));
  auto shared = std::make_shared<const PublicResult>(std::move(result));
  if (found->second.key == key) found->second.result = shared;
  reply(effects, waiter.ticket, std::move(shared), rh);
  return effects;
}

Effects Board::receive(const dkg::NodeId& from, const Refusal& refusal, Now now) {
  Effects effects;
  const auto found = records_.find(refusal.rh);
  if (found == records_.end() || !wants_partials(found->second)) return effects;
  Record& record = found->second;
  if (record.key->members.position_of(from) != refusal.index || !record.refused.insert(refusal.index).second) {
    return effects;
  }
  effects.report.push_back({"refused a delegation: " + std::string(name_of(refusal.code)), refusal.index, from});
  if (refusal.code == RefusalCode::stale) {
    move_on(refusal.rh, record, effects, now);
  } else {
    caution_.note_bad(now);
  }
  need_more(refusal.rh, record, effects, now);
  settle(refusal.rh, record);
  return effects;
}

void Board::serve_with(ServingKeyPtr key, std::vector<crypto::Address> allowed) {
  const dkg::KeyId id = key->key;
  newest_.insert_or_assign(id, Newest{std::move(key), std::move(allowed)});
}

// Verifies the request for the epoch in charge; then `adopt` asks the members anew.
void Board::move_on(const Hash32& rh, Record& record, Effects& effects, Now now) {
  const auto newest = newest_.find(record.key->key);
  if (newest == newest_.end() || !record.request || record.is_making) return;
  const auto& [key, allowed] = newest->second;
  if (key->epoch <= std::max(record.key->epoch, record.moved_to)) return;
  record.moved_to = key->epoch;
  work_on(rh, record, {{record.request->authorisation, allowed}, key, credentials_->node_id()}, effects, now);
}

bool Board::is_half_over(const Record& record, Now now) const {
  return std::any_of(record.waiters.begin(), record.waiters.end(), [&](const Waiter& waiter) {
    return waiter.wants == Wants::partials && now.instant >= waiter.deadline - limits_.timeout / 2;
  });
}

// Asks further members, at most n rounds. What one client does not want, another may: only whom nobody wants is left
// out.
void Board::need_more(const Hash32& rh, Record& record, Effects& effects, Now now) {
  record.need_at = now.instant + 2 * patience();
  const ServingKey& key = *record.key;
  std::optional<std::set<Position>> unwanted;
  std::size_t lacking = 0;
  for (const Waiter& waiter : record.waiters) {
    if (waiter.wants != Wants::partials) continue;
    const auto is_usable = [&](const auto& held) {
      return held.second.state != State::bad && !waiter.bad.contains(held.first);
    };
    const auto usable =
        static_cast<std::size_t>(std::count_if(record.partials.begin(), record.partials.end(), is_usable));
    lacking = std::max(lacking, key.threshold.t() - std::min<std::size_t>(key.threshold.t(), usable));
    if (!unwanted) unwanted = waiter.bad;
    std::erase_if(*unwanted, [&](Position index) { return !waiter.bad.contains(index); });
  }
  if (lacking == 0 || record.round >= key.members.size()) return;
  std::set<Position> good;
  std::set<Position> bad = record.refused;
  for (const auto& [index, held] : record.partials) (held.state == State::bad ? bad : good).insert(index);
  bad.insert(unwanted->begin(), unwanted->end());
  for (const Position index : good) bad.erase(index);
  Need need;
  need.rh = rh;
  need.epoch = key.epoch;
  need.transcript = key.transcript;
  need.round = ++record.round;
  need.good.assign(good.begin(), good.end());
  need.bad.assign(bad.begin(), bad.end());
  need.want = static_cast<std::uint32_t>(lacking + 1);
  ++counts_.needs_sent;
  effects.send.push_back({Audience::everybody, {}, Need::kType, need.body(), std::nullopt});
}

void Board::give_up(const Hash32& rh, Record& record, Effects& effects, Now now) {
  const auto is_late = [&](const Waiter& waiter) { return now.instant >= waiter.deadline; };
  if (std::none_of(record.waiters.begin(), record.waiters.end(), is_late)) return;
  std::set<Position> silent;
  std::set<Position> bad = record.refused;
  std::set<Position> good;
  for (Position i = 1; i <= record.key->members.size(); ++i) {
    const auto held = record.partials.find(i);
    if (held == record.partials.end()) {
      if (!record.refused.contains(i)) silent.insert(i);
    } else {
      (held->second.state == State::bad ? bad : good).insert(i);
    }
  }
  std::string rest = "; no answer from members " + board_list_of(silent);
  if (!bad.empty()) rest += "; bad answers or refusals from " + board_list_of(bad);
  std::erase_if(record.waiters, [&](const Waiter& waiter) {
    if (!is_late(waiter)) return false;
    const auto usable =
        std::count_if(good.begin(), good.end(), [&](Position index) { return !waiter.bad.contains(index); });
    const std::string text = "only " + std::to_string(usable) + " of " + std::to_string(record.key->threshold.t()) +
                             " partials in time" + rest;
    reply(effects, waiter.ticket, Unavailable{text}, rh);
    return true;
  });
  if (!wants_partials(record)) record.has_asked = false;
}

}  // namespace kms::delegation
