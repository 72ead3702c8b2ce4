// Frames as a stranger who knows yamux writes them: the fuzzer chooses, the form is right most of the time.
#pragma once

#include "net/yamux_frame.h"
#include "tests/fuzz/fuzzer.h"

namespace kms::fuzz {

struct ScriptedFrame {
  std::uint8_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t stream = 0, length = 0;
  Bytes bytes;  // header and payload
};

// A frame with a stream id below 16 and a payload of the fuzzer's bytes, or of zeros when it is long.
inline ScriptedFrame take_frame(Input& in) {
  ScriptedFrame frame;
  std::uint8_t form = in.byte();
  frame.type = form & 3;
  frame.flags = in.byte() & 15;
  frame.stream = frame.type >= 2 ? 0 : in.byte() & 15;
  ByteView payload;
  if ((form & 0x0c) == 0x0c) {
    frame.length = in.number() & 0x7ffff;
  } else if (frame.type == 0) {
    payload = in.take(form & 0x10 ? in.word() & 0xfff : in.byte());
    frame.length = static_cast<std::uint32_t>(payload.size());
  } else {
    frame.length = in.number();
  }
  net::yamux::put_header(frame.bytes, static_cast<net::yamux::Type>(frame.type), frame.flags, frame.stream,
                         frame.length);
  append(frame.bytes, payload);
  if (frame.type == 0) frame.bytes.resize(net::kYamuxHeaderBytes + frame.length);
  return frame;
}

}  // namespace kms::fuzz
