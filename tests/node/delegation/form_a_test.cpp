// Form A among n pairs of Collector and Responder on virtual time: who answers, who is silent, what a liar achieves.
#include <deque>

#include <gtest/gtest.h>

#include "node/delegation/collector.h"
#include "node/delegation/responder.h"
#include "tests/node/delegation/dealt_committee.h"

namespace kms::delegation {
namespace {

using test::DealtCommittee;

// Delivers everything at once; `dead` members neither hear nor speak, `corrupt` ones spoil what they seal.
class Network {
 public:
  Network(std::size_t n, std::size_t t, std::uint64_t seed = 1) : dealt_(n, t, seed) {
    for (Position i = 1; i <= n; ++i) {
      nodes_.emplace(
          i, Node{dealt_.serving(i), Collector(dealt_.credentials[i - 1u], {}, dealt_.replay_of(i), dealt_.entropy),
                  Responder(dealt_.credentials[i - 1u], {}, dealt_.replay_of(i))});
    }
    connect();
  }

  void connect() {
    for (auto& [i, node] : nodes_) {
      std::set<dkg::NodeId> alive;
      for (auto& [j, other] : nodes_) {
        if (j != i && !dead.contains(j) && !silent.contains(j)) alive.insert(dealt_.member(j).node);
      }
      for (Position j : silent) alive.insert(dealt_.member(j).node);
      node.collector.members_alive(alive);
      node.responder.members_alive(alive);
    }
  }

  void ask(Position entry, const V0Authorisation& authorisation, Ticket ticket = 7) {
    run(entry, nodes_.at(entry).collector.start(ticket, authorisation, Hash32{}, {dealt_.gateway()},
                                                nodes_.at(entry).key, now_));
  }
  V0Authorisation request() {
    ephemeral_ = crypto::SecretScalar::random(dealt_.entropy);
    return dealt_.authorise(crypto::multiply_generator(ephemeral_).point(), test::requester_key());
  }

  void advance(Duration duration) {
    Instant end = now_.instant + duration;
    while (true) {
      std::optional<Instant> next;
      auto consider = [&](std::optional<Instant> at) {
        if (at && (!next || *at < *next)) next = at;
      };
      for (auto& [i, node] : nodes_) {
        if (dead.contains(i)) continue;
        consider(node.collector.wakes_at());
        consider(node.responder.wakes_at());
      }
      if (!next || *next > end) break;
      now_.instant = std::max(now_.instant, *next);
      for (auto& [i, node] : nodes_) {
        if (dead.contains(i)) continue;
        run(i, node.collector.tick(now_));
        run(i, node.responder.tick(now_));
      }
    }
    now_.instant = end;
  }

  // Whether the answer opens to x(s*K), and with the right signature.
  bool is_right(const Outcome& outcome) {
    const auto* answer = std::get_if<V0Answer>(&outcome);
    if (answer == nullptr) return false;
    auto encrypted = parse_hex(answer->encrypted_shared_secret);
    auto opened = test::requester_key().decrypt_oaep(*encrypted, {});
    if (!opened) return false;
    // x(k * S) = x(s * K), without the key s.
    auto expected = crypto::ecdh_x(ephemeral_, dealt_.tables[0].public_key);
    return crypto::equal_constant_time(opened->expose(), expected.expose());
  }

  struct Node {
    ServingKeyPtr key;
    Collector collector;
    Responder responder;
  };
  std::set<Position> dead;     // known to be dead
  std::set<Position> silent;   // believed alive, answer nothing
  std::set<Position> corrupt;  // send garbage
  std::map<Position, int> answers;
  std::vector<Reply> replies;
  std::vector<Event> events;
  DealtCommittee dealt_;
  std::map<Position, Node> nodes_;
  Now now_{Instant(1s), 1'800'000'000'000};
  crypto::SecretScalar ephemeral_;
  std::deque<std::pair<Position, Outgoing>> queue_;
  bool delivering_ = false;

