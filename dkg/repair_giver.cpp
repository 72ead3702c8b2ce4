#include "dkg/repair_giver.h"

#include <algorithm>

namespace kms::dkg {
namespace {

std::string session_record(const Rid& rid) {
  return "repair/session/" + rid.hex();
}
std::string seed_record(const Rid& rid) {
  return "repair/seed/" + rid.hex();
}
std::string delta_name(const Rid& rid) {
  return "repair/delta/" + rid.hex();
}
std::string sigma_name(const Rid& rid) {
  return "repair/sigma/" + rid.hex();
}
std::string complaint_name(const Rid& rid, Position giver) {
  return "repair/complaint/" + rid.hex() + "/" + std::to_string(giver);
}

}  // namespace

void RepairGivers::restore(const Records& records, Now now) {
  for (const auto& key : records.list(slot_.prefix + "repair/holder/")) {
    holders_.insert(static_cast<Position>(std::stoul(key.substr(key.rfind('/') + 1))));
  }
  for (const auto& key : records.list(slot_.prefix + "repair/session/")) {
    const auto bytes = records.find(key);
    if (!bytes || bytes->size() < 8) continue;
    std::uint64_t began = 0;
    for (std::size_t i = 0; i < 8; ++i) began = began << 8 | (*bytes)[i];
    auto envelope = Envelope::parse(ByteView(*bytes).subspan(8));
    auto request = envelope ? RepairRequest::parse(envelope->body) : Result<RepairRequest>(envelope.error());
    const auto place = request ? request->place_of(slot_.receiver) : std::nullopt;
    if (!place) continue;
    const auto number = request->givers[*place].number;
    const auto index = request->index;
    const auto expiry = request->expiry;
    const auto rid = request->rid();
    prekeys_.use(number);
    const auto left =
        expiry > now.unix_s() ? std::chrono::seconds(std::min<std::uint64_t>(expiry - now.unix_s(), 600)) : 0s;
    Giving giving{RepairSession({std::move(*request), rid, slot_.plan.labels.size()}, std::move(*envelope)),
                  index,
                  number,
                  began,
                  now.instant + left,
                  {},
                  {},
                  {delta_name(rid), sigma_name(rid)},
                  prekeys_.secret(number) == nullptr,
                  {}};
    for (const auto& giver : giving.session.terms().request.givers) {
      giving.said.push_back(complaint_name(rid, giver.position));
    }
    auto seed = records.open(slot_.prefix + seed_record(rid));
    if (seed && seed->size() == 32) giving.seed = crypto::Secret<32>::copy_of(seed->expose());
    sessions_.emplace(rid, std::move(giving));
  }
}

// Empty: permitted.
std::string RepairGivers::refusal(Position sender, const RepairRequest& request, const Activation& activation,
                                  std::uint64_t unix_s) const {
  const auto sessions = [&](const auto& counts) {
    return static_cast<std::size_t>(std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
      return entry.second.index == sender && counts(entry.second);
    }));
  };
  const std::size_t most = repair_sessions_max(slot_.receiving());
  if (!request.ticket.empty()) {
    if (auto why = tickets_.fault(request, unix_s); !why.empty()) return why;
    const auto name = TicketBook::name_of(request.ticket);
    const bool is_used_up = sessions([&](const Giving& giving) {
                              const auto& ticket = giving.session.terms().request.ticket;
                              return !ticket.empty() && TicketBook::name_of(ticket) == name;
                            }) >= most;
    return is_used_up ? "it has used up the repair sessions of its ticket" : "";
  }
  const auto& record = *activation.record();
  bool had_share = holders_.contains(sender) || activation.has_active(sender) || activation.has_confirm(sender);
  if (record.activation) {
    for (const auto& vote : record.activation->signatures) had_share = had_share || vote.index == sender;
  }
  if (had_share && slot_.plan.repair_ticket == RepairTicket::needed) {
    return "it had a share, so that its repair needs a ticket: kmsctl repair on a quorum of nodes";
  }
  const Duration period = had_share ? kRepairHour : kRepairDay;
  const auto seconds = static_cast<std::uint64_t>(period / 1s);
  if (sessions([&](const Giving& giving) { return giving.began + seconds > unix_s; }) >= most) {
    return had_share ? "it has used up its repair sessions of this hour"
                     : "it has used up its repair sessions of this day";
  }
  return {};
}

