// Whole nodes whose committee changes (PROTOCOL.md 4.7): a member that misses the end gets there by what others hold.
#include <gtest/gtest.h>

#include "tests/sim/node_trial.h"

namespace kms::sim {
namespace {

constexpr Duration kOrderedAt = 30s;

// Five nodes of which the first four go on; member 2 is away for 20 s from `away_from` after the order on.
struct CommitteeTrial : NodeTrial {
  explicit CommitteeTrial(Duration away_from) : NodeTrial(5, 3, schedule(away_from), 11) { network.options.grace = 1s; }
  static Schedule schedule(Duration away_from) {
    Schedule out;
    const Duration from = kOrderedAt + away_from;
    out.absences = {{2, from, from + 20s}};
    return out;
  }
  std::string file() const {
    const node::NetworkTerms terms = network.terms();
    std::string text = "name = \"sim\"\ncreation_nonce = \"" + to_0x(Hash32{9}) +
                       "\"\nepoch = 1\nthreshold = 2\nallow_lower_threshold = true\n";
    for (std::size_t i = 0; i < 4; ++i) {
      text += "[[member]]\nkey = \"" + to_hex(terms.members.members()[i].key.bytes()) + "\"\nname = \"" +
              terms.member_names[i] + "\"\n";
    }
    return text + "[[chain]]\nid = " + std::to_string(kChain) + "\ngateway = \"" +
           to_0x(terms.gateways.begin()->second.front().bytes) + "\"\n";
  }
  void approve_everywhere() {
    boost::json::object body;
    body["file"] = file();
    for (std::size_t member = 1; member <= 5; ++member) {
      node::HttpRequest request;
      request.method = "POST";
      request.target = "/v1/admin/approve";
      request.body = boost::json::serialize(body);
      node(member)->order(++last_id, std::move(request));
    }
  }
  dkg::Phase phase(std::size_t member) {
    const dkg::Ceremony* ceremony = node(member)->core().ceremony();
    return ceremony == nullptr ? dkg::Phase::closed : ceremony->phase();
  }
  bool has_share(std::size_t member) {
    const auto key = node(member)->core().serving(kChain);
    return key && key->epoch == 1 && key->share;
  }
  void run_until(Duration until) {
    world.run([&] { return world.now().instant >= Instant{} + until; });
  }
  static constexpr std::uint64_t kChain = NodeNetwork::kChain;
};

// It holds the decision by the Link alone, and the Deals are signed by members of which one has left.
TEST(CommitteeNodeSim, AMemberThatMissedTheDecisionMakesItsShareAfterDealersHaveLeft) {
  std::size_t was_behind = 0;
  for (const Duration away_from : {150ms, 200ms, 250ms, 300ms, 350ms}) {
    CommitteeTrial run(away_from);
    run.run_until(kOrderedAt);
    ASSERT_EQ(run.serving(), 5u);
    run.approve_everywhere();
    run.run_until(kOrderedAt + 19s);
    for (const std::size_t member : {1, 3, 4}) ASSERT_TRUE(run.has_share(member)) << member;
    if (!run.has_share(2)) ++was_behind;
    run.run_until(kOrderedAt + 60s);
    EXPECT_TRUE(run.has_share(2)) << away_from / 1ms << " ms, phase " << dkg::name_of(run.phase(2));
  }
  EXPECT_GT(was_behind, 2u);
}

// Nobody can tell whether it is genuine; its giver, who may have had it from the signer, is no liar for that.
TEST(CommitteeNodeSim, AnObjectWhoseSignerIsUnknownIsUselessAndAnAlteredOneIsForged) {
  NodeNetwork network(4, 3, 12);
  const Now now{Instant{}, 1'700'000'000'000};
  const Disk disk;
  auto core =
      node::NodeCore::begin(network.terms(), network.credentials[0], network.options, disk, *network.entropy[0], now);
  const dkg::Confirm statement{{{1}}, {{2}}, {{3}}, 1};
  const auto verdict = [&](const crypto::NodeKey& signer, bool is_altered) {
    dkg::Envelope envelope = dkg::seal(statement, signer, network.terms().network);
    const auto id = *dkg::object_id(envelope, statement);
    if (is_altered)
      envelope.signature = dkg::seal(dkg::Confirm{{{1}}, {{2}}, {{3}}, 2}, signer, envelope.network).signature;
    return core->take_object(id, network.credentials[2]->node_id(), envelope.encode(), now).verdict;
  };
  const auto stranger = crypto::NodeKey::generate(*network.entropy[0]);
  EXPECT_EQ(verdict(network.credentials[1]->node_key, false), node::ObjectVerdict::taken);
  EXPECT_EQ(verdict(network.credentials[1]->node_key, true), node::ObjectVerdict::forged);
  EXPECT_EQ(verdict(stranger, false), node::ObjectVerdict::useless);
}

}  // namespace
}  // namespace kms::sim
