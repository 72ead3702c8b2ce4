// Large objects pulled over streams: from honest members, and from slow, empty, leaving and lying ones.
#include "net/object_exchange.h"

#include "tests/net/fixtures.h"
#include "tests/net/host_world.h"

namespace kms::net {
namespace {

// Names are hashes of the bytes, as simple as it gets.
class Shelf {
 public:
  ObjectName put(Bytes bytes) {
    const ObjectName name = sha256(bytes);
    objects[name] = std::move(bytes);
    return name;
  }
  std::optional<Bytes> find(const ObjectName& name) const {
    const auto at = objects.find(name);
    return at == objects.end() ? std::nullopt : std::optional(at->second);
  }
  ObjectUse take(const ObjectName& name, const PeerId& from, Bytes bytes) {
    if (sha256(bytes) != name) return ObjectUse::forged;
    if (useless_from == from) return ObjectUse::useless;
    taken.emplace_back(name, from);
    objects[name] = std::move(bytes);
    return ObjectUse::taken;
  }
  std::map<ObjectName, Bytes> objects;
  std::vector<std::pair<ObjectName, PeerId>> taken;
  std::optional<PeerId> useless_from;
};

Bytes content(std::size_t size, std::uint8_t seed) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(seed + i * 31 + i / 251);
  return out;
}

struct Exchanges : testing::Test {
  struct Member {
    HostNode* node = nullptr;
    Shelf shelf;
    std::unique_ptr<ObjectExchange> exchange;
  };
  Member& add(const std::string& name, ObjectExchangeOptions options = {}) {
    auto member = std::make_unique<Member>();
    member->node = &world.add(name);
    member->exchange = std::make_unique<ObjectExchange>(member->node->host, "test", options, world.now);
    Member& own = *member;
    member->node->sees = [this, &own](const HostEvent& event) {
      own.exchange->receive(event, world.now);
      drain(own);
    };
    member->node->ticks = [this, &own] { own.exchange->tick(world.now); };
    member->node->wakes = [&own] { return own.exchange->wakes_at(); };
    members.push_back(std::move(member));
    return *members.back();
  }
  void drain(Member& member) {
    for (auto& event : member.exchange->take_events()) {
      if (const auto* asked = std::get_if<ObjectAsked>(&event)) {
        member.exchange->answer(asked->stream, member.shelf.find(asked->name), world.now);
      } else if (auto* given = std::get_if<ObjectGiven>(&event)) {
        const auto use = member.shelf.take(given->name, given->from, std::move(given->bytes));
        member.exchange->judge(given->name, given->from, use, world.now);
      }
    }
  }
  // A member that plays the protocol by hand: `answers` gets every request stream.
  HostNode& add_fake(const std::string& name, std::function<void(HostNode&, StreamKey)> answers) {
    HostNode& node = world.add(name);
    Service service;
    service.protocol = objects_protocol("test");
    node.host.add_service(service, world.now);
    node.sees = [this, &node, answers](const HostEvent& event) {
      const auto* bytes = std::get_if<ServiceBytes>(&event);
      if (bytes == nullptr) return;
      ++requests[&node];
      node.host.service_consumed(bytes->stream, bytes->bytes.size(), world.now);
      answers(node, bytes->stream);
    };
    fakes.push_back(&node);
    return node;
  }
  void meet() {
    std::set<PeerId> all;
    std::vector<HostNode*> nodes;
    for (const auto& member : members) nodes.push_back(member->node);
    nodes.insert(nodes.end(), fakes.begin(), fakes.end());
    for (auto* node : nodes) all.insert(node->id());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (std::size_t j = i + 1; j < nodes.size(); ++j) world.connect(*nodes[i], *nodes[j]);
    }
    for (const auto& member : members) member->exchange->set_members(all, world.now);
    world.run(500ms);
  }
  bool pull(Member& member, const ObjectName& name, std::optional<PeerId> announcer = std::nullopt) {
    const bool begun = announcer ? member.exchange->pull_announced(name, *announcer, world.now)
                                 : member.exchange->pull(name, world.now);
    world.settle();
    return begun;
  }
  static Bytes reply_with(ByteView object) {
    return LengthFrame::encode(encode_object_reply({ObjectStatus::here, object}));
  }
  void send(HostNode& node, StreamKey stream, ByteView bytes) {
    node.host.service_send(stream, bytes, world.now);
    node.host.service_finish(stream, world.now);
  }

