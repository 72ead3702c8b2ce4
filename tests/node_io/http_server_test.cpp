// The HTTP server against clients that are slow, rude or gone.
#include "node/io/http_server.h"

#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "node/io/client_group.h"

namespace kms::node::io {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

// Answers every request with its method and body, except /never.
struct Echo : testing::Test {
  Echo() {
    HttpLimits limits;
    limits.connections_max = 8;
    limits.header_bytes_max = 2048;
    limits.body_bytes_max = 4096;
    limits.small_body_bytes = 1000;
    limits.large_bodies_bytes = 6000;
    limits.idle = std::chrono::milliseconds(400);
    limits.receive = std::chrono::milliseconds(300);
    limits.answer = std::chrono::milliseconds(300);
    limits.streams_max = 2;
    limits.stream_interval = std::chrono::milliseconds(20);
    server.emplace(context, "127.0.0.1", 0, limits, [this](HttpRequestId id, HttpRequest&& request) {
      if (request.target == "/never") return;
      if (request.target == "/stream") {
        return server->stream(id, [count = 0]() mutable { return std::to_string(++count) + "\n"; });
      }
      server->respond(id, {200, "text/plain", request.method + " " + request.body, {}});
    });
    thread = std::thread([this] { context.run(); });
  }
  ~Echo() override {
    asio::post(context, [this] { server->stop(); });
    thread.join();
  }

  tcp::socket connect() {
    tcp::socket socket(client_context);
    socket.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), server->port()));
    return socket;
  }
  static void send(tcp::socket& socket, std::string_view text) {
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(text), ignored);
  }
  // Everything until the server closes.
  static std::string read_all(tcp::socket& socket) {
    std::string out;
    boost::system::error_code ignored;
    asio::read(socket, asio::dynamic_buffer(out), ignored);
    return out;
  }
  std::string talk(std::string_view request) {
    tcp::socket socket = connect();
    send(socket, request);
    return read_all(socket);
  }

  asio::io_context context{1};
  asio::io_context client_context{1};
  std::optional<HttpServer> server;
  std::thread thread;
};

