// Who is grafted and pruned; backoffs; promises; the log of decided messages.
#include "net/mesh.h"

#include <set>

#include <gtest/gtest.h>

#include "net/backoff.h"
#include "net/delivery_log.h"
#include "net/promises.h"
#include "tests/net/fixtures.h"
#include "tests/sim/random.h"

namespace kms::net {
namespace {

struct MeshUpkeep : testing::Test {
  std::vector<MeshPeer> peers(std::size_t count, double score = 0) {
    std::vector<MeshPeer> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back({fresh(), score, false, false});
    return out;
  }
  PeerId fresh() { return identity_named("peer " + std::to_string(next_++)).peer_id(); }
  MeshChange keep(std::vector<MeshPeer> members, std::vector<MeshPeer> others,
                  std::optional<double> median_below = std::nullopt) {
    return maintain_mesh(options, std::move(members), std::move(others), median_below, random);
  }
  static bool contains(const std::vector<PeerId>& ids, const PeerId& id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }

  MeshOptions options;  // 8, 6, 12, score 5, out 3
  sim::Random random{7};

 private:
  int next_ = 0;
};

TEST_F(MeshUpkeep, AMeshBelowItsLowDegreeIsFilledToItsTarget) {
  options.out = 0;
  EXPECT_EQ(keep(peers(5), peers(20)).graft.size(), 3u);
  EXPECT_EQ(keep(peers(0), peers(20)).graft.size(), 8u);
  EXPECT_EQ(keep(peers(0), peers(4)).graft.size(), 4u);
  EXPECT_TRUE(keep(peers(6), peers(20)).graft.empty());
}

TEST_F(MeshUpkeep, NobodyIsGraftedTwiceInOneHeartbeat) {
  auto others = peers(12);
  for (auto& other : others) other.is_dialled = true;
  auto change = keep(peers(5), others, 1000.0);
  EXPECT_EQ(std::set<PeerId>(change.graft.begin(), change.graft.end()).size(), change.graft.size());
}

TEST_F(MeshUpkeep, ANegativeScoreLeavesTheMeshAndItsPlaceIsFilled) {
  options.out = 0;
  auto members = peers(6);
  members[2].score = -0.5;
  auto change = keep(members, peers(20));
  EXPECT_EQ(change.drop, std::vector<PeerId>{members[2].id});
  EXPECT_EQ(change.graft.size(), 3u);
  EXPECT_TRUE(change.prune.empty());
}

TEST_F(MeshUpkeep, AFullMeshKeepsTheBestByScoreAndTheDialledOnes) {
  for (int round = 0; round < 50; ++round) {
    auto members = peers(16, 1);
    for (int i = 0; i < 5; ++i) members[static_cast<std::size_t>(i)].score = 10;
    for (int i = 13; i < 16; ++i) members[static_cast<std::size_t>(i)].is_dialled = true;
    auto change = keep(members, {});
    ASSERT_EQ(change.prune.size(), 8u);
    for (const auto& member : members) {
      bool is_kept = member.score == 10 || member.is_dialled;
      EXPECT_FALSE(is_kept && contains(change.prune, member.id));
    }
  }
}

TEST_F(MeshUpkeep, AMeshBetweenTargetAndHighIsLeftAlone) {
  EXPECT_TRUE(keep(peers(11), {}).prune.empty());
  EXPECT_EQ(keep(peers(12), {}).prune.size(), 4u);
}

TEST_F(MeshUpkeep, MissingDialledOnesAreGraftedBesideAFullMesh) {
  auto others = peers(10);
  others[4].is_dialled = others[7].is_dialled = true;
  auto change = keep(peers(9), others);
  EXPECT_EQ(std::set<PeerId>(change.graft.begin(), change.graft.end()), (std::set<PeerId>{others[4].id, others[7].id}));
}

TEST_F(MeshUpkeep, LightPeersAreFewAndNeverCountAsDialled) {
  auto light = peers(20);
  for (auto& peer : light) peer.is_light = peer.is_dialled = true;
  auto change = keep({}, light);
  EXPECT_EQ(change.graft.size(), options.light);
  auto members = peers(6);
  auto other = peers(1);
  other[0].is_dialled = true;
  members[0].is_light = members[1].is_light = members[2].is_light = true;
  members[0].is_dialled = members[1].is_dialled = members[2].is_dialled = true;
  EXPECT_EQ(keep(members, other).graft, std::vector<PeerId>{other[0].id});
}

TEST_F(MeshUpkeep, APoorMeshIsImprovedByBetterPeersOnly) {
  options.out = 0;
  auto members = peers(7, 1);
  auto others = peers(5, 0.5);
  auto good = peers(4, 3);
  others.insert(others.end(), good.begin(), good.end());
  EXPECT_TRUE(keep(members, others).graft.empty()) << "not at every heartbeat";
  auto change = keep(members, others, 2.0);
  ASSERT_EQ(change.graft.size(), 2u);
  for (const PeerId& id : change.graft) {
    EXPECT_TRUE(std::any_of(good.begin(), good.end(), [&](const auto& peer) { return peer.id == id; }));
  }
  EXPECT_TRUE(keep(peers(7, 2), others, 2.0).graft.empty()) << "the median is good enough";
}

TEST(Backoff, CountsUntilItIsSweptAndALaterEndWins) {
  PeerId peer = identity_named("a").peer_id();
  Instant start{Duration(1h)};
  Backoffs backoffs(10);
  backoffs.add("t", peer, start + 60s);
  backoffs.add("t", peer, start + 10s);
  EXPECT_EQ(backoffs.end("t", peer), start + 60s);
  EXPECT_FALSE(backoffs.counts("u", peer));
  backoffs.sweep(start + 61s, 2s);
  EXPECT_TRUE(backoffs.counts("t", peer)) << "the slack";
  backoffs.sweep(start + 63s, 2s);
  EXPECT_FALSE(backoffs.counts("t", peer));
}

TEST(Backoff, IsBoundedPerTopicAlsoForMembersAndForgetsWhatRunsOutFirst) {
  Backoffs backoffs(3);
  Instant start{Duration(1h)};
  for (int i = 0; i < 6; ++i) {
    backoffs.add("t", identity_named(std::to_string(i)).peer_id(), start + std::chrono::seconds(60 - i));
  }
  EXPECT_EQ(backoffs.size("t"), 3u);
  EXPECT_TRUE(backoffs.counts("t", identity_named("0").peer_id()));
  EXPECT_FALSE(backoffs.counts("t", identity_named("4").peer_id()));
}

// go's gossip tracer test: one id of each IWANT is watched, and what anybody brings keeps all promises of it.
TEST(Promise, IsBrokenWhenItsTimeIsUpAndKeptByWhoeverBringsTheMessage) {
  sim::Random random(3);
  PeerId a = identity_named("a").peer_id(), b = identity_named("b").peer_id();
  std::vector<MessageId> first, second;
  for (std::uint8_t i = 0; i < 100; ++i) (i < 50 ? first : second).push_back(Bytes(20, i));
  Instant start{Duration(1h)};
  Promises promises(1000);
  promises.watch(a, first, start + 3s, random);
  promises.watch(b, second, start + 3s, random);
  EXPECT_EQ(promises.size(), 2u);
  EXPECT_TRUE(promises.broken(start + 2s).empty());
  for (const MessageId& id : second) promises.kept(id);
  EXPECT_EQ(promises.broken(start + 3s), (std::map<PeerId, std::size_t>{{a, 1}}));
  EXPECT_TRUE(promises.broken(start + 4s).empty());
  EXPECT_EQ(promises.size(), 0u);
}

TEST(Promise, AreBounded) {
  sim::Random random(3);
  Promises promises(5);
  PeerId a = identity_named("a").peer_id();
  for (std::uint8_t i = 0; i < 100; ++i)
    promises.watch(a, std::vector<MessageId>{MessageId(20, i)}, Instant(Duration(1h)), random);
  EXPECT_EQ(promises.size(), 5u);
}

TEST(DeliveryLog, NamesTheOutcomeOncePerPeerAndForgetsTheOldest) {
  PeerId a = identity_named("a").peer_id(), b = identity_named("b").peer_id();
  Instant start{Duration(1h)};
  DeliveryLog log(120s, 2);
  log.put(Bytes{1}, DeliveryLog::Outcome::invalid, {a}, start);
  EXPECT_FALSE(log.copy(Bytes{1}, a, 10ms, start)) << "counted already";
  auto copy = log.copy(Bytes{1}, b, 10ms, start + 5s);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->outcome, DeliveryLog::Outcome::invalid);
  EXPECT_EQ(copy->age, Duration(5s));
  EXPECT_FALSE(log.copy(Bytes{1}, b, 10ms, start + 5s));
  log.put(Bytes{2}, DeliveryLog::Outcome::valid, {}, start + 1s);
  log.put(Bytes{3}, DeliveryLog::Outcome::valid, {}, start + 2s);
  EXPECT_EQ(log.size(), 2u);
  EXPECT_FALSE(log.copy(Bytes{1}, identity_named("c").peer_id(), 10ms, start + 5s));
  log.expire(start + 121s);
  EXPECT_EQ(log.size(), 1u);
}

}  // namespace
}  // namespace kms::net
