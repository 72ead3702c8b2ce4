// net/: a host against an authenticated stranger who writes yamux frames and stream bytes of the fuzzer's choice on
// every protocol of the host. The host keeps its bounds and one peer's fault ends one connection.
#include "net/host.h"
#include "tests/fuzz/net_script.h"
#include "tests/fuzz/yamux_script.h"

using namespace kms;
using namespace kms::net;
using fuzz::identity;

namespace {

const std::array<std::string_view, 6> kProtocols{kIdentifyProtocol, kIdentifyPushProtocol, kPingProtocol,
                                                 "/meshsub/1.2.0",  "/objects/1",          "/none/1"};

// The stranger's end: an honest upgrade, then frames.
struct Stranger {
  explicit Stranger(Entropy& entropy) : upgrade(Direction::outbound, identity(1), {}, entropy) {}
  Upgrade upgrade;
  std::optional<Upgrade::Channel> channel;
  ConnectionId id = 0;
  bool is_closed = false;
  StreamId next_stream = 1;
};

class HostWorld {
 public:
  explicit HostWorld(std::uint8_t form) : host_(identity(0), options(form), entropy_, now_) {
    host_.add_service({"/objects/1"}, now_);
    KMS_ASSERT(host_.subscribe("/t/1", now_).has_value());
    for (int i = 0; i < 2; ++i) connect();
  }

  void step(fuzz::Input& in) {
    Stranger& stranger = strangers_[in.byte() % strangers_.size()];
    switch (in.byte() % 8) {
      case 0:
      case 1:
        write(stranger, fuzz::take_frame(in).bytes);
        break;
      case 2:
      case 3:
        open(stranger, in);
        break;
      case 4: {
        Bytes frame;
        StreamId stream = (in.byte() & 15u) * 2 + 1;
        ByteView bytes = in.take(in.byte());
        yamux::put_header(frame, yamux::kData, in.byte() & 12, stream, static_cast<std::uint32_t>(bytes.size()));
        append(frame, bytes);
        write(stranger, frame);
        break;
      }
      case 5:
        fuzz::pass(now_, std::chrono::milliseconds(in.word()));
        host_.tick(now_);
        break;
      case 6:
        use_host(in);
        break;
      default:
        if (in.byte() % 16 == 0) host_.closed(stranger.id, "gone", now_);
    }
    settle();
  }

  void finish() {
    host_.close_all({CloseReason::requested, "done"}, now_);
    settle();
    KMS_ASSERT(host_.connection_count() == 0 && host_.peers().empty());
  }

 private:
  static HostOptions options(std::uint8_t form) {
    HostOptions options;
    options.router.topics.allows_all = (form & 1) != 0;
    options.router.topics.names = {"/t/1"};
    options.unlisted = form & 2 ? PeerClass::committee : PeerClass::light;
    options.yamux.pending_bytes_max = 64 * 1024;
    options.outstanding_bytes_max = 200'000;
    return options;
  }

  void connect() {
    auto id = host_.accepted(Multiaddr::of_tcp(ByteArray<4>{10, 0, 0, 1}, 4001), now_);
    KMS_ASSERT(id.has_value());
    Stranger& stranger = strangers_.emplace_back(entropy_);
    stranger.id = *id;
    settle();
    for (int turn = 0; turn < 8 && !stranger.channel && !stranger.is_closed; ++turn) {
      if (stranger.upgrade.state() == Upgrade::State::authenticated) stranger.upgrade.admit();
      host_.received(stranger.id, stranger.upgrade.take_output(), now_);
      settle();
      if (stranger.upgrade.state() != Upgrade::State::done) continue;
      host_.received(stranger.id, stranger.upgrade.take_output(), now_);
      stranger.channel.emplace(stranger.upgrade.take_channel());
    }
    KMS_ASSERT(stranger.channel);
    settle();
  }

  void write(Stranger& stranger, ByteView frames) {
    if (stranger.is_closed) return;
    Bytes sealed;
    KMS_ASSERT(stranger.channel->sender.encrypt(frames, sealed).has_value());
    host_.received(stranger.id, sealed, now_);
  }

  // A stream that agrees on one of the host's protocols, with the fuzzer's bytes behind.
  void open(Stranger& stranger, fuzz::Input& in) {
    Bytes bytes;
    append_multistream_token(bytes, kMultistreamHeader);
    append_multistream_token(bytes, kProtocols[in.byte() % kProtocols.size()]);
    append(bytes, in.take(in.byte()));
    Bytes frame;
    yamux::put_header(frame, yamux::kData, static_cast<std::uint16_t>(yamux::kSyn | (in.byte() & 4)),
                      stranger.next_stream, static_cast<std::uint32_t>(bytes.size()));
    append(frame, bytes);
    stranger.next_stream += 2;
    write(stranger, frame);
  }

  void use_host(fuzz::Input& in) {
    switch (in.byte() % 4) {
      case 0:
        (void)host_.publish("/t/1", to_bytes(in.take(in.byte())), now_);
        break;
      case 1:
        host_.ping(identity(1).peer_id(), now_);
        break;
      case 2:
        (void)host_.open_service(identity(1).peer_id(), "/objects/1", now_);
        break;
      default:
        if (service_) host_.service_send(*service_, in.take(in.byte()), now_);
    }
  }

  void settle() {
    for (;;) {
      auto effects = host_.take_effects();
      if (effects.transport.empty() && effects.events.empty()) break;
      for (auto& effect : effects.transport) apply(effect);
      for (auto& event : effects.events) {
        if (auto* delivery = std::get_if<PubsubDelivery>(&event)) host_.validated(delivery->id, Verdict::accept, now_);
        if (auto* opened = std::get_if<ServiceOpened>(&event)) service_ = opened->stream;
        if (auto* bytes = std::get_if<ServiceBytes>(&event)) {
          host_.service_consumed(bytes->stream, bytes->bytes.size(), now_);
        }
      }
    }
    KMS_ASSERT(host_.connection_count() <= 2 && host_.queued_bytes(identity(1).peer_id()) < 40'000'000);
  }

  void apply(TransportEffect& effect) {
    if (auto* write = std::get_if<WriteSocket>(&effect)) {
      Stranger& stranger = find(write->id);
      if (!stranger.channel) stranger.upgrade.feed(write->bytes);
      host_.sent(write->id, write->bytes.size(), now_);
    } else if (auto* close = std::get_if<CloseSocket>(&effect)) {
      KMS_ASSERT(!close->cause.text.empty() && close->cause.text.size() < 2000);
      find(close->id).is_closed = true;
    }
  }

  Stranger& find(ConnectionId id) {
    for (Stranger& stranger : strangers_) {
      if (stranger.id == id) return stranger;
    }
    return strangers_.back();
  }

  Now now_ = fuzz::kScriptBegins;
  sim::Random entropy_{4};
  Host host_;
  std::deque<Stranger> strangers_;
  std::optional<StreamKey> service_;
};

}  // namespace

KMS_FUZZER(net_host) {
  fuzz::run_script<HostWorld>(input, 100);
}
