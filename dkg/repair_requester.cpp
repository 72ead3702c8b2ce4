#include "dkg/repair_requester.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::dkg {
namespace {

std::string request_name(std::uint32_t number) {
  return "repair/request/" + std::to_string(number);
}
std::string secret_record(std::uint32_t number) {
  return "repair/y/" + std::to_string(number);
}
constexpr std::size_t kDoublingsMax = 5;

constexpr std::uint64_t seconds_of(Duration duration) {
  return static_cast<std::uint64_t>(duration / 1s);
}

}  // namespace

void RepairRequester::restore(const Records& records, const Outbox& outbox, Now now) {
  for (const auto& [name, envelope] : outbox.all()) {
    if (envelope.type != MessageType::repair_request) continue;
    auto request = RepairRequest::parse(envelope.body);
    if (!request) continue;
    const auto number = static_cast<std::uint32_t>(std::stoul(name.substr(name.rfind('/') + 1)));
    began_[number] = request->expiry - seconds_of(kRepairLife);
    // An open session goes on with the same Y; a closed one has no secret any more.
    auto opened = records.open(slot_.prefix + secret_record(number));
    auto secret = opened ? crypto::SecretScalar::parse(opened->expose()) : Result<crypto::SecretScalar>(opened.error());
    if (!secret || request->expiry <= now.unix_s()) continue;
    const auto rid = request->rid();
    asking_.emplace(Asking{RepairSession({std::move(*request), rid, slot_.plan.labels.size()}, envelope),
                           number,
                           0,
                           std::move(*secret),
                           {},
                           {},
                           {},
                           now.instant,
                           now.instant});
  }
}

// Members that could give, best first: not convicted, with one set of prekeys, least often silent, connected, lowest
// position.
std::vector<RepairRequester::Giver> RepairRequester::candidates(const Activation& activation,
                                                                const std::set<NodeId>& peers,
                                                                std::uint32_t start) const {
  std::vector<Giver> out;
  for (Position member = 1; member <= slot_.receivers().size(); ++member) {
    if (member == slot_.receiver || faulty_.contains(member)) continue;
    bool has_share = true;
    for (const auto& table : activation.record()->tables) has_share = has_share && !table.share(member).is_infinity();
    const auto hint = next_of_.find(member);
    auto prekey = prekeys_.unused(member, hint == next_of_.end() ? 0 : hint->second, start);
    if (!prekey) prekey = prekeys_.unused(member, 0, start);
    if (!has_share || !prekey) continue;
    const auto silences = silent_.find(member);
    out.push_back({{member, prekey->first, prekey->second},
                   prekeys_.has_conflict(member),
                   silences == silent_.end() ? 0 : silences->second,
                   !peers.contains(slot_.receivers().at(member).node)});
  }
  std::stable_sort(out.begin(), out.end(), [](const Giver& a, const Giver& b) {
    return std::tie(a.is_in_doubt, a.silences, a.is_away) < std::tie(b.is_in_doubt, b.silences, b.is_away);
  });
  return out;
}

