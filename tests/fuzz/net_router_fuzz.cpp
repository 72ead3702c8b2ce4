// net/: a router among hostile peers: RPCs of the fuzzer's bytes and well-formed ones of its choice. Only signed
// messages of subscribed topics are delivered, each once; what the router writes is within the limits it asks of
// others.
#include <set>

#include "net/router.h"
#include "tests/fuzz/net_script.h"

using namespace kms;
using namespace kms::net;
using fuzz::identity;

namespace {

constexpr std::size_t kPeers = fuzz::kIdentities - 1;  // the router itself is the last
const std::array<std::string, 3> kRouterTopics{"/kms/t/requests/1", "/kms/t/partials/1", "/kms/t/other"};

class RouterWorld {
 public:
  explicit RouterWorld(std::uint8_t form) : router_(identity(kPeers), options(form), entropy_, now_) {
    for (std::size_t i = 0; i < kPeers; ++i) {
      absorb(router_.peer_added(peer(i), i < 2 ? PeerClass::committee : PeerClass::light, now_));
      absorb(router_.outbound_opened(peer(i), MeshsubVersion(i % 3), now_));
    }
    for (std::size_t i = 0; i < 2; ++i) absorb(router_.subscribe(kRouterTopics[i], now_).value());
  }

  void step(fuzz::Input& in) {
    std::size_t from = in.byte() % kPeers;
    switch (in.byte() % 8) {
      case 0: {
        ByteView body = in.take(in.word() & 0x3ff);
        absorb(router_.received(peer(from), body, now_));
        break;
      }
      case 1:
      case 2:
        absorb(router_.received(peer(from), rpc(in), now_));
        break;
      case 3:
        fuzz::pass(now_, std::chrono::milliseconds(in.word() * 4));
        absorb(router_.tick(now_));
        break;
      case 4:
        if (!open_.empty()) {
          absorb(router_.validated(open_.back(), Verdict(in.byte() % 3), now_));
          open_.pop_back();
        }
        break;
      case 5:
        if (auto published = router_.publish(kRouterTopics[in.byte() % 2], to_bytes(in.take(in.byte())), now_)) {
          ids_.push_back(published->id);
          absorb(std::move(published->effects));
        }
        break;
      case 6:
        reconnect(from, in.byte());
        break;
      default:
        finish();
    }
    KMS_ASSERT(router_.validating() <= 8);
  }

  // What is queued is in order.
  void finish() {
    for (std::size_t i = 0; i < kPeers; ++i) {
      while (auto frame = router_.next_frame(peer(i))) {
        RpcFrames frames;
        KMS_ASSERT(frames.feed(*frame).has_value());
        auto body = frames.next();
        KMS_ASSERT(body && !frames.next() && parse_rpc(*body));
      }
    }
  }

 private:
  static const PeerId& peer(std::size_t number) { return identity(number).peer_id(); }

  static RouterOptions options(std::uint8_t form) {
    RouterOptions options;
    options.topics.prefixes = {"/kms/t/"};
    options.policies.otherwise = TopicPolicy(form % 4);
    options.mesh = {
        .target = 2, .low = 1, .high = 3, .score = 1, .out = 1, .flood_publish_bytes = std::size_t{form & 16u}};
    options.send_idontwant = SendIdontwant((form >> 3) % 2);
    options.idontwant_bytes_min = 16;
    options.validating_max = 8;
    options.cache_bytes_max = 4096;
    options.seen_ids_max = 64;
    options.wanted_ids_max = 32;
    options.outbox_limits.rpcs = 6;
    options.outbox_limits.bytes = 8192;
    return options;
  }

  Bytes rpc(fuzz::Input& in) {
    RpcWriter writer;
    for (int parts = in.byte() % 6; parts >= 0; --parts) {
      const std::string& topic = kRouterTopics[in.byte() % kRouterTopics.size()];
      std::vector<Bytes> ids;
      if (!ids_.empty()) ids.push_back(ids_[in.byte() % ids_.size()]);
      ids.push_back(to_bytes(in.take(in.byte() % 24)));
      switch (in.byte() % 8) {
        case 0:
          writer.subscription(in.byte() & 1, topic);
          break;
        case 1:
          writer.ihave(topic, ids);
          break;
        case 2:
          writer.iwant(ids);
          break;
        case 3:
          writer.idontwant(ids);
          break;
        case 4:
          writer.graft(topic);
          break;
        case 5:
          writer.prune(topic, in.byte());
          break;
        default:
          writer.message(message(in, topic).encode());
      }
    }
    Bytes frame = writer.frame();
    Uvarint size;
    KMS_ASSERT(parse_uvarint(frame, size) == UvarintState::complete);
    return to_bytes(ByteView(frame).subspan(size.size));
  }

  PubsubMessage message(fuzz::Input& in, const std::string& topic) {
    std::size_t author = in.byte() % (kPeers + 1);
    auto message = make_signed(identity(author), topic, to_bytes(in.take(in.byte() % 64)), in.byte() % 4);
    std::uint8_t damage = in.byte();
    if (damage % 4 == 1) message.data->push_back(0);
    if (damage % 16 == 2) message.seqno->resize(damage % 9);
    if (damage % 16 == 3) message.signature.reset();
    return message;
  }

  void reconnect(std::size_t number, std::uint8_t form) {
    switch (form % 4) {
      case 0:
        router_.peer_removed(peer(number), now_);
        absorb(router_.peer_added(peer(number), PeerClass::committee, now_));
        break;
      case 1:
        router_.inbound_closed(peer(number));
        break;
      case 2:
        router_.outbound_closed(peer(number));
        break;
      default:
        absorb(router_.outbound_opened(peer(number), MeshsubVersion::v1_1, now_));
    }
  }

  void absorb(PubsubEffects effects) {
    for (auto& delivery : effects.deliver) {
      KMS_ASSERT(router_.is_subscribed(delivery.topic()) && delivery.author);
      auto author = author_of(*delivery.message);
      KMS_ASSERT(author && author->id == *delivery.author && verify_signature(*delivery.message, author->key));
      KMS_ASSERT(*delivery.author != identity(kPeers).peer_id());
      open_.push_back(delivery.id);
      ids_.push_back(std::move(delivery.id));
    }
    for (const PeerId& id : effects.writable) KMS_ASSERT(router_.class_of(id).has_value());
  }

  Now now_ = fuzz::kScriptBegins;
  sim::Random entropy_{9};
  Router router_;
  std::vector<MessageId> open_, ids_;
};

}  // namespace

KMS_FUZZER(net_router) {
  fuzz::run_script<RouterWorld>(input, 60);
}
