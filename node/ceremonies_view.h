// GET /v1/ceremonies as pure functions of what a node knows (docs/API.md).
#pragma once

#include <functional>

#include <boost/json/object.hpp>

#include "node/ceremony_log.h"
#include "node/epochs.h"

namespace kms::node {

// "name (0x..)" of a node.
using LabelOf = std::function<std::string(const dkg::NodeId&)>;

boost::json::object ceremonies_view(const Epochs& epochs, const CeremonyLog& log, const LabelOf& label_of, Now now);
// One, with what happened in it and the evidence; `slot` in hex with 0x. Null if there is none of that id.
std::optional<boost::json::object> ceremony_view(const Epochs& epochs, const CeremonyLog& log, std::string_view slot,
                                                 const LabelOf& label_of, Now now);

}  // namespace kms::node
