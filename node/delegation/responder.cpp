#include "node/delegation/responder.h"

#include <algorithm>

#include "node/delegation/rank.h"
#include "node/delegation/request_time.h"

namespace kms::delegation {
namespace {

constexpr Duration kTaskLife = 10s;
constexpr Duration kSealingLife = 60s;
constexpr std::size_t kSealingsMax = 512;
}  // namespace

Responder::Responder(CredentialsPtr credentials, ResponderLimits limits, ReplayWindow& replay)
    : credentials_(std::move(credentials)),
      limits_(limits),
      replay_(replay),
      jobs_room_(limits.jobs_max),
      tasks_room_(limits.tasks_max) {}

// What needs no curve operation.
std::optional<RefusalCode> Responder::fault(const DelegateRequest& request, const dkg::NodeId& from,
                                            const ServingKey& key, Now now) const {
  const Entry& entry = request.entry;
  if (entry.entry != from || from == credentials_->node_id()) return RefusalCode::entry;
  if (!is_near(entry.issued_at, now.unix_s())) return RefusalCode::clock;
  if (const auto* v1 = std::get_if<V1Authorisation>(&request.authorisation)) {
    if (const auto code = time_fault(entry.issued_at, v1->deadline, now)) return code;
  }
  if (request.key != key.key || entry.epoch != key.epoch || entry.transcript != key.transcript) {
    return RefusalCode::stale;
  }
  if (!key.share) return RefusalCode::no_share;
  return std::nullopt;
}

Responder::Tasks::iterator Responder::forget(Tasks::iterator task) {
  tasks_room_.give_back(task->first.entry);
  return tasks_.erase(task);
}

// How many members, seen alive and not `passed_over`, rank before this one.
template <class PassedOver>
std::size_t Responder::members_ahead(const ServingKey& key, const Hash32& rh, Position entry,
                                     PassedOver passed_over) const {
  std::size_t ahead = 0;
  for (Position position : ranking(key, rh, entry)) {
    if (position == key.self) break;
    if (alive_.contains(key.members.at(position).node) && !passed_over(position)) ++ahead;
  }
  return ahead;
}

Effects Responder::receive(const dkg::Member& from, DelegateRequest request, std::vector<crypto::Address> allowed,
                           ServingKeyPtr key, Now now) {
  ++counts_.requests;
  TaskId id{from.node, request.entry.rh};
  const Position place = key->members.position_of(from.node).value_or(0);
  Task task{from.key, place, std::move(request),     std::move(allowed), std::move(key), {}, {},
            0,        0,     now.instant + kTaskLife};
  const ServingKey& serving = *task.key;
  if (auto code = fault(task.request, from.node, serving, now)) return refuse(id, task, *code);
  const Entry& entry = task.request.entry;

  auto known = tasks_.find(id);
  if (known != tasks_.end()) {
    // The client asked again (v0 has no nonce). Within a hedge delay of the last answer it is a copy.
    const Task& last = known->second;
    bool recent = last.job != 0 || (last.answered_at && now.instant < *last.answered_at + limits_.hedge_delay);
    if (recent && last.request.entry.issued_at == entry.issued_at) return {};
    forget(known);
  }
  if (!tasks_room_.take(from.node)) {
    ++counts_.busy;
    return refuse(id, task, RefusalCode::busy);
  }

  std::size_t ahead = members_ahead(serving, entry.rh, place, [](Position) { return false; });
  std::size_t first = first_responders(serving, place, task.request.spare);
  auto& stored = tasks_.emplace(id, std::move(task)).first->second;
  if (ahead < first) return answer(id, stored, now);
  stored.due = now.instant + static_cast<std::int64_t>(ahead - first + 1) * turnaround_.patience(limits_.hedge_delay);
  return {};
}

Effects Responder::answer(const TaskId& id, Task& task, Now now) {
  task.due.reset();
  if (!jobs_room_.take(id.entry)) {
    ++counts_.busy;
    return refuse(id, task, RefusalCode::busy);
  }
  task.job = next_job_;
  AnswerJob job{task.request, task.allowed, task.key, credentials_, task.entry_key, nullptr, {}};
  auto sealing = sealings_.find(task.request.entry.reply_key);
  if (sealing != sealings_.end()) job.sealing = sealing->second.first;
  jobs_.emplace(next_job_, std::pair(id, now.instant));
  Effects effects;
  effects.compute.push_back(Job{next_job_++, std::move(job)});
  return effects;
}

// To the author of the request, whatever entry it names: else anybody could let a member refuse another's request.
Effects Responder::refuse(const TaskId& id, const Task& task, RefusalCode code) {
  Effects effects;
  if (code != RefusalCode::busy) ++counts_.refused;
  effects.report.push_back({"refused its request: " + std::string(name_of(code)), task.entry, id.entry});
  if (task.key->self == 0) return effects;
  Refusal refusal;
  refusal.rh = id.rh;
  refusal.index = task.key->self;
  refusal.code = code;
  effects.send.push_back({Audience::entry, id.entry, Refusal::kType, refusal.body()});
  return effects;
}

Effects Responder::computed(Job job, Now now) {
  Effects effects;
  auto entry = jobs_.find(job.id);
  if (entry == jobs_.end()) return effects;
  const auto [id, submitted] = entry->second;
  jobs_.erase(entry);
  turnaround_.note(now.instant - submitted);
  jobs_room_.give_back(id.entry);
  auto& work = std::get<AnswerJob>(job.work);
  if (work.sealing && sealings_.size() < kSealingsMax) {
    sealings_.try_emplace(work.sealing->reply_key, work.sealing, now.instant + kSealingLife);
  }
  auto task = tasks_.find(id);
  // The entry is done, or asked again meanwhile, perhaps with another reply key: nobody waits for this result.
  if (task == tasks_.end() || task->second.job != job.id) return effects;
  task->second.job = 0;
  task->second.answered_at = now.instant;
  if (work.use && std::holds_alternative<SealedA>(work.result)) {
    if (const auto code = replay_fault(replay_.admit(*work.use, *work.key, now))) work.result = *code;
  }
  if (auto* code = std::get_if<RefusalCode>(&work.result)) {
    ++counts_.refused;
    Refusal refusal;
    refusal.rh = id.rh;
    refusal.index = work.key->self;
    refusal.code = *code;
    effects.report.push_back({"refused its request: " + std::string(name_of(*code)), task->second.entry, id.entry});
    effects.send.push_back({Audience::entry, id.entry, Refusal::kType, refusal.body()});
    forget(task);
    return effects;
  }
  ++counts_.answered;
  auto& sealed = std::get<SealedA>(work.result);
  effects.send.push_back({Audience::entry, sealed.entry, SealedA::kType, sealed.body()});
  return effects;
}

Effects Responder::receive(const dkg::NodeId& from, const Need& need, Now now) {
  auto found = tasks_.find({from, need.rh});
  if (found == tasks_.end()) return {};
  auto& [id, task] = *found;
  const ServingKey& key = *task.key;
  if (need.epoch != key.epoch || need.transcript != key.transcript || need.round <= task.round) return {};
  if (need.round > key.members.size()) return {};  // no honest entry asks that often
  task.round = need.round;
  bool recent = task.answered_at && now.instant < *task.answered_at + limits_.hedge_delay;
  if (task.job != 0 || recent) return {};
  auto is_listed = [&](Position position) {
    return std::binary_search(need.good.begin(), need.good.end(), position) ||
           std::binary_search(need.bad.begin(), need.bad.end(), position);
  };
  if (is_listed(key.self) || members_ahead(key, need.rh, task.entry, is_listed) >= need.want) return {};
  ++counts_.hedged;
  return answer(id, task, now);
}

Effects Responder::receive(const dkg::NodeId& from, const Done& done) {
  const auto task = tasks_.find({from, done.rh});
  if (task != tasks_.end()) forget(task);
  return {};
}

Effects Responder::tick(Now now) {
  Effects effects;
  for (auto entry = tasks_.begin(); entry != tasks_.end();) {
    auto& [id, task] = *entry;
    if (now.instant >= task.forget_at) {
      entry = forget(entry);
      continue;
    }
    if (task.due && now.instant >= *task.due) {
      ++counts_.hedged;
      effects.add(answer(id, task, now));
    }
    ++entry;
  }
  std::erase_if(sealings_, [&](const auto& sealing) { return now.instant >= sealing.second.second; });
  return effects;
}

std::optional<Instant> Responder::wakes_at() const {
  std::optional<Instant> earliest;
  auto consider = [&](Instant instant) {
    if (!earliest || instant < *earliest) earliest = instant;
  };
  for (const auto& [id, task] : tasks_) {
    consider(task.forget_at);
    if (task.due) consider(*task.due);
  }
  for (const auto& [key, sealing] : sealings_) consider(sealing.second);
  return earliest;
}

}  // namespace kms::delegation