bool RepairRequester::may_begin(const Activation& activation, Turn& turn) {
  const auto say = [&](std::string state) {
    if (std::exchange(state_, state) != state) turn.report(Event::Kind::phase, std::move(state));
    return false;
  };
  const auto& record = *activation.record();
  if (slot_.receiving().n() == slot_.receiving().t()) return say("with t = n a lost share cannot be repaired");
  for (const auto& table : record.tables) {
    if (table.share(slot_.receiver).is_infinity()) return say("the share of this node is zero: nothing to repair");
  }
  if (const auto ticket = tickets_.ticket(slot_.receiver, turn.unix_s())) {
    tried_ = ticketed_[TicketBook::name_of(*ticket)];
    if (tried_ < repair_sessions_max(slot_.receiving())) return true;
    return say("all repair sessions of the ticket failed; a new one is needed");
  }
  bool had_share = false;
  if (record.activation) {
    for (const auto& vote : record.activation->signatures) had_share = had_share || vote.index == slot_.receiver;
  }
  if (had_share && slot_.plan.repair_ticket == RepairTicket::needed) {
    const auto have = tickets_.approvers(slot_.receiver, turn.unix_s()).size();
    return say("this node had a share and lost it: its repair needs a ticket, with the approvals of " +
               std::to_string(slot_.receiving().q()) + " operators (kmsctl repair); " + std::to_string(have) +
               " have given theirs");
  }
  if (blocked_until_ && turn.instant() < *blocked_until_) return false;
  blocked_until_.reset();
  const auto period = seconds_of(had_share ? kRepairHour : kRepairDay);
  std::size_t lately = 0;
  std::uint64_t oldest = turn.unix_s();
  for (const auto& [number, began] : began_) {
    if (began + period <= turn.unix_s()) continue;
    ++lately;
    oldest = std::min(oldest, began);
  }
  tried_ = lately;
  if (lately < repair_sessions_max(slot_.receiving())) return true;
  blocked_until_ = turn.instant() + std::chrono::seconds(oldest + period - turn.unix_s());
  return say(had_share ? "all repair sessions of this hour failed; the next begins within an hour"
                       : "all repair sessions of this day failed; the next begins within a day");
}

// Twice as long each time: a network that fails for half a minute must not use up the sessions of a day.
Duration RepairRequester::patience() const {
  return 6 * slot_.plan.timing.delta * (1 << std::min<std::size_t>(asking_->tried, kDoublingsMax));
}

// Requesters that begin together must not name the same prekeys: each would get some of the givers, and none all of
// them. After a first session that failed all the same, chance keeps them apart.
std::uint32_t RepairRequester::start() const {
  if (began_.empty()) return slot_.receiver;
  std::array<std::uint8_t, 1> drawn{};
  slot_.entropy->fill(drawn);
  return drawn[0];
}

// Durable before it is sent: the sealed y and the request's bytes.
void RepairRequester::begin(const Activation& activation, const std::set<NodeId>& peers, Turn& turn) {
  auto chosen = candidates(activation, peers, start());
  const std::size_t needed = slot_.receiving().t();
  if (chosen.size() < needed) {
    state_ =
        "repair waits for members with a share: " + std::to_string(chosen.size()) + " of " + std::to_string(needed);
    return;
  }
  chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(needed), chosen.end());
  std::sort(chosen.begin(), chosen.end(),
            [](const Giver& a, const Giver& b) { return a.entry.position < b.entry.position; });
  const auto& record = *activation.record();
  auto secret = crypto::SecretScalar::random(*slot_.entropy);
  RepairRequest request{slot_.plan.key_set,
                        slot_.epoch(),
                        slot_.branch(),
                        record.transcript,
                        slot_.receiver,
                        crypto::multiply_generator(secret).point(),
                        {},
                        {},
                        {},
                        turn.unix_s() + seconds_of(kRepairLife),
                        {}};
  for (const auto& giver : chosen) {
    request.givers.push_back(giver.entry);
    prekeys_.note_named(giver.entry.position, giver.entry.number);
  }
  if (auto ticket = tickets_.ticket(slot_.receiver, turn.unix_s())) {
    ++ticketed_[TicketBook::name_of(*ticket)];
    request.ticket = std::move(*ticket);
  }
  slot_.entropy->fill(request.nonce);
  prove_target(request, slot_.plan.network_id, secret, *slot_.entropy);
  const std::uint32_t number = began_.empty() ? 1 : began_.rbegin()->first + 1;
  began_[number] = turn.unix_s();
  turn.seal_record(secret_record(number), slot_.prefix + secret_record(number),
                   crypto::SecretBytes::copy_of(secret.expose()));
  turn.say(request_name(number), request);
  const auto rid = request.rid();
  const Envelope envelope = *turn.said(request_name(number));
  state_ = "repair session " + std::to_string(number);
  turn.report(Event::Kind::phase, state_ + " begins");
  asking_.emplace(Asking{RepairSession({std::move(request), rid, slot_.plan.labels.size()}, envelope),
                         number,
                         tried_,
                         std::move(secret),
                         {},
                         {},
                         {},
                         turn.instant(),
                         turn.instant() + slot_.plan.timing.delta});
}

