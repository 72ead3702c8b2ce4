#include "node/node_core.h"

#include "base/assert.h"
#include "node/node_core_impl.h"
#include "node/v0_api.h"

namespace kms::node {

NodeCore::NodeCore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NodeCore::NodeCore(NodeCore&&) noexcept = default;
NodeCore& NodeCore::operator=(NodeCore&&) noexcept = default;
NodeCore::~NodeCore() = default;

Result<NodeCore> NodeCore::begin(NetworkTerms terms, delegation::CredentialsPtr credentials, NodeOptions options,
                                 const dkg::Records& records, Entropy& entropy, Now now) {
  auto impl = std::make_unique<Impl>(std::move(terms), std::move(credentials), std::move(options), entropy);
  dkg::Self self{impl->credentials->node_key, impl->credentials->node_secret};
  auto epochs = Epochs::begin(impl->terms, self, records, entropy, now, impl->options.grace, impl->options.disk);
  if (!epochs) return epochs.error();
  impl->epochs.emplace(std::move(*epochs));
  impl->ceremonies = CeremonyLog::restore(records);
  if (auto restored = impl->replay.restore(records, now); !restored) return restored.error();
  impl->refresh_members();
  return NodeCore(std::move(impl));
}

Result<NodeCore> NodeCore::begin_solo(NetworkTerms terms, delegation::CredentialsPtr credentials,
                                      std::vector<SoloKey> keys, NodeOptions options, const dkg::Records* records,
                                      Entropy& entropy, Now now) {
  auto impl = std::make_unique<Impl>(std::move(terms), std::move(credentials), std::move(options), entropy);
  if (records != nullptr) {
    if (auto restored = impl->replay.restore(*records, now); !restored) return restored.error();
  }
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
  const auto member = impl_->roster.find(author);
  const bool is_known = member != impl_->roster.end();
  auto parsed = is_known ? dkg::Batch::parse(batch) : Result<dkg::Batch>(error("the author is not a member"));
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
                               "gossip: ignored a batch of " + impl_->label_of(author) +
                                   " that is repeated or made before others of it; if this goes on, its clock was set "
                                   "back, or somebody plays its old messages again",
                               author.hex() + " repeated"});
    return out;
  }
  const Impl::Origin origin{{author, member->second.key}, seqno};
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
  if (Impl::is_v1_delegation(request, target)) {
    impl_->delegate_v1(id, request, target, effects, now);
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
  const auto& work = job.work;
  const bool is_answer = std::holds_alternative<delegation::AnswerJob>(work);
  const bool is_public = std::holds_alternative<delegation::PartialJob>(work) ||
                         std::holds_alternative<delegation::VerifyJob>(work) ||
                         std::holds_alternative<delegation::CombineJob>(work);
  delegation::Effects done = is_answer   ? impl_->responder.computed(std::move(job), now)
                             : is_public ? impl_->board.computed(std::move(job), now)
                                         : impl_->collector.computed(std::move(job), now);
  impl_->apply(std::move(done), effects);
  return effects;
}

NodeEffects NodeCore::links(std::vector<PeerLink> links, Now now) {
  NodeEffects effects;
  impl_->links = std::move(links);
  if (!impl_->see_links()) return effects;
  if (impl_->epochs) impl_->apply(impl_->epochs->peers_connected(impl_->alive, now), effects, now);
  // Who has just come knows nothing of this node yet.
  impl_->status_due = now.instant;
  impl_->send_status(now);
  return effects;
}

NodeEffects NodeCore::tick(Now now) {
  NodeEffects effects;
  if (impl_->epochs) impl_->apply(impl_->epochs->tick(now), effects, now);
  impl_->apply(impl_->collector.tick(now), effects);
  impl_->apply(impl_->responder.tick(now), effects);
  impl_->apply(impl_->board.tick(now), effects);
  impl_->replay.tick(now);
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
  consider(impl_->board.wakes_at());
  consider(impl_->replay.wakes_at());
  return earliest;
}

bool NodeCore::has_unsaved() const {
  return impl_->replay.has_unsaved();
}
dkg::Checkpoint NodeCore::take_unsaved() {
  return impl_->replay.take_unsaved();
}

bool NodeCore::has_outgoing() const {
  return !impl_->outbox.is_empty();
}
std::vector<Publish> NodeCore::flush() {
  KMS_ASSERT(!has_unsaved());
  return impl_->outbox.flush();
}

bool NodeCore::has_full_batches() const {
  return impl_->outbox.has_closed();
}
std::vector<Publish> NodeCore::take_full_batches() {
  KMS_ASSERT(!has_unsaved());
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
  return impl_->epochs && impl_->epochs->next() != nullptr && impl_->epochs->busy() == impl_->epochs->next();
}
const std::map<dkg::NodeId, KnownNode>& NodeCore::known_nodes() const {
  return impl_->roster;
}
std::uint64_t NodeCore::membership() const {
  return impl_->membership;
}
const NetworkTerms& NodeCore::terms() const {
  return impl_->terms;
}

}  // namespace kms::node
