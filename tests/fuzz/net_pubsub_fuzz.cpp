// net/: RPC frames, RPCs within their limits, messages.
#include "net/pubsub_message.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::net;

namespace {

void check_rpc(ByteView input) {
  auto rpc = parse_rpc(input);
  if (!rpc) return;
  RpcLimits limits;
  std::size_t ids = 0;
  for (const auto& entry : rpc->ihave) ids += entry.ids.size();
  for (const auto& entry : rpc->iwant) ids += entry.ids.size();
  for (const auto& entry : rpc->idontwant) ids += entry.ids.size();
  KMS_ASSERT(ids <= limits.ids && rpc->messages.size() <= limits.messages);
  KMS_ASSERT(rpc->subscriptions.size() <= limits.subscriptions && rpc->prunes.size() <= limits.prunes);
  KMS_ASSERT(rpc->ihave.size() <= limits.gossip_entries && rpc->grafts.size() <= limits.grafts);
  for (const MessageView& view : rpc->messages) {
    Bytes encoded = PubsubMessage::from_view(view).encode();
    auto again = parse_message(encoded);
    KMS_ASSERT(again && PubsubMessage::from_view(*again).encode() == encoded);
  }
}

void check_pubsub_message(ByteView input) {
  auto view = parse_message(input);
  if (!view) return;
  PubsubMessage message = PubsubMessage::from_view(*view);
  KMS_ASSERT(message_id(MessageIdMode::content, message).size() == 20);
  if (auto author = author_of(message)) {
    KMS_ASSERT(author->id.matches(author->key));
    verify_signature(message, author->key);
  }
}

// However the stream is cut, the same frames come out, and memory follows what has arrived.
void check_frames(ByteView input, std::uint64_t seed) {
  auto read = [&](std::size_t piece_max) {
    std::vector<Bytes> bodies;
    RpcFrames frames(4096);
    bool good = true;
    fuzz::feed_in_pieces(input, seed, piece_max, [&](ByteView piece) {
      if (good) good = frames.feed(piece).has_value();
      while (good) {
        auto body = frames.next();
        if (!body) break;
        KMS_ASSERT(body->size() <= 4096);
        bodies.push_back(std::move(*body));
      }
    });
    return std::pair(good, bodies);
  };
  auto cut = read(9);
  auto whole = read(input.size() + 1);
  KMS_ASSERT(cut.first == whole.first);
  if (cut.first) KMS_ASSERT(cut.second == whole.second);
}

}  // namespace

KMS_FUZZER(net_pubsub) {
  fuzz::Input in(input);
  std::uint64_t seed = in.byte();
  ByteView rest = in.rest();
  check_rpc(rest);
  check_pubsub_message(rest);
  check_frames(rest, seed);
  is_topic(rest);
}
