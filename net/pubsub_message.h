// One pubsub message: the owned form, StrictSign, message ids, and the source of sequence numbers.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "net/identity.h"
#include "net/peer_id.h"
#include "net/pubsub_wire.h"

namespace kms::net {

struct PubsubMessage {
  std::optional<Bytes> from, data, seqno;
  std::optional<std::string> topic;
  std::optional<Bytes> signature, key;

  static PubsubMessage from_view(const MessageView& view);
  ByteView payload() const { return data ? ByteView(*data) : ByteView(); }
  // Fields in tag order, absent ones left out.
  Bytes encode() const;
  // "libp2p-pubsub:" || the encoding without signature and key.
  Bytes signed_bytes() const;
};

enum class SignaturePolicy { strict_sign, strict_no_sign };
// content: SHA-256(uvarint(len topic) || topic || from || seqno || data)[0..20]; from_seqno: from || seqno, for stock
// go peers; sha256_of_data: of unsigned messages. Every peer of a network must use the same one.
enum class MessageIdMode { content, from_seqno, sha256_of_data };
using MessageId = Bytes;

MessageId message_id(MessageIdMode mode, const PubsubMessage& message);

// Strictly increasing: unix nanoseconds at start, then +1 each.
class SeqnoSource {
 public:
  explicit SeqnoSource(Now start) : next_(static_cast<std::uint64_t>(start.unix_ms) * 1'000'000) {}
  std::uint64_t next() { return next_++; }
  // The next one is above `seqno`.
  void outrun(std::uint64_t seqno) { next_ = std::max(next_, seqno + 1); }

 private:
  std::uint64_t next_;
};

// Nothing: absent, or not of 8 bytes.
std::optional<std::uint64_t> seqno_of(const PubsubMessage& message);

// `key` is left out: a reader derives it from an identity PeerId.
PubsubMessage make_signed(const Identity& author, std::string topic, Bytes data, std::uint64_t seqno);
PubsubMessage make_unsigned(std::string topic, Bytes data);

// The author of a message whose required fields are all there and well formed; the text says what is not. Cheap: no
// signature is checked.
struct Author {
  PeerId id;
  PublicKey key;
};
Result<Author> author_of(const PubsubMessage& message);
// One signature check (about 50 us for secp256k1).
bool verify_signature(const PubsubMessage& message, const PublicKey& key);

}  // namespace kms::net
