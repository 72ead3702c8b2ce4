// docs/API.md is what clients rely on: every example there has the members that a real node's answer has.
#include <fstream>
#include <sstream>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "tests/sim/node_machine.h"

namespace kms::sim {
namespace {

namespace json = boost::json;

// The indented blocks under a heading, each parsed as JSON; a block that starts with a member name gets braces.
std::vector<json::value> examples(std::string_view heading) {
  std::ifstream file(KMS_SOURCE_DIR "/docs/API.md");
  std::vector<json::value> out;
  std::string block;
  bool inside = false;
  auto close = [&] {
    if (!block.empty() && block.front() != '{') block.insert(0, 1, '{').push_back('}');
    if (!block.empty()) out.push_back(json::parse(block));
    block.clear();
  };
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) {
      close();
      inside = std::string_view(line).substr(3) == heading;
    } else if (inside && line.starts_with("    ")) {
      block += line.substr(4);
    } else {
      close();
    }
  }
  close();
  return out;
}

// Where the shapes differ, as a path; empty if they agree. Of arrays the first elements are compared.
std::string difference(const json::value& documented, const json::value& real, const std::string& path = "") {
  if (documented.is_array() && real.is_array()) {
    if (documented.as_array().empty() || real.as_array().empty()) return "";
    return difference(documented.as_array()[0], real.as_array()[0], path + "[0]");
  }
  if (documented.is_object() != real.is_object() || documented.is_string() != real.is_string() ||
      documented.is_bool() != real.is_bool() || documented.is_number() != real.is_number()) {
    return std::string(path).append(": another kind of value");
  }
  if (!documented.is_object()) return "";
  for (const auto& [name, value] : documented.as_object()) {
    const json::value* found = real.as_object().if_contains(name);
    if (found == nullptr) return std::string(path).append(".").append(name).append(": documented, not answered");
    if (auto wrong = difference(value, *found, std::string(path).append(".").append(name)); !wrong.empty())
      return wrong;
  }
  for (const auto& [name, value] : real.as_object()) {
    if (!documented.as_object().contains(name))
      return std::string(path).append(".").append(name).append(": answered, not documented");
  }
  return "";
}

struct ApiDoc : testing::Test {
  ApiDoc() : network(5, 3, 77), world(schedule(), 77, network.boot()) {
    world.run([&] {
      for (std::size_t i = 1; i <= 5; ++i) {
        if (node(i) == nullptr || !node(i)->core().serving(NodeNetwork::kChain)) return false;
      }
      return true;
    });
  }
  static Schedule schedule() {
    Schedule out;
    out.members = 5;
    return out;
  }
  NodeMachine* node(std::size_t member) { return static_cast<NodeMachine*>(world.machine(member)); }
  node::HttpResponse ask(const std::string& path, const std::string& method = "GET") {
    const node::HttpRequestId id = ++last_id;
    node::HttpRequest request;
    request.method = method;
    request.target = path;
    node(1)->ask(id, std::move(request));
    world.run([&] { return node(1)->answers().contains(id); });
    return node(1)->answers().at(id);
  }
  json::value body(const std::string& path) { return json::parse(ask(path).body); }

  NodeNetwork network;
  World world;
  node::HttpRequestId last_id = 0;
};

TEST_F(ApiDoc, KeysAreAsDocumented) {
  auto documented = examples("GET /v1/keys and /v1/keys/{keyId}");
  ASSERT_EQ(documented.size(), 2u);
  const json::value keys = body("/v1/keys");
  EXPECT_EQ(difference(documented[0], keys), "");
  json::object one = documented[0].at("keys").at(0).as_object();
  for (const auto& [name, value] : documented[1].as_object()) one[name] = value;
  const std::string id(keys.at("keys").at(0).at("keyId").as_string());
  EXPECT_EQ(difference(one, body("/v1/keys/" + id)), "");
  EXPECT_EQ(ask("/v1/keys/0x00").status, 404);
}

TEST_F(ApiDoc, TheNetworkIsAsDocumented) {
  auto documented = examples("GET /v1/network");
  ASSERT_EQ(documented.size(), 1u);
  json::value network_view = body("/v1/network");
  // Links of the simulator have no address, and the documented member is one that is connected.
  json::object member = documented[0].at("members").at(0).as_object();
  for (const json::value& each : network_view.at("members").as_array()) {
    if (each.at("self").as_bool() || !each.at("connected").as_bool()) continue;
    json::object real = each.as_object();
    real["roundTripMs"] = 0.1;
    EXPECT_EQ(difference(member, real), "");
  }
  network_view.as_object()["members"] = json::array();
  EXPECT_EQ(difference(documented[0], network_view), "");
}

TEST_F(ApiDoc, ReadinessIsAsDocumented) {
  auto documented = examples("GET /ready");
  ASSERT_EQ(documented.size(), 1u);
  EXPECT_EQ(ask("/ready").status, 200);
  EXPECT_EQ(difference(documented[0], body("/ready")), "");
}

TEST_F(ApiDoc, RoutesAndMethodsAreAsDocumented) {
  EXPECT_EQ(ask("/health").body, R"({"status":"ok"})");
  EXPECT_EQ(ask("/").status, 200);
  EXPECT_EQ(ask("/", "HEAD").body, "");
  EXPECT_EQ(ask("/nothing").status, 404);
  EXPECT_EQ(ask("/v0/delegate").status, 405);
  EXPECT_EQ(ask("/v1/keys", "POST").status, 405);
  EXPECT_EQ(ask("/v0/public-key").status, 400);
  EXPECT_EQ(ask("/v0/public-key?chain_id=1").status, 404);
  auto key = json::parse(ask("/v0/public-key?chain_id=31337").body);
  EXPECT_EQ(key.at("publicKey").as_string().size(), 68u);
}

}  // namespace
}  // namespace kms::sim
