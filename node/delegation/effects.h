// What the delegation machines ask of NodeCore.
#pragma once

#include "node/delegation/jobs.h"
#include "node/delegation/replay_window.h"

namespace kms::delegation {

// A client that waits for an answer; NodeCore knows which HTTP request it is.
using Ticket = std::uint64_t;

struct Unavailable {
  std::string message;
};
struct Overloaded {
  std::string message;
};
// The nonce was used for another request.
struct Conflict {
  std::string message;
};
// The requester has had what it may have under this key.
struct QuotaSpent {
  std::string message;
};

// A request of form B or C that t members answered.
struct PublicResult {
  Form form = Form::c;
  ServingKeyPtr key;
  std::vector<PublicPartial> partials;                // t, increasing by index; good as far as a node can tell
  std::optional<CombineJob::Combined> combined = {};  // C
};
using PublicResultPtr = std::shared_ptr<const PublicResult>;

using Outcome =
    std::variant<V0Answer, PublicResultPtr, AuthorisationError, Unavailable, Overloaded, Conflict, QuotaSpent>;

struct Reply {
  Ticket ticket = 0;
  Outcome outcome;
  std::optional<Hash32> rh = {};  // once it is known
};

enum class Audience : std::uint8_t {
  everybody,  // the requests topic
  entry,      // the topic that only this entry node reads
  partials,   // the topic of forms B and C, which everybody reads
};

struct Outgoing {
  Audience audience = Audience::everybody;
  dkg::NodeId entry;  // with Audience::entry
  MessageType type = MessageType::done;
  Bytes body;
  std::optional<dkg::Signature> signature = {};  // of types that have one
};

// For logs; `culprit` is a position in the key's committee, 0 = nobody in it; `node` is who it is.
struct Event {
  std::string text;
  Position culprit = 0;
  dkg::NodeId node{};
};

// What a client is told of a use that is not admitted; nothing for one that is.
std::optional<Outcome> refusal_of(Admission admission);

struct Effects {
  std::vector<Job> compute;
  std::vector<Outgoing> send;
  std::vector<Reply> reply;
  std::vector<Event> report;
  void add(Effects&& more);
};

}  // namespace kms::delegation
