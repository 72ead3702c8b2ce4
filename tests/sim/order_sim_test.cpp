// Orders of operators against the disk of a node that serves (PROTOCOL.md 4.1): what is refused leaves nothing behind.
#include <gmock/gmock.h>

#include "node/epochs.h"
#include "tests/sim/node_trial.h"

namespace kms::sim {
namespace {

using testing::HasSubstr;

// Node 1 of seven after their key was released, as it comes back from its disk.
struct Operator {
  Operator() : trial(7, 3, Schedule{}, 7), terms(trial.network.terms()) {
    trial.world.run([&] { return trial.serving() == 7; });
    now = trial.world.now();
    const auto& own = *trial.network.credentials[0];
    auto begun = node::Epochs::begin(terms, {own.node_key, own.node_secret}, trial.world.disk(1), entropy, now);
    epochs.emplace(std::move(begun.value()));
  }
  std::string file(std::uint32_t epoch, std::uint16_t threshold = 3) const {
    std::string text = "name = \"sim\"\ncreation_nonce = \"" + to_0x(Hash32{9}) +
                       "\"\nepoch = " + std::to_string(epoch) + "\nthreshold = " + std::to_string(threshold) + "\n";
    for (std::size_t i = 0; i < terms.members.size(); ++i) {
      text += "[[member]]\nkey = \"" + to_hex(terms.members.members()[i].key.bytes()) + "\"\nname = \"" +
              terms.member_names[i] + "\"\n";
    }
    return text + "[[chain]]\nid = " + std::to_string(NodeNetwork::kChain) + "\ngateway = \"" +
           to_0x(terms.gateways.begin()->second.front().bytes) + "\"\n";
  }
  std::uint64_t in_seconds(std::int64_t seconds) const {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(now.unix_s()) + seconds);
  }

  NodeTrial trial;
  node::NetworkTerms terms;
  Random entropy{3};
  Now now;
  std::optional<node::Epochs> epochs;
};

template <class T>
std::string refusal(const Result<T>& result) {
  return result ? "accepted" : result.error().message;
}

TEST(OrderSim, AnApprovalThatIsOverLeavesRoomForAnotherFile) {
  Operator own;
  ASSERT_TRUE(own.epochs->newest());
  EXPECT_THAT(refusal(own.epochs->approve(own.file(1), own.in_seconds(-1), own.now)), HasSubstr("notAfter"));
  EXPECT_EQ(own.epochs->approved(), nullptr);
  EXPECT_EQ(own.epochs->next(), nullptr);
  EXPECT_EQ(refusal(own.epochs->approve(own.file(1, 4), own.in_seconds(3600), own.now)), "accepted");
  ASSERT_TRUE(own.epochs->approved());
  EXPECT_EQ(own.epochs->approved()->threshold.t(), 4);
}

TEST(OrderSim, AnApprovalIsSignedOnceForOneFile) {
  Operator own;
  EXPECT_EQ(refusal(own.epochs->approve(own.file(1), own.in_seconds(3600), own.now)), "accepted");
  ASSERT_NE(own.epochs->next(), nullptr);
  EXPECT_THAT(refusal(own.epochs->approve(own.file(1, 4), own.in_seconds(3600), own.now)), HasSubstr("one file per"));
  EXPECT_THAT(refusal(own.epochs->approve(own.file(2), own.in_seconds(3600), own.now)), HasSubstr("write epoch = 1"));
  EXPECT_EQ(own.epochs->approved()->threshold.t(), 3);
}

TEST(OrderSim, ARefreshThatIsOverIsNotOrdered) {
  Operator own;
  EXPECT_THAT(refusal(own.epochs->refresh(own.in_seconds(-1), own.now)), HasSubstr("notAfter"));
  EXPECT_EQ(own.epochs->next(), nullptr);
  own.epochs->tick(own.now);
  EXPECT_EQ(own.epochs->next(), nullptr);  // no order is remembered either
  EXPECT_EQ(refusal(own.epochs->refresh(own.in_seconds(3600), own.now)), "accepted");
  EXPECT_NE(own.epochs->next(), nullptr);
}

TEST(OrderSim, ARepairThatIsOverIsNotApproved) {
  Operator own;
  const auto& subject = own.terms.members.members()[1].node;
  EXPECT_THAT(refusal(own.epochs->repair(subject, own.in_seconds(0), own.now)), HasSubstr("notAfter"));
  EXPECT_EQ(refusal(own.epochs->repair(subject, own.in_seconds(3600), own.now)), "accepted");
}

}  // namespace
}  // namespace kms::sim
