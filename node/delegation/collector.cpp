#include "node/delegation/collector.h"

#include <algorithm>

#include "base/assert.h"
#include "node/delegation/rank.h"

namespace kms::delegation {
namespace {

constexpr Duration kReplyKeyLife = 60s;
constexpr std::size_t kOpeningsMax = 1024;

std::string list_of(const std::vector<Position>& positions) {
  std::string out;
  for (Position position : positions) {
    if (!out.empty()) out += ", ";
    out += std::to_string(position);
  }
  return out;
}

}  // namespace

void Effects::add(Effects&& more) {
  auto move_all = [](auto& to, auto& from) {
    for (auto& item : from) to.push_back(std::move(item));
  };
  move_all(compute, more.compute);
  move_all(send, more.send);
  move_all(reply, more.reply);
  move_all(report, more.report);
}

std::optional<Outcome> refusal_of(Admission admission) {
  switch (admission) {
    case Admission::fresh:
    case Admission::again:
      break;
    case Admission::conflict:
      return Conflict{"the nonce was used for another request"};
    case Admission::full:
      return Overloaded{
          "too many nonces of this requester are remembered here; give requests nearer deadlines, or raise "
          "delegation.nonces_max of the nodes"};
    case Admission::quota:
      return QuotaSpent{"this requester has had what it may have under this key (delegation.quota of the nodes)"};
    case Admission::forgotten:
      return Conflict{"this node forgot nonces with such deadlines when it began; use a later deadline"};
  }
  return std::nullopt;
}

Collector::Collector(CredentialsPtr credentials, CollectorLimits limits, ReplayWindow& replay, Entropy& entropy)
    : credentials_(std::move(credentials)),
      limits_(limits),
      replay_(replay),
      entropy_(entropy),
      pending_limit_(limits.pending_max, limits.timeout / 2) {}

// Partials that still have to be opened beyond those in flight.
std::size_t Collector::Collection::wanted() const {
  std::size_t have = good.size() + opening.size();
  return have >= key->threshold.t() ? 0 : key->threshold.t() - have;
}

const ReplyKeyPtr& Collector::reply_key(Now now) {
  if (reply_key_ && now.instant >= reply_key_until_) forget_reply_key();
  if (!reply_key_) {
    reply_key_ = make_reply_key(entropy_);
    reply_key_until_ = now.instant + kReplyKeyLife;
  }
  return reply_key_;
}

// Requests on their way keep the key until they end.
void Collector::forget_reply_key() {
  reply_key_.reset();
  openings_.clear();
}

std::size_t Collector::usable_members_alive(const ServingKey& key) const {
  std::size_t count = key.share ? 1 : 0;
  for (const dkg::NodeId& node : alive_) {
    const auto position = key.members.position_of(node);
    if (position && *position != key.self && !key.table.share(*position).is_infinity()) ++count;
  }
  return count;
}

void Collector::reply(Effects& effects, Ticket ticket, Outcome outcome, const std::optional<Hash32>& rh) {
  KMS_ASSERT(pending_ > 0);
  --pending_;
  pending_limit_.note_end(pending_);
  if (std::holds_alternative<V0Answer>(outcome)) ++counts_.answered;
  if (std::holds_alternative<AuthorisationError>(outcome)) ++counts_.refused;
  if (std::holds_alternative<Unavailable>(outcome)) ++counts_.unavailable;
  if (std::holds_alternative<Conflict>(outcome)) ++counts_.conflicts;
  if (std::holds_alternative<Overloaded>(outcome)) ++counts_.overloaded;
  effects.reply.push_back({ticket, std::move(outcome), rh});
}

std::optional<Overloaded> Collector::refusal(Now now) {
  if (pending_limit_.admits(pending_, now.instant)) return std::nullopt;
  ++counts_.requests;
  ++counts_.overloaded;
  return Overloaded{std::to_string(pending_) + " delegations are pending here"};
}

Effects Collector::start(Ticket ticket, Authorisation authorisation, const Hash32& salt,
                         std::vector<crypto::Address> allowed, ServingKeyPtr key, Now now) {
  Effects effects;
  if (auto overloaded = refusal(now)) {
    effects.reply.push_back({ticket, std::move(*overloaded)});
    return effects;
  }
  ++counts_.requests;
  ++pending_;
  AdmitJob job;
  job.authorisation = std::move(authorisation);
  job.salt = salt;
  job.allowed = std::move(allowed);
  job.key = std::move(key);
  job.credentials = credentials_;
  job.reply_key = reply_key(now);
  job.issued_at = now.unix_s();
  admitting_.emplace(next_job_, std::pair(ticket, now.instant));
  effects.compute.push_back(Job{next_job_++, std::move(job)});
  return effects;
}

Effects Collector::computed(Job job, Now now) {
  if (auto* admit = std::get_if<AdmitJob>(&job.work)) return admitted(job.id, std::move(*admit), now);
  if (auto* open = std::get_if<OpenJob>(&job.work)) return opened(job.id, std::move(*open), now);
  if (auto* finish = std::get_if<FinishJob>(&job.work)) return finished(job.id, std::move(*finish));
  return {};
}

Effects Collector::admitted(std::uint64_t job_id, AdmitJob job, Now now) {
  Effects effects;
  auto ticket_entry = admitting_.find(job_id);
  if (ticket_entry == admitting_.end()) return effects;
  const auto [ticket, submitted] = ticket_entry->second;
  admitting_.erase(ticket_entry);
  turnaround_.note(now.instant - submitted);
  if (auto* failure = std::get_if<AuthorisationError>(&job.result)) {
    reply(effects, ticket, std::move(*failure));
    return effects;
  }
  auto& admitted = std::get<AdmitJob::Admitted>(job.result);
  if (admitted.use) {
    if (auto refusal = refusal_of(replay_.admit(*admitted.use, *job.key, now))) {
      reply(effects, ticket, std::move(*refusal), admitted.rh);
      return effects;
    }
  }
  if (admitted.answer) {
    reply(effects, ticket, std::move(*admitted.answer), admitted.rh);
    return effects;
  }
  Waiter waiter{ticket, std::move(admitted.terms), now.instant + limits_.timeout};
  auto known = collections_.find(admitted.rh);
  if (known != collections_.end()) {
    // The same request again while the first one is on its way: one collection serves both.
    known->second.waiters.push_back(std::move(waiter));
    known->second.request = request_of(job, admitted.entry, now);
    known->second.request_key = job.reply_key;
    known->second.next_key = job.key;
    if (admitted.own) known->second.next_own = Partial{job.key->self, std::move(*admitted.own)};
    if (known->second.complete) start_finish(known->first, known->second, effects);
    return effects;
  }
  std::size_t alive = usable_members_alive(*job.key);
  if (alive < job.key->threshold.t()) {
    reply(effects, ticket,
          Unavailable{"only " + std::to_string(alive) + " of the " + std::to_string(job.key->threshold.t()) +
                      " members that a delegation needs are connected"},
          admitted.rh);
    return effects;
  }
  Collection collection{.ephemeral = admitted.ephemeral,
                        .key = job.key,
                        .reply_key = nullptr,
                        .waiters = {},
                        .good = {},
                        .opening = {},
                        .spare = {},
                        .bad = {},
                        .heard = {},
                        .round = 0,
                        .ask_until = {},
                        .need_at = {},
                        .request = request_of(job, admitted.entry, now),
                        .request_key = job.reply_key,
                        .next_key = job.key,
                        .next_own = std::nullopt,
                        .complete = nullptr,
                        .finishing = 0};
  collection.waiters.push_back(std::move(waiter));
  if (admitted.own) {
    collection.good.emplace(job.key->self, Partial{job.key->self, std::move(*admitted.own)});
  }
  ask(collections_.emplace(admitted.rh, std::move(collection)).first->second, effects, now);
  return effects;
}

DelegateRequest Collector::request_of(const AdmitJob& job, const Entry& entry, Now now) const {
  DelegateRequest request;
  request.key = job.key->key;
  request.spare = (caution_.is_due(now) ? 1u : 0u) + (job.key->share || job.key->self == 0 ? 0u : 1u);
  request.authorisation = job.authorisation;
  request.entry = entry;
  return request;
}

// Publishes the request; from here on timers lead to an answer or to a 503. What was verified before stays good, unless
// it is of another epoch.
void Collector::ask(Collection& collection, Effects& effects, Now now) {
  collection.reply_key = collection.request_key;
  if (collection.next_key->transcript != collection.key->transcript) {
    // The next epoch took over; partials of two are never combined.
    collection.key = collection.next_key;
    collection.good.clear();
    if (collection.next_own) collection.good.emplace(collection.key->self, std::move(*collection.next_own));
  }
  collection.next_own.reset();
  collection.spare.clear();
  collection.opening.clear();
  collection.bad.clear();
  collection.heard.clear();
  for (const auto& [index, partial] : collection.good) collection.heard.insert(index);
  collection.round = 0;
  effects.send.push_back({Audience::everybody, {}, DelegateRequest::kType, collection.request.body()});
  collection.ask_until = now.instant + limits_.timeout;
  collection.need_at = now.instant + turnaround_.patience(limits_.hedge_delay);
}

Effects Collector::receive(const dkg::NodeId& author, const SealedA& sealed, Now) {
  Effects effects;
  auto entry = collections_.find(sealed.rh);
  if (entry == collections_.end()) return effects;  // answered meanwhile, or never ours
  Collection& collection = entry->second;
  const ServingKey& key = *collection.key;
  const Position from = sealed.index;
  bool fits = key.members.position_of(author) == from && from != key.self && sealed.epoch == key.epoch &&
              sealed.transcript == key.transcript && sealed.entry == credentials_->node_id();
  if (!fits || !collection.heard.insert(from).second) return effects;
  collection.spare.emplace(from, sealed);
  open_spares(collection, effects);
  return effects;
}

Effects Collector::receive(const dkg::NodeId& author, const Refusal& refusal, Now now) {
  Effects effects;
  auto entry = collections_.find(refusal.rh);
  if (entry == collections_.end()) return effects;
  const Position from = refusal.index;
  const ServingKey& key = *entry->second.key;
  if (key.members.position_of(author) != from || from == key.self) return effects;
  if (!entry->second.heard.insert(from).second) return effects;
  effects.report.push_back({"refused a delegation: " + std::string(name_of(refusal.code)), from, author});
  entry->second.bad.insert(from);
  caution_.note_bad(now);
  need_more(entry->first, entry->second, effects, now);
  return effects;
}

void Collector::open_spares(Collection& collection, Effects& effects) {
  while (!collection.complete && collection.wanted() > 0 && !collection.spare.empty()) {
    auto next = collection.spare.extract(collection.spare.begin());
    collection.opening.emplace(next.key(), next_job_);
    OpenJob job{std::move(next.mapped()),
                collection.ephemeral,
                collection.key,
                collection.reply_key,
                nullptr,
                std::nullopt,
                {}};
    auto known = openings_.find(job.sealed.u);
    if (known != openings_.end() && collection.reply_key == reply_key_) job.opening = known->second;
    effects.compute.push_back(Job{next_job_++, std::move(job)});
  }
}

Effects Collector::opened(std::uint64_t job_id, OpenJob job, Now now) {
  Effects effects;
  if (job.opening && job.reply_key == reply_key_ && openings_.size() < kOpeningsMax) {
    openings_.emplace(job.sealed.u, job.opening);
  }
  auto entry = collections_.find(job.sealed.rh);
  if (entry == collections_.end()) return effects;
  Collection& collection = entry->second;
  Position index = job.sealed.index;
  // The same request may have been given up and asked again meanwhile: only this collection's own jobs count.
  const auto in_flight = collection.opening.find(index);
  if (in_flight == collection.opening.end() || in_flight->second != job_id) return effects;
  collection.opening.erase(in_flight);
  if (collection.complete) return effects;
  if (job.point) {
    collection.good.emplace(index, Partial{index, std::move(*job.point)});
    finish_if_complete(entry->first, collection, effects);
    return effects;
  }
  ++counts_.bad_partials;
  collection.bad.insert(index);
  caution_.note_bad(now);
  effects.report.push_back({"sent a bad partial: " + job.fault, index, job.key->members.at(index).node});
  open_spares(collection, effects);
  need_more(entry->first, collection, effects, now);
  return effects;
}

void Collector::finish_if_complete(const Hash32& rh, Collection& collection, Effects& effects) {
  std::size_t needed = collection.key->threshold.t();
  if (!collection.complete) {
    if (collection.good.size() < needed) return;
    if (collection.round == 0) caution_.note_smooth();
    auto quorum = std::make_shared<Quorum>();
    std::vector<Position> positions;
    for (auto& [index, partial] : collection.good) {
      if (positions.size() == needed) break;
      positions.push_back(index);
      quorum->partials.push_back(std::move(partial));
    }
    quorum->weights = weights_.at_zero(positions);
    collection.complete = std::move(quorum);
    collection.good.clear();
    collection.spare.clear();
    Done done;
    done.rh = rh;
    effects.send.push_back({Audience::everybody, {}, Done::kType, done.body()});
  }
  start_finish(rh, collection, effects);
}

void Collector::start_finish(const Hash32& rh, Collection& collection, Effects& effects) {
  for (Waiter& waiter : collection.waiters) {
    FinishJob job{collection.complete, std::move(waiter.terms), credentials_, std::nullopt};
    finishing_.emplace(next_job_, std::pair(rh, waiter.ticket));
    effects.compute.push_back(Job{next_job_++, std::move(job)});
    ++collection.finishing;
  }
  collection.waiters.clear();
}

Effects Collector::finished(std::uint64_t job_id, FinishJob job) {
  Effects effects;
  auto entry = finishing_.find(job_id);
  if (entry == finishing_.end()) return effects;
  auto [rh, ticket] = entry->second;
  finishing_.erase(entry);
  if (job.answer) {
    reply(effects, ticket, std::move(*job.answer), rh);
  } else {
    reply(effects, ticket, Unavailable{"the partials add up to no point"}, rh);
  }
  auto collection = collections_.find(rh);
  if (collection != collections_.end() && --collection->second.finishing == 0) collections_.erase(collection);
  return effects;
}

// Asks further members, at most n rounds.
void Collector::need_more(const Hash32& rh, Collection& collection, Effects& effects, Now now) {
  collection.need_at = now.instant + 2 * turnaround_.patience(limits_.hedge_delay);
  if (collection.complete || collection.round >= collection.key->members.size()) return;
  std::size_t needed = collection.key->threshold.t();
  Need need;
  need.rh = rh;
  need.epoch = collection.key->epoch;
  need.transcript = collection.key->transcript;
  need.round = ++collection.round;
  std::set<Position> good;
  for (const auto& [index, job] : collection.opening) good.insert(index);
  for (const auto& [index, partial] : collection.good) good.insert(index);
  if (good.size() >= needed) return;
  need.good.assign(good.begin(), good.end());
  need.bad.assign(collection.bad.begin(), collection.bad.end());
  need.want = static_cast<std::uint32_t>(needed - good.size() + 1);
  ++counts_.needs_sent;
  effects.send.push_back({Audience::everybody, {}, Need::kType, need.body()});
}

void Collector::give_up(Collection& collection, Effects& effects, Now now) {
  std::vector<Position> silent;
  for (Position i = 1; i <= collection.key->members.size(); ++i) {
    if (i != collection.key->self && !collection.good.contains(i) && !collection.bad.contains(i)) silent.push_back(i);
  }
  std::string text = "only " + std::to_string(collection.good.size()) + " of " +
                     std::to_string(collection.key->threshold.t()) + " partials in time; no answer from members " +
                     list_of(silent);
  if (!collection.bad.empty()) {
    text += "; bad answers or refusals from " + list_of({collection.bad.begin(), collection.bad.end()});
  }
  std::erase_if(collection.waiters, [&](const Waiter& waiter) {
    if (now.instant < waiter.deadline) return false;
    reply(effects, waiter.ticket, Unavailable{text}, collection.request.entry.rh);
    return true;
  });
}

Effects Collector::tick(Now now) {
  Effects effects;
  if (reply_key_ && now.instant >= reply_key_until_) forget_reply_key();
  for (auto entry = collections_.begin(); entry != collections_.end();) {
    Collection& collection = entry->second;
    if (collection.complete) {
      ++entry;
      continue;
    }
    if (now.instant >= first_deadline(collection)) give_up(collection, effects, now);
    if (collection.waiters.empty()) {
      entry = collections_.erase(entry);
      continue;
    }
    if (now.instant >= collection.ask_until) {
      ask(collection, effects, now);
    } else if (now.instant >= collection.need_at) {
      caution_.note_late(now);
      need_more(entry->first, collection, effects, now);
    }
    ++entry;
  }
  return effects;
}

Instant Collector::first_deadline(const Collection& collection) {
  Instant first = Instant::max();
  for (const Waiter& waiter : collection.waiters) first = std::min(first, waiter.deadline);
  return first;
}

std::optional<Instant> Collector::wakes_at() const {
  std::optional<Instant> earliest;
  if (reply_key_) earliest = reply_key_until_;
  for (const auto& [rh, collection] : collections_) {
    if (collection.complete) continue;
    Instant next = std::min({first_deadline(collection), collection.ask_until, collection.need_at});
    if (!earliest || next < *earliest) earliest = next;
  }
  return earliest;
}

}  // namespace kms::delegation
