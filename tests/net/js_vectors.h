// The byte vectors that a js-libp2p peer made, when this machine has them.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <boost/json.hpp>

namespace kms::net {

inline std::optional<boost::json::object> js_vectors() {
  const char* shared = std::getenv("KMS_SHARED");
  std::string folder = shared != nullptr ? shared : KMS_SOURCE_DIR "/../shared";
  std::ifstream file(folder + "/interop-js/vectors.json");
  if (!file) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return boost::json::parse(text).as_object();
}

}  // namespace kms::net

#define KMS_JS_VECTORS_OR_SKIP(name)                                                          \
  auto name##_found = js_vectors();                                                           \
  if (!name##_found) GTEST_SKIP() << "no interop-js/vectors.json; set KMS_SHARED to find it"; \
  const boost::json::object& name = *name##_found
