// Forms B and C against members and clients that abuse what is known to all: an rh, a place, a GET.
#include <gtest/gtest.h>

#include "tests/node/delegation/board_network.h"

namespace kms::delegation {
namespace {

using test::BoardNetwork;

struct BoardAbuse : testing::TestWithParam<Form> {};
INSTANTIATE_TEST_SUITE_P(Board, BoardAbuse, testing::Values(Form::b, Form::c),
                         [](const auto& form) { return std::string(1, letter_of(form.param)); });

// What `liar` makes up under an rh: signed by nobody who may.
PublicRequest made_up(BoardNetwork& network, const Hash32& rh) {
  auto says = network.request(Form::c, 99);
  test::sign(says, *network.keys.at(1), crypto::SecretScalar::random(network.dealt.entropy));
  const ServingKey& key = *network.keys.at(1);
  return {key.key, 0, says, rh, key.epoch, key.transcript, network.now.unix_s()};
}

void say(BoardNetwork& network, Position liar, Position to, const PublicRequest& request) {
  network.run(to, network.boards.at(to).receive(network.dealt.member(liar), request, {network.dealt.gateway()},
                                                network.keys.at(to), network.now));
}

Hash32 rh_of_request(BoardNetwork& network, const V1Authorisation& authorisation) {
  return check(authorisation, *network.keys.at(1), {network.dealt.gateway()})->use.rh;
}

// A liar that knows the rh is heard by everybody before the honest node asks, and again after it.
TEST_P(BoardAbuse, AMadeUpRequestUnderAKnownHashDisplacesNoHonestOne) {
  for (Position liar = 2; liar <= 5; ++liar) {
    for (const bool is_first : {true, false}) {
      BoardNetwork network(5, 3);
      const auto authorisation = network.request(GetParam());
      const Hash32 rh = rh_of_request(network, authorisation);
      const PublicRequest lie = made_up(network, rh);
      const auto lie_to_all = [&] {
        for (Position to = 1; to <= 5; ++to) {
          if (to != liar) say(network, liar, to, lie);
        }
      };
      network.silent = {liar};
      if (is_first) lie_to_all();
      network.ask(1, authorisation);
      if (!is_first) lie_to_all();
      network.advance(network.limits.timeout);
      ASSERT_EQ(network.replies.size(), 1u);
      EXPECT_TRUE(network.is_right()) << liar << is_first;
      for (const Event& event : network.events) {
        const bool accuses = event.text.find("nobody authorised") != std::string::npos;
        EXPECT_TRUE(!accuses || event.culprit == liar) << event.text;
      }
    }
  }
}

// A member whose turn comes later has only the lie when it hears the truth, and answers the truth.
TEST_P(BoardAbuse, AMemberThatWaitsAnswersTheTruthNotTheLie) {
  BoardNetwork network(5, 3);
  const auto authorisation = network.request(GetParam());
  const Hash32 rh = rh_of_request(network, authorisation);
  const PublicRequest lie = made_up(network, rh);
  const ServingKey& key = *network.keys.at(1);
  const PublicRequest truth{key.key, 0, authorisation, rh, key.epoch, key.transcript, network.now.unix_s()};
  for (Position member = 3; member <= 5; ++member) {
    say(network, 2, member, lie);
    say(network, 1, member, truth);
  }
  network.refusals.clear();  // of those who judged the lie before the truth came
  network.advance(1s);
  // Everybody answered in the end, since nobody said Done; nobody refused on the liar's account.
  const auto senders = network.senders(BoardNetwork::partial_type(GetParam()));
  EXPECT_EQ(std::set<Position>(senders.begin(), senders.end()), (std::set<Position>{3, 4, 5}));
  EXPECT_TRUE(network.refusals.empty());
}

TEST_P(BoardAbuse, WhoMadeItUpIsNamedAndNobodyElse) {
  BoardNetwork network(5, 3);
  const auto authorisation = network.request(GetParam());
  const Hash32 rh = rh_of_request(network, authorisation);
  say(network, 2, 4, made_up(network, rh));
  network.ask(1, authorisation);
  network.advance(1s);
  EXPECT_TRUE(network.is_right());
  for (const Event& event : network.events) EXPECT_EQ(event.node, network.dealt.member(2).node) << event.text;
}

// Polls faster than the hedge delay put nothing off: the member that is silent is replaced in its time.
TEST_P(BoardAbuse, PollingDoesNotPutOffTheNextQuestionToMembers) {
  for (Position silent = 2; silent <= 5; ++silent) {
    BoardNetwork network(5, 3);
    network.silent = {silent};
    const auto authorisation = network.request(GetParam());
    network.ask(1, authorisation);
    const Hash32 rh = rh_of_request(network, authorisation);
    for (int i = 0; i < 20; ++i) {
      network.run(1, network.boards.at(1).look(100 + static_cast<Ticket>(i), rh, {}, Board::Look::first, network.now));
      network.advance(network.limits.hedge_delay / 5);
    }
    ASSERT_FALSE(network.replies.empty());
    for (std::size_t i = 0; i < network.replies.size(); ++i) EXPECT_TRUE(network.is_right(i)) << silent;
  }
}

// The node saw the request and none of the partials.
TEST_P(BoardAbuse, LookingSpendsNoNonceAndAsksNobody) {
  BoardNetwork network(5, 3);
  const auto authorisation = network.request(GetParam());
  const Hash32 rh = rh_of_request(network, authorisation);
  const ServingKey& key = *network.keys.at(1);
  const PublicRequest truth{key.key, 0, authorisation, rh, key.epoch, key.transcript, network.now.unix_s()};
  Position at = 0;  // one whose turn is not first
  for (Position member = 3; member <= 5 && at == 0; ++member) {
    network.dead = {1, 2, 3, 4, 5};
    say(network, 2, member, truth);
    if (network.senders(BoardNetwork::partial_type(GetParam())).empty() && network.jobs == 0) at = member;
    network.jobs = 0;
  }
  ASSERT_NE(at, 0);
  network.run(at, network.boards.at(at).look(9, rh, {}, Board::Look::first, network.now));
  EXPECT_EQ(network.jobs, 1u);  // one verification
  EXPECT_EQ(network.dealt.replay_of(at).size(), 0u);
  EXPECT_TRUE(network.sent.empty());
  for (int i = 0; i < 1000 && network.replies.empty(); ++i) {
    network.set_time(network.now.instant + 10ms);
    Effects effects = network.boards.at(at).tick(network.now);
    for (const Outgoing& item : effects.send) {
      EXPECT_NE(item.type, PublicRequest::kType);
      EXPECT_NE(item.type, Need::kType);
    }
    network.run(at, std::move(effects));
  }
  EXPECT_TRUE(network.has<Unavailable>());
  EXPECT_EQ(network.boards.at(at).pending(), 0u);
}

// One client's list keeps nobody from another who waits for the same.
TEST_P(BoardAbuse, WhatOneClientNamesBadAnotherIsStillGiven) {
  BoardNetwork network(5, 3);
  const auto authorisation = network.request(GetParam());
  const Hash32 rh = rh_of_request(network, authorisation);
  network.dead = {4, 5};
  network.connect();
  network.silent = {2, 3};  // all that is left
  network.ask(1, authorisation);
  network.run(1, network.boards.at(1).look(8, rh, {2, 3}, Board::Look::more, network.now));
  network.silent = {};
  network.sent.clear();
  network.advance(1s);
  ASSERT_FALSE(network.replies.empty());
  EXPECT_EQ(network.replies[0].ticket, 7u);
  EXPECT_TRUE(network.is_right(0));
}

// Whoever asks for more before the request was verified here waits for that, however long it takes.
TEST_P(BoardAbuse, AskingForMoreOfWhatIsNotVerifiedYetWaits) {
  BoardNetwork network(5, 3);
  const auto authorisation = network.request(GetParam());
  const Hash32 rh = rh_of_request(network, authorisation);
  const Position at = 5;
  Board& board = network.boards.at(at);
  const ServingKey& key = *network.keys.at(1);
  const PublicRequest truth{key.key, 0, authorisation, rh, key.epoch, key.transcript, network.now.unix_s()};
  board.receive(network.dealt.member(1), truth, {network.dealt.gateway()}, network.keys.at(at), network.now);
  Effects looked = board.look(9, rh, {}, Board::Look::more, network.now);
  network.set_time(network.now.instant + network.limits.timeout / 2);
  Effects ticked = board.tick(network.now);
  EXPECT_TRUE(ticked.reply.empty());
  network.run(at, std::move(ticked));
  network.run(at, std::move(looked));
  network.advance(network.limits.timeout);
  EXPECT_EQ(network.replies.size(), 1u);
  EXPECT_EQ(board.pending(), 0u);
}

TEST_P(BoardAbuse, NamingAllMembersBadIsAnsweredAtOnce) {
  BoardNetwork network(5, 3);
  network.ask(1, network.request(GetParam()));
  const std::size_t sent = network.senders(Need::kType).size();
  network.run(1, network.boards.at(1).look(8, *network.replies[0].rh, {2, 3, 4}, Board::Look::more, network.now));
  EXPECT_TRUE(network.has<Unavailable>(1));
  EXPECT_EQ(network.senders(Need::kType).size(), sent);
}

// Clients that ask for other partials are no fault of any member: nobody works more for them afterwards.
TEST_P(BoardAbuse, AskingForMoreMakesNoMemberWorkMoreForOthers) {
  BoardNetwork network(5, 3);
  network.ask(1, network.request(GetParam()));
  network.run(1, network.boards.at(1).look(8, *network.replies[0].rh, {2}, Board::Look::more, network.now));
  network.advance(1s);
  network.sent.clear();
  network.ask(1, network.request(GetParam(), 2), 9);
  network.advance(1s);
  EXPECT_EQ(network.senders(BoardNetwork::partial_type(GetParam())).size(), 3u);
}

// Partials that a liar's Needs make are charged to the liar.
TEST_P(BoardAbuse, NeedsOfALiarTakeNoPlaceOfWhoAsked) {
  BoardLimits limits;
  limits.jobs_max = 4;  // half for one asker: two
  BoardNetwork network(5, 3, limits);
  const ServingKey& key = *network.keys.at(1);
  Board& member = network.boards.at(5);
  std::vector<Effects> held;
  const auto request = [&](std::uint8_t nonce) {
    const auto authorisation = network.request(GetParam(), nonce);
    return PublicRequest{key.key,
                         0,
                         authorisation,
                         rh_of_request(network, authorisation),
                         key.epoch,
                         key.transcript,
                         network.now.unix_s()};
  };
  std::vector<Hash32> waiting;
  std::uint8_t nonce = 0;
  while (waiting.size() < 4) {
    const PublicRequest one = request(++nonce);
    Effects effects =
        member.receive(network.dealt.member(1), one, {network.dealt.gateway()}, network.keys.at(5), network.now);
    if (effects.compute.empty()) {
      waiting.push_back(one.rh);
    } else {
      network.run(5, std::move(effects));
    }
  }
  // The truth of these is known once they are verified, by somebody who looks.
  for (const Hash32& rh : waiting) network.run(5, member.look(50, rh, {}, Board::Look::first, network.now));
  std::size_t busy = 0;
  for (const Hash32& rh : waiting) {
    Need need;
    need.rh = rh;
    need.epoch = key.epoch;
    need.transcript = key.transcript;
    need.round = 1;
    need.want = 5;
    held.push_back(member.receive(network.dealt.member(2).node, need, network.now));
    for (const Outgoing& item : held.back().send) busy += item.type == Refusal::kType ? 1u : 0u;
  }
  EXPECT_EQ(busy, 2u);  // of the liar's four Needs
  std::optional<Effects> honest;
  while (!honest || (honest->compute.empty() && honest->send.empty())) {
    honest = member.receive(network.dealt.member(1), request(++nonce), {network.dealt.gateway()}, network.keys.at(5),
                            network.now);
  }
  EXPECT_EQ(honest->compute.size(), 1u);
}

// Partials that overtake their request, made up or not, take the place of who sent them until somebody asks.
TEST_P(BoardAbuse, AFloodOfOrphansTakesNothingFromClientsOfThisNode) {
  BoardLimits limits;
  limits.records_max = 16;
  BoardNetwork network(5, 3, limits);
  const ServingKey& key = *network.keys.at(1);
  std::vector<Hash32> own;
  const auto flood = [&](std::uint8_t salt) {
    for (std::uint8_t i = 0; i < 100; ++i) {
      for (Position liar = 2; liar <= 5; ++liar) {
        PartialC partial;
        partial.rh = {salt, i, static_cast<std::uint8_t>(liar)};
        partial.epoch = key.epoch;
        partial.transcript = key.transcript;
        partial.index = liar;
        network.run(1, network.boards.at(1).receive(network.dealt.member(liar).node, PublicPartial(partial),
                                                    network.keys.at(1), network.now));
      }
    }
  };
  flood(1);
  for (std::uint8_t nonce = 1; nonce <= 8; ++nonce) {
    network.ask(1, network.request(GetParam(), nonce), nonce);
    ASSERT_TRUE(network.is_right(nonce - 1u));
    own.push_back(*network.replies.back().rh);
  }
  flood(2);
  EXPECT_LE(network.boards.at(1).size(), 16u);
  for (const Hash32& rh : own) EXPECT_TRUE(network.boards.at(1).knows(rh));
}

// The orphan's author does not keep the place of a request that a client of this node makes.
TEST_P(BoardAbuse, AClientsRequestTakesItsOwnPlaceWhoeverSentAPartialFirst) {
  BoardLimits limits;
  limits.records_max = 16;
  BoardNetwork network(5, 3, limits);
  const auto authorisation = network.request(GetParam());
  const Hash32 rh = rh_of_request(network, authorisation);
  const ServingKey& key = *network.keys.at(1);
  const auto orphan = [&](const Hash32& name) {
    PartialC partial;
    partial.rh = name;
    partial.epoch = key.epoch;
    partial.transcript = key.transcript;
    partial.index = 2;
    network.run(1, network.boards.at(1).receive(network.dealt.member(2).node, PublicPartial(partial),
                                                network.keys.at(1), network.now));
  };
  orphan(rh);
  network.silent = {2};
  network.ask(1, authorisation);
  network.advance(1s);
  ASSERT_TRUE(network.is_right());
  for (std::uint8_t i = 0; i < 200; ++i) orphan({1, i});
  EXPECT_TRUE(network.boards.at(1).knows(rh));
}

// What this member owes is not pushed out by what others bring.
TEST_P(BoardAbuse, AFloodDoesNotMakeAMemberForgetWhatItOwes) {
  BoardLimits limits;
  limits.records_max = 16;
  BoardNetwork network(5, 3, limits);
  const ServingKey& key = *network.keys.at(1);
  Board& member = network.boards.at(5);
  std::vector<Hash32> owed;
  for (std::uint8_t nonce = 1; owed.size() < 4; ++nonce) {
    const auto authorisation = network.request(GetParam(), nonce);
    const PublicRequest request{key.key,
                                0,
                                authorisation,
                                rh_of_request(network, authorisation),
                                key.epoch,
                                key.transcript,
                                network.now.unix_s()};
    Effects effects =
        member.receive(network.dealt.member(1), request, {network.dealt.gateway()}, network.keys.at(5), network.now);
    if (effects.compute.empty()) owed.push_back(request.rh);
    network.run(5, std::move(effects));
  }
  for (std::uint8_t i = 0; i < 100; ++i) {
    for (const Position liar : {Position{2}, Position{3}}) {
      PartialC partial;
      partial.rh = {1, i, static_cast<std::uint8_t>(liar)};
      partial.epoch = key.epoch;
      partial.transcript = key.transcript;
      partial.index = liar;
      network.run(
          5, member.receive(network.dealt.member(liar).node, PublicPartial(partial), network.keys.at(5), network.now));
    }
  }
  for (const Hash32& rh : owed) EXPECT_TRUE(member.knows(rh));
}

// The shares of the next epoch take over while a client waits: the members are asked anew under it.
TEST_P(BoardAbuse, ARequestThatWaitsIsAskedAgainForTheEpochThatTookOver) {
  BoardNetwork network(5, 3);
  network.silent = {2, 3, 4, 5};
  const auto authorisation = network.request(GetParam());
  network.ask(1, authorisation);
  network.advance(60ms);
  ASSERT_TRUE(network.replies.empty());
  network.next_epoch();
  for (auto& [index, board] : network.boards) board.serve_with(network.keys.at(index), {network.dealt.gateway()});
  network.silent = {};
  // Another node has moved on and asks; its client does not matter here.
  network.ask(2, authorisation, 8);
  network.advance(network.limits.timeout - 100ms);
  ASSERT_EQ(network.replies.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(network.is_right(i)) << i;
    ASSERT_NE(network.result(i), nullptr);
    EXPECT_EQ(network.result(i)->key->epoch, 1u);
  }
}

// The members serve the next epoch only; this node hears of it before it asks, or while it waits.
TEST_P(BoardAbuse, WhatIsStaleIsAskedOnceForTheNextEpoch) {
  for (const bool is_late : {false, true}) {
    BoardNetwork network(5, 3);
    const ServingKeyPtr old = network.keys.at(1);
    const auto authorisation = network.request(GetParam());
    network.next_epoch();
    Board& board = network.boards.at(1);
    if (!is_late) board.serve_with(network.keys.at(1), {network.dealt.gateway()});
    network.run(1, board.start(7, authorisation, {network.dealt.gateway()}, old, network.now));
    if (is_late) board.serve_with(network.keys.at(1), {network.dealt.gateway()});
    network.advance(is_late ? network.limits.timeout * 3 / 4 : network.limits.hedge_delay);
    ASSERT_TRUE(network.is_right()) << is_late;
    EXPECT_EQ(network.result()->key->epoch, 1u);
    EXPECT_EQ(network.senders(PublicRequest::kType), (std::vector<Position>{1, 1}));
  }
}

// A busy node asks others later, as in form A.
TEST_P(BoardAbuse, HedgingFollowsTheLoadOfThisNode) {
  BoardNetwork network(5, 3);
  network.silent = {2, 3, 4, 5};
  Board& board = network.boards.at(1);
  // Sixteen jobs that took 50 ms each to come back.
  for (std::uint8_t nonce = 1; nonce <= 40; ++nonce) {
    Effects effects = board.start(nonce, network.request(GetParam(), nonce), {network.dealt.gateway()},
                                  network.keys.at(1), network.now);
    ASSERT_EQ(effects.compute.size(), 1u);
    network.set_time(network.now.instant + 50ms);
    network.run(1, std::move(effects));
  }
  network.sent.clear();
  network.ask(1, network.request(GetParam(), 99), 99);
  const Instant asked = network.now.instant;
  const auto needs = [&] { return board.counts().needs_sent; };
  network.advance(network.limits.timeout);  // the others' Needs are over with them
  const auto before = needs();
  network.ask(1, network.request(GetParam(), 98), 98);
  network.advance(2 * network.limits.hedge_delay);
  EXPECT_EQ(needs(), before);
  network.advance(5 * network.limits.hedge_delay);
  EXPECT_GT(needs(), before);
  EXPECT_GT(network.now.instant, asked);
}

}  // namespace
}  // namespace kms::delegation
