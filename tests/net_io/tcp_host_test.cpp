// Real sockets on 127.0.0.1.
#include "net/io/tcp_host.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "base/io/os_entropy.h"
#include "base/io/system_clock.h"

namespace kms::net::io {
namespace {

namespace asio = boost::asio;
using kms::io::system_now;

struct Node {
  Node(asio::io_context& context, kms::io::OsEntropy& entropy, HostOptions host = open_options())
      : identity(Identity::generate(entropy)),
        tcp(context, identity, options_with(std::move(host)), entropy, [this](std::vector<HostEvent>&& batch) {
          for (auto& event : batch) {
            if (const auto* delivery = std::get_if<PubsubDelivery>(&event)) {
              tcp.host().validated(delivery->id, Verdict::accept, system_now());
            }
            events.push_back(std::move(event));
          }
        }) {}
  static HostOptions open_options() {
    HostOptions options;
    options.router.topics.allows_all = true;
    options.unlisted = PeerClass::committee;
    return options;
  }
  static TcpHostOptions options_with(HostOptions host) {
    return {std::move(host), {*Multiaddr::parse_text("/ip4/127.0.0.1/tcp/0")}, {}};
  }
  Multiaddr address() const { return tcp.listen_addresses().at(0).with_peer_id(identity.peer_id()); }
  template <class Event>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [](const HostEvent& event) { return std::holds_alternative<Event>(event); }));
  }

  Identity identity;
  std::vector<HostEvent> events;
  TcpHost tcp;
};

struct TcpHosts : testing::Test {
  // Runs the loop until it holds, for at most five seconds.
  template <class Condition>
  bool run_until(Condition&& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (context.stopped()) context.restart();
      context.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  asio::io_context context{1};
  kms::io::OsEntropy entropy;
};

TEST_F(TcpHosts, ConnectIdentifyAndExchangeMessagesOfAMegabyte) {
  Node alice(context, entropy), bob(context, entropy);
  ASSERT_TRUE(bob.tcp.host().subscribe("t", system_now()).has_value());
  ASSERT_TRUE(alice.tcp.host().set_peers({bob.address()}, system_now()).has_value());
  ASSERT_TRUE(run_until([&] { return alice.tcp.view().router().subscribers("t").size() == 1; }));
  EXPECT_EQ(bob.count<PeerIdentified>(), 1u);
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(alice.tcp.host().publish("t", Bytes(1'000'000), system_now()).has_value());
  }
  EXPECT_TRUE(run_until([&] { return bob.count<PubsubDelivery>() == 6; }));
}

TEST_F(TcpHosts, ReconnectAfterTheOtherEndRestarts) {
  Node alice(context, entropy);
  auto bob = std::make_unique<Node>(context, entropy);
  ASSERT_TRUE(bob->tcp.host().set_peers({alice.address()}, system_now()).has_value());
  ASSERT_TRUE(run_until([&] { return alice.count<PeerConnected>() == 1; }));
  bob.reset();
  ASSERT_TRUE(run_until([&] { return alice.count<PeerDisconnected>() == 1; }));
  bob = std::make_unique<Node>(context, entropy);
  ASSERT_TRUE(bob->tcp.host().set_peers({alice.address()}, system_now()).has_value());
  EXPECT_TRUE(run_until([&] { return alice.count<PeerConnected>() == 2; }));
}

TEST_F(TcpHosts, StopWithAGoAwayAndReportIt) {
  Node alice(context, entropy), bob(context, entropy);
  ASSERT_TRUE(alice.tcp.host().set_peers({bob.address()}, system_now()).has_value());
  ASSERT_TRUE(run_until([&] { return bob.count<PeerIdentified>() == 1 && alice.count<PeerIdentified>() == 1; }));
  bool stopped = false;
  alice.tcp.stop([&] { stopped = true; });
  EXPECT_TRUE(run_until([&] { return stopped && bob.count<PeerDisconnected>() == 1; }));
  for (const auto& event : bob.events) {
    const auto* gone = std::get_if<PeerDisconnected>(&event);
    if (gone == nullptr) continue;
    EXPECT_NE(gone->cause.text.find("GOAWAY"), std::string::npos) << gone->cause.text;
  }
}

