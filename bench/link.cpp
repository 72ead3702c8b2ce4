#include <algorithm>
#include <cstdio>
#include <vector>

#include <boost/json/serialize.hpp>

#include "base/assert.h"
#include "bench/bare_link.h"
#include "bench/host_process.h"
#include "bench/output.h"

namespace kms::bench {
namespace {

constexpr std::uint64_t kBytes = 512'000'000;
constexpr int kRounds = 5;
constexpr std::size_t kPieceBytes = 128 * 1024;  // of one call of service_send
const char* const kProtocol = "/kms/bench/bytes/1";

net::HostOptions link_host_options() {
  net::HostOptions out;
  out.unlisted = net::PeerClass::committee;
  return out;
}

// Sends through one service stream of a real host, as fast as it takes bytes.
void send_through_host(Lines& parent, std::uint64_t bytes) {
  const Bytes piece(kPieceBytes, 0x5a);
  std::optional<net::StreamKey> stream;
  std::optional<net::PeerId> peer;
  bool is_over = false;
  std::uint64_t left = bytes;
  HostProcess* process = nullptr;
  const auto fill = [&] {
    while (left > 0) {
      const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()));
      if (!process->host().service_send(*stream, ByteView(piece).first(size), process->now())) return;
      left -= size;
    }
    process->host().service_finish(*stream, process->now());
  };
  HostProcess made(link_host_options(), [&](net::HostEvent& event) {
    if (auto* connected = std::get_if<net::PeerConnected>(&event)) peer = connected->peer;
    if (std::holds_alternative<net::ServiceOpened>(event)) stream = std::get<net::ServiceOpened>(event).stream;
    if (std::holds_alternative<net::ServiceWritable>(event)) fill();
    if (std::holds_alternative<net::ServiceGone>(event) || std::holds_alternative<net::PeerDisconnected>(event)) {
      is_over = true;
      process->context().stop();
    }
  });
  process = &made;
  made.host().add_service({.protocol = kProtocol}, made.now());
  made.dial(parent.hear());
  made.run_until([&] { return peer.has_value(); });
  KMS_ASSERT(made.host().open_service(*peer, kProtocol, made.now()).has_value());
  made.run_until([&] { return stream.has_value(); });
  const double began = processor_seconds();
  fill();
  while (!is_over) made.run();
  parent.say(std::to_string(processor_seconds() - began));
}

Transfer measure_host_link(std::uint64_t bytes) {
  Child child([bytes](Lines& parent) { send_through_host(parent, bytes); });
  Transfer seen;
  double began = 0, processor_began = 0;
  HostProcess* process = nullptr;
  HostProcess made(link_host_options(), [&](net::HostEvent& event) {
    if (auto* received = std::get_if<net::ServiceBytes>(&event)) {
      if (seen.bytes == 0) {
        began = clock_seconds();
        processor_began = processor_seconds();
      }
      KMS_ASSERT(received->bytes.front() == 0x5a && received->bytes.back() == 0x5a);
      seen.bytes += received->bytes.size();
      process->host().service_consumed(received->stream, received->bytes.size(), process->now());
    } else if (auto* finished = std::get_if<net::ServiceRemoteFinished>(&event)) {
      seen.seconds = clock_seconds() - began;
      seen.receiver_seconds = processor_seconds() - processor_began;
      process->host().service_finish(finished->stream, process->now());
    } else if (std::holds_alternative<net::PeerDisconnected>(event)) {
      process->context().stop();
    }
  });
  process = &made;
  made.host().add_service({.protocol = kProtocol}, made.now());
  child.lines().say(made.address());
  made.run();
  KMS_ASSERT(seen.bytes == bytes);
  seen.sender_seconds = std::stod(child.lines().hear());
  return seen;
}

Transfer median(std::vector<Transfer> transfers) {
  std::sort(transfers.begin(), transfers.end(),
            [](const Transfer& a, const Transfer& b) { return a.seconds < b.seconds; });
  return transfers[transfers.size() / 2];
}

boost::json::object to_json(const Transfer& transfer) {
  return {{"megabytesPerSecond", transfer.megabytes_per_second()},
          {"senderProcessorSeconds", transfer.sender_seconds},
          {"receiverProcessorSeconds", transfer.receiver_seconds}};
}

void print(const char* name, const Transfer& transfer) {
  std::printf("%-34s  %8.0f  %8.2f  %8.2f  %8.2f\n", name, transfer.megabytes_per_second(), transfer.seconds,
              transfer.sender_seconds, transfer.receiver_seconds);
}

}  // namespace

void run_link(Output output) {
  // Turn by turn, so that what else the machine does meets both.
  std::vector<Transfer> bare, host;
  for (int i = 0; i < kRounds; ++i) {
    bare.push_back(measure_bare_link(kBytes));
    host.push_back(measure_host_link(kBytes));
  }
  const Transfer bare_median = median(bare), host_median = median(host);
  const double ratio = host_median.megabytes_per_second() / bare_median.megabytes_per_second();
  if (output == Output::json) {
    const boost::json::object document{
        {"bytes", kBytes}, {"bare", to_json(bare_median)}, {"link", to_json(host_median)}, {"ratio", ratio}};
    std::printf("%s\n", boost::json::serialize(document).c_str());
    return;
  }
  std::printf("%llu MB over loopback, two processes, median of %d rounds\n",
              static_cast<unsigned long long>(kBytes / 1'000'000), kRounds);
  std::printf("%-34s  %8s  %8s  %8s  %8s\n", "", "MB/s", "s", "CPU send", "CPU recv");
  print("bare seal-send, receive-open", bare_median);
  print("one stream of a Host over TcpHost", host_median);
  std::printf("%-34s  %8.2f\n", "ratio", ratio);
}

}  // namespace kms::bench
