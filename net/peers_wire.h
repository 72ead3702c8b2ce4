// Messages of /kms/<network>/peers/1, by which a node asks another one where the members are (proto/services.proto,
// LIBP2P.md 9.2). One request and one reply on a stream, each behind its uvarint length.
#pragma once

#include <vector>

#include "net/peer_id.h"

namespace kms::net {

// PeersRequest { repeated Held held = 1; }  Held { bytes peer = 1; uint64 seq = 2; }
struct PeersRequest {
  static constexpr std::size_t kHeldMax = 1024;
  static constexpr std::size_t kBytesMax = 64 * 1024;
  struct Held {
    PeerId peer;
    std::uint64_t seq = 0;  // of the record that the asker has; 0: none
  };
  std::vector<Held> held;  // whom the asker looks for; nobody else is answered
  Bytes encode() const;
  // At most kHeldMax entries, each a well-formed PeerId; other fields are skipped.
  static Result<PeersRequest> parse(ByteView body);
};

// PeersReply { repeated Record records = 1; }  Record { bytes envelope = 1; uint64 age_s = 2; }
struct PeersReply {
  static constexpr std::size_t kRecordsMax = 256;
  static constexpr std::size_t kBytesMax = 256 * 1024;
  static constexpr std::size_t kEnvelopeBytesMax = 4096;
  struct Record {
    Bytes envelope;           // signed, not verified here
    std::uint64_t age_s = 0;  // since the answering node last knew it to be true
  };
  std::vector<Record> records;  // newer ones than the asker holds
  Bytes encode() const;
  static Result<PeersReply> parse(ByteView body);
};

}  // namespace kms::net
