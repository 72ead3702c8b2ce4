// dkg/: one member's ceremony among others whose keys the fuzzer holds. A whole honest DKG is recorded once; the fuzzer
// chooses which of its envelopes arrive, changes their bodies (signing them again) or writes bodies of its own. The
// member never contradicts itself under its signature, and what it stores has the form it promises.
#include "dkg/ceremony.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::dkg;

namespace {

constexpr std::size_t kMembers = 5;

struct Member {
  explicit Member(std::uint64_t seed) : entropy(seed), key(crypto::NodeKey::generate(entropy)) {
    secret = crypto::Secret<32>::random(entropy);
  }
  sim::Random entropy;
  crypto::NodeKey key;
  crypto::Secret<32> secret;
};

const std::vector<Member>& members() {
  static const std::vector<Member> all = [] {
    std::vector<Member> made;
    for (std::uint64_t i = 0; i < kMembers; ++i) made.emplace_back(i + 1);
    return made;
  }();
  return all;
}

Plan plan() {
  std::vector<crypto::Point> keys;
  for (const Member& member : members()) keys.push_back(member.key.public_key());
  auto committee = Committee::make(keys).value();
  NetworkId network = network_id("fuzz", Hash32{1});
  std::vector<Label> labels{{31337, {}}};
  return {network,
          key_set_id(network, Hash32{1}, committee.hash(), 3, labels),
          labels,
          committee,
          Threshold::make(kMembers, 3).value(),
          {},
          0,
          Genesis::automatic,
          {}};
}

Now start() {
  return {Instant(Duration(1h)), 1'700'000'000'000};
}

std::set<NodeId> everybody() {
  std::set<NodeId> all;
  for (const Member& member : members()) all.insert(NodeId{member.key.node_id()});
  return all;
}

struct Machine {
  explicit Machine(std::size_t number)
      : entropy(100 + number),
        ceremony(Ceremony::begin(plan(), {members()[number].key, members()[number].secret}, entropy, start()).value()) {
  }
  sim::Random entropy;
  Ceremony ceremony;
};

// Every envelope of an honest run, in the order of sending.
std::vector<Envelope> record() {
  std::vector<std::unique_ptr<Machine>> machines;
  std::vector<Envelope> all;
  auto take = [&](Effects effects) {
    for (auto& outgoing : effects.send) all.push_back(std::move(outgoing.envelope));
  };
  Now now = start();
  for (std::size_t i = 0; i < kMembers; ++i) {
    machines.push_back(std::make_unique<Machine>(i));
    take(machines[i]->ceremony.tick(now));
    take(machines[i]->ceremony.peers_connected(everybody(), now));
  }
  std::size_t delivered = 0;
  for (int turn = 0; turn < 400; ++turn) {
    for (; delivered < all.size(); ++delivered) {
      Envelope envelope = all[delivered];
      for (auto& machine : machines) take(machine->ceremony.receive(envelope, now));
    }
    if (machines[0]->ceremony.is_released()) return all;
    now.instant += 100ms;
    now.unix_ms += 100;
    for (auto& machine : machines) take(machine->ceremony.tick(now));
  }
  KMS_ASSERT(false);
}

const std::vector<Envelope>& recorded() {
  static const std::vector<Envelope> all = record();
  return all;
}

class CeremonyWorld {
 public:
  CeremonyWorld() : machine_(0) {
    absorb(machine_.ceremony.tick(now_));
    absorb(machine_.ceremony.peers_connected(everybody(), now_));
  }

  void step(fuzz::Input& in) {
    switch (in.byte() % 8) {
      case 0:
      case 1:
      case 2:  // the run goes on
        for (int count = in.byte() % 32; count >= 0 && next_ < recorded().size(); --count) {
          receive(recorded()[next_++]);
        }
        break;
      case 3:
        receive(recorded()[in.word() % recorded().size()]);
        break;
      case 4:
        receive(changed(recorded()[in.word() % recorded().size()], in));
        break;
      case 5: {
        Envelope envelope;
        envelope.network = plan_.network_id;
        envelope.type = message_type(in.byte()).value_or(MessageType::vote);
        envelope.body = to_bytes(in.take(in.word() & 0x3ff));
        receive(signed_again(std::move(envelope), in.byte() % kMembers));
        break;
      }
      default: {
        int milliseconds = in.word() % 4000;
        now_.instant += std::chrono::milliseconds(milliseconds);
        now_.unix_ms += milliseconds;
        absorb(machine_.ceremony.tick(now_));
      }
    }
  }

