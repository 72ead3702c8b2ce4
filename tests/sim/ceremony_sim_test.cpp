#include <gtest/gtest.h>

#include "tests/sim/checkers.h"

namespace kms::sim {
namespace {

struct Trial {
  Trial(std::uint16_t members, std::uint16_t threshold, Schedule schedule, std::uint64_t seed, std::size_t keys = 1)
      : committee(members, threshold, seed, keys),
        world(with(schedule, members), seed, committee.boot(),
              [this](std::size_t member, const Bytes& message) { fields.see(member, message); }) {}

  static Schedule with(Schedule schedule, std::size_t members) {
    schedule.members = members;
    return schedule;
  }
  const dkg::Ceremony* ceremony(std::size_t member) {
    auto* machine = world.machine(member);
    return machine == nullptr ? nullptr : &static_cast<CeremonyMachine*>(machine)->ceremony();
  }
  std::vector<const dkg::Ceremony*> finishers() {
    std::vector<const dkg::Ceremony*> out;
    for (std::size_t member = 1; member <= committee.nodes.size(); ++member) {
      const auto* one = ceremony(member);
      if (one != nullptr && one->is_released()) out.push_back(one);
    }
    return out;
  }
  // Until everybody not in `without` has released the key and either has a share or knows that it needs repair.
  void go(const std::set<std::size_t>& without = {}) {
    world.run([&] {
      for (std::size_t member = 1; member <= committee.nodes.size(); ++member) {
        if (without.contains(member)) continue;
        const auto* one = ceremony(member);
        if (one == nullptr || !one->is_released()) return false;
        if (one->shares() == nullptr && one->status().phase != dkg::Phase::need_repair) return false;
      }
      return true;
    });
  }
  std::size_t holders() {
    std::size_t count = 0;
    for (const auto* one : finishers()) count += one->shares() != nullptr ? 1 : 0;
    return count;
  }
  // Everything that must hold whatever happened, in one line for the failure message.
  std::string verdict() {
    if (!fields.verdict().empty()) return fields.verdict();
    if (auto wrong = check_key(committee.plan, finishers()); !wrong.empty()) return wrong;
    for (std::size_t member = 1; member <= committee.nodes.size(); ++member) {
      auto* machine = static_cast<CeremonyMachine*>(world.machine(member));
      if (machine == nullptr) continue;
      for (const auto& event : machine->events()) {
        if (event.kind == dkg::Event::Kind::blame) {
          return "an honest member is blamed: " + event.text + " (" + std::to_string(event.culprit) + ")";
        }
      }
    }
    return {};
  }
  std::string story() {
    std::string out;
    for (std::size_t member = 1; member <= committee.nodes.size(); ++member) {
      const auto* one = ceremony(member);
      out += "\n  member " + std::to_string(member) + ": ";
      if (one == nullptr) {
        out += "down";
        continue;
      }
      const auto status = one->status();
      out += std::string(dkg::name_of(status.phase)) + ", attempt " + std::to_string(status.attempt) + ", view " +
             std::to_string(status.view) + ", " + status.summary;
    }
    return out + "\n  at " + std::to_string(world.now().instant.time_since_epoch() / 1ms) + " ms";
  }

