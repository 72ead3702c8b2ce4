// One `uvarint(length) || body` message of a service stream, put together from any cuts. Memory follows what arrived,
// never the length that was claimed.
#pragma once

#include "base/proto_wire.h"
#include "base/result.h"

namespace kms::net {

class LengthFrame {
 public:
  explicit LengthFrame(std::size_t body_max) : body_max_(body_max) {}

  // An error: the length is no uvarint or over the limit, or bytes follow the message. Reset the stream then.
  Result<void> feed(ByteView bytes);
  bool is_complete() const { return header_.size != 0 && bytes_.size() == header_.size + header_.value; }
  bool is_empty() const { return bytes_.empty(); }
  // Of a complete message.
  ByteView body() const { return ByteView(bytes_).subspan(header_.size); }

  static Bytes encode(ByteView body);

 private:
  std::size_t body_max_;
  Bytes bytes_;
  Uvarint header_{};  // size 0: not read yet
};

}  // namespace kms::net
