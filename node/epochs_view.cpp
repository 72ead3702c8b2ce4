// What Epochs shows of itself.
#include <algorithm>

#include "node/epochs.h"

namespace kms::node {

const dkg::Ceremony* Epochs::busy() const {
  const bool is_next_open = next_ && next_->ceremony.phase() != dkg::Phase::closed;
  if (is_next_open || !current_) return next();
  return current();
}

std::optional<Instant> Epochs::wakes_at() const {
  std::optional<Instant> earliest = announce_at_;
  for (const dkg::Ceremony* ceremony : all()) {
    const auto wake = ceremony->wakes_at();
    if (wake && (!earliest || *wake < *earliest)) earliest = wake;
  }
  return earliest;
}

std::vector<const dkg::Ceremony*> Epochs::all() const {
  std::vector<const dkg::Ceremony*> out;
  if (next_) out.push_back(&next_->ceremony);
  if (current_) out.push_back(&current_->ceremony);
  for (const Period& ended : voided_) out.push_back(&ended.ceremony);
  for (const Period& old : past_) out.push_back(&old.ceremony);
  return out;
}

std::vector<const dkg::Ceremony*> Epochs::answering() const {
  std::vector<const dkg::Ceremony*> out;
  if (current_) out.push_back(&current_->ceremony);
  for (const Period& old : past_) {
    if (old.ceremony.shares() != nullptr) out.push_back(&old.ceremony);
  }
  const bool is_ready = next_ && next_->ceremony.shares() != nullptr && !next_->ceremony.record()->tables.empty();
  if (is_ready) out.push_back(&next_->ceremony);
  return out;
}

bool Epochs::is_finishing() const {
  if (!current_ || !newest_ || !current_->ceremony.plan().old) return false;
  return current_->ceremony.phase() < dkg::Phase::released;
}

std::map<dkg::NodeId, KnownNode> Epochs::known_nodes() const {
  std::map<dkg::NodeId, KnownNode> out;
  const auto add = [&](const NetworkTerms& terms) {
    for (dkg::Position i = 1; i <= terms.members.size(); ++i) {
      const dkg::Member& member = terms.members.at(i);
      KnownNode node{member.key, terms.name_of(i), {}};
      if (const auto found = terms.addresses.find(member.node); found != terms.addresses.end()) {
        node.addresses = found->second;
      }
      out.emplace(member.node, std::move(node));
    }
  };
  if (next_) add(*next_->terms);
  if (approved_) add(*approved_);
  add(*terms_);
  for (const Period& old : past_) {
    const auto phase = old.ceremony.phase();
    if (phase != dkg::Phase::erased) add(*old.terms);
  }
  // The Deals that this node lacks are signed by members of the epoch before, whether they stayed or not.
  if (is_finishing()) {
    const dkg::Committee before = current_->ceremony.plan().old->header.committee();
    for (const Period& old : past_) {
      if (old.terms->members == before) add(*old.terms);
    }
    for (const dkg::Member& member : before.members()) {
      out.emplace(member.node, KnownNode{member.key, "former member", {}});
    }
  }
  // Who follows the chain from its beginning hears of it from whom it knows.
  if (!current_) add(*genesis_);
  return out;
}

std::vector<std::uintptr_t> Epochs::membership_mark() const {
  const auto mark = [](const TermsPtr& terms) { return reinterpret_cast<std::uintptr_t>(terms.get()); };
  std::vector<std::uintptr_t> out{mark(terms_),
                                  mark(approved_),
                                  next_ ? mark(next_->terms) : 0,
                                  next_ && next_->ceremony.shares() != nullptr ? 1u : 0u,
                                  current_ ? 1u : 0u,
                                  is_finishing() ? 1u : 0u};
  for (const Period& old : past_) {
    if (old.ceremony.phase() != dkg::Phase::erased) out.push_back(mark(old.terms));
  }
  return out;
}

std::set<dkg::NodeId> Epochs::entries() const {
  std::set<dkg::NodeId> out = terms_->form_a_entries;
  for (const Period& old : past_) {
    if (old.ceremony.phase() != dkg::Phase::erased) {
      out.insert(old.terms->form_a_entries.begin(), old.terms->form_a_entries.end());
    }
  }
  // An entry that holds the release already names the new epoch.
  if (next_ && next_->ceremony.shares() != nullptr) {
    out.insert(next_->terms->form_a_entries.begin(), next_->terms->form_a_entries.end());
  }
  return out;
}

// A node without a ceremony of the next epoch asks for its Link, should there be one.
std::vector<dkg::NodeStatus::Entry> Epochs::status() const {
  std::vector<dkg::NodeStatus::Entry> out;
  if (current_) out.push_back(current_->ceremony.status_message());
  if (next_) out.push_back(next_->ceremony.status_message());
  if (!next_ && (newest_ || !current_)) {
    dkg::NodeStatus::Entry waiting;
    waiting.key_set = genesis_->key_set;
    waiting.epoch = wanted();
    waiting.branch = branch();
    waiting.state = static_cast<std::uint32_t>(dkg::Phase::closed);
    out.push_back(waiting);
  }
  return out;
}

std::optional<dkg::Envelope> Epochs::find_object(const dkg::ObjectId& id) const {
  for (const dkg::Ceremony* ceremony : all()) {
    if (auto found = ceremony->find_object(id)) return found;
  }
  return std::nullopt;
}

bool Epochs::wants(const dkg::ObjectId& id) const {
  return (current_ && current_->ceremony.wants(id)) || (next_ && next_->ceremony.wants(id));
}

bool Epochs::is_open(const Hash32& slot) const {
  if (current_ && !newest_ && current_->ceremony.slot().bytes == slot) return true;
  // A later branch than the one that this node knows of may be the one that was released.
  const std::uint32_t last = wanted() == 0 ? 0 : dkg::kVoidsMax;
  for (std::uint32_t later = branch(); later <= last; ++later) {
    if (slot_of(wanted(), later).bytes == slot) return true;
  }
  return std::any_of(voided_.begin(), voided_.end(),
                     [&](const Period& ended) { return ended.ceremony.slot().bytes == slot; });
}

}  // namespace kms::node