void RepairGivers::take(Position sender, const RepairRequest& request, const Envelope& envelope,
                        const Activation& activation, Turn& turn) {
  const auto place = request.place_of(slot_.receiver);
  if (!activation.is_active() || activation.record()->tables.empty() || !place || request.index != sender) return;
  const auto rid = request.rid();
  if (const auto known = sessions_.find(rid); known != sessions_.end()) {
    auto& giving = known->second;
    if (turn.instant() < giving.shown_at + slot_.plan.timing.delta / 2) return;
    giving.shown_at = turn.instant();
    for (const auto& name : giving.said) {
      if (const auto* said = turn.said(name)) turn.publish(*said);
    }
    giving.session.show_conflicts(turn);
    prekeys_.show(turn);
    return;
  }
  prekeys_.show(turn);  // the other givers of the session may lack them
  const auto latest = turn.unix_s() + static_cast<std::uint64_t>(kRepairLifeMax / 1s);
  if (request.givers.size() != slot_.receiving().t() || request.givers.back().position > slot_.receivers().size() ||
      request.expiry <= turn.unix_s() || request.expiry > latest) {
    return;
  }
  if (const auto why = refusal(sender, request, activation, turn.unix_s()); !why.empty()) {
    if (std::exchange(told_[sender], why) != why)
      turn.report(Event::Kind::phase, "its repair is refused: " + why, sender);
    return;
  }
  const auto& own = request.givers[*place];
  if (!prekeys_.is_free(own.number)) return show_user(own.number, turn);
  for (const auto& giver : request.givers) {
    if (!prekeys_.is_announced(giver.position, giver.number, giver.key)) return;
  }
  if (!verify_target(request, slot_.plan.network_id)) {
    turn.report(Event::Kind::misbehaviour, "a repair request without a valid proof", sender);
    return;
  }
  begin({request, rid, slot_.plan.labels.size()}, envelope, activation, turn);
}

// Whoever names a number that is taken may not have heard by whom, and would name it again.
void RepairGivers::show_user(std::uint32_t number, Turn& turn) {
  for (auto& [rid, giving] : sessions_) {
    if (giving.number != number || turn.instant() < giving.shown_at + slot_.plan.timing.delta / 2) continue;
    giving.shown_at = turn.instant();
    turn.publish(giving.session.request());
  }
}

// Durable before it is sent: the session, the sealed seed, the delta's bytes.
void RepairGivers::begin(RepairTerms terms, const Envelope& envelope, const Activation& activation, Turn& turn) {
  const auto rid = terms.rid;
  const auto& request = terms.request;
  const auto number = request.givers[*request.place_of(slot_.receiver)].number;
  Giving giving{RepairSession(terms, envelope),
                request.index,
                number,
                turn.unix_s(),
                turn.instant() + std::chrono::seconds(request.expiry - turn.unix_s()),
                repair_seed(crypto::Secret<32>::random(*slot_.entropy), *slot_.node_secret, rid),
                {},
                {delta_name(rid), sigma_name(rid)},
                false,
                turn.instant()};
  for (const auto& giver : request.givers) giving.said.push_back(complaint_name(rid, giver.position));
  Bytes record;
  for (int shift = 56; shift >= 0; shift -= 8) record.push_back(static_cast<std::uint8_t>(giving.began >> shift));
  append(record, envelope.encode());
  turn.put(session_record(rid), std::move(record));
  turn.seal_record(seed_record(rid), prekeys_.kek_of(number), crypto::SecretBytes::copy_of(giving.seed->expose()));
  prekeys_.use(number);
  turn.say(delta_name(rid), make_delta(terms, slot_.receiver, *activation.shares(), *giving.seed, *slot_.entropy));
  turn.report(Event::Kind::phase, "this node gives its part to the repair of a share", request.index);
  sessions_.emplace(rid, std::move(giving));
}

void RepairGivers::take(Position sender, const RepairDelta& delta, const Envelope& envelope,
                        const Activation& activation, Turn& turn) {
  const auto found = sessions_.find(delta.rid);
  if (found == sessions_.end() || found->second.ends == Instant::max() || !activation.is_active()) return;
  // After a restart the table comes back last; the requester makes everybody repeat.
  if (activation.record()->tables.empty()) return;
  auto& giving = found->second;
  const auto verdict = giving.session.add(sender, delta, envelope, activation.record()->tables, turn);
  if (verdict == RepairSession::Verdict::taken && !giving.is_over) open(giving, sender, turn);
}

