// Simplex machines, a network and an adversary in virtual time, without cryptography: a signature is nothing, but the
// world remembers who really cast what, and the adversary can only build certificates from that.
#pragma once

#include <queue>

#include "dkg/simplex.h"
#include "tests/sim/random.h"

namespace kms::dkg::test {

struct WorldSettings {
  std::uint16_t members = 4;
  std::uint16_t quorum = 3;
  std::uint16_t liars = 1;   // equivocate, withhold and forge what can be forged
  bool is_stormy = true;     // before GST: loss, partitions, late timers, crashes
  Duration calm_from = 60s;  // GST
  Duration end = 60s;
  std::uint64_t crash_per_mille = 10;
  // Crashes once, at this persist boundary (counted over all members), and nowhere else.
  std::optional<std::uint64_t> crash_at;
};

class SimplexWorld {
 public:
  SimplexWorld(const WorldSettings& settings, std::uint64_t seed);
  void run();

  // Values that a quorum with the help of every liar could be shown to have decided: more than one is a split.
  std::set<ValueHash> decidable() const;
  // Every value that an honest member has decided.
  std::set<ValueHash> decided() const;
  bool have_all_decided() const;
  // Two votes of an honest member that exclude each other, in words; empty if none.
  const std::string& contradiction() const { return contradiction_; }
  std::uint64_t boundaries() const { return boundaries_; }

 private:
  struct Disk {
    std::vector<OwnVote> votes;
    std::vector<AgreementProposal> proposals;
    std::vector<AgreementCertificate> certificates;
    std::set<ValueHash> values;
  };
  struct Member {
    std::optional<Simplex> machine;
    Disk disk;
    Instant repeats_at{};
  };
  struct Packet {
    Instant at{};
    std::uint64_t order = 0;
    Position from = 0;
    Position to = 0;
    std::optional<AgreementVote> vote{};
    std::optional<AgreementProposal> proposal{};
    std::optional<AgreementCertificate> certificate{};
    std::optional<ValueHash> value{};
    bool operator>(const Packet& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };

  SimplexSettings settings_of(Position position) const;
  bool is_liar(Position position) const { return liars_.contains(position); }
  bool is_calm() const { return now_ >= Instant{} + settings_.calm_from; }
  void restart(Position position);
  void settle(Position position);
  bool survives_boundary();
  void publish(Packet packet);
  void post(Packet packet, Position to);
  void deliver(const Packet& packet);
  void repeat(Position position);
  void pull(Position position);
  void lie();
  void split(std::uint32_t view);
  void record(Position voter, const OwnVote& vote);
  std::optional<AgreementCertificate> forge(const OwnVote& statement) const;

  WorldSettings settings_;
  sim::Random random_;
  Instant now_{};
  std::vector<Member> members_;  // at position - 1
  std::set<Position> liars_;
  std::vector<ValueHash> values_;
  std::priority_queue<Packet, std::vector<Packet>, std::greater<>> packets_;
  std::uint64_t order_ = 0;
  std::map<std::pair<std::uint32_t, VoteKind>, std::map<Position, std::set<ValueHash>>> cast_;
  std::string contradiction_;
  std::uint64_t boundaries_ = 0;
};

}  // namespace kms::dkg::test
