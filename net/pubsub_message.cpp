#include "net/pubsub_message.h"

#include "base/assert.h"
#include "crypto/transcript.h"

namespace kms::net {
namespace {

constexpr std::string_view kSignedPrefix = "libp2p-pubsub:";
constexpr std::size_t kSeqnoBytes = 8;
constexpr std::size_t kContentIdBytes = 20;

std::optional<Bytes> owned(const std::optional<ByteView>& view) {
  if (!view) return std::nullopt;
  return to_bytes(*view);
}

void put(ProtoWriter& writer, std::uint32_t field, const std::optional<Bytes>& value) {
  if (value) writer.bytes(field, *value);
}

ProtoWriter write_unsigned(const PubsubMessage& message) {
  ProtoWriter writer;
  put(writer, 1, message.from);
  put(writer, 2, message.data);
  put(writer, 3, message.seqno);
  if (message.topic) writer.text(4, *message.topic);
  return writer;
}

ByteView view_of(const std::optional<Bytes>& value) {
  return value ? ByteView(*value) : ByteView();
}

}  // namespace

PubsubMessage PubsubMessage::from_view(const MessageView& view) {
  PubsubMessage message{owned(view.from), owned(view.data),      owned(view.seqno),
                        std::nullopt,     owned(view.signature), owned(view.key)};
  if (view.topic) message.topic = std::string(as_text(*view.topic));
  return message;
}

Bytes PubsubMessage::encode() const {
  ProtoWriter writer = write_unsigned(*this);
  put(writer, 5, signature);
  put(writer, 6, key);
  return writer.take();
}

Bytes PubsubMessage::signed_bytes() const {
  Bytes out = to_bytes(as_bytes(kSignedPrefix));
  append(out, write_unsigned(*this).view());
  return out;
}

MessageId message_id(MessageIdMode mode, const PubsubMessage& message) {
  if (mode == MessageIdMode::from_seqno) {
    MessageId id = to_bytes(view_of(message.from));
    append(id, view_of(message.seqno));
    return id;
  }
  if (mode == MessageIdMode::sha256_of_data) {
    Hash32 hash = crypto::sha256(message.payload());
    return to_bytes(hash);
  }
  Bytes content;
  std::string_view topic = message.topic ? std::string_view(*message.topic) : std::string_view();
  append_uvarint(content, topic.size());
  append(content, as_bytes(topic));
  append(content, view_of(message.from));
  append(content, view_of(message.seqno));
  append(content, message.payload());
  Hash32 hash = crypto::sha256(content);
  return to_bytes(ByteView(hash).first(kContentIdBytes));
}

PubsubMessage make_signed(const Identity& author, std::string topic, Bytes data, std::uint64_t seqno) {
  PubsubMessage message = make_unsigned(std::move(topic), std::move(data));
  message.from = to_bytes(author.peer_id().bytes());
  Bytes& bytes = message.seqno.emplace(kSeqnoBytes);
  for (std::size_t i = kSeqnoBytes; i-- > 0; seqno >>= 8) bytes[i] = static_cast<std::uint8_t>(seqno);
  message.signature = author.sign(message.signed_bytes());
  return message;
}

PubsubMessage make_unsigned(std::string topic, Bytes data) {
  PubsubMessage message;
  message.data = std::move(data);
  message.topic = std::move(topic);
  return message;
}

std::optional<std::uint64_t> seqno_of(const PubsubMessage& message) {
  if (!message.seqno || message.seqno->size() != kSeqnoBytes) return std::nullopt;
  std::uint64_t seqno = 0;
  for (const std::uint8_t byte : *message.seqno) seqno = seqno << 8 | byte;
  return seqno;
}

Result<Author> author_of(const PubsubMessage& message) {
  if (!message.from) return error("no author");
  if (!message.seqno) return error("no seqno");
  if (message.seqno->size() != kSeqnoBytes) return error("a seqno that is not 8 bytes");
  if (!message.signature) return error("no signature");
  if (!message.topic || message.topic->empty()) return error("no topic");
  auto id = PeerId::parse(*message.from);
  if (!id) return id.error();
  auto key = message.key ? PublicKey::parse(*message.key) : id->public_key();
  if (!key) return key.error();
  if (!id->matches(*key)) return error("the key is not that of the author " + id->text());
  return Author{*id, *key};
}

bool verify_signature(const PubsubMessage& message, const PublicKey& key) {
  return message.signature && key.verify(message.signed_bytes(), *message.signature);
}

}  // namespace kms::net
