#include <gtest/gtest.h>

#include "tests/dkg/clock.h"
#include "tests/dkg/simplex_world.h"

namespace kms::dkg::test {
namespace {

struct Size {
  std::uint16_t n, t;
  std::uint16_t f() const { return static_cast<std::uint16_t>(std::min((n - 1) / 3, (n - t) / 2)); }
  std::uint16_t q() const { return static_cast<std::uint16_t>(n - f()); }
};
constexpr Size kSizes[] = {{4, 2}, {5, 3}, {7, 4}, {7, 3}};

ValueHash value(std::uint8_t n) {
  ValueHash hash;
  hash.bytes[0] = n;
  return hash;
}

SimplexSettings member_of_four(Position self) {
  SimplexSettings settings;
  settings.members = 4;
  settings.quorum = 3;
  settings.self = self;
  settings.offset = 3;  // member 1 leads view 1
  settings.view_base = 1s;
  settings.view_max = 1h;
  return settings;
}
void vote_all(Simplex& machine, const OwnVote& vote, std::vector<Position> voters) {
  for (const auto voter : voters) machine.add_vote({voter, vote, {}}, at(1s));
}

TEST(Simplex, NeverDecidesTwiceWithThresholdMinusOneLiarsStormsAndCrashes) {
  for (const auto size : kSizes) {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
      WorldSettings settings;
      settings.members = size.n;
      settings.quorum = size.q();
      settings.liars = static_cast<std::uint16_t>(size.t - 1);
      SimplexWorld world(settings, seed);
      world.run();
      ASSERT_LE(world.decidable().size(), 1u) << "n " << size.n << " t " << size.t << " seed " << seed;
      ASSERT_LE(world.decided().size(), 1u) << "n " << size.n << " t " << size.t << " seed " << seed;
      ASSERT_EQ(world.contradiction(), "") << "n " << size.n << " t " << size.t << " seed " << seed;
    }
  }
}

TEST(Simplex, AQuorumOneTooSmallSplits) {
  std::size_t splits = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    WorldSettings settings;
    settings.members = 4;
    settings.quorum = 2;
    settings.liars = 1;
    SimplexWorld world(settings, seed);
    world.run();
    if (world.decidable().size() > 1) ++splits;
  }
  EXPECT_GT(splits, 0u) << "the world is too tame to show that the quorum matters";
}

TEST(Simplex, EverybodyDecidesAfterTheStormWithAsManyLiarsAsTolerated) {
  for (const auto size : kSizes) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      WorldSettings settings;
      settings.members = size.n;
      settings.quorum = size.q();
      settings.liars = size.f();
      settings.calm_from = 20s;
      settings.end = 3600s;
      SimplexWorld world(settings, seed);
      world.run();
      ASSERT_TRUE(world.have_all_decided()) << "n " << size.n << " t " << size.t << " seed " << seed;
      ASSERT_EQ(world.decided().size(), 1u) << "n " << size.n << " t " << size.t << " seed " << seed;
    }
  }
}

TEST(Simplex, ACrashAtAnyPersistBoundaryContradictsNothingAndStopsNobody) {
  WorldSettings settings;
  settings.is_stormy = false;
  settings.liars = 0;
  settings.calm_from = 0s;
  settings.end = 600s;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SimplexWorld quiet(settings, seed);
    quiet.run();
    ASSERT_TRUE(quiet.have_all_decided());
    for (std::uint64_t boundary = 0; boundary < quiet.boundaries(); ++boundary) {
      auto with_crash = settings;
      with_crash.crash_at = boundary;
      SimplexWorld world(with_crash, seed);
      world.run();
      ASSERT_TRUE(world.have_all_decided()) << "seed " << seed << " boundary " << boundary;
      ASSERT_EQ(world.decided().size(), 1u) << "seed " << seed << " boundary " << boundary;
      ASSERT_EQ(world.contradiction(), "") << "seed " << seed << " boundary " << boundary;
    }
  }
}

TEST(Simplex, DoesNotVoteForAValueThatWasNotAdmitted) {
  Simplex machine(member_of_four(2));
  machine.start(at(0s));
  machine.add_proposal(1, {1, value(7), 0}, at(1ms));
  EXPECT_TRUE(machine.take().votes.empty());
  EXPECT_EQ(machine.missing().values, std::set<ValueHash>{value(7)});
  machine.admit(value(7), at(2ms));
  EXPECT_EQ(machine.take().votes, std::vector<OwnVote>({{1, VoteKind::notarize, value(7)}}));
}

TEST(Simplex, RefusesAProposalOfAMemberThatDoesNotLeadTheView) {
  Simplex machine(member_of_four(2));
  machine.admit(value(7), at(0s));
  machine.start(at(0s));
  machine.add_proposal(3, {1, value(7), 0}, at(1ms));
  EXPECT_TRUE(machine.take().votes.empty());
}

TEST(Simplex, NotarizesOnlyTheFirstValidProposalOfAView) {
  Simplex machine(member_of_four(2));
  machine.admit(value(7), at(0s));
  machine.admit(value(8), at(0s));
  machine.start(at(0s));
  machine.add_proposal(1, {1, value(7), 0}, at(1ms));
  machine.add_proposal(1, {1, value(8), 0}, at(2ms));
  EXPECT_EQ(machine.take().votes, std::vector<OwnVote>({{1, VoteKind::notarize, value(7)}}));
}

