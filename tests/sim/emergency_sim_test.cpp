// The emergency reshare: an old committee below its quorum, healed by order of the operators of those that are left
// (PROTOCOL.md 4.14).
#include <gtest/gtest.h>

#include "dkg/dealing.h"
#include "tests/sim/reshare_world.h"

namespace kms::sim {
namespace {

using Naming = CeremonyMachine::Naming;

// 2 of 3, where nothing can be decided without the third: to the two that are left and a new one, or to those two.
const Origin& three_to_three() {
  static const Origin origin({3, 2, 3, 2, 2}, 41);
  return origin;
}
const Origin& three_to_two() {
  static const Origin origin({3, 2, 2, 2, 2}, 42);
  return origin;
}
// 3 of 5 with two lost: q = 4, q_em = 3.
const Origin& five_to_four() {
  static const Origin origin({5, 3, 4, 3, 3}, 43);
  return origin;
}

std::optional<dkg::TranscriptHash> the_only_one(const dkg::EmergencyState& state) {
  if (state.choices.size() != 1) return std::nullopt;
  return state.choices[0].transcript;
}

std::set<std::size_t> leavers(const Origin& origin) {
  std::set<std::size_t> out;
  for (const auto place : origin.old_places()) {
    if (!origin.is_new(place)) out.insert(place);
  }
  return out;
}

// Who leaves never starts. `names` may be empty: no order.
struct Emergency {
  Emergency(
      const Origin& origin, Schedule schedule, std::uint64_t seed,
      std::function<Naming(std::size_t place)> orders = [](std::size_t) { return the_only_one; })
      : lost(leavers(origin)), trial([&] {
          for (const auto place : lost) schedule.starts[place] = 24h;
          return std::make_unique<ReshareTrial>(
              origin, schedule, seed, ReshareTrial::Operators::approve, std::nullopt,
              [&origin, orders](std::size_t place, std::unique_ptr<Machine> honest) {
                auto names = orders(place);
                if (origin.is_old(place) && names) {
                  static_cast<CeremonyMachine&>(*honest).order_emergency(std::move(names));
                }
                return honest;
              });
        }()) {}
  void go() { trial->go(lost); }
  std::set<std::size_t> lost;
  std::unique_ptr<ReshareTrial> trial;
};

TEST(EmergencySim, ANetworkBelowItsQuorumIsHealedByOrder) {
  for (const auto* origin : {&three_to_three(), &three_to_two(), &five_to_four()}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      Emergency run(*origin, {}, seed);
      run.go();
      ASSERT_TRUE(run.trial->is_over(run.lost)) << seed << run.trial->story();
      EXPECT_EQ(run.trial->verdict(), "");
      const auto place = *origin->new_places().begin();
      const auto& record = *run.trial->ceremony(place)->record();
      EXPECT_TRUE(record.header.emergency);
      EXPECT_EQ(record.final.kind, dkg::CertificateKind::emergency);
      EXPECT_EQ(record.final.signatures.size(), record.header.old->threshold.q_em());
      EXPECT_EQ(record.fate->emergency_cert, record.final.id());
      const auto link = dkg::verify_link(*record.link(), run.trial->plan.network_id, origin->record.get());
      ASSERT_TRUE(link) << link.error().message;
      EXPECT_LT(run.trial->world.now().instant, Instant(120s));
    }
  }
}

TEST(EmergencySim, WithoutTheOrderNothingHappens) {
  Schedule schedule;
  schedule.end = 300s;
  Emergency run(three_to_three(), schedule, 5, [](std::size_t) { return Naming(); });
  run.go();
  for (const auto place : three_to_three().new_places()) {
    EXPECT_EQ(run.trial->ceremony(place)->status().phase, dkg::Phase::closed) << run.trial->story();
    EXPECT_TRUE(run.trial->ceremony(place)->emergency().choices.empty());
  }
}

// One operator's order is nothing: neither its approval nor its signature is a quorum.
TEST(EmergencySim, OneOrderOfTwoDecidesNothing) {
  Schedule schedule;
  schedule.end = 300s;
  const auto& origin = three_to_three();
  const auto left = origin.new_places();
  std::size_t only = 0;
  for (const auto place : left) {
    if (origin.is_old(place)) only = place;
  }
  Emergency run(origin, schedule, 6, [only](std::size_t place) { return place == only ? the_only_one : Naming(); });
  run.go();
  for (const auto place : left) {
    EXPECT_FALSE(run.trial->is_released(place));
    EXPECT_FALSE(run.trial->ceremony(place)->emergency().decided) << run.trial->story();
  }
  EXPECT_EQ(run.trial->verdict(), "");
}

TEST(EmergencySim, AKeyHeldByAllItsMembersNeedsNoEmergencyButMayHaveOne) {
  const Origin origin({5, 3, 5, 3, 3}, 44);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    ReshareTrial run(origin, {}, seed, ReshareTrial::Operators::approve, std::nullopt,
                     [&](std::size_t place, std::unique_ptr<Machine> honest) {
                       if (origin.is_old(place)) static_cast<CeremonyMachine&>(*honest).order_emergency(the_only_one);
                       return honest;
                     });
    run.go();
    ASSERT_TRUE(run.is_over()) << seed << run.story();
    EXPECT_EQ(run.verdict(), "");
  }
}

TEST(EmergencySim, StormsAndCrashesEndInTheSamePlace) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Schedule schedule;
    schedule.storm = {5ms, 400ms, 150, 100, 50, 4, seed % 2 == 0};
    schedule.calm_from = 40s;
    schedule.end = 1200s;
    const auto& origin = seed % 3 == 0 ? five_to_four() : three_to_three();
    // Operators agree on the first one in order, as they would over the telephone.
    Emergency run(origin, schedule, seed, [](std::size_t) -> Naming {
      return [](const dkg::EmergencyState& state) -> std::optional<dkg::TranscriptHash> {
        if (state.choices.empty()) return std::nullopt;
        for (const auto& choice : state.choices) {
          if (!choice.signed_by.empty()) return choice.transcript;
        }
        return state.choices.front().transcript;
      };
    });
    run.go();
    EXPECT_EQ(run.trial->verdict(), "") << seed;
    ASSERT_TRUE(run.trial->is_over(run.lost)) << seed << run.trial->story();
  }
}

TEST(EmergencySim, ACrashAtEveryPersistBoundaryChangesNothing) {
  Emergency whole(three_to_three(), {}, 7);
  whole.go();
  ASSERT_TRUE(whole.trial->is_over(whole.lost));
  const auto boundaries = whole.trial->world.boundaries();
  ASSERT_GT(boundaries, 30u);
  for (std::uint64_t boundary = 1; boundary <= boundaries; ++boundary) {
    Schedule schedule;
    schedule.crash = Schedule::Crash{boundary, false};
    Emergency run(three_to_three(), schedule, 7);
    run.go();
    ASSERT_TRUE(run.trial->is_over(run.lost)) << boundary << run.trial->story();
    EXPECT_EQ(run.trial->verdict(), "") << boundary;
    const auto place = three_to_three().new_places().front();
    EXPECT_EQ(run.trial->ceremony(place)->record()->final.kind, dkg::CertificateKind::emergency);
  }
}

}  // namespace
}  // namespace kms::sim
