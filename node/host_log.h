// What the log says of the host's events: members by their coming and going; strangers, who have many names, limited by
// what they did (LogLine::about) and not by who they are.
#pragma once

#include <functional>

#include "net/host_events.h"
#include "node/node_core.h"

namespace kms::node {

// `is_member`: of the peer that the event names, if it names one.
enum class Standing : std::uint8_t { member, stranger };
using StandingOf = std::function<Standing(const net::PeerId&)>;

// In the order in which they are to be written; mostly none.
std::vector<LogLine> log_lines(const net::HostEvent& event, const StandingOf& standing_of);

}  // namespace kms::node
