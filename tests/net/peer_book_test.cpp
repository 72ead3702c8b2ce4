#include "net/peer_book.h"

#include <gtest/gtest.h>

#include "net/length_frame.h"
#include "net/peers_wire.h"
#include "tests/net/fixtures.h"

namespace kms::net {
namespace {

struct Records : testing::Test {
  Records() : book(id("self"), {}) { book.set_members({id("a"), id("b"), id("self")}); }
  static PeerId id(std::string_view name) { return identity_named(name).peer_id(); }
  static Multiaddr address(std::string_view text) { return Multiaddr::parse_text(text).value(); }
  static Bytes record(std::string_view name, std::uint64_t seq, std::string_view text = "/ip4/10.1.1.1/tcp/9") {
    return sign_peer_record(identity_named(name), seq, {address(text)});
  }
  RecordVerdict add(ByteView envelope, Duration age = Duration::zero()) {
    return book.add(envelope, std::nullopt, age, now).verdict;
  }

  Now now{Instant(Duration(24h)), 0};
  PeerBook book;
};

TEST_F(Records, TheHighestSeqWins) {
  EXPECT_EQ(add(record("a", 5)), RecordVerdict::newer);
  EXPECT_EQ(add(record("a", 5, "/ip4/10.1.1.2/tcp/9")), RecordVerdict::known);
  EXPECT_EQ(add(record("a", 4)), RecordVerdict::known);
  EXPECT_EQ(add(record("a", 6, "/ip4/10.1.1.3/tcp/9")), RecordVerdict::newer);
  EXPECT_EQ(book.find(id("a"))->addresses, std::vector{address("/ip4/10.1.1.3/tcp/9")});
}

TEST_F(Records, OfNobodyOnTheListAreNotKept) {
  EXPECT_EQ(add(record("stranger", 5)), RecordVerdict::unwanted);
  EXPECT_TRUE(book.entries().empty());
  add(record("a", 5));
  book.set_members({id("b")});
  EXPECT_TRUE(book.entries().empty());
}

TEST_F(Records, MustBeSignedByTheirOwner) {
  Bytes bent = record("a", 5);
  bent.back() ^= 1;
  EXPECT_EQ(add(bent), RecordVerdict::forged);
  EXPECT_EQ(add(Bytes(20, 1)), RecordVerdict::forged);
  EXPECT_EQ(add({}), RecordVerdict::forged);
  EXPECT_EQ(book.add(record("a", 5), id("b"), Duration::zero(), now).verdict, RecordVerdict::forged);
  const Bytes unsigned_record = encode_peer_record({id("a"), 5, {}});
  EXPECT_EQ(add(unsigned_record), RecordVerdict::forged);
  const Bytes by_b = seal_envelope(identity_named("b"), kPeerRecordDomain, kPeerRecordPayloadType,
                                   encode_peer_record({id("a"), 5, {}}));
  EXPECT_EQ(add(by_b), RecordVerdict::forged);
  EXPECT_TRUE(book.entries().empty());
}

TEST_F(Records, AreBoundedInBytesAndAddresses) {
  std::vector<Multiaddr> many;
  for (int port = 1; port <= 20; ++port) many.push_back(address("/ip4/10.1.1.1/tcp/" + std::to_string(port)));
  EXPECT_EQ(add(sign_peer_record(identity_named("a"), 5, many)), RecordVerdict::newer);
  EXPECT_EQ(book.find(id("a"))->addresses.size(), 8u);
  std::vector<Multiaddr> long_names;
  for (int i = 0; i < 30; ++i) {
    long_names.push_back(address("/dns4/" + std::string(60, 'x') + "." + std::string(60, 'y') + "." +
                                 std::string(60, 'z') + "/tcp/" + std::to_string(i + 1)));
  }
  EXPECT_EQ(add(sign_peer_record(identity_named("b"), 5, long_names)), RecordVerdict::forged);
  EXPECT_EQ(book.find(id("b")), nullptr);
}

TEST_F(Records, MayNotPointAtThisMachineOrAtNoMachine) {
  for (const auto* text :
       {"/ip4/127.0.0.1/tcp/9", "/ip4/0.0.0.0/tcp/9", "/ip4/224.0.0.1/tcp/9", "/ip4/169.254.1.1/tcp/9",
        "/ip6/::1/tcp/9", "/ip6/::/tcp/9", "/ip6/fe80::1/tcp/9", "/ip6/ff02::1/tcp/9", "/ip6/::ffff:127.0.0.1/tcp/9",
        "/dns4/localhost/tcp/9", "/ip4/10.1.1.1/tcp/0", "/ip4/10.1.1.1/udp/9"}) {
    EXPECT_FALSE(is_dialable(address(text), LoopbackUse::refused)) << text;
  }
  for (const auto* text :
       {"/ip4/10.1.1.1/tcp/9", "/ip4/192.0.2.1/tcp/9", "/ip6/2001:db8::1/tcp/9", "/dns/kms.example/tcp/9"}) {
    EXPECT_TRUE(is_dialable(address(text), LoopbackUse::refused)) << text;
  }
  for (const auto* text : {"/ip4/127.0.0.1/tcp/9", "/ip6/::1/tcp/9", "/dns4/localhost/tcp/9"}) {
    EXPECT_TRUE(is_dialable(address(text), LoopbackUse::accepted)) << text;
  }
  EXPECT_EQ(add(record("a", 5, "/ip4/127.0.0.1/tcp/9")), RecordVerdict::newer);
  EXPECT_TRUE(book.find(id("a"))->addresses.empty());
}

TEST_F(Records, AreForgottenAWeekAfterTheyWereLastKnownToBeTrue) {
  const Duration week = 7 * 24h;
  EXPECT_EQ(add(record("a", 5), week), RecordVerdict::expired);
  EXPECT_EQ(add(record("a", 5), week - 1h), RecordVerdict::newer);
  EXPECT_EQ(*book.expires_at(), now.instant + 1h);
  now.instant += 30min;
  book.confirm(id("a"), now);
  now.instant += week - 1s;
  EXPECT_TRUE(book.expire(now).empty());
  now.instant += 1s;
  EXPECT_EQ(book.expire(now), std::vector{id("a")});
  EXPECT_EQ(book.find(id("a")), nullptr);
}

TEST_F(Records, OfOneOwnerChangeAFewTimesAndThenSlowly) {
  for (std::uint64_t seq = 1; seq <= 4; ++seq) EXPECT_EQ(add(record("a", seq)), RecordVerdict::newer);
  EXPECT_EQ(add(record("a", 5)), RecordVerdict::too_often);
  EXPECT_EQ(add(record("b", 5)), RecordVerdict::newer);
  now.instant += 10s;
  EXPECT_EQ(add(record("a", 5)), RecordVerdict::newer);
  EXPECT_EQ(add(record("a", 6)), RecordVerdict::too_often);
}

TEST_F(Records, ThatAreForgedDoNotUseUpTheAllowanceOfTheirAllegedOwner) {
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    Bytes bent = record("a", seq);
    bent.back() ^= 1;
    EXPECT_EQ(add(bent), RecordVerdict::forged);
  }
  EXPECT_EQ(add(record("a", 1)), RecordVerdict::newer);
}

TEST_F(Records, OfOurselvesTellWhatSeqToOutrun) {
  EXPECT_EQ(add(record("self", 50)), RecordVerdict::outrun);
  EXPECT_EQ(book.own_seq(), 50u);
  EXPECT_EQ(add(record("self", 49)), RecordVerdict::known);
  EXPECT_TRUE(book.entries().empty());
}

TEST(PeersWire, ComesBackAsItWent) {
  PeersRequest request;
  request.held.push_back({identity_named("a").peer_id(), 7});
  request.held.push_back({identity_named("b").peer_id(), 0});
  const auto read = PeersRequest::parse(request.encode());
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->held.size(), 2u);
  EXPECT_EQ(read->held[0].peer, request.held[0].peer);
  EXPECT_EQ(read->held[0].seq, 7u);
  EXPECT_EQ(read->held[1].seq, 0u);
  PeersReply reply{{{Bytes{1, 2, 3}, 4}, {Bytes{5}, 0}}};
  const auto answer = PeersReply::parse(reply.encode());
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(answer->records.size(), 2u);
  EXPECT_EQ(answer->records[0].envelope, (Bytes{1, 2, 3}));
  EXPECT_EQ(answer->records[0].age_s, 4u);
}