void RepairRequester::drop(Turn& turn) {
  turn.destroy(slot_.prefix + secret_record(asking_->number));
  turn.erase(secret_record(asking_->number));
  asking_.reset();
}

void RepairRequester::erase(Turn& turn) {
  asking_.reset();
  for (const auto& [number, began] : began_) {
    turn.destroy(slot_.prefix + secret_record(number));
    turn.erase(secret_record(number));
  }
}

void RepairRequester::close(const std::set<Position>& culprits, std::string_view why, Turn& turn) {
  for (const auto culprit : culprits) {
    turn.report(Event::Kind::misbehaviour,
                "repair session " + std::to_string(asking_->number) + " failed: " + std::string(why), culprit);
  }
  drop(turn);
}

std::optional<KeyScalars> RepairRequester::advance(const Activation& activation, const std::set<NodeId>& peers,
                                                   Turn& turn) {
  if (!is_needed(activation)) return std::nullopt;
  if (!asking_) {
    if (may_begin(activation, turn)) begin(activation, peers, turn);
    return std::nullopt;
  }
  judge_sigmas(turn);
  if (!asking_) return std::nullopt;
  const auto& givers = asking_->session.terms().request.givers;
  if (asking_->sums.size() == givers.size()) {
    std::vector<KeyScalars> sums;
    for (auto& [giver, sum] : asking_->sums) sums.push_back(std::move(sum));
    auto shares = sum_parts(sums);
    for (std::size_t key = 0; key < shares.size(); ++key) {
      // The columns are what the deltas commit to, and those add up to S_i by Lagrange.
      KMS_ASSERT(crypto::multiply_generator(shares[key]) == activation.record()->tables[key].share(slot_.receiver));
    }
    // Also those of sessions that ran out while this node was down: once their requests are forgotten, nobody knows
    // that they were there.
    erase(turn);
    for (const auto& [number, began] : began_) {
      if (turn.has_said(request_name(number))) turn.forget(request_name(number));
    }
    state_.clear();
    return shares;
  }
  if (turn.instant() >= asking_->progress_at + patience()) {
    give_up(turn);
    if (may_begin(activation, turn)) begin(activation, peers, turn);
    return std::nullopt;
  }
  if (turn.instant() >= asking_->repeat_at) {
    asking_->repeat_at = turn.instant() + slot_.plan.timing.delta;
    turn.publish(asking_->session.request());
    for (const auto& [giver, accusers] : asking_->disputed) turn.publish(asking_->session.find(giver)->envelope);
  }
  return std::nullopt;
}

void RepairRequester::give_up(Turn& turn) {
  const bool has_deltas = asking_->session.is_complete();
  std::set<Position> silent;
  for (const auto& giver : asking_->session.terms().request.givers) {
    const bool has_spoken =
        has_deltas ? asking_->sums.contains(giver.position) : asking_->session.find(giver.position) != nullptr;
    if (!has_spoken) silent.insert(giver.position);
  }
  // Whoever speaks of another delta and has it shows it, once it sees this one. The giver that it speaks of is not
  // passed over for that: two liars could name all honest givers in turn.
  const bool is_disputed = !asking_->disputed.empty();
  for (const auto& [giver, accusers] : asking_->disputed) silent.insert(accusers.begin(), accusers.end());
  for (const auto giver : silent) ++silent_[giver];
  close(silent,
        is_disputed  ? "its givers speak of different deltas"
        : has_deltas ? "no sigma came"
                     : "no delta came",
        turn);
}

void RepairRequester::dispute(Position giver, Position accuser, Turn& turn) {
  auto& accusers = asking_->disputed[giver];
  const bool is_shown = !accusers.empty();
  accusers.insert(accuser);
  if (is_shown) return;
  turn.publish(asking_->session.find(giver)->envelope);
}

