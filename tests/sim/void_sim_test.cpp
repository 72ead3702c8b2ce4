// The fate of a decided slot whose new committee is dead: VOID, and the branch after it (PROTOCOL.md 4.13).
#include <gtest/gtest.h>

#include "tests/sim/reshare_world.h"

namespace kms::sim {
namespace {

const Origin& five_elsewhere() {
  static const Origin origin({5, 3, 5, 3, 2}, 51);
  return origin;
}

// A member that takes part until the decision and then never confirms.
class SilentAfterDecision final : public Machine {
 public:
  explicit SilentAfterDecision(std::unique_ptr<Machine> honest) : honest_(std::move(honest)) {}
  Output receive(const Bytes& message, Now now) override { return muted(honest_->receive(message, now)); }
  Output tick(Now now) override { return muted(honest_->tick(now)); }
  std::optional<Instant> wakes_at() const override { return honest_->wakes_at(); }
  Output connected(const std::set<std::size_t>& members, Now now) override {
    return muted(honest_->connected(members, now));
  }

 private:
  Output muted(Output output) {
    std::erase_if(output.send, [](const Bytes& message) {
      const auto envelope = dkg::Envelope::parse(message);
      if (envelope && envelope->type == dkg::MessageType::certificate) {
        const auto certificate = dkg::Certificate::parse(envelope->body);
        return certificate && certificate->kind == dkg::CertificateKind::activation;
      }
      const bool is_late =
          envelope && (envelope->type == dkg::MessageType::active || envelope->type == dkg::MessageType::confirm);
      return is_late;
    });
    return output;
  }
  std::unique_ptr<Machine> honest_;
};

Twist with_dead_newcomers(const Origin& origin, Instant gives_up_at) {
  return [&origin, gives_up_at](std::size_t place, std::unique_ptr<Machine> honest) -> std::unique_ptr<Machine> {
    if (origin.is_old(place)) static_cast<CeremonyMachine&>(*honest).give_up_from(gives_up_at);
    if (origin.is_old(place)) return honest;
    return std::make_unique<SilentAfterDecision>(std::move(honest));
  };
}

bool is_voided_everywhere(ReshareTrial& run) {
  for (std::size_t place = 1; place <= run.origin.nodes.size(); ++place) {
    const auto* ceremony = run.ceremony(place);
    if (ceremony == nullptr || ceremony->phase() != dkg::Phase::voided) return false;
  }
  return true;
}

TEST(VoidSim, ADecidedSlotWhoseCommitteeIsDeadIsGivenUpAndTheNextBranchTakesItsPlace) {
  const auto& origin = five_elsewhere();
  ReshareTrial run(origin, {}, 1, ReshareTrial::Operators::approve, std::nullopt,
                   with_dead_newcomers(origin, Instant(30s)));
  run.world.run([&] { return is_voided_everywhere(run); });
  ASSERT_TRUE(is_voided_everywhere(run)) << run.story();
  EXPECT_GE(run.world.now().instant, Instant(30s)) << "not without the order";
  EXPECT_EQ(run.verdict(), "");
  for (const auto place : origin.new_places()) {
    EXPECT_EQ(run.ceremony(place)->shares(), nullptr);
    const auto key = run.ceremony(place)->share_key();
    EXPECT_FALSE(run.world.disk(place).open(key)) << "the share of a voided branch is still on disk";
  }
  auto plan = origin.plan();
  const auto voided = run.ceremony(1)->voided();
  ASSERT_TRUE(voided);
  const auto slot = run.ceremony(1)->slot();
  EXPECT_TRUE(dkg::verify_void(*voided, slot, plan.network_id, *origin.record));
  auto forged = *voided;
  forged.fate.signatures.pop_back();
  EXPECT_FALSE(dkg::verify_void(forged, slot, plan.network_id, *origin.record));
  plan.voided.push_back(*voided);
  ReshareTrial next(origin, {}, 2, ReshareTrial::Operators::approve, plan);
  next.go();
  ASSERT_TRUE(next.is_over()) << next.story();
  EXPECT_EQ(next.verdict(), "");
  const auto& record = *next.ceremony(1)->record();
  EXPECT_EQ(record.header.branch, 1u);
  EXPECT_EQ(record.voids.size(), 1u);
  auto link = *record.link();
  EXPECT_TRUE(dkg::verify_link(link, plan.network_id, origin.record.get()));
  link.voids.clear();
  EXPECT_FALSE(dkg::verify_link(link, plan.network_id, origin.record.get())) << "no branch without its VOID";
}

TEST(VoidSim, OneApprovalTooFewChangesNothing) {
  const auto& origin = five_elsewhere();
  Schedule schedule;
  schedule.end = 200s;
  std::size_t orders = 0;
  ReshareTrial run(origin, schedule, 3, ReshareTrial::Operators::approve, std::nullopt,
                   [&](std::size_t place, std::unique_ptr<Machine> honest) -> std::unique_ptr<Machine> {
                     if (!origin.is_old(place)) return std::make_unique<SilentAfterDecision>(std::move(honest));
                     if (++orders <= 3) static_cast<CeremonyMachine&>(*honest).give_up_from(Instant(10s));
                     return honest;
                   });
  run.world.run([&] { return is_voided_everywhere(run); });
  for (std::size_t place = 1; place <= origin.nodes.size(); ++place) {
    EXPECT_NE(run.ceremony(place)->phase(), dkg::Phase::voided);
  }
  EXPECT_EQ(run.ceremony(origin.old_places().front())->void_state().by.size(), 3u);
}

// Operators give up while the new committee confirms: one fate, and the same one everywhere.
TEST(VoidSim, OfARaceBetweenReleaseAndVoidOneFateComesOutEverywhere) {
  const auto& origin = five_elsewhere();
  std::size_t released = 0;
  std::size_t voided = 0;
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    Schedule schedule;
    schedule.storm = {5ms, 300ms, 100, 100, 50, seed % 3 == 0 ? 4u : 0u, seed % 2 == 0};
    schedule.calm_from = 20s;
    schedule.end = 900s;
    ReshareTrial run(origin, schedule, seed, ReshareTrial::Operators::approve, std::nullopt,
                     [&](std::size_t place, std::unique_ptr<Machine> honest) -> std::unique_ptr<Machine> {
                       if (origin.is_old(place)) static_cast<CeremonyMachine&>(*honest).give_up_from(Instant{});
                       return honest;
                     });
    const auto is_settled = [&] { return run.is_over() || is_voided_everywhere(run); };
    run.world.run(is_settled);
    ASSERT_TRUE(is_settled()) << seed << run.story();
    EXPECT_EQ(run.verdict(), "") << seed;
    ++(run.is_over() ? released : voided);
  }
  EXPECT_GT(released + voided, 0u);
  EXPECT_GT(voided, 0u) << "the race is none";
  EXPECT_GT(released, 0u) << "the race is none";
}

TEST(VoidSim, ACrashAtEveryPersistBoundaryOfAVoidChangesNothing) {
  static const Origin origin({3, 2, 3, 2, 2}, 52);
  const auto twist = with_dead_newcomers(origin, Instant(8s));
  ReshareTrial whole(origin, {}, 4, ReshareTrial::Operators::approve, std::nullopt, twist);
  whole.world.run([&] { return is_voided_everywhere(whole); });
  ASSERT_TRUE(is_voided_everywhere(whole)) << whole.story();
  for (std::uint64_t boundary = 1; boundary <= whole.world.boundaries(); ++boundary) {
    Schedule schedule;
    schedule.crash = Schedule::Crash{boundary, false};
    ReshareTrial run(origin, schedule, 4, ReshareTrial::Operators::approve, std::nullopt, twist);
    run.world.run([&] { return is_voided_everywhere(run); });
    ASSERT_TRUE(is_voided_everywhere(run)) << boundary << run.story();
    EXPECT_EQ(run.verdict(), "") << boundary;
  }
}

}  // namespace
}  // namespace kms::sim
