#include "node/event_feed.h"

namespace kms::node {

std::string EventFeed::next(const std::vector<EventDocument>& documents, Instant now) {
  std::string out;
  for (const EventDocument& document : documents) {
    const auto [entry, is_first] = sent_.try_emplace(document.name);
    Sent& sent = entry->second;
    if (!is_first && (sent.json == document.json || now < sent.at + kPause)) continue;
    sent = {document.json, now};
    out += "event: " + document.name + "\ndata: " + document.json + "\n\n";
  }
  if (out.empty() && now >= spoke_at_ + kKeepAlive) out = ": still here\n\n";
  if (!out.empty()) spoke_at_ = now;
  return out;
}

}  // namespace kms::node
