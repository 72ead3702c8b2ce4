#include "net/connection.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::net {

Connection::Connection(Direction direction, const Identity& identity, ProtocolList protocols, ConnectionOptions options,
                       Entropy& entropy, Now now)
    : direction_(direction),
      protocols_(std::move(protocols)),
      options_(std::move(options)),
      upgrade_(direction, identity, options_.upgrade, entropy),
      upgrade_deadline_(now.instant + options_.upgrade_timeout),
      upgrade_output_(upgrade_.take_output()) {}

void Connection::receive(ByteView bytes, Now now) {
  if (has_ended_) return;
  if (session_) {
    receive_sealed(bytes, now);
    return;
  }
  upgrade_.feed(bytes);
  settle_upgrade(now);
}

void Connection::admit(Now now) {
  if (has_ended_ || session_) return;
  upgrade_.admit();
  settle_upgrade(now);
}

void Connection::set_yamux(const YamuxOptions& options) {
  options_.yamux = options;
  if (session_) session_->set_limits(options);
}

void Connection::settle_upgrade(Now now) {
  append(upgrade_output_, upgrade_.take_output());
  switch (upgrade_.state()) {
    case Upgrade::State::security:
    case Upgrade::State::handshake:
    case Upgrade::State::muxer:
      return;
    case Upgrade::State::authenticated:
      if (!authenticated_) events_.emplace_back(ConnectionAuthenticated{upgrade_.peer()});
      authenticated_ = true;
      return;
    case Upgrade::State::done:
      start_session(now);
      return;
    case Upgrade::State::failed:
      end(upgrade_.cause());
      return;
  }
}

void Connection::start_session(Now now) {
  auto channel = upgrade_.take_channel();
  sender_.emplace(std::move(channel.sender));
  receiver_.emplace(std::move(channel.receiver));
  session_.emplace(direction_ == Direction::outbound ? YamuxSide::dialer : YamuxSide::listener, now.instant,
                   options_.yamux);
  events_.emplace_back(ConnectionReady{upgrade_.has_early_muxer() ? EarlyMuxer::offered : EarlyMuxer::withheld});
  session_->receive(channel.leftover, now.instant);
  settle_session(now);
}

void Connection::receive_sealed(ByteView bytes, Now now) {
  Bytes plaintext;
  plaintext.reserve(bytes.size());
  const auto opened = receiver_->decrypt(bytes, plaintext);
  // What decrypted before a bad frame is genuine, so it still counts.
  session_->receive(plaintext, now.instant);
  settle_session(now);
  if (!opened) end({CloseReason::protocol_violation, "noise: " + opened.error().message});
}

void Connection::settle_session(Now now) {
  for (auto& event : session_->take_events()) {
    if (has_ended_) return;
    settle(std::move(event), now);
  }
}

void Connection::settle(YamuxEvent&& event, Now now) {
  if (auto* opened = std::get_if<YamuxOpened>(&event)) {
    auto [at, _] = pending_.emplace(
        opened->id, Pending{Negotiation::answer(*protocols_), now.instant + options_.negotiation_timeout, {}});
    settle_negotiation(opened->id, at->second, NegotiationState::need_more);
  } else if (auto* received = std::get_if<YamuxReceived>(&event)) {
    settle_received(received->id, std::move(received->bytes));
  } else if (auto* finished = std::get_if<YamuxRemoteFinished>(&event)) {
    if (auto at = pending_.find(finished->id); at != pending_.end()) {
      give_up(finished->id, "the remote finished the stream before it agreed on a protocol");
    } else {
      events_.emplace_back(StreamRemoteFinished{finished->id});
    }
  } else if (auto* reset = std::get_if<YamuxReset>(&event)) {
    if (auto at = pending_.find(reset->id); at != pending_.end()) {
      if (at->second.negotiation.is_ours()) events_.emplace_back(StreamRefused{reset->id, "reset: " + reset->reason});
      pending_.erase(at);
    } else {
      events_.emplace_back(StreamGone{reset->id, reset->reason.empty() ? "reset" : reset->reason});
    }
  } else if (auto* closed = std::get_if<YamuxClosed>(&event)) {
    if (pending_.erase(closed->id) == 0) events_.emplace_back(StreamGone{closed->id, {}});
  } else if (auto* ended = std::get_if<YamuxEnded>(&event)) {
    const CloseReason reason = ended->by_remote ? CloseReason::remote_closed : CloseReason::protocol_violation;
    end({reason, "yamux: " + ended->reason});
  }
}

void Connection::settle_received(StreamId id, Bytes&& bytes) {
  const auto at = pending_.find(id);
  if (at == pending_.end()) {
    events_.emplace_back(StreamBytes{id, std::move(bytes)});
    return;
  }
  if (!session_->is_open(id)) return;
  const NegotiationState state = at->second.negotiation.feed(bytes);
  Bytes leftover;
  if (state == NegotiationState::agreed) leftover = at->second.negotiation.take_leftover();
  session_->consumed(id, bytes.size() - leftover.size());
  settle_negotiation(id, at->second, state);
  if (!leftover.empty()) events_.emplace_back(StreamBytes{id, std::move(leftover)});
}

