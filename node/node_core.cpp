#include "node/node_core.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "node/node_core_impl.h"
#include "node/v0_api.h"

namespace kms::node {
namespace {

constexpr Duration kStatusEvery = 10s;

void add_writes(dkg::Checkpoint& to, dkg::Checkpoint&& from) {
  for (dkg::Write& write : from.writes) to.writes.push_back(std::move(write));
}

// Events begin with their kind; what follows a colon is the case.
std::string about(dkg::Position culprit, const std::string& text) {
  return culprit == 0 ? "" : std::to_string(culprit) + " " + text.substr(0, text.find(':'));
}

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

void NodeCore::Impl::apply(delegation::Effects&& from, NodeEffects& to) {
  for (delegation::Job& job : from.compute) to.compute.push_back(std::move(job));
  for (delegation::Outgoing& item : from.send) {
    bool to_all = item.audience == delegation::Audience::everybody;
    dkg::Envelope envelope{terms.network, item.type, self, std::move(item.body), std::nullopt};
    outbox.add(to_all ? Topic::requests : Topic::partials, item.entry, envelope);
  }
  for (delegation::Reply& reply : from.reply) to.reply.push_back({reply.ticket, response_of(reply.outcome)});
  for (delegation::Event& event : from.report) {
    std::string who = event.culprit == 0 ? "" : member_label(terms, event.culprit) + ": ";
    to.log.push_back({LogLevel::warn, "delegation: " + who + event.text, about(event.culprit, event.text)});
  }
}

void NodeCore::Impl::apply(EpochSteps&& from, NodeEffects& to) {
  for (EpochSteps::Step& step : from.steps) apply(step.slot, std::move(step.effects), to);
  refresh_serving(to);
}

void NodeCore::Impl::apply(const dkg::SlotId& slot, dkg::Effects&& from, NodeEffects& to) {
  add_writes(to.save, std::move(from.save));
  for (dkg::Outgoing& item : from.send) send(slot, std::move(item.envelope), to);
  for (dkg::Event& event : from.report) {
    bool quiet = event.kind == dkg::Event::Kind::progress;
    bool bad = event.kind == dkg::Event::Kind::blame || event.kind == dkg::Event::Kind::misbehaviour ||
               event.kind == dkg::Event::Kind::parameters;
    std::string who = event.culprit == 0 ? "" : member_label(terms, event.culprit) + ": ";
    LogLevel level = bad ? LogLevel::warn : quiet ? LogLevel::debug : LogLevel::info;
    to.log.push_back({level, "ceremony: " + who + event.text, about(event.culprit, event.text)});
  }
}

delegation::ServingKeyPtr NodeCore::Impl::serving_key(const dkg::Ceremony& epoch, std::size_t label) const {
  const dkg::EpochRecord& record = *epoch.record();
  const std::vector<crypto::SecretScalar>* shares = epoch.shares();
  std::optional<crypto::SecretScalar> share;
  // A share of zero cannot serve (PROTOCOL.md 4.3); the table shows infinity for it.
  if (shares != nullptr && !(*shares)[label].is_zero()) share = (*shares)[label].clone();
  return std::make_shared<const delegation::ServingKey>(
      delegation::ServingKey{terms.network, record.names().key(static_cast<std::uint32_t>(label + 1)),
                             terms.labels[label].chain_id, record.header.epoch, record.transcript, terms.threshold,
                             terms.members, record.tables[label], position.value_or(0), std::move(share)});
}

// Once an epoch is released its keys are served; the own share may come later than that. Beside it those epochs answer
// that an entry may still, or already, name.
void NodeCore::Impl::refresh_serving(NodeEffects& effects) {
  const dkg::Ceremony* current = ceremony();
  if (current == nullptr || !current->is_released()) return;
  const dkg::EpochRecord* record = current->record();
  if (record == nullptr || record->tables.size() != terms.labels.size()) return;
  for (std::size_t i = 0; i < terms.labels.size(); ++i) {
    std::uint64_t chain_id = terms.labels[i].chain_id;
    auto known = serving.find(chain_id);
    bool same = known != serving.end() && known->second->transcript == record->transcript;
    if (same && (known->second->share.has_value() || current->shares() == nullptr)) continue;
    serving[chain_id] = serving_key(*current, i);
    effects.log.push_back({LogLevel::info, "serving chain " + std::to_string(chain_id) + " with public key " +
                                               to_0x(record->tables[i].public_key.bytes()) + ", epoch " +
                                               std::to_string(record->header.epoch) +
                                               (current->shares() == nullptr ? ", without an own share" : "")});
  }
  std::vector<delegation::ServingKeyPtr> others;
  for (const dkg::Ceremony* epoch : epochs->answering()) {
    if (epoch == current) continue;
    for (std::size_t i = 0; i < terms.labels.size(); ++i) {
      auto held = std::find_if(answering.begin(), answering.end(), [&](const delegation::ServingKeyPtr& key) {
        return key->transcript == epoch->record()->transcript && key->chain_id == terms.labels[i].chain_id;
      });
      others.push_back(held == answering.end() ? serving_key(*epoch, i) : *held);
    }
  }
  answering = std::move(others);
}

delegation::ServingKeyPtr NodeCore::Impl::find_serving(const delegation::DelegateRequest& request) const {
  auto current = serving.find(request.authorisation.chain_id);
  if (current == serving.end()) return nullptr;
  if (current->second->transcript == request.entry.transcript) return current->second;
  for (const delegation::ServingKeyPtr& key : answering) {
    if (key->key == request.key && key->transcript == request.entry.transcript) return key;
  }
  return current->second;
}

void NodeCore::Impl::send_status(Now now) {
  if (!epochs || !position) return;
  dkg::NodeStatus status{epochs->status()};
  if (last_status == status.entries && now.instant < status_due) return;
  last_status = status.entries;
  status_due = now.instant + kStatusEvery;
  outbox.add(Topic::ceremony, {}, dkg::wrap(status, self, terms.network));
}

std::set<dkg::Position> NodeCore::Impl::responders() const {
  std::set<dkg::Position> out;
  std::set_difference(alive.begin(), alive.end(), shareless.begin(), shareless.end(), std::inserter(out, out.end()));
  return out;
}

void NodeCore::Impl::tell_responders() {
  collector.members_alive(responders());
  responder.members_alive(responders());
}

void NodeCore::Impl::note_status(dkg::Position author, const dkg::Envelope& item, NodeEffects& effects) {
  auto status = dkg::NodeStatus::parse(item.body);
  if (!status || status->entries.empty()) return;
  const bool is_ours = std::any_of(status->entries.begin(), status->entries.end(),
                                   [&](const auto& entry) { return entry.key_set == terms.key_set; });
  if (is_ours) foreign.erase(author);
  if (!is_ours && foreign.insert(author).second) {
    const std::string text =
        "parameters differ: its network file makes another key set; compare threshold, members, "
        "creation_nonce and chains";
    effects.log.push_back({LogLevel::warn, member_label(terms, author) + ": " + text, about(author, text)});
  }
  for (const dkg::NodeStatus::Entry& entry : status->entries) {
    if (entry.key_set != terms.key_set || !ceremony() || entry.epoch != ceremony()->status_message().epoch) continue;
    // Only what a member says outright: an older status of the phases before it may be the last one that arrived.
    bool needs_repair = entry.state == static_cast<std::uint32_t>(dkg::Phase::need_repair);
    bool changed = needs_repair ? shareless.insert(author).second : shareless.erase(author) > 0;
    if (changed) tell_responders();
  }
}

// Batches may overtake each other; what a node says of itself counts in the order in which it was said.
bool NodeCore::Impl::is_status_old(const dkg::NodeId& author, std::uint64_t seqno) {
  std::uint64_t& newest = heard[author].status_seqno;
  if (seqno < newest) return true;
  newest = seqno;
  return false;
}

const std::vector<crypto::Address>& NodeCore::Impl::gateways(std::uint64_t chain_id) const {
  static const std::vector<crypto::Address> kNobody;
  auto found = terms.gateways.find(chain_id);
  return found == terms.gateways.end() ? kNobody : found->second;
}

const dkg::Label& NodeCore::Impl::label_of(std::uint64_t chain_id) const {
  auto found = std::find_if(terms.labels.begin(), terms.labels.end(),
                            [&](const dkg::Label& label) { return label.chain_id == chain_id; });
  KMS_ASSERT(found != terms.labels.end());
  return *found;
}

NodeCore::NodeCore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NodeCore::NodeCore(NodeCore&&) noexcept = default;
NodeCore& NodeCore::operator=(NodeCore&&) noexcept = default;
NodeCore::~NodeCore() = default;

Result<NodeCore> NodeCore::begin(NetworkTerms terms, delegation::CredentialsPtr credentials, NodeOptions options,
                                 const dkg::Records& records, Entropy& entropy, Now now) {
  auto impl = std::make_unique<Impl>(std::move(terms), std::move(credentials), std::move(options), entropy);
  if (impl->position) {
    dkg::Self self{impl->credentials->node_key, impl->credentials->node_secret};
    auto epochs = Epochs::begin(impl->terms, self, records, entropy, now);
    if (!epochs) return epochs.error();
    impl->epochs.emplace(std::move(*epochs));
  }
  return NodeCore(std::move(impl));
}

Result<NodeCore> NodeCore::begin_solo(NetworkTerms terms, delegation::CredentialsPtr credentials,
                                      std::vector<SoloKey> keys, NodeOptions options, Entropy& entropy, Now) {
  auto impl = std::make_unique<Impl>(std::move(terms), std::move(credentials), std::move(options), entropy);
  if (!impl->position || impl->terms.members.size() != 1) return error("solo mode is for a committee of one");
  for (SoloKey& key : keys) {
    if (key.secret.is_zero()) return error("the key of chain " + std::to_string(key.chain_id) + " is zero");
    if (!impl->chains.contains(key.chain_id))
      return error("a key for chain " + std::to_string(key.chain_id) + ", which is not configured");
    const dkg::Label& label = impl->label_of(key.chain_id);
    auto kappa = static_cast<std::uint32_t>(&label - impl->terms.labels.data() + 1);
    crypto::Point public_key = crypto::multiply_generator(key.secret).point();
    if (key.imported) impl->imported.insert(key.chain_id);
    impl->serving[key.chain_id] = std::make_shared<const delegation::ServingKey>(
        delegation::ServingKey{impl->terms.network,
                               dkg::key_id(impl->terms.key_set, kappa, label),
                               key.chain_id,
                               0,
                               {},
                               impl->terms.threshold,
                               impl->terms.members,
                               dkg::KeyTable{public_key, {public_key}},
                               1,
                               std::move(key.secret)});
  }
  return NodeCore(std::move(impl));
}

Received NodeCore::receive(Topic topic, const dkg::NodeId& author, std::uint64_t seqno, ByteView batch, Now now) {
  Received out;
  auto position = impl_->terms.members.position_of(author);
  auto parsed = position ? dkg::Batch::parse(batch) : Result<dkg::Batch>(error("the author is not a member"));
  if (!parsed) {
    ++impl_->batches_rejected;
    out.verdict = BatchVerdict::reject;
    out.effects.log.push_back({LogLevel::warn, "gossip: batch rejected: " + parsed.error().message, author.hex()});
    return out;
  }
  if (!impl_->heard[author].seqnos.take(seqno)) {
    ++impl_->batches_repeated;
    out.verdict = BatchVerdict::ignore;
    out.effects.log.push_back({LogLevel::info,
                               "gossip: ignored a batch of " + member_label(impl_->terms, *position) +
                                   " that is repeated or made before others of it; if this goes on, its clock was set "
                                   "back, or somebody plays its old messages again",
                               author.hex() + " repeated"});
    return out;
  }
  const Impl::Origin origin{*position, seqno};
  for (const dkg::Envelope& item : parsed->items) impl_->receive_item(topic, origin, item, out.effects, now);
  if (topic == Topic::ceremony) impl_->send_status(now);
  return out;
}

NodeEffects NodeCore::http(HttpRequestId id, HttpRequest request, Now now) {
  NodeEffects effects;
  Target target = parse_target(request.target);
  if (target.path == "/v0/delegate" && request.method == "POST") {
    impl_->delegate(id, request, target, effects, now);
    return effects;
  }
  bool head = request.method == "HEAD";
  if (head) request.method = "GET";
  HttpResponse response = impl_->read(request, target, now);
  if (head) response.body.clear();
  effects.reply.push_back({id, std::move(response)});
  return effects;
}

NodeEffects NodeCore::computed(delegation::Job job, Now now) {
  NodeEffects effects;
  bool answers = std::holds_alternative<delegation::AnswerJob>(job.work);
  delegation::Effects done =
      answers ? impl_->responder.computed(std::move(job), now) : impl_->collector.computed(std::move(job), now);
  impl_->apply(std::move(done), effects);
  return effects;
}

NodeEffects NodeCore::links(std::vector<PeerLink> links, Now now) {
  NodeEffects effects;
  impl_->links = std::move(links);
  std::set<dkg::Position> alive;
  std::set<dkg::NodeId> nodes;
  for (const PeerLink& link : impl_->links) {
    auto position = impl_->terms.members.position_of(link.node);
    if (!position) continue;
    alive.insert(*position);
    nodes.insert(link.node);
  }
  if (alive == impl_->alive) return effects;
  impl_->alive = alive;
  impl_->tell_responders();
  if (impl_->epochs) impl_->apply(impl_->epochs->peers_connected(nodes, now), effects);
  impl_->send_status(now);
  return effects;
}

NodeEffects NodeCore::tick(Now now) {
  NodeEffects effects;
  if (impl_->epochs) impl_->apply(impl_->epochs->tick(now), effects);
  impl_->apply(impl_->collector.tick(now), effects);
  impl_->apply(impl_->responder.tick(now), effects);
  impl_->send_status(now);
  return effects;
}

std::optional<Instant> NodeCore::wakes_at() const {
  std::optional<Instant> earliest;
  auto consider = [&](std::optional<Instant> instant) {
    if (instant && (!earliest || *instant < *earliest)) earliest = instant;
  };
  if (impl_->epochs) {
    consider(impl_->epochs->wakes_at());
    consider(impl_->status_due);
  }
  consider(impl_->collector.wakes_at());
  consider(impl_->responder.wakes_at());
  return earliest;
}

bool NodeCore::has_outgoing() const {
  return !impl_->outbox.is_empty();
}
std::vector<Publish> NodeCore::flush() {
  return impl_->outbox.flush();
}

bool NodeCore::has_full_batches() const {
  return impl_->outbox.has_closed();
}
std::vector<Publish> NodeCore::take_full_batches() {
  return impl_->outbox.take_closed();
}

delegation::ServingKeyPtr NodeCore::serving(std::uint64_t chain_id) const {
  auto found = impl_->serving.find(chain_id);
  return found == impl_->serving.end() ? nullptr : found->second;
}

const dkg::Ceremony* NodeCore::ceremony() const {
  return impl_->ceremony();
}
bool NodeCore::is_refreshing() const {
  return impl_->epochs && &impl_->epochs->busy() == impl_->epochs->next();
}
const NetworkTerms& NodeCore::terms() const {
  return impl_->terms;
}

}  // namespace kms::node
