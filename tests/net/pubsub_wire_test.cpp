#include "net/pubsub_wire.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/net/fixtures.h"

namespace kms::net {
namespace {

std::vector<Bytes> ids() {
  return {to_bytes(as_bytes("id-1")), unhex("ff00fe")};
}
Bytes body_of(const Bytes& frame) {
  RpcFrames frames;
  EXPECT_TRUE(frames.feed(frame));
  auto body = frames.next();
  EXPECT_TRUE(body);
  return body.value_or(Bytes{});
}
template <class Fill>
Bytes body_with(Fill fill) {
  RpcWriter writer;
  fill(writer);
  return body_of(writer.frame());
}

TEST(PubsubWire, WritesTheBytesOfJs) {
  std::map<std::string, RpcWriter> writers;
  writers["subscribe t"].subscription(true, "t");
  writers["unsubscribe t"].subscription(false, "t");
  writers["GRAFT t"].graft("t");
  writers["PRUNE t backoff 60"].prune("t", 60);
  const ExchangePeer alice{to_bytes(identity_named("alice").peer_id().bytes()), {}};
  writers["PRUNE t backoff 60, px alice without a record"].prune("t", 60, std::span(&alice, 1));
  writers["IHAVE t [id-1, ff00fe]"].ihave("t", ids());
  writers["IWANT [id-1, ff00fe]"].iwant(ids());
  writers["IDONTWANT [id-1, ff00fe]"].idontwant(ids());
  const auto& gossipsub = vectors().at("gossipsub").as_object();
  EXPECT_EQ(gossipsub.size(), writers.size());
  for (const auto& entry : gossipsub) {
    EXPECT_EQ(to_hex(writers[entry.key()].frame()), std::string(entry.value().as_string())) << entry.key();
  }
}

TEST(PubsubWire, ReadsTheVectorsOfJs) {
  const auto& gossipsub = vectors().at("gossipsub").as_object();
  auto rpc = [&gossipsub](const char* name) {
    static Bytes body;  // the views point into it
    body = body_of(unhex(gossipsub.at(name).as_string()));
    return *parse_rpc(body);
  };
  EXPECT_TRUE(rpc("subscribe t").subscriptions.at(0).subscribe);
  EXPECT_FALSE(rpc("unsubscribe t").subscriptions.at(0).subscribe);
  EXPECT_EQ(as_text(rpc("GRAFT t").grafts.at(0)), "t");
  auto prune = rpc("PRUNE t backoff 60, px alice without a record").prunes.at(0);
  EXPECT_EQ(prune.backoff_s, 60u);
  EXPECT_EQ(prune.peers.size(), 1u);
  EXPECT_EQ(prune.peers.at(0).id.size(), 39u);
  auto ihave = rpc("IHAVE t [id-1, ff00fe]").ihave.at(0);
  EXPECT_EQ(as_text(ihave.topic), "t");
  EXPECT_TRUE(equal(ihave.ids.at(1), ids()[1]));
  EXPECT_TRUE(equal(rpc("IWANT [id-1, ff00fe]").iwant.at(0).ids.at(0), ids()[0]));
  EXPECT_EQ(rpc("IDONTWANT [id-1, ff00fe]").idontwant.at(0).ids.size(), 2u);
}

TEST(PubsubWire, KeepsAbsentAndEmptyApart) {
  auto absent = *parse_message(unhex("220174"));
  EXPECT_FALSE(absent.data);
  Bytes with_empty = unhex("1200220174");
  auto empty = *parse_message(with_empty);
  ASSERT_TRUE(empty.data);
  EXPECT_TRUE(empty.data->empty());
}

TEST(PubsubWire, RefusesUnknownAndRepeatedFieldsInMessageButSkipsThemElsewhere) {
  EXPECT_FALSE(parse_message(unhex("2201743a0101")));
  EXPECT_FALSE(parse_message(unhex("220174220174")));
  EXPECT_FALSE(parse_message(unhex("08012201740000")));
  EXPECT_TRUE(parse_rpc(unhex("0a0708011201741801"))) << "go 1.3 puts field 3 into SubOpts";
  EXPECT_TRUE(parse_rpc(unhex("5200"))) << "field 10";
}

TEST(PubsubWire, RefusesMoreOfAnythingThanTheLimits) {
  RpcLimits limits;
  auto repeat = [](std::size_t count, auto fill) {
    return body_with([&](RpcWriter& writer) {
      for (std::size_t i = 0; i < count; ++i) fill(writer);
    });
  };
  auto message = [](RpcWriter& w) { w.message(unhex("220174")); };
  auto subscription = [](RpcWriter& w) { w.subscription(true, "t"); };
  auto graft = [](RpcWriter& w) { w.graft("t"); };
  auto prune = [](RpcWriter& w) { w.prune("t", 1); };
  auto ihave = [](RpcWriter& w) { w.ihave("t", {}); };
  auto iwant = [](RpcWriter& w) { w.iwant({}); };
  auto idontwant = [](RpcWriter& w) { w.idontwant({}); };
  EXPECT_TRUE(parse_rpc(repeat(limits.messages, message)));
  EXPECT_FALSE(parse_rpc(repeat(limits.messages + 1, message)));
  EXPECT_TRUE(parse_rpc(repeat(limits.subscriptions, subscription)));
  EXPECT_FALSE(parse_rpc(repeat(limits.subscriptions + 1, subscription)));
  EXPECT_TRUE(parse_rpc(repeat(limits.grafts, graft)));
  EXPECT_FALSE(parse_rpc(repeat(limits.grafts + 1, graft)));
  EXPECT_TRUE(parse_rpc(repeat(limits.prunes, prune)));
  EXPECT_FALSE(parse_rpc(repeat(limits.prunes + 1, prune)));
  EXPECT_TRUE(parse_rpc(repeat(limits.gossip_entries, ihave)));
  EXPECT_FALSE(parse_rpc(repeat(limits.gossip_entries + 1, ihave)));
  EXPECT_FALSE(parse_rpc(repeat(limits.gossip_entries + 1, iwant)));
  EXPECT_FALSE(parse_rpc(repeat(limits.gossip_entries + 1, idontwant)));

  std::vector<Bytes> half(limits.ids / 2, Bytes(20));
  auto ids_in_two = [&half](RpcWriter& w) {
    w.ihave("t", half);
    w.iwant(half);
  };
  EXPECT_TRUE(parse_rpc(body_with(ids_in_two)));
  // One more is not heeded.
  Bytes more = body_with([&](RpcWriter& w) {
    ids_in_two(w);
    w.idontwant(std::vector<Bytes>{Bytes(20)});
  });
  auto parsed = parse_rpc(more);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->idontwant.size(), 1u);
  EXPECT_TRUE(parsed->idontwant[0].ids.empty());
  EXPECT_FALSE(parse_rpc(body_with([](RpcWriter& w) { w.iwant(std::vector<Bytes>{Bytes(257)}); })));
}

TEST(PubsubWire, RefusesTooMuchPeerExchange) {
  auto prune_with = [](std::size_t peers, std::size_t record_bytes) {
    ProtoWriter prune, control, rpc;
    prune.text(1, "t");
    for (std::size_t i = 0; i < peers; ++i) {
      ProtoWriter peer;
      peer.bytes(1, Bytes(39));
      peer.bytes(2, Bytes(record_bytes));
      prune.message(2, peer);
    }
    control.message(4, prune);
    rpc.message(3, control);
    return rpc.take();
  };
  EXPECT_TRUE(parse_rpc(prune_with(16, 4096)));
  EXPECT_FALSE(parse_rpc(prune_with(17, 1)));
  EXPECT_FALSE(parse_rpc(prune_with(1, 4097)));
}

TEST(PubsubWire, RefusesBrokenBytesAndWrongTypes) {
  EXPECT_FALSE(parse_rpc(unhex("0a05")));
  EXPECT_FALSE(parse_rpc(unhex("0801")));
  EXPECT_FALSE(parse_rpc(unhex("1a020801")));
  EXPECT_FALSE(parse_rpc(unhex("1a041a02ff")));
  EXPECT_FALSE(parse_rpc(Bytes(kRpcBytesMax + 1)));
  EXPECT_TRUE(parse_rpc({}));
}

TEST(PubsubWire, RandomChangesOfAGoodRpcNeverBreakTheReader) {
  Bytes good = body_with([](RpcWriter& w) {
    w.subscription(true, "topic");
    w.message(unhex("0a01011202aabb220174"));
    w.ihave("t", ids());
    w.prune("t", 60);
  });
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes = good;
    for (std::size_t k = random() % 4 + 1; k-- > 0;)
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    bytes.resize(random() % (bytes.size() + 1));
    auto rpc = parse_rpc(bytes);
    if (rpc) {
      EXPECT_LE(rpc->subscriptions.size(), 100u);
    }
  }
}