TEST(PeersWire, RefusesTooManyEntriesAndMalformedOnes) {
  PeersRequest request;
  for (int i = 0; i < 1025; ++i) request.held.push_back({identity_named("a").peer_id(), 7});
  EXPECT_FALSE(PeersRequest::parse(request.encode()).has_value());
  request.held.pop_back();
  EXPECT_TRUE(PeersRequest::parse(request.encode()).has_value());
  EXPECT_FALSE(PeersRequest::parse(Bytes{0x0a, 0x03, 0x0a, 0x01, 0x55}).has_value());
  EXPECT_FALSE(PeersReply::parse(PeersReply{{{Bytes(4097, 1), 0}}}.encode()).has_value());
  EXPECT_FALSE(PeersReply::parse(PeersReply{{{Bytes(), 0}}}.encode()).has_value());
  EXPECT_FALSE(PeersReply::parse(Bytes{0x0a, 0x05, 0x01}).has_value());
}

TEST(LengthFrames, ComeFromAnyCutsAndEndWhereTheySay) {
  const Bytes body(300, 7);
  const Bytes frame = LengthFrame::encode(body);
  LengthFrame reader(300);
  for (std::size_t i = 0; i < frame.size(); ++i) {
    EXPECT_FALSE(reader.is_complete());
    ASSERT_TRUE(reader.feed(ByteView(frame).subspan(i, 1)).has_value());
  }
  EXPECT_TRUE(reader.is_complete());
  EXPECT_TRUE(equal(reader.body(), body));
  EXPECT_FALSE(reader.feed(Bytes{1}).has_value());
  LengthFrame small(299);
  EXPECT_FALSE(small.feed(frame).has_value());
  LengthFrame endless(300);
  EXPECT_FALSE(endless.feed(Bytes(12, 0xff)).has_value());
  LengthFrame padded(300);
  EXPECT_FALSE(padded.feed(Bytes{0x85, 0x00}).has_value());
}

}  // namespace
}  // namespace kms::net
