// Forms B and C among n Boards on virtual time: who answers, what liars achieve, what a nonce is good for.
#include <gtest/gtest.h>

#include "tests/node/delegation/board_network.h"

namespace kms::delegation {
namespace {

using test::BoardNetwork;

struct BothForms : testing::TestWithParam<Form> {};
INSTANTIATE_TEST_SUITE_P(Board, BothForms, testing::Values(Form::b, Form::c),
                         [](const auto& form) { return std::string(1, letter_of(form.param)); });

TEST_P(BothForms, AreAnsweredByExactlyTMembersWhichMakeSK) {
  BoardNetwork network(5, 3);
  network.ask(2, network.request(GetParam()));
  EXPECT_TRUE(network.is_right());
  EXPECT_EQ(network.replies.size(), 1u);
  network.advance(1s);
  EXPECT_EQ(network.senders(BoardNetwork::partial_type(GetParam())).size(), 3u);  // the entry's own is one of them
  EXPECT_EQ(network.senders(Done::kType), std::vector<Position>{2});
  EXPECT_TRUE(network.events.empty());
}

TEST_P(BothForms, AreServedByEveryOtherNode) {
  BoardNetwork network(5, 3);
  network.ask(1, network.request(GetParam()));
  ASSERT_TRUE(network.is_right());
  const Hash32 rh = *network.replies[0].rh;
  for (Position at = 2; at <= 5; ++at) {
    ASSERT_TRUE(network.boards.at(at).knows(rh));
    network.run(at, network.boards.at(at).look(at, rh, {}, Board::Look::first, network.now));
    EXPECT_TRUE(network.is_right(at - 1u)) << at;
  }
  EXPECT_EQ(network.senders(PublicRequest::kType), std::vector<Position>{1});  // nobody had to ask again
}

TEST_P(BothForms, AreAnsweredAlthoughMembersSendGarbageWhoAreNamed) {
  BoardNetwork network(5, 3);
  network.corrupt = {2, 3};
  network.connect();
  for (std::uint8_t nonce = 1; nonce <= 12; ++nonce) {  // enough for the liars to be among the first
    network.ask(1, network.request(GetParam(), nonce), nonce);
    network.advance(200ms);
    EXPECT_TRUE(network.is_right(nonce - 1u));
  }
  ASSERT_FALSE(network.events.empty());
  for (const Event& event : network.events) {
    EXPECT_TRUE(network.corrupt.contains(event.culprit)) << event.text;
    EXPECT_NE(event.text.find("bad partial"), std::string::npos);
  }
  const Board& board = network.boards.at(1);
  EXPECT_EQ(board.counts().bad_partials, network.events.size());
  // What they sent is kept, the newest of each.
  std::size_t kept = 0;
  for (const auto& [node, bad] : board.bad_partials()) {
    EXPECT_TRUE(network.dealt.nodes(network.corrupt).contains(node));
    EXPECT_LE(bad.size(), Board::kBadPartialsKept);
    for (const BadPartial& each : bad) {
      EXPECT_EQ(network.dealt.member(index_of(each.partial)).node, node);
      EXPECT_FALSE(each.fault.empty());
      EXPECT_GT(each.at_ms, 0);
    }
    kept += bad.size();
  }
  EXPECT_GT(kept, 0u);
}

TEST_P(BothForms, CostAHedgeDelayForEachMemberThatIsSilent) {
  for (Position silent = 2; silent <= 5; ++silent) {
    BoardNetwork network(5, 3);
    network.silent = {silent};
    network.ask(1, network.request(GetParam()));
    network.advance(network.limits.hedge_delay);
    EXPECT_TRUE(network.is_right()) << silent;
    for (Position other = 2; other < silent; ++other) {
      BoardNetwork with_two(5, 3);
      with_two.silent = {silent, other};
      with_two.ask(1, with_two.request(GetParam()));
      with_two.advance(2 * with_two.limits.hedge_delay);
      EXPECT_TRUE(with_two.is_right()) << silent << other;
    }
  }
}

TEST_P(BothForms, Are503BelowQuorumAtOnceOrInTime) {
  BoardNetwork network(5, 3);
  network.dead = {2, 3, 4};
  network.connect();
  network.ask(1, network.request(GetParam()));
  EXPECT_TRUE(network.has<Unavailable>());
  network.silent = {2, 3, 4};
  network.dead = {};
  network.connect();
  network.ask(1, network.request(GetParam(), 2));
  network.advance(network.limits.timeout);
  EXPECT_TRUE(network.has<Unavailable>(1));
  EXPECT_EQ(network.boards.at(1).pending(), 0u);
}

// The node that was asked dies with the request under way; the client goes to another one.
TEST_P(BothForms, AreTakenUpByAnotherNodeWhenTheEntryDies) {
  BoardNetwork network(5, 3);
  network.silent = {1, 3};  // 1 hears nothing of the world's doubts: its own partial never leaves
  const auto authorisation = network.request(GetParam());
  network.silent = {};
  network.ask(1, authorisation);
  network.dead = {1};
  network.connect();
  network.ask(4, authorisation, 8);
  network.advance(300ms);
  EXPECT_TRUE(network.is_right(0));
  EXPECT_TRUE(network.is_right(1));
  EXPECT_EQ(network.replies[0].rh, network.replies[1].rh);
}

// A member that knows the rh says something else under it, before the client comes to this node.
TEST_P(BothForms, AskForWhatWasVerifiedHereWhateverOthersSaidUnderItsHash) {
  for (const Position at : std::vector<Position>{1, 3, 4, 5}) {
    BoardNetwork network(5, 3);
    const auto authorisation = network.request(GetParam());
    network.dead = {1, 3, 4, 5};
    network.connect();
    network.ask(2, authorisation);  // 2 learns the rh, and is alone
    ASSERT_TRUE(network.replies[0].rh.has_value());
    network.dead = {};
    network.connect();
    const ServingKey& key = *network.keys.at(at);
    const PublicRequest lie{key.key,
                            0,
                            network.request(GetParam(), 9),
                            *network.replies[0].rh,
                            key.epoch,
                            key.transcript,
                            network.now.unix_s()};
    network.run(at, network.boards.at(at).receive(network.dealt.member(2), lie, {network.dealt.gateway()},
                                                  network.keys.at(at), network.now));
    network.events.clear();
    network.ask(at, authorisation, 8);
    network.advance(500ms);
    EXPECT_TRUE(network.is_right(network.replies.size() - 1)) << at;
    for (const Event& event : network.events) EXPECT_NE(event.node, network.dealt.member(at).node) << event.text;
  }
}

TEST_P(BothForms, GiveOtherPartialsToAClientThatNamesBadOnes) {
  BoardNetwork network(5, 3);
  network.ask(1, network.request(GetParam()));
  ASSERT_TRUE(network.is_right());
  const Hash32 rh = *network.replies[0].rh;
  std::set<Position> bad;
  for (const PublicPartial& partial : network.result()->partials) {
    if (index_of(partial) != 1 && bad.size() < 2) bad.insert(index_of(partial));
  }
  network.run(1, network.boards.at(1).look(8, rh, bad, Board::Look::more, network.now));
  network.advance(300ms);
  ASSERT_TRUE(network.is_right(1));
  for (const PublicPartial& partial : network.result(1)->partials) EXPECT_FALSE(bad.contains(index_of(partial)));
  EXPECT_TRUE(network.events.empty());  // a client's word accuses nobody
}

TEST_P(BothForms, AnswerMoreAtMostOncePerHedgeDelay) {
  BoardNetwork network(5, 3);
  network.ask(1, network.request(GetParam()));
  const Hash32 rh = *network.replies[0].rh;
  network.run(1, network.boards.at(1).look(8, rh, {2}, Board::Look::more, network.now));
  network.run(1, network.boards.at(1).look(9, rh, {3}, Board::Look::more, network.now));
  EXPECT_TRUE(network.has<Overloaded>(network.replies.size() - 1));
  network.advance(network.limits.hedge_delay);
  network.run(1, network.boards.at(1).look(10, rh, {3}, Board::Look::more, network.now));
  network.advance(300ms);
  EXPECT_TRUE(network.is_right(network.replies.size() - 1));
}

TEST_P(BothForms, AnswerTheSameRequestAgainWithoutNewPartialsWithinAHedgeDelay) {
  BoardNetwork network(5, 3);
  const auto authorisation = network.request(GetParam());
  network.ask(1, authorisation);
  const std::size_t sent = network.senders(BoardNetwork::partial_type(GetParam())).size();
  network.ask(1, authorisation, 8);
  network.ask(3, authorisation, 9);
  EXPECT_TRUE(network.is_right(1));
  EXPECT_TRUE(network.is_right(2));
  EXPECT_LE(network.senders(BoardNetwork::partial_type(GetParam())).size(), sent + 1);  // 3 may not have sent its own
  EXPECT_EQ(network.replies[0].rh, network.replies[2].rh);
}

TEST_P(BothForms, RefuseAnythingElseUnderAUsedNonceAtEveryNode) {
  BoardNetwork network(5, 3);
  network.ask(1, network.request(GetParam()));
  ASSERT_TRUE(network.is_right());
  const auto refused_at = [&](Position at, const V1Authorisation& other) {
    network.replies.clear();
    network.refusals.clear();
    network.ask(at, other);
    network.advance(3s);
    return !network.result();
  };
  auto other = network.request(GetParam());
  other.deadline += 1;
  test::sign(other, *network.keys.at(1), network.dealt.gateway_key);
  EXPECT_TRUE(refused_at(1, other));
  EXPECT_TRUE(network.has<Conflict>());
  auto minus_k = network.request(GetParam());
  minus_k.ephemeral[0] ^= 1;  // -K, whose x(s*K) is the same
  test::sign(minus_k, *network.keys.at(1), network.dealt.gateway_key);
  EXPECT_TRUE(refused_at(1, minus_k));
  const Form turned = GetParam() == Form::b ? Form::c : Form::b;
  EXPECT_TRUE(refused_at(1, network.request(turned)));
  // At a node that answered too, and at one that only watched: t members know the nonce, t others would be needed.
  for (Position at = 2; at <= 5; ++at) EXPECT_TRUE(refused_at(at, other)) << at;
}

// (r, -s) and other v of one authorisation are the same request, not a second one under its nonce.
TEST_P(BothForms, TakeEveryFormOfASignatureAsTheSameRequest) {
  BoardNetwork network(5, 3);
  auto authorisation = network.request(GetParam());
  network.ask(1, authorisation);
  auto v0 = authorisation;
  v0.signature[64] = static_cast<std::uint8_t>(v0.signature[64] - 27);
  network.ask(1, v0, 8);
  auto high = authorisation;
  const auto s = crypto::Scalar::parse(ByteView(high.signature).subspan(32, 32));
  const Hash32 minus_s = (-*s).bytes();
  std::copy(minus_s.begin(), minus_s.end(), high.signature.begin() + 32);
  high.signature[64] = high.signature[64] == 27 ? 28 : 27;
  network.ask(2, high, 9);
  ASSERT_EQ(network.replies.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(network.is_right(i)) << i;
    EXPECT_EQ(network.replies[i].rh, network.replies[0].rh);
  }
}

TEST_P(BothForms, AreNotGivenToAnybodyElse) {
  BoardNetwork network(5, 3);
  auto stranger = network.request(GetParam());
  test::sign(stranger, *network.keys.at(1), crypto::SecretScalar::random(network.dealt.entropy));
  network.ask(1, stranger);
  ASSERT_TRUE(network.has<AuthorisationError>());
  // A node that asks for what nobody authorised gets refusals of all whose turn it is.
  PublicRequest request{network.keys.at(1)->key, 2, stranger, Hash32{5}, 0, network.keys.at(1)->transcript,
                        network.now.unix_s()};
  for (Position to = 2; to <= 5; ++to) {
    network.run(to, network.boards.at(to).receive(network.dealt.member(1), request, {network.dealt.gateway()},
                                                  network.keys.at(to), network.now));
  }
  network.advance(1s);
  EXPECT_TRUE(network.senders(BoardNetwork::partial_type(GetParam())).empty());
  EXPECT_GE(network.refusals.size(), 4u);
}

TEST_P(BothForms, KeepABoundedNumberOfRecordsAndDropTheOldestOfWhoBroughtThem) {
  BoardLimits limits;
  limits.records_max = 8;
  BoardNetwork network(5, 3, limits);
  for (std::uint8_t nonce = 1; nonce <= 20; ++nonce) {
    network.ask(1, network.request(GetParam(), nonce), nonce);
    EXPECT_TRUE(network.is_right(nonce - 1u));
  }
  for (auto& [i, board] : network.boards) EXPECT_LE(board.size(), 8u);
  EXPECT_FALSE(network.boards.at(2).knows(*network.replies.front().rh));
  EXPECT_TRUE(network.boards.at(2).knows(*network.replies.back().rh));
}

TEST_P(BothForms, AreForgottenAMinuteAfterTheirDeadline) {
  BoardNetwork network(5, 3);
  network.ask(1, network.request(GetParam()));
  const Hash32 rh = *network.replies[0].rh;
  network.advance(119s);
  EXPECT_TRUE(network.boards.at(4).knows(rh));
  network.advance(2s);
  for (auto& [i, board] : network.boards) EXPECT_EQ(board.size(), 0u);
}

// False Needs make members repeat what they sent, at most once per hedge delay; early Dones of others do nothing.
TEST_P(BothForms, AreNotStoppedByFalseNeedsAndDones) {
  BoardNetwork network(5, 3);
  network.silent = {2};
  network.ask(1, network.request(GetParam()));
  network.advance(1s);
  ASSERT_TRUE(network.is_right());
  const Hash32 rh = *network.replies[0].rh;
  const std::size_t before = network.senders(BoardNetwork::partial_type(GetParam())).size();
  Need need;
  need.rh = rh;
  need.epoch = network.keys.at(1)->epoch;
  need.transcript = network.keys.at(1)->transcript;
  need.want = 5;
  for (std::uint32_t round = 1; round <= 200; ++round) {
    need.round = round;
    for (Position to : {Position{1}, Position{3}, Position{4}}) {
      network.run(to, network.boards.at(to).receive(network.dealt.member(5).node, need, network.now));
    }
  }
  EXPECT_LE(network.senders(BoardNetwork::partial_type(GetParam())).size(), before + 3);
  Done done;
  done.rh = rh;
  network.run(3, network.boards.at(3).receive(network.dealt.member(5).node, done));
  network.run(3, network.boards.at(3).look(9, rh, {}, Board::Look::first, network.now));
  EXPECT_TRUE(network.is_right(network.replies.size() - 1));
}

TEST(Board, GivesThe66BytesAndTheHashOfItsBundle) {
  // tests/crypto checks the parts; here the same t partials in another process give the same hash.
  BoardNetwork network(5, 3);
  network.ask(1, network.request(Form::c));
  ASSERT_TRUE(network.is_right());
  std::vector<PartialC> partials;
  for (const PublicPartial& partial : network.result()->partials) partials.push_back(std::get<PartialC>(partial));
  EXPECT_EQ(bundle_hash(partials), network.result()->combined->bundle_hash);
  std::swap(partials[0].u, partials[1].u);
  EXPECT_NE(bundle_hash(partials), network.result()->combined->bundle_hash);
}

TEST(Board, RefusesTargetsWithAKnownRelation) {
  BoardNetwork network(5, 3);
  const ServingKey& key = *network.keys.at(1);
  std::vector<crypto::Point> refused{crypto::Point::generator(), network.requester.k(), key.table.public_key};
  for (Position i = 1; i <= 5; ++i) refused.push_back(key.table.share(i).point());
  std::uint8_t nonce = 0;
  for (const crypto::Point& point : refused) {
    for (const crypto::Point& sign : {point, -point}) {
      auto authorisation = network.request(Form::c, ++nonce);
      authorisation.target = to_bytes(sign.bytes());
      test::sign(authorisation, key, network.dealt.gateway_key);
      network.replies.clear();
      network.ask(1, authorisation);
      ASSERT_TRUE(network.has<AuthorisationError>());
      EXPECT_EQ(std::get<AuthorisationError>(network.replies[0].outcome).fault, AuthorisationFault::bad_target);
    }
  }
  EXPECT_TRUE(network.senders(PublicRequest::kType).empty());
}

}  // namespace
}  // namespace kms::delegation