  void run(Position from, Effects effects) {
    for (Reply& reply : effects.reply) replies.push_back(std::move(reply));
    for (Event& event : effects.report) events.push_back(std::move(event));
    for (Job& job : effects.compute) {
      bool answering = std::holds_alternative<AnswerJob>(job.work);
      delegation::run(job, dealt_.entropy);
      Node& node = nodes_.at(from);
      run(from,
          answering ? node.responder.computed(std::move(job), now_) : node.collector.computed(std::move(job), now_));
    }
    for (Outgoing& item : effects.send) queue_.emplace_back(from, std::move(item));
    // First in, first out, as on a network: a Done never overtakes its request.
    if (delivering_) return;
    delivering_ = true;
    while (!queue_.empty()) {
      auto [sender, item] = std::move(queue_.front());
      queue_.pop_front();
      deliver(sender, item);
    }
    delivering_ = false;
  }

  void deliver(Position from, const Outgoing& item) {
    if (dead.contains(from) || silent.contains(from)) return;
    for (auto& [to, node] : nodes_) {
      if (to == from || dead.contains(to)) continue;
      if (item.audience == Audience::entry) {
        if (node.key->members.at(to).node != item.entry) continue;
        if (item.type == SealedA::kType) {
          ++answers[from];
          auto sealed = SealedA::parse(item.body);
          ASSERT_TRUE(sealed);
          if (corrupt.contains(from)) sealed->sealed[40] ^= 1;
          run(to, node.collector.receive(dealt_.member(from).node, *sealed, now_));
        } else {
          auto refusal = Refusal::parse(item.body);
          ASSERT_TRUE(refusal);
          run(to, node.collector.receive(dealt_.member(from).node, *refusal, now_));
        }
      } else if (item.type == DelegateRequest::kType) {
        auto request = DelegateRequest::parse(item.body);
        ASSERT_TRUE(request);
        run(to, node.responder.receive(dealt_.member(from), *request, {dealt_.gateway()}, node.key, now_));
      } else if (item.type == Need::kType) {
        run(to, node.responder.receive(dealt_.member(from).node, *Need::parse(item.body), now_));
      } else if (item.type == Done::kType) {
        run(to, node.responder.receive(dealt_.member(from).node, *Done::parse(item.body)));
      }
    }
  }
};

TEST(FormA, GivesTheSharedSecretAndAsksNoMoreMembersThanItNeeds) {
  Network network(5, 3);
  network.ask(2, network.request());
  ASSERT_EQ(network.replies.size(), 1u);
  EXPECT_EQ(network.replies[0].ticket, 7u);
  EXPECT_TRUE(network.is_right(network.replies[0].outcome));
  network.advance(3s);
  int answers = 0;
  for (auto& [i, count] : network.answers) answers += count;
  EXPECT_EQ(answers, 2) << "the entry's own partial and two others are three";
}

TEST(FormA, WorksAtEveryEntryAndForEveryThreshold) {
  for (auto [n, t] : {std::pair{2, 2}, {4, 3}, {5, 3}, {7, 4}, {7, 7}}) {
    Network network(static_cast<std::size_t>(n), static_cast<std::size_t>(t), static_cast<std::uint64_t>(n * 10 + t));
    for (Position entry = 1; entry <= n; ++entry) {
      network.replies.clear();
      network.ask(entry, network.request());
      ASSERT_EQ(network.replies.size(), 1u) << n << " " << t << " " << entry;
      EXPECT_TRUE(network.is_right(network.replies[0].outcome));
    }
  }
}

TEST(FormA, SurvivesSilentMembersAtTheCostOfAHedgeDelay) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Network network(5, 3, seed);
    network.silent = {1, 4};
    network.connect();
    network.ask(2, network.request());
    network.advance(300ms);
    ASSERT_EQ(network.replies.size(), 1u) << seed;
    EXPECT_TRUE(network.is_right(network.replies[0].outcome));
  }
}

TEST(FormA, DropsAndNamesACorruptPartialAndStillAnswers) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Network network(5, 3, seed);
    network.corrupt = {3, 5};
    network.ask(1, network.request());
    network.advance(300ms);
    ASSERT_EQ(network.replies.size(), 1u) << seed;
    EXPECT_TRUE(network.is_right(network.replies[0].outcome));
    for (const Event& event : network.events) EXPECT_TRUE(network.corrupt.contains(event.culprit)) << event.text;
  }
}

