#include "tests/dkg/simplex_world.h"

namespace kms::dkg::test {
namespace {

constexpr Duration kDelta = 100ms;

ValueHash value_of(std::uint8_t n) {
  ValueHash value;
  value.bytes[0] = n;
  return value;
}

}  // namespace

SimplexWorld::SimplexWorld(const WorldSettings& settings, std::uint64_t seed) : settings_(settings), random_(seed) {
  for (std::uint8_t n = 1; n <= 3; ++n) values_.push_back(value_of(n));
  while (liars_.size() < settings.liars) liars_.insert(static_cast<Position>(random_.below(settings.members) + 1));
  members_.resize(settings.members);
  for (Position position = 1; position <= settings.members; ++position) {
    if (is_liar(position)) continue;
    auto& member = members_[position - 1u];
    member.machine.emplace(settings_of(position));
    member.repeats_at = Instant{} + Duration{1 + static_cast<std::int64_t>(random_.below(200'000))};
    const auto value = values_[random_.below(values_.size())];
    Packet arrival;
    arrival.at = Instant{} + Duration{1 + static_cast<std::int64_t>(random_.below(300'000))};
    arrival.order = ++order_;
    arrival.to = position;
    arrival.value = value;
    packets_.push(arrival);
  }
}

SimplexSettings SimplexWorld::settings_of(Position position) const {
  SimplexSettings out;
  out.members = settings_.members;
  out.quorum = settings_.quorum;
  out.self = position;
  out.offset = 2;
  out.view_base = 5 * kDelta;
  out.view_max = 1h;
  return out;
}

void SimplexWorld::record(Position voter, const OwnVote& vote) {
  cast_[{vote.view, vote.kind}][voter].insert(vote.value);
  if (is_liar(voter)) return;
  const auto has = [&](VoteKind kind) {
    return cast_.contains({vote.view, kind}) && cast_[{vote.view, kind}].contains(voter);
  };
  if (cast_[{vote.view, vote.kind}][voter].size() > 1) contradiction_ = "two values of one kind in one view";
  if (has(VoteKind::nullify) && has(VoteKind::finalize)) contradiction_ = "nullify and finalize of one view";
}

// Where a crash may happen: `false` means it did.
bool SimplexWorld::survives_boundary() {
  const auto boundary = boundaries_++;
  if (settings_.crash_at) return boundary != *settings_.crash_at;
  return is_calm() || !random_.chance(settings_.crash_per_mille);
}

void SimplexWorld::restart(Position position) {
  auto& member = members_[position - 1u];
  member.machine.emplace(settings_of(position));
  auto& machine = *member.machine;
  for (const auto& vote : member.disk.votes) machine.recall_vote(vote);
  for (const auto& proposal : member.disk.proposals) machine.recall_proposal(proposal);
  const auto certificates = member.disk.certificates;
  for (const auto& certificate : certificates) machine.add_certificate(certificate, now_);
  for (const auto& value : member.disk.values) machine.admit(value, now_);
  machine.start(now_);
  const auto votes = member.disk.votes;
  for (const auto& vote : votes) machine.add_vote({position, vote, {}}, now_);
  for (const auto& proposal : member.disk.proposals) machine.add_proposal(position, proposal, now_);
}

// Stores and publishes what the machine asks for until it asks for nothing; may crash on either side of the store.
void SimplexWorld::settle(Position position) {
  auto& member = members_[position - 1u];
  for (;;) {
    const auto step = member.machine->take();
    if (step.votes.empty() && !step.proposal && step.certificates.empty()) return;
    if (!survives_boundary()) {
      restart(position);
      continue;
    }
    auto& disk = member.disk;
    disk.votes.insert(disk.votes.end(), step.votes.begin(), step.votes.end());
    for (const auto& vote : step.votes) {
      if (vote.kind == VoteKind::notarize) disk.values.insert(vote.value);
    }
    if (step.proposal) disk.proposals.push_back(*step.proposal);
    disk.certificates.insert(disk.certificates.end(), step.certificates.begin(), step.certificates.end());
    if (!survives_boundary()) {
      restart(position);
      continue;
    }
    for (const auto& certificate : step.certificates) publish({.from = position, .certificate = certificate});
    if (step.proposal) publish({.from = position, .proposal = step.proposal});
    for (const auto& vote : step.votes) {
      record(position, vote);
      publish({.from = position, .vote = AgreementVote{position, vote, {}}});
    }
    if (step.proposal) member.machine->add_proposal(position, *step.proposal, now_);
    for (const auto& vote : step.votes) member.machine->add_vote({position, vote, {}}, now_);
  }
}

void SimplexWorld::publish(Packet packet) {
  for (Position to = 1; to <= settings_.members; ++to) {
    if (to != packet.from && !is_liar(to)) post(packet, to);
  }
}

void SimplexWorld::post(Packet packet, Position to) {
  const std::int64_t usual = 1 + static_cast<std::int64_t>(random_.below(100'000));
  Duration delay{usual};
  if (settings_.is_stormy && !is_calm()) {
    // Halves that change every few seconds, loss, and delays far beyond Delta.
    const auto epoch = static_cast<std::uint64_t>(now_.time_since_epoch() / 3s);
    const bool is_split = (epoch % 3) != 0;
    const auto side = [&](Position p) { return ((epoch * 2654435761U) >> (p % 13)) & 1U; };
    if (is_split && packet.from != 0 && side(packet.from) != side(to)) return;
    if (random_.chance(150)) return;
    if (random_.chance(200)) delay += Duration{static_cast<std::int64_t>(random_.below(4'000'000))};
    if (random_.chance(50)) {
      packet.at = now_ + delay + 50ms;
      packet.to = to;
      packet.order = ++order_;
      packets_.push(packet);
    }
  }
  packet.at = now_ + delay;
  packet.to = to;
  packet.order = ++order_;
  packets_.push(packet);
}

void SimplexWorld::deliver(const Packet& packet) {
  auto& machine = *members_[packet.to - 1u].machine;
  if (packet.value) {
    machine.admit(*packet.value, now_);
    members_[packet.to - 1u].disk.values.insert(*packet.value);
    machine.start(now_);
  }
  if (packet.vote) machine.add_vote(*packet.vote, now_);
  if (packet.proposal) machine.add_proposal(packet.from, *packet.proposal, now_);
  if (packet.certificate) {
    machine.add_certificate(*packet.certificate, now_);
    machine.start(now_);
  }
  settle(packet.to);
}

void SimplexWorld::repeat(Position position) {
  const auto again = members_[position - 1u].machine->repeat();
  for (const auto& certificate : again.certificates) publish({.from = position, .certificate = certificate});
  if (again.proposal) publish({.from = position, .proposal = again.proposal});
  for (const auto& vote : again.votes) publish({.from = position, .vote = AgreementVote{position, vote, {}}});
}

// What is missing comes from some honest member that holds it, over the same network.
void SimplexWorld::pull(Position position) {
  const auto missing = members_[position - 1u].machine->missing();
  for (const auto& value : missing.values) {
    for (Position other = 1; other <= settings_.members; ++other) {
      if (is_liar(other) || !members_[other - 1u].disk.values.contains(value)) continue;
      post({.from = other, .value = value}, position);
      break;
    }
  }
  for (const auto& statement : missing.certificates) {
    for (Position other = 1; other <= settings_.members; ++other) {
      if (is_liar(other)) continue;
      const auto* held = members_[other - 1u].machine->find(statement.kind, statement.view);
      if (held) post({.from = other, .certificate = *held}, position);
    }
  }
}

// With every honest vote ever cast and any votes of the liars.
std::optional<AgreementCertificate> SimplexWorld::forge(const OwnVote& statement) const {
  AgreementCertificate certificate{statement, {}};
  const auto cast = cast_.find({statement.view, statement.kind});
  for (Position position = 1; position <= settings_.members; ++position) {
    const bool has_cast =
        cast != cast_.end() && cast->second.contains(position) && cast->second.at(position).contains(statement.value);
    if (is_liar(position) || has_cast) certificate.votes.push_back({position, {}});
  }
  if (certificate.votes.size() < settings_.quorum) return std::nullopt;
  return certificate;
}

// A lying leader shows one half one value and the other half another, each with all the liars' votes for it.
void SimplexWorld::split(std::uint32_t view) {
  const auto leader = static_cast<Position>((2 + view) % settings_.members + 1);
  if (!is_liar(leader)) return;
  const auto side = random_.next();
  for (Position to = 1; to <= settings_.members; ++to) {
    if (is_liar(to)) continue;
    const auto value = values_[(side >> to) & 1U];
    std::uint32_t parent = 0;
    for (std::uint32_t below = 1; below < view; ++below) {
      if (forge({below, VoteKind::notarize, value})) parent = below;
    }
    post({.from = leader, .value = value}, to);
    post({.from = leader, .proposal = AgreementProposal{view, value, parent}}, to);
    for (const auto kind : {VoteKind::notarize, VoteKind::finalize}) {
      for (const auto each : liars_) post({.from = each, .vote = AgreementVote{each, {view, kind, value}, {}}}, to);
    }
  }
}

void SimplexWorld::lie() {
  std::uint32_t top = 1;
  for (const auto& member : members_) {
    if (member.machine) top = std::max(top, member.machine->view());
  }
  const std::uint32_t view = top + 2 - static_cast<std::uint32_t>(random_.below(std::min(top + 2, 5U)));
  const auto value = values_[random_.below(values_.size())];
  const auto to = static_cast<Position>(random_.below(settings_.members) + 1);
  const auto liar = *std::next(liars_.begin(), static_cast<std::ptrdiff_t>(random_.below(liars_.size())));
  if (random_.chance(300)) return split(view);
  if (is_liar(to)) return;
  const auto kind = static_cast<VoteKind>(1 + random_.below(3));
  const OwnVote vote{view, kind, kind == VoteKind::nullify ? ValueHash{} : value};
  switch (random_.below(3)) {
    case 0:
      for (const auto each : liars_) post({.from = each, .vote = AgreementVote{each, vote, {}}}, to);
      break;
    case 1:
      post({.from = liar, .proposal = AgreementProposal{view, value, static_cast<std::uint32_t>(random_.below(view))}},
           to);
      break;
    default:
      if (const auto certificate = forge(vote)) post({.from = liar, .certificate = certificate}, to);
  }
}

void SimplexWorld::run() {
  const Instant end = Instant{} + settings_.end;
  while (now_ < end && !(is_calm() && have_all_decided())) {
    Instant next = end;
    if (!packets_.empty()) next = std::min(next, packets_.top().at);
    for (const auto& member : members_) {
      if (!member.machine) continue;
      next = std::min(next, member.repeats_at);
      if (const auto wake = member.machine->wakes_at()) next = std::min(next, *wake);
    }
    now_ = std::max(now_, next);
    while (!packets_.empty() && packets_.top().at <= now_) {
      const Packet packet = packets_.top();
      packets_.pop();
      deliver(packet);
    }
    for (Position position = 1; position <= settings_.members; ++position) {
      auto& member = members_[position - 1u];
      if (!member.machine) continue;
      member.machine->tick(now_);
      settle(position);
      if (now_ < member.repeats_at) continue;
      member.repeats_at = now_ + 2 * kDelta;
      repeat(position);
      pull(position);
      for (int lies = 0; lies < 3 && !liars_.empty(); ++lies) lie();
    }
  }
}

std::set<ValueHash> SimplexWorld::decidable() const {
  std::set<ValueHash> out;
  for (const auto& [ballot, votes] : cast_) {
    if (ballot.second != VoteKind::finalize) continue;
    for (const auto& value : values_) {
      if (forge({ballot.first, VoteKind::finalize, value})) out.insert(value);
    }
  }
  return out;
}

std::set<ValueHash> SimplexWorld::decided() const {
  std::set<ValueHash> out;
  for (const auto& member : members_) {
    if (member.machine && member.machine->decision()) out.insert(member.machine->decision()->statement.value);
  }
  return out;
}

bool SimplexWorld::have_all_decided() const {
  for (const auto& member : members_) {
    if (member.machine && !member.machine->decision()) return false;
  }
  return true;
}

}  // namespace kms::dkg::test
