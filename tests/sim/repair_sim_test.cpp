// A member that was not there when the key was made gets its share from others (PROTOCOL.md 4.8).
#include <gtest/gtest.h>

#include "dkg/repair_parts.h"
#include "tests/sim/checkers.h"

namespace kms::sim {
namespace {

constexpr std::size_t kLate = 2;
enum class Lie { none, part, parts_of_another_share, two_deltas, sum, sum_of_others, name_honest };

// A giver that lies in repairs and is honest otherwise.
class LyingGiver final : public Machine {
 public:
  LyingGiver(std::unique_ptr<Machine> honest, Committee& committee, dkg::Position self, Lie lie)
      : honest_(std::move(honest)), committee_(committee), self_(self), lie_(lie) {}
  Output receive(const Bytes& message, Now now) override {
    const auto envelope = dkg::Envelope::parse(message);
    if (envelope && envelope->type == dkg::MessageType::repair_request) {
      auto request = dkg::RepairRequest::parse(envelope->body).value();
      const auto rid = request.rid();
      terms_.emplace(rid, dkg::RepairTerms{std::move(request), rid, 1});
    }
    return twist(honest_->receive(message, now));
  }
  Output tick(Now now) override { return twist(honest_->tick(now)); }
  std::optional<Instant> wakes_at() const override { return honest_->wakes_at(); }
  Output connected(const std::set<std::size_t>& members, Now now) override {
    return twist(honest_->connected(members, now));
  }
  Machine& honest() { return *honest_; }
  LyingGiver* partner = nullptr;
  std::size_t lies = 0;

 private:
  Output twist(Output output) {
    std::vector<Bytes> second;
    for (auto& message : output.send) {
      const auto envelope = dkg::Envelope::parse(message);
      if (!envelope) continue;
      if (envelope->type == dkg::MessageType::repair_delta && envelope->sender == own_node()) {
        if (lie_ == Lie::two_deltas) second.push_back(message);
        message = delta(*envelope, message);
      }
      if (envelope->type == dkg::MessageType::repair_sigma) message = sigma(*envelope, message);
    }
    output.send.insert(output.send.end(), second.begin(), second.end());
    return output;
  }
  dkg::NodeId own_node() const { return {committee_.nodes[self_ - 1u].node_id()}; }
  Bytes delta(const dkg::Envelope& envelope, const Bytes& message) {
    if (lie_ != Lie::part && lie_ != Lie::parts_of_another_share && lie_ != Lie::two_deltas) return message;
    auto terms = terms_.at(dkg::RepairDelta::parse(envelope.body)->rid);
    const auto seed = crypto::Secret<32>::copy_of(terms.rid.view());
    dkg::KeyScalars shares;
    for (const auto& share : *static_cast<CeremonyMachine&>(*honest_).ceremony().shares()) {
      shares.push_back(lie_ == Lie::parts_of_another_share ? share + crypto::Scalar(1) : share.clone());
    }
    // Encrypted to a key that is not the last giver's: commitments and proof are right, the part is garbage.
    if (lie_ == Lie::part) terms.request.givers.back().key = crypto::Point::second_generator();
    ++lies;
    Random random(7);  // the same lie each time
    return dkg::seal(dkg::make_delta(terms, self_, shares, seed, random), committee_.nodes[self_ - 1u],
                     committee_.plan.network_id)
        .encode();
  }
  Bytes sigma(const dkg::Envelope& envelope, const Bytes& message) {
    if (lie_ != Lie::sum && lie_ != Lie::sum_of_others && lie_ != Lie::name_honest) return message;
    auto deltas = dkg::RepairSigma::parse(envelope.body)->deltas;
    if (lie_ == Lie::sum_of_others) deltas.front().bytes[0] ^= 1;
    const auto& terms = terms_.at(dkg::RepairSigma::parse(envelope.body)->rid);
    if (lie_ == Lie::name_honest) {
      // One of the two at a time, so that the other is chosen again.
      const bool is_turn = !partner->lied_in_.contains(terms.rid) && lies <= partner->lies;
      if (!is_turn && !lied_in_.contains(terms.rid)) return message;
      lied_in_.insert(terms.rid);
      for (std::size_t place = 0; place < deltas.size(); ++place) {
        const auto giver = terms.request.givers[place].position;
        if (giver != self_ && giver != partner->self_) deltas[place].bytes[0] ^= 1;
      }
    }
    dkg::KeyScalars sums;
    sums.push_back(crypto::SecretScalar{} + crypto::Scalar(4711));
    lies = lie_ == Lie::name_honest ? lied_in_.size() : lies + 1;
    Random random(7);
    return dkg::seal(dkg::make_sigma(terms, self_, std::move(deltas), sums,
                                     crypto::Secret<32>::copy_of(terms.rid.view()), random),
                     committee_.nodes[self_ - 1u], committee_.plan.network_id)
        .encode();
  }

