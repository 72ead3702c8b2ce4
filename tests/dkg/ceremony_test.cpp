#include "dkg/ceremony.h"

#include <gtest/gtest.h>

#include "dkg/attempt_clock.h"
#include "dkg/early_book.h"
#include "dkg/pull_book.h"
#include "tests/dkg/four_nodes.h"

namespace kms::dkg::test {
namespace {

using Four = FourNodes;

bool has_report(const Effects& effects, Event::Kind kind) {
  return std::any_of(effects.report.begin(), effects.report.end(), [&](const auto& e) { return e.kind == kind; });
}

TEST(Ceremony, RefusesAPlanWhoseThresholdIsForAnotherCommittee) {
  Four four;
  auto plan = four.plan();
  plan.threshold = Threshold::make(5, 3).value();
  EXPECT_FALSE(Ceremony::begin(plan, Self{four.node(1), four.secret}, four.random, now_at(0s)));
}

TEST(Ceremony, RefusesANodeThatIsNotAMember) {
  Four four;
  const auto stranger = crypto::NodeKey::generate(four.random);
  EXPECT_FALSE(Ceremony::begin(four.plan(), Self{stranger, four.secret}, four.random, now_at(0s)));
}

TEST(Ceremony, StaysClosedBelowQConnectionsAndOpensWithThem) {
  Four four;
  auto ceremony = four.ceremony(1);
  EXPECT_EQ(ceremony.status().phase, Phase::closed);
  ceremony.peers_connected({four.members->at(2).node}, now_at(1s));
  EXPECT_EQ(ceremony.status().phase, Phase::closed);
  ceremony.peers_connected({four.members->at(2).node, four.members->at(3).node}, now_at(2s));
  EXPECT_EQ(ceremony.status().phase, Phase::idle);
}

TEST(Ceremony, StrangersDoNotCountAsConnectedMembers) {
  Four four;
  auto ceremony = four.ceremony(1);
  std::set<NodeId> strangers;
  for (int i = 0; i < 4; ++i) strangers.insert(NodeId{four.random.array<32>()});
  ceremony.peers_connected(strangers, now_at(1s));
  EXPECT_EQ(ceremony.status().phase, Phase::closed);
}

TEST(Ceremony, StoresWhatItSignsInTheCheckpointThatSendsIt) {
  Four four;
  auto ceremony = four.ceremony(1);
  const auto effects = ceremony.tick(now_at(0s));
  ASSERT_FALSE(effects.send.empty());
  for (const auto& outgoing : effects.send) {
    if (!outgoing.envelope.signature) continue;
    const auto bytes = outgoing.envelope.encode();
    const bool is_stored = std::any_of(effects.save.writes.begin(), effects.save.writes.end(), [&](const auto& write) {
      const auto* put = std::get_if<Put>(&write);
      return put != nullptr && put->value == bytes;
    });
    EXPECT_TRUE(is_stored) << name_of(outgoing.envelope.type);
  }
}

TEST(Ceremony, AMessageOfAnotherNetworkOrOfAStrangerChangesNothing) {
  Four four;
  auto other = four.ceremony(2);
  auto announce = other.tick(now_at(0s)).send.front().envelope;
  auto ceremony = four.ceremony(1);
  ceremony.tick(now_at(0s));
  auto foreign = announce;
  foreign.network.bytes[0] ^= 1;
  EXPECT_TRUE(ceremony.receive(foreign, now_at(1ms)).empty());
  auto stranger = announce;
  stranger.sender.bytes[0] ^= 1;
  EXPECT_TRUE(ceremony.receive(stranger, now_at(1ms)).empty());
}

TEST(Ceremony, ABadSignatureChangesNothing) {
  Four four;
  auto other = four.ceremony(2);
  auto announce = other.tick(now_at(0s)).send.front().envelope;
  announce.signature->bytes[40] ^= 1;
  auto ceremony = four.ceremony(1);
  ceremony.tick(now_at(0s));
  ceremony.receive(announce, now_at(1ms));
  ceremony.peers_connected(four.all(), now_at(2ms));
  EXPECT_EQ(ceremony.status().have, 1u) << "only the own announcement counts";
}

TEST(Ceremony, AMalformedBodyIsNamedAndChangesNothing) {
  Four four;
  auto other = four.ceremony(2);
  auto announce = other.tick(now_at(0s)).send.front().envelope;
  announce.body.push_back(0xff);
  auto ceremony = four.ceremony(1);
  ceremony.tick(now_at(0s));
  const auto effects = ceremony.receive(announce, now_at(1ms));
  EXPECT_TRUE(effects.save.empty());
  EXPECT_TRUE(has_report(effects, Event::Kind::misbehaviour));
}

TEST(Ceremony, TwoPrekeysForOneNumberAreEvidence) {
  Four four;
  auto ceremony = four.ceremony(1);
  ceremony.tick(now_at(0s));
  auto once = four.ceremony(2);
  auto twice = four.ceremony(2);  // the same member with a new disk
  ceremony.receive(once.tick(now_at(0s)).send.front().envelope, now_at(1ms));
  const auto effects = ceremony.receive(twice.tick(now_at(0s)).send.front().envelope, now_at(2ms));
  EXPECT_TRUE(has_report(effects, Event::Kind::blame));
}

TEST(Ceremony, AHeaderOfAMemberWhoseTurnItIsNotIsIgnored) {
  Four four;
  const auto plan = four.plan();
  const auto slot = slot_id(plan.key_set, 0, 0);
  std::vector<Ceremony> machines;
  for (Position position = 1; position <= 4; ++position) machines.push_back(four.ceremony(position));
  std::vector<Envelope> sent;
  for (auto& machine : machines) {
    for (auto& outgoing : machine.tick(now_at(0s)).send) sent.push_back(outgoing.envelope);
  }
  const auto initiator = lead(slot, 0, 4);
  auto& machine = machines[initiator - 1u];
  for (const auto& envelope : sent) machine.receive(envelope, now_at(1ms));
  std::optional<Envelope> header;
  for (auto& outgoing : machine.peers_connected(four.all(), now_at(2ms)).send) {
    if (outgoing.envelope.type == MessageType::ceremony_header) header = outgoing.envelope;
  }
  ASSERT_TRUE(header);
  const Position thief = static_cast<Position>(initiator % 4 + 1);
  const Position receiver = static_cast<Position>(thief % 4 + 1);
  const auto stolen = seal(*CeremonyHeader::parse(header->body), four.node(thief), plan.network_id);
  machines[receiver - 1u].receive(stolen, now_at(3ms));
  EXPECT_EQ(machines[receiver - 1u].status().phase, Phase::closed);
  machines[receiver - 1u].receive(*header, now_at(4ms));
  EXPECT_EQ(machines[receiver - 1u].status().phase, Phase::collect) << "a valid header opens the slot";
}

AttemptClock clock_of_five() {
  return AttemptClock(Timing{}, Threshold::make(5, 3).value(), 1);  // f = 1, q = 4
}

TEST(AttemptClock, NobodyRunsAheadAloneWhenTheInitiatorIsSilent) {
  auto clock = clock_of_five();
  clock.open(0, at(0s));
  EXPECT_FALSE(clock.advance(at(5s)));
  EXPECT_TRUE(clock.advance(at(61s)));
}

TEST(AttemptClock, RisesSoonWhenQMembersAreThereAndNoHeaderCame) {
  auto clock = clock_of_five();
  clock.open(0, at(0s));
  for (Position member = 2; member <= 4; ++member) clock.heard(member, 0);
  EXPECT_FALSE(clock.advance(at(3s)));
  EXPECT_TRUE(clock.advance(at(4s)));
  EXPECT_EQ(clock.own(), 1u);
}

TEST(AttemptClock, AHeaderGivesTheAttemptItsLongTime) {
  auto clock = clock_of_five();
  clock.open(0, at(0s));
  for (Position member = 2; member <= 4; ++member) clock.heard(member, 0);
  clock.saw_header(0);
  EXPECT_FALSE(clock.advance(at(30s)));
}

TEST(AttemptClock, FollowsFPlusOneMembersAndNeverFewer) {
  auto clock = clock_of_five();
  clock.open(0, at(0s));
  clock.heard(2, 4'000'000'000U);
  EXPECT_FALSE(clock.advance(at(1s)));
  clock.heard(3, 7);
  EXPECT_TRUE(clock.advance(at(1s)));
  EXPECT_EQ(clock.own(), 7u);
}

TEST(EarlyBook, KeepsABoundedNumberPerMemberAndNoCopies) {
  EarlyBook book;
  Envelope envelope;
  for (std::uint8_t i = 0; i < 100; ++i) {
    envelope.body = {i};
    book.keep(3, envelope);
    book.keep(3, envelope);
  }
  const auto kept = book.take();
  ASSERT_EQ(kept.size(), EarlyBook::kPerMember);
  EXPECT_EQ(kept.back().body, Bytes{99});
  EXPECT_TRUE(book.empty());
}

TEST(PullBook, AsksAgainAfterTwoDeltaAndAnswersOncePerDelta) {
  PullBook pulls(500ms);
  ObjectId object;
  pulls.want({object}, at(0s));
  EXPECT_TRUE(pulls.take_due(at(0s)).empty());
  EXPECT_EQ(pulls.take_due(at(200ms)).size(), 1u);
  EXPECT_TRUE(pulls.take_due(at(300ms)).empty());
  EXPECT_EQ(pulls.take_due(at(1300ms)).size(), 1u);
  EXPECT_TRUE(pulls.may_answer(1, object, at(0s)));
  EXPECT_FALSE(pulls.may_answer(1, object, at(400ms)));
  EXPECT_TRUE(pulls.may_answer(2, object, at(400ms)));
  EXPECT_TRUE(pulls.may_answer(1, object, at(500ms)));
}

// Twenty members with sixteen keys: their Deals are more than an envelope holds.
TEST(Ceremony, AnswersAFetchOfMoreDealsThanOneEnvelopeHolds) {
  constexpr std::uint16_t kMembers = 20;
  sim::Random random(2);
  std::vector<crypto::NodeKey> nodes;
  std::vector<crypto::Point> keys;
  for (int i = 0; i < kMembers; ++i) {
    nodes.push_back(crypto::NodeKey::generate(random));
    keys.push_back(nodes.back().public_key());
  }
  const auto members = Committee::make(keys).value();
  const auto secret = crypto::Secret<32>::random(random);
  std::vector<Label> labels;
  for (std::uint64_t chain = 1; chain <= kKeysMax; ++chain) labels.push_back(Label{chain, {}});
  const auto network = network_id("test", {1});
  const Plan plan{.network_id = network,
                  .key_set = key_set_id(network, {1}, members.hash(), 8, labels),
                  .labels = labels,
                  .members = members,
                  .threshold = Threshold::make(kMembers, 8).value(),
                  .file = file_hash(as_bytes("file")),
                  .not_after = 0,
                  .genesis = Genesis::automatic,
                  .timing = {}};
  std::set<NodeId> all;
  for (const auto& member : members.members()) all.insert(member.node);
  std::vector<Ceremony> machines;
  for (const auto& node : nodes) {
    machines.push_back(std::move(Ceremony::begin(plan, Self{node, secret}, random, now_at(0s)).value()));
  }
  const auto slot = slot_id(plan.key_set, 0, 0);
  const NodeId leader = members.at(lead(slot, 0, kMembers)).node;
  auto& initiator = *std::find_if(machines.begin(), machines.end(), [&](auto& one) { return one.self() == leader; });

  std::vector<Envelope> announces, headers, deals;
  const auto sort_out = [&](const Effects& effects) {
    for (const auto& [envelope] : effects.send) {
      if (envelope.type == MessageType::prekey_announce) announces.push_back(envelope);
      if (envelope.type == MessageType::ceremony_header) headers.push_back(envelope);
      if (envelope.type == MessageType::deal) deals.push_back(envelope);
    }
  };
  for (auto& machine : machines) sort_out(machine.peers_connected(all, now_at(0s)));
  for (const auto& announce : std::vector(announces)) sort_out(initiator.receive(announce, now_at(1ms)));
  ASSERT_FALSE(headers.empty());
  const auto header = headers.front();
  for (auto& machine : machines) {
    if (machine.self() != leader) sort_out(machine.receive(header, now_at(2ms)));
  }
  ASSERT_EQ(deals.size(), kMembers);
  Fetch fetch;
  for (const auto& deal : deals) {
    initiator.receive(deal, now_at(3ms));
    fetch.hashes.push_back(id_cast<ObjectId>(Deal::parse(deal.body)->hash()));
  }
  std::sort(fetch.hashes.begin(), fetch.hashes.end());

  const auto& asking = machines[initiator.self() == machines[0].self() ? 1 : 0].self();
  std::size_t objects = 0, bytes = 0;
  for (const auto& [envelope] : initiator.receive(wrap(fetch, asking, network), now_at(4ms)).send) {
    if (envelope.type != MessageType::fetch_reply) continue;
    const auto reply = FetchReply::parse(envelope.body);
    ASSERT_TRUE(reply);
    const auto batch = Batch::parse(Batch{{envelope}}.encode());
    EXPECT_TRUE(batch) << envelope.body.size();
    objects += reply->objects.size();
    bytes += envelope.body.size();
  }
  EXPECT_EQ(objects, kMembers);
  EXPECT_GT(bytes, Batch::kBytesMax) << "the case this test is about";
}

}  // namespace
}  // namespace kms::dkg::test
