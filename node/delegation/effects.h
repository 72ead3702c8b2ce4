// What the delegation machines ask of NodeCore.
#pragma once

#include "node/delegation/jobs.h"

namespace kms::delegation {

// A client that waits for an answer; NodeCore knows which HTTP request it is.
using Ticket = std::uint64_t;

struct Unavailable {
  std::string message;
};
struct Overloaded {
  std::string message;
};
using Outcome = std::variant<V0Answer, AuthorisationError, Unavailable, Overloaded>;

struct Reply {
  Ticket ticket = 0;
  Outcome outcome;
};

enum class Audience : std::uint8_t {
  everybody,  // the requests topic
  entry,      // the topic that only this entry node reads
};

struct Outgoing {
  Audience audience = Audience::everybody;
  dkg::NodeId entry;  // with Audience::entry
  MessageType type = MessageType::done;
  Bytes body;
};

// For logs; `culprit` is a position in the key's committee, 0 = nobody in it; `node` is who it is.
struct Event {
  std::string text;
  Position culprit = 0;
  dkg::NodeId node{};
};

struct Effects {
  std::vector<Job> compute;
  std::vector<Outgoing> send;
  std::vector<Reply> reply;
  std::vector<Event> report;
  void add(Effects&& more);
};

}  // namespace kms::delegation
