#include "tests/sim/ceremony_machine.h"

#include "dkg/dealing.h"

namespace kms::sim {
namespace {

dkg::Plan make_plan(const std::vector<crypto::NodeKey>& nodes, std::uint16_t threshold, std::size_t keys) {
  std::vector<crypto::Point> points;
  for (const auto& node : nodes) points.push_back(node.public_key());
  auto members = dkg::Committee::make(points).value();
  const auto sizes = dkg::Threshold::make(static_cast<std::uint32_t>(nodes.size()), threshold).value();
  const Hash32 nonce{7};
  const auto network = dkg::network_id("sim", nonce);
  std::vector<dkg::Label> labels;
  for (std::size_t key = 0; key < keys; ++key) labels.push_back({31337 + key, {}});
  const auto set = dkg::key_set_id(network, nonce, members.hash(), threshold, labels);
  return dkg::Plan{.network_id = network,
                   .key_set = set,
                   .labels = labels,
                   .members = std::move(members),
                   .threshold = sizes,
                   .file = dkg::file_hash(as_bytes("network file")),
                   .not_after = 0,
                   .genesis = dkg::Genesis::automatic,
                   .timing = {}};
}

std::vector<crypto::NodeKey> make_nodes(std::uint16_t members, std::uint64_t seed) {
  Random random(seed ^ 0x6b6579ULL);
  std::vector<crypto::NodeKey> nodes;
  for (std::uint16_t i = 0; i < members; ++i) nodes.push_back(crypto::NodeKey::generate(random));
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a.node_id() < b.node_id(); });
  return nodes;
}

}  // namespace

Committee::Committee(std::uint16_t members, std::uint16_t threshold, std::uint64_t seed, std::size_t keys)
    : plan(make_plan(make_nodes(members, seed), threshold, keys)), nodes(make_nodes(members, seed)) {
  Random random(seed ^ 0x736563ULL);
  for (std::uint16_t i = 0; i < members; ++i) {
    node_secrets.push_back(crypto::Secret<32>::random(random));
    entropy.push_back(std::make_unique<Random>(random.next()));
  }
}

Boot Committee::boot() {
  return [this](std::size_t member, const Disk& disk, Now now) -> std::unique_ptr<Machine> {
    const dkg::Self self{nodes[member - 1], node_secrets[member - 1]};
    auto ceremony = dkg::Ceremony::restore(plan, self, disk, *entropy[member - 1], now);
    return std::make_unique<CeremonyMachine>(std::move(ceremony.value()));
  };
}

Output CeremonyMachine::output(dkg::Effects effects, Now now) {
  Output out;
  out.save = std::move(effects.save);
  for (const auto& item : effects.send) out.send.push_back(item.envelope.encode());
  std::move(effects.report.begin(), effects.report.end(), std::back_inserter(events_));
  const auto status = ceremony_.status_message();
  if (status != last_status_ || now.instant >= status_at_ + 10s) {
    last_status_ = status;
    status_at_ = now.instant;
    out.send.push_back(dkg::wrap(dkg::NodeStatus{{status}}, ceremony_.self(), ceremony_.plan().network_id).encode());
  }
  return out;
}

Output CeremonyMachine::receive(const Bytes& message, Now now) {
  const auto envelope = dkg::Envelope::parse(message);
  if (!envelope) return {};
  return output(ceremony_.receive(*envelope, now), now);
}

Output CeremonyMachine::tick(Now now) {
  if (const auto until = std::exchange(approves_, std::nullopt)) return output(ceremony_.approve(*until, now), now);
  asked_at_ = now.instant;
  if (names_ && !std::exchange(is_emergency_ordered_, true)) return obey(ceremony_.order_emergency(now), now);
  const auto state = ceremony_.emergency();
  if (names_ && !has_named_ && !ceremony_.is_released()) {
    if (const auto named = names_(state)) {
      has_named_ = true;
      return obey(ceremony_.sign_emergency(*named, now), now);
    }
  }
  if (gives_up_at_ && now.instant >= *gives_up_at_ && ceremony_.void_state().may_be_voided) {
    gives_up_at_.reset();
    return obey(ceremony_.approve_void(now), now);
  }
  return output(ceremony_.tick(now), now);
}

Output CeremonyMachine::obey(Result<dkg::Effects> effects, Now now) {
  if (effects) return output(std::move(*effects), now);
  refusals_.push_back(effects.error().message);
  return output(ceremony_.tick(now), now);
}

std::optional<Instant> CeremonyMachine::wakes_at() const {
  Instant status = status_at_ + 10s;
  // The operator looks again.
  if (gives_up_at_) status = std::min(status, std::max(*gives_up_at_, asked_at_ + 200ms));
  if (names_ && !has_named_ && !ceremony_.is_released()) status = std::min(status, asked_at_ + 200ms);
  const auto wake = ceremony_.wakes_at();
  return wake ? std::min(*wake, status) : status;
}

Output CeremonyMachine::connected(const std::set<std::size_t>& members, Now now) {
  std::set<dkg::NodeId> peers;
  for (const auto member : members) peers.insert(ceremony_.everybody().at(static_cast<dkg::Position>(member)).node);
  return output(ceremony_.peers_connected(peers, now), now);
}

void WrongShareMachine::learn(const Bytes& message) {
  const auto envelope = dkg::Envelope::parse(message);
  if (!envelope || envelope->type != dkg::MessageType::ceremony_header) return;
  const auto header = dkg::CeremonyHeader::parse(envelope->body);
  if (header) headers_.emplace(header->sid(), *header);
}

Output WrongShareMachine::receive(const Bytes& message, Now now) {
  learn(message);
  return twist(honest_->receive(message, now));
}

// The share is encrypted to a prekey that is not the victim's; every objective check still passes.
Output WrongShareMachine::twist(Output output) {
  for (auto& message : output.send) {
    learn(message);
    const auto envelope = dkg::Envelope::parse(message);
    if (!envelope || envelope->type != dkg::MessageType::deal) continue;
    const auto deal = dkg::Deal::parse(envelope->body);
    if (!deal || !headers_.contains(deal->sid)) continue;
    auto terms = dkg::deal_terms(headers_.at(deal->sid), deal->sid);
    terms.prekeys[victim_ - 1u] = crypto::Point::second_generator();
    const auto seed = crypto::Secret<32>::copy_of(deal->sid.view());
    const auto& key = committee_.nodes[self_ - 1u];
    message = dkg::seal(dkg::make_deal(terms, self_, seed), key, committee_.plan.network_id).encode();
  }
  return output;
}

}  // namespace kms::sim
