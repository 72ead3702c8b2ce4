#include "tests/sim/program/trick.h"

namespace kms::sim {

void Trick::before(TrickScene&, delegation::Job&) {}
void Trick::after(TrickScene&, delegation::Job&) {}
void Trick::send(TrickScene& scene, node::Topic topic, const dkg::NodeId& entry, const dkg::Envelope& item) {
  scene.say(topic, item, entry);
}
void Trick::hear(TrickScene&, const Bytes&) {}
bool Trick::answer(TrickScene&, node::HttpResponse&) {
  return true;
}
void Trick::wake(TrickScene&) {}

delegation::ServingKeyPtr TrickScene::key(std::size_t number) const {
  return core().serving(NodeNetwork::kChain + number);
}

Bytes TrickScene::message(node::Topic topic, const dkg::NodeId& entry, ByteView batch) {
  return gossip_message(topic, self(), entry, next_seqno_++, batch);
}

void TrickScene::say(node::Topic topic, const dkg::Envelope& item, const dkg::NodeId& entry) {
  say_batch(topic, dkg::Batch{{item}}.encode(), entry);
}

void TrickScene::say_batch(node::Topic topic, ByteView batch, const dkg::NodeId& entry) {
  output.send.push_back(message(topic, entry, batch));
}

void TrickScene::tell(std::size_t to, node::Topic topic, const dkg::Envelope& item, const dkg::NodeId& entry) {
  if (to != place) output.whispers.push_back({to, message(topic, entry, dkg::Batch{{item}}.encode())});
}

dkg::Envelope TrickScene::wrap(const delegation::PartialB& partial) const {
  return {service.network(), delegation::PartialB::kType, self(), partial.body(), partial.signature};
}

std::size_t TrickScene::other_place() const {
  for (;;) {
    const std::size_t other = 1 + random.below(service.places());
    if (service.is_honest(other)) return other;
  }
}

std::vector<dkg::Envelope> items_of(const Bytes& message) {
  if (!is_gossip(message)) return {};
  auto batch = dkg::Batch::parse(batch_of(message));
  return batch ? std::move(batch->items) : std::vector<dkg::Envelope>{};
}

std::string delegation_name_of(const Bytes& message) {
  if (!is_gossip(message)) return "an object";
  std::string out;
  for (const auto& item : items_of(message)) {
    if (!out.empty()) out += ", ";
    out += dkg::name_of(item.type);
  }
  return out.empty() ? "garbage" : out;
}

ServiceNode::ServiceNode(Service& service, std::size_t place, std::unique_ptr<NodeMachine> inside,
                         std::shared_ptr<Trick> trick, Random& random)
    : service_(service), place_(place), inside_(std::move(inside)), trick_(std::move(trick)), random_(random) {
  hook();
}

void ServiceNode::hook() {
  NodeMachine::Hooks hooks;
  if (trick_) {
    hooks.before = [this](delegation::Job& job) { trick_->before(*scene_, job); };
    hooks.after = [this](delegation::Job& job) { trick_->after(*scene_, job); };
  } else {
    hooks.after = [this](delegation::Job& job) { service_.finished_job(place_, job); };
  }
  hooks.log = [this](const node::LogLine& line) { service_.logged(place_, line); };
  inside_->hook(std::move(hooks));
}

TrickScene ServiceNode::scene(Now now) {
  // As a node counts: from its clock on.
  if (next_seqno_ == 0) next_seqno_ = static_cast<std::uint64_t>(now.unix_ms) * 1'000'000;
  return {service_, place_, *inside_, random_, now, next_seqno_};
}

// What the node inside wants to send goes through the trick, under seqnos of the traitor's own.
Output ServiceNode::twist(TrickScene& scene, Output honest) {
  for (const Bytes& message : honest.send) {
    if (!is_gossip(message)) {
      scene.output.send.push_back(message);
    } else if (topic_of(message) == node::Topic::ceremony) {
      scene.say_batch(node::Topic::ceremony, batch_of(message));
    } else {
      for (const auto& item : items_of(message)) trick_->send(scene, topic_of(message), entry_of(message), item);
    }
  }
  scene.output.save = std::move(honest.save);
  return std::move(scene.output);
}

void ServiceNode::keep_answers(TrickScene* scene) {
  for (auto& [id, response] : inside_->take_answers()) {
    if (scene == nullptr || trick_->answer(*scene, response)) answers_.insert_or_assign(id, std::move(response));
  }
}

Output ServiceNode::receive(const Bytes& message, Now now) {
  if (!trick_) {
    Output out = inside_->receive(message, now);
    keep_answers(nullptr);
    return out;
  }
  TrickScene scene = this->scene(now);
  scene_ = &scene;
  // Traitors that react to each other would never end.
  const auto author = is_gossip(message) ? service_.place_of(gossip_author_of(message)) : std::nullopt;
  if (!author || service_.is_honest(*author)) trick_->hear(scene, message);
  Output out = twist(scene, inside_->receive(message, now));
  keep_answers(&scene);
  return out;
}

Output ServiceNode::tick(Now now) {
  if (!answers_.empty()) service_.answered(place_, std::exchange(answers_, {}));
  service_.wake();
  if (!trick_) {
    Output out = inside_->tick(now);
    keep_answers(nullptr);
    return out;
  }
  TrickScene scene = this->scene(now);
  scene_ = &scene;
  if (now.instant >= wake_at_) {
    wake_at_ = now.instant + kTrickPeriod;
    if (inside_->core().serving(NodeNetwork::kChain)) trick_->wake(scene);
  }
  Output out = twist(scene, inside_->tick(now));
  keep_answers(&scene);
  return out;
}

std::optional<Instant> ServiceNode::wakes_at() const {
  if (!answers_.empty()) return Instant{};
  auto out = inside_->wakes_at();
  const auto consider = [&out](Instant at) { out = out ? std::min(*out, at) : at; };
  if (const auto due = service_.next_due()) consider(*due);
  if (trick_) consider(wake_at_);
  return out;
}

Output ServiceNode::connected(const std::set<std::size_t>& members, Now now) {
  if (!trick_) return inside_->connected(members, now);
  TrickScene scene = this->scene(now);
  scene_ = &scene;
  return twist(scene, inside_->connected(members, now));
}

}  // namespace kms::sim