TEST(Simplex, AVoteAfterARestartIsTheSameVote) {
  Simplex machine(member_of_four(2));
  machine.recall_vote({1, VoteKind::notarize, value(7)});
  machine.admit(value(8), at(0s));
  machine.start(at(0s));
  machine.add_proposal(1, {1, value(8), 0}, at(1ms));
  EXPECT_TRUE(machine.take().votes.empty());
  EXPECT_EQ(machine.repeat().votes, std::vector<OwnVote>({{1, VoteKind::notarize, value(7)}}));
}

TEST(Simplex, DoesNotFinalizeAViewItNullified) {
  Simplex machine(member_of_four(2));
  machine.start(at(0s));
  machine.tick(at(2s));
  ASSERT_EQ(machine.take().votes, std::vector<OwnVote>({{1, VoteKind::nullify, {}}}));
  vote_all(machine, {1, VoteKind::notarize, value(7)}, {1, 3, 4});
  const auto step = machine.take();
  EXPECT_TRUE(step.votes.empty());
  EXPECT_EQ(step.certificates.size(), 1u);
  EXPECT_EQ(machine.view(), 2u);
}

TEST(Simplex, RefusesAProposalThatSkipsAViewWithoutItsNull) {
  Simplex machine(member_of_four(3));
  machine.admit(value(7), at(0s));
  machine.admit(value(8), at(0s));
  machine.start(at(0s));
  vote_all(machine, {1, VoteKind::notarize, value(7)}, {1, 2, 4});
  machine.take();
  ASSERT_EQ(machine.view(), 2u);
  machine.add_proposal(2, {2, value(8), 0}, at(1s));  // pretends that view 1 brought nothing
  EXPECT_TRUE(machine.take().votes.empty());
  machine.add_proposal(2, {2, value(7), 1}, at(1s));
  EXPECT_EQ(machine.take().votes, std::vector<OwnVote>({{2, VoteKind::notarize, value(7)}}));
}

TEST(Simplex, ALeaderProposesTheHighestNotarizedValueAgain) {
  Simplex machine(member_of_four(2));
  machine.admit(value(8), at(0s));
  machine.start(at(0s));
  vote_all(machine, {1, VoteKind::notarize, value(7)}, {1, 3, 4});
  EXPECT_FALSE(machine.take().proposal) << "the value is not held yet";
  machine.admit(value(7), at(1s));
  EXPECT_EQ(machine.take().proposal, (AgreementProposal{2, value(7), 1}));
}

TEST(Simplex, ACertificateOfAFarViewMakesALaggardJump) {
  Simplex machine(member_of_four(2));
  machine.start(at(0s));
  AgreementCertificate null{{40, VoteKind::nullify, {}}, {{1, {}}, {3, {}}, {4, {}}}};
  EXPECT_FALSE(machine.wants_vote(1, {40, VoteKind::nullify, {}})) << "votes have a window, certificates have none";
  machine.add_certificate(null, at(1s));
  EXPECT_EQ(machine.view(), 41u);
}

TEST(Simplex, ReportsTwoVotesOfOneMemberThatContradictEachOther) {
  Simplex machine(member_of_four(2));
  machine.start(at(0s));
  machine.add_vote({3, {1, VoteKind::notarize, value(7)}, {}}, at(1ms));
  machine.add_vote({3, {1, VoteKind::notarize, value(8)}, {}}, at(2ms));
  EXPECT_EQ(machine.take().conflicts.size(), 1u);
  machine.add_vote({3, {1, VoteKind::nullify, {}}, {}}, at(3ms));
  EXPECT_TRUE(machine.take().conflicts.empty()) << "notarize and nullify go together";
  machine.add_vote({3, {1, VoteKind::finalize, value(7)}, {}}, at(4ms));
  EXPECT_EQ(machine.take().conflicts.size(), 1u);
}

TEST(Simplex, AFollowerOutsideTheDecidersNeverVotesButDecides) {
  auto settings = member_of_four(0);
  Simplex machine(settings);
  machine.admit(value(7), at(0s));
  machine.start(at(0s));
  machine.add_proposal(1, {1, value(7), 0}, at(1ms));
  machine.tick(at(1min));
  vote_all(machine, {1, VoteKind::notarize, value(7)}, {1, 3, 4});
  vote_all(machine, {1, VoteKind::finalize, value(7)}, {1, 3, 4});
  const auto step = machine.take();
  EXPECT_TRUE(step.votes.empty());
  EXPECT_TRUE(step.decided);
}

TEST(Simplex, ViewTimersDoubleAndAConvictionStretchesTheRunningViewABoundedNumberOfTimes) {
  auto settings = member_of_four(2);
  settings.stretch = 500ms;
  settings.stretches = 1;
  Simplex machine(settings);
  machine.start(at(0s));
  EXPECT_EQ(machine.wakes_at(), at(2s));
  machine.stretch_view();
  machine.stretch_view();
  EXPECT_EQ(machine.wakes_at(), at(2500ms));
  vote_all(machine, {1, VoteKind::nullify, {}}, {1, 3, 4});
  EXPECT_EQ(machine.wakes_at(), at(1s) + 4s);
}

}  // namespace
}  // namespace kms::dkg::test
