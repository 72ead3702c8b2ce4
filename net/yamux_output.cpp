// The sending half of YamuxSession: streams of ours, queues, credit, and frames made on demand.
#include <algorithm>
#include <limits>

#include "net/yamux.h"
#include "net/yamux_frame.h"

namespace kms::net {

using namespace yamux;

namespace yamux {

void put_header(Bytes& out, Type type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length) {
  auto put32 = [&out](std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put32(std::uint32_t{type} << 16 | flags);
  put32(stream);
  put32(length);
}

}  // namespace yamux

Result<StreamId> YamuxSession::open_stream() {
  if (ended_) return error("the yamux session has ended");
  if (unacked_opens_ >= options_.unacked_opens_max) {
    return error(std::to_string(unacked_opens_) + " opened streams are unanswered by the remote; try again later");
  }
  if (next_id_ > std::numeric_limits<StreamId>::max()) return error("the stream ids are used up; reconnect");
  StreamId id = static_cast<StreamId>(next_id_);
  next_id_ += 2;
  Stream& stream = streams_[id];
  stream.open_flag = kSyn;
  ++unacked_opens_;
  want_control(id, stream);
  return id;
}

std::size_t YamuxSession::send(StreamId id, ByteView bytes) {
  auto at = streams_.find(id);
  if (at == streams_.end() || at->second.finishing) return 0;
  bytes = bytes.first(std::min(bytes.size(), room(id)));
  append(at->second.pending, bytes);
  want_data(id, at->second);
  return bytes.size();
}

void YamuxSession::finish(StreamId id) {
  auto at = streams_.find(id);
  if (at == streams_.end() || at->second.finishing) return;
  at->second.finishing = true;
  want_data(id, at->second);
}

void YamuxSession::reset(StreamId id) {
  auto at = streams_.find(id);
  if (at == streams_.end()) return;
  bool is_known_to_remote = at->second.open_flag != kSyn;
  bool is_over = at->second.closed;
  erase(at);
  if (is_known_to_remote && !is_over) send_reset(id);
}

void YamuxSession::consumed(StreamId id, std::size_t size) {
  auto at = streams_.find(id);
  if (at == streams_.end()) return;
  Stream& stream = at->second;
  size = std::min(size, stream.unconsumed);
  stream.unconsumed -= size;
  unconsumed_bytes_ -= size;
  stream.ungranted += size;
  if (!stream.remote_finished && stream.ungranted >= stream.window / 2) {
    stream.receive_credit += stream.ungranted;
    stream.grant += stream.ungranted;
    stream.ungranted = 0;
    want_control(id, stream);
  }
  settle(at);
}

bool YamuxSession::grow_window(StreamId id, std::uint32_t window) {
  auto at = streams_.find(id);
  if (at == streams_.end() || at->second.remote_finished) return false;
  Stream& stream = at->second;
  if (window <= stream.window) return true;
  std::uint64_t delta = window - stream.window;
  if (raised_windows_ + delta > options_.receive_bytes_max / 2) return false;
  raised_windows_ += delta;
  stream.window = window;
  stream.receive_credit += delta;
  stream.grant += delta;
  want_control(id, stream);
  return true;
}

std::size_t YamuxSession::pending(StreamId id) const {
  auto at = streams_.find(id);
  return at == streams_.end() ? 0 : at->second.pending.size() - at->second.pending_from;
}

std::size_t YamuxSession::room(StreamId id) const {
  auto at = streams_.find(id);
  if (at == streams_.end() || at->second.finishing) return 0;
  return options_.pending_bytes_max - std::min(options_.pending_bytes_max, pending(id));
}

bool YamuxSession::is_open(StreamId id) const {
  auto at = streams_.find(id);
  return at != streams_.end() && !at->second.closed;
}

bool YamuxSession::waits_for_credit(StreamId id) const {
  auto at = streams_.find(id);
  return at != streams_.end() && at->second.send_credit == 0 && pending(id) > 0;
}

void YamuxSession::want_control(StreamId id, Stream& stream) {
  if (std::exchange(stream.queued_for_control, true)) return;
  control_.push_back(id);
}

// Only streams that can send a frame now are in the queue.
void YamuxSession::want_data(StreamId id, Stream& stream) {
  bool has_pending = stream.pending.size() > stream.pending_from;
  bool can_send = has_pending ? stream.send_credit > 0 : stream.finishing && !stream.finished;
  if (!can_send || std::exchange(stream.queued_for_data, true)) return;
  data_.push_back(id);
}

bool YamuxSession::has_output() const {
  return goaway_ || !pongs_.empty() || ping_to_send_ || !resets_.empty() || !control_.empty() || !data_.empty();
}

Bytes YamuxSession::take_output(std::size_t max_bytes) {
  Bytes out;
  take_control(out, max_bytes);
  take_stream_data(out, max_bytes);
  if (goaway_ && max_bytes >= out.size() + kYamuxHeaderBytes) {
    put_header(out, kGoAway, 0, 0, *goaway_);
    goaway_.reset();
  }
  return out;
}

void YamuxSession::take_control(Bytes& out, std::size_t max_bytes) {
  auto has_room = [&] { return max_bytes >= out.size() + kYamuxHeaderBytes; };
  for (; !pongs_.empty() && has_room(); pongs_.pop_front()) put_header(out, kPing, kAck, 0, pongs_.front());
  if (ping_to_send_ && has_room()) {
    put_header(out, kPing, kSyn, 0, *ping_to_send_);
    ping_to_send_.reset();
  }
  for (; !resets_.empty() && has_room(); resets_.pop_front()) {
    put_header(out, kWindowUpdate, kRst, resets_.front(), 0);
  }
  for (; !control_.empty() && has_room(); control_.pop_front()) {
    Stream& stream = streams_.at(control_.front());
    std::uint64_t delta = std::min<std::uint64_t>(stream.grant, std::numeric_limits<std::uint32_t>::max());
    put_header(out, kWindowUpdate, stream.open_flag, control_.front(), static_cast<std::uint32_t>(delta));
    stream.open_flag = 0;
    stream.grant = 0;
    stream.queued_for_control = false;
  }
}

void YamuxSession::take_stream_data(Bytes& out, std::size_t max_bytes) {
  // A stream's SYN is a control frame and goes first.
  while (control_.empty() && !data_.empty()) {
    StreamId id = data_.front();
    auto at = streams_.find(id);
    Stream& stream = at->second;
    if (!take_stream_frame(id, stream, out, max_bytes - out.size())) return;
    data_.pop_front();
    stream.queued_for_data = false;
    want_data(id, stream);
    settle(at);
  }
}

// False if the frame does not fit.
bool YamuxSession::take_stream_frame(StreamId id, Stream& stream, Bytes& out, std::size_t room_left) {
  if (room_left < kYamuxHeaderBytes) return false;
  std::size_t pending = stream.pending.size() - stream.pending_from;
  if (pending == 0) {
    put_header(out, kWindowUpdate, kFin, id, 0);
    stream.finished = true;
    return true;
  }
  std::size_t size = std::min({pending, kYamuxDataBytesMax, room_left - kYamuxHeaderBytes});
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, stream.send_credit));
  if (size == 0) return false;
  put_header(out, kData, 0, id, static_cast<std::uint32_t>(size));
  append(out, ByteView(stream.pending).subspan(stream.pending_from, size));
  stream.send_credit -= size;
  stream.sent_ungranted += size;
  stream.pending_from += size;
  if (stream.pending_from >= stream.pending.size() / 2) {
    stream.pending.erase(stream.pending.begin(),
                         stream.pending.begin() + static_cast<std::ptrdiff_t>(stream.pending_from));
    stream.pending_from = 0;
  }
  return true;
}

}  // namespace kms::net
