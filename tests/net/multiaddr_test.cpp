#include "net/multiaddr.h"

#include <gtest/gtest.h>

#include "fixtures.h"

namespace kms::net {
namespace {

TEST(Multiaddr, MatchesJsInTextAndBytes) {
  for (const auto& entry : vectors().at("multiaddrs").as_object()) {
    std::string text(entry.key());
    SCOPED_TRACE(text);
    auto address = Multiaddr::parse_text(text);
    ASSERT_TRUE(address) << address.error().message;
    EXPECT_EQ(to_hex(address->bytes()), std::string(entry.value().as_string()));
    EXPECT_EQ(address->text(), text);
    auto again = Multiaddr::parse(address->bytes());
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *address);
  }
}

TEST(Multiaddr, RoundTripsEveryCode) {
  for (std::string text :
       {"/dns/a.example/tcp/1/ws", "/dns6/a.example/tcp/65535", "/dnsaddr/boot_1.example", "/ip4/1.2.3.4/udp/9/quic-v1",
        "/ip6/2001:db8::1/tcp/0/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N/p2p-circuit"}) {
    auto address = Multiaddr::parse_text(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), text);
    EXPECT_EQ(Multiaddr::parse(address->bytes()).value(), *address);
  }
  EXPECT_EQ(to_hex(Multiaddr::parse_text("/ip4/1.2.3.4/udp/9/quic-v1").value().bytes()), "040102030491020009cd03");
}

TEST(Multiaddr, AcceptsOldAndLooseTexts) {
  EXPECT_EQ(Multiaddr::parse_text("/ip4/1.2.3.4/tcp/5/").value().text(), "/ip4/1.2.3.4/tcp/5");
  std::string peer = identity_named("alice").peer_id().text();
  EXPECT_EQ(Multiaddr::parse_text("/ipfs/" + peer).value().text(), "/p2p/" + peer);
  EXPECT_EQ(Multiaddr::parse_text("/p2p/" + identity_named("alice").peer_id().cid()).value().text(), "/p2p/" + peer);
}

TEST(Multiaddr, RefusesMalformedTexts) {
  std::string too_many;
  for (int i = 0; i < 17; ++i) too_many += "/ws";
  for (const std::string& text :
       {std::string(), std::string("/"), std::string("ip4/1.2.3.4"), std::string("/ip4/1.2.3"), std::string("/ip4"),
        std::string("/ip4/1.2.3.4/tcp"), std::string("/ip4/1.2.3.4/tcp/65536"), std::string("/ip4/1.2.3.4/tcp/-1"),
        std::string("/ip4/1.2.3.4/tcp/1x"), std::string("/ip4/1.2.3.4//tcp/1"), std::string("/ip6/1.2.3.4"),
        std::string("/ip6/fe80::1%eth0/tcp/1"), std::string("/dns4/a b/tcp/1"), std::string("/nonsense/1"),
        std::string("/p2p/notapeer"), std::string("/ip4/1.2.3.4\0x/tcp/1", 20), too_many,
        "/dns4/" + std::string(254, 'a')}) {
    EXPECT_FALSE(Multiaddr::parse_text(text)) << text;
  }
}

TEST(Multiaddr, RefusesMalformedBytes) {
  Bytes whole =
      unhex("047f000001060fa1a50327002508021221039997a497d964fc1a62885b05a51166a65a90df00492c8d7cf61d6accf54803be");
  ASSERT_TRUE(Multiaddr::parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    bool at_border = size == 5 || size == 8;
    EXPECT_EQ(Multiaddr::parse(ByteView(whole).first(size)).has_value(), at_border) << size;
  }
  EXPECT_FALSE(Multiaddr::parse(unhex("8400")));        // code not minimal
  EXPECT_FALSE(Multiaddr::parse(unhex("a503022001")));  // no PeerId
  EXPECT_FALSE(Multiaddr::parse(unhex("3603612f62")));  // a '/' in a name
  EXPECT_FALSE(Multiaddr::parse(unhex("3600")));        // an empty name
  EXPECT_FALSE(Multiaddr::parse(Bytes(1025, 0)));
  Bytes many;
  for (int i = 0; i < 17; ++i) append(many, unhex("dd03"));
  EXPECT_FALSE(Multiaddr::parse(many));
  EXPECT_TRUE(Multiaddr::parse(ByteView(many).first(32)));
  auto unknown = Multiaddr::parse(unhex("047f000001b903"));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "multiaddr: unknown protocol code 441");
}

TEST(Multiaddr, PutsAPeerIdAtTheEndAndTakesItOff) {
  PeerId alice = identity_named("alice").peer_id();
  PeerId bob = identity_named("bob").peer_id();
  Multiaddr plain = Multiaddr::of_tcp(unhex("7f000001"), 4001);
  EXPECT_EQ(plain.text(), "/ip4/127.0.0.1/tcp/4001");
  EXPECT_FALSE(plain.peer_id());
  Multiaddr named = plain.with_peer_id(alice);
  EXPECT_EQ(named.peer_id(), alice);
  EXPECT_EQ(named.with_peer_id(bob).peer_id(), bob);
  EXPECT_EQ(named.with_peer_id(bob).parts().size(), 3u);
  EXPECT_EQ(named.without_peer_id(), plain);
  EXPECT_EQ(plain.without_peer_id(), plain);
}

TEST(TcpTarget, IsTakenFromWhatCanBeDialled) {
  PeerId alice = identity_named("alice").peer_id();
  auto target = tcp_target_of(Multiaddr::parse_text("/dns4/node-1.example/tcp/443/p2p/" + alice.text()).value());
  ASSERT_TRUE(target);
  EXPECT_EQ(target->host, "node-1.example");
  EXPECT_EQ(target->host_code, Multiaddr::Code::dns4);
  EXPECT_EQ(target->port, 443);
  EXPECT_EQ(target->peer, alice);
  EXPECT_EQ(tcp_target_of(Multiaddr::parse_text("/ip6/::1/tcp/1").value()).value().host, "::1");
  for (const char* text :
       {"/ip4/1.2.3.4", "/ip4/1.2.3.4/udp/1/quic-v1", "/ip4/1.2.3.4/tcp/1/ws", "/dnsaddr/a/tcp/1", "/tcp/1/tcp/1"}) {
    EXPECT_FALSE(tcp_target_of(Multiaddr::parse_text(text).value())) << text;
  }
}

}  // namespace
}  // namespace kms::net
