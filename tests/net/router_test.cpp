// Rules of one router against a peer that sends raw RPCs.
#include "net/router.h"

#include <gtest/gtest.h>

#include "tests/net/router_world.h"

namespace kms::net {
namespace {

Bytes body_with(const std::function<void(RpcWriter&)>& fill) {
  RpcWriter writer;
  fill(writer);
  RpcFrames frames;
  EXPECT_TRUE(frames.feed(writer.frame()));
  return *frames.next();
}

struct RouterRules : testing::Test {
  void start(RouterOptions options = RouterWorld::open_options(), PeerClass peer_class = PeerClass::light,
             MeshsubVersion version = MeshsubVersion::v1_2) {
    node = &world.add("alice", std::move(options));
    for (auto* peer : {&bob, &carol}) {
      node->absorb(node->router.peer_added(peer->id(), peer_class, world.now));
      node->absorb(node->router.outbound_opened(peer->id(), version, world.now));
    }
    subscribe("t");
  }
  void subscribe(std::string_view topic) {
    auto effects = node->router.subscribe(topic, world.now);
    ASSERT_TRUE(effects);
    node->absorb(*effects);
    drain();
  }
  void drain() {
    for (auto* peer : {&bob, &carol}) {
      while (node->router.next_frame(peer->id())) continue;
    }
  }
  PubsubEffects send(const RawPeer& from, const std::function<void(RpcWriter&)>& fill) {
    auto effects = node->router.received(from.id(), body_with(fill), world.now);
    node->absorb(effects);
    return effects;
  }
  void send_message(const RawPeer& from, const PubsubMessage& message) {
    send(from, [&](RpcWriter& writer) { writer.message(message.encode()); });
  }
  void peer_subscribes(const RawPeer& peer) {
    send(peer, [](RpcWriter& writer) { writer.subscription(true, "t"); });
  }
  // Everything queued for a peer, as one body to look into.
  RpcView received_by(const RawPeer& peer) {
    RpcWriter all;
    bodies.emplace_back();
    while (auto frame = node->router.next_frame(peer.id())) {
      RpcFrames frames;
      EXPECT_TRUE(frames.feed(*frame));
      append(bodies.back(), *frames.next());
    }
    return *parse_rpc(bodies.back());
  }
  PubsubMessage message_of(const RawPeer& author, std::string_view text, std::uint64_t seqno = 1) {
    return make_signed(author.identity, "t", to_bytes(as_bytes(text)), seqno);
  }
  MessageId accept_last() {
    MessageId id = node->delivered.back().id;
    node->absorb(node->router.validated(id, Verdict::accept, world.now));
    return id;
  }
  std::uint64_t refused(Refusal reason) const {
    return node->router.counters().refused[static_cast<std::size_t>(reason)];
  }