  std::unique_ptr<Machine> honest_;
  Committee& committee_;
  dkg::Position self_;
  Lie lie_;
  std::map<dkg::Rid, dkg::RepairTerms> terms_;
  std::set<dkg::Rid> lied_in_;
};

struct RepairTrial {
  RepairTrial(Schedule schedule, std::uint64_t seed, dkg::Position liar = 0, Lie lie = Lie::none, std::uint16_t n = 5,
              std::uint16_t t = 3, std::size_t keys = 1, dkg::Position second_liar = 0)
      : committee(n, t, seed, keys),
        honest(committee.boot()),
        world(
            with(schedule, n), seed,
            [this, liar, lie, second_liar](std::size_t member, const Disk& disk, Now now) -> std::unique_ptr<Machine> {
              auto machine = honest(member, disk, now);
              machines[member] = static_cast<CeremonyMachine*>(machine.get());
              if (member != liar && member != second_liar) return machine;
              const auto self = static_cast<dkg::Position>(member);
              auto made = std::make_unique<LyingGiver>(std::move(machine), committee, self, lie);
              liars.push_back(made.get());
              for (auto* one : liars) one->partner = one == liars.front() ? liars.back() : liars.front();
              return made;
            },
            [this, liar, second_liar](std::size_t member, const Bytes& message) {
              see(member, message, member == second_liar ? second_liar : liar);
            }) {}

  static Schedule with(Schedule schedule, std::size_t members) {
    schedule.members = members;
    if (schedule.starts.empty()) schedule.starts = {{kLate, 60s}};
    return schedule;
  }
  void see(std::size_t member, const Bytes& message, dkg::Position liar) {
    const auto envelope = dkg::Envelope::parse(message);
    // Also what another said is shown at times.
    const bool is_own = envelope && envelope->sender.bytes == committee.nodes[member - 1].node_id();
    if (member != liar && is_own) fields.see(member, message);
    if (envelope && envelope->type == dkg::MessageType::repair_request) {
      requests.emplace(dkg::RepairRequest::parse(envelope->body)->rid(), envelope->body);
    }
  }
  const dkg::Ceremony* ceremony(std::size_t member) {
    return world.machine(member) == nullptr ? nullptr : &machines.at(member)->ceremony();
  }
  bool holds(std::size_t member) {
    const auto* one = ceremony(member);
    return one != nullptr && one->is_released() && one->shares() != nullptr;
  }
  bool all_hold(std::size_t but = 0) {
    for (std::size_t member = 1; member <= committee.nodes.size(); ++member) {
      if (member != but && !holds(member)) return false;
    }
    return true;
  }
  void go() {
    world.run([&] { return all_hold(); });
  }
  std::string verdict() {
    std::vector<const dkg::Ceremony*> finishers;
    for (std::size_t member = 1; member <= committee.nodes.size(); ++member) {
      if (holds(member)) finishers.push_back(ceremony(member));
    }
    if (!fields.verdict().empty()) return fields.verdict();
    return check_key(committee.plan, finishers);
  }
  // Who is blamed with evidence, over all machines that run.
  std::set<dkg::Position> blamed() {
    std::set<dkg::Position> out;
    for (std::size_t member = 1; member <= committee.nodes.size(); ++member) {
      if (world.machine(member) == nullptr) continue;
      for (const auto& event : machines.at(member)->events()) {
        if (event.kind == dkg::Event::Kind::blame) out.insert(event.culprit);
      }
    }
    return out;
  }
  std::string story() {
    std::string out;
    for (std::size_t member = 1; member <= committee.nodes.size(); ++member) {
      out += "\n member " + std::to_string(member) + ": ";
      if (world.machine(member) == nullptr) {
        out += "down";
        continue;
      }
      out += std::string(dkg::name_of(ceremony(member)->status().phase)) + ", " + ceremony(member)->status().summary;
      for (const auto& event : machines.at(member)->events()) {
        if (event.kind != dkg::Event::Kind::progress)
          out += "\n    " + std::to_string(event.culprit) + " " + event.text;
      }
    }
    return out + "\n at " + std::to_string(world.now().instant.time_since_epoch() / 1ms) + " ms";
  }