void RepairRequester::take(Position sender, const RepairDelta& delta, const Envelope& envelope,
                           const Activation& activation, Turn& turn) {
  if (!wants(delta.rid) || activation.record()->tables.empty()) return;
  switch (asking_->session.add(sender, delta, envelope, activation.record()->tables, turn)) {
    case RepairSession::Verdict::taken:
      asking_->progress_at = turn.instant();
      state_ = "repair session " + std::to_string(asking_->number);
      return;
    case RepairSession::Verdict::bad:
    case RepairSession::Verdict::conflict:
      faulty_.insert(sender);
      return close({sender}, "a bad delta", turn);
    case RepairSession::Verdict::ignored:
      return;
  }
}

void RepairRequester::take(Position sender, const RepairSigma& sigma, const Envelope& envelope, Turn& turn) {
  if (!wants(sigma.rid) || sigma.giver != sender || asking_->sigmas.contains(sender)) return;
  // Without a valid proof y E' must not be computed, let alone shown; such a message is as good as none.
  if (const auto checked = check_sigma(asking_->session.terms(), sigma); !checked) {
    turn.report(Event::Kind::misbehaviour, "repair: " + checked.error().message, sender);
    return;
  }
  asking_->sigmas.emplace(sender, std::pair(sigma, envelope));
  asking_->progress_at = turn.instant();
}

// Sigmas can be judged once all deltas are here.
void RepairRequester::judge_sigmas(Turn& turn) {
  if (!asking_->session.is_complete()) return;
  const auto deltas = asking_->session.in_order();
  const auto hashes = asking_->session.hashes();
  for (const auto& [giver, held] : asking_->sigmas) {
    if (asking_->sums.contains(giver)) continue;
    const auto& terms = asking_->session.terms();
    if (held.first.deltas != hashes) {
      for (std::size_t place = 0; place < hashes.size(); ++place) {
        if (held.first.deltas[place] != hashes[place]) dispute(terms.request.givers[place].position, giver, turn);
      }
      continue;
    }
    auto opened = open_sigma(terms, held.first, deltas, asking_->secret);
    if (auto* sums = std::get_if<KeyScalars>(&opened)) {
      asking_->sums.emplace(giver, std::move(*sums));
      continue;
    }
    Hash32 fresh;
    slot_.entropy->fill(fresh);
    const auto name = "repair/accusation/" + std::to_string(asking_->number);
    turn.say(name, complain(terms, held.first, std::get<BadPart>(opened).kappa, asking_->secret, fresh));
    turn.report(Event::Kind::blame, "its sum in a repair is wrong", giver,
                asking_->session.evidence({&held.second, turn.said(name)}));
    faulty_.insert(giver);
    return close({giver}, "a bad sigma", turn);
  }
}

void RepairRequester::take(Position sender, const RepairComplaint& complaint, const Envelope& envelope, Turn& turn) {
  if (!wants(complaint.rid) || complaint.accuser != sender || complaint.kind != RepairFault::delta) return;
  const auto& terms = asking_->session.terms();
  const auto* held = asking_->session.find(complaint.giver);
  if (held == nullptr || !terms.request.place_of(sender)) return;
  if (held->hash.bytes != complaint.object) return dispute(complaint.giver, sender, turn);
  const bool is_true = convicts(terms, held->delta, complaint);
  const Position culprit = is_true ? complaint.giver : sender;
  turn.report(Event::Kind::blame,
              is_true ? "a part of its delta in a repair is wrong" : "a false complaint in a repair", culprit,
              evidence_of({&asking_->session.request(), &held->envelope, &envelope}));
  faulty_.insert(culprit);
  close({culprit}, is_true ? "a bad part of a delta" : "a false complaint", turn);
}

std::optional<Instant> RepairRequester::wakes_at(const Activation& activation) const {
  if (!is_needed(activation)) return std::nullopt;
  if (!asking_) return blocked_until_;
  return std::min(asking_->repeat_at, asking_->progress_at + patience());
}

std::string RepairRequester::summary() const {
  return state_;
}

}  // namespace kms::dkg
