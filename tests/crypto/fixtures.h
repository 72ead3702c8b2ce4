// What the tests of crypto/ share: seeded randomness, values from hex text and tables of vectors.
#pragma once

#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/keccak.h"
#include "crypto/point.h"
#include "tests/crypto/vector_file.h"

namespace kms::test {
using namespace crypto;

// Repeatable, and good enough for tests: Keccak of seed and counter.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) { std::memcpy(state_.data(), &seed, sizeof seed); }
  void fill(MutableByteView out) override {
    for (std::size_t i = 0; i < out.size(); i += 32) {
      state_ = keccak256(state_);
      Hash32 block = keccak256(keccak256(state_));
      std::memcpy(out.data() + i, block.data(), std::min<std::size_t>(32, out.size() - i));
    }
  }
  std::uint64_t below(std::uint64_t bound) {
    auto bytes = array<8>();
    std::uint64_t value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value % bound;
  }
  Scalar scalar() { return Scalar::reduce(array<32>()); }

 private:
  Hash32 state_{};
};

inline Scalar scalar(std::string_view text) {
  return Scalar::parse(hex(text)).value();
}
inline SecretScalar secret(std::string_view text) {
  return SecretScalar::parse(hex(text)).value();
}
inline SecretScalar secret(const Scalar& value) {
  return SecretScalar::parse(value.bytes()).value();
}
inline Point point(std::string_view text) {
  return Point::parse(hex(text)).value();
}

// 0, 1, 2, small ones, both sides of half the order, the largest.
inline std::vector<Scalar> edge_scalars() {
  std::vector<Scalar> out;
  for (std::uint64_t value : {0ULL, 1ULL, 2ULL, 3ULL, 0xffffULL, 0xffffffffffffffffULL}) out.emplace_back(value);
  for (std::uint64_t value : {1ULL, 2ULL, 3ULL}) out.push_back(-Scalar(value));
  out.push_back(Scalar(2).inverse());
  out.push_back(-Scalar(2).inverse());
  out.push_back(scalar("0000000000000000ffffffffffffffffffffffffffffffffffffffffffffffff"));
  out.push_back(scalar("fffffffffffffffffffffffffffffffe00000000000000000000000000000000"));
  return out;
}

// A published vector's file that is not part of this repository.
inline std::optional<std::string> read_shared(const std::string& name) {
  const std::string folder = shared_folder();
  std::ifstream file(folder + "/" + name, std::ios::binary);
  if (folder.empty() || !file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline std::string text_of(const boost::json::value& object, std::string_view key) {
  return std::string(object.at(key).as_string());
}

using Row = std::map<std::string, std::string>;
// Comma-separated values without quotes, by the names of the first line.
inline std::vector<Row> rows_of(const std::string& csv) {
  std::vector<std::string> names;
  std::vector<Row> out;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string> cells;
    std::istringstream rest(line);
    for (std::string cell; std::getline(rest, cell, ',');) cells.push_back(cell);
    if (names.empty()) {
      names = cells;
      continue;
    }
    Row row;
    for (std::size_t i = 0; i < cells.size() && i < names.size(); ++i) row[names[i]] = cells[i];
    out.push_back(row);
  }
  return out;
}

}  // namespace kms::test