 private:
  void receive(const Envelope& envelope) { absorb(machine_.ceremony.receive(envelope, now_)); }

  static Envelope changed(Envelope envelope, fuzz::Input& in) {
    if (envelope.body.empty()) return envelope;
    for (int changes = in.byte() % 3; changes >= 0; --changes) {
      envelope.body[in.word() % envelope.body.size()] ^= in.byte();
    }
    return signed_again(std::move(envelope), in.byte() % kMembers);
  }

  // As member `number` would have sent it; unchanged if the body does not parse.
  static Envelope signed_again(Envelope envelope, std::size_t number) {
    const crypto::NodeKey& key = members()[number].key;
    envelope.sender = NodeId{key.node_id()};
    envelope.signature.reset();
    auto message = parse_message(envelope);
    if (is_signed(envelope.type)) envelope.signature = key.sign(Hash32{1});
    if (!message) return envelope;
    return std::visit(
        [&](const auto& body) {
          using M = std::decay_t<decltype(body)>;
          if constexpr (requires { body.signing_digest(envelope.network, envelope.sender); }) {
            if (is_signed(M::kType)) return seal(body, key, envelope.network);
          }
          return envelope;
        },
        *message);
  }

  void absorb(const Effects& effects) {
    for (const Write& write : effects.save.writes) std::visit([](const auto& one) { check_write(one); }, write);
    for (const auto& outgoing : effects.send) check_sent(outgoing.envelope);
    for (const Event& event : effects.report) {
      KMS_ASSERT(!event.text.empty() && event.text.size() < 2000 && event.culprit <= kMembers);
      // Blame may name the member under test: the fuzzer also signs with its key and replays another run of it (a
      // twin).
    }
    KMS_ASSERT(machine_.ceremony.status().have <= 1000);
    KMS_ASSERT(!machine_.ceremony.is_released() || machine_.ceremony.record() != nullptr);
  }

  static void check_key(const std::string& key) {
    KMS_ASSERT(!key.empty() && key.size() <= 200);
    for (char c : key) KMS_ASSERT(c > ' ' && c < 127);
  }
  static void check_write(const Put& put) {
    check_key(put.key);
    KMS_ASSERT(put.value.size() <= 1024 * 1024);
  }
  static void check_write(const Seal& seal) {
    check_key(seal.key);
    check_key(seal.kek);
  }
  static void check_write(const Erase& erase) { check_key(erase.key); }
  static void check_write(const DestroyKek& destroy) { check_key(destroy.kek); }

  void check_sent(const Envelope& envelope) {
    KMS_ASSERT(envelope.body.size() <= Envelope::kBodyBytesMax);
    auto message = parse_message(envelope);
    KMS_ASSERT(message.has_value());
    if (envelope.sender != NodeId{members()[0].key.node_id()}) return;  // served to others
    if (auto* vote = std::get_if<Vote>(&*message)) {
      only_once({2, static_cast<std::uint8_t>(vote->instance), static_cast<std::uint8_t>(vote->kind), vote->view},
                envelope.body);
    } else if (auto* proposal = std::get_if<Proposal>(&*message)) {
      only_once({3, static_cast<std::uint8_t>(proposal->instance), 0, proposal->view}, envelope.body);
    } else if (std::holds_alternative<Confirm>(*message)) {
      only_once({4, 0, 0, 0}, envelope.body);
    } else if (std::holds_alternative<Active>(*message)) {
      only_once({5, 0, 0, 0}, envelope.body);
    }
  }

  void only_once(const std::array<std::uint64_t, 4>& what, const Bytes& body) {
    auto [at, fresh] = said_.emplace(what, body);
    KMS_ASSERT(fresh || at->second == body);
  }

  Plan plan_ = plan();
  Now now_ = start();
  Machine machine_;
  std::size_t next_ = 0;  // of recorded()
  std::map<std::array<std::uint64_t, 4>, Bytes> said_;
};

}  // namespace

KMS_FUZZER(dkg_ceremony) {
  fuzz::Input in(input);
  CeremonyWorld world;
  for (int steps = 0; steps < 40 && !in.is_empty(); ++steps) world.step(in);
}
