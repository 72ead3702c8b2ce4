// Request/response protocols of the node on top of the host.
#include "tests/net/host_world.h"

namespace kms::net {
namespace {

constexpr std::string_view kEcho = "/kms/test/echo/1";

Service echo_service() {
  Service service;
  service.protocol = kEcho;
  return service;
}

struct Services : testing::Test {
  Services() : alice(world.add("alice")), bob(world.add("bob")) {
    alice.host.add_service(echo_service(), world.now);
    bob.host.add_service(echo_service(), world.now);
    world.connect(alice, bob);
    world.run(300ms);
  }
  Bytes received_by(const HostNode& node) {
    Bytes out;
    for (const auto& bytes : node.pick<ServiceBytes>()) append(out, bytes.bytes);
    return out;
  }

  HostWorld world;
  HostNode& alice;
  HostNode& bob;
};

TEST_F(Services, CarryARequestAndItsAnswer) {
  const auto stream = alice.host.open_service(bob.id(), kEcho, world.now);
  ASSERT_TRUE(stream.has_value());
  EXPECT_TRUE(alice.host.service_send(*stream, as_bytes("question"), world.now));  // before it is agreed: queued
  alice.host.service_finish(*stream, world.now);
  world.run(100ms);
  ASSERT_EQ(bob.pick<ServiceOpened>().size(), 1u);
  const auto opened = bob.pick<ServiceOpened>()[0];
  EXPECT_EQ(opened.peer, alice.id());
  EXPECT_EQ(opened.direction, Direction::inbound);
  EXPECT_EQ(as_text(received_by(bob)), "question");
  EXPECT_EQ(bob.pick<ServiceRemoteFinished>().size(), 1u);
  EXPECT_TRUE(bob.host.service_send(opened.stream, as_bytes("answer"), world.now));
  bob.host.service_finish(opened.stream, world.now);
  world.run(100ms);
  EXPECT_EQ(as_text(received_by(alice)), "answer");
  ASSERT_EQ(alice.pick<ServiceGone>().size(), 1u);
  EXPECT_EQ(alice.pick<ServiceGone>()[0].reason, "");
  EXPECT_EQ(bob.pick<ServiceGone>().size(), 1u);
}

TEST_F(Services, HoldTheSenderBackUntilTheReceiverConsumed) {
  const auto stream = *alice.host.open_service(bob.id(), kEcho, world.now);
  std::size_t sent = 0;
  while (alice.host.service_send(stream, Bytes(100'000), world.now)) sent += 100'000;
  world.run(1s);
  while (alice.host.service_send(stream, Bytes(100'000), world.now)) sent += 100'000;
  world.run(1s);
  EXPECT_LE(received_by(bob).size(), 262144u);  // the window, less what agreeing on the protocol took
  EXPECT_GT(received_by(bob).size(), 262000u);
  EXPECT_LT(sent, 2'000'000u);
  std::size_t consumed = 0;
  for (int i = 0; i < 100 && consumed < sent; ++i) {
    const std::size_t size = received_by(bob).size();
    bob.host.service_consumed(bob.pick<ServiceOpened>()[0].stream, size - consumed, world.now);
    consumed = size;
    world.run(50ms);
  }
  EXPECT_EQ(consumed, sent);
  EXPECT_FALSE(alice.pick<ServiceWritable>().empty());
}

TEST_F(Services, GetALargerWindowOnceTheyCarriedMore) {
  const auto stream = *alice.host.open_service(bob.id(), kEcho, world.now);
  const auto fill = [&](StreamKey to) {
    for (int i = 0; i < 10; ++i) {
      while (alice.host.service_send(to, Bytes(50'000), world.now)) {
      }
      world.run(100ms);
    }
  };
  fill(stream);
  const std::size_t first = received_by(bob).size();
  ASSERT_LE(first, kYamuxInitialWindow);
  bob.host.service_consumed(bob.pick<ServiceOpened>()[0].stream, first, world.now);
  fill(stream);
  EXPECT_GT(received_by(bob).size() - first, std::size_t{1'000'000}) << "without another word of its receiver";
  EXPECT_LE(received_by(bob).size() - first, std::size_t{1} << 20);
}

// Half of the session's budget is for larger windows; the pubsub stream has one already.
TEST_F(Services, ShareABudgetForLargerWindows) {
  std::vector<StreamKey> streams;
  for (int i = 0; i < 8; ++i) streams.push_back(*alice.host.open_service(bob.id(), kEcho, world.now));
  std::map<StreamKey, std::size_t> received;
  std::size_t seen = 0;
  const auto fill = [&] {
    for (int i = 0; i < 10; ++i) {
      for (const auto& stream : streams) {
        while (alice.host.service_send(stream, Bytes(50'000), world.now)) {
        }
      }
      world.run(100ms);
    }
    const auto all = bob.pick<ServiceBytes>();
    for (; seen < all.size(); ++seen) received[all[seen].stream] += all[seen].bytes.size();
  };
  fill();
  for (const auto& [stream, size] : received) bob.host.service_consumed(stream, size, world.now);
  const auto before = received;
  fill();
  std::size_t large = 0;
  for (const auto& [stream, size] : received) {
    if (size - before.at(stream) > 600'000) ++large;
  }
  EXPECT_EQ(large, kCommitteeRules.receive_bytes_max / 2 / ((std::size_t{1} << 20) - kYamuxInitialWindow) - 1);
}

TEST_F(Services, ResetStreamsOfPeersThatAreNotAllowed) {
  Service members_only = echo_service();
  members_only.protocol = "/kms/test/members/1";
  members_only.allowed = {PeerClass::registered};
  alice.host.add_service(members_only, world.now);
  bob.host.add_service(members_only, world.now);
  const auto stream = alice.host.open_service(bob.id(), members_only.protocol, world.now);
  ASSERT_TRUE(stream.has_value());
  world.run(100ms);
  EXPECT_TRUE(bob.pick<ServiceOpened>().empty());
  ASSERT_EQ(alice.pick<ServiceGone>().size(), 1u);
  EXPECT_NE(alice.pick<ServiceGone>()[0].reason, "");
}

TEST_F(Services, LimitTheStreamsOfOnePeer) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(alice.host.open_service(bob.id(), kEcho, world.now).has_value());
  world.run(100ms);
  EXPECT_EQ(bob.pick<ServiceOpened>().size(), 16u);
  EXPECT_EQ(alice.pick<ServiceGone>().size(), 4u);
}

TEST_F(Services, ResetIdleStreamsAndReportTheEndOfTheConnection) {
  ASSERT_TRUE(alice.host.open_service(bob.id(), kEcho, world.now).has_value());
  world.run(61s);
  ASSERT_EQ(bob.pick<ServiceGone>().size(), 1u);
  ASSERT_TRUE(alice.host.open_service(bob.id(), kEcho, world.now).has_value());
  world.run(100ms);
  alice.host.disconnect(bob.id(), {CloseReason::requested, "test"}, world.now);
  world.run(100ms);
  EXPECT_EQ(alice.pick<ServiceGone>().size(), 2u);
  EXPECT_EQ(bob.pick<ServiceGone>().size(), 2u);
}

TEST_F(Services, AreRefusedByAPeerThatHasNone) {
  auto& carol = world.add("carol");
  world.connect(alice, carol);
  world.run(300ms);
  ASSERT_TRUE(alice.host.open_service(carol.id(), kEcho, world.now).has_value());
  world.run(100ms);
  EXPECT_EQ(alice.pick<ServiceGone>().size(), 1u);
  EXPECT_FALSE(alice.host.open_service(bob.id(), "/kms/test/unknown/1", world.now).has_value());
}

}  // namespace
}  // namespace kms::net
