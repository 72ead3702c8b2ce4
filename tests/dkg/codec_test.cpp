// Bodies have one encoding: whatever parses gives back exactly the bytes it came from.
#include "base/proto_wire.h"
#include "tests/dkg/oracle.h"
#include "tests/dkg/samples.h"

namespace kms::dkg::test {
namespace {

struct RawField {
  ProtoReader::Field field;
  Bytes bytes;
};

Bytes encoded(const ProtoReader::Field& field) {
  ProtoWriter out;
  if (field.type == ProtoReader::Type::varint) {
    out.varint(field.number, field.value);
  } else {
    out.bytes(field.number, field.bytes);
  }
  return out.take();
}

std::vector<RawField> fields_of(const Bytes& body) {
  std::vector<RawField> out;
  ProtoReader reader(body);
  while (auto field = reader.next()) out.push_back({*field, encoded(*field)});
  EXPECT_FALSE(reader.is_malformed());
  return out;
}

Bytes joined(const std::vector<RawField>& fields) {
  Bytes out;
  for (const RawField& field : fields) append(out, field.bytes);
  return out;
}

std::string label(const Sample& sample) {
  return sample.message + " " + sample.shape;
}

TEST(Codec, EveryMessageComesBackAsItWas) {
  std::set<std::string> names;
  for (const Sample& sample : samples()) {
    EXPECT_EQ(sample.again(sample.body), sample.body) << label(sample);
    EXPECT_EQ(joined(fields_of(sample.body)), sample.body) << label(sample);
    names.insert(sample.message);
  }
  EXPECT_EQ(names.size(), std::variant_size_v<Message>);
}

TEST(Codec, WhateverParsesGivesBackItsBytesWithAnyByteChanged) {
  for (const Sample& sample : samples()) {
    std::size_t step = sample.body.size() > 4000 ? 61 : 1;
    for (std::size_t i = 0; i < sample.body.size(); i += step) {
      Bytes altered = sample.body;
      altered[i] ^= static_cast<std::uint8_t>(1 + i % 255);
      auto again = sample.again(altered);
      EXPECT_EQ(again.value_or(altered), altered) << label(sample) << " at " << i;
    }
  }
}

TEST(Codec, TruncatedBodiesAreRefusedOrAnotherMessage) {
  for (const Sample& sample : samples()) {
    std::size_t step = sample.body.size() > 4000 ? 61 : 1;
    for (std::size_t size = 0; size < sample.body.size(); size += step) {
      Bytes cut(sample.body.begin(), sample.body.begin() + static_cast<std::ptrdiff_t>(size));
      auto again = sample.again(cut);
      EXPECT_EQ(again.value_or(cut), cut) << label(sample);
    }
  }
}

TEST(Codec, UnknownFieldsAreRefused) {
  for (const Sample& sample : samples()) {
    for (std::uint32_t number : {31u, 99u, 100000u}) {
      ProtoWriter extra;
      extra.varint(number, 1);
      Bytes body = sample.body;
      append(body, extra.view());
      EXPECT_FALSE(sample.again(body)) << label(sample);
    }
  }
}

TEST(Codec, FieldsThatAreMissingRepeatedOrSwappedNeverGiveTheSameMessage) {
  for (const Sample& sample : samples()) {
    auto fields = fields_of(sample.body);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      auto doubled = fields;
      doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), fields[i]);
      Bytes body = joined(doubled);
      auto again = sample.again(body);
      bool may_repeat =
          sample.message == "FetchReply" || sample.message == "HaveObjects" || sample.message == "Fetch" ||
          (sample.message == "Active" && fields[i].field.number == 4) ||
          (sample.message == "RepairDelta" && fields[i].field.number == 3) ||
          (sample.message == "RepairSigma" && (fields[i].field.number == 4 || fields[i].field.number == 6)) ||
          sample.message == "NodeStatus" || sample.message == "EpochChain" ||
          (sample.message == "Proposal" && fields[i].field.number == 11);
      EXPECT_EQ(again.has_value(), may_repeat && again == body) << label(sample) << " field " << fields[i].field.number;
      auto without = fields;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      again = sample.again(joined(without));
      EXPECT_NE(again, sample.body);
      if (i + 1 < fields.size() && fields[i].field.number != fields[i + 1].field.number) {
        auto swapped = fields;
        std::swap(swapped[i], swapped[i + 1]);
        EXPECT_FALSE(sample.again(joined(swapped))) << label(sample) << " field " << fields[i].field.number;
      }
    }
  }
}

TEST(Codec, DefaultsWrittenOutAreRefused) {
  for (const Sample& sample : samples()) {
    auto fields = fields_of(sample.body);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      auto longer = fields;
      Bytes& bytes = longer[i].bytes;
      if (fields[i].field.type != ProtoReader::Type::varint) continue;
      bytes.back() |= 0x80;  // the same number, not minimal
      bytes.push_back(0);
      EXPECT_FALSE(sample.again(joined(longer))) << label(sample) << " field " << fields[i].field.number;
    }
  }
}

