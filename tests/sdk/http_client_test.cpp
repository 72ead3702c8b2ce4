#include <gtest/gtest.h>

#include "sdk/io/node_pool.h"
#include "tests/sdk/raw_server.h"

namespace kms::sdk::io {
namespace {

using tests::RawConnection;
using tests::RawServer;

HttpLimits quick() {
  HttpLimits limits;
  limits.connect = std::chrono::milliseconds(500);
  limits.answer = std::chrono::milliseconds(300);
  limits.body_bytes_max = 1000;
  limits.header_bytes_max = 2000;
  return limits;
}

std::string failure_of(std::function<void(RawConnection&)> serve) {
  RawServer server(std::move(serve));
  HttpClient client(server.url(), quick());
  auto answer = client.send({});
  return answer ? "answered with status " + std::to_string(answer->status) : answer.error().message;
}

TEST(HttpClient, SendsWhatItWasGivenAndKeepsTheConnection) {
  std::vector<std::string> requests;
  {
    RawServer server([&](RawConnection& connection) {
      for (std::string request = connection.request(); !request.empty(); request = connection.request()) {
        requests.push_back(request);
        connection.answer(200, "{\"n\":" + std::to_string(requests.size()) + "}");
      }
    });
    HttpClient client(server.url(), quick());
    auto first = client.send({"POST", "/a?b=c", "Bearer x", "{}"});
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->status, 200);
    EXPECT_EQ(first->body, "{\"n\":1}");
    auto second = client.send({"GET", "/d", "", ""});
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->body, "{\"n\":2}");
    EXPECT_EQ(server.connections(), 1);
  }
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[0].starts_with("POST /a?b=c HTTP/1.1\r\n")) << requests[0];
  EXPECT_NE(requests[0].find("Authorization: Bearer x\r\n"), std::string::npos);
  EXPECT_NE(requests[0].find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_TRUE(requests[0].ends_with("\r\n\r\n{}"));
  EXPECT_TRUE(requests[1].starts_with("GET /d HTTP/1.1\r\n"));
  EXPECT_EQ(requests[1].find("Authorization"), std::string::npos);
}

TEST(HttpClient, ReplacesAKeptConnectionThatTheNodeClosed) {
  RawServer server([](RawConnection& connection) {
    connection.request();
    connection.answer(200, "{}");
  });
  HttpClient client(server.url(), quick());
  for (int i = 0; i < 3; ++i) {
    auto answer = client.send({});
    ASSERT_TRUE(answer) << answer.error().message;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttpClient, GivesEveryStatusAsAnAnswer) {
  EXPECT_EQ(failure_of([](RawConnection& connection) {
              connection.request();
              connection.answer(503, "{}");
              connection.wait_for_end();
            }),
            "answered with status 503");
}

TEST(HttpClient, GivesUpOnASilentNodeInTime) {
  const auto before = std::chrono::steady_clock::now();
  const std::string failure = failure_of([](RawConnection& connection) { connection.wait_for_end(); });
  EXPECT_NE(failure.find("nothing within 300 ms"), std::string::npos) << failure;
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(3));
}

TEST(HttpClient, GivesUpOnADrippingNodeInTime) {
  const std::string failure = failure_of([](RawConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
    while (connection.send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  EXPECT_NE(failure.find("nothing within 300 ms"), std::string::npos) << failure;
}

TEST(HttpClient, RefusesAHugeBodyWhetherAnnouncedOrNot) {
  const std::string announced = failure_of([](RawConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
    connection.wait_for_end();
  });
  EXPECT_NE(announced.find("longer than 1000 bytes"), std::string::npos) << announced;
  const std::string endless = failure_of([](RawConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (connection.send("64\r\n" + std::string(100, 'x') + "\r\n")) continue;
  });
  EXPECT_NE(endless.find("longer than 1000 bytes"), std::string::npos) << endless;
}

TEST(HttpClient, RefusesAnEndlessHeader) {
  const std::string failure = failure_of([](RawConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\n");
    while (connection.send("X-A: " + std::string(100, 'x') + "\r\n")) continue;
  });
  EXPECT_NE(failure.find("header is longer than 2000 bytes"), std::string::npos) << failure;
}

TEST(HttpClient, NamesAnAnswerThatIsCutOffOrNoHttp) {
  const std::string cut = failure_of([](RawConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{");
  });
  EXPECT_NE(cut.find("cut off"), std::string::npos) << cut;
  const std::string closed = failure_of([](RawConnection& connection) { connection.request(); });
  EXPECT_NE(closed.find("cut off"), std::string::npos) << closed;
  const std::string garbage = failure_of([](RawConnection& connection) {
    connection.request();
    connection.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  });
  EXPECT_NE(garbage.find("cannot read the answer of http://127.0.0.1:"), std::string::npos) << garbage;
}

TEST(HttpClient, NamesTheNodeThatCannotBeReached) {
  const NodeUrl url = tests::nobody();
  HttpClient client(url, quick());
  auto answer = client.send({});
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("cannot connect to " + url.text()), std::string::npos)
      << answer.error().message;
}

TEST(NodePool, PassesOverDeadAndOverloadedNodesAndRemembersWhoAnswered) {
  RawServer busy([](RawConnection& connection) {
    while (!connection.request().empty()) connection.answer(503, "{\"error\":\"Unavailable: below quorum\"}");
  });
  RawServer good([](RawConnection& connection) {
    while (!connection.request().empty()) connection.answer(200, "{}");
  });
  NodePool pool({tests::nobody(), busy.url(), good.url()}, quick());
  for (int i = 0; i < 3; ++i) {
    auto answer = pool.send({});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->answer.status, 200);
    EXPECT_EQ(answer->node, good.url());
  }
  EXPECT_EQ(busy.connections(), 1);
}

TEST(NodePool, GivesTheRefusalIfNobodyDoesBetterAndAllFailuresIfNobodyAnswers) {
  RawServer busy([](RawConnection& connection) {
    while (!connection.request().empty()) connection.answer(429, "{\"error\":\"Overloaded: later\"}");
  });
  const NodeUrl dead = tests::nobody();
  NodePool mixed({dead, busy.url()}, quick());
  auto refusal = mixed.send({});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->answer.status, 429);
  const NodeUrl other = tests::nobody();
  NodePool none({dead, other}, quick());
  auto failure = none.send({});
  ASSERT_FALSE(failure);
  EXPECT_NE(failure.error().message.find(dead.text()), std::string::npos);
  EXPECT_NE(failure.error().message.find(other.text()), std::string::npos);
}

TEST(NodePool, AsksEachNodeAtOnceAndKeepsTheOrder) {
  RawServer silent([](RawConnection& connection) { connection.wait_for_end(); });
  RawServer good([](RawConnection& connection) {
    while (!connection.request().empty()) connection.answer(200, "{}");
  });
  RawServer silent_too([](RawConnection& connection) { connection.wait_for_end(); });
  HttpLimits limits = quick();
  limits.answer = std::chrono::milliseconds(1500);
  const auto before = std::chrono::steady_clock::now();
  auto answers = send_to_each({silent.url(), good.url(), silent_too.url()}, {}, limits);
  EXPECT_FALSE(answers[0]);
  EXPECT_TRUE(answers[1]);
  EXPECT_FALSE(answers[2]);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(2900));  // less than two time-outs
}

}  // namespace
}  // namespace kms::sdk::io
