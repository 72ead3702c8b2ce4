// One JSON object a line, as p2p-peer prints them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kms::net::io {

class JsonLine {
 public:
  JsonLine& text(std::string_view name, std::string_view value);
  JsonLine& number(std::string_view name, std::int64_t value);
  JsonLine& truth(std::string_view name, bool value);
  JsonLine& texts(std::string_view name, const std::vector<std::string>& values);
  JsonLine& raw(std::string_view name, std::string_view json);
  // The object, without a newline.
  std::string take() { return std::exchange(out_, "{") + "}"; }

  // In quotes; control characters and bytes that are no UTF-8 are escaped or replaced.
  static std::string quoted(std::string_view value);

 private:
  std::string& key(std::string_view name);
  std::string out_ = "{";
};

}  // namespace kms::net::io