  Committee committee;
  Boot honest;
  FieldChecker fields;
  std::map<std::size_t, CeremonyMachine*> machines;
  std::vector<LyingGiver*> liars;
  std::map<dkg::Rid, Bytes> requests;
  World world;
};

TEST(RepairSim, AMemberThatStartsAMinuteLateGetsItsShareInOneSession) {
  for (std::size_t late = 1; late <= 5; ++late) {
    Schedule schedule;
    schedule.starts = {{late, 60s}};
    RepairTrial run(schedule, 40 + late);
    run.go();
    ASSERT_TRUE(run.all_hold()) << late << run.story();
    EXPECT_EQ(run.verdict(), "");
    EXPECT_EQ(run.requests.size(), 1u) << run.story();
    EXPECT_TRUE(run.blamed().empty());
    EXPECT_LT(run.world.now().instant.time_since_epoch(), 75s) << run.story();
  }
}

TEST(RepairSim, AllKeysOfASetAreRepairedInOneSession) {
  RepairTrial run({}, 50, 0, Lie::none, 5, 2, 3);
  run.go();
  ASSERT_TRUE(run.all_hold()) << run.story();
  EXPECT_EQ(run.verdict(), "");
  EXPECT_EQ(run.requests.size(), 1u);
}

// Each takes other prekeys than the others, in whatever order their requests reach a giver; else each would get some of
// the givers and none all of them.
TEST(RepairSim, MembersThatAskAtOnceGetTheirSharesInOneSessionEach) {
  for (std::uint64_t seed = 90; seed < 96; ++seed) {
    Schedule schedule;
    schedule.starts = {{2, 60s}, {5, 60s}, {7, 60s}};
    schedule.storm.latency_max = 400ms;
    schedule.calm_from = 24h;
    schedule.end = 300s;
    RepairTrial run(schedule, seed, 0, Lie::none, 10, 4);
    run.go();
    ASSERT_TRUE(run.all_hold()) << seed << run.story();
    EXPECT_EQ(run.verdict(), "");
    EXPECT_EQ(run.requests.size(), 3u) << seed << run.story();
    EXPECT_TRUE(run.blamed().empty());
  }
}

TEST(RepairSim, PrekeysOfTheSessionAndItsSecretsAreGoneAfterwards) {
  RepairTrial run({}, 51);
  run.go();
  ASSERT_TRUE(run.all_hold()) << run.story();
  const auto request = dkg::RepairRequest::parse(run.requests.begin()->second).value();
  for (dkg::Position member = 1; member <= 5; ++member) {
    const bool has_given = request.place_of(member).has_value();
    EXPECT_EQ(run.world.disk(member).readable_secrets(), has_given ? 16u : 17u)
        << "share and unused prekeys, " << member;
    const auto& slot = run.ceremony(member)->slot();
    if (has_given) {
      const auto number = request.givers[*request.place_of(member)].number;
      EXPECT_TRUE(run.world.disk(member).is_destroyed("slot/" + to_hex(slot.view()) + "/repair/prekey/" +
                                                      std::to_string(number)));
    }
  }
}

TEST(RepairSim, EndsWhileMessagesAreLost) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Schedule schedule;
    schedule.storm.loss_per_mille = 150;
    schedule.storm.repeat_per_mille = 200;
    schedule.calm_from = 24h;
    schedule.end = 900s;
    RepairTrial run(schedule, seed);
    run.go();
    ASSERT_TRUE(run.all_hold()) << "seed " << seed << run.story();
    EXPECT_EQ(run.verdict(), "") << "seed " << seed;
    EXPECT_TRUE(run.blamed().empty()) << "seed " << seed << run.story();
  }
}

