// A Store in memory, for the simulator and for tests, with a disk that can lie: what was committed while it holds
// writes back is lost in a crash.
#pragma once

#include <map>

#include "node/store.h"

namespace kms::node {

class MemoryStore final : public Store {
 public:
  std::optional<Bytes> find(std::string_view key) const override;
  Result<crypto::SecretBytes> open(std::string_view key) const override;
  std::vector<std::string> list(std::string_view prefix) const override;
  void commit(const dkg::Checkpoint& checkpoint) override;
  std::uint64_t commits() const override { return now_.commits; }

  // From here on commits are seen by reads but not durable, until `sync`.
  void hold_writes();
  // Makes everything durable and ends holding.
  void sync();
  // The power fails: back to what is durable; holding ends. The object goes on as the store of the restarted node.
  void crash();
  // The next commit throws StoreFailure and changes nothing.
  void fail_next_commit() { fails_next_ = true; }

 private:
  struct Record {
    Bytes value;                     // of a Put
    std::optional<std::string> kek;  // of a Seal
    crypto::SecretBytes secret;
    Record clone() const;
  };
  struct State {
    std::map<std::string, Record, std::less<>> records;
    std::uint64_t commits = 0;
    State clone() const;
  };
  void apply(const dkg::Put& put);
  void apply(const dkg::Seal& seal);
  void apply(const dkg::Erase& erase);
  void apply(const dkg::DestroyKek& destroy);

  State now_;
  std::optional<State> durable_;  // while holding
  bool fails_next_ = false;
};

}  // namespace kms::node
