#include "tests/sim/program/scene.h"

#include "dkg/dealing.h"

namespace kms::sim {

void Behaviour::send(Scene& scene, const dkg::Envelope& envelope) {
  scene.say(envelope);
}
void Behaviour::hear(Scene&, const dkg::Envelope&) {}
void Behaviour::wake(Scene&) {}

void Scene::shout(Bytes garbage) {
  Bytes message{static_cast<std::uint8_t>(place >> 8), static_cast<std::uint8_t>(place)};
  append(message, garbage);
  output.send.push_back(std::move(message));
}

void Scene::confess(Attack::Evidence evidence, Duration late) {
  stage.ring().crimes.push_back({place, &attack_, stage.time() + late, evidence, Crime::Until::decision});
}

void Scene::confess_at_the_end(Attack::Evidence evidence) {
  stage.ring().crimes.push_back({place, &attack_, stage.time(), evidence, Crime::Until::end});
}

std::optional<crypto::SecretScalar> Scene::prekey(std::uint32_t attempt) const {
  const auto opened =
      stage.disk(place).open("slot/" + to_hex(ceremony().slot().view()) + "/prekey/" + std::to_string(attempt));
  if (!opened) return std::nullopt;
  auto parsed = crypto::SecretScalar::parse(opened->expose());
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

const dkg::CeremonyHeader* Scene::header(const dkg::Sid& sid) const {
  const auto found = stage.ring().headers.find(sid);
  const bool is_ours = found != stage.ring().headers.end() && found->second.slot() == ceremony().slot();
  return is_ours ? &found->second : nullptr;
}

dkg::Position Scene::dealer() const {
  const auto& old = stage.plan().old;
  const auto committee = old ? old->header.committee() : stage.plan().members;
  return committee.position_of(ceremony().self()).value_or(0);
}

dkg::Position Scene::receiver() const {
  return stage.plan().members.position_of(ceremony().self()).value_or(0);
}

dkg::Position Scene::receiver_of(std::size_t other) const {
  return stage.plan().members.position_of(stage.person(other).id()).value_or(0);
}

std::size_t Scene::place_of_receiver(dkg::Position position) const {
  return *stage.everybody().position_of(stage.plan().members.at(position).node);
}

std::vector<dkg::Position> Scene::targets(const dkg::CeremonyHeader& header) const {
  std::vector<dkg::Position> out;
  for (dkg::Position position = 1; position <= header.members.size(); ++position) {
    if (!header.is_absent(position) && stage.is_honest(place_of_receiver(position))) out.push_back(position);
  }
  return out;
}

dkg::Deal forge_deal(const Scene& scene, const dkg::CeremonyHeader& header, const DealLie& lie) {
  std::vector<std::vector<crypto::Element>> points;
  std::vector<crypto::SecretScalar> shares;
  if (scene.stage.plan().old) {
    for (const auto& table : scene.stage.plan().old->tables) points.push_back(table.shares);
  }
  auto terms = dkg::deal_terms(header, header.sid(), points);
  for (const auto position : lie.garbled) terms.prekeys[position - 1u] = crypto::Point::second_generator();
  if (lie.more_commitments != 0) {
    const auto wanted = static_cast<std::uint32_t>(header.threshold.t() + lie.more_commitments);
    const auto other = dkg::Threshold::make(header.threshold.n(), wanted);
    if (other) terms.receivers = *other;
  }
  Random random(lie.salt ^ 0x6c6965ULL ^ scene.place);
  const auto seed =
      dkg::deal_seed(crypto::Secret<32>::random(random), scene.stage.person(scene.place).secret, terms.sid);
  if (scene.stage.plan().old) {
    const auto* old = scene.inside().previous();
    for (const auto& share : old->shares_to_deal()) shares.push_back(share + crypto::Scalar(lie.constant_off));
  }
  if (lie.constants != nullptr) {
    terms.constant.resize(lie.constants->size());  // make_deal counts them
    for (const auto& constant : *lie.constants) shares.push_back(constant.clone());
  }
  return dkg::make_deal(terms, scene.dealer(), seed, shares);
}

Output Traitor::twist(Scene& scene, Output honest) {
  scene.output.save = std::move(honest.save);
  for (const auto& message : honest.send) {
    const auto envelope = envelope_of(message);
    if (envelope) behaviour_->send(scene, *envelope);
  }
  if (scene.now.instant >= wake_at_) {
    wake_at_ = scene.now.instant + 1s;
    behaviour_->wake(scene);
  }
  return std::move(scene.output);
}

Output Traitor::receive(const Bytes& message, Now now) {
  Scene scene(stage_, place_, attack_, *inside_, random_, now);
  if (const auto envelope = envelope_of(message)) behaviour_->hear(scene, *envelope);
  return twist(scene, inside_->receive(message, now));
}

Output Traitor::tick(Now now) {
  Scene scene(stage_, place_, attack_, *inside_, random_, now);
  return twist(scene, inside_->tick(now));
}

std::optional<Instant> Traitor::wakes_at() const {
  const auto wake = inside_->wakes_at();
  return wake ? std::min(*wake, wake_at_) : wake_at_;
}

Output Traitor::connected(const std::set<std::size_t>& members, Now now) {
  Scene scene(stage_, place_, attack_, *inside_, random_, now);
  return twist(scene, inside_->connected(members, now));
}

}  // namespace kms::sim
