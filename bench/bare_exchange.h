// What any server of requests over TCP pays at least: an epoll loop that reads so many bytes from each connection that
// is ready and writes so many back, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kms::bench {

struct ExchangeCost {
  std::uint64_t exchanges = 0;
  double server_seconds = 0;  // of the processor, user and system
  double microseconds() const { return exchanges == 0 ? 0 : server_seconds * 1e6 / static_cast<double>(exchanges); }
};

struct ExchangePlan {
  std::size_t request_bytes = 0, response_bytes = 0;
  std::size_t connections = 32;  // a closed loop on each
  double seconds = 2;
};
// Forks the server; make it before threads.
ExchangeCost measure_bare_exchange(const ExchangePlan& plan);

}  // namespace kms::bench
