#include "node/epochs.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "node/epoch_records.h"
#include "node/network_terms.h"

namespace kms::node {
namespace {

bool has_ended(const dkg::Ceremony& ceremony) {
  return ceremony.phase() == dkg::Phase::erased;
}

void add(EpochSteps& out, const dkg::SlotId& slot, dkg::Effects effects) {
  if (!effects.empty()) out.steps.push_back({slot, std::move(effects)});
}

}  // namespace

Result<Epochs> Epochs::begin(const NetworkTerms& terms, dkg::Self self, const dkg::Records& records, Entropy& entropy,
                             Now now, Duration grace, Disk disk) {
  Epochs out(terms, self, records, entropy, grace);
  out.restore_silence(disk);
  bool is_released = true;
  while (is_released) {
    auto loaded = out.load(now);
    if (!loaded) return loaded.error();
    is_released = *loaded;
  }
  if (out.newest_) {
    out.released_ = now.unix_s();
    if (const auto stored = records.find(release_record(out.newest_->slot()))) {
      const auto text = as_text(*stored);
      std::from_chars(text.data(), text.data() + text.size(), out.released_);
    }
    out.plan_announcement(Duration{}, now);
  }
  return out;
}

std::optional<dkg::Link> Epochs::stored_link(std::uint32_t epoch) const {
  std::optional<Bytes> body;
  for (std::uint32_t branch = 0; !body && branch <= (epoch == 0 ? 0 : dkg::kVoidsMax); ++branch) {
    body = records_->find(slot_record(slot_of(epoch, branch), "link"));
  }
  if (!body) return std::nullopt;
  auto link = dkg::Link::parse(*body);
  if (!link) return std::nullopt;
  return std::move(*link);
}

TermsPtr Epochs::stored_file(std::uint32_t epoch) const {
  const auto text = records_->find(file_record(epoch));
  if (!text) return nullptr;
  auto terms = later_terms(*genesis_, as_text(*text));
  return terms ? std::make_shared<const NetworkTerms>(std::move(*terms)) : nullptr;
}

bool Epochs::is_planned(const NetworkTerms& terms) const {
  if (!next_) return false;
  const dkg::Plan& plan = next_->ceremony.plan();
  return plan.members == terms.members && plan.threshold == terms.threshold && plan.file == terms.file;
}

// Names and rules stay as they were where no file says otherwise.
TermsPtr Epochs::terms_of(const dkg::CeremonyHeader& header) const {
  const auto fits = [&](const NetworkTerms& terms) {
    return terms.members == header.committee() && terms.threshold == header.threshold && terms.file == header.file;
  };
  if (header.epoch == 0) return fits(*genesis_) ? genesis_ : nullptr;
  if (approved_ && approved_->epoch == header.epoch && fits(*approved_)) return approved_;
  if (auto file = stored_file(header.epoch); file && fits(*file)) return file;
  if (fits(*terms_)) return terms_;
  NetworkTerms out = *terms_;
  const auto known = known_nodes();
  out.members = header.committee();
  out.threshold = header.threshold;
  out.file = header.file;
  out.epoch = header.epoch;
  out.lower = dkg::LowerThreshold::allowed;  // a quorum has decided so
  out.member_names.clear();
  std::set<dkg::NodeId> entries;
  for (const dkg::Member& member : out.members.members()) {
    const auto name = known.find(member.node);
    out.member_names.push_back(name == known.end() ? "member-" + std::to_string(out.member_names.size() + 1)
                                                   : name->second.name);
    const bool is_new = !terms_->members.position_of(member.node);
    if (is_new || terms_->form_a_entries.contains(member.node)) entries.insert(member.node);
  }
  out.form_a_entries = std::move(entries);
  return std::make_shared<const NetworkTerms>(std::move(out));
}

// Nobody is made a member without the word of its own operator; one that was in charge follows what was decided.
bool Epochs::takes_part(const NetworkTerms& next) const {
  if (wanted() == 0) return is_member(genesis_->members);
  if (is_old_member()) return true;
  const bool is_approved = approved_ && approved_->file == next.file;
  return is_member(next.members) && is_approved;
}

TermsPtr Epochs::planned() const {
  if (!newest_ || is_silent()) return nullptr;
  if (approved_ && approved_->epoch == wanted() && takes_part(*approved_)) return approved_;
  const bool is_wanted = has_shares() && (terms_->refresh_every || is_refresh_ordered_);
  return is_old_member() && is_wanted ? terms_ : nullptr;
}

dkg::Plan Epochs::plan_of(const NetworkTerms& terms) const {
  dkg::Plan plan{terms.network, terms.key_set,   terms.labels, terms.members, terms.threshold, terms.file, 0,
                 terms.genesis, genesis_->timing};
  plan.lower = terms.lower;
  plan.repair_ticket = terms.repair_ticket;
  plan.old = newest_;
  plan.voided = voided_branches_;
  plan.imported = genesis_->imported;
  const bool is_same = newest_ && newest_->header.committee() == terms.members &&
                       newest_->header.threshold == terms.threshold && newest_->header.file == terms.file;
  if (is_same && terms_->refresh_every) {
    plan.refresh = dkg::RefreshClock{released_, static_cast<std::uint64_t>(terms_->refresh_every->count())};
  }
  return plan;
}

Result<Epochs::Period> Epochs::make(TermsPtr terms, Now now) const {
  const bool has_shares = current_ && newest_ && current_->ceremony.is_released();
  dkg::Self self{self_.key, self_.node_secret, has_shares ? &current_->ceremony.shares_to_deal() : nullptr};
  auto ceremony = dkg::Ceremony::restore(plan_of(*terms), self, *records_, *entropy_, now);
  if (!ceremony) return ceremony.error();
  return Period{std::move(terms), std::move(*ceremony), false};
}

Result<bool> Epochs::load(Now now) {
  const std::uint32_t epoch = wanted();
  load_voided(now);
  approved_ = epoch == 0 ? nullptr : stored_file(epoch);
  const auto link = stored_link(epoch);
  TermsPtr terms = epoch == 0 ? genesis_ : approved_;
  if (link) {
    terms = terms_of(link->header);
    // What was learned by the Link alone is nowhere else.
    voided_branches_ = branches_before(*link);
  }
  if (!link && !terms && is_old_member() && has_shares()) {
    const bool has_begun = !records_->list(slot_record(next_slot(), "")).empty();
    if (terms_->refresh_every || has_begun) terms = terms_;
  }
  if (!terms || (!link && is_silent())) return false;
  if (!takes_part(*terms)) {
    if (!link) return false;
    auto record = dkg::verify_link(*link, genesis_->network, newest_.get(), genesis_->imported);
    if (!record) return error("the stored Link of epoch " + std::to_string(epoch) + ": " + record.error().message);
    follow(*record, terms);
    return true;
  }
  auto period = make(terms, now);
  if (!period) return period.error();
  if (period->ceremony.is_released()) {
    take_charge(std::move(*period));
    return true;
  }
  (epoch == 0 ? current_ : next_).emplace(std::move(*period));
  return false;
}

void Epochs::take_charge(Period&& period) {
  enter(std::make_shared<const dkg::EpochRecord>(*period.ceremony.record()), period.terms);
  current_.emplace(std::move(period));
}

void Epochs::follow(const dkg::EpochRecord& record, TermsPtr terms) {
  next_.reset();
  enter(std::make_shared<const dkg::EpochRecord>(record), std::move(terms));
}

void Epochs::enter(EpochPtr record, TermsPtr terms) {
  if (current_) past_.push_front(std::move(*current_));
  current_.reset();
  if (past_.size() > kPastMax) past_.pop_back();
  newest_ = std::move(record);
  terms_ = std::move(terms);
  chain_.emplace(newest_->header.epoch, newest_);
  if (chain_.size() > kPastMax) chain_.erase(chain_.begin());
  if (approved_ && approved_->epoch < wanted()) approved_ = nullptr;
  is_refresh_ordered_ = false;
  approvals_.clear();
  voided_.clear();
  voided_branches_.clear();
  heard_emergency_.reset();
  level_.clear();
  further_.clear();
  released_ = 0;
}

// Also after a crash between the release and this.
void Epochs::retire_past(EpochSteps& out, Now now) {
  for (Period& old : past_) {
    const auto phase = old.ceremony.phase();
    if (phase != dkg::Phase::released && phase != dkg::Phase::need_repair) continue;
    const auto successor = chain_.find(old.ceremony.record()->header.epoch + 1);
    if (successor == chain_.end()) continue;
    add(out, old.ceremony.slot(), old.ceremony.retire(*successor->second, grace_left_, now));
  }
}

// A node that learns of a release by its Link alone was away while others changed epochs, or its disk is an old one:
// the shares of an epoch that others may have erased are not used again.
void Epochs::advance(EpochSteps& out, Now now) {
  if (current_ && !newest_ && current_->ceremony.is_released()) {
    Period first = std::move(*current_);
    current_.reset();
    take_charge(std::move(first));
  }
  if (next_ && next_->ceremony.is_released()) {
    grace_left_ = next_->is_opened ? grace_ : Duration{};
    Period successor = std::move(*next_);
    next_.reset();
    take_charge(std::move(successor));
  }
  retire_past(out, now);
  if (!newest_) return;
  if (released_ == 0) {
    released_ = now.unix_s();
    dkg::Effects note;
    const auto time = std::to_string(released_);
    note.save.writes.push_back(dkg::Put{release_record(newest_->slot()), to_bytes(as_bytes(time))});
    add(out, newest_->slot(), std::move(note));
    plan_announcement(Duration{}, now);
  }
  take_void(out);
  if (next_ && next_->ceremony.phase() != dkg::Phase::closed) next_->is_opened = true;
  plan_next(out, now);
}

void Epochs::plan_next(EpochSteps& out, Now now) {
  const TermsPtr terms = planned();
  if (!terms) return;
  if (next_ && (next_->is_opened || is_planned(*terms))) return;
  auto period = make(terms, now);
  if (!period) {
    dkg::Effects note;
    note.report.push_back(
        {dkg::Event::Kind::parameters, "the next epoch cannot be made: " + period.error().message, 0, {}});
    add(out, next_slot(), std::move(note));
    approved_ = nullptr;  // said once
    return;
  }
  replace_next(std::move(*period), out, now);
}

void Epochs::replace_next(Period&& period, EpochSteps& out, Now now) {
  next_.reset();
  next_.emplace(std::move(period));
  add(out, next_->ceremony.slot(), next_->ceremony.peers_connected(peers_, now));
  for (const dkg::Envelope& envelope : approvals_) {
    add(out, next_->ceremony.slot(), next_->ceremony.receive(envelope, envelope.sender, now));
  }
}

template <class Call>
void Epochs::each(const Call& call, EpochSteps& out, Now now) {
  const auto run = [&](Period& period) { add(out, period.ceremony.slot(), call(period.ceremony)); };
  if (current_) run(*current_);
  if (next_) run(*next_);
  for (Period& old : past_) run(old);
  for (Period& given_up : voided_) run(given_up);
  advance(out, now);
}

// An epoch that is over hears only who may have missed it.
EpochSteps Epochs::receive(const dkg::Envelope& envelope, const dkg::NodeId& author, Now now) {
  EpochSteps out;
  const bool is_status = envelope.type == dkg::MessageType::node_status;
  if (is_status) show_links(envelope, author, out, now);
  if (envelope.type == dkg::MessageType::epoch_chain) hear_announcement(envelope, author, now);
  if (is_status) hear_report(envelope, author, out);
  if (envelope.type == dkg::MessageType::approval) hear_approval(envelope, now);
  if (envelope.type == dkg::MessageType::certificate) hear_void(envelope, author, out, now);
  const auto hear = [&](dkg::Ceremony& ceremony) {
    const bool is_past = &ceremony != current() && &ceremony != next();
    if (is_past && !is_status && has_ended(ceremony)) return dkg::Effects{};
    return ceremony.receive(envelope, author, now);
  };
  each(hear, out, now);
  if (envelope.type == dkg::MessageType::epoch_chain) take_links(envelope, author, out, now);
  return out;
}

EpochSteps Epochs::tick(Now now) {
  EpochSteps out;
  if (!std::exchange(is_silence_noted_, true)) note_silence(out);
  drop_expired(out, now);
  announce(out, now);
  each([&](dkg::Ceremony& ceremony) { return ceremony.tick(now); }, out, now);
  return out;
}

EpochSteps Epochs::peers_connected(const std::set<dkg::NodeId>& peers, Now now) {
  peers_ = peers;
  EpochSteps out;
  each([&](dkg::Ceremony& ceremony) { return ceremony.peers_connected(peers, now); }, out, now);
  return out;
}

}  // namespace kms::node