TEST(FormA, SaysAtOnceThatTooFewMembersAreConnected) {
  Network network(5, 3);
  network.dead = {1, 4, 5};
  network.connect();
  network.ask(2, network.request());
  ASSERT_EQ(network.replies.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Unavailable>(network.replies[0].outcome));
}

TEST(FormA, GivesUpWithinTheTimeoutAndNamesWhoWasSilent) {
  Network network(5, 3);
  network.silent = {1, 4, 5};
  network.connect();
  network.ask(2, network.request());
  EXPECT_TRUE(network.replies.empty());
  network.advance(2s);
  ASSERT_EQ(network.replies.size(), 1u);
  const auto* unavailable = std::get_if<Unavailable>(&network.replies[0].outcome);
  ASSERT_NE(unavailable, nullptr);
  EXPECT_NE(unavailable->message.find("1, 4, 5"), std::string::npos) << unavailable->message;
  EXPECT_EQ(network.nodes_.at(2).collector.pending(), 0u);
}

TEST(FormA, ARequestThatJoinsAnIdenticalOneHasItsOwnTime) {
  Network network(5, 3);
  network.silent = {1, 4, 5};
  network.connect();
  auto request = network.request();
  network.ask(2, request, 1);
  network.advance(1500ms);
  network.ask(2, request, 2);
  network.advance(400ms);
  EXPECT_TRUE(network.replies.empty());
  network.silent.clear();  // no round of Need is left for the first one
  network.advance(200ms);
  ASSERT_EQ(network.replies.size(), 2u);
  EXPECT_EQ(network.replies[0].ticket, 1u);
  EXPECT_TRUE(std::holds_alternative<Unavailable>(network.replies[0].outcome));
  EXPECT_EQ(network.replies[1].ticket, 2u);
  EXPECT_TRUE(network.is_right(network.replies[1].outcome));
  EXPECT_EQ(network.nodes_.at(2).collector.pending(), 0u);
}

// The entry moves on to the next epoch between the two clients: from then on members are asked for that one.
TEST(FormA, ARequestThatJoinsAnIdenticalOneIsAskedForItsOwnEpoch) {
  Network network(5, 3);
  const auto authorisation = network.request();
  network.silent = {2, 3, 4, 5};
  network.ask(1, authorisation, 7);
  network.advance(1500ms);
  network.dealt_.refresh();
  for (auto& [i, node] : network.nodes_) node.key = network.dealt_.serving(i);
  network.ask(1, authorisation, 8);
  network.silent = {};
  network.advance(1900ms);
  ASSERT_EQ(network.replies.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Unavailable>(network.replies[0].outcome));
  EXPECT_TRUE(network.is_right(network.replies[1].outcome));
}

TEST(FormA, EveryWaiterIsToldInItsOwnTime) {
  Network network(5, 3);
  network.silent = {1, 4, 5};
  network.connect();
  auto request = network.request();
  network.ask(2, request, 1);
  network.advance(1500ms);
  network.ask(2, request, 2);
  network.advance(500ms);
  ASSERT_EQ(network.replies.size(), 1u);
  network.advance(1499ms);
  ASSERT_EQ(network.replies.size(), 1u);
  network.advance(1ms);
  ASSERT_EQ(network.replies.size(), 2u);
  EXPECT_EQ(network.replies[1].ticket, 2u);
  EXPECT_TRUE(std::holds_alternative<Unavailable>(network.replies[1].outcome));
}

