#include "dkg/ceremony.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "dkg/ceremony_impl.h"

namespace kms::dkg {

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::closed:
      return "closed";
    case Phase::idle:
      return "idle";
    case Phase::collect:
      return "collect";
    case Phase::decided:
      return "decided";
    case Phase::need_repair:
      return "need repair";
    case Phase::active:
      return "active";
    case Phase::activated:
      return "activated";
    case Phase::released:
      return "released";
  }
  return "unknown";
}

Ceremony::Impl::Impl(SlotContext context)
    : slot(std::move(context)),
      attempts(slot.plan.timing, slot.deciding(), slot.decider),
      prekeys(slot),
      candidates(slot),
      agreement(slot),
      activation(slot),
      repair(slot),
      pulls(slot.plan.timing.delta) {}

namespace {

struct NoRecords final : Records {
  std::optional<Bytes> find(std::string_view) const override { return std::nullopt; }
  Result<crypto::SecretBytes> open(std::string_view key) const override {
    return error("no record " + std::string(key));
  }
  std::vector<std::string> list(std::string_view) const override { return {}; }
};

}  // namespace

// Own words first, since they bind; then everything stored is taken in as if it came again, without checking
// signatures anew. What this asks for is given out with the first input.
void Ceremony::Impl::restore(const Records& records, Now now) {
  const auto stored = [&](const std::string& prefix) {
    std::vector<Envelope> out;
    for (const auto& key : records.list(slot.prefix + prefix)) {
      const auto bytes = records.find(key);
      if (!bytes) continue;
      auto envelope = Envelope::parse(*bytes);
      if (envelope) out.push_back(std::move(*envelope));
    }
    return out;
  };
  for (const auto& key : records.list(slot.prefix + "said/")) {
    const auto bytes = records.find(key);
    if (!bytes) continue;
    auto envelope = Envelope::parse(*bytes);
    if (envelope) outbox.add(key.substr(slot.prefix.size() + 5), std::move(*envelope));
  }
  prekeys.restore(records, outbox);
  repair.restore(records, outbox, now);
  if (const auto number = records.find(slot.prefix + "attempt")) {
    const auto text = as_text(*number);
    std::from_chars(text.data(), text.data() + text.size(), stored_attempt);
    attempts.open(stored_attempt, now.instant);
  }
  agreement.restore(records, outbox, now.instant);
  if (auto packed = records.open(slot.prefix + "share")) {
    std::vector<crypto::SecretScalar> shares;
    for (std::size_t at = 0; at + 32 <= packed->size(); at += 32) {
      auto share = crypto::SecretScalar::parse(packed->expose().subspan(at, 32));
      if (share) shares.push_back(std::move(*share));
    }
    if (shares.size() == slot.plan.labels.size()) activation.restore_shares(std::move(shares));
  }
  Turn turn(slot, outbox, now);
  for (const auto* prefix : {"joined/", "header/"}) {
    for (const auto& envelope : stored(prefix)) take_in(envelope, Source::stored, turn);
  }
  for (const auto& key : records.list(slot.prefix + "joined/")) {
    const auto bytes = records.find(key);
    const auto envelope = bytes ? Envelope::parse(*bytes) : Result<Envelope>(error("missing"));
    const auto header = envelope ? CeremonyHeader::parse(envelope->body) : Result<CeremonyHeader>(envelope.error());
    if (!header) continue;
    const auto sid = header->sid();
    auto* round = find_round(sid);
    if (round == nullptr) continue;
    round->mark_joined(now.instant);
    joined.emplace(header->attempt, sid);
  }
  for (const auto& envelope : stored("deal/")) take_in(envelope, Source::stored, turn);
  for (const auto& key : records.list(slot.prefix + "value/")) {
    const auto body = records.find(key);
    const auto value = body ? Value::parse(*body) : Result<Value>(error("missing"));
    if (value) candidates.learn(value->sid, value->list);
  }
  const auto take_certificate = [&](const std::string& key) {
    const auto body = records.find(key);
    const auto certificate = body ? Certificate::parse(*body) : Result<Certificate>(error("missing"));
    if (certificate) judge(*certificate, {}, slot.receiver, Source::stored, turn);
  };
  for (const auto& key : records.list(slot.prefix + "cert/1/")) take_certificate(key);
  take_certificate(slot.prefix + "final");
  if (const auto body = records.find(slot.prefix + "link")) {
    const auto link = Link::parse(*body);
    const auto record = link ? verify_link(*link, slot.plan.network_id, nullptr) : Result<EpochRecord>(link.error());
    if (record) adopt(*record, turn);
  }
  for (const auto& [name, envelope] : outbox.all()) {
    if (envelope.type != MessageType::proposal && envelope.type != MessageType::vote) {
      take_in(envelope, Source::own, turn);
    }
  }
  if (!rounds.empty() || !candidates.certificates().empty()) agreement.start(now.instant);
  for (const auto& [name, envelope] : outbox.all()) take_in(envelope, Source::own, turn);
  settle(turn);
  restored = turn.take();
}