  HostWorld world;
  std::vector<std::unique_ptr<Member>> members;
  std::vector<HostNode*> fakes;
  std::map<HostNode*, int> requests;
};

TEST_F(Exchanges, CarryAnObjectOfTheLargestSize) {
  Member& a = add("a");
  Member& b = add("b");
  meet();
  const auto name = b.shelf.put(content(kObjectBytesMax, 1));
  ASSERT_TRUE(pull(a, name, b.node->id()));
  world.run(2s);
  EXPECT_EQ(a.shelf.objects[name], b.shelf.objects[name]);
  EXPECT_EQ(a.exchange->counters().pulled, 1u);
  EXPECT_EQ(b.exchange->counters().served, 1u);
  EXPECT_EQ(b.exchange->served_bytes(), 0u);
  EXPECT_FALSE(a.exchange->is_pulling(name));
}

TEST_F(Exchanges, AskTheNextMemberWhenTheFirstDoesNotHaveIt) {
  Member& a = add("a");
  Member& b = add("b");
  Member& c = add("c");
  meet();
  const auto name = c.shelf.put(content(1000, 1));
  ASSERT_TRUE(pull(a, name, b.node->id()));
  world.run(1s);
  EXPECT_EQ(a.shelf.taken.size(), 1u);
  EXPECT_EQ(a.exchange->counters().absent, 1u);
  EXPECT_EQ(a.exchange->counters().liars, 0u);
}

TEST_F(Exchanges, FailWhenNobodyHasItAndMayBeTriedAgain) {
  Member& a = add("a");
  Member& b = add("b");
  add("c");
  meet();
  const Bytes object = content(1000, 1);
  const auto name = sha256(object);
  ASSERT_TRUE(pull(a, name));
  world.run(1s);
  EXPECT_EQ(a.exchange->counters().failed, 1u);
  EXPECT_FALSE(a.exchange->is_pulling(name));
  b.shelf.put(object);
  ASSERT_TRUE(pull(a, name));
  world.run(1s);
  EXPECT_EQ(a.shelf.taken.size(), 1u);
}

TEST_F(Exchanges, PassOverALiarCountItAndLeaveItAlone) {
  Member& a = add("a");
  Member& b = add("b");
  HostNode& liar =
      add_fake("liar", [&](HostNode& node, StreamKey stream) { send(node, stream, reply_with(content(1000, 99))); });
  meet();
  const auto first = b.shelf.put(content(1000, 1));
  ASSERT_TRUE(pull(a, first, liar.id()));
  world.run(1s);
  ASSERT_EQ(a.shelf.taken.size(), 1u);
  EXPECT_EQ(a.shelf.taken[0].second, b.node->id());
  EXPECT_EQ(a.exchange->counters().liars, 1u);
  EXPECT_EQ(a.exchange->take_notes().size(), 1u);
  pull(a, b.shelf.put(content(1000, 2)), liar.id());
  world.run(1s);
  EXPECT_EQ(a.shelf.taken.size(), 2u);
  EXPECT_EQ(requests[&liar], 1);
  world.run(2min);
  pull(a, b.shelf.put(content(1000, 3)), liar.id());
  world.run(1s);
  EXPECT_EQ(requests[&liar], 2);
  EXPECT_EQ(a.shelf.taken.size(), 3u);
}

TEST_F(Exchanges, CountRepliesThatAreNoneAsLies) {
  Member& a = add("a");
  std::vector<Bytes> bad{Bytes{0xff, 0xff, 0xff, 0x7f},                        // longer than any object
                         LengthFrame::encode(Bytes(5, 0xff)),                  // malformed
                         LengthFrame::encode(Bytes{0x08, 0x09}),               // a status that does not exist
                         LengthFrame::encode(Bytes{0x08, 0x01}),               // here, and no object
                         LengthFrame::encode(Bytes{0x08, 0x02, 0x12, 0x00})};  // absent, and an object
  std::size_t next = 0;
  HostNode& liar =
      add_fake("liar", [&](HostNode& node, StreamKey stream) { send(node, stream, bad[next++ % bad.size()]); });
  meet();
  for (std::size_t i = 0; i < bad.size(); ++i) {
    pull(a, sha256(Bytes{static_cast<std::uint8_t>(i)}), liar.id());
    world.run(2min);
    EXPECT_EQ(a.exchange->counters().liars, i + 1);
  }
  EXPECT_EQ(a.exchange->counters().failed, bad.size());
}

