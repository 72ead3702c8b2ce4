#include "node/v0_api.h"

#include <gtest/gtest.h>

namespace kms::node {
namespace {

const std::set<std::uint64_t> kChains{31337};

HttpRequest valid() {
  HttpRequest request;
  request.method = "POST";
  request.target = "/v0/delegate?chain_id=31337&salt=0x" + std::string(64, '5');
  request.content_type = "application/json; charset=utf-8";
  request.authorization = "Bearer 0x" + std::string(130, 'a');
  request.body = R"({"ephemeralPubKey":"0x02AB","targetPubKey":"3082","more":1})";
  return request;
}

std::variant<V0Request, HttpResponse> parse(const HttpRequest& request) {
  return parse_v0_delegate(request, parse_target(request.target), kChains);
}

// Status of a request that differs from a valid one as `change` makes it.
template <class Change>
int status_of(Change change) {
  HttpRequest request = valid();
  change(request);
  auto parsed = parse(request);
  return std::holds_alternative<HttpResponse>(parsed) ? std::get<HttpResponse>(parsed).status : 200;
}

TEST(V0Api, KeepsTheKeyStringsExactlyAsSent) {
  auto parsed = parse(valid());
  ASSERT_TRUE(std::holds_alternative<V0Request>(parsed));
  const auto& request = std::get<V0Request>(parsed);
  EXPECT_EQ(request.authorisation.ephemeral_pub_key, "0x02AB");
  EXPECT_EQ(request.authorisation.target_pub_key, "3082");
  EXPECT_EQ(request.authorisation.chain_id, 31337u);
  EXPECT_EQ(request.salt[0], 0x55);
}

TEST(V0Api, AnswersEachFaultWithItsStatus) {
  EXPECT_EQ(status_of([](HttpRequest&) {}), 200);
  auto target = [](std::string query) {
    return [query](HttpRequest& request) { request.target = "/v0/delegate?" + query; };
  };
  const std::string salt = "salt=" + std::string(64, '5');
  EXPECT_EQ(status_of(target(salt)), 400);
  EXPECT_EQ(status_of(target("chain_id=31337")), 400);
  EXPECT_EQ(status_of(target("chain_id=4294967296&" + salt)), 400);
  EXPECT_EQ(status_of(target("chain_id=-1&" + salt)), 400);
  EXPECT_EQ(status_of(target("chain_id=31337x&" + salt)), 400);
  EXPECT_EQ(status_of(target("chain_id=1&" + salt)), 400);
  EXPECT_EQ(status_of(target("chain_id=31337&salt=0x55")), 400);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.content_type = "text/plain"; }), 415);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.content_type.clear(); }), 415);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.body = "{"; }), 400);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.body = std::string(100000, '['); }), 400);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.body = "[]"; }), 422);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.body = R"({"ephemeralPubKey":"a"})"; }), 422);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.body = R"({"ephemeralPubKey":1,"targetPubKey":"a"})"; }), 422);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.authorization.clear(); }), 401);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.authorization = "Basic 0x00"; }), 401);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.authorization = "Bearer " + std::string(130, 'a'); }), 401);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.authorization = "Bearer 0x" + std::string(128, 'a'); }), 401);
  EXPECT_EQ(status_of([](HttpRequest& request) { request.authorization = "Bearer 0x" + std::string(130, 'z'); }), 401);
}

TEST(V0Api, ChecksInTheOrderOfTheReference) {
  // Everything wrong at once: the query answers first, then the content type, the body, the chain, the header.
  HttpRequest request = valid();
  request.target = "/v0/delegate";
  request.content_type = "text/plain";
  request.body = "{";
  request.authorization.clear();
  EXPECT_EQ(std::get<HttpResponse>(parse(request)).status, 400);
  request.target = "/v0/delegate?chain_id=1&salt=zz";
  EXPECT_EQ(std::get<HttpResponse>(parse(request)).status, 415);
  request.content_type = "application/json";
  EXPECT_NE(std::get<HttpResponse>(parse(request)).body.find("JSON"), std::string::npos);
  request.body = valid().body;
  EXPECT_NE(std::get<HttpResponse>(parse(request)).body.find("chain_id 1 is not served"), std::string::npos);
  request.target = "/v0/delegate?chain_id=31337&salt=zz";
  EXPECT_NE(std::get<HttpResponse>(parse(request)).body.find("salt"), std::string::npos);
}

TEST(Target, DecodesTheQueryAndKeepsBadEscapes) {
  Target target = parse_target("/p?a=%30x&b=1+2&c=%zz&d");
  EXPECT_EQ(target.path, "/p");
  EXPECT_EQ(*target.parameter("a"), "0x");
  EXPECT_EQ(*target.parameter("b"), "1 2");
  EXPECT_EQ(*target.parameter("c"), "%zz");
  EXPECT_EQ(*target.parameter("d"), "");
  EXPECT_EQ(target.parameter("e"), nullptr);
}

TEST(Target, MayNameTheHost) {
  Target target = parse_target("http://127.0.0.1:9000/v0/delegate?salt=1");
  EXPECT_EQ(target.path, "/v0/delegate");
  EXPECT_EQ(*target.parameter("salt"), "1");
  EXPECT_EQ(parse_target("https://host").path, "/");
  EXPECT_EQ(parse_target("http://host?a=b").path, "/");
  EXPECT_EQ(*parse_target("http://host?a=b").parameter("a"), "b");
}

TEST(Errors, StayUtf8WhateverWasSent) {
  EXPECT_EQ(json_error(404, "Not found", "no route /\xff").body, "{\"error\":\"Not found: no route /?\"}");
  EXPECT_EQ(text_error(400, "\xc3").body, "?");
}

TEST(Errors, AreJsonThatNoTextCanBreak) {
  HttpResponse response = json_error(400, "Kind", "a \"quote\" and \n a line");
  EXPECT_EQ(response.body, R"({"error":"Kind: a \"quote\" and \n a line"})");
}

}  // namespace
}  // namespace kms::node