Effects Ceremony::Impl::receive(const Envelope& envelope, const NodeId& from, Now now) {
  Turn turn(slot, outbox, now);
  author = slot.everybody().position_of(from).value_or(0);
  take_in(envelope, Source::peer, turn);
  author = 0;
  return finish(turn);
}

Effects Ceremony::Impl::advance(Now now) {
  Turn turn(slot, outbox, now);
  return finish(turn);
}

// What the restoration asked for comes first: it was decided before this input.
Effects Ceremony::Impl::finish(Turn& turn) {
  settle(turn);
  repeat(turn);
  auto effects = std::exchange(restored, {});
  auto more = turn.take();
  std::move(more.save.writes.begin(), more.save.writes.end(), std::back_inserter(effects.save.writes));
  std::move(more.send.begin(), more.send.end(), std::back_inserter(effects.send));
  std::move(more.report.begin(), more.report.end(), std::back_inserter(effects.report));
  return effects;
}

std::optional<Instant> Ceremony::Impl::wakes_at() const {
  if (is_finished()) return repair.wakes_at(activation);
  Instant at = repeat_at;
  const auto consider = [&](std::optional<Instant> other) {
    if (other) at = std::min(at, *other);
  };
  consider(pulls.wakes_at());
  consider(repair.wakes_at(activation));
  if (has_decision()) return at;
  consider(attempts.wakes_at());
  consider(agreement.wakes_at());
  // Waits that are over have had their effect.
  const auto consider_wait = [&](Instant end) {
    if (end > seen_at) consider(end);
  };
  if (attempts.is_open()) consider_wait(attempts.opened() + slot.plan.timing.prekey_wait);
  for (const auto& [attempt, sid] : joined) {
    const auto round = rounds.find(sid);
    if (round != rounds.end()) consider_wait(round->second.joined_at() + slot.plan.timing.deal_wait);
  }
  return at;
}

Phase Ceremony::Impl::phase() const {
  if (is_decided()) {
    if (activation.needs_repair()) return Phase::need_repair;
    if (!activation.is_active()) return Phase::decided;
    return activation.is_released() ? Phase::released : Phase::active;
  }
  if (!joined.empty()) return Phase::collect;
  return attempts.is_open() ? Phase::idle : Phase::closed;
}