TEST_F(Exchanges, LeaveASilentMemberAfterTwoSeconds) {
  Member& a = add("a");
  Member& b = add("b");
  HostNode& silent = add_fake("silent", [](HostNode&, StreamKey) {});
  meet();
  const auto name = b.shelf.put(content(1000, 1));
  pull(a, name, silent.id());
  world.run(1900ms);
  EXPECT_TRUE(a.shelf.taken.empty());
  world.run(500ms);
  EXPECT_EQ(a.shelf.taken.size(), 1u);
  EXPECT_EQ(a.exchange->counters().stalled, 1u);
  EXPECT_EQ(a.exchange->counters().liars, 0u);
}

TEST_F(Exchanges, GoOnAtOnceWhenNoStreamCanBeOpened) {
  Member& a = add("a");
  Member& b = add("b");
  HostNode& deaf = add_fake("deaf", [](HostNode&, StreamKey) {});
  meet();
  deaf.reads = false;
  while (a.node->host.open_service(deaf.id(), objects_protocol("test"), world.now)) continue;
  const auto name = b.shelf.put(content(1000, 1));
  pull(a, name, deaf.id());
  world.run(100ms);
  ASSERT_EQ(a.shelf.taken.size(), 1u);
  EXPECT_EQ(a.exchange->counters().lost, 1u);
}

TEST_F(Exchanges, TryAgainLaterWhenTheOnlySourceCouldNotBeAsked) {
  Member& a = add("a");
  Member& b = add("b");
  meet();
  b.node->reads = false;
  while (a.node->host.open_service(b.node->id(), objects_protocol("test"), world.now)) continue;
  const auto name = b.shelf.put(content(1000, 1));
  pull(a, name, b.node->id());
  world.run(100ms);
  EXPECT_TRUE(a.exchange->is_pulling(name));
  b.node->reads = true;
  world.run(30s);  // the streams that filled everything end after 20 s
  EXPECT_EQ(a.shelf.taken.size(), 1u);
}

TEST_F(Exchanges, LeaveAMemberThatDoesNotEvenNegotiateTheStream) {
  Member& a = add("a");
  Member& b = add("b");
  HostNode& deaf = add_fake("deaf", [](HostNode&, StreamKey) {});
  meet();
  deaf.reads = false;
  const auto name = b.shelf.put(content(1000, 1));
  pull(a, name, deaf.id());
  world.run(1900ms);
  EXPECT_TRUE(a.shelf.taken.empty());
  world.run(500ms);
  EXPECT_EQ(a.shelf.taken.size(), 1u);
  EXPECT_EQ(a.exchange->counters().stalled, 1u);
}

TEST_F(Exchanges, AskAMemberAgainThatStalledOnceOrTwice) {
  Member& a = add("a");
  const Bytes object = content(1000, 1);
  HostNode& moody = add_fake("moody", [&](HostNode& node, StreamKey stream) {
    if (requests[&node] > 2) send(node, stream, reply_with(object));
  });
  meet();
  pull(a, sha256(object), moody.id());
  world.run(2500ms);
  EXPECT_EQ(requests[&moody], 1);  // stalled until 2 s, asked again a second later
  world.run(1s);
  EXPECT_EQ(requests[&moody], 2);
  world.run(5s);
  EXPECT_EQ(requests[&moody], 3);
  EXPECT_EQ(a.shelf.taken.size(), 1u);
  EXPECT_EQ(a.exchange->counters().stalled, 2u);
  EXPECT_EQ(a.exchange->counters().failed, 0u);
}

