// GET /v1/events for one client: server-sent events (HTML Living Standard 9.2). Each event is a whole document, the one
// that the GET of its name gives; it is sent at the beginning and then whenever it has changed. So whoever connects
// again has missed nothing, and a slow client costs one copy of what it has been sent. Decides nothing, keeps no time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace kms::node {

// `name` is the last part of the path: ready, keys, network, ceremonies. `json` has no line break.
struct EventDocument {
  std::string name;
  std::string json;
};

class EventFeed {
 public:
  static constexpr Duration kPause = 1s;  // between two events of one name; what changes meanwhile goes with the next
  static constexpr Duration kKeepAlive = 15s;  // a comment goes out when nothing else does

  // What to send now, empty if there is nothing.
  std::string next(const std::vector<EventDocument>& documents, Instant now);

 private:
  struct Sent {
    std::string json;
    Instant at{};
  };
  std::map<std::string, Sent> sent_;
  Instant spoke_at_{};
};

}  // namespace kms::node
