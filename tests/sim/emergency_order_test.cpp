// What a member may sign in an emergency, and what it believes (PROTOCOL.md 4.14): one member's machine, with messages
// that the test signs for everybody else.
#include <gtest/gtest.h>

#include "tests/sim/reshare_world.h"

namespace kms::sim {
namespace {

// t = 2 of four: any two of the three Deals of those that are left make a dealing, so there can be several.
const Origin& four() {
  static const Origin origin({4, 2, 4, 2, 3}, 45);
  return origin;
}

// The committees after an ordered emergency, with one dealing made and none named.
struct Stopped {
  Stopped() {
    Schedule schedule;
    schedule.end = 60s;
    for (const auto place : four().old_places()) {
      if (!four().is_new(place)) schedule.starts[place] = 24h;
      if (four().is_new(place)) self = place;
    }
    trial = std::make_unique<ReshareTrial>(four(), schedule, 9, ReshareTrial::Operators::approve, std::nullopt,
                                           [](std::size_t place, std::unique_ptr<Machine> honest) {
                                             const auto never = [](const dkg::EmergencyState&) {
                                               return std::optional<dkg::TranscriptHash>();
                                             };
                                             if (four().is_old(place))
                                               static_cast<CeremonyMachine&>(*honest).order_emergency(never);
                                             return honest;
                                           });
    trial->world.run([&] {
      for (const auto place : four().old_places()) {
        if (!four().is_new(place)) continue;
        if (trial->ceremony(place) == nullptr || trial->ceremony(place)->emergency().choices.empty()) return false;
      }
      return true;
    });
    disk = trial->world.disk(self);
    machine.emplace(restart());
    now = trial->world.now();
    const auto choices = machine->emergency().choices;
    EXPECT_EQ(choices.size(), 1u) << trial->story();
    made = choices.at(0).transcript;
    learn_value();
  }

  dkg::Ceremony restart() {
    return std::move(dkg::Ceremony::restore(trial->plan, four().self(self), disk, random, trial->world.now()).value());
  }
  // The list behind the dealing, from the records; another one of the same Deals.
  void learn_value() {
    for (const auto& key : disk.list("")) {
      if (key.find("/value/") == key.npos) continue;
      const auto value = dkg::Value::parse(*disk.find(key));
      if (value && value->transcript() == made) held = *value;
    }
    other = held;
    other.list[0].hash.bytes[0] ^= 1;  // nobody checks Deals that CandidateCerts stand for
  }
  dkg::Effects apply(dkg::Effects effects) {
    disk.apply(effects.save);
    for (const auto& event : effects.report) events.push_back(event);
    return effects;
  }
  dkg::Effects hear(const dkg::Envelope& envelope) { return apply(machine->receive(envelope, now)); }
  template <class M>
  dkg::Effects show(const M& message, std::size_t place) {
    return hear(dkg::wrap(message, four().id(place), trial->plan.network_id));
  }
  template <class M>
  dkg::Envelope sealed(const M& message, std::size_t place) {
    return dkg::seal(message, four().nodes[place - 1], trial->plan.network_id);
  }
  std::size_t place_of(const dkg::Member& member) {
    for (std::size_t place = 1; place <= four().nodes.size(); ++place) {
      if (four().id(place) == member.node) return place;
    }
    return 0;
  }
  // Another dealing of the same attempt, with its CandidateCert.
  void show_other() {
    dkg::Signatures readys;
    const auto& members = trial->plan.members;
    for (dkg::Position i = 1; i <= trial->plan.threshold.q(); ++i) {
      const dkg::Ready ready{machine->slot(), other.sid, other.transcript(), i};
      readys.push_back({i, *sealed(ready, place_of(members.at(i))).signature});
    }
    const auto from = place_of(members.at(1)) == self ? place_of(members.at(2)) : place_of(members.at(1));
    show(dkg::candidate_certificate({machine->slot(), other.sid, other.transcript(), 1}, std::move(readys)), from);
    show(other, from);
    ASSERT_EQ(machine->emergency().choices.size(), 2u);
  }
  template <class Make>
  dkg::Signatures votes_of_old(std::size_t count, const Make& make) {
    dkg::Signatures out;
    const auto old = four().record->header.committee();
    for (dkg::Position i = 1; i <= old.size() && out.size() < count; ++i) {
      out.push_back({i, *sealed(make(i), place_of(old.at(i))).signature});
    }
    return out;
  }
  dkg::Certificate notar_for(const dkg::ValueHash& value) {
    const dkg::Vote vote{dkg::Instance::slot, machine->slot(), 1, dkg::VoteKind::notarize, value};
    return dkg::view_certificate(vote, {}, votes_of_old(3, [&](dkg::Position) { return vote; }));
  }
  std::size_t somebody() { return self == 1 ? 2 : 1; }
  static bool says(const dkg::Effects& effects, dkg::MessageType type) {
    return std::any_of(effects.send.begin(), effects.send.end(),
                       [&](const auto& item) { return item.envelope.type == type; });
  }
  static std::size_t finalizes(const dkg::Effects& effects) {
    std::size_t count = 0;
    for (const auto& item : effects.send) {
      const auto vote = dkg::Vote::parse(item.envelope.body);
      if (item.envelope.type == dkg::MessageType::vote && vote && vote->kind == dkg::VoteKind::finalize) ++count;
    }
    return count;
  }