// Whose prekeys come first is asked; the liar is among them in most runs.
bool is_asked(const RepairTrial& run, dkg::Position giver) {
  return std::any_of(run.requests.begin(), run.requests.end(), [&](const auto& entry) {
    return dkg::RepairRequest::parse(entry.second).value().place_of(giver).has_value();
  });
}

TEST(RepairSim, AGiverThatLiesIsNamedAndOthersGiveTheShare) {
  for (const Lie lie : {Lie::part, Lie::parts_of_another_share, Lie::sum}) {
    for (const dkg::Position liar : {dkg::Position{1}, dkg::Position{3}}) {
      std::size_t asked = 0;
      for (std::uint64_t seed = 60; seed < 64; ++seed) {
        Schedule schedule;
        schedule.end = 300s;
        RepairTrial run(schedule, seed, liar, lie);
        run.go();
        const auto where =
            std::to_string(static_cast<int>(lie)) + " by " + std::to_string(liar) + " seed " + std::to_string(seed);
        ASSERT_TRUE(run.all_hold()) << where << run.story();
        EXPECT_EQ(run.verdict(), "") << where;
        if (!is_asked(run, liar)) continue;
        ++asked;
        EXPECT_EQ(run.blamed(), std::set<dkg::Position>{liar}) << where << run.story();
        EXPECT_EQ(run.requests.size(), 2u) << where << run.story();
      }
      EXPECT_GE(asked, 1u) << static_cast<int>(lie) << " by " << liar;
    }
  }
}

// Each receiver adds up the delta that it heard first: sums that differ from the requester's view are no lie.
TEST(RepairSim, AGiverOfTwoDeltasIsNamedAndNotTheOneThatAddedUpTheOther) {
  std::size_t proofs = 0;
  for (std::uint64_t seed = 300; seed < 324; ++seed) {
    Schedule schedule;
    schedule.storm.latency_max = 400ms;
    schedule.calm_from = 24h;
    schedule.end = 300s;
    RepairTrial run(schedule, seed, 1, Lie::two_deltas);
    run.go();
    ASSERT_TRUE(run.all_hold()) << seed << run.story();
    EXPECT_EQ(run.verdict(), "") << seed;
    const auto blamed = run.blamed();
    EXPECT_TRUE(blamed.empty() || blamed == std::set<dkg::Position>{1}) << seed << run.story();
    proofs += blamed.size();
  }
  EXPECT_GE(proofs, 12u);
}

TEST(RepairSim, AGiverThatNamesDeltasThatNobodySentConvictsNobodyAndIsPassedOver) {
  RepairTrial run({}, 330, 1, Lie::sum_of_others);
  run.go();
  ASSERT_TRUE(run.all_hold()) << run.story();
  EXPECT_EQ(run.verdict(), "");
  EXPECT_TRUE(run.blamed().empty()) << run.story();
  EXPECT_LE(run.requests.size(), 3u) << run.story();
  EXPECT_GE(run.requests.size(), 2u) << run.story();
}

