// Whole key sets whose next epoch is given up and made again: who was away, who comes later, and who restarts learns of
// it and goes on (PROTOCOL.md 4.7, 4.13).
#include <gtest/gtest.h>

#include "node/epoch_records.h"
#include "tests/sim/epochs_world.h"

namespace kms::sim {
namespace {

using Places = EpochsTrial::Places;

const Places kOld{1, 2, 3, 4};   // t = 2: q = 3
const Places kDead{5, 6, 7, 8};  // never confirm
const Places kNewcomer{9};

bool is_no_confirmation(const dkg::Envelope& envelope) {
  if (envelope.type == dkg::MessageType::certificate) {
    const auto certificate = dkg::Certificate::parse(envelope.body);
    return certificate && certificate->kind != dkg::CertificateKind::activation;
  }
  return envelope.type != dkg::MessageType::active && envelope.type != dkg::MessageType::confirm;
}

// Epoch 1 is decided for the committee kDead, which never confirms.
struct DecidedInVain : EpochsTrial {
  explicit DecidedInVain(std::uint64_t seed, const Places& approvers = kOld, Schedule schedule = {})
      : EpochsTrial(9, 4, 2, with_end(schedule), seed) {
    EXPECT_TRUE(run_until(kOld, 60s, [&](std::size_t place) { return epoch(place) == 0; })) << story();
    for (const auto place : kDead) machine(place)->say_only(is_no_confirmation);
    const auto first = file(1, kDead, 2, "for nobody");
    approve(kDead, first);
    approve(approvers, first);
    EXPECT_TRUE(run_until(approvers, 60s, [&](std::size_t place) { return next_phase(place) == dkg::Phase::decided; }))
        << story();
    EXPECT_TRUE(run_until(kDead, 60s, [&](std::size_t place) { return next_phase(place) == dkg::Phase::active; }))
        << story();
  }
  static Schedule with_end(Schedule schedule) {
    schedule.end = 2h;
    return schedule;
  }
  // Those give it up, and learn that it is.
  void void_it(const Places& places) {
    give_up(places);
    EXPECT_TRUE(run_until(places, 60s, [&](std::size_t place) { return next_branch(place) != 0; })) << story();
  }
  // Those of the old committee make the next branch with whom the file names.
  void make_next(const Places& approvers, const Places& members) {
    approve(members_only(members), next_file(members));
    approve(approvers, next_file(members));
    EXPECT_TRUE(run_until(approvers, 120s, [&](std::size_t place) { return epoch(place) == 1; })) << story();
  }
  std::string next_file(const Places& members) const { return file(1, members, 2, "for the living"); }
  bool has_share(std::size_t place) {
    const auto* own = epochs(place).current();
    return own != nullptr && own->shares() != nullptr;
  }
  Places members_only(const Places& members) {
    Places out;
    for (const auto place : members) {
      if (std::find(kOld.begin(), kOld.end(), place) == kOld.end()) out.push_back(place);
    }
    return out;
  }
  bool run_for(Duration time) {
    const Instant end = world.now().instant + time;
    world.run([&] { return world.now().instant >= end; });
    return true;
  }
};

TEST(BranchSim, AMemberThatWasAwayDuringAVoidAndTheReleaseAfterItGoesOnAtOnce) {
  for (const bool is_in_new : {false, true}) {
    DecidedInVain run(1);
    run.machine(4)->leave();
    run.void_it({1, 2, 3});
    run.make_next({1, 2, 3}, is_in_new ? Places{2, 3, 4, 9} : Places{1, 2, 3, 9});
    run.run_for(5s);
    run.machine(4)->come_back();
    EXPECT_EQ(run.epoch(4), 0);
    // The newest Link is announced every 20 s; whoever says that it is behind need not wait for that.
    EXPECT_TRUE(run.run_until({4}, 3s, [&](std::size_t place) { return run.epoch(place) == 1; })) << run.story();
    ASSERT_EQ(run.epoch(4), 1) << run.story();
    EXPECT_EQ(run.branch(4), 1u);
    EXPECT_TRUE(run.run_until({4}, 60s, [&](std::size_t place) { return run.has_erased(place, 0, 0); }))
        << "the share of the superseded epoch is still there";
    EXPECT_TRUE(run.has_erased(4, 1, 0));
  }
}

TEST(BranchSim, AnAnnouncedLinkOfALaterBranchIsPulled) {
  DecidedInVain run(2);
  EXPECT_TRUE(run.epochs(4).is_open(run.slot(1, 0).bytes));
  EXPECT_TRUE(run.epochs(4).is_open(run.slot(1, 1).bytes)) << "branch 0 may have been given up";
  EXPECT_TRUE(run.epochs(4).is_open(run.slot(1, dkg::kVoidsMax).bytes));
  EXPECT_FALSE(run.epochs(4).is_open(run.slot(0, 0).bytes));
  EXPECT_FALSE(run.epochs(4).is_open(run.slot(2, 0).bytes));
}

TEST(BranchSim, AfterEverybodyRestartedTheNewestLinkIsAnnouncedAgain) {
  DecidedInVain run(3);
  run.void_it({1, 2, 3, 4});
  run.make_next({1, 2, 3, 4}, {1, 2, 3, 9});
  // 8 was in the committee that was given up: nobody hears it any more, and it must still lose its share.
  run.world.crash_all();
  run.run_for(2s);
  run.machine(8)->say_only([](const dkg::Envelope&) { return false; });
  EXPECT_TRUE(run.run_until({8}, 60s, [&](std::size_t place) { return run.epoch(place) == 1; })) << run.story();
  EXPECT_TRUE(run.has_erased(8, 1, 0)) << "it has the share of a branch that was given up";
}

TEST(BranchSim, ANewMemberKeepsItsFileWhenItHearsThatTheBranchBeforeWasGivenUp) {
  DecidedInVain run(4);
  const Places members{1, 2, 3, 9};
  run.approve({9}, run.next_file(members));
  run.run_for(1s);
  ASSERT_EQ(run.next_branch(9), 0);
  run.void_it(kOld);
  run.approve(kOld, run.next_file(members));
  EXPECT_TRUE(run.run_until({9}, 120s, [&](std::size_t place) {
    return run.epoch(place) == 1 && run.has_share(place);
  })) << run.story();
  EXPECT_EQ(run.branch(9), 1u);
}

TEST(BranchSim, ANewMemberLearnsOfAVoidByTheQuorumOfAnEmergency) {
  EpochsTrial run(9, 4, 2, DecidedInVain::with_end({}), 5);
  ASSERT_TRUE(run.run_until(kOld, 60s, [&](std::size_t place) { return run.epoch(place) == 0; })) << run.story();
  for (const auto place : kDead) run.machine(place)->say_only(is_no_confirmation);
  run.machine(4)->leave();
  const Places living{1, 2, 3};
  const auto first = run.file(1, kDead, 2, "for nobody");
  run.approve(kDead, first);
  run.emergency(living, first);
  const auto can_name = [&](std::size_t place) {
    const auto* next = run.epochs(place).next();
    return next != nullptr && next->emergency().choices.size() == 1;
  };
  ASSERT_TRUE(run.run_until(living, 60s, can_name)) << run.story();
  const Places members{1, 2, 3, 9};
  run.approve({9}, run.file(1, members, 2, "for the living"));
  run.name_dealing(living);
  ASSERT_TRUE(run.run_until(living, 60s, [&](std::size_t place) {
    return run.next_phase(place) == dkg::Phase::decided;
  })) << run.story();
  ASSERT_EQ(run.next_branch(9), 0);
  run.give_up(living);
  ASSERT_TRUE(run.run_until(living, 60s, [&](std::size_t place) { return run.next_branch(place) != 0; }))
      << run.story();
  run.approve(living, run.file(1, members, 2, "for the living"));
  EXPECT_TRUE(run.run_until({9}, 120s, [&](std::size_t place) {
    return run.epoch(place) == 1 && run.epochs(place).current() != nullptr &&
           run.epochs(place).current()->shares() != nullptr;
  })) << run.story();
  EXPECT_FALSE(run.epochs(9).newest()->emergencies.empty())
      << "the VOID is not one by the quorum of an emergency" << run.story();
}

TEST(BranchSim, AMemberThatTookNoPartLearnsOfTheVoidBeforeItsOperatorOrdersAnything) {
  DecidedInVain run(6, {1, 2, 3});
  run.void_it({1, 2, 3});
  const auto is_told = [&](std::size_t place) { return run.epochs(place).status().back().branch == 1; };
  EXPECT_TRUE(run.run_until({4}, 20s, is_told)) << run.story();
  const Places members{1, 2, 4, 9};
  run.make_next({2, 3, 4}, members);
  EXPECT_EQ(run.branch(4), 1u);
}

TEST(BranchSim, ANodeThatGotItsFileAfterTheLinkOfALaterBranchIsAMemberAlsoAfterARestart) {
  DecidedInVain run(7);
  run.void_it(kOld);
  const Places members{1, 2, 3, 9};
  run.approve(kOld, run.next_file(members));
  ASSERT_TRUE(run.run_until({1, 2, 3, 4, 9}, 120s, [&](std::size_t place) { return run.epoch(place) == 1; }));
  ASSERT_EQ(run.epochs(9).current(), nullptr) << "its operator has not said that it may be a member";
  run.approve({9}, run.next_file(members));
  EXPECT_TRUE(run.run_until({9}, 60s, [&](std::size_t place) { return run.has_share(place); })) << run.story();
  run.world.crash_all();
  run.run_for(5s);
  EXPECT_EQ(run.epoch(9), 1) << run.story();
  EXPECT_TRUE(run.has_share(9));
  EXPECT_EQ(run.epoch(4), 1);
}

TEST(BranchSim, AnOrderForAnEmergencyEndsWithThePlanThatItWasFor) {
  EpochsTrial run(5, 4, 2, DecidedInVain::with_end({}), 8);
  ASSERT_TRUE(run.run_until(kOld, 60s, [&](std::size_t place) { return run.epoch(place) == 0; })) << run.story();
  const auto order = [&](const std::string& text, node::Epochs::Manner manner) {
    run.machine(1)->order([text, manner](node::Epochs& epochs, Now now) {
      const auto until = now.unix_s() + 60;
      return manner == node::Epochs::Manner::emergency ? epochs.emergency(text, until, now)
                                                       : epochs.approve(text, until, now);
    });
    const Instant end = run.world.now().instant + 1s;
    run.world.run([&] { return run.world.now().instant >= end; });
  };
  order(run.file(1, {1, 2, 3}, 2, "without one"), node::Epochs::Manner::emergency);
  ASSERT_NE(run.epochs(1).next(), nullptr) << run.story();
  EXPECT_TRUE(run.epochs(1).next()->emergency().is_ordered);
  const auto marker = node::slot_record(run.slot(1, 0), "emergency");
  EXPECT_TRUE(run.world.disk(1).find(marker));
  EXPECT_TRUE(run.run_until({1}, 200s, [&](std::size_t place) { return run.epochs(place).approved() == nullptr; }))
      << run.story();
  EXPECT_FALSE(run.world.disk(1).find(marker)) << "the order outlives its plan";
  order(run.file(1, {1, 2, 3, 5}, 2, "with another"), node::Epochs::Manner::ordinary);
  ASSERT_NE(run.epochs(1).next(), nullptr) << run.story();
  EXPECT_FALSE(run.epochs(1).next()->emergency().is_ordered);
}

bool is_about_void(const dkg::Envelope& envelope) {
  if (envelope.type == dkg::MessageType::approval) {
    const auto approval = dkg::Approval::parse(envelope.body);
    return approval && approval->purpose == dkg::ApprovalPurpose::voided;
  }
  if (envelope.type != dkg::MessageType::certificate) return false;
  const auto certificate = dkg::Certificate::parse(envelope.body);
  return certificate && certificate->kind == dkg::CertificateKind::void_approvals;
}

// Half of the old committee holds what justifies a RELEASE, the other half what justifies a VOID, and for a while
// neither sees what the other holds.
TEST(BranchSim, WithBothJustificationsInHalvesOneFateComesOutAndEveryNodeFollowsIt) {
  std::size_t released = 0;
  std::size_t voided = 0;
  for (std::uint64_t seed = 11; seed <= 18; ++seed) {
    DecidedInVain run(seed);
    for (const auto place : {1u, 2u}) {
      run.machine(place)->hear_only([](const dkg::Envelope& envelope) { return !is_about_void(envelope); });
    }
    for (const auto place : {3u, 4u}) run.machine(place)->hear_only(is_no_confirmation);
    run.give_up(kOld);
    run.run_for(500ms);
    for (const auto place : kDead) run.machine(place)->say_only({});
    run.run_for(4s);
    ASSERT_EQ(run.next_phase(3), dkg::Phase::decided) << seed << run.story();
    ASSERT_EQ(run.epoch(1), 0);
    ASSERT_TRUE(run.epochs(1).next() != nullptr && run.epochs(1).next()->record()->activation) << seed << run.story();
    for (const auto place : kOld) run.machine(place)->hear_only({});
    const auto is_settled = [&](std::size_t place) { return run.epoch(place) == 1 || run.next_branch(place) != 0; };
    Places everybody = kOld;
    everybody.insert(everybody.end(), kDead.begin(), kDead.end());
    ASSERT_TRUE(run.run_until(everybody, 300s, is_settled)) << seed << run.story();
    const bool is_released = run.epoch(1) == 1;
    for (const auto place : everybody) EXPECT_EQ(run.epoch(place), is_released ? 1 : 0) << seed << " " << place;
    ++(is_released ? released : voided);
    for (const auto place : kDead) EXPECT_EQ(run.has_erased(place, 1, 0), !is_released) << seed << " " << place;
    if (is_released) continue;
    const Places members{1, 2, 3, 9};
    run.make_next(kOld, members);
    EXPECT_EQ(run.branch(1), 1u);
  }
  EXPECT_GT(released, 0u) << "the race is none";
  EXPECT_GT(voided, 0u) << "the race is none";
}

}  // namespace
}  // namespace kms::sim
