// POST /v1/delegations and what belongs to it (docs/API.md), as pure functions: what a request says, what an answer
// looks like.
#pragma once

#include <functional>
#include <set>
#include <variant>

#include <boost/json/object.hpp>

#include "node/delegation/board.h"
#include "node/http.h"

namespace kms::node {

inline constexpr std::size_t kV1RequestsMax = 64;

// One request of a list; networkId is ours. Nothing else was checked that needs more than reading.
struct V1Request {
  dkg::KeyId key;
  delegation::V1Authorisation authorisation;
};

// Why one request of a list failed.
struct V1Failure {
  int status = 400;
  std::string error;  // "Kind: text"
};

using V1Item = std::variant<V1Request, V1Failure>;
// The list, or the refusal of the whole body.
std::variant<std::vector<V1Item>, HttpResponse> parse_v1_delegations(const HttpRequest& request,
                                                                     const dkg::NetworkId& network);
// The members that a client names in POST /v1/delegations/{id}/more.
std::variant<std::set<dkg::Position>, HttpResponse> parse_v1_more(const HttpRequest& request);

// How much of a result of form C is shown: GET has the partials and proofs that were combined.
enum class V1Detail : std::uint8_t { combined, with_partials };

// One result, whatever became of the request. `key`: what it was asked of; null where it came to nothing.
boost::json::object v1_result(const delegation::Outcome& outcome, const std::optional<Hash32>& rh,
                              const delegation::ServingKeyPtr& key, V1Detail detail);
boost::json::object v1_result(const V1Failure& failure);
// Of POST /v1/delegations: 200 if any result is, else the status of the first.
HttpResponse v1_answer(std::vector<boost::json::object> results);
// Of GET /v1/delegations: bad partials of members. `label_of`: "name (0x..)" of a node.
boost::json::object v1_blame(const std::map<dkg::NodeId, std::deque<delegation::BadPartial>>& bad,
                             const std::function<std::string(const dkg::NodeId&)>& label_of);
// Of GET /v1/delegations/{id} and .../more.
HttpResponse v1_answer(const boost::json::object& result);

}  // namespace kms::node