  std::unique_ptr<ReshareTrial> trial;
  std::size_t self = 0;
  Disk disk;
  Random random{99};
  std::optional<dkg::Ceremony> machine;
  Now now{};
  dkg::TranscriptHash made;
  dkg::Value held;
  dkg::Value other;
  std::vector<dkg::Event> events;
};

TEST(EmergencyOrder, AMemberSignsOneDealingOfASlotAndNoOtherAlsoAfterARestart) {
  Stopped stage;
  stage.show_other();
  auto effects = stage.machine->sign_emergency(stage.made, stage.now);
  ASSERT_TRUE(effects) << effects.error().message;
  EXPECT_TRUE(Stopped::says(*effects, dkg::MessageType::emergency));
  EXPECT_FALSE(effects->save.empty()) << "durable before it is sent";
  stage.apply(std::move(*effects));
  EXPECT_FALSE(stage.machine->sign_emergency(stage.other.transcript(), stage.now));
  stage.machine.emplace(stage.restart());
  EXPECT_EQ(stage.machine->emergency().own, stage.made);
  EXPECT_FALSE(stage.machine->sign_emergency(stage.other.transcript(), stage.now));
  EXPECT_TRUE(stage.machine->sign_emergency(stage.made, stage.now)) << "the same order again changes nothing";
}

TEST(EmergencyOrder, WhatHasNoCertificateHereCannotBeNamed) {
  Stopped stage;
  const auto refused = stage.machine->sign_emergency(stage.other.transcript(), stage.now);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("no certificate"), std::string::npos);
}

TEST(EmergencyOrder, AfterAFinalizeForAnotherDealingNoneIsNamed) {
  Stopped stage;
  stage.show_other();
  EXPECT_EQ(Stopped::finalizes(stage.show(stage.notar_for(stage.other.hash()), stage.somebody())), 1u);
  EXPECT_FALSE(stage.machine->sign_emergency(stage.made, stage.now));
  stage.machine.emplace(stage.restart());
  EXPECT_FALSE(stage.machine->sign_emergency(stage.made, stage.now)) << "also after a restart";
}

TEST(EmergencyOrder, AfterAnEmergencyNothingElseIsFinalized) {
  for (const bool restarts : {false, true}) {
    Stopped stage;
    stage.show_other();
    stage.apply(std::move(*stage.machine->sign_emergency(stage.made, stage.now)));
    if (restarts) stage.machine.emplace(stage.restart());
    EXPECT_EQ(Stopped::finalizes(stage.show(stage.notar_for(stage.other.hash()), stage.somebody())), 0u);
  }
  Stopped control;
  control.show_other();
  EXPECT_EQ(Stopped::finalizes(control.show(control.notar_for(control.other.hash()), control.somebody())), 1u);
}

TEST(EmergencyOrder, ACertificateBelowTheQuorumOrWithAFalseSignatureDecidesNothing) {
  Stopped stage;
  const auto vote_of = [&](dkg::Position i) {
    return dkg::Emergency{stage.machine->slot(), stage.held.sid, stage.made, i};
  };
  const auto q_em = four().record->header.threshold.q_em();
  ASSERT_EQ(q_em, 3u);
  stage.show(dkg::emergency_certificate(vote_of(1), stage.votes_of_old(2, vote_of)), stage.somebody());
  EXPECT_FALSE(stage.machine->emergency().decided);
  auto forged = stage.votes_of_old(3, vote_of);
  forged[2].signature = forged[1].signature;
  stage.show(dkg::emergency_certificate(vote_of(1), forged), stage.somebody());
  EXPECT_FALSE(stage.machine->emergency().decided);
  stage.show(dkg::emergency_certificate(vote_of(1), stage.votes_of_old(3, vote_of)), stage.somebody());
  EXPECT_EQ(stage.machine->emergency().decided, stage.made);
}

TEST(EmergencyOrder, TwoDealingsSignedOrOneFinalizedBesideAnotherAreEvidence) {
  Stopped stage;
  stage.show_other();
  const auto old = four().record->header.committee();
  const dkg::Position liar = old.position_of(four().id(stage.self)) == dkg::Position{1} ? 2 : 1;
  const auto place = stage.place_of(old.at(liar));
  const auto blames = [&] {
    return std::count_if(stage.events.begin(), stage.events.end(),
                         [](const dkg::Event& event) { return event.kind == dkg::Event::Kind::blame; });
  };
  stage.hear(stage.sealed(dkg::Emergency{stage.machine->slot(), stage.held.sid, stage.made, liar}, place));
  EXPECT_EQ(blames(), 0);
  stage.hear(
      stage.sealed(dkg::Emergency{stage.machine->slot(), stage.other.sid, stage.other.transcript(), liar}, place));
  EXPECT_EQ(blames(), 1);
  const dkg::Vote finalize{dkg::Instance::slot, stage.machine->slot(), 1, dkg::VoteKind::finalize, stage.other.hash()};
  stage.hear(stage.sealed(finalize, place));
  EXPECT_EQ(blames(), 2);
}

TEST(EmergencyOrder, IsForOnePlanOfTheSlotAndNotForTheNext) {
  Stopped stage;
  EXPECT_TRUE(stage.machine->emergency().is_ordered);
  auto plan = stage.trial->plan;
  plan.file = dkg::file_hash(as_bytes("another file"));
  const auto other = dkg::Ceremony::restore(plan, four().self(stage.self), stage.disk, stage.random, stage.now);
  EXPECT_FALSE(other->emergency().is_ordered);
}

}  // namespace
}  // namespace kms::sim