TEST_F(Echo, AnswersAndKeepsTheConnection) {
  tcp::socket socket = connect();
  send(socket,
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
       "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string both = read_all(socket);
  EXPECT_NE(both.find("POST hi"), std::string::npos) << both;
  EXPECT_NE(both.find("GET "), std::string::npos) << both;
}

TEST_F(Echo, RefusesBodiesOverTheLimitWith413) {
  EXPECT_NE(talk("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n").find(" 413 "), std::string::npos);
  std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  chunked += "1400\r\n" + std::string(0x1400, 'a') + "\r\n0\r\n\r\n";
  EXPECT_NE(talk(chunked).find(" 413 "), std::string::npos);
}

TEST_F(Echo, LargeBodiesShareTheMemoryAndSmallOnesAlwaysFit) {
  const std::string close = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  const std::string large = close + "Content-Length: 3000\r\n\r\n" + std::string(3000, 'a');
  tcp::socket slow = connect();
  send(slow, close + "Content-Length: 4000\r\n\r\nabc");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_NE(talk(large).find(" 503 "), std::string::npos);
  EXPECT_NE(talk(close + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n").find(" 503 "), std::string::npos);
  EXPECT_NE(talk(close + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'a')).find(" 200 "), std::string::npos);
  EXPECT_EQ(read_all(slow), "");
  EXPECT_NE(talk(large).find(" 200 "), std::string::npos);
  EXPECT_NE(talk(large).find(" 200 "), std::string::npos);
}

TEST_F(Echo, RefusesHeadersOverTheLimitWith431) {
  EXPECT_NE(talk("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(4000, 'a') + "\r\n\r\n").find(" 431 "),
            std::string::npos);
}

TEST_F(Echo, RefusesGarbageWith400) {
  EXPECT_NE(talk("\x16\x03\x01 what is this\r\n\r\n").find(" 400 "), std::string::npos);
}

TEST_F(Echo, ClosesOnRequestsThatDoNotArriveInTime) {
  EXPECT_EQ(talk("GET / HTTP/1.1\r\nHost: "), "");
  EXPECT_EQ(talk("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"), "");
}

TEST_F(Echo, ClosesIdleConnections) {
  EXPECT_EQ(talk(""), "");
}

TEST_F(Echo, AnswersInTimeAlsoWhenNobodyElseDoes) {
  std::string answer = talk("GET /never HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find(" 503 "), std::string::npos) << answer;
}

TEST_F(Echo, ClosesConnectionsOverTheLimitAndServesAgainLater) {
  std::vector<tcp::socket> held;
  for (int i = 0; i < 8; ++i) held.push_back(connect());
  EXPECT_EQ(talk("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "");
  held.clear();
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) {
    answer = talk("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    if (answer.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_NE(answer.find(" 200 "), std::string::npos);
}

TEST_F(Echo, StreamsUntilTheClientGoesAndOnlyToSoManyAtOnce) {
  const auto read_until = [](tcp::socket& socket, std::string_view mark) {
    std::string out;
    boost::system::error_code failure;
    asio::read_until(socket, asio::dynamic_buffer(out), mark, failure);
    return failure ? "closed after: " + out : out;
  };
  {
    auto first = connect(), second = connect();
    for (auto* socket : {&first, &second}) send(*socket, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    for (auto* socket : {&first, &second}) {
      const auto text = read_until(*socket, "30\n");  // far beyond limits.answer
      EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")) << text;
      EXPECT_NE(text.find("\r\n\r\n1\n2\n3\n"), std::string::npos) << text;
    }
    auto third = connect();
    send(third, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(read_until(third, "listen to events").starts_with("HTTP/1.1 503 "));
  }
  // Those that are gone make room.
  for (int tries = 0; tries < 100; ++tries) {
    auto again = connect();
    send(again, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    if (read_until(again, "\n").starts_with("HTTP/1.1 200 ")) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL() << "the streams of clients that left still count";
}

TEST_F(Echo, SurvivesClientsThatLeaveBeforeTheAnswer) {
  for (int i = 0; i < 20; ++i) {
    tcp::socket socket = connect();
    send(socket, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.close();
  }
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) {
    answer = talk("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    if (answer.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_NE(answer.find(" 200 "), std::string::npos);
}

// A store that cannot save throws where a request is handled: the process must end, not the connection alone.
TEST(HttpServer, AnExceptionOfTheHandlerLeavesTheEventLoop) {
  asio::io_context context{1};
  HttpServer server(context, "127.0.0.1", 0, {},
                    [](HttpRequestId, HttpRequest&&) { throw std::runtime_error("cannot save"); });
  asio::io_context client_context{1};
  tcp::socket socket(client_context);
  socket.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), server.port()));
  asio::write(socket, asio::buffer(std::string_view("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  EXPECT_THROW(context.run_for(std::chrono::seconds(5)), std::runtime_error);
}

TEST(ClientGroup, IsAnAddressOfIpv4AndASlash64OfIpv6) {
  const auto group = [](const char* text) { return client_group(asio::ip::make_address(text)); };
  EXPECT_EQ(group("192.0.2.1"), asio::ip::make_address("192.0.2.1"));
  EXPECT_NE(group("192.0.2.1"), group("192.0.2.2"));
  EXPECT_EQ(group("2001:db8:1:2::1"), group("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(group("2001:db8:1:2::1"), group("2001:db8:1:3::1"));
  EXPECT_EQ(group("::ffff:192.0.2.1"), group("192.0.2.1"));
  EXPECT_NE(group("::ffff:192.0.2.1"), group("::ffff:192.0.2.2"));
}

}  // namespace
}  // namespace kms::node::io