TEST(PubsubWire, TopicsAreUtf8AndBounded) {
  EXPECT_TRUE(is_topic(as_bytes("/kms/x/requests/1")));
  EXPECT_TRUE(is_topic(as_bytes("t\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82")));
  EXPECT_TRUE(is_topic(Bytes(256, 'a')));
  EXPECT_FALSE(is_topic(Bytes(257, 'a')));
  EXPECT_FALSE(is_topic({}));
  for (const char* bad : {"ff", "c3", "c328", "c080", "e08080", "eda080", "f4908080", "f880808080", "80"}) {
    EXPECT_FALSE(is_topic(unhex(bad))) << bad;
  }
}

TEST(RpcFrames, JoinsFragmentsAndCutsJoinedFrames) {
  RpcWriter writer;
  writer.subscription(true, "t");
  Bytes two = writer.frame();
  append(two, writer.frame());
  RpcFrames whole;
  ASSERT_TRUE(whole.feed(two));
  EXPECT_TRUE(whole.next());
  EXPECT_TRUE(whole.next());
  EXPECT_FALSE(whole.next());
  RpcFrames bytewise;
  int frames = 0;
  for (std::uint8_t byte : two) {
    ASSERT_TRUE(bytewise.feed({&byte, 1}));
    while (bytewise.next()) ++frames;
  }
  EXPECT_EQ(frames, 2);
}

TEST(RpcFrames, RefusesALengthAboveTheLimitBeforeTheBytesCome) {
  Bytes length;
  append_uvarint(length, kRpcBytesMax);
  EXPECT_TRUE(RpcFrames().feed(length));
  length.clear();
  append_uvarint(length, kRpcBytesMax + 1);
  EXPECT_FALSE(RpcFrames().feed(length));
  EXPECT_FALSE(RpcFrames().feed(unhex("8000")));
}

}  // namespace
}  // namespace kms::net
