// What nodes say of themselves, and who is there.
#include <algorithm>
#include <iterator>

#include "node/node_core_impl.h"

namespace kms::node {
namespace {

constexpr Duration kStatusEvery = 10s;
constexpr Duration kStatusWaiting = 2s;  // of a node that waits to be shown a Link

}  // namespace

void NodeCore::Impl::send_status(Now now) {
  if (!epochs) return;
  dkg::NodeStatus status{epochs->status()};
  if (last_status == status.entries && now.instant < status_due) return;
  last_status = status.entries;
  status_due = now.instant + (epochs->current() == nullptr ? kStatusWaiting : kStatusEvery);
  outbox.add(Topic::ceremony, {}, dkg::wrap(status, self, terms.network));
}

std::set<dkg::NodeId> NodeCore::Impl::responders() const {
  std::set<dkg::NodeId> out;
  std::set_difference(alive.begin(), alive.end(), shareless.begin(), shareless.end(), std::inserter(out, out.end()));
  return out;
}

void NodeCore::Impl::tell_responders() {
  collector.members_alive(responders());
  responder.members_alive(responders());
  board.members_alive(responders());
}

// Which of the known nodes are connected. True if that changed.
bool NodeCore::Impl::see_links() {
  std::set<dkg::NodeId> now_alive;
  for (const PeerLink& link : links) {
    if (roster.contains(link.node) && link.node != self) now_alive.insert(link.node);
  }
  if (now_alive == alive) return false;
  alive = std::move(now_alive);
  tell_responders();
  return true;
}

void NodeCore::Impl::note_status(const dkg::NodeId& author, const dkg::Envelope& item, NodeEffects& effects) {
  auto status = dkg::NodeStatus::parse(item.body);
  if (!status || status->entries.empty()) return;
  const bool is_ours = std::any_of(status->entries.begin(), status->entries.end(),
                                   [&](const auto& entry) { return entry.key_set == terms.key_set; });
  if (is_ours) foreign.erase(author);
  if (!is_ours && foreign.insert(author).second) {
    const std::string text =
        "parameters differ: its network file makes another key set; compare threshold, members, "
        "creation_nonce and chains";
    effects.log.push_back({LogLevel::warn, label_of(author) + ": " + text, author.hex() + text});
  }
  const std::uint32_t epoch = epochs && epochs->newest() ? epochs->newest()->header.epoch : 0;
  for (const dkg::NodeStatus::Entry& entry : status->entries) {
    if (entry.key_set != terms.key_set || entry.epoch != epoch) continue;
    // Only what a member says outright: an older status of the phases before it may be the last one that arrived.
    bool needs_repair = entry.state == static_cast<std::uint32_t>(dkg::Phase::need_repair);
    bool changed = needs_repair ? shareless.insert(author).second : shareless.erase(author) > 0;
    if (changed) tell_responders();
  }
}

// Batches may overtake each other; what a node says of itself counts in the order in which it was said.
bool NodeCore::Impl::is_status_old(const dkg::NodeId& author, std::uint64_t seqno) {
  std::uint64_t& newest = heard[author].status_seqno;
  if (seqno < newest) return true;
  newest = seqno;
  return false;
}

}  // namespace kms::node
