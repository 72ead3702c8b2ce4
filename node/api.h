// The read-only HTTP routes as pure functions of what a node knows (docs/API.md).
#pragma once

#include <boost/json/object.hpp>

#include "node/node_core.h"

namespace kms::node {

// Why this node cannot finish a delegation now; empty when it can.
struct Readiness {
  std::vector<std::string> reasons;
  std::vector<std::string> missing;  // members without a connection, by name and address
  bool is_ready() const { return reasons.empty(); }
};

// One key as /v1/keys shows it.
struct KeyView {
  delegation::ServingKeyPtr serving;
  dkg::Label label;
  bool imported = false;
  const dkg::EpochRecord* record = nullptr;  // null in solo mode
};

std::string rfc3339(std::int64_t unix_ms);
HttpResponse json_response(int status, const boost::json::value& body);
HttpResponse root_response(const NodeOptions& options, Now now);
HttpResponse ready_response(const Readiness& readiness);
// "name (0x..)" of a member.
std::string member_label(const NetworkTerms& terms, dkg::Position position);

boost::json::object key_summary(const KeyView& key);
// Everything a client needs to verify: members with their public shares, certificates as hex of their bodies.
boost::json::object key_details(const KeyView& key, const NetworkTerms& terms);
boost::json::object network_view(const NetworkTerms& terms, const dkg::NodeId& self, const std::vector<PeerLink>& links,
                                 const dkg::Ceremony* ceremony, const NodeOptions& options);

}  // namespace kms::node
