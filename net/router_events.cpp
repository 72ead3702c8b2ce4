#include "net/router_events.h"

namespace kms::net {

std::string_view refusal_text(Refusal refusal) {
  switch (refusal) {
    case Refusal::unknown_peer:
      return "unknown_peer";
    case Refusal::not_subscribed:
      return "not_subscribed";
    case Refusal::bad_topic:
      return "bad_topic";
    case Refusal::blocked:
      return "blocked";
    case Refusal::bad_fields:
      return "bad_fields";
    case Refusal::own_message:
      return "own_message";
    case Refusal::duplicate:
      return "duplicate";
    case Refusal::queue_full:
      return "queue_full";
    case Refusal::bad_signature:
      return "bad_signature";
    case Refusal::ignored:
      return "ignored";
    case Refusal::rejected:
      return "rejected";
    case Refusal::no_verdict:
      return "no_verdict";
    case Refusal::not_allowed:
      return "not_allowed";
  }
  return "unknown";
}

}  // namespace kms::net
