// One ceremony of a run: its members in the world, the checkers that watch them, and what is wrong at its end.
#pragma once

#include "tests/sim/checkers.h"
#include "tests/sim/program/draw.h"
#include "tests/sim/program/knowledge.h"
#include "tests/sim/program/meter.h"
#include "tests/sim/program/trace.h"

namespace kms::sim {

// What a run carries from ceremony to ceremony.
struct Chain {
  Chain(const Draw& draw, Trace& trace);
  const Draw& draw;
  Trace& trace;
  std::vector<Person> people;
  std::vector<Disk> disks;        // by person
  std::optional<dkg::Plan> plan;  // of the newest epoch
  std::shared_ptr<const dkg::EpochRecord> record;
  std::vector<dkg::Committee> committees;  // by epoch
  Knowledge knowledge;
  std::set<std::size_t> guilty;          // people who ever lied or lost what they had stored
  std::vector<dkg::Envelope> overheard;  // of the stage before
  std::int64_t unix_ms = 1'700'000'000'000;
  std::uint64_t events = 0;
  Meter* meter = nullptr;  // of the stage that runs, if somebody wants to know what it costs
};

// A crime is what a traitor did that others can prove, or at least see.
struct Crime {
  std::size_t place = 0;
  const Attack* attack = nullptr;
  Instant at;
  Attack::Evidence evidence = Attack::Evidence::none;
  enum class Until : std::uint8_t { decision, end } until = Until::decision;
};

// What the traitors of a stage share.
struct Ring {
  std::map<dkg::Sid, dkg::CeremonyHeader> headers;
  std::vector<dkg::Envelope> overheard;  // the first ones, for replays
  std::vector<Crime> crimes;
};

class Stage {
 public:
  Stage(Chain& chain, const StageDraw& draw, std::uint32_t epoch);
  // Runs it; what is wrong, or an empty string. `is_undecided` tells whether it is only that it did not end.
  std::string run();
  bool is_undecided() const { return is_undecided_; }
  // The crash that was drawn for a persist boundary.
  bool has_crashed() const { return world_->victim() != 0; }
  std::string title() const;
  std::string story();
  // Hands on disks, plan and record.
  void hand_over();

  // For traitors.
  const Chain& chain() const { return chain_; }
  const dkg::Plan& plan() const { return terms_.plan; }
  const dkg::Committee& everybody() const { return *everybody_; }
  std::size_t places() const { return everybody_->size(); }
  Person& person(std::size_t place) { return chain_.people[person_of_[place - 1]]; }
  bool is_old(std::size_t place) const;
  bool is_new(std::size_t place) const;
  // Honest all the way: no traitor, its disk keeps what it stored and its clock goes.
  bool is_honest(std::size_t place) const { return !faulty_.contains(place) && !is_gone(place); }
  const std::set<std::size_t>& traitors() const { return traitors_; }
  Ring& ring() { return ring_; }
  Instant time() const { return world_->now().instant; }
  const Disk& disk(std::size_t place) const { return world_->disk(place); }

 private:
  dkg::Plan make_plan() const;
  void seat_everybody();
  Schedule make_schedule() const;
  // Of a stage that begins with keys which exist already.
  std::vector<crypto::SecretScalar> imported_keys() const;
  void import_keys();
  std::unique_ptr<Machine> boot(std::size_t place, const Disk& disk, Now now);
  void observe(std::size_t place, const Bytes& message);
  void note(const Step& step);
  void report(std::size_t place, const dkg::Event& event);
  const dkg::Ceremony* ceremony(std::size_t place);
  // It crashed where StageDraw::crash wanted it, and does not come back.
  bool is_gone(std::size_t place) const;
  bool is_settled(std::size_t place);
  bool is_over();
  void fail(std::string what);
  void check_complaint(std::size_t place, const dkg::Complaint& complaint);
  void check_certificate(const dkg::Certificate& certificate);
  dkg::SlotId slot(std::uint32_t epoch) const;
  void check_always(std::size_t place);
  std::string check_record(const dkg::EpochRecord& record);
  std::string check_end();
  std::string check_stores();
  std::string check_convictions();

  Chain& chain_;
  const StageDraw& draw_;
  std::uint32_t epoch_;
  std::optional<dkg::Committee> everybody_;
  std::vector<std::size_t> person_of_;  // by place - 1
  Terms terms_;
  std::map<std::size_t, Random> cloned_;  // by place: the random source that each start begins with
  std::set<std::size_t> traitors_;        // places of those that lie
  std::set<std::size_t> faulty_;          // and of those to whom something happens that counts as a fault
  std::set<std::size_t> guilty_;          // those who may be convicted, for what they did in an earlier stage too
  Ring ring_;
  FieldChecker fields_;
  std::map<std::size_t, EpochMember*> members_;
  std::map<std::size_t, std::set<std::size_t>> blamed_;           // culprit -> by whom
  std::map<std::size_t, std::set<std::size_t>> suspected_;        // the same, without evidence
  std::map<std::size_t, std::shared_ptr<Behaviour>> behaviours_;  // they outlive restarts
  std::map<std::string, dkg::ValueHash> certified_;
  std::set<Bytes> seen_;  // messages
  std::vector<std::string> story_;
  bool has_crashed_all_ = false;
  std::string verdict_;  // the first thing that was wrong on the way
  std::optional<Instant> decided_at_;
  bool is_undecided_ = false;
  std::unique_ptr<World> world_;
};

}  // namespace kms::sim
