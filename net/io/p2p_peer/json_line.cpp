#include "net/io/p2p_peer/json_line.h"

#include <cstdio>
#include <utility>

namespace kms::net::io {

namespace {

// Length of the UTF-8 character at the front, 0 if there is none.
std::size_t utf8_size(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto follows = [&](std::size_t count) {
    if (bytes.size() <= count) return false;
    for (std::size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
    }
    return true;
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!follows(2) || (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!follows(3) || (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = utf8_size(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string JsonLine::quoted(std::string_view value) {
  std::string out = "\"";
  while (!value.empty()) {
    const std::size_t size = utf8_size(value);
    const char first = value.front();
    if (size == 0) {
      out += "\\ufffd";
    } else if (first == '"' || first == '\\') {
      out += '\\';
      out += first;
    } else if (size == 1 && static_cast<unsigned char>(first) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(first));
      out += escaped;
    } else {
      out += value.substr(0, size);
    }
    value.remove_prefix(size == 0 ? 1 : size);
  }
  return out + "\"";
}

std::string& JsonLine::key(std::string_view name) {
  if (out_.size() > 1) out_ += ',';
  out_ += quoted(name);
  out_ += ':';
  return out_;
}

JsonLine& JsonLine::text(std::string_view name, std::string_view value) {
  key(name) += quoted(value);
  return *this;
}

JsonLine& JsonLine::number(std::string_view name, std::int64_t value) {
  key(name) += std::to_string(value);
  return *this;
}

JsonLine& JsonLine::truth(std::string_view name, bool value) {
  key(name) += value ? "true" : "false";
  return *this;
}

JsonLine& JsonLine::texts(std::string_view name, const std::vector<std::string>& values) {
  std::string& out = key(name);
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ",") + quoted(values[i]);
  out += ']';
  return *this;
}

JsonLine& JsonLine::raw(std::string_view name, std::string_view json) {
  key(name) += json;
  return *this;
}

}  // namespace kms::net::io
