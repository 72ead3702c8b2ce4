// One node's store: what a Checkpoint left behind survives a crash, everything else does not.
#pragma once

#include <map>
#include <set>

#include "dkg/effects.h"

namespace kms::sim {

class Disk final : public dkg::Records {
 public:
  void apply(const dkg::Checkpoint& checkpoint);

  std::optional<Bytes> find(std::string_view key) const override;
  Result<crypto::SecretBytes> open(std::string_view key) const override;
  std::vector<std::string> list(std::string_view prefix) const override;

  bool is_destroyed(const std::string& kek) const { return destroyed_.contains(kek); }
  // Sealed records whose key-encryption key still exists.
  std::size_t readable_secrets() const;
  // The public records alone: two runs that end the same have the same ones.
  const std::map<std::string, Bytes>& plain() const { return plain_; }

 private:
  struct Box {
    std::string kek;
    Bytes content;
  };
  std::map<std::string, Bytes> plain_;
  std::map<std::string, Box> sealed_;
  std::set<std::string> destroyed_;
};

}  // namespace kms::sim