  RouterWorld world;
  RawPeer bob{"bob"}, carol{"carol"}, dave{"dave"};
  RouterNode* node = nullptr;
  std::deque<Bytes> bodies;
};

TEST_F(RouterRules, TheFirstFrameIsAllOurSubscriptions) {
  start();
  subscribe("u");
  node->router.outbound_closed(bob.id());
  EXPECT_FALSE(node->router.next_frame(bob.id()));
  auto effects = node->router.outbound_opened(bob.id(), MeshsubVersion::v1_1, world.now);
  EXPECT_EQ(effects.writable, std::vector<PeerId>{bob.id()});
  auto frame = node->router.next_frame(bob.id());
  ASSERT_TRUE(frame);
  EXPECT_EQ(to_hex(*frame),
            "0e0a0508011201740a05080112"
            "0175");
  EXPECT_FALSE(node->router.next_frame(bob.id()));
}

TEST_F(RouterRules, TopicsOutsideTheAllowListAreNeitherStoredNorSubscribed) {
  RouterOptions options;
  options.topics.names = {"t"};
  options.topics.prefixes = {"/p/"};
  start(options);
  for (std::string topic : {"t", "/p/1", "/q", ""}) {
    send(bob, [&](RpcWriter& writer) { writer.subscription(true, topic); });
  }
  EXPECT_EQ(node->router.subscribers("t").size(), 1u);
  EXPECT_EQ(node->router.subscribers("/p/1").size(), 1u);
  EXPECT_TRUE(node->router.subscribers("/q").empty());
  EXPECT_FALSE(node->router.subscribe("/q", world.now));
  EXPECT_FALSE(node->router.subscribe(std::string(257, 'a'), world.now));
  EXPECT_FALSE(node->router.subscribe("", world.now));
}

TEST_F(RouterRules, AtMostSixtyFourTopicsOfAPeerAreStored) {
  start();
  for (int i = 0; i < 70; ++i) {
    send(bob, [i](RpcWriter& writer) { writer.subscription(true, "topic" + std::to_string(i)); });
  }
  EXPECT_EQ(node->pick<PeerSubscription>().size(), 64u);
  EXPECT_TRUE(node->router.subscribers("topic64").empty());
}

TEST_F(RouterRules, ThePeersTopicsAreForgottenWithItsStream) {
  start();
  peer_subscribes(bob);
  send(bob, [](RpcWriter& writer) { writer.graft("t"); });
  node->router.inbound_closed(bob.id());
  EXPECT_TRUE(node->router.subscribers("t").empty());
  EXPECT_TRUE(node->router.grafted("t").empty());
}

TEST_F(RouterRules, GraftOfOurTopicIsAcceptedSilentlyAndOfAnotherIgnored) {
  start();
  auto effects = send(bob, [](RpcWriter& writer) {
    writer.graft("t");
    writer.graft("unknown");
  });
  EXPECT_EQ(node->router.grafted("t"), std::vector<PeerId>{bob.id()});
  EXPECT_TRUE(node->router.grafted("unknown").empty());
  EXPECT_TRUE(effects.writable.empty()) << "no answer";
}

TEST_F(RouterRules, PruneEndsAGraft) {
  start();
  send(bob, [](RpcWriter& writer) { writer.graft("t"); });
  send(bob, [](RpcWriter& writer) { writer.prune("t", 60); });
  EXPECT_TRUE(node->router.grafted("t").empty());
  EXPECT_EQ(node->pick<PeerPruned>().size(), 1u);
}

TEST_F(RouterRules, AHugeBackoffIsClampedToAnHour) {
  RouterOptions options = RouterWorld::open_options();
  options.policies.otherwise = TopicPolicy::leaf;
  start(options, PeerClass::committee);
  peer_subscribes(bob);
  EXPECT_EQ(received_by(bob).grafts.size(), 1u);
  send(bob, [](RpcWriter& writer) { writer.prune("t", ~std::uint64_t{0}); });
  world.now.instant += 3599s;
  node->absorb(node->router.tick(world.now));
  EXPECT_TRUE(received_by(bob).grafts.empty());
  world.now.instant += 2s;
  node->absorb(node->router.tick(world.now));
  EXPECT_EQ(received_by(bob).grafts.size(), 1u);
}

TEST_F(RouterRules, UnsubscribingTellsAllAndPrunesTheGrafted) {
  start();
  send(bob, [](RpcWriter& writer) { writer.graft("t"); });
  node->absorb(node->router.unsubscribe("t", world.now));
  auto to_bob = received_by(bob), to_carol = received_by(carol);
  ASSERT_EQ(to_bob.prunes.size(), 1u);
  EXPECT_EQ(to_bob.prunes[0].backoff_s, 10u);
  EXPECT_FALSE(to_bob.subscriptions.at(0).subscribe);
  EXPECT_TRUE(to_carol.prunes.empty());
  EXPECT_FALSE(to_carol.subscriptions.at(0).subscribe);
}

TEST_F(RouterRules, AnOldPeerGetsNoBackoffField) {
  start(RouterWorld::open_options(), PeerClass::light, MeshsubVersion::v1_0);
  send(bob, [](RpcWriter& writer) { writer.graft("t"); });
  node->absorb(node->router.unsubscribe("t", world.now));
  EXPECT_FALSE(received_by(bob).prunes.at(0).backoff_s);
}

TEST_F(RouterRules, AGoodMessageIsDeliveredOnceAndForwardedAfterItsVerdict) {
  start();
  peer_subscribes(bob);
  peer_subscribes(carol);
  auto message = message_of(bob, "hello");
  send_message(bob, message);
  ASSERT_EQ(node->payloads(), std::vector<std::string>{"hello"});
  EXPECT_EQ(node->delivered[0].author, bob.id());
  EXPECT_EQ(node->delivered[0].received_from, bob.id());
  EXPECT_EQ(node->delivered[0].topic(), "t");
  EXPECT_TRUE(received_by(carol).messages.empty()) << "the verdict is open";
  accept_last();
  EXPECT_TRUE(received_by(bob).messages.empty());
  auto to_carol = received_by(carol);
  ASSERT_EQ(to_carol.messages.size(), 1u);
  EXPECT_TRUE(equal(*to_carol.messages[0].signature, *message.signature));
  send_message(carol, message);
  EXPECT_EQ(node->delivered.size(), 1u);
  EXPECT_EQ(refused(Refusal::duplicate), 1u);
  EXPECT_EQ(node->router.counters().signatures_checked, 1u);
  EXPECT_EQ(node->counters_of("t").duplicates, 1u);
}

TEST_F(RouterRules, NeitherTheAuthorNorWhoSentItMeanwhileGetsItBack) {
  start();
  peer_subscribes(bob);
  peer_subscribes(carol);
  auto message = message_of(dave, "hello");
  send_message(bob, message);
  send_message(carol, message);
  accept_last();
  EXPECT_TRUE(received_by(bob).messages.empty());
  EXPECT_TRUE(received_by(carol).messages.empty());
  send_message(bob, message_of(carol, "mine"));
  accept_last();
  EXPECT_TRUE(received_by(carol).messages.empty()) << "carol is the author";
}

TEST_F(RouterRules, RejectedAndIgnoredMessagesAreNotForwardedAndNameEverySender) {
  start();
  peer_subscribes(carol);
  send_message(bob, message_of(bob, "bad"));
  send_message(dave, message_of(bob, "bad"));
  send_message(carol, message_of(bob, "bad"));
  node->absorb(node->router.validated(node->delivered.back().id, Verdict::reject, world.now));
  EXPECT_EQ(refused(Refusal::rejected), 2u) << "dave was never added";
  EXPECT_EQ(refused(Refusal::unknown_peer), 1u);
  send_message(bob, message_of(bob, "meh", 2));
  node->absorb(node->router.validated(node->delivered.back().id, Verdict::ignore, world.now));
  EXPECT_EQ(refused(Refusal::ignored), 1u);
  EXPECT_TRUE(received_by(carol).messages.empty());
  send_message(bob, message_of(bob, "bad"));
  EXPECT_EQ(refused(Refusal::duplicate), 2u) << "it stays seen";
}

TEST_F(RouterRules, ABadSignatureIsRefusedAndDoesNotHideTheRealMessage) {
  start();
  peer_subscribes(carol);
  auto message = message_of(dave, "hello");
  auto forged = message;
  forged.signature->at(10) ^= 1;
  send_message(bob, forged);
  EXPECT_TRUE(node->delivered.empty());
  EXPECT_EQ(node->refusals(), std::vector{Refusal::bad_signature});
  EXPECT_TRUE(received_by(carol).messages.empty());
  send_message(bob, message);
  EXPECT_EQ(node->delivered.size(), 1u);
}

TEST_F(RouterRules, AVerdictMayComeLateAndCountsOnce) {
  start();
  peer_subscribes(carol);
  send_message(bob, message_of(bob, "hello"));
  world.now.instant += 60s;
  node->absorb(node->router.tick(world.now));
  MessageId id = accept_last();
  EXPECT_EQ(received_by(carol).messages.size(), 1u);
  node->absorb(node->router.validated(id, Verdict::reject, world.now));
  EXPECT_EQ(refused(Refusal::rejected), 0u);
}

TEST_F(RouterRules, AVerdictThatNeverComesIsDroppedAtItsDeadline) {
  start();
  send_message(bob, message_of(bob, "hello"));
  world.now.instant += 121s;
  node->absorb(node->router.tick(world.now));
  EXPECT_EQ(node->router.validating(), 0u);
  EXPECT_EQ(refused(Refusal::no_verdict), 1u);
}

TEST_F(RouterRules, AFullValidationQueueDropsBeforeTheSignatureCheck) {
  RouterOptions options = RouterWorld::open_options();
  options.validating_max = 1;
  start(options);
  send_message(bob, message_of(bob, "one", 1));
  send_message(bob, message_of(bob, "two", 2));
  EXPECT_EQ(refused(Refusal::queue_full), 1u);
  EXPECT_EQ(node->router.counters().signatures_checked, 1u);
  accept_last();
  send_message(bob, message_of(bob, "two", 2));
  EXPECT_EQ(node->delivered.size(), 2u) << "it was not marked seen";
}

TEST_F(RouterRules, EachBrokenMessageIsRefusedWithItsReason) {
  start();
  auto reason_of = [this](PubsubMessage message) {
    node->events.clear();
    send_message(bob, message);
    auto reasons = node->refusals();
    return reasons.size() == 1 ? std::optional(reasons[0]) : std::nullopt;
  };
  auto good = message_of(dave, "x");
  auto with = [&good](auto change) {
    auto message = good;
    change(message);
    return message;
  };
  node->router.set_application_score(bob.id(), 10'000);
  EXPECT_EQ(reason_of(with([](auto& m) { m.topic.reset(); })), Refusal::bad_topic);
  EXPECT_EQ(reason_of(with([](auto& m) { m.topic = "\xff"; })), Refusal::bad_topic);
  EXPECT_EQ(reason_of(with([](auto& m) { m.topic = "u"; })), Refusal::not_subscribed);
  EXPECT_EQ(reason_of(with([](auto& m) { m.from.reset(); })), Refusal::bad_fields);
  EXPECT_EQ(reason_of(with([](auto& m) { m.seqno->push_back(0); })), Refusal::bad_fields);
  EXPECT_EQ(reason_of(with([](auto& m) { m.signature.reset(); })), Refusal::bad_fields);
  EXPECT_EQ(reason_of(with([this](auto& m) { m.key = to_bytes(bob.identity.public_key().encoded()); })),
            Refusal::bad_fields);
  EXPECT_EQ(reason_of(make_signed(node->identity, "t", {}, 1)), Refusal::own_message);
  EXPECT_EQ(reason_of([&] {
              auto forged = make_signed(node->identity, "t", {}, 2);
              forged.signature->back() ^= 1;
              return forged;
            }()),
            Refusal::own_message);
  EXPECT_EQ(node->router.counters().signatures_checked, 0u) << "who plays our messages again costs us no check";
  node->router.block(dave.id());
  EXPECT_EQ(reason_of(good), Refusal::blocked);
  node->router.unblock(dave.id());
  node->router.block(bob.id());
  EXPECT_EQ(reason_of(good), Refusal::blocked);
  EXPECT_EQ(node->router.counters().signatures_checked, 0u);
  EXPECT_TRUE(node->delivered.empty());
}

TEST_F(RouterRules, AnRpcThatBreaksTheWireIsReportedAndNothingOfItIsTaken) {
  start();
  Bytes body = body_with([](RpcWriter& writer) { writer.subscription(true, "t"); });
  append(body, Bytes{0x12, 0x05, 0x00});
  node->absorb(node->router.received(bob.id(), body, world.now));
  ASSERT_EQ(node->pick<PeerBrokeWire>().size(), 1u);
  EXPECT_TRUE(node->router.subscribers("t").empty());
}

TEST_F(RouterRules, UnsignedNetworksRefuseSignedFieldsAndUseTheHashOfTheData) {
  RouterOptions options = RouterWorld::open_options();
  options.signature_policy = SignaturePolicy::strict_no_sign;
  options.message_id_mode = MessageIdMode::sha256_of_data;
  start(options);
  peer_subscribes(carol);
  send_message(bob, message_of(bob, "signed"));
  EXPECT_EQ(refused(Refusal::bad_fields), 1u);
  send_message(bob, make_unsigned("t", to_bytes(as_bytes("plain"))));
  ASSERT_EQ(node->delivered.size(), 1u);
  EXPECT_FALSE(node->delivered[0].author);
  accept_last();
  EXPECT_EQ(received_by(carol).messages.size(), 1u);
  world.publish(*node, "t", "own");
  auto own = received_by(carol);
  ASSERT_EQ(own.messages.size(), 1u);
  EXPECT_FALSE(own.messages[0].from || own.messages[0].seqno || own.messages[0].signature || own.messages[0].key);
  EXPECT_EQ(node->router.counters().signatures_checked, 0u);
}

TEST_F(RouterRules, OwnMessagesGoToEverySubscriberAlsoWithoutASubscriptionOfOurs) {
  start();
  send(bob, [](RpcWriter& writer) { writer.subscription(true, "u"); });
  auto published = node->router.publish("u", to_bytes(as_bytes("x")), world.now);
  ASSERT_TRUE(published);
  EXPECT_EQ(published->peers, 1u);
  EXPECT_EQ(published->effects.writable, std::vector<PeerId>{bob.id()});
  EXPECT_EQ(received_by(bob).messages.size(), 1u);
  EXPECT_TRUE(received_by(carol).messages.empty());
}

TEST_F(RouterRules, AMessageOfAMegabyteFitsAndALargerOneIsAnError) {
  start();
  peer_subscribes(bob);
  ASSERT_TRUE(node->router.publish("t", Bytes(kRpcBytesMax - 1024), world.now));
  auto frame = node->router.next_frame(bob.id());
  ASSERT_TRUE(frame);
  EXPECT_LE(frame->size(), kRpcBytesMax + 3);
  EXPECT_TRUE(RpcFrames().feed(*frame));
  EXPECT_FALSE(node->router.publish("t", Bytes(kRpcBytesMax - 1023), world.now));
}

TEST_F(RouterRules, ManyMessagesAreSplitIntoRpcsOfAtMostAMegabyte) {
  start();
  peer_subscribes(bob);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(node->router.publish("t", Bytes(600'000), world.now));
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(node->router.publish("t", Bytes(1000), world.now));
  std::size_t frames = 0, messages = 0;
  while (auto frame = node->router.next_frame(bob.id())) {
    RpcFrames cut;
    ASSERT_TRUE(cut.feed(*frame));
    Bytes body = *cut.next();
    messages += parse_rpc(body)->messages.size();
    ++frames;
  }
  EXPECT_EQ(messages, 36u);
  EXPECT_EQ(frames, 7u) << "small ones share an RPC";
}

TEST_F(RouterRules, AFullQueueDropsMessagesButKeepsStateForTheNextRpc) {
  RouterOptions options = RouterWorld::open_options();
  options.outbox_limits.bytes = 1'000'000;
  start(options);
  peer_subscribes(bob);
  send(bob, [](RpcWriter& writer) { writer.graft("t"); });
  ASSERT_TRUE(node->router.publish("t", Bytes(900'000), world.now));
  EXPECT_EQ(node->router.publish("t", Bytes(200'000), world.now)->peers, 0u);
  EXPECT_EQ(node->router.counters().dropped_messages, 1u);
  node->absorb(node->router.unsubscribe("t", world.now));
  node->absorb(*node->router.subscribe("t", world.now));
  auto rpc = received_by(bob);
  EXPECT_EQ(rpc.messages.size(), 1u);
  ASSERT_EQ(rpc.subscriptions.size(), 1u) << "only the newest state";
  EXPECT_TRUE(rpc.subscriptions[0].subscribe);
  EXPECT_EQ(rpc.prunes.size(), 1u);
}

TEST_F(RouterRules, AtMostSixtyFourRpcsAreQueued) {
  start();
  peer_subscribes(bob);
  std::size_t queued = 0;
  for (int i = 0; i < 70; ++i) queued += node->router.publish("t", Bytes(60'000), world.now)->peers;
  EXPECT_EQ(queued, 64u);
}

TEST_F(RouterRules, IwantIsAnsweredThreeTimesForAnIdAndTenTimesAHeartbeat) {
  start();
  send_message(bob, message_of(bob, "hello"));
  MessageId id = accept_last();
  auto want = [&](std::vector<Bytes> ids) {
    send(carol, [&](RpcWriter& writer) { writer.iwant(ids); });
    return received_by(carol).messages.size();
  };
  EXPECT_EQ(want({Bytes(20)}), 0u) << "an id we never had";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(want({id}), 1u);
  EXPECT_EQ(want({id}), 0u);
  send_message(bob, message_of(bob, "next", 2));
  MessageId next = accept_last();
  for (int i = 0; i < 5; ++i) want({Bytes(20)});
  EXPECT_EQ(want({next}), 0u) << "the eleventh request";
  world.now.instant += 700ms;
  node->absorb(node->router.tick(world.now));
  EXPECT_EQ(want({next}), 1u);
}

TEST_F(RouterRules, IhaveIsFollowedUpToItsLimits) {
  RouterOptions options = RouterWorld::open_options();
  options.ihave_messages_max = 3;
  options.ihave_ids_max = 5;
  start(options);
  std::uint8_t next = 0;
  auto announce = [&](std::size_t count, std::string topic = "t") {
    std::vector<Bytes> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(Bytes(20, next++));
    send(bob, [&](RpcWriter& writer) { writer.ihave(topic, ids); });
    auto rpc = received_by(bob);
    return rpc.iwant.empty() ? 0 : rpc.iwant[0].ids.size();
  };
  EXPECT_EQ(announce(2), 2u);
  EXPECT_EQ(announce(2, "other"), 0u);
  EXPECT_EQ(announce(4), 3u);
  EXPECT_EQ(announce(1), 0u);
  world.now.instant += 700ms;
  node->absorb(node->router.tick(world.now));
  EXPECT_EQ(announce(1), 1u);
}

TEST_F(RouterRules, OnePeerAtATimeIsAskedForAnIdAndTheNextWhenItDoesNotCome) {
  start();
  std::vector<Bytes> ids{Bytes(20, 1)};
  auto announce = [&](const RawPeer& peer) {
    send(peer, [&](RpcWriter& writer) { writer.ihave("t", ids); });
    return received_by(peer).iwant.size();
  };
  EXPECT_EQ(announce(bob), 1u);
  EXPECT_EQ(announce(carol), 0u);
  world.now.instant += 499ms;
  node->absorb(node->router.tick(world.now));
  EXPECT_TRUE(received_by(carol).iwant.empty());
  world.now.instant += 701ms;
  EXPECT_EQ(announce(bob), 0u) << "it had its chance";
  node->absorb(node->router.tick(world.now));
  EXPECT_EQ(received_by(carol).iwant.size(), 1u);
  EXPECT_TRUE(received_by(bob).iwant.empty());
}

TEST_F(RouterRules, IdontwantIsHonouredForThreeHeartbeats) {
  start();
  peer_subscribes(carol);
  auto message = message_of(bob, "hello");
  MessageId id = message_id(MessageIdMode::content, message);
  send(carol, [&](RpcWriter& writer) { writer.idontwant({&id, 1}); });
  send_message(bob, message);
  accept_last();
  EXPECT_TRUE(received_by(carol).messages.empty());
  auto other = message_of(bob, "again", 2);
  MessageId other_id = message_id(MessageIdMode::content, other);
  send(carol, [&](RpcWriter& writer) { writer.idontwant({&other_id, 1}); });
  for (int i = 0; i < 3; ++i) {
    world.now.instant += 700ms;
    node->absorb(node->router.tick(world.now));
  }
  send_message(bob, other);
  accept_last();
  EXPECT_EQ(received_by(carol).messages.size(), 1u);
}

TEST_F(RouterRules, IdontwantIsSentOnlyForVerifiedLargeMessagesAndToNewPeers) {
  RouterOptions options = RouterWorld::open_options();
  options.send_idontwant = SendIdontwant::to_subscribers;
  start(options);
  peer_subscribes(bob);
  peer_subscribes(carol);
  send_message(bob, message_of(dave, "small", 1));
  auto large = message_of(dave, std::string(2000, 'x'), 2);
  auto forged = large;
  forged.signature->at(10) ^= 1;
  send_message(bob, forged);
  EXPECT_TRUE(received_by(carol).idontwant.empty());
  send_message(bob, large);
  EXPECT_TRUE(received_by(bob).idontwant.empty()) << "it is the sender";
  ASSERT_EQ(received_by(carol).idontwant.size(), 1u);
}

TEST_F(RouterRules, SeenIdsAreForgottenAfterTheirTime) {
  start();
  send_message(bob, message_of(bob, "hello"));
  accept_last();
  world.now.instant += 119s;
  send_message(bob, message_of(bob, "hello"));
  EXPECT_EQ(node->delivered.size(), 1u);
  world.now.instant += 20s;
  node->absorb(node->router.tick(world.now));
  send_message(bob, message_of(bob, "hello"));
  EXPECT_EQ(node->delivered.size(), 2u);
}

TEST(SeenCache, KeepsToItsBoundByForgettingTheOldest) {
  SeenCache seen(80s, 80);
  Instant now{Duration(1h)};
  for (std::uint8_t i = 0; i < 200; ++i) EXPECT_TRUE(seen.insert(Bytes(20, i), now));
  EXPECT_LE(seen.size(), 80u);
  EXPECT_GE(seen.size(), 70u);
  EXPECT_FALSE(seen.contains(Bytes(20, 0)));
  EXPECT_TRUE(seen.contains(Bytes(20, 199)));
  EXPECT_FALSE(seen.insert(Bytes(20, 199), now));
  EXPECT_TRUE(seen.insert(Bytes(47, 1), now)) << "ids of other modes";
  EXPECT_TRUE(seen.contains(Bytes(47, 1)));
}

}  // namespace
}  // namespace kms::net