TEST(Codec, HashesPointsAndNumbersHaveTheirBounds) {
  for (const Sample& sample : samples()) {
    auto fields = fields_of(sample.body);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      auto altered = fields;
      ProtoReader::Field field = fields[i].field;
      Bytes longer = to_bytes(field.bytes);
      longer.push_back(1);
      bool is_open = sample.message == "FetchReply" || sample.message == "Equivocation";
      if (field.type == ProtoReader::Type::bytes && !is_open) {
        field.bytes = longer;
        altered[i].bytes = encoded(field);
        EXPECT_FALSE(sample.again(joined(altered))) << label(sample) << " field " << field.number;
      } else if (field.type == ProtoReader::Type::varint) {
        bool is_time = (sample.message == "Approval" && field.number == 12) ||
                       (sample.message == "CeremonyHeader" && field.number == 23) ||
                       (sample.message == "RepairRequest" && field.number == 10);
        field.value = std::uint64_t{1} << 32;
        altered[i].bytes = encoded(field);
        EXPECT_EQ(sample.again(joined(altered)).has_value(), is_time) << label(sample) << " field " << field.number;
      }
    }
  }
}

// A body with field `number` (its last occurrence) standing `count` times.
Bytes repeated(const Sample& sample, std::uint32_t number, std::size_t count) {
  std::vector<RawField> out;
  auto fields = fields_of(sample.body);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].field.number != number) {
      out.push_back(fields[i]);
      continue;
    }
    bool is_last = i + 1 == fields.size() || fields[i + 1].field.number != number;
    if (is_last) out.insert(out.end(), count, fields[i]);
  }
  return joined(out);
}

const Sample& sample_of(std::string_view message) {
  for (const Sample& sample : samples()) {
    if (sample.message == message) return sample;
  }
  throw std::runtime_error("no sample of " + std::string(message));
}

TEST(Codec, CountsAreBounded) {
  struct Bound {
    const char* message;
    std::uint32_t field;
    std::size_t most;
  };
  for (Bound bound : {Bound{"HaveObjects", 2, 64}, Bound{"Fetch", 1, 64}, Bound{"FetchReply", 1, 64},
                      Bound{"NodeStatus", 1, 64}, Bound{"Proposal", 11, 256}, Bound{"Active", 4, 16},
                      Bound{"RepairDelta", 3, 16}, Bound{"RepairSigma", 4, 16}, Bound{"RepairSigma", 6, 128}}) {
    const Sample& sample = sample_of(bound.message);
    EXPECT_TRUE(sample.again(repeated(sample, bound.field, bound.most))) << bound.message;
    EXPECT_FALSE(sample.again(repeated(sample, bound.field, bound.most + 1))) << bound.message;
  }
  const Sample& announce = sample_of("PreKeyAnnounce");
  for (std::size_t count : {0u, 7u, 9u}) EXPECT_FALSE(announce.again(repeated(announce, 6, count)));
}

TEST(Codec, ListsAreBoundedAndIncreasing) {
  auto body = [](std::size_t count, bool is_increasing) {
    Candidate candidate{SlotId{{1}}, Sid{{2}}, 1, 0, {}};
    for (std::size_t i = 1; i <= count; ++i) {
      candidate.list.push_back({static_cast<Position>(is_increasing ? i : count + 1 - i), DealHash{{1}}});
    }
    return candidate.body();
  };
  EXPECT_TRUE(Candidate::parse(body(128, true)));
  EXPECT_FALSE(Candidate::parse(body(129, true)));
  EXPECT_FALSE(Candidate::parse(body(2, false)));
  EXPECT_FALSE(Candidate::parse(body(0, true)));
}

TEST(Codec, DealsKeepTheirCountsWithinSixteenKeysAnd128Members) {
  auto deal = parsed<Deal>(sample_of("Deal").body);
  auto accepts = [](const Deal& altered) { return Deal::parse(altered.body()).has_value(); };
  Deal many = deal;
  many.keys.resize(16, deal.keys[0]);
  many.responses.resize(16, deal.responses[0]);
  EXPECT_TRUE(accepts(many));
  many.keys.push_back(deal.keys[0]);
  many.responses.push_back(deal.responses[0]);
  EXPECT_FALSE(accepts(many));
  Deal wide = deal;
  for (DealKey& key : wide.keys) {
    key.commitments.resize(128, deal.keys[0].commitments[0]);
    key.ciphertexts.resize(128);
  }
  EXPECT_TRUE(accepts(wide));
  for (DealKey& key : wide.keys) key.ciphertexts.resize(129);
  EXPECT_FALSE(accepts(wide));
  Deal uneven = deal;
  uneven.keys[0].commitments.pop_back();
  EXPECT_FALSE(accepts(uneven));
  Deal no_response = deal;
  no_response.responses.pop_back();
  EXPECT_FALSE(accepts(no_response));
  Deal stranger = deal;
  stranger.dealer = 129;
  EXPECT_FALSE(accepts(stranger));
  stranger.dealer = 0;
  EXPECT_FALSE(accepts(stranger));
}

}  // namespace
}  // namespace kms::dkg::test