TEST_F(TcpHosts, CloseSocketsThatTalkGarbageAndServeOnTheOthers) {
  Node alice(context, entropy), bob(context, entropy);
  asio::ip::tcp::socket stranger(context);
  const auto target = *tcp_target_of(alice.tcp.listen_addresses().at(0));
  stranger.connect({asio::ip::make_address(target.host), target.port});
  const std::string garbage = "GET / HTTP/1.1\r\n\r\n" + std::string(100'000, 'x');
  boost::system::error_code ignored;
  asio::write(stranger, asio::buffer(garbage), ignored);
  ASSERT_TRUE(run_until([&] { return alice.count<ConnectionClosed>() == 1; }));
  for (const auto& event : alice.events) {
    const auto* closed = std::get_if<ConnectionClosed>(&event);
    if (closed == nullptr) continue;
    EXPECT_EQ(closed->cause.reason, CloseReason::security_failed) << closed->cause.text;
  }
  ASSERT_TRUE(bob.tcp.host().set_peers({alice.address()}, system_now()).has_value());
  EXPECT_TRUE(run_until([&] { return alice.count<PeerConnected>() == 1; }));
}

TEST_F(TcpHosts, ReportARefusedDial) {
  Node alice(context, entropy);
  auto bob = std::make_unique<Node>(context, entropy);
  const auto address = bob->address();
  bob.reset();
  context.restart();
  context.poll();
  ASSERT_TRUE(alice.tcp.host().dial(address, system_now()).has_value());
  ASSERT_TRUE(run_until([&] { return alice.count<ConnectionClosed>() == 1; }));
  EXPECT_EQ(std::get<ConnectionClosed>(alice.events.at(0)).cause.reason, CloseReason::dial_failed);
}

// A connect through a name is an operation of several steps that looks at its socket when it is cancelled; valgrind and
// the sanitizers see it look at one that is gone.
TEST_F(TcpHosts, MayEndWhileADialThroughANameConnects) {
  asio::ip::tcp::acceptor full(context);
  full.open(asio::ip::tcp::v4());
  full.bind({asio::ip::address_v4::loopback(), 0});
  full.listen(0);
  // Connections that nobody accepts fill the queue; further ones wait.
  std::vector<asio::ip::tcp::socket> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.emplace_back(context).async_connect(full.local_endpoint(), [](const boost::system::error_code&) {});
  }
  context.run_for(std::chrono::milliseconds(100));
  context.restart();
  auto alice = std::make_unique<Node>(context, entropy);
  const Identity bob = Identity::generate(entropy);
  const auto address = Multiaddr::parse_text("/dns4/localhost/tcp/" + std::to_string(full.local_endpoint().port()))
                           ->with_peer_id(bob.peer_id());
  ASSERT_TRUE(alice->tcp.host().dial(address, system_now()).has_value());
  context.run_for(std::chrono::milliseconds(300));
  EXPECT_EQ(alice->count<ConnectionClosed>(), 0u) << "the dial waits";
  alice.reset();
  for (auto& filler : fillers) filler.close();
  context.restart();
  context.run_for(std::chrono::milliseconds(100));
}

TEST_F(TcpHosts, NamesTheAddressThatIsTaken) {
  Node alice(context, entropy);
  const Identity other = Identity::generate(entropy);
  TcpHostOptions options{{}, {alice.tcp.listen_addresses().at(0)}, {}};
  try {
    TcpHost second(context, other, options, entropy, nullptr);
    FAIL() << "listened twice on one port";
  } catch (const std::runtime_error& failed) {
    EXPECT_NE(std::string(failed.what()).find(alice.tcp.listen_addresses().at(0).text()), std::string::npos);
  }
}

TEST_F(TcpHosts, SleepWhenNothingHappens) {
  Node alice(context, entropy), bob(context, entropy);
  ASSERT_TRUE(alice.tcp.host().set_peers({bob.address()}, system_now()).has_value());
  ASSERT_TRUE(run_until([&] { return bob.count<PeerIdentified>() == 1 && alice.count<PeerIdentified>() == 1; }));
  std::size_t turns = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < end) turns += context.run_one_for(std::chrono::milliseconds(100));
  EXPECT_LT(turns, 200u);  // two hosts, a heartbeat each 700 ms
}

TEST_F(TcpHosts, ATakenPortIsNamedWithTheRemedy) {
  Node alice(context, entropy);
  const auto taken = alice.tcp.listen_addresses().at(0);
  Identity identity = Identity::generate(entropy);
  std::string said;
  try {
    TcpHost second(context, identity, {Node::open_options(), {taken}, {}}, entropy, [](std::vector<HostEvent>&&) {});
  } catch (const std::runtime_error& refused) {
    said = refused.what();
  }
  const std::string port = std::to_string(tcp_target_of(taken)->port);
  EXPECT_NE(said.find("TCP port " + port), std::string::npos) << said;
  EXPECT_NE(said.find("ss -ltnp"), std::string::npos) << said;
}

}  // namespace
}  // namespace kms::net::io
