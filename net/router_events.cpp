#include "net/router_events.h"

namespace kms::net {

TopicCounters& TopicCounters::operator+=(const TopicCounters& other) {
  for (auto counter :
       {&TopicCounters::published, &TopicCounters::received, &TopicCounters::duplicates, &TopicCounters::accepted,
        &TopicCounters::forwarded, &TopicCounters::rejected, &TopicCounters::bytes_in, &TopicCounters::bytes_out}) {
    this->*counter += other.*counter;
  }
  return *this;
}

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
    case Refusal::repeated:
      return "repeated";
  }
  return "unknown";
}

}  // namespace kms::net