// May erase `pending`. A stream that the remote reset (or whose session it ended) in the same bytes that opened it is
// gone already, while the events of its life still wait: the one that ends it is among them.
void Connection::settle_negotiation(StreamId id, Pending& pending, NegotiationState state) {
  if (!session_->is_open(id)) return;
  append(pending.unsent, pending.negotiation.take_output());
  flush_tokens(id, pending);
  if (state == NegotiationState::failed) {
    give_up(id, pending.negotiation.reason());
  } else if (state == NegotiationState::agreed) {
    // A negotiation has 4 KiB of tokens at most, and the stream's queue is empty before.
    KMS_ASSERT(pending.unsent.empty());
    std::string protocol = pending.negotiation.protocol();
    if (pending.negotiation.is_ours()) {
      events_.emplace_back(StreamAgreed{id, std::move(protocol)});
    } else {
      events_.emplace_back(StreamAccepted{id, std::move(protocol)});
    }
    pending_.erase(id);
  }
}

void Connection::flush_tokens(StreamId id, Pending& pending) {
  const std::size_t taken = session_->send(id, pending.unsent);
  pending.unsent.erase(pending.unsent.begin(), pending.unsent.begin() + static_cast<std::ptrdiff_t>(taken));
}

void Connection::give_up(StreamId id, std::string reason) {
  const auto at = pending_.find(id);
  const bool ours = at->second.negotiation.is_ours();
  pending_.erase(at);
  session_->reset(id);
  if (ours) events_.emplace_back(StreamRefused{id, std::move(reason)});
}

void Connection::tick(Now now) {
  if (has_ended_) return;
  if (!session_) {
    if (now.instant < upgrade_deadline_) return;
    static constexpr std::string_view kNames[] = {"security negotiation", "handshake", "admission",
                                                  "muxer negotiation"};
    const auto step = std::min<std::size_t>(static_cast<std::size_t>(upgrade_.state()), std::size(kNames) - 1);
    end({CloseReason::upgrade_timeout, "the upgrade took too long, in its " + std::string(kNames[step])});
    return;
  }
  std::vector<StreamId> late;
  for (const auto& [id, pending] : pending_) {
    if (pending.deadline <= now.instant) late.push_back(id);
  }
  for (const StreamId id : late) give_up(id, "no agreement on a protocol in time");
  const bool was_over = session_->has_ended();
  session_->tick(now.instant);
  for (auto& event : session_->take_events()) {
    // A session that ends by its own clock found the remote silent.
    if (auto* ended = std::get_if<YamuxEnded>(&event); ended != nullptr && !was_over) {
      end({CloseReason::unresponsive, "yamux: " + ended->reason});
      return;
    }
    settle(std::move(event), now);
  }
}

std::optional<Instant> Connection::wakes_at() const {
  if (has_ended_) return std::nullopt;
  if (!session_) return upgrade_deadline_;
  auto at = session_->wakes_at();
  for (const auto& [id, pending] : pending_) {
    if (!at || pending.deadline < *at) at = pending.deadline;
  }
  return at;
}

void Connection::close(CloseCause cause) {
  if (has_ended_) return;
  if (session_) {
    session_->close(YamuxCode::normal, cause.text);
    session_->take_events();
  }
  end(std::move(cause));
}

void Connection::channel_closed(std::string reason) {
  if (has_ended_) return;
  upgrade_output_.clear();
  const bool upgrading = !session_;
  end({CloseReason::remote_closed, upgrading ? "during the upgrade: " + reason : std::move(reason)});
}

void Connection::end(CloseCause cause) {
  if (has_ended_) return;
  has_ended_ = true;
  pending_.clear();
  events_.emplace_back(ConnectionEnded{std::move(cause)});
}

Bytes Connection::take_output(std::size_t max_bytes) {
  Bytes out = std::exchange(upgrade_output_, {});
  while (session_ && sender_ && out.size() < max_bytes) {
    const Bytes plaintext = session_->take_output(kNoisePlaintextBytesMax);
    if (plaintext.empty()) break;
    if (auto sealed = sender_->encrypt(plaintext, out); !sealed) {
      sender_.reset();
      end({CloseReason::transport_failed, "noise: " + sealed.error().message});
    }
  }
  // A FIN that left may have been the end of its stream; nothing that needs the time comes of writing.
  if (session_ && !has_ended_) settle_session({});
  return out;
}

bool Connection::has_output() const {
  return !upgrade_output_.empty() || (session_ && sender_ && session_->has_output());
}

Result<StreamId> Connection::open_stream(std::vector<std::string> proposals, Now now) {
  if (!is_ready()) return error("the connection is not ready for streams");
  auto id = session_->open_stream();
  if (!id) return id.error();
  auto [at, _] = pending_.emplace(
      *id, Pending{Negotiation::propose(std::move(proposals)), now.instant + options_.negotiation_timeout, {}});
  settle_negotiation(*id, at->second, NegotiationState::need_more);
  return *id;
}

std::size_t Connection::send(StreamId id, ByteView bytes) {
  return is_ready() ? session_->send(id, bytes) : 0;
}

void Connection::finish(StreamId id) {
  if (is_ready()) session_->finish(id);
}

void Connection::reset(StreamId id) {
  if (!is_ready()) return;
  pending_.erase(id);
  session_->reset(id);
}

void Connection::consumed(StreamId id, std::size_t size) {
  if (is_ready()) session_->consumed(id, size);
}

bool Connection::grow_window(StreamId id, std::uint32_t window) {
  return is_ready() && session_->grow_window(id, window);
}

std::size_t Connection::room(StreamId id) const {
  return is_ready() ? session_->room(id) : 0;
}

}  // namespace kms::net