TEST_F(Exchanges, AskAMemberAgainThatLeftAndCameBack) {
  Member& a = add("a");
  Member& b = add("b");
  meet();
  const auto name = b.shelf.put(content(500'000, 1));
  pull(a, name, b.node->id());
  world.run(3ms);
  b.node->host.close_all({CloseReason::requested, "test"}, world.now);
  world.run(5s);
  EXPECT_TRUE(a.shelf.taken.empty());
  EXPECT_TRUE(a.exchange->is_pulling(name));
  world.connect(*a.node, *b.node);
  world.run(2s);
  EXPECT_EQ(a.shelf.taken.size(), 1u);
}

TEST_F(Exchanges, GiveUpAMinuteAfterThePullBegan) {
  Member& a = add("a");
  HostNode& silent = add_fake("silent", [](HostNode&, StreamKey) {});
  meet();
  const auto name = sha256(Bytes{1});
  pull(a, name, silent.id());
  world.run(58s);
  EXPECT_TRUE(a.exchange->is_pulling(name));
  EXPECT_EQ(a.exchange->counters().failed, 0u);
  world.run(4s);
  EXPECT_FALSE(a.exchange->is_pulling(name));
  EXPECT_EQ(a.exchange->counters().failed, 1u);
  EXPECT_GE(requests[&silent], 6);
  EXPECT_LE(requests[&silent], 10);
  const auto unknown = sha256(Bytes{2});  // nobody is asked for what only a stranger announced, who never comes
  pull(a, unknown, identity_named("away").peer_id());
  world.run(65s);
  EXPECT_FALSE(a.exchange->is_pulling(unknown));
}

TEST_F(Exchanges, AskAgainWhoeverAnnouncesWhatItDidNotHaveBefore) {
  Member& a = add("a");
  Member& b = add("b");
  HostNode& silent = add_fake("silent", [](HostNode&, StreamKey) {});
  meet();
  const Bytes object = content(1000, 1);
  const auto name = sha256(object);
  pull(a, name, b.node->id());
  world.run(500ms);
  EXPECT_EQ(a.exchange->counters().absent, 1u);
  EXPECT_EQ(requests[&silent], 1);
  b.shelf.put(object);
  pull(a, name, b.node->id());
  world.run(2s);
  EXPECT_EQ(a.shelf.taken.size(), 1u);
}

// Whoever stalls again and again does not hold up others' objects.
TEST_F(Exchanges, AskForNewObjectsBeforeTheyAskAgain) {
  ObjectExchangeOptions options;
  options.streams_max = 2;
  Member& a = add("a", options);
  Member& b = add("b");
  HostNode& silent = add_fake("silent", [](HostNode&, StreamKey) {});
  meet();
  for (std::uint8_t i = 0; i < 10; ++i) pull(a, sha256(Bytes{i}), silent.id());
  world.run(15s);
  for (std::uint8_t i = 0; i < 10; ++i) pull(a, b.shelf.put(content(1000, i)), b.node->id());
  world.run(2500ms);
  EXPECT_EQ(a.shelf.taken.size(), 10u);
}

TEST_F(Exchanges, LeaveAMemberThatTricklesBytes) {
  Member& a = add("a");
  Member& b = add("b");
  std::optional<StreamKey> stream;
  HostNode& slow = add_fake("slow", [&](HostNode&, StreamKey key) { stream = key; });
  meet();
  const Bytes object = content(100'000, 1);
  const auto name = b.shelf.put(object);
  pull(a, name, slow.id());
  world.run(200ms);
  ASSERT_TRUE(stream.has_value());
  const Bytes reply = reply_with(object);
  for (std::size_t i = 0; i < 30 && a.shelf.taken.empty(); ++i) {
    slow.host.service_send(*stream, ByteView(reply).subspan(i, 1), world.now);
    world.run(1s);
    if (i < 18) {
      EXPECT_TRUE(a.shelf.taken.empty());
    }
  }
  ASSERT_EQ(a.shelf.taken.size(), 1u);
  EXPECT_EQ(a.shelf.taken[0].second, b.node->id());
  EXPECT_EQ(a.exchange->counters().stalled, 1u);
}

TEST_F(Exchanges, GoOnElsewhereWhenTheMemberLeavesOrEndsTheStreamTooSoon) {
  Member& a = add("a");
  Member& b = add("b");
  HostNode& leaver = add_fake("leaver", [&](HostNode& node, StreamKey) {
    node.host.close_all({CloseReason::requested, "test"}, world.now);
  });
  HostNode& short_one = add_fake("short", [&](HostNode& node, StreamKey stream) {
    send(node, stream, ByteView(reply_with(content(1000, 1))).first(500));
  });
  HostNode& refuser =
      add_fake("refuser", [&](HostNode& node, StreamKey stream) { node.host.service_reset(stream, world.now); });
  meet();
  for (auto* fake : {&leaver, &short_one, &refuser}) {
    const auto seed = static_cast<std::uint8_t>(a.shelf.taken.size());
    const auto name = b.shelf.put(content(1000, seed));
    pull(a, name, fake->id());
    world.run(1500ms);
    EXPECT_TRUE(a.shelf.objects.contains(name));
  }
  EXPECT_EQ(a.shelf.taken.size(), 3u);
  EXPECT_GE(a.exchange->counters().lost, 3u);
  EXPECT_EQ(a.exchange->counters().liars, 0u);
}

TEST_F(Exchanges, TryAnotherMemberWhenAnObjectDidNotHelp) {
  Member& a = add("a");
  Member& b = add("b");
  Member& c = add("c");
  meet();
  a.shelf.useless_from = b.node->id();
  const auto name = b.shelf.put(content(1000, 1));
  c.shelf.put(content(1000, 1));
  pull(a, name, b.node->id());
  world.run(1s);
  ASSERT_EQ(a.shelf.taken.size(), 1u);
  EXPECT_EQ(a.shelf.taken[0].second, c.node->id());
  EXPECT_EQ(a.exchange->counters().useless, 1u);
  EXPECT_EQ(a.exchange->counters().liars, 0u);
}

TEST_F(Exchanges, AskFewAtATimeAndFromOneMemberEvenFewer) {
  ObjectExchangeOptions options;
  options.streams_max = 3;
  Member& a = add("a", options);
  HostNode& x = add_fake("x", [](HostNode&, StreamKey) {});
  HostNode& y = add_fake("y", [](HostNode&, StreamKey) {});
  meet();
  for (std::uint8_t i = 0; i < 10; ++i) pull(a, sha256(Bytes{i}));
  world.run(500ms);
  EXPECT_EQ(requests[&x] + requests[&y], 3);
  EXPECT_LE(std::max(requests[&x], requests[&y]), 2);
}

TEST_F(Exchanges, BoundWhatOneAnnouncerAndAllTogetherCanMakeItWant) {
  Member& a = add("a");
  HostNode& x = add_fake("x", [](HostNode&, StreamKey) {});
  meet();
  const auto name = [](int i) {
    return sha256(Bytes{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)});
  };
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pull(a, name(i), x.id()), i < 16);
  for (int i = 0; i < 1000; ++i) {
    const PeerId announcer = identity_named("announcer" + std::to_string(i % 20)).peer_id();
    EXPECT_EQ(pull(a, name(1000 + i), announcer), i < 128 - 16) << i;
  }
  // What the node lacks has room of its own, and goes first.
  for (int i = 0; i < 200; ++i) EXPECT_EQ(pull(a, name(5000 + i)), i < 128) << i;
  EXPECT_EQ(a.exchange->counters().refused, 84u + 888u + 72u);
}

TEST_F(Exchanges, ServeWhatIsLackedBeforeWhatIsAnnounced) {
  Member& a = add("a");
  std::vector<StreamKey> open;
  HostNode& x = add_fake("x", [&](HostNode&, StreamKey stream) { open.push_back(stream); });
  meet();
  for (std::uint8_t i = 0; i < 10; ++i) pull(a, sha256(Bytes{i}), x.id());
  Member& b = add("b");
  const auto name = b.shelf.put(content(100, 1));
  world.connect(*a.node, *b.node);
  std::set<PeerId> all{a.node->id(), b.node->id(), x.id()};
  a.exchange->set_members(all, world.now);
  b.exchange->set_members(all, world.now);
  pull(a, name);
  world.run(1s);
  EXPECT_EQ(a.shelf.taken.size(), 1u);
}

TEST_F(Exchanges, DoNotServeLightClients) {
  Member& a = add("a");
  Member& b = add("b");
  meet();
  b.node->host.set_peer_classes({{a.node->id(), PeerClass::light}}, world.now);
  const auto name = b.shelf.put(content(1000, 1));
  pull(a, name, b.node->id());
  world.run(1s);
  EXPECT_TRUE(a.exchange->is_pulling(name));
  world.run(70s);
  EXPECT_TRUE(a.shelf.taken.empty());
  EXPECT_EQ(b.exchange->counters().served, 0u);
  EXPECT_EQ(a.exchange->counters().failed, 1u);
}

TEST_F(Exchanges, ServeOneMemberNoMoreThanItsShare) {
  ObjectExchangeOptions options;
  options.peer_bytes_burst = 10'000;
  options.peer_bytes_per_s = 1'000;
  Member& a = add("a");
  Member& b = add("b", options);
  meet();
  for (std::uint8_t i = 0; i < 4; ++i) pull(a, b.shelf.put(content(4'000, i)));
  world.run(500ms);
  EXPECT_EQ(a.shelf.taken.size(), 2u);
  EXPECT_EQ(b.exchange->counters().served_busy, 2u);
  world.run(2s);  // 2000 bytes left of the burst, and 2000 more
  EXPECT_EQ(a.shelf.taken.size(), 2u);
  world.run(1s);
  EXPECT_EQ(a.shelf.taken.size(), 3u);
  world.run(6s);
  EXPECT_EQ(a.shelf.taken.size(), 4u);
}

TEST_F(Exchanges, HoldLittleForReadersThatDoNotRead) {
  ObjectExchangeOptions options;
  options.served_bytes_max = 2'000'000;
  Member& b = add("b", options);
  HostNode& reader = add_fake("reader", [](HostNode&, StreamKey) {});
  meet();
  const auto name = b.shelf.put(content(600'000, 1));
  for (int i = 0; i < 4; ++i) {
    const auto stream = reader.host.open_service(b.node->id(), objects_protocol("test"), world.now);
    ASSERT_TRUE(stream.has_value());
    reader.host.service_send(*stream, LengthFrame::encode(encode_object_request(name)), world.now);
    world.run(100ms);
  }
  EXPECT_EQ(b.exchange->counters().served, 3u);
  EXPECT_EQ(b.exchange->counters().served_busy, 1u);
  EXPECT_LE(b.exchange->served_bytes(), 2'000'000u);
  world.run(20s);
  EXPECT_EQ(b.exchange->served_bytes(), 0u);
  EXPECT_EQ(b.node->host.queued_bytes(reader.id()), 0u);
}

TEST_F(Exchanges, ResetMalformedRequestsAndStreamsBeyondFour) {
  Member& b = add("b");
  HostNode& reader = add_fake("reader", [](HostNode&, StreamKey) {});
  meet();
  for (const auto& request : {Bytes{0xff, 0x7f}, LengthFrame::encode(Bytes{0x0a, 0x01, 0x00})}) {
    const auto stream = reader.host.open_service(b.node->id(), objects_protocol("test"), world.now);
    reader.host.service_send(*stream, request, world.now);
    world.run(100ms);
  }
  EXPECT_EQ(b.exchange->counters().served_refused, 2u);
  for (int i = 0; i < 6; ++i) {
    const auto stream = reader.host.open_service(b.node->id(), objects_protocol("test"), world.now);
    reader.host.service_send(*stream, Bytes{0x22}, world.now);  // the start of one
  }
  world.run(200ms);
  std::size_t gone = 0;
  for (const auto& event : reader.pick<ServiceGone>()) gone += event.reason.empty() ? 0 : 1;
  EXPECT_EQ(gone, 2u + 2u);
}

TEST_F(Exchanges, CanBeToldToForgetAPull) {
  Member& a = add("a");
  HostNode& x = add_fake("x", [](HostNode&, StreamKey) {});
  meet();
  const auto name = sha256(Bytes{1});
  pull(a, name, x.id());
  world.run(100ms);
  a.exchange->forget(name, world.now);
  world.run(5s);
  EXPECT_FALSE(a.exchange->is_pulling(name));
  EXPECT_EQ(a.exchange->counters().stalled, 0u);
}

TEST(ObjectWire, ComesBackAsItWentAndRefusesTheRest) {
  const ObjectName name = sha256(Bytes{1});
  EXPECT_EQ(parse_object_request(encode_object_request(name)).value(), name);
  EXPECT_FALSE(parse_object_request(Bytes{}).has_value());
  EXPECT_FALSE(parse_object_request(Bytes{0x0a, 0x02, 0x01, 0x02}).has_value());
  const Bytes body{1, 2, 3};
  const Bytes encoded = encode_object_reply({ObjectStatus::here, body});
  const auto reply = parse_object_reply(encoded);
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(equal(reply->object, body));
  EXPECT_EQ(parse_object_reply(encode_object_reply({ObjectStatus::busy, {}}))->status, ObjectStatus::busy);
  EXPECT_FALSE(parse_object_reply(Bytes{}).has_value());
}

}  // namespace
}  // namespace kms::net
