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

// A node with an old disk, one of seven (f = 2), and what it hears of the others.
struct OldDisk : Operator {
  OldDisk() {
    const auto& own = *trial.network.credentials[0];
    auto begun = node::Epochs::begin(terms, {own.node_key, own.node_secret}, trial.world.disk(1), entropy, now,
                                     node::Epochs::kGrace, node::Disk::rolled_back);
    epochs.emplace(std::move(begun.value()));
  }
  void hear(dkg::Position from, std::uint32_t epoch) {
    dkg::NodeStatus::Entry entry;
    entry.key_set = terms.key_set;
    entry.epoch = epoch;
    entry.state = static_cast<std::uint32_t>(dkg::Phase::released);
    const auto& sender = terms.members.at(from).node;
    const auto envelope = dkg::wrap(dkg::NodeStatus{{entry}}, sender, terms.network);
    for (const auto& step : epochs->receive(envelope, sender, now).steps) disk.apply(step.effects.save);
  }
  // What it has noted: the one epoch in whose slot it stays silent.
  std::string silent_in() const {
    const auto noted = disk.find("epochs/silent");
    return noted ? std::string(as_text(*noted)) : "all";
  }
  Disk disk;
};

TEST(OrderSim, OneMembersWordDoesNotUndoWhatTheOthersSay) {
  OldDisk own;
  own.hear(2, 0);
  own.hear(3, 0);
  own.hear(7, 9);  // a liar
  EXPECT_EQ(own.silent_in(), "all");
  own.hear(4, 0);
  EXPECT_EQ(own.silent_in(), "1") << "three members say that they are no further, and one of them is honest";
}

TEST(OrderSim, WhileMoreMembersThanMayCheatAreFurtherAnOldDiskStaysSilent) {
  OldDisk own;
  for (const auto further : std::vector<dkg::Position>{4, 5, 6}) own.hear(further, 1);
  for (const auto level : std::vector<dkg::Position>{2, 3, 7}) own.hear(level, 0);
  EXPECT_EQ(own.silent_in(), "all");
  for (const auto caught_up : std::vector<dkg::Position>{4, 5, 6}) own.hear(caught_up, 0);
  EXPECT_EQ(own.silent_in(), "1") << "the last word of each counts";
}

}  // namespace
}  // namespace kms::sim
