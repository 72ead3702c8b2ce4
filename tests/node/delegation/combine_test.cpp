// What a client of form C gets, against values of an independent implementation (tests/oracle).
#include <gtest/gtest.h>

#include "crypto/polynomial.h"
#include "node/delegation/public_jobs.h"
#include "tests/crypto/vector_file.h"
#include "tests/node/delegation/dealt_committee.h"

namespace kms::delegation {
namespace {

using boost::json::value;

Bytes member_of(const value& object, const char* name) {
  return test::hex_of(object.at(name));
}

PartialC partial_of(const value& vector, const value& each) {
  PartialC out;
  out.rh = to_array<32>(member_of(vector, "rh"));
  out.epoch = static_cast<std::uint32_t>(vector.at("epoch").as_int64());
  out.transcript = dkg::TranscriptHash{to_array<32>(member_of(vector, "T"))};
  out.index = static_cast<Position>(each.at("index").as_int64());
  out.u = to_array<33>(member_of(each, "U"));
  out.w = to_array<33>(member_of(each, "W"));
  Bytes proof = member_of(each, "c");
  append(proof, member_of(each, "z_s"));
  append(proof, member_of(each, "z_r"));
  out.proof = to_array<96>(proof);
  return out;
}

TEST(Combine, GivesThe66BytesAndTheBundleHashOfTheOracle) {
  const value vector = test::own_vectors("partial_c.json");
  test::SeededEntropy entropy(1);
  std::size_t checked = 0;
  for (const value& expected : vector.at("combined").as_array()) {
    CombineJob job;
    std::vector<Position> positions;
    for (const value& index : expected.at("from").as_array()) {
      positions.push_back(static_cast<Position>(index.as_int64()));
      for (const value& each : vector.at("partials").as_array()) {
        if (each.at("index") == index) job.partials.push_back(partial_of(vector, each));
      }
    }
    job.weights = crypto::LagrangeCache().at_zero(positions);
    run(job, entropy);
    ASSERT_TRUE(job.result.has_value());
    EXPECT_EQ(to_bytes(job.result->u), member_of(expected, "U"));
    EXPECT_EQ(to_bytes(job.result->w), member_of(expected, "W"));
    EXPECT_EQ(to_bytes(job.result->bundle_hash), member_of(expected, "bundle_hash"));
    ++checked;
  }
  EXPECT_GE(checked, 2u);
}

}  // namespace
}  // namespace kms::delegation
