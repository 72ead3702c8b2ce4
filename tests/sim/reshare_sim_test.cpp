// Moving a key to another committee, and refreshing the shares of the same one (PROTOCOL.md 4.7, 4.13).
#include <gtest/gtest.h>

#include "dkg/dealing.h"
#include "tests/sim/reshare_world.h"

namespace kms::sim {
namespace {

// Cheap enough to make once and start many reshares from.
const Origin& five() {
  static const Origin origin({5, 3, 5, 3, 5}, 11);
  return origin;
}
const Origin& five_to_others() {
  static const Origin origin({5, 3, 5, 3, 2}, 12);
  return origin;
}

TEST(ReshareSim, ARefreshKeepsTheKeyAndChangesEveryShare) {
  ReshareTrial run(five(), {}, 1);
  run.go();
  ASSERT_TRUE(run.is_over()) << run.story();
  EXPECT_EQ(run.verdict(), "");
  const auto& record = *run.ceremony(1)->record();
  EXPECT_EQ(record.header.kind, dkg::Kind::refresh);
  EXPECT_EQ(record.header.epoch, 1u);
  EXPECT_EQ(record.list.size(), 3u) << "exactly t Deals";
  for (dkg::Position member = 1; member <= 5; ++member) {
    EXPECT_NE(record.tables[0].share(member), five().record->tables[0].share(member));
  }
}

TEST(ReshareSim, AKeyMovesToOtherMembersAndThresholds) {
  const Move moves[] = {{4, 2, 5, 3, 0}, {5, 3, 7, 4, 3}, {3, 2, 4, 2, 3, 2}, {4, 3, 3, 3, 1}, {2, 2, 5, 2, 2}};
  std::uint64_t seed = 20;
  for (const auto& move : moves) {
    const Origin origin(move, ++seed);
    ReshareTrial run(origin, {}, seed);
    run.go();
    const auto where = std::to_string(move.n) + "," + std::to_string(move.t) + " to " + std::to_string(move.new_n) +
                       "," + std::to_string(move.new_t);
    ASSERT_TRUE(run.is_over()) << where << run.story();
    EXPECT_EQ(run.verdict(), "") << where;
    EXPECT_EQ(run.ceremony(1)->record()->header.kind, dkg::Kind::reshare);
  }
}

TEST(ReshareSim, TheLinkContinuesTheOneBeforeItAndNoOther) {
  ReshareTrial run(five_to_others(), {}, 2);
  run.go();
  ASSERT_TRUE(run.is_over()) << run.story();
  const auto link = run.ceremony(1)->record()->link();
  ASSERT_TRUE(link);
  const auto network = run.plan.network_id;
  const auto record = dkg::verify_link(*link, network, five_to_others().record.get());
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->root, run.ceremony(1)->record()->root);
  EXPECT_FALSE(dkg::verify_link(*link, network, nullptr));
  EXPECT_FALSE(dkg::verify_link(*link, network, five().record.get()));
  auto unreleased = *link;
  unreleased.fate.reset();
  EXPECT_FALSE(dkg::verify_link(unreleased, network, five_to_others().record.get()));
}

// t - 1 shares of each epoch, put together in any way as t shares, do not give the key.
TEST(ReshareSim, OldAndNewSharesDoNotMix) {
  ReshareTrial run(five(), {}, 3);
  run.go();
  ASSERT_TRUE(run.is_over()) << run.story();
  const auto key = crypto::Element(five().record->tables[0].public_key);
  for (std::size_t fresh = 1; fresh <= 2; ++fresh) {
    for (std::size_t first = 1; first <= 3; ++first) {
      std::vector<crypto::Position> positions;
      std::vector<crypto::SecretScalar> shares;
      for (std::size_t place = first; place < first + 3; ++place) {
        positions.push_back(static_cast<crypto::Position>(place));
        const bool is_new = place < first + fresh;
        shares.push_back((is_new ? *run.ceremony(place)->shares() : five().shares.at(place))[0].clone());
      }
      EXPECT_FALSE(crypto::multiply_generator(crypto::interpolate(positions, shares)) == key);
    }
  }
}

TEST(ReshareSim, ARefreshByTheClockNeedsNoApproval) {
  auto plan = five().plan();
  plan.refresh = dkg::RefreshClock{1'700'000'000, 40};
  ReshareTrial run(five(), {}, 4, ReshareTrial::Operators::stay_away, plan);
  run.world.run([&] { return run.world.now().instant >= Instant(30s); });
  EXPECT_EQ(run.ceremony(1)->status().phase, dkg::Phase::closed);
  run.go();
  ASSERT_TRUE(run.is_over()) << run.story();
  EXPECT_EQ(run.verdict(), "");
  EXPECT_TRUE(run.ceremony(1)->record()->header.approvals.empty());
  EXPECT_LT(run.world.now().instant, Instant(60s));
}

TEST(ReshareSim, NothingHappensWithoutAQuorumOfApprovals) {
  auto plan = five_to_others().plan();
  // f = 1: four of the five must approve; two of them do not.
  const auto old = five_to_others().old_places();
  ReshareTrial run(
      five_to_others(),
      [] {
        Schedule schedule;
        schedule.end = 120s;
        return schedule;
      }(),
      5, ReshareTrial::Operators::stay_away, plan);
  run.go();
  for (std::size_t place = 1; place <= run.origin.nodes.size(); ++place) {
    EXPECT_EQ(run.ceremony(place)->status().phase, dkg::Phase::closed);
    EXPECT_EQ(run.ceremony(place)->status().awaited, std::vector<dkg::Position>(old.begin(), old.end()));
  }
}

// The share for one receiver is garbage; or another share than the certified one is dealt.
enum class DealerLie { wrong_share, wrong_constant, no_deal };

class LyingDealer final : public Machine {
 public:
  LyingDealer(std::unique_ptr<Machine> honest, const Origin& origin, std::size_t place, DealerLie lie)
      : honest_(std::move(honest)), origin_(origin), place_(place), lie_(lie) {}
  Output receive(const Bytes& message, Now now) override {
    learn(message);
    return twist(honest_->receive(message, now));
  }
  Output tick(Now now) override { return twist(honest_->tick(now)); }
  std::optional<Instant> wakes_at() const override { return honest_->wakes_at(); }
  Output connected(const std::set<std::size_t>& members, Now now) override {
    return twist(honest_->connected(members, now));
  }

 private:
  void learn(const Bytes& message) {
    const auto envelope = dkg::Envelope::parse(message);
    if (!envelope || envelope->type != dkg::MessageType::ceremony_header) return;
    const auto header = dkg::CeremonyHeader::parse(envelope->body);
    if (header) headers_.emplace(header->sid(), *header);
  }
  Output twist(Output output) {
    std::vector<Bytes> send;
    for (auto& message : output.send) {
      learn(message);
      const auto envelope = dkg::Envelope::parse(message);
      const bool is_deal = envelope && envelope->type == dkg::MessageType::deal;
      if (!is_deal) {
        send.push_back(std::move(message));
      } else if (lie_ != DealerLie::no_deal) {
        send.push_back(lie_about(dkg::Deal::parse(envelope->body).value()));
      }
    }
    output.send = std::move(send);
    return output;
  }
  Bytes lie_about(const dkg::Deal& deal) const {
    std::vector<std::vector<crypto::Element>> points;
    for (const auto& table : origin_.record->tables) points.push_back(table.shares);
    auto terms = dkg::deal_terms(headers_.at(deal.sid), deal.sid, points);
    std::vector<crypto::SecretScalar> shares;
    for (const auto& share : origin_.shares.at(place_)) {
      shares.push_back(lie_ == DealerLie::wrong_constant ? share + crypto::Scalar(1) : share.clone());
    }
    for (auto& prekey : terms.prekeys) {
      if (lie_ == DealerLie::wrong_share && prekey) prekey = crypto::Point::second_generator();
      if (lie_ == DealerLie::wrong_share) break;  // the first receiver's
    }
    const auto seed = crypto::Secret<32>::copy_of(deal.sid.view());
    return dkg::seal(dkg::make_deal(terms, deal.dealer, seed, shares), origin_.nodes[place_ - 1],
                     origin_.first.network_id)
        .encode();
  }

  std::unique_ptr<Machine> honest_;
  const Origin& origin_;
  std::size_t place_;
  DealerLie lie_;
  std::map<dkg::Sid, dkg::CeremonyHeader> headers_;
};

Twist liars(const Origin& origin, std::set<std::size_t> places, DealerLie lie) {
  return [&origin, places, lie](std::size_t place, std::unique_ptr<Machine> honest) -> std::unique_ptr<Machine> {
    if (!places.contains(place)) return honest;
    return std::make_unique<LyingDealer>(std::move(honest), origin, place, lie);
  };
}

// The wrong share for one receiver may still be decided by the others; that one is then repaired.
TEST(ReshareSim, ADealerOfWrongSharesOrOfAnotherShareIsConvictedAndTheOthersGoOn) {
  const auto& origin = five_to_others();
  for (const DealerLie lie : {DealerLie::wrong_share, DealerLie::wrong_constant}) {
    for (const auto liar : origin.old_places()) {
      ReshareTrial run(origin, {}, 30 + liar, ReshareTrial::Operators::approve, {}, liars(origin, {liar}, lie), {liar});
      run.go({liar});
      const auto where = std::to_string(static_cast<int>(lie)) + " by " + std::to_string(liar);
      ASSERT_TRUE(run.is_over({liar})) << where << run.story();
      EXPECT_EQ(run.verdict({liar}), "") << where << run.story();
      EXPECT_EQ(run.blamed(), std::set<std::size_t>{liar}) << where << run.story();
    }
  }
}

TEST(ReshareSim, ThresholdManyDealersAreEnough) {
  const auto& origin = five_to_others();
  const auto old = origin.old_places();
  const std::set<std::size_t> silent{old[0], old[3]};
  ReshareTrial run(origin, {}, 40, ReshareTrial::Operators::approve, {}, liars(origin, silent, DealerLie::no_deal));
  run.go();
  ASSERT_TRUE(run.is_over()) << run.story();
  EXPECT_EQ(run.verdict(), "");
}

TEST(ReshareSim, EveryOldMemberMayBeDeadAndNewOnesStartLate) {
  const auto& origin = five_to_others();
  for (std::size_t dead = 1; dead <= origin.nodes.size(); ++dead) {
    Schedule schedule;
    const bool is_new = origin.is_new(dead);
    schedule.starts = {{dead, is_new && !origin.is_old(dead) ? Duration(90s) : Duration(10h)}};
    ReshareTrial run(origin, schedule, 50 + dead);
    const std::set<std::size_t> without = schedule.starts[dead] > 1h ? std::set{dead} : std::set<std::size_t>{};
    run.go(without);
    ASSERT_TRUE(run.is_over(without)) << dead << run.story();
    EXPECT_EQ(run.verdict(), "") << dead;
  }
}

TEST(ReshareSim, WithTooManyOldMembersDeadNothingIsDecidedAndTheyAreNamed) {
  const auto& origin = five_to_others();
  const auto old = origin.old_places();
  Schedule schedule;
  schedule.end = 400s;
  schedule.starts = {{old[1], 10h}, {old[2], 10h}};
  ReshareTrial run(origin, schedule, 60);
  run.go();
  for (const auto place : old) {
    if (place == old[1] || place == old[2]) continue;
    const auto status = run.ceremony(place)->status();
    EXPECT_LT(status.phase, dkg::Phase::decided);
    EXPECT_EQ(status.awaited,
              (std::vector<dkg::Position>{static_cast<dkg::Position>(old[1]), static_cast<dkg::Position>(old[2])}));
  }
}

TEST(ReshareSim, EndsAndHoldsUnderStormsOfEveryKind) {
  for (const auto* origin : {&five(), &five_to_others()}) {
    for (std::uint64_t seed = 1; seed <= 18; ++seed) {
      Schedule schedule;
      schedule.storm.latency_max = 1500ms;
      schedule.storm.loss_per_mille = 50 * (seed % 6);
      schedule.storm.repeat_per_mille = 100;
      schedule.storm.straggle_per_mille = 100;
      schedule.storm.crash_per_mille = 10 * (seed % 4);
      schedule.storm.is_split = seed % 3 == 0;
      schedule.calm_from = 30s;
      schedule.end = 3600s;
      ReshareTrial run(*origin, schedule, seed);
      run.go();
      ASSERT_TRUE(run.is_over()) << "seed " << seed << run.story();
      ASSERT_EQ(run.verdict(), "") << "seed " << seed << run.story();
    }
  }
}

TEST(ReshareSim, ACrashAndRestartAtEachPersistBoundaryEndsInTheSameKey) {
  const Origin origin({4, 2, 4, 2, 2}, 13);
  ReshareTrial quiet(origin, {}, 70);
  quiet.go();
  ASSERT_TRUE(quiet.is_over()) << quiet.story();
  for (std::uint64_t boundary = 0; boundary < quiet.world.boundaries(); ++boundary) {
    Schedule schedule;
    schedule.crash = Schedule::Crash{boundary, false};
    ReshareTrial run(origin, schedule, 70);
    run.go();
    ASSERT_TRUE(run.is_over()) << "boundary " << boundary << run.story();
    ASSERT_EQ(run.verdict(), "") << "boundary " << boundary;
  }
}

TEST(ReshareSim, AnOldEpochAnswersThroughItsGraceAndIsThenGoneForEver) {
  const auto& origin = five_to_others();
  ReshareTrial run(origin, {}, 80);
  run.go();
  ASSERT_TRUE(run.is_over()) << run.story();
  const auto& next = *run.ceremony(1)->record();
  for (const auto place : origin.old_places()) {
    Random random(place);
    Disk disk = origin.disks.at(place);
    const auto boot = [&](Now now) {
      return std::move(dkg::Ceremony::restore(origin.first, origin.self(place), disk, random, now).value());
    };
    const auto then = [](Duration since) { return Now{Instant{} + since, 1'700'000'000'000 + since / 1ms}; };
    auto old = boot(then(0s));
    disk.apply(old.retire(next, 600s, then(100s)).save);
    EXPECT_EQ(old.status().phase, dkg::Phase::retired);
    disk.apply(old.tick(then(699s)).save);
    ASSERT_NE(old.shares(), nullptr) << "it answers until the end";
    auto again = boot(then(0s));  // a restart does not lose the end
    ASSERT_NE(again.shares(), nullptr);
    disk.apply(again.tick(then(701s)).save);
    EXPECT_EQ(again.shares(), nullptr);
    EXPECT_EQ(disk.readable_secrets(), 0u);
    EXPECT_TRUE(disk.is_destroyed(again.share_kek()));
    auto last = boot(then(800s));
    disk.apply(last.tick(then(800s)).save);
    EXPECT_EQ(last.status().phase, dkg::Phase::erased);
    EXPECT_EQ(last.shares(), nullptr);
    EXPECT_FALSE(last.wakes_at().has_value()) << "it asks for nothing";
    EXPECT_TRUE(last.is_released()) << "its Link stays";
  }
}

}  // namespace
}  // namespace kms::sim
