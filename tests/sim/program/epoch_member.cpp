#include "tests/sim/program/epoch_member.h"

namespace kms::sim {

Bytes authored(std::size_t place, const dkg::Envelope& envelope) {
  Bytes out{static_cast<std::uint8_t>(place >> 8), static_cast<std::uint8_t>(place)};
  append(out, envelope.encode());
  return out;
}

std::optional<dkg::Envelope> envelope_of(const Bytes& message) {
  if (message.size() < 2) return std::nullopt;
  auto parsed = dkg::Envelope::parse(ByteView(message).subspan(2));
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

std::size_t author_of(const Bytes& message) {
  return static_cast<std::size_t>(message[0]) << 8 | message[1];
}

EpochMember::EpochMember(const Terms& terms, Person& person, std::size_t place, const Disk& disk, Now now, Sink sink)
    : terms_(terms), place_(place), sink_(std::move(sink)) {
  const auto id = person.id();
  const bool was_member = terms.previous && terms.previous->members.position_of(id);
  if (was_member) {
    const dkg::Self self{person.key, person.secret};
    old_.emplace(std::move(dkg::Ceremony::restore(*terms.previous, self, disk, person.entropy, now).value()));
  }
  const dkg::Self self{person.key, person.secret, old_ ? &old_->shares_to_deal() : nullptr};
  now_.emplace(std::move(dkg::Ceremony::restore(terms.plan, self, disk, person.entropy, now).value()));
  approves_ = was_member && terms.approved_until != 0;
}

// Each ceremony counts places in its own committees.
dkg::Event EpochMember::placed(const dkg::Ceremony& by, dkg::Event event) const {
  if (&by == &*now_ || event.culprit == 0) return event;
  event.culprit = now_->everybody().position_of(by.everybody().at(event.culprit).node).value_or(0);
  return event;
}

Output EpochMember::output(std::vector<Part> parts, Now now) {
  // An epoch goes once the one after it is in charge.
  const bool is_over = old_ && now_->is_released() && old_->status().phase < dkg::Phase::retired;
  if (is_over && old_->is_released()) {
    parts.push_back({&*old_, old_->retire(*now_->record(), terms_.grace, now)});
  }
  Output out;
  for (auto& [by, one] : parts) {
    std::move(one.save.writes.begin(), one.save.writes.end(), std::back_inserter(out.save.writes));
    for (const auto& item : one.send) out.send.push_back(authored(place_, item.envelope));
    for (const auto& event : one.report) sink_(placed(*by, event));
  }
  dkg::NodeStatus status;
  if (old_) status.entries.push_back(old_->status_message());
  status.entries.push_back(now_->status_message());
  if (status.entries != status_.entries || now.instant >= status_at_ + 10s) {
    status_ = status;
    status_at_ = now.instant;
    out.send.push_back(authored(place_, dkg::wrap(status, now_->self(), terms_.plan.network_id)));
  }
  return out;
}

template <class Input>
Output EpochMember::feed(Now now, const Input& input) {
  std::vector<Part> parts;
  if (old_) parts.push_back({&*old_, input(*old_)});
  parts.push_back({&*now_, input(*now_)});
  return output(std::move(parts), now);
}

Output EpochMember::receive(const Bytes& message, Now now) {
  const auto envelope = envelope_of(message);
  if (!envelope) return {};
  const auto author = now_->everybody().at(static_cast<dkg::Position>(author_of(message))).node;
  const bool is_own_word = envelope->signature || envelope->sender == author;
  if (!is_own_word) return {};
  return feed(now, [&](dkg::Ceremony& one) { return one.receive(*envelope, author, now); });
}

Output EpochMember::tick(Now now) {
  if (std::exchange(approves_, false)) {
    std::vector<Part> parts;
    parts.push_back({&*now_, now_->approve(terms_.approved_until, now)});
    return output(std::move(parts), now);
  }
  return feed(now, [&](dkg::Ceremony& one) { return one.tick(now); });
}

std::optional<Instant> EpochMember::wakes_at() const {
  Instant at = status_at_ + 10s;
  for (const auto* one : {old_ ? &*old_ : nullptr, &*now_}) {
    const auto wake = one == nullptr ? std::nullopt : one->wakes_at();
    if (wake) at = std::min(at, *wake);
  }
  return at;
}

Output EpochMember::connected(const std::set<std::size_t>& members, Now now) {
  std::set<dkg::NodeId> peers;
  for (const auto member : members) peers.insert(now_->everybody().at(static_cast<dkg::Position>(member)).node);
  return feed(now, [&](dkg::Ceremony& one) { return one.peers_connected(peers, now); });
}

}  // namespace kms::sim
