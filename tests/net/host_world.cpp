#include "tests/net/host_world.h"

#include <algorithm>

#include "tests/net/fixtures.h"

namespace kms::net {

HostNode::HostNode(std::string_view name, HostOptions options, Now now)
    : identity(identity_named(name)),
      random(static_cast<std::uint64_t>(identity.peer_id().bytes()[20]) * 7919 + name.size()),
      host(identity, std::move(options), random, now) {}

std::vector<std::string> HostNode::payloads() const {
  std::vector<std::string> out;
  for (const auto& delivery : pick<PubsubDelivery>()) out.emplace_back(as_text(delivery.payload()));
  return out;
}

std::vector<CloseReason> HostNode::close_reasons() const {
  std::vector<CloseReason> out;
  for (const auto& closed : pick<ConnectionClosed>()) out.push_back(closed.cause.reason);
  return out;
}

HostOptions HostWorld::open_options() {
  HostOptions options;
  options.router.topics.allows_all = true;
  options.unlisted = PeerClass::committee;
  return options;
}

HostNode& HostWorld::add(std::string_view name, HostOptions options) {
  nodes_.push_back(std::make_unique<HostNode>(name, std::move(options), now));
  HostNode& node = *nodes_.back();
  node.ip = static_cast<std::uint8_t>(nodes_.size());
  node.host.set_listen_addresses({node.address()}, now);
  return node;
}

void HostWorld::connect(HostNode& from, HostNode& to) {
  ASSERT_TRUE(from.host.dial(to.address(), now).has_value());
  settle();
}

HostWorld::Raw HostWorld::connect_raw(HostNode& to, std::uint8_t ip) {
  return connect_raw(to, Multiaddr::of_tcp(ByteArray<4>{10, 9, 9, ip}, 50000));
}

HostWorld::Raw HostWorld::connect_raw(HostNode& to, const Multiaddr& from) {
  const auto id = to.host.accepted(from, now);
  Channel channel;
  channel.ends[0].raw = std::make_unique<RawEnd>();
  channel.ends[1].node = &to;
  if (id) {
    channel.ends[1].id = *id;
  } else {
    channel.ends[0].raw->is_closed = true;
    channel.ends[0].is_open = channel.ends[1].is_open = false;
  }
  channels_.push_back(std::move(channel));
  settle();
  return {channels_.size() - 1, channels_.back().ends[0].raw.get()};
}

void HostWorld::write_raw(const Raw& raw, ByteView bytes) {
  channels_[raw.channel].ends[1].incoming.push_back({now.instant + delay, to_bytes(bytes)});
}

void HostWorld::close_raw(const Raw& raw) {
  channels_[raw.channel].ends[0].is_open = false;
  channels_[raw.channel].ends[1].eof = now.instant + delay;
}

void HostWorld::unplug(HostNode& node) {
  for (auto& channel : channels_) {
    if (channel.ends[0].node == &node || channel.ends[1].node == &node) channel.is_cut = true;
  }
}

void HostWorld::settle() {
  for (auto& node : nodes_) apply(*node);
}

void HostWorld::apply(HostNode& node) {
  for (;;) {
    auto effects = node.host.take_effects();
    if (effects.transport.empty() && effects.events.empty()) return;
    for (auto& effect : effects.transport) {
      if (auto* dial = std::get_if<DialSocket>(&effect)) {
        dials_.push_back({now.instant + delay, &node, dial->id, dial->target});
        continue;
      }
      for (auto& channel : channels_) {
        for (std::size_t i = 0; i < 2; ++i) {
          End& end = channel.ends[i];
          End& other = channel.ends[1 - i];
          if (end.node != &node || !end.is_open) continue;
          if (auto* write = std::get_if<WriteSocket>(&effect); write != nullptr && write->id == end.id) {
            if (tampers) tampers(write->bytes);
            other.incoming.push_back({now.instant + delay, std::move(write->bytes)});
          } else if (auto* over = std::get_if<CloseSocket>(&effect); over != nullptr && over->id == end.id) {
            end.is_open = false;
            end.incoming.clear();
            other.eof = now.instant + delay;
          }
        }
      }
    }
    for (auto& event : effects.events) {
      if (const auto* closed = std::get_if<ConnectionClosed>(&event)) {
        EXPECT_FALSE(closed->cause.text.empty()) << name_of(closed->cause.reason);
      }
      const auto* delivery = std::get_if<PubsubDelivery>(&event);
      const auto id = delivery != nullptr ? std::optional<MessageId>(delivery->id) : std::nullopt;
      if (node.sees) node.sees(event);
      node.events.push_back(std::move(event));
      if (id && node.verdict) node.host.validated(*id, *node.verdict, now);
    }
  }
}

HostNode* HostWorld::find(const TcpTarget& target) {
  for (auto& node : nodes_) {
    if (target.host == "10.0.0." + std::to_string(node->ip) && node->is_up) return node.get();
  }
  return nullptr;
}

void HostWorld::finish_dial(const Dial& dial) {
  HostNode* to = find(dial.target);
  if (to == nullptr) {
    dial.from->host.dial_failed(dial.id, "Connection refused", now);
    return;
  }
  Channel& channel = channels_.emplace_back();
  channel.ends[0].node = dial.from;
  channel.ends[0].id = dial.id;
  channel.ends[1].node = to;
  channel.ends[1].waits = true;
  if (!to->is_stopped) accept(channel);
  dial.from->host.dialled(dial.id, to->address().without_peer_id(), now);
}

void HostWorld::accept(Channel& channel) {
  End& end = channel.ends[1];
  end.waits = false;
  const auto from = Multiaddr::of_tcp(ByteArray<4>{10, 0, 0, channel.ends[0].node->ip}, 50000);
  if (const auto id = end.node->host.accepted(from, now)) {
    end.id = *id;
    return;
  }
  end.is_open = false;
  channel.ends[0].eof = now.instant + delay;
}

// Like a poll that finds timers first, and then sockets.
void HostWorld::go_on(HostNode& node) {
  node.is_stopped = false;
  node.host.tick(now);
  for (auto& channel : channels_) {
    if (channel.ends[1].node == &node && channel.ends[1].waits) accept(channel);
  }
  settle();
}

bool HostWorld::deliver(Channel& channel, std::size_t to) {
  End& end = channel.ends[to];
  End& other = channel.ends[1 - to];
  bool moved = false;
  while (!end.incoming.empty() && end.incoming.front().at <= now.instant) {
    if (end.node != nullptr && (!end.node->reads || end.node->is_stopped || !end.is_open)) break;
    Bytes bytes = std::move(end.incoming.front().bytes);
    end.incoming.pop_front();
    moved = true;
    if (end.raw) append(end.raw->received, bytes);
    for (std::size_t at = 0; end.node != nullptr && at < bytes.size();) {
      const std::size_t rest = bytes.size() - at;
      const std::size_t size = piece_max == 0 ? rest : std::min<std::size_t>(rest, 1 + random_.below(piece_max));
      end.node->host.received(end.id, ByteView(bytes).subspan(at, size), now);
      at += size;
    }
    if (other.node != nullptr) other.node->host.sent(other.id, bytes.size(), now);
  }
  const bool gets_time = end.node == nullptr || !end.node->is_stopped;
  if (gets_time && end.is_open && end.eof && *end.eof <= now.instant && end.incoming.empty()) {
    end.is_open = false;
    moved = true;
    if (end.raw) end.raw->is_closed = true;
    if (end.node != nullptr) end.node->host.closed(end.id, "the peer closed the connection", now);
  }
  return moved;
}

bool HostWorld::deliver_due() {
  bool moved = false;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (channels_[i].is_cut) continue;
    moved = deliver(channels_[i], 0) || moved;
    moved = deliver(channels_[i], 1) || moved;
  }
  auto due = std::partition(dials_.begin(), dials_.end(),
                            [&](const Dial& dial) { return dial.at > now.instant || dial.from->is_stopped; });
  const std::vector<Dial> ready(due, dials_.end());
  dials_.erase(due, dials_.end());
  for (const auto& dial : ready) finish_dial(dial);
  for (auto& node : nodes_) {
    if (node->is_stopped) continue;
    if (const auto at = node->host.wakes_at(); at && *at <= now.instant) {
      node->host.tick(now);
      moved = true;
    }
    if (const auto at = node->wakes ? node->wakes() : std::nullopt; at && *at <= now.instant) {
      node->ticks();
      moved = true;
    }
  }
  settle();
  return moved || !ready.empty();
}

