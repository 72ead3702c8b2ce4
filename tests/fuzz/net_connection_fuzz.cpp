// net/: two connections over a channel that cuts and delays as the fuzzer says and may change bytes. Without a change
// nobody complains and everything sent arrives in the end; with one, what was received is still a beginning of what was
// sent; queues keep their bound; each end ends once.
#include "net/connection.h"
#include "tests/fuzz/net_script.h"

using namespace kms;
using namespace kms::net;
using fuzz::content;
using fuzz::identity;

namespace {

constexpr std::size_t kPendingMax = 20'000;

struct End {
  End(Direction direction, EarlyMuxer early, std::uint64_t seed, Now now)
      : entropy(seed),
        connection(direction, identity(direction == Direction::outbound ? 0 : 1),
                   std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"/echo/1", "/other/1"}),
                   options(early), entropy, now) {}
  static ConnectionOptions options(EarlyMuxer early) {
    ConnectionOptions options;
    options.upgrade.early_muxer = early;
    options.yamux.pending_bytes_max = kPendingMax;
    return options;
  }
  sim::Random entropy;
  Connection connection;
  Bytes channel;  // written, on its way to the other end
  std::map<StreamId, std::size_t> sent, received;
  std::set<StreamId> agreed;
  int ends = 0;
  CloseReason reason = CloseReason::requested;
};

class ConnectionWorld {
 public:
  explicit ConnectionWorld(std::uint8_t form)
      : dialler_(Direction::outbound, EarlyMuxer(form & 1), 1, now_),
        listener_(Direction::inbound, EarlyMuxer(form >> 1 & 1), 2, now_) {}

  void step(fuzz::Input& in) {
    std::uint8_t choice = in.byte();
    End& self = choice & 0x80 ? dialler_ : listener_;
    Connection& connection = self.connection;
    StreamId id = choice >> 4 & 7;
    switch (choice & 15) {
      case 0:
        connection.open_stream({"/none/1", "/echo/1"}, now_);
        break;
      case 1:
        connection.open_stream({"/other/1"}, now_);
        break;
      case 2:
      case 3:
        send(self, id, in.word());
        break;
      case 4:
        if (self.agreed.contains(id)) connection.finish(id);
        break;
      case 5:
        connection.reset(id);
        self.agreed.erase(id);
        reset_.insert(id);
        break;
      case 6:
        connection.consumed(id, in.word());
        break;
      case 7:
        if (!self.channel.empty()) {
          std::uint8_t change = in.byte();
          self.channel[in.word() % self.channel.size()] ^= change;
          is_changed_ = is_changed_ || change != 0;
        }
        break;
      case 8:
        if (in.byte() == 7) {
          fuzz::pass(now_, std::chrono::seconds(in.byte()));
          connection.tick(now_);
          is_changed_ = true;  // time-outs may end it, and its streams
        }
        break;
      case 9:
        if (in.byte() == 9) {
          connection.close({CloseReason::requested, "closed"});
          is_closed_ = true;
        }
        break;
      default:
        deliver(self, in.word());
    }
    settle(dialler_, listener_);
    settle(listener_, dialler_);
  }

  void finish() {
    int turns = 0;
    for (bool moves = true; moves;) {
      moves = drain(dialler_);
      moves = drain(listener_) || moves;
      KMS_ASSERT(++turns < 2000);
    }
    if (!is_changed_ && !is_closed_) {
      check_complete(dialler_, listener_);
      check_complete(listener_, dialler_);
    }
    for (End* end : {&dialler_, &listener_}) {
      end->connection.channel_closed("over");
      settle(*end, end == &dialler_ ? listener_ : dialler_);
      KMS_ASSERT(end->ends == 1 && end->connection.has_ended() && !end->connection.wakes_at());
      bool fault = end->reason == CloseReason::protocol_violation || end->reason == CloseReason::security_failed ||
                   end->reason == CloseReason::muxer_failed;
      KMS_ASSERT(!fault || is_changed_);
    }
  }

 private:
  void send(End& self, StreamId id, std::size_t size) {
    if (!self.agreed.contains(id)) return;
    // Mostly small; now and then more than the queue takes.
    size = size % 16 == 0 ? size % 30'000 : size % 1'500;
    const std::size_t taken = self.connection.send(id, content(id, self.sent[id], size));
    KMS_ASSERT(taken <= size && self.connection.pending(id) <= kPendingMax);
    self.sent[id] += taken;
  }

  // True while anything moves.
  bool drain(End& from) {
    const bool moves = from.connection.has_output() || !from.channel.empty();
    for (const auto& [id, size] : from.received) from.connection.consumed(id, size);
    deliver(from, 100'000);
    settle(dialler_, listener_);
    settle(listener_, dialler_);
    return moves;
  }

  void check_complete(const End& sender, const End& receiver) const {
    for (const auto& [id, size] : sender.sent) {
      if (size == 0 || reset_.contains(id)) continue;
      const auto got = receiver.received.find(id);
      KMS_ASSERT(got != receiver.received.end() && got->second == size);
    }
  }

  void deliver(End& from, std::size_t size) {
    append(from.channel, from.connection.take_output(4096));
    size = std::min(size, from.channel.size());
    Bytes piece(from.channel.begin(), from.channel.begin() + static_cast<std::ptrdiff_t>(size));
    from.channel.erase(from.channel.begin(), from.channel.begin() + static_cast<std::ptrdiff_t>(size));
    (&from == &dialler_ ? listener_ : dialler_).connection.receive(piece, now_);
  }

  void settle(End& self, const End& other) {
    for (auto& event : self.connection.take_events()) {
      KMS_ASSERT(self.ends == 0);
      if (auto* authenticated = std::get_if<ConnectionAuthenticated>(&event)) {
        KMS_ASSERT(authenticated->peer == identity(&self == &dialler_ ? 1 : 0).peer_id());
        self.connection.admit(now_);
      } else if (auto* agreed = std::get_if<StreamAgreed>(&event)) {
        self.agreed.insert(agreed->id);
      } else if (auto* accepted = std::get_if<StreamAccepted>(&event)) {
        self.agreed.insert(accepted->id);
      } else if (auto* bytes = std::get_if<StreamBytes>(&event)) {
        receive(self, other, *bytes);
      } else if (auto* gone = std::get_if<StreamGone>(&event)) {
        self.agreed.erase(gone->id);
      } else if (auto* ended = std::get_if<ConnectionEnded>(&event)) {
        ++self.ends;
        self.reason = ended->cause.reason;
      }
    }
    // `admit` and `close` make events of their own.
    if (self.ends == 0 && self.connection.has_ended()) settle(self, other);
  }

  static void receive(End& self, const End& other, const StreamBytes& bytes) {
    std::size_t& received = self.received[bytes.id];
    const auto sent = other.sent.find(bytes.id);
    KMS_ASSERT(sent != other.sent.end() && received + bytes.bytes.size() <= sent->second);
    KMS_ASSERT(fuzz::is_content(bytes.id, received, bytes.bytes));
    received += bytes.bytes.size();
  }

  Now now_ = fuzz::kScriptBegins;
  bool is_changed_ = false, is_closed_ = false;
  std::set<StreamId> reset_;
  End dialler_, listener_;
};

}  // namespace

KMS_FUZZER(net_connection) {
  fuzz::run_script<ConnectionWorld>(input, 400);
}
