#include "net/io/p2p_peer/json_line.h"

#include <cstdio>
#include <utility>

#include "base/utf8.h"

namespace kms::net::io {

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