std::optional<Instant> HostWorld::next_instant() const {
  std::optional<Instant> at;
  const auto consider = [&](std::optional<Instant> other) {
    if (other && (!at || *other < *at)) at = other;
  };
  for (const auto& channel : channels_) {
    if (channel.is_cut) continue;
    for (const auto& end : channel.ends) {
      if (!end.is_open || (end.node != nullptr && (!end.node->reads || end.node->is_stopped))) continue;
      if (!end.incoming.empty()) consider(end.incoming.front().at);
      if (end.incoming.empty()) consider(end.eof);
    }
  }
  for (const auto& dial : dials_) {
    if (!dial.from->is_stopped) consider(dial.at);
  }
  for (const auto& node : nodes_) {
    if (node->is_stopped) continue;
    consider(node->host.wakes_at());
    if (node->wakes) consider(node->wakes());
  }
  return at;
}

void HostWorld::move(HostNode& node, std::uint8_t ip) {
  node.ip = ip;
  node.host.set_listen_addresses({node.address()}, now);
  settle();
}

void HostWorld::run(Duration time) {
  const Instant until = now.instant + time;
  settle();
  for (;;) {
    int turns = 0;
    while (deliver_due()) {
      if (++turns > 10'000) {
        ADD_FAILURE() << "something is due again and again at one instant";
        return;
      }
    }
    std::size_t undelivered = 0;
    for (const auto& channel : channels_) {
      for (const auto& end : channel.ends) {
        for (const auto& chunk : end.incoming) undelivered += chunk.bytes.size();
      }
    }
    undelivered_max = std::max(undelivered_max, undelivered);
    const auto next = next_instant();
    const Instant then = std::min(until, std::max(next.value_or(until), now.instant + Duration(1)));
    now.unix_ms += (then - now.instant) / 1ms;
    now.instant = then;
    if (then >= until) break;
  }
  while (deliver_due()) continue;
}

}  // namespace kms::net
