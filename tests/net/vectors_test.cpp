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
  boost::json::object ours = vectors();
  ours["note"] = theirs.as_object().at("note");
  EXPECT_EQ(ours.size(), theirs.as_object().size());
  for (const auto& section : theirs.as_object()) {
    ASSERT_TRUE(ours.contains(section.key())) << section.key();
    EXPECT_EQ(ours.at(section.key()), section.value()) << section.key();
  }
}

}  // namespace
}  // namespace kms::net
