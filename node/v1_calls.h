// HTTP requests of v1 that wait for their delegations: which ticket fills which place of which answer.
#pragma once

#include <map>

#include "node/node_core.h"
#include "node/v1_api.h"

namespace kms::node {

class V1Calls {
 public:
  // Tickets from here on are ours; those below are HTTP requests of v0.
  static constexpr delegation::Ticket kFirstTicket = delegation::Ticket{1} << 63;

  enum class Shape : std::uint8_t { list, one };  // {"results": [..]}, or the result itself with its partials
  using CallId = std::uint64_t;

  // `results` at least 1.
  CallId open(HttpRequestId request, std::size_t results, Shape shape);
  // A ticket for one place of a call; `key`: what is asked, for results of form A.
  delegation::Ticket ticket(CallId call, std::size_t place, delegation::ServingKeyPtr key);
  // The answer, once it is complete.
  std::optional<HttpReply> fill(CallId call, std::size_t place, boost::json::object result);
  std::optional<HttpReply> fill(delegation::Reply&& reply);

 private:
  struct Call {
    HttpRequestId request = 0;
    Shape shape = Shape::list;
    std::vector<boost::json::object> results;
    std::size_t missing = 0;
  };
  struct Place {
    CallId call = 0;
    std::size_t place = 0;
    delegation::ServingKeyPtr key;
  };
  CallId next_call_ = 1;
  delegation::Ticket next_ticket_ = kFirstTicket;
  std::map<CallId, Call> calls_;
  std::map<delegation::Ticket, Place> places_;
};

}  // namespace kms::node
