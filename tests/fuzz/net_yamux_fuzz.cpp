// net/: a yamux session fed with frames cut anywhere, driven by its own side at the same time. Credit is never
// overdrawn in either direction, every queue keeps its bound, the session ends once.
#include "net/yamux.h"
#include "tests/fuzz/yamux_script.h"

using namespace kms;
using namespace kms::net;

namespace {

class Driver {
 public:
  explicit Driver(YamuxSide side) : session_(side, now_, options()) {}

  void step(fuzz::Input& in) {
    switch (in.byte() % 12) {
      case 0:
      case 1:
      case 2:
      case 3:
        receive_frame(in);
        break;
      case 4:
        session_.receive(in.take(in.byte()), now_);
        knows_grants_ = false;
        break;
      case 5:
        if (auto id = session_.open_stream()) send_credit_[*id] = kYamuxInitialWindow;
        break;
      case 6:
        session_.send(in.byte() & 15, Bytes(in.word() * 4u));
        break;
      case 7:
        session_.finish(in.byte() & 15);
        break;
      case 8:
        session_.reset(in.byte() & 15);
        break;
      case 9: {
        StreamId id = in.byte() & 15;
        if (in.byte() & 1) {
          session_.grow_window(id, in.number() & 0xfffff);
        } else {
          session_.consumed(id, in.word() * 8u);
        }
        break;
      }
      case 10:
        now_ += std::chrono::milliseconds(in.word());
        session_.tick(now_);
        break;
      default:
        take_output(12 + in.word());
    }
    settle();
  }

  void finish() {
    session_.close(YamuxCode::normal, "done");
    settle();
    take_output(1 << 20);
    KMS_ASSERT(ends_ == 1 && session_.stream_count() == 0 && session_.unconsumed_bytes() == 0);
    KMS_ASSERT(!session_.has_output() && !session_.wakes_at());
  }

 private:
  static YamuxOptions options() {
    YamuxOptions options;
    options.pending_bytes_max = 100'000;
    options.inbound_streams_max = 5;
    options.unacked_opens_max = 4;
    options.receive_bytes_max = 600'000;
    options.pongs_max = 3;
    options.resets_max = 40;
    return options;
  }

  void receive_frame(fuzz::Input& in) {
    auto frame = fuzz::take_frame(in);
    if (frame.type == yamux::kWindowUpdate) granted_to_us_[frame.stream] += frame.length;
    fuzz::feed_in_pieces(frame.bytes, frame.length, 70'000, [&](ByteView piece) { session_.receive(piece, now_); });
  }

  void settle() {
    for (auto& event : session_.take_events()) {
      KMS_ASSERT(ends_ == 0);
      if (auto* opened = std::get_if<YamuxOpened>(&event)) {
        KMS_ASSERT(received_.emplace(opened->id, 0).second);
      } else if (auto* bytes = std::get_if<YamuxReceived>(&event)) {
        // What we granted: the first window, and what our window updates said or still will say.
        received_[bytes->id] += bytes->bytes.size();
      } else if (std::holds_alternative<YamuxEnded>(event)) {
        ++ends_;
      }
    }
    KMS_ASSERT(session_.unconsumed_bytes() <= options().receive_bytes_max);
    KMS_ASSERT(session_.stream_count() <= 64 && session_.has_ended() == (ends_ == 1));
    for (StreamId id = 0; id < 16; ++id) {
      KMS_ASSERT(session_.pending(id) <= options().pending_bytes_max);
      KMS_ASSERT(session_.pending(id) + session_.room(id) <= options().pending_bytes_max);
    }
  }

  // Reads our own output as the other end would: whole frames, and no more data than it granted.
  void take_output(std::size_t size_max) {
    Bytes out = session_.take_output(size_max);
    KMS_ASSERT(out.size() <= size_max);
    ByteView rest = out;
    while (!rest.empty()) {
      KMS_ASSERT(rest.size() >= kYamuxHeaderBytes);
      auto u32 = [&](std::size_t at) {
        return std::uint32_t{rest[at]} << 24 | std::uint32_t{rest[at + 1]} << 16 | std::uint32_t{rest[at + 2]} << 8 |
               rest[at + 3];
      };
      std::uint8_t type = rest[1];
      std::uint32_t stream = u32(4);
      std::uint32_t length = u32(8);
      std::size_t size = kYamuxHeaderBytes + (type == yamux::kData ? length : 0);
      KMS_ASSERT(rest.size() >= size);
      if (type == yamux::kData) {
        sent_[stream] += length;
        if (knows_grants_) KMS_ASSERT(sent_[stream] <= kYamuxInitialWindow + granted_to_us_[stream]);
      }
      rest = rest.subspan(size);
    }
  }

  Instant now_{Duration(1h)};
  YamuxSession session_;
  bool knows_grants_ = true;  // raw bytes may hold window updates that are not counted
  int ends_ = 0;
  std::map<StreamId, std::uint64_t> received_, sent_, granted_to_us_, send_credit_;
};

}  // namespace

KMS_FUZZER(net_yamux) {
  fuzz::Input in(input);
  Driver driver(in.byte() & 1 ? YamuxSide::dialer : YamuxSide::listener);
  for (int steps = 0; steps < 300 && !in.is_empty(); ++steps) driver.step(in);
  driver.finish();
}
