// Orders on the command line, and what their answers look like.
#include <gtest/gtest.h>

#include "cli/ceremony_list.h"
#include "cli/command_line.h"

namespace kms::cli {
namespace {

template <std::size_t N>
std::variant<CommandLine, Help, Failure> parsed(const char* const (&line)[N]) {
  return parse_command_line(static_cast<int>(N), line);
}

Order order_of(std::variant<CommandLine, Help, Failure> line) {
  return std::get<Order>(std::get<CommandLine>(line).command);
}

sdk::HttpAnswer said(int status, std::string body) {
  return {status, std::move(body)};
}

constexpr const char* kState = R"j({"epoch":1,"approvals":[{"epoch":2,"file":"0xaa","threshold":4,
  "notAfter":"2026-01-01T00:00:00.000Z","by":["node-2 (0x02)"]}],
  "repairs":[{"member":"node-4 (0x04)","by":["node-1 (0x01)"],"needed":4}],
  "ceremonies":[{"epoch":2,"kind":"reshare","phase":"closed","threshold":4,"memberCount":7,
    "summary":"waiting for approvals: 1 of 5","awaited":["node-1 (0x01)"],
    "blame":[{"member":"node-3 (0x03)","text":"dealt a wrong share to node-1 (0x01)","evidence":"0x8b"}]}]})j";

TEST(Orders, ReshareApprovesAFileAndWaits) {
  const auto order = order_of(parsed({"kmsctl", "reshare", "--socket", "a.sock", "--socket", "b.sock", "next.toml"}));
  EXPECT_EQ(order.what, "approve");
  EXPECT_EQ(order.file, "next.toml");
  EXPECT_EQ(order.sockets, (std::vector<std::string>{"a.sock", "b.sock"}));
  EXPECT_GT(order.wait_seconds, 0u);
}

TEST(Orders, ApproveDoesNotWait) {
  const auto order = order_of(parsed({"kmsctl", "approve", "--socket", "a.sock", "--valid-hours", "48", "next.toml"}));
  EXPECT_EQ(order.wait_seconds, 0u);
  EXPECT_EQ(order.valid_hours, 48u);
}

TEST(Orders, RepairNamesTheMember) {
  const auto order = order_of(parsed({"kmsctl", "repair", "--testnet", "t.json", "--node-index", "2", "node-3"}));
  EXPECT_EQ(order.member, "node-3");
  EXPECT_EQ(order.nodes, std::vector<std::uint32_t>{2});
}

TEST(Orders, AnApprovalWithoutAFileIsAWrongCommandLine) {
  const auto line = parsed({"kmsctl", "approve", "--socket", "a.sock"});
  ASSERT_TRUE(std::holds_alternative<Failure>(line));
  EXPECT_EQ(std::get<Failure>(line).exit, Exit::usage);
}

TEST(Orders, TheHelpOfEachShowsAnExample) {
  for (const char* command : {"approve", "reshare", "refresh", "repair", "start", "ceremonies"}) {
    const auto line = parsed({"kmsctl", command, "--help"});
    ASSERT_TRUE(std::holds_alternative<Help>(line)) << command;
    EXPECT_NE(std::get<Help>(line).text.find(std::string("kmsctl ") + command + " --"), std::string::npos) << command;
  }
}

TEST(CeremonyList, ShowsWhoIsAwaitedWhoApprovedAndWhoCheated) {
  const auto list = ceremonies_in("http://n", Result<sdk::HttpAnswer>(said(200, kState)));
  EXPECT_EQ(epoch_in(list), 1u);
  const auto report = ceremonies_report({list});
  EXPECT_EQ(report.exit, Exit::ok);
  for (const char* part : {"4 of 7", "waiting for approvals: 1 of 5", "node-2 approved file 0xaa",
                           "repair of node-4 (0x04): 1 of 4 approvals",
                           "node-3 (0x03) dealt a wrong share to node-1 (0x01); evidence 0x8b"}) {
    EXPECT_NE(report.text.find(part), std::string::npos) << part << "\n" << report.text;
  }
}

TEST(CeremonyList, ARefusedOrderIsAFailureWithTheNodesReason) {
  const auto accepted =
      ordered_in("a.sock", Result<sdk::HttpAnswer>(said(200, std::string(R"({"state":)") + kState + "}")));
  const auto refused = ordered_in("b.sock", Result<sdk::HttpAnswer>(said(409, R"({"error":"Refused: no key yet"})")));
  const auto report = orders_report("refresh", {accepted, refused});
  EXPECT_EQ(report.exit, Exit::failed);
  EXPECT_NE(report.text.find("no key yet"), std::string::npos);
  EXPECT_EQ(report.json.at("accepted").as_uint64(), 1u);
}

TEST(CeremonyList, WhatIsNoListIsSaid) {
  const auto list = ceremonies_in("http://n", Result<sdk::HttpAnswer>(said(200, "{}")));
  EXPECT_NE(list.fault.find("is this a kms-node"), std::string::npos);
  EXPECT_FALSE(epoch_in(list).has_value());
}

}  // namespace
}  // namespace kms::cli
