#include "net/length_frame.h"

#include <algorithm>

namespace kms::net {

Result<void> LengthFrame::feed(ByteView bytes) {
  constexpr std::size_t kHeaderMax = 9;
  while (header_.size == 0 && !bytes.empty()) {
    bytes_.push_back(bytes.front());
    bytes = bytes.subspan(1);
    const auto state = parse_uvarint(bytes_, header_);
    if (state == UvarintState::incomplete && bytes_.size() < kHeaderMax) {
      header_ = {};
      continue;
    }
    if (state != UvarintState::complete) return error("the length of a message is no uvarint");
    if (header_.value > body_max_) {
      return error("a message of " + std::to_string(header_.value) + " bytes; at most " + std::to_string(body_max_));
    }
  }
  if (header_.size == 0) return {};
  const std::size_t missing = header_.size + static_cast<std::size_t>(header_.value) - bytes_.size();
  if (bytes.size() > missing) return error("bytes follow the message");
  append(bytes_, bytes);
  return {};
}

Bytes LengthFrame::encode(ByteView body) {
  Bytes out;
  out.reserve(uvarint_size(body.size()) + body.size());
  append_uvarint(out, body.size());
  append(out, body);
  return out;
}

}  // namespace kms::net
