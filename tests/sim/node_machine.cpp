#include "tests/sim/node_machine.h"

#include <algorithm>

namespace kms::sim {
namespace {

// First bytes of messages that are no gossip: who pulls, nobody, the object's id; who gives, to whom, id and object.
constexpr std::uint8_t kPull = 0xf0;
constexpr std::uint8_t kObject = 0xf1;

Bytes message_of(std::uint8_t kind, const dkg::NodeId& from, const dkg::NodeId& to, ByteView rest) {
  Bytes out{kind};
  append(out, from.bytes);
  append(out, to.bytes);
  append(out, rest);
  return out;
}

Bytes big_endian(std::uint64_t number) {
  Bytes out;
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(number >> shift));
  return out;
}

}  // namespace

NodeNetwork::NodeNetwork(std::uint16_t members, std::uint16_t threshold, std::uint64_t seed, std::size_t keys) {
  Random random(seed ^ 0x6e6f6465ULL);
  gateway_key = crypto::SecretScalar::random(random);
  std::vector<crypto::Point> node_keys;
  for (std::uint16_t i = 0; i < members; ++i) {
    auto key = crypto::NodeKey::generate(random);
    node_keys.push_back(key.public_key());
    credentials.push_back(std::make_shared<const delegation::Credentials>(delegation::Credentials{
        std::move(key), crypto::Secret<32>::random(random), crypto::SecretScalar::random(random)}));
    entropy.push_back(std::make_unique<Random>(random.next()));
  }
  std::sort(credentials.begin(), credentials.end(),
            [](const auto& a, const auto& b) { return a->node_id() < b->node_id(); });
  auto committee = dkg::Committee::make(node_keys).value();
  std::vector<std::string> names;
  std::set<dkg::NodeId> entries;
  for (const dkg::Member& member : committee.members()) {
    names.push_back("node-" + std::to_string(names.size() + 1));
    entries.insert(member.node);
  }
  const Hash32 nonce{9};
  const auto network = dkg::network_id("sim", nonce);
  std::vector<dkg::Label> labels;
  for (std::size_t i = 0; i < keys; ++i) labels.push_back({kChain + i, {}});
  const auto set = dkg::key_set_id(network, nonce, committee.hash(), threshold, labels);
  const auto gateway = crypto::address_of(crypto::multiply_generator(gateway_key).point());
  std::map<std::uint64_t, std::vector<crypto::Address>> gateways;
  for (const dkg::Label& label : labels) gateways[label.chain_id] = {gateway};
  terms_.emplace(node::NetworkTerms{"sim",
                                    network,
                                    set,
                                    labels,
                                    committee,
                                    names,
                                    dkg::Threshold::make(members, threshold).value(),
                                    dkg::file_hash(as_bytes("network file")),
                                    gateways,
                                    entries,
                                    dkg::Genesis::automatic,
                                    {}});
}

void NodeNetwork::add_gateway(const crypto::Address& gateway) {
  for (auto& [chain, allowed] : terms_->gateways) allowed.push_back(gateway);
}

Boot NodeNetwork::boot() {
  return [this](std::size_t member, const Disk& disk, Now now) -> std::unique_ptr<Machine> {
    Entropy& own = *entropy[member - 1];
    auto core = node::NodeCore::begin(*terms_, credentials[member - 1], options, disk, own, now);
    return std::make_unique<NodeMachine>(std::move(core.value()), credentials[member - 1]->node_id(), own);
  };
}

Output NodeMachine::output(node::NodeEffects effects, Now now) {
  Output out;
  std::vector<delegation::Job> jobs;
  auto take = [&](node::NodeEffects&& more) {
    for (dkg::Write& write : more.save.writes) out.save.writes.push_back(std::move(write));
    for (const node::ObjectPull& pull : more.pull) {
      out.send.push_back(message_of(kPull, self_, pull.announcer.value_or(dkg::NodeId{}), pull.id.bytes));
    }
    for (delegation::Job& job : more.compute) jobs.push_back(std::move(job));
    for (node::HttpReply& reply : more.reply) answers_.insert_or_assign(reply.request, std::move(reply.response));
    if (hooks_.log) std::for_each(more.log.begin(), more.log.end(), hooks_.log);
  };
  take(std::move(effects));
  while (!jobs.empty()) {
    delegation::Job job = std::move(jobs.back());
    jobs.pop_back();
    if (hooks_.before) hooks_.before(job);
    delegation::run(job, entropy_);
    if (hooks_.after) hooks_.after(job);
    take(core_.computed(std::move(job), now));
  }
  for (dkg::Write& write : core_.take_unsaved().writes) out.save.writes.push_back(std::move(write));
  for (node::Publish& publish : core_.flush()) {
    out.send.push_back(gossip_message(publish.topic, self_, publish.entry, next_seqno(now), publish.batch));
  }
  return out;
}