  Committee committee;
  FieldChecker fields;
  World world;
};

TEST(CeremonySim, FiveMembersMakeAKeyInLessThanTwoSecondsOfVirtualTime) {
  Trial run(5, 3, {}, 1);
  run.go();
  EXPECT_EQ(run.finishers().size(), 5u) << run.story();
  EXPECT_EQ(run.holders(), 5u);
  EXPECT_EQ(run.verdict(), "");
  EXPECT_LT(run.world.now().instant.time_since_epoch(), 2s) << run.story();
  EXPECT_LT(run.world.delivered(), 5000u);
}

TEST(CeremonySim, AKeySetOfThreeKeysIsMadeInOneCeremony) {
  Trial run(4, 2, {}, 2, 3);
  run.go();
  EXPECT_EQ(run.holders(), 4u) << run.story();
  EXPECT_EQ(run.verdict(), "");
}

TEST(CeremonySim, OneMemberAloneMakesItsOwnKey) {
  Trial run(1, 1, {}, 3);
  run.go();
  EXPECT_EQ(run.holders(), 1u) << run.story();
  EXPECT_EQ(run.verdict(), "");
}

TEST(CeremonySim, AMemberThatNeverStartsDoesNotStopTheOthers) {
  for (std::size_t missing = 1; missing <= 5; ++missing) {
    Schedule schedule;
    schedule.starts = {{missing, 24h}};
    Trial run(5, 3, schedule, 10 + missing);
    run.go({missing});
    EXPECT_EQ(run.holders(), 4u) << "without member " << missing << run.story();
    EXPECT_EQ(run.verdict(), "");
  }
}

TEST(CeremonySim, AnAbsentMemberThatComesLaterKnowsTableAndKeyAndThatItNeedsRepairAtFirst) {
  Schedule schedule;
  schedule.starts = {{2, 60s}};
  Trial run(5, 3, schedule, 20);
  run.go();
  ASSERT_EQ(run.finishers().size(), 5u) << run.story();
  EXPECT_EQ(run.ceremony(2)->status().phase, dkg::Phase::need_repair);
  EXPECT_EQ(run.ceremony(2)->shares(), nullptr);
  EXPECT_EQ(run.verdict(), "");
}

TEST(CeremonySim, PrekeysAreGoneFromEveryStoreAfterTheRelease) {
  Trial run(4, 2, {}, 21);
  run.go();
  ASSERT_EQ(run.finishers().size(), 4u);
  for (std::size_t member = 1; member <= 4; ++member) {
    EXPECT_EQ(run.world.disk(member).readable_secrets(), 17u)
        << "only the share and sixteen repair prekeys may be left";
    EXPECT_TRUE(
        run.world.disk(member).list("slot/" + to_hex(run.ceremony(member)->slot().view()) + "/prekey/").empty());
  }
}

TEST(CeremonySim, ADealerOfAWrongShareIsConvictedAndDroppedAndNobodyIsLeftWithoutAShare) {
  for (dkg::Position liar = 1; liar <= 5; ++liar) {
    const auto victim = static_cast<dkg::Position>(liar % 5 + 1);
    Committee committee(5, 3, 30);
    Schedule schedule;
    schedule.members = 5;
    const Boot honest = committee.boot();
    const auto boot = [&](std::size_t member, const Disk& disk, Now now) -> std::unique_ptr<Machine> {
      auto machine = honest(member, disk, now);
      if (member != liar) return machine;
      return std::make_unique<WrongShareMachine>(std::move(machine), committee, liar, victim);
    };
    // As an aggregator the liar can still serve a second, right Deal by Fetch: T names hashes, not dealers.
    std::set<dkg::DealHash> wrong;
    World world(schedule, 30, boot, [&](std::size_t member, const Bytes& message) {
      const auto envelope = dkg::Envelope::parse(message);
      if (member != liar || !envelope || envelope->type != dkg::MessageType::deal) return;
      wrong.insert(dkg::Deal::parse(envelope->body)->hash());
    });
    const auto of = [&](std::size_t member) { return static_cast<CeremonyMachine*>(world.machine(member)); };
    const auto is_done = [&](std::size_t member) {
      return member == liar || (of(member)->ceremony().is_released() && of(member)->ceremony().shares() != nullptr);
    };
    world.run([&] {
      for (std::size_t member = 1; member <= 5; ++member) {
        if (world.machine(member) == nullptr || !is_done(member)) return false;
      }
      return true;
    });
    std::vector<const dkg::Ceremony*> finishers;
    std::size_t blamed = 0;
    for (std::size_t member = 1; member <= 5; ++member) {
      if (member == liar) continue;
      ASSERT_TRUE(is_done(member)) << "liar " << liar << " member " << member;
      finishers.push_back(&of(member)->ceremony());
      for (const auto& entry : finishers.back()->record()->list) EXPECT_FALSE(wrong.contains(entry.hash));
      for (const auto& event : of(member)->events()) {
        if (event.kind != dkg::Event::Kind::blame) continue;
        EXPECT_EQ(event.culprit, liar) << event.text;
        ++blamed;
      }
    }
    EXPECT_FALSE(wrong.empty());
    EXPECT_EQ(check_key(committee.plan, finishers), "");
    EXPECT_GE(blamed, 3u) << "everybody who saw the complaint holds the evidence";
  }
}

TEST(CeremonySim, EndsAndHoldsUnderStormsOfEveryKind) {
  struct Size {
    std::uint16_t n, t;
  };
  for (const auto size : {Size{4, 2}, Size{4, 3}, Size{5, 3}, Size{7, 4}}) {
    for (std::uint64_t seed = 1; seed <= (size.n == 7 ? 8 : 40); ++seed) {
      Schedule schedule;
      schedule.storm.latency_max = 1500ms;
      schedule.storm.loss_per_mille = 50 * (seed % 6);
      schedule.storm.repeat_per_mille = 100;
      schedule.storm.straggle_per_mille = 100;
      schedule.storm.crash_per_mille = 10 * (seed % 4);
      schedule.storm.is_split = seed % 3 == 0;
      schedule.calm_from = 30s;
      schedule.end = 3600s;
      Trial run(size.n, size.t, schedule, seed);
      run.go();
      ASSERT_EQ(run.verdict(), "") << "n " << size.n << " t " << size.t << " seed " << seed;
      ASSERT_EQ(run.finishers().size(), size.n) << "n " << size.n << " t " << size.t << " seed " << seed << run.story();
      ASSERT_GE(run.holders(), size.t) << "n " << size.n << " t " << size.t << " seed " << seed;
    }
  }
}

void crash_everywhere(std::uint16_t n, std::uint16_t t, bool stays_down) {
  Trial quiet(n, t, {}, 5);
  quiet.go();
  ASSERT_EQ(quiet.holders(), n) << quiet.story();
  for (std::uint64_t boundary = 0; boundary < quiet.world.boundaries(); ++boundary) {
    Schedule schedule;
    schedule.crash = Schedule::Crash{boundary, stays_down};
    Trial run(n, t, schedule, 5);
    // Whom it hits is known only afterwards.
    run.world.run([&] {
      std::size_t done = 0;
      for (std::size_t member = 1; member <= n; ++member) {
        const auto* one = run.ceremony(member);
        const bool is_done = one != nullptr && one->is_released() && one->shares() != nullptr;
        done += is_done || (stays_down && member == run.world.victim()) ? 1 : 0;
      }
      return done == n;
    });
    ASSERT_EQ(run.verdict(), "") << "boundary " << boundary;
    ASSERT_GE(run.holders(), stays_down ? n - 1u : n) << "boundary " << boundary << run.story();
  }
}

TEST(CeremonySim, ACrashAndRestartAtEachPersistBoundaryOfFourMembersChangesNothing) {
  crash_everywhere(4, 3, false);
}

TEST(CeremonySim, ACrashAndRestartAtEachPersistBoundaryOfFiveMembersChangesNothing) {
  crash_everywhere(5, 3, false);
}

TEST(CeremonySim, AMemberThatDiesAtAnyPersistBoundaryDoesNotStopTheOtherFour) {
  crash_everywhere(5, 3, true);
}

}  // namespace
}  // namespace kms::sim