CeremonyStatus Ceremony::Impl::status() const {
  CeremonyStatus out;
  out.phase = phase();
  out.attempt = attempts.own();
  out.view = agreement.view();
  out.prekey_next = prekeys.next();
  out.want = static_cast<std::uint32_t>(slot.everybody().size());
  const auto await = [&](const char* what, const auto& has) {
    for (Position member = 1; member <= slot.everybody().size(); ++member) {
      if (has(member)) {
        ++out.have;
      } else {
        out.awaited.push_back(member);
      }
    }
    out.summary =
        std::string("waiting for ") + what + ": " + std::to_string(out.have) + " of " + std::to_string(out.want);
  };
  switch (out.phase) {
    case Phase::closed:
      await("connections", [&](Position member) {
        const auto& node = slot.everybody().at(member).node;
        return node == slot.self || peers.contains(node);
      });
      break;
    case Phase::idle:
      await("prekeys", [&](Position member) { return prekeys.has_announced(member, attempts.own()); });
      break;
    case Phase::collect: {
      const auto round = rounds.find(joined.rbegin()->second);
      await("Deals", [&](Position member) { return round != rounds.end() && round->second.has_dealt(member); });
      break;
    }
    case Phase::decided:
    case Phase::need_repair:
    case Phase::active:
    case Phase::activated:
    case Phase::released:
      out.transcript = activation.record()->transcript;
      await("confirmations", [&](Position member) { return activation.has_confirm(member); });
      if (out.phase == Phase::released) out.summary = "released";
      if (out.phase == Phase::need_repair) {
        out.summary = "this node has no share of the decided key";
        if (const auto said = repair.summary(); !said.empty()) out.summary += "; " + said;
      }
  }
  return out;
}

Ceremony::Ceremony(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ceremony::Ceremony(Ceremony&&) noexcept = default;
Ceremony& Ceremony::operator=(Ceremony&&) noexcept = default;
Ceremony::~Ceremony() = default;

Result<Ceremony> Ceremony::begin(Plan plan, Self self, Entropy& entropy, Now now) {
  return restore(std::move(plan), self, NoRecords{}, entropy, now);
}

Result<Ceremony> Ceremony::restore(Plan plan, Self self, const Records& records, Entropy& entropy, Now now) {
  auto context = SlotContext::make(std::move(plan), self, entropy);
  if (!context) return context.error();
  auto impl = std::make_unique<Impl>(std::move(*context));
  impl->restore(records, now);
  return Ceremony(std::move(impl));
}

Effects Ceremony::receive(const Envelope& envelope, const NodeId& author, Now now) {
  return impl_->receive(envelope, author, now);
}
Effects Ceremony::tick(Now now) {
  return impl_->advance(now);
}
std::optional<Instant> Ceremony::wakes_at() const {
  return impl_->wakes_at();
}
Effects Ceremony::peers_connected(const std::set<NodeId>& peers, Now now) {
  impl_->peers = peers;
  return impl_->advance(now);
}
Effects Ceremony::order(Now now) {
  impl_->is_ordered = true;
  return impl_->advance(now);
}
std::optional<Envelope> Ceremony::find_object(const ObjectId& id) const {
  return impl_->find_object(id);
}
bool Ceremony::wants(const ObjectId& id) const {
  return impl_->pulls.wants(id);
}
CeremonyStatus Ceremony::status() const {
  return impl_->status();
}
const SlotId& Ceremony::slot() const {
  return impl_->slot.slot;
}
const NodeId& Ceremony::self() const {
  return impl_->slot.self;
}
NodeStatus::Entry Ceremony::status_message() const {
  NodeStatus::Entry entry;
  entry.key_set = impl_->slot.plan.key_set;
  entry.epoch = impl_->slot.epoch();
  entry.branch = impl_->slot.branch();
  if (const auto* record = impl_->activation.record()) entry.transcript = record->transcript;
  entry.state = static_cast<std::uint32_t>(impl_->phase());
  entry.view = impl_->agreement.view();
  entry.attempt = impl_->attempts.own();
  const bool has_share = impl_->activation.is_active();
  entry.prekey_next = has_share ? impl_->repair.next() : impl_->prekeys.next();
  return entry;
}
const EpochRecord* Ceremony::record() const {
  return impl_->activation.record();
}
bool Ceremony::is_released() const {
  return impl_->activation.is_released();
}
const std::vector<crypto::SecretScalar>* Ceremony::shares() const {
  return impl_->activation.shares();
}
std::string Ceremony::share_key() const {
  return impl_->slot.prefix + "share";
}
std::string Ceremony::share_kek() const {
  return impl_->slot.kek_of_epoch();
}

}  // namespace kms::dkg
