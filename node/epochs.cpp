#include "node/epochs.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"

namespace kms::node {
namespace {

struct NoEpochRecords final : dkg::Records {
  std::optional<Bytes> find(std::string_view) const override { return std::nullopt; }
  Result<crypto::SecretBytes> open(std::string_view key) const override {
    return error("no record " + std::string(key));
  }
  std::vector<std::string> list(std::string_view) const override { return {}; }
};

std::string release_record(const dkg::Ceremony& ceremony) {
  return "epochs/" + to_hex(ceremony.slot().view()) + "/released";
}

std::uint64_t release_time(const dkg::Ceremony& ceremony, const dkg::Records& records, Now now) {
  std::uint64_t time = now.unix_s();
  if (const auto stored = records.find(release_record(ceremony))) {
    const auto text = as_text(*stored);
    std::from_chars(text.data(), text.data() + text.size(), time);
  }
  return time;
}

bool has_ended(const dkg::Ceremony& ceremony) {
  return ceremony.status().phase == dkg::Phase::erased;
}

}  // namespace

Result<Epochs> Epochs::begin(const NetworkTerms& terms, dkg::Self self, const dkg::Records& records, Entropy& entropy,
                             Now now) {
  Epochs out(terms, self, entropy);
  dkg::Plan first{terms.network, terms.key_set, terms.labels, terms.members, terms.threshold, terms.file, 0,
                  terms.genesis, terms.timing};
  auto genesis = dkg::Ceremony::restore(std::move(first), self, records, entropy, now);
  if (!genesis) return genesis.error();
  out.current_.emplace(std::move(*genesis));
  while (out.current_->is_released()) {
    out.released_ = release_time(*out.current_, records, now);
    auto plan = out.plan_after(*out.current_, out.released_);
    const auto slot = dkg::slot_id(terms.key_set, plan.old->header.epoch + 1, 0);
    const bool has_begun = !records.list("slot/" + to_hex(slot.view()) + "/").empty();
    if (!has_begun && !plan.refresh) break;
    auto next = out.make(std::move(plan), &*out.current_, records, now);
    if (!next) return next.error();
    if (!next->is_released()) {
      out.next_.emplace(std::move(*next));
      break;
    }
    out.past_.push_front(std::move(*out.current_));
    if (out.past_.size() > kPastMax) out.past_.pop_back();
    out.current_.emplace(std::move(*next));
  }
  return out;
}

dkg::Plan Epochs::plan_after(const dkg::Ceremony& last, std::uint64_t released) const {
  auto plan = last.plan();
  plan.members = terms_.members;
  plan.threshold = terms_.threshold;
  plan.file = terms_.file;
  plan.old = std::make_shared<const dkg::EpochRecord>(*last.record());
  plan.refresh.reset();
  if (terms_.refresh_every) {
    plan.refresh = dkg::RefreshClock{released, static_cast<std::uint64_t>(terms_.refresh_every->count())};
  }
  return plan;
}

Result<dkg::Ceremony> Epochs::make(dkg::Plan plan, const dkg::Ceremony* last, const dkg::Records& records,
                                   Now now) const {
  dkg::Self self{self_.key, self_.node_secret, &last->shares_to_deal()};
  return dkg::Ceremony::restore(std::move(plan), self, records, entropy_, now);
}

const dkg::Ceremony& Epochs::busy() const {
  return next_ && next_->status().phase != dkg::Phase::closed ? *next_ : *current_;
}

void Epochs::advance(EpochSteps& out, Now now) {
  const auto add = [&](const dkg::Ceremony& of, dkg::Effects effects) {
    if (!effects.empty()) out.steps.push_back({of.slot(), std::move(effects)});
  };
  // Also after a crash between the release and this.
  const dkg::Ceremony* successor = &*current_;
  for (auto& old : past_) {
    if (old.status().phase == dkg::Phase::released || old.status().phase == dkg::Phase::need_repair) {
      add(old, old.retire(*successor->record(), kGrace, now));
    }
    successor = &old;
  }
  if (next_ && next_->is_released()) {
    past_.push_front(std::move(*current_));
    current_.emplace(std::move(*next_));
    next_.reset();
    if (past_.size() > kPastMax) past_.pop_back();
    released_ = 0;
    add(past_.front(), past_.front().retire(*current_->record(), kGrace, now));
  }
  if (!current_->is_released()) return;
  if (released_ == 0) {
    released_ = now.unix_s();
    dkg::Effects note;
    const auto time = std::to_string(released_);
    note.save.writes.push_back(dkg::Put{release_record(*current_), to_bytes(as_bytes(time))});
    add(*current_, std::move(note));
  }
  if (next_ || !terms_.refresh_every) return;
  auto next = make(plan_after(*current_, released_), &*current_, NoEpochRecords{}, now);
  KMS_ASSERT(next.has_value());  // its plan follows from a verified record
  next_.emplace(std::move(*next));
  add(*next_, next_->peers_connected(peers_, now));
}

template <class Call>
EpochSteps Epochs::each(const Call& call, Now now) {
  EpochSteps out;
  const auto run = [&](dkg::Ceremony& ceremony) {
    auto effects = call(ceremony);
    if (!effects.empty()) out.steps.push_back({ceremony.slot(), std::move(effects)});
  };
  run(*current_);
  if (next_) run(*next_);
  for (auto& old : past_) run(old);
  advance(out, now);
  return out;
}

// An epoch that is over hears only who may have missed it.
EpochSteps Epochs::receive(const dkg::Envelope& envelope, const dkg::NodeId& author, Now now) {
  const bool is_status = envelope.type == dkg::MessageType::node_status;
  return each(
      [&](dkg::Ceremony& ceremony) {
        const bool is_past = &ceremony != &*current_ && (!next_ || &ceremony != &*next_);
        if (is_past && !is_status && has_ended(ceremony)) return dkg::Effects{};
        return ceremony.receive(envelope, author, now);
      },
      now);
}

EpochSteps Epochs::tick(Now now) {
  return each([&](dkg::Ceremony& ceremony) { return ceremony.tick(now); }, now);
}

EpochSteps Epochs::peers_connected(const std::set<dkg::NodeId>& peers, Now now) {
  peers_ = peers;
  return each([&](dkg::Ceremony& ceremony) { return ceremony.peers_connected(peers, now); }, now);
}

std::optional<Instant> Epochs::wakes_at() const {
  std::optional<Instant> earliest;
  const auto consider = [&](const dkg::Ceremony& ceremony) {
    const auto wake = ceremony.wakes_at();
    if (wake && (!earliest || *wake < *earliest)) earliest = wake;
  };
  consider(*current_);
  if (next_) consider(*next_);
  for (const auto& old : past_) consider(old);
  return earliest;
}

std::vector<const dkg::Ceremony*> Epochs::answering() const {
  std::vector<const dkg::Ceremony*> out{&*current_};
  for (const auto& old : past_) {
    if (old.shares() != nullptr) out.push_back(&old);
  }
  const bool is_ready = next_ && next_->shares() != nullptr && !next_->record()->tables.empty();
  if (is_ready) out.push_back(&*next_);
  return out;
}

std::vector<dkg::NodeStatus::Entry> Epochs::status() const {
  std::vector<dkg::NodeStatus::Entry> out{current_->status_message()};
  if (next_) out.push_back(next_->status_message());
  return out;
}

std::optional<dkg::Envelope> Epochs::find_object(const dkg::ObjectId& id) const {
  if (auto found = current_->find_object(id)) return found;
  if (next_) {
    if (auto found = next_->find_object(id)) return found;
  }
  for (const auto& old : past_) {
    if (auto found = old.find_object(id)) return found;
  }
  return std::nullopt;
}

bool Epochs::wants(const dkg::ObjectId& id) const {
  return current_->wants(id) || (next_ && next_->wants(id));
}

bool Epochs::is_open(const Hash32& slot) const {
  if (next_ && next_->slot().bytes == slot) return true;
  return current_->slot().bytes == slot && !current_->is_released();
}

}  // namespace kms::node
