#include "net/yamux.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "net/yamux_frame.h"

namespace kms::net {
namespace {

using namespace yamux;

constexpr std::uint64_t kCreditMax = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kSkippedIdsMax = 64;
constexpr Duration kLastChance = 200ms;

std::uint32_t read_u32(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

YamuxSession::YamuxSession(YamuxSide side, Instant now, YamuxOptions options)
    : side_(side),
      options_(options),
      next_id_(side == YamuxSide::dialer ? 1 : 2),
      inbound_budget_(1s),
      inbound_refilled_(now),
      idle_budget_(Duration(1s) / options.idle_frames_per_second * options.idle_frames_burst),
      idle_refilled_(now),
      ping_due_(now),
      heard_at_(now) {
  KMS_ASSERT(options_.inbound_per_second > 0 && options_.idle_frames_per_second > 0);
}

void YamuxSession::receive(ByteView bytes, Instant now) {
  if (!bytes.empty()) {
    heard_at_ = now;
    last_chance_.reset();
  }
  while (!ended_ && !bytes.empty()) {
    if (in_payload_) {
      std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size()));
      receive_payload(bytes.first(size));
      bytes = bytes.subspan(size);
      payload_left_ -= size;
      if (payload_left_ == 0) finish_frame();
      continue;
    }
    std::size_t size = std::min(kYamuxHeaderBytes - header_size_, bytes.size());
    std::copy_n(bytes.begin(), size, header_bytes_.begin() + static_cast<std::ptrdiff_t>(header_size_));
    bytes = bytes.subspan(size);
    header_size_ += size;
    if (header_size_ < kYamuxHeaderBytes) return;
    header_size_ = 0;
    const std::uint8_t* raw = header_bytes_.data();
    receive_header(
        {raw[0], raw[1], static_cast<std::uint16_t>(raw[2] << 8 | raw[3]), read_u32(raw + 4), read_u32(raw + 8)}, now);
  }
}

void YamuxSession::receive_header(const Header& header, Instant now) {
  if (header.version != 0) return fail(YamuxCode::protocol, "yamux version " + std::to_string(header.version));
  if (header.type > kGoAway) return fail(YamuxCode::protocol, "yamux frame type " + std::to_string(header.type));
  bool of_session = header.type == kPing || header.type == kGoAway;
  if (of_session != (header.stream == 0)) {
    return fail(YamuxCode::protocol,
                "yamux frame type " + std::to_string(header.type) + " with stream id " + std::to_string(header.stream));
  }
  if (is_idle_frame(header) && !note_idle_frame(now)) return;
  if (header.type == kPing) return receive_ping(header, now);
  if (header.type == kGoAway) return end(header.length, true, "the remote said GOAWAY");
  receive_stream_frame(header, now);
}

// Whatever nothing justifies. What justifies a frame is used up by it, so no kind of frame is free for ever. An open is
// judged by accept_syn, which counts the refused ones.
bool YamuxSession::is_idle_frame(const Header& header) {
  if (header.type == kPing) return !is_awaited_pong(header);
  if (header.type == kGoAway || (header.flags & kSyn) != 0) return false;
  const auto at = streams_.find(header.stream);
  if (at == streams_.end()) return true;
  Stream& stream = at->second;
  const bool is_first_ack = (header.flags & kAck) != 0 && !stream.inbound && !std::exchange(stream.ack_seen, true);
  if ((header.flags & kRst) != 0) return false;  // the stream's last
  if (stream.remote_finished) {
    // Windows go on after its FIN, since we may still send.
    return header.type == kData || !take_grant(stream, header.length);
  }
  if ((header.flags & kFin) != 0 || is_first_ack) return false;
  return header.type == kData ? header.length == 0 : !take_grant(stream, header.length);
}

bool YamuxSession::is_awaited_pong(const Header& header) const {
  const bool is_pong = (header.flags & (kSyn | kAck)) == kAck;
  return is_pong && ping_sent_at_ && !ping_to_send_ && header.length == ping_value_;
}

// Whether a window update gives back what we sent. One that gives more raises the window: rare among honest peers.
bool YamuxSession::take_grant(Stream& stream, std::uint32_t delta) {
  const bool is_due = delta > 0 && delta <= stream.sent_ungranted;
  stream.sent_ungranted -= std::min<std::uint64_t>(delta, stream.sent_ungranted);
  return is_due;
}

bool YamuxSession::note_idle_frame(Instant now) {
  const Duration cost = Duration(1s) / options_.idle_frames_per_second;
  const Duration full = cost * options_.idle_frames_burst;
  if (now > idle_refilled_) {
    idle_budget_ = std::min(full, idle_budget_ + std::min(full, now - idle_refilled_));
    idle_refilled_ = now;
  }
  if (idle_budget_ < cost) {
    fail(YamuxCode::protocol, "a flood of frames that change nothing");
    return false;
  }
  idle_budget_ -= cost;
  return true;
}

void YamuxSession::receive_ping(const Header& header, Instant now) {
  std::uint16_t kind = header.flags & (kSyn | kAck);
  if (kind == kSyn) {
    if (pongs_.size() < options_.pongs_max) pongs_.push_back(header.length);
  } else if (kind == kAck) {
    if (!is_awaited_pong(header)) return;
    round_trip_ = now - *ping_sent_at_;
    ping_sent_at_.reset();
  } else {
    fail(YamuxCode::protocol, "a ping that is neither a question nor an answer");
  }
}

void YamuxSession::receive_stream_frame(const Header& header, Instant now) {
  frame_ = header;
  payload_wanted_ = false;
  if ((header.flags & kSyn) != 0 && !accept_syn(header, now)) return;
  auto at = streams_.find(header.stream);
  if (at != streams_.end()) {
    Stream& stream = at->second;
    if (!stream.inbound && !stream.acked) --unacked_opens_;
    stream.acked = true;
    bool went_well = header.type == kData ? apply_data(at, header) : apply_window_update(at, header);
    if (!went_well) return;
  }
  if (header.type == kData && header.length > 0) {
    in_payload_ = true;
    payload_left_ = header.length;
  } else {
    finish_frame();
  }
}

bool YamuxSession::accept_syn(const Header& header, Instant now) {
  if (!is_remote_id(header.stream)) {
    fail(YamuxCode::protocol, "the remote opened stream " + std::to_string(header.stream) + ", an id of ours");
    return false;
  }
  if (!is_fresh_remote_id(header.stream)) {
    fail(YamuxCode::protocol, "the remote opened stream " + std::to_string(header.stream) + " twice");
    return false;
  }
  if (inbound_count_ >= options_.inbound_streams_max || !take_inbound_token(now)) {
    if (note_idle_frame(now)) send_reset(header.stream);
    return !ended_;
  }
  Stream& stream = streams_[header.stream];
  stream.inbound = true;
  stream.open_flag = kAck;
  ++inbound_count_;
  want_control(header.stream, stream);
  events_.emplace_back(YamuxOpened{header.stream});
  return true;
}

// An id counts once. Above the highest one it leaves a gap of ids that may still come, since go takes an id and sends
// its SYN in two steps.
bool YamuxSession::is_fresh_remote_id(StreamId id) {
  if (id <= highest_remote_) return skipped_remote_.erase(id) > 0;
  StreamId next = highest_remote_ == 0 ? (side_ == YamuxSide::dialer ? 2 : 1) : highest_remote_ + 2;
  constexpr StreamId kGapMax = 2 * kSkippedIdsMax;
  if (id - next > kGapMax) next = id - kGapMax;
  for (; next < id; next += 2) skipped_remote_.insert(next);
  while (skipped_remote_.size() > kSkippedIdsMax) skipped_remote_.erase(skipped_remote_.begin());
  highest_remote_ = id;
  return true;
}

bool YamuxSession::take_inbound_token(Instant now) {
  Duration cost = Duration(1s) / options_.inbound_per_second;
  if (now > inbound_refilled_) {
    inbound_budget_ = std::min(Duration(1s), inbound_budget_ + std::min(Duration(1s), now - inbound_refilled_));
    inbound_refilled_ = now;
  }
  if (inbound_budget_ < cost) return false;
  inbound_budget_ -= cost;
  return true;
}

bool YamuxSession::apply_window_update(Streams::iterator at, const Header& header) {
  if ((header.flags & kRst) != 0) return true;  // go puts an error code there
  Stream& stream = at->second;
  if (stream.send_credit + header.length > kCreditMax) {
    fail(YamuxCode::protocol, "the send window of stream " + std::to_string(at->first) + " would pass 2^32 - 1");
    return false;
  }
  stream.send_credit += header.length;
  want_data(at->first, stream);
  return true;
}

bool YamuxSession::apply_data(Streams::iterator at, const Header& header) {
  Stream& stream = at->second;
  if (header.length > stream.receive_credit) {
    fail(YamuxCode::protocol, "stream " + std::to_string(at->first) + ": " + std::to_string(header.length) +
                                  " bytes, " + std::to_string(stream.receive_credit) + " were granted");
    return false;
  }
  stream.receive_credit -= header.length;
  if (stream.remote_finished) return true;  // drained
  if (unconsumed_bytes_ + header.length > options_.receive_bytes_max) {
    events_.emplace_back(YamuxReset{at->first, "the session's receive budget is used up"});
    send_reset(at->first);
    if (ended_) return false;
    erase(at);
    return true;
  }
  payload_wanted_ = true;
  return true;
}

void YamuxSession::receive_payload(ByteView bytes) {
  auto at = payload_wanted_ ? streams_.find(frame_.stream) : streams_.end();
  if (at == streams_.end()) return;  // drained: unknown, dead, or reset meanwhile
  at->second.unconsumed += bytes.size();
  unconsumed_bytes_ += bytes.size();
  auto* last = events_.empty() ? nullptr : std::get_if<YamuxReceived>(&events_.back());
  if (last != nullptr && last->id == frame_.stream) {
    append(last->bytes, bytes);
  } else {
    events_.emplace_back(YamuxReceived{frame_.stream, to_bytes(bytes)});
  }
}

void YamuxSession::finish_frame() {
  in_payload_ = false;
  auto at = streams_.find(frame_.stream);
  if (at == streams_.end()) return;
  Stream& stream = at->second;
  if ((frame_.flags & kRst) != 0) {
    if (!stream.closed) events_.emplace_back(YamuxReset{at->first, "the remote reset it"});
    erase(at);
    return;
  }
  if ((frame_.flags & kFin) != 0 && !stream.remote_finished) {
    stream.remote_finished = true;
    stream.grant = 0;
    events_.emplace_back(YamuxRemoteFinished{at->first});
    settle(at);
  }
}

// Closes a stream whose FINs both passed; it is forgotten once its bytes were consumed.
void YamuxSession::settle(Streams::iterator at) {
  Stream& stream = at->second;
  if (!stream.finished || !stream.remote_finished) return;
  if (!stream.closed) {
    stream.closed = true;
    events_.emplace_back(YamuxClosed{at->first});
  }
  if (stream.unconsumed == 0) erase(at);
}

void YamuxSession::erase(Streams::iterator at) {
  const Stream& stream = at->second;
  unconsumed_bytes_ -= stream.unconsumed;
  raised_windows_ -= stream.window - kYamuxInitialWindow;
  if (stream.inbound) --inbound_count_;
  if (!stream.inbound && !stream.acked) --unacked_opens_;
  if (stream.queued_for_control) std::erase(control_, at->first);
  if (stream.queued_for_data) std::erase(data_, at->first);
  streams_.erase(at);
}

void YamuxSession::send_reset(StreamId id) {
  if (resets_.size() >= options_.resets_max) {
    return fail(YamuxCode::internal, "the remote makes us reset streams faster than it reads");
  }
  resets_.push_back(id);
}

void YamuxSession::fail(YamuxCode code, std::string reason) {
  goaway_ = static_cast<std::uint32_t>(code);
  end(*goaway_, false, std::move(reason));
}

void YamuxSession::end(std::uint32_t code, bool by_remote, std::string reason) {
  ended_ = true;
  streams_.clear();
  skipped_remote_.clear();
  pongs_.clear();
  resets_.clear();
  control_.clear();
  data_.clear();
  ping_to_send_.reset();
  inbound_count_ = unacked_opens_ = unconsumed_bytes_ = 0;
  events_.emplace_back(YamuxEnded{code, by_remote, std::move(reason)});
}

void YamuxSession::close(YamuxCode code, std::string reason) {
  if (!ended_) fail(code, std::move(reason));
}

void YamuxSession::tick(Instant now) {
  if (ended_) return;
  if (ping_sent_at_) {
    if (now >= *ping_sent_at_ + options_.pong_max) return fail(YamuxCode::internal, "no answer to a ping in time");
    if (now < silence_deadline()) return;
    if (!last_chance_) {
      last_chance_ = now + kLastChance;
    } else if (now >= *last_chance_) {
      fail(YamuxCode::internal, "silent although a ping waits for its answer");
    }
    return;
  }
  if (now < ping_at()) return;
  ping_to_send_ = ++ping_value_;
  ping_sent_at_ = now;
  ping_due_ = now + options_.ping_interval;
}

Instant YamuxSession::ping_at() const {
  return std::min(ping_due_, heard_at_ + options_.quiet_max);
}

Instant YamuxSession::silence_deadline() const {
  return std::max(*ping_sent_at_, heard_at_) + options_.pong_deadline;
}

std::optional<Instant> YamuxSession::wakes_at() const {
  if (ended_) return std::nullopt;
  if (!ping_sent_at_) return ping_at();
  return std::min(*ping_sent_at_ + options_.pong_max, last_chance_.value_or(silence_deadline()));
}

std::vector<YamuxEvent> YamuxSession::take_events() {
  return std::exchange(events_, {});
}

}  // namespace kms::net