void RepairGivers::open(Giving& giving, Position giver, Turn& turn) {
  const auto* secret = prekeys_.secret(giving.number);
  if (secret == nullptr) return;
  const auto& held = *giving.session.find(giver);
  auto opened = open_delta(giving.session.terms(), held.delta, slot_.receiver, *secret);
  if (auto* parts = std::get_if<KeyScalars>(&opened)) {
    giving.parts.emplace(giver, std::move(*parts));
    return;
  }
  Hash32 fresh;
  slot_.entropy->fill(fresh);
  const auto kappa = std::get<BadPart>(opened).kappa;
  const auto name = complaint_name(giving.session.terms().rid, giver);
  turn.say(name, complain(giving.session.terms(), held.delta, slot_.receiver, kappa, *secret, fresh));
  turn.report(Event::Kind::blame, "a part of its delta in a repair is wrong", giver,
              evidence_of({&giving.session.request(), &held.envelope, turn.said(name)}));
}

// The column is complete: its sum, sealed to the requester; prekey and seed have no further use.
void RepairGivers::finish(Giving& giving, Turn& turn) {
  std::vector<KeyScalars> column;
  for (auto& [giver, parts] : giving.parts) column.push_back(std::move(parts));
  giving.parts.clear();
  const auto& terms = giving.session.terms();
  turn.say(sigma_name(terms.rid),
           make_sigma(terms, slot_.receiver, giving.session.hashes(), sum_parts(column), *giving.seed, *slot_.entropy));
  giving.seed.reset();
  giving.is_over = true;
  turn.erase(seed_record(terms.rid));
  prekeys_.destroy(giving.number, turn);
}

void RepairGivers::note_holders(const Activation& activation, Turn& turn) {
  if (!activation.is_released()) return;
  for (Position member = 1; member <= slot_.receivers().size(); ++member) {
    if (holders_.contains(member) || member == slot_.receiver) continue;
    if (!activation.has_active(member) && !activation.has_confirm(member)) continue;
    holders_.insert(member);
    turn.put("repair/holder/" + std::to_string(member), {1});
  }
}

void RepairGivers::end(const Rid& rid, Giving& giving, Turn& turn) {
  giving.is_over = true;
  giving.seed.reset();
  giving.parts.clear();
  turn.erase(seed_record(rid));
  prekeys_.destroy(giving.number, turn);
  for (const auto& name : giving.said) {
    if (turn.has_said(name)) turn.forget(name);
  }
  giving.said.clear();
  giving.session.drop_deltas();
  giving.ends = Instant::max();
}

void RepairGivers::advance(const Activation& activation, Turn& turn) {
  note_holders(activation, turn);
  const auto day = static_cast<std::uint64_t>(kRepairDay / 1s);
  for (auto entry = sessions_.begin(); entry != sessions_.end();) {
    auto& [rid, giving] = *entry;
    if (turn.instant() >= giving.ends) end(rid, giving, turn);
    if (giving.ends == Instant::max() && giving.began + day <= turn.unix_s()) {
      turn.erase(session_record(rid));
      entry = sessions_.erase(entry);
      continue;
    }
    ++entry;
    if (giving.is_over || !activation.is_active() || activation.record()->tables.empty()) continue;
    const auto* own = turn.said(delta_name(rid));
    if (own != nullptr && giving.session.find(slot_.receiver) == nullptr) {
      const auto delta = RepairDelta::parse(own->body);
      const Envelope envelope = *own;
      if (delta) take(slot_.receiver, *delta, envelope, activation, turn);
    }
    const auto count = giving.session.terms().request.givers.size();
    if (giving.seed && giving.parts.size() == count) finish(giving, turn);
  }
}

std::optional<Instant> RepairGivers::wakes_at() const {
  std::optional<Instant> at;
  for (const auto& [rid, giving] : sessions_) {
    if (giving.ends != Instant::max()) at = at ? std::min(*at, giving.ends) : giving.ends;
  }
  return at;
}

}  // namespace kms::dkg