TEST(FormA, AnIdleEntryForgetsItsReplyKey) {
  DealtCommittee dealt(5, 3, 1);
  Collector collector(dealt.credentials[0], {}, dealt.replay_of(1), dealt.entropy);
  collector.members_alive(dealt.nodes({2, 3, 4, 5}));
  Now now{Instant(1s), 1'800'000'000'000};
  auto request = dealt.authorise(crypto::Point::generator(), test::requester_key());
  std::weak_ptr<const ReplyKey> key;
  {
    Effects effects = collector.start(1, request, {}, {dealt.gateway()}, dealt.serving(1), now);
    key = std::get<AdmitJob>(effects.compute.at(0).work).reply_key;
  }
  EXPECT_FALSE(key.expired());
  ASSERT_TRUE(collector.wakes_at());
  EXPECT_EQ(*collector.wakes_at(), now.instant + 60s);
  now.instant += 60s;
  collector.tick(now);
  EXPECT_TRUE(key.expired());
  EXPECT_FALSE(collector.wakes_at());
}

TEST(FormA, AnswersTheSameRequestAgainAndFreshly) {
  Network network(5, 3);
  auto request = network.request();
  network.ask(2, request, 1);
  network.ask(2, request, 2);
  ASSERT_EQ(network.replies.size(), 2u);
  EXPECT_TRUE(network.is_right(network.replies[0].outcome));
  EXPECT_TRUE(network.is_right(network.replies[1].outcome));
  EXPECT_NE(std::get<V0Answer>(network.replies[0].outcome).encrypted_shared_secret,
            std::get<V0Answer>(network.replies[1].outcome).encrypted_shared_secret);
}

TEST(FormA, RespondersRefuseWhatTheGatewayDidNotSign) {
  Network network(5, 3);
  auto request = network.request();
  request.signature[10] ^= 1;
  network.ask(2, request);
  ASSERT_EQ(network.replies.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<AuthorisationError>(network.replies[0].outcome));
  EXPECT_TRUE(network.answers.empty());

  // An entry that skips its own check gets no partial either.
  AdmitJob admit;
  admit.authorisation = network.request();
  admit.allowed = {network.dealt_.gateway()};
  admit.key = network.nodes_.at(2).key;
  admit.credentials = network.dealt_.credentials[1];
  admit.reply_key = make_reply_key(network.dealt_.entropy);
  admit.issued_at = network.now_.unix_s();
  Job job{1, std::move(admit)};
  run(job, network.dealt_.entropy);
  auto& done = std::get<AdmitJob>(job.work);
  DelegateRequest forged;
  forged.key = done.key->key;
  forged.authorisation = done.authorisation;
  forged.entry = std::get<AdmitJob::Admitted>(done.result).entry;
  std::get<V0Authorisation>(forged.authorisation).target_pub_key =
      to_0x(crypto::RsaPrivateKey::generate(2048).public_spki());
  network.deliver(2, {Audience::everybody, {}, DelegateRequest::kType, forged.body()});
  network.advance(1s);
  EXPECT_TRUE(network.answers.empty());
}

TEST(FormA, RespondersRefuseAStaleOrStolenEntry) {
  Network network(5, 3);
  auto request = network.request();
  AdmitJob admit;
  admit.authorisation = request;
  admit.allowed = {network.dealt_.gateway()};
  admit.key = network.nodes_.at(2).key;
  admit.credentials = network.dealt_.credentials[1];
  admit.reply_key = make_reply_key(network.dealt_.entropy);
  admit.issued_at = network.now_.unix_s() - 31;
  Job job{1, std::move(admit)};
  run(job, network.dealt_.entropy);
  auto& done = std::get<AdmitJob>(job.work);
  DelegateRequest stale;
  stale.key = done.key->key;
  stale.authorisation = done.authorisation;
  stale.entry = std::get<AdmitJob::Admitted>(done.result).entry;
  network.deliver(2, {Audience::everybody, {}, DelegateRequest::kType, stale.body()});
  // Another member copies it under its own name, and under the victim's with its own reply key.
  stale.entry.issued_at = network.now_.unix_s();
  network.deliver(3, {Audience::everybody, {}, DelegateRequest::kType, stale.body()});
  stale.entry.reply_key = make_reply_key(network.dealt_.entropy)->key.bytes();
  network.deliver(2, {Audience::everybody, {}, DelegateRequest::kType, stale.body()});
  network.advance(1s);
  EXPECT_TRUE(network.answers.empty());
}

