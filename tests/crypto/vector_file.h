// Test vectors from JSON files, hex members as bytes; randomness that a test dictates.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/entropy.h"

namespace kms::test {

inline boost::json::value read_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}
inline boost::json::value own_vectors(const std::string& name) {
  return read_json(std::string(KMS_SOURCE_DIR "/tests/vectors/") + name);
}
// The folder of published vectors, or nothing.
inline std::string shared_folder() {
  if (const char* folder = std::getenv("KMS_SHARED")) return folder;
  const std::string beside = KMS_SOURCE_DIR "/../shared";
  return std::ifstream(beside + "/vectors/README.md") ? beside : "";
}
inline Bytes hex(std::string_view text) {
  auto bytes = parse_hex(text);
  EXPECT_TRUE(bytes) << text;
  return bytes ? *bytes : Bytes();
}
inline Bytes hex_of(const boost::json::value& value) {
  return hex(std::string_view(value.as_string()));
}

class ScriptedEntropy final : public Entropy {
 public:
  explicit ScriptedEntropy(Bytes bytes) : bytes_(std::move(bytes)) {}
  void fill(MutableByteView out) override {
    ASSERT_LE(at_ + out.size(), bytes_.size()) << "more randomness drawn than the vector holds";
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), out.size(), out.begin());
    at_ += out.size();
  }
  bool is_used_up() const { return at_ == bytes_.size(); }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

}  // namespace kms::test
