// What delegations and ceremonies ask for, put into the effects of the node.
#include <algorithm>

#include "node/node_core_impl.h"
#include "node/v0_api.h"

namespace kms::node {
namespace {

void add_writes(dkg::Checkpoint& to, dkg::Checkpoint&& from) {
  for (dkg::Write& write : from.writes) to.writes.push_back(std::move(write));
}

// Events begin with their kind; what follows a colon is the case.
std::string about(const std::string& who, const std::string& text) {
  return who.empty() ? "" : who + " " + text.substr(0, text.find(':'));
}

Topic topic_of(delegation::Audience audience) {
  switch (audience) {
    case delegation::Audience::everybody:
      return Topic::requests;
    case delegation::Audience::entry:
      return Topic::partials;
    case delegation::Audience::partials:
      break;
  }
  return Topic::public_partials;
}

// Of v0, whose requests have no nonce, quota or public form.
HttpResponse response_of(const delegation::Outcome& outcome) {
  if (const auto* answer = std::get_if<delegation::V0Answer>(&outcome)) {
    // Both members are hex, which JSON needs not escape.
    return {
        200,
        "application/json",
        "{\"encryptedSharedSecret\":\"" + answer->encrypted_shared_secret + "\",\"proof\":\"" + answer->proof + "\"}",
        {}};
  }
  if (const auto* fault = std::get_if<delegation::AuthorisationError>(&outcome)) return to_response(*fault);
  if (const auto* overloaded = std::get_if<delegation::Overloaded>(&outcome)) {
    HttpResponse response = json_error(429, "Overloaded", overloaded->message);
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  return json_error(503, "Unavailable", std::get<delegation::Unavailable>(outcome).message);
}

}  // namespace

std::string NodeCore::Impl::label_of(const dkg::NodeId& node) const {
  if (const auto place = terms.members.position_of(node)) return member_label(terms, *place);
  const auto found = roster.find(node);
  if (found == roster.end()) return node.hex().substr(0, 18);
  return found->second.name + " (" + crypto::address_of(found->second.key).hex() + ")";
}

void NodeCore::Impl::apply(delegation::Effects&& from, NodeEffects& to) {
  for (delegation::Job& job : from.compute) to.compute.push_back(std::move(job));
  for (delegation::Outgoing& item : from.send) {
    dkg::Envelope envelope{terms.network, item.type, self, std::move(item.body), std::move(item.signature)};
    outbox.add(topic_of(item.audience), item.entry, envelope);
  }
  for (delegation::Reply& reply : from.reply) {
    if (reply.ticket < V1Calls::kFirstTicket) {
      to.reply.push_back({reply.ticket, response_of(reply.outcome)});
    } else if (auto complete = v1_calls.fill(std::move(reply))) {
      to.reply.push_back(std::move(*complete));
    }
  }
  for (delegation::Event& event : from.report) {
    const std::string who = event.node == dkg::NodeId{} ? "" : label_of(event.node);
    to.log.push_back(
        {LogLevel::warn, "delegation: " + (who.empty() ? "" : who + ": ") + event.text, about(who, event.text)});
  }
}

void NodeCore::Impl::apply(EpochSteps&& from, NodeEffects& to, Now now) {
  for (EpochSteps::Step& step : from.steps) apply(step.slot, std::move(step.effects), to, now);
  refresh_members();
  refresh_serving(to);
}

void NodeCore::Impl::apply(const dkg::SlotId& slot, dkg::Effects&& from, NodeEffects& to, Now now) {
  add_writes(to.save, std::move(from.save));
  for (dkg::Outgoing& item : from.send) send(slot, std::move(item.envelope), to);
  const dkg::Committee* everybody = nullptr;
  for (const dkg::Ceremony* ceremony : epochs->all()) {
    if (ceremony->slot() == slot) everybody = &ceremony->everybody();
  }
  const auto label_at = [&](dkg::Position place) {
    const bool is_there = everybody != nullptr && everybody->has(place);
    return is_there ? label_of(everybody->at(place).node) : std::string();
  };
  for (dkg::Event& event : from.report) {
    using Kind = dkg::Event::Kind;
    const std::string who = label_at(event.culprit);
    std::string text = event.text;
    if (const std::string victim = label_at(event.victim); !victim.empty()) text += " to " + victim;
    CeremonyLog::Note note{now.unix_ms, text, who};
    if (event.kind == Kind::blame) {
      CeremonyLog::Blamed blamed = ceremonies.blame(slot, std::move(note), std::move(event.evidence));
      text += "; evidence " + to_0x(blamed.evidence_hash);
      add_writes(to.save, std::move(blamed.save));
    } else if (event.kind != Kind::progress && event.kind != Kind::view) {
      const bool is_own = event.culprit == 0 && (event.kind == Kind::phase || event.kind == Kind::attempt);
      const auto cause = is_own ? CeremonyLog::Cause::own : CeremonyLog::Cause::peer;
      add_writes(to.save, ceremonies.note(slot, std::move(note), cause));
    }
    const bool is_bad = event.kind == Kind::blame || event.kind == Kind::misbehaviour || event.kind == Kind::parameters;
    const LogLevel level = is_bad ? LogLevel::warn : event.kind == Kind::progress ? LogLevel::debug : LogLevel::info;
    to.log.push_back({level, "ceremony: " + (who.empty() ? "" : who + ": ") + text, about(who, event.text)});
  }
}

// The committee in charge may be another one now, and with it who is heard.
void NodeCore::Impl::refresh_members() {
  if (!epochs) return;
  auto mark = epochs->membership_mark();
  if (mark == membership_mark) return;
  membership_mark = std::move(mark);
  ++membership;
  terms = *epochs->terms();
  position = terms.members.position_of(self);
  entries = epochs->entries();
  roster = epochs->known_nodes();
  const auto is_unknown = [&](const dkg::NodeId& node) { return !roster.contains(node); };
  std::erase_if(foreign, is_unknown);
  std::erase_if(shareless, is_unknown);
  std::erase_if(heard, [&](const auto& entry) { return is_unknown(entry.first); });
  see_links();
}

}  // namespace kms::node