TEST(FormA, BoundsWhatIsPending) {
  DealtCommittee dealt(5, 3, 1);
  Collector collector(dealt.credentials[0], {2s, 50ms, 2}, dealt.replay_of(1), dealt.entropy);
  Now now{Instant(1s), 1'800'000'000'000};
  auto key = dealt.serving(1);
  auto request = dealt.authorise(crypto::Point::generator(), test::requester_key());
  for (Ticket ticket = 1; ticket <= 2; ++ticket) {
    EXPECT_TRUE(collector.start(ticket, request, {}, {dealt.gateway()}, key, now).reply.empty());
  }
  Effects third = collector.start(3, request, {}, {dealt.gateway()}, key, now);
  ASSERT_EQ(third.reply.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Overloaded>(third.reply[0].outcome));
}

TEST(FormA, AResultForARequestThatWasGivenUpDoesNotCountAgainstItsRepetition) {
  DealtCommittee dealt(3, 2, 1);
  Collector collector(dealt.credentials[0], {}, dealt.replay_of(1), dealt.entropy);
  Responder responder(dealt.credentials[1], {}, dealt.replay_of(2));
  collector.members_alive(dealt.nodes({2, 3}));
  responder.members_alive(dealt.nodes({1, 3}));
  Now now{Instant(1s), 1'800'000'000'000};
  auto request = dealt.authorise(crypto::Point::generator(), test::requester_key());
  auto run_only_job = [&](Effects effects) {
    EXPECT_EQ(effects.compute.size(), 1u);
    Job job = std::move(effects.compute.at(0));
    run(job, dealt.entropy);
    return job;
  };
  // Asks, and gives what member 2 seals.
  auto ask = [&](Ticket ticket) {
    auto admit = run_only_job(collector.start(ticket, request, {}, {dealt.gateway()}, dealt.serving(1), now));
    auto sent = collector.computed(std::move(admit), now);
    auto asked = DelegateRequest::parse(sent.send.at(0).body);
    asked->spare = 1;  // member 2 answers at once, whatever its rank
    auto answer = run_only_job(responder.receive(dealt.member(1), *asked, {dealt.gateway()}, dealt.serving(2), now));
    return SealedA::parse(responder.computed(std::move(answer), now).send.at(0).body).value();
  };
  auto spoilt = ask(1);
  spoilt.sealed[40] ^= 1;
  auto late = run_only_job(collector.receive(dealt.member(2).node, spoilt, now));
  now.instant += 2s;
  ASSERT_EQ(collector.tick(now).reply.size(), 1u) << "given up";

  auto good = run_only_job(collector.receive(dealt.member(2).node, ask(2), now));
  EXPECT_TRUE(collector.computed(std::move(late), now).report.empty());
  auto finish = run_only_job(collector.computed(std::move(good), now));
  ASSERT_EQ(collector.computed(std::move(finish), now).reply.size(), 1u);
  EXPECT_EQ(collector.counts().answered, 1u);
}

TEST(FormA, ACommitteeOfOneAnswersInOneStep) {
  Network network(1, 1);
  network.ask(1, network.request());
  ASSERT_EQ(network.replies.size(), 1u);
  EXPECT_TRUE(network.is_right(network.replies[0].outcome));
}

TEST(DelegationMessages, SurviveTheWireAndRefuseDamage) {
  Need need;
  need.good = {1, 3};
  need.bad = {2};
  need.round = 1;
  need.want = 2;
  auto parsed = Need::parse(need.body());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->good, need.good);
  need.bad = {3};
  EXPECT_FALSE(Need::parse(need.body())) << "a member in both lists";
  need.bad = {5, 4};
  EXPECT_FALSE(Need::parse(need.body())) << "not rising";
  Bytes extended = Done{}.body();
  extended.push_back(0x10);
  extended.push_back(0x01);
  EXPECT_FALSE(Done::parse(extended)) << "an unknown field";
  SealedA example;
  example.index = 1;
  Bytes sealed = example.body();
  for (std::size_t size = 0; size < sealed.size(); ++size) EXPECT_FALSE(SealedA::parse(ByteView(sealed).first(size)));
}

}  // namespace
}  // namespace kms::delegation