// As net::SeqnoSource: from the clock of the start on.
std::uint64_t NodeMachine::next_seqno(Now now) {
  if (seqno_ == 0) seqno_ = static_cast<std::uint64_t>(now.unix_ms) * 1'000'000;
  return seqno_++;
}

bool is_gossip(const Bytes& message) {
  return message.size() >= 73 && message[0] <= static_cast<std::uint8_t>(node::Topic::public_partials);
}

Bytes gossip_message(node::Topic topic, const dkg::NodeId& author, const dkg::NodeId& entry, std::uint64_t seqno,
                     ByteView batch) {
  Bytes rest = big_endian(seqno);
  append(rest, batch);
  return message_of(static_cast<std::uint8_t>(topic), author, entry, rest);
}

node::Topic topic_of(const Bytes& message) {
  return static_cast<node::Topic>(message[0]);
}

dkg::NodeId gossip_author_of(const Bytes& message) {
  return {to_array<32>(ByteView(message).subspan(1))};
}

dkg::NodeId entry_of(const Bytes& message) {
  return {to_array<32>(ByteView(message).subspan(33))};
}

std::uint64_t seqno_of(const Bytes& message) {
  std::uint64_t seqno = 0;
  for (const std::uint8_t byte : ByteView(message).subspan(65, 8)) seqno = seqno << 8 | byte;
  return seqno;
}

ByteView batch_of(const Bytes& message) {
  return ByteView(message).subspan(73);
}

Output NodeMachine::receive(const Bytes& message, Now now) {
  ByteView view(message);
  const dkg::NodeId author{to_array<32>(view.subspan(1))};
  const dkg::NodeId entry{to_array<32>(view.subspan(33))};
  if (view[0] == kPull) return answer_pull(author, dkg::ObjectId{to_array<32>(view.subspan(65))});
  if (view[0] == kObject) {
    if (entry != self_) return {};
    const dkg::ObjectId id{to_array<32>(view.subspan(65))};
    node::TakenObject taken = core_.take_object(id, author, view.subspan(97), now);
    return output(std::move(taken.effects), now);
  }
  const auto topic = static_cast<node::Topic>(view[0]);
  // The topic of an entry has one reader.
  if (topic == node::Topic::partials && entry != self_) return {};
  node::Received received = core_.receive(topic, author, seqno_of(message), batch_of(message), now);
  return output(std::move(received.effects), now);
}

Output NodeMachine::answer_pull(const dkg::NodeId& asker, const dkg::ObjectId& id) const {
  Output out;
  const auto object = core_.find_object(id);
  if (asker == self_ || !object) return out;
  Bytes rest = to_bytes(id.bytes);
  append(rest, *object);
  out.send.push_back(message_of(kObject, self_, asker, rest));
  return out;
}

Output NodeMachine::tick(Now now) {
  Output out;
  for (auto& [id, request] : std::exchange(asked_, {})) {
    Output more = output(core_.http(id, std::move(request), now), now);
    std::move(more.send.begin(), more.send.end(), std::back_inserter(out.send));
  }
  for (auto& [id, request] : std::exchange(ordered_, {})) {
    node::AdminAnswer answer = core_.order(request, now);
    Output more = output(std::move(answer.effects), now);
    answers_.insert_or_assign(id, std::move(answer.response));
    std::move(more.save.writes.begin(), more.save.writes.end(), std::back_inserter(out.save.writes));
    std::move(more.send.begin(), more.send.end(), std::back_inserter(out.send));
  }
  Output more = output(core_.tick(now), now);
  std::move(more.save.writes.begin(), more.save.writes.end(), std::back_inserter(out.save.writes));
  std::move(more.send.begin(), more.send.end(), std::back_inserter(out.send));
  return out;
}

std::optional<Instant> NodeMachine::wakes_at() const {
  if (!asked_.empty() || !ordered_.empty()) return Instant{};
  return core_.wakes_at();
}

Output NodeMachine::connected(const std::set<std::size_t>& members, Now now) {
  std::vector<node::PeerLink> links;
  for (const std::size_t member : members) {
    const dkg::NodeId node = core_.terms().members.at(static_cast<dkg::Position>(member)).node;
    if (node == self_) continue;
    node::PeerLink link;
    link.node = node;
    links.push_back(std::move(link));
  }
  return output(core_.links(std::move(links), now), now);
}

}  // namespace kms::sim
