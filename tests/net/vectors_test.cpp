#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "fixtures.h"

namespace kms::net {
namespace {

TEST(Libp2pVectors, AreTheOnesThatTheInteropHarnessPrints) {
  const char* shared = std::getenv("KMS_SHARED");
  std::filesystem::path folder = shared != nullptr ? shared : KMS_SOURCE_DIR "/../shared";
  std::ifstream file(folder / "interop-js/vectors.json");
  if (!file) GTEST_SKIP() << "no interop-js/vectors.json under " << folder << "; set KMS_SHARED";
  std::stringstream text;
  text << file.rdbuf();
  boost::json::value theirs = boost::json::parse(text.str());
  for (const auto& section : vectors()) {
    if (section.key() == "note") continue;
    EXPECT_EQ(section.value(), theirs.as_object().at(section.key())) << section.key();
  }
}

}  // namespace
}  // namespace kms::net
