#include "node/v1_calls.h"

#include "base/assert.h"

namespace kms::node {

V1Calls::CallId V1Calls::open(HttpRequestId request, std::size_t results, Shape shape) {
  KMS_ASSERT(results > 0);
  calls_.emplace(next_call_, Call{request, shape, std::vector<boost::json::object>(results), results});
  return next_call_++;
}

delegation::Ticket V1Calls::ticket(CallId call, std::size_t place, delegation::ServingKeyPtr key) {
  places_.emplace(next_ticket_, Place{call, place, std::move(key)});
  return next_ticket_++;
}

std::optional<HttpReply> V1Calls::fill(CallId call, std::size_t place, boost::json::object result) {
  const auto found = calls_.find(call);
  KMS_ASSERT(found != calls_.end() && found->second.missing > 0);
  found->second.results[place] = std::move(result);
  if (--found->second.missing > 0) return std::nullopt;
  Call done = std::move(found->second);
  calls_.erase(found);
  if (done.shape == Shape::one) return HttpReply{done.request, v1_answer(done.results.front())};
  return HttpReply{done.request, v1_answer(std::move(done.results))};
}

std::optional<HttpReply> V1Calls::fill(delegation::Reply&& reply) {
  const auto found = places_.find(reply.ticket);
  KMS_ASSERT(found != places_.end());
  const Place place = std::move(found->second);
  places_.erase(found);
  const bool is_one = calls_.at(place.call).shape == Shape::one;
  const V1Detail detail = is_one ? V1Detail::with_partials : V1Detail::combined;
  return fill(place.call, place.place, v1_result(reply.outcome, reply.rh, place.key, detail));
}

}  // namespace kms::node
