#include "dkg/ceremony.h"

#include <iterator>

#include "base/assert.h"
#include "dkg/ceremony_impl.h"

namespace kms::dkg {

Ceremony::Impl::Impl(SlotContext context)
    : slot(std::move(context)),
      attempts(slot.plan.timing, slot.deciding(), slot.decider),
      prekeys(slot),
      approvals(slot),
      candidates(slot),
      agreement(slot, Instance::slot),
      activation(slot),
      fates(slot, activation),
      fate(slot, Instance::fate),
      emergencies(slot),
      repair(slot),
      forwarder(slot),
      pulls(slot.plan.timing.delta) {
  if (slot.plan.voided.empty()) return;
  void_certs.emplace(slot.plan.voided.back().fate.id(), slot.plan.voided.back());
  emergency_before = slot.plan.voided.back().emergency;
}

namespace {

struct NoRecords final : Records {
  std::optional<Bytes> find(std::string_view) const override { return std::nullopt; }
  Result<crypto::SecretBytes> open(std::string_view key) const override {
    return error("no record " + std::string(key));
  }
  std::vector<std::string> list(std::string_view) const override { return {}; }
};

}  // namespace

Effects Ceremony::Impl::receive(const Envelope& envelope, const NodeId& from, Now now) {
  Turn turn(slot, outbox, now);
  author = slot.everybody().position_of(from).value_or(0);
  is_charged = true;
  take_in(envelope, Source::peer, turn);
  is_charged = false;
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
  forwarder.add(turn.take_formed(), turn);
  forwarder.tick(turn);
  repeat(turn);
  auto effects = std::exchange(restored, {});
  auto more = turn.take();
  std::move(more.save.writes.begin(), more.save.writes.end(), std::back_inserter(effects.save.writes));
  std::move(more.send.begin(), more.send.end(), std::back_inserter(effects.send));
  std::move(more.report.begin(), more.report.end(), std::back_inserter(effects.report));
  return effects;
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
Effects Ceremony::approve(std::uint64_t not_after, Now now) {
  Turn turn(impl_->slot, impl_->outbox, now);
  impl_->approve(not_after, turn);
  return impl_->finish(turn);
}
std::optional<std::uint64_t> Ceremony::pending_approval(Now now) const {
  return impl_->approvals.pending_end(now.unix_s());
}
Result<Effects> Ceremony::order_emergency(Now now) {
  Turn turn(impl_->slot, impl_->outbox, now);
  if (auto ordered = impl_->order_emergency(turn); !ordered) return ordered.error();
  return impl_->finish(turn);
}
Result<Effects> Ceremony::sign_emergency(const TranscriptHash& transcript, Now now) {
  Turn turn(impl_->slot, impl_->outbox, now);
  if (auto is_signed = impl_->sign_emergency(transcript, turn); !is_signed) return is_signed.error();
  return impl_->finish(turn);
}
EmergencyState Ceremony::emergency() const {
  return impl_->emergency_state();
}
Result<Effects> Ceremony::approve_void(Now now) {
  Turn turn(impl_->slot, impl_->outbox, now);
  if (auto approved = impl_->approve_void(turn); !approved) return approved.error();
  return impl_->finish(turn);
}
VoidState Ceremony::void_state() const {
  return impl_->void_state();
}
std::optional<VoidedBranch> Ceremony::voided() const {
  return impl_->voided;
}
Effects Ceremony::approve_repair(Position subject, std::uint64_t not_after, Now now) {
  Turn turn(impl_->slot, impl_->outbox, now);
  impl_->repair.approve(subject, not_after, impl_->activation, turn);
  return impl_->finish(turn);
}
std::optional<std::uint64_t> Ceremony::pending_repair_approval(Position subject, Now now) const {
  return impl_->repair.tickets().pending_end(subject, now.unix_s());
}
std::set<Position> Ceremony::repair_approvers(Position subject, Now now) const {
  return impl_->repair.tickets().approvers(subject, now.unix_s());
}
std::set<Position> Ceremony::approvers() const {
  std::set<Position> out;
  for (Position decider = 1; decider <= impl_->slot.deciders().size(); ++decider) {
    if (impl_->approvals.has_approved(decider)) out.insert(decider);
  }
  return out;
}
Effects Ceremony::retire(const EpochRecord& next, Duration grace, Now now) {
  const auto* own = record();
  KMS_ASSERT(own != nullptr && next.is_released() && next.header.old == own->as_old());
  Turn turn(impl_->slot, impl_->outbox, now);
  if (!impl_->retires_at) {
    impl_->retires_at = now.unix_s() + static_cast<std::uint64_t>(grace / 1s);
    const auto end = std::to_string(*impl_->retires_at);
    turn.put("retires", to_bytes(as_bytes(end)));
  }
  return impl_->finish(turn);
}
const Committee& Ceremony::everybody() const {
  return impl_->slot.everybody();
}
const Plan& Ceremony::plan() const {
  return impl_->slot.plan;
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
Phase Ceremony::phase() const {
  return impl_->phase();
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
const std::vector<crypto::SecretScalar>& Ceremony::shares_to_deal() const {
  return impl_->activation.shares_to_deal();
}
std::string Ceremony::share_key() const {
  return impl_->slot.prefix + "share";
}
std::string Ceremony::share_kek() const {
  return impl_->slot.kek_of_epoch();
}

}  // namespace kms::dkg