// They lie by turns, each naming the honest givers: whoever is named must not be passed over for it.
TEST(RepairSim, TwoGiversThatNameTheHonestOnesByTurnsCostTwoSessions) {
  Schedule schedule;
  schedule.end = 900s;
  RepairTrial run(schedule, 340, 1, Lie::name_honest, 7, 3, 1, 3);
  run.go();
  ASSERT_TRUE(run.all_hold()) << run.story();
  EXPECT_EQ(run.verdict(), "");
  EXPECT_TRUE(run.blamed().empty()) << run.story();
  EXPECT_EQ(run.requests.size(), 3u) << run.story();
}

TEST(RepairSim, AMemberThatDiesWhileItGivesOrAsksDoesNotStopTheRepair) {
  RepairTrial quiet({}, 70);
  quiet.world.run([&] { return quiet.ceremony(kLate) != nullptr; });
  const auto first = quiet.world.boundaries();
  quiet.go();
  ASSERT_TRUE(quiet.all_hold()) << quiet.story();
  ASSERT_GT(quiet.world.boundaries(), first + 10);
  for (auto boundary = first; boundary < quiet.world.boundaries(); ++boundary) {
    for (const bool stays_down : {false, true}) {
      Schedule schedule;
      schedule.end = 300s;
      schedule.crash = Schedule::Crash{boundary, stays_down};
      RepairTrial run(schedule, 70);
      run.world.run([&] { return run.all_hold(stays_down ? run.world.victim() : 0); });
      ASSERT_TRUE(run.all_hold(stays_down ? run.world.victim() : 0))
          << "boundary " << boundary << " victim " << run.world.victim() << run.story();
      EXPECT_EQ(run.verdict(), "") << "boundary " << boundary;
      EXPECT_TRUE(run.blamed().empty()) << "boundary " << boundary << run.story();
    }
  }
}

// A member whose disk is lost after it had its share must not get another without its operators.
struct LostDisk {
  bool is_refused_by_itself = false;  // its own Link names it
  std::size_t refusals = 0;           // by others
  bool has_share = false;
};

LostDisk lose_the_disk_of(std::size_t lost, std::uint64_t seed) {
  Committee committee(5, 3, seed);
  const Boot honest = committee.boot();
  Schedule schedule;
  schedule.members = 5;
  schedule.end = 60s;
  World first(schedule, seed, honest);
  first.run([&] { return first.now().instant > Instant(30s); });
  const Disk empty;
  World second(schedule, seed + 1, [&](std::size_t member, const Disk&, Now now) {
    return honest(member, member == lost ? empty : first.disk(member), now);
  });
  second.run([] { return false; });
  LostDisk out;
  for (std::size_t member = 1; member <= 5; ++member) {
    const auto* machine = static_cast<CeremonyMachine*>(second.machine(member));
    if (member == lost) out.has_share = machine->ceremony().shares() != nullptr;
    for (const auto& event : machine->events()) {
      if (event.text.find("needs a ticket") == std::string::npos) continue;
      if (member == lost) out.is_refused_by_itself = true;
      if (event.culprit == lost) ++out.refusals;
    }
  }
  return out;
}

TEST(RepairSim, AMemberThatHadAShareIsRefusedWithTheReason) {
  std::size_t by_others = 0;
  for (std::size_t lost = 1; lost <= 5; ++lost) {
    for (std::uint64_t seed : {84u, 88u}) {
      const auto found = lose_the_disk_of(lost, seed);
      EXPECT_FALSE(found.has_share) << lost << " seed " << seed;
      EXPECT_TRUE(found.is_refused_by_itself || found.refusals >= 3) << lost << " seed " << seed;
      by_others += found.refusals;
    }
  }
  EXPECT_GT(by_others, 0u);
}

}  // namespace
}  // namespace kms::sim
