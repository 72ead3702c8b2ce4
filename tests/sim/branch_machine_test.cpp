// One machine of a slot, fed by the test: branches and their certificates, what a restart must not lose, and decisions
// that only a committee beyond the model can make (PROTOCOL.md 4.5, 4.6, 4.9, 4.13).
#include <gtest/gtest.h>

#include "dkg/agreement.h"
#include "dkg/approval_book.h"
#include "tests/sim/reshare_world.h"

namespace kms::sim {
namespace {

const Origin& five_moving() {
  static const Origin origin({5, 3, 5, 3, 2}, 61);
  return origin;
}

// A member of whose messages only some leave it.
class Muted final : public Machine {
 public:
  using Filter = std::function<bool(const dkg::Envelope&)>;
  Muted(std::unique_ptr<Machine> honest, Filter says) : honest_(std::move(honest)), says_(std::move(says)) {}
  Output receive(const Bytes& message, Now now) override { return muted(honest_->receive(message, now)); }
  Output tick(Now now) override { return muted(honest_->tick(now)); }
  std::optional<Instant> wakes_at() const override { return honest_->wakes_at(); }
  Output connected(const std::set<std::size_t>& members, Now now) override {
    return muted(honest_->connected(members, now));
  }

 private:
  Output muted(Output output) {
    std::erase_if(output.send, [&](const Bytes& message) {
      const auto envelope = dkg::Envelope::parse(message);
      return envelope && !says_(*envelope);
    });
    return output;
  }
  std::unique_ptr<Machine> honest_;
  Filter says_;
};

bool is_of_fate(const dkg::Envelope& envelope) {
  const auto of = [](const auto& message) { return message && message->instance == dkg::Instance::fate; };
  if (envelope.type == dkg::MessageType::vote) return of(dkg::Vote::parse(envelope.body));
  if (envelope.type == dkg::MessageType::proposal) return of(dkg::Proposal::parse(envelope.body));
  return false;
}

bool is_confirmation(const dkg::Envelope& envelope) {
  return envelope.type == dkg::MessageType::active || envelope.type == dkg::MessageType::confirm;
}

Twist speaking(Muted::Filter says, std::optional<Instant> gives_up_at = {}) {
  return [says, gives_up_at](std::size_t place, std::unique_ptr<Machine> honest) -> std::unique_ptr<Machine> {
    if (gives_up_at && five_moving().is_old(place)) {
      static_cast<CeremonyMachine&>(*honest).give_up_from(*gives_up_at);
    }
    return std::make_unique<Muted>(std::move(honest), says);
  };
}

std::size_t place_of(const dkg::NodeId& node) {
  for (std::size_t place = 1; place <= five_moving().nodes.size(); ++place) {
    if (five_moving().id(place) == node) return place;
  }
  return 0;
}

// Signed by the first `count` members of that committee.
template <class Make>
dkg::Signatures signed_by(const dkg::Committee& members, std::size_t count, const Make& make) {
  dkg::Signatures out;
  for (dkg::Position i = 1; out.size() < count; ++i) {
    const auto& key = five_moving().nodes[place_of(members.at(i).node) - 1];
    out.push_back({i, *dkg::seal(make(i), key, five_moving().first.network_id).signature});
  }
  return out;
}

dkg::Ceremony begin(const dkg::Plan& plan, std::size_t place, const Disk& disk, Entropy& entropy, Now now) {
  return std::move(dkg::Ceremony::restore(plan, five_moving().self(place), disk, entropy, now).value());
}

std::size_t old_only() {
  for (const auto place : five_moving().old_places()) {
    if (!five_moving().is_new(place)) return place;
  }
  return 0;
}

template <class M>
dkg::Envelope shown(const M& message, std::size_t place) {
  return dkg::wrap(message, five_moving().id(place), five_moving().first.network_id);
}

// Branch 0 voided, and another certificate of that, of a later view.
struct Voided {
  Voided() : run(five_moving(), {}, 1, ReshareTrial::Operators::approve, std::nullopt, twist()) {
    run.world.run([&] {
      for (const auto place : five_moving().old_places()) {
        if (run.ceremony(place) == nullptr || !run.ceremony(place)->voided()) return false;
      }
      return true;
    });
    held = run.ceremony(old_only())->voided().value();
    const dkg::Vote vote{dkg::Instance::fate, held.fate.slot, held.fate.view + 1, dkg::VoteKind::finalize,
                         held.fate.value};
    const auto& old = *five_moving().record;
    auto votes = signed_by(old.header.committee(), old.header.threshold.q(), [&](dkg::Position) { return vote; });
    other.fate = dkg::final_certificate(vote, held.fate.sid, held.fate.transcript, {}, std::move(votes));
  }
  static Twist twist() {
    return speaking([](const dkg::Envelope& envelope) { return !is_confirmation(envelope); }, Instant(8s));
  }
  dkg::Plan plan_with(const dkg::VoidedBranch& branch) const {
    auto plan = five_moving().plan();
    plan.voided.push_back(branch);
    return plan;
  }
  ReshareTrial run;
  dkg::VoidedBranch held;
  dkg::VoidedBranch other;
};

TEST(BranchMachine, TakesALinkThatNamesAnotherCertificateOfTheVoidThanItsOwn) {
  Voided stage;
  ASSERT_TRUE(
      dkg::verify_void(stage.other, stage.held.fate.slot, five_moving().first.network_id, *five_moving().record));
  ASSERT_NE(stage.other.fate.id(), stage.held.fate.id());
  ReshareTrial next(five_moving(), {}, 2, ReshareTrial::Operators::approve, stage.plan_with(stage.held));
  next.go();
  ASSERT_TRUE(next.is_over()) << next.story();
  dkg::EpochChain chain;
  chain.links.push_back(*next.ceremony(1)->record()->link());
  Random random(5);
  const auto now = next.world.now();
  auto machine = begin(stage.plan_with(stage.other), old_only(), {}, random, now);
  machine.receive(shown(chain, 1), now);
  EXPECT_TRUE(machine.is_released());
}

TEST(BranchMachine, RemembersOtherCertificatesOfTheVoidOverARestart) {
  Voided stage;
  Random random(5);
  Disk disk;
  const auto now = stage.run.world.now();
  const auto plan = stage.plan_with(stage.other);
  auto machine = begin(plan, old_only(), disk, random, now);
  const auto id = dkg::id_cast<dkg::ObjectId>(stage.held.fate.id());
  EXPECT_FALSE(machine.find_object(id));
  disk.apply(machine.receive(shown(stage.held.fate, 1), now).save);
  EXPECT_TRUE(machine.find_object(id));
  auto again = begin(plan, old_only(), disk, random, now);
  EXPECT_TRUE(again.find_object(id)) << "a header that names it would be lost";
}

TEST(BranchMachine, TellsWhoeverIsOnAnEarlierBranchHowThatEnded) {
  Voided stage;
  Random random(5);
  const auto now = stage.run.world.now();
  auto machine = begin(stage.plan_with(stage.held), old_only(), {}, random, now);
  const auto lagging = five_moving().old_places().back();
  dkg::NodeStatus::Entry entry = stage.run.ceremony(lagging)->status_message();
  entry.state = static_cast<std::uint32_t>(dkg::Phase::decided);
  ASSERT_EQ(entry.branch, 0u);
  const auto effects = machine.receive(shown(dkg::NodeStatus{{entry}}, lagging), now);
  const auto shows_it = [&](const dkg::Outgoing& item) {
    return item.envelope.type == dkg::MessageType::certificate && item.envelope.body == stage.held.fate.body();
  };
  EXPECT_TRUE(std::any_of(effects.send.begin(), effects.send.end(), shows_it));
}

TEST(BranchMachine, TheLastBranchOfAnEpochIsNotGivenUp) {
  auto plan = five_moving().plan();
  plan.voided.resize(dkg::kVoidsMax);
  Random random(5);
  auto machine = begin(plan, old_only(), {}, random, {});
  EXPECT_FALSE(machine.void_state().may_be_voided);
  const auto refused = machine.approve_void({});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("last branch"), std::string::npos) << refused.error().message;
}

TEST(BranchMachine, AnActivationCertificateIsNotLostByARestart) {
  ReshareTrial run(five_moving(), {}, 3, ReshareTrial::Operators::approve, std::nullopt,
                   speaking([](const dkg::Envelope& envelope) { return !is_of_fate(envelope); }));
  const auto is_activated = [&] {
    for (std::size_t place = 1; place <= five_moving().nodes.size(); ++place) {
      const auto* one = run.ceremony(place);
      if (one == nullptr || one->record() == nullptr || !one->record()->activation) return false;
    }
    return true;
  };
  run.world.run(is_activated);
  ASSERT_TRUE(is_activated()) << run.story();
  Random random(5);
  for (std::size_t place = 1; place <= five_moving().nodes.size(); ++place) {
    auto machine = begin(run.plan, place, run.world.disk(place), random, run.world.now());
    machine.tick(run.world.now());
    ASSERT_NE(machine.record(), nullptr) << place;
    // Who has no share keeps no Deals: it asks for them, and they give the table that the certificate is about.
    dkg::FetchReply deals;
    for (const auto other : five_moving().new_places()) {
      for (const auto& key : run.world.disk(other).list("slot/" + to_hex(machine.slot().view()) + "/deal/")) {
        if (deals.objects.size() < dkg::FetchReply::kObjectsMax)
          deals.objects.push_back(*run.world.disk(other).find(key));
      }
    }
    ASSERT_FALSE(deals.objects.empty());
    machine.receive(shown(deals, place % five_moving().nodes.size() + 1), run.world.now());
    EXPECT_TRUE(machine.record()->activation) << place << ": nobody makes it again if the new members are gone";
  }
}

TEST(BranchMachine, ApprovalsOfAVoidAreNotLostByARestart) {
  ReshareTrial run(
      five_moving(), {}, 4, ReshareTrial::Operators::approve, std::nullopt,
      speaking([](const dkg::Envelope& envelope) { return !is_confirmation(envelope) && !is_of_fate(envelope); },
               Instant(8s)));
  std::size_t found = 0;
  const auto find = [&] {
    for (const auto place : five_moving().old_places()) {
      if (run.ceremony(place) == nullptr) continue;
      const auto prefix = "slot/" + to_hex(run.ceremony(place)->slot().view()) + "/";
      const auto& disk = run.world.disk(place);
      if (disk.find(prefix + "void/approvals") && disk.list(prefix + "said/fate/").empty()) found = place;
    }
    return found != 0;
  };
  run.world.run(find);
  ASSERT_TRUE(find()) << run.story();
  Random random(5);
  auto now = run.world.now();
  auto machine = begin(run.plan, found, run.world.disk(found), random, now);
  bool votes = false;
  for (int i = 0; i < 200 && !votes; ++i) {
    for (const auto& item : machine.tick(now).send) votes = votes || is_of_fate(item.envelope);
    now.instant += 100ms;
    now.unix_ms += 100;
  }
  EXPECT_TRUE(votes) << "alone it does not know any more that a quorum gave the branch up";
}

// A slot whose header and Deals are known to somebody who has not been there.
struct Dealt {
  explicit Dealt(Schedule schedule = {}) : run(five_moving(), schedule, 7) {
    const auto is_released = [&] {
      return run.ceremony(old_only()) != nullptr && run.ceremony(old_only())->is_released();
    };
    run.world.run(is_released);
    EXPECT_TRUE(is_released()) << run.story();
    record.emplace(*run.ceremony(old_only())->record());
    now = run.world.now();
    machine.emplace(begin(run.plan, old_only(), {}, random, now));
  }
  std::vector<dkg::Envelope> stored(const std::string& kind) {
    std::vector<dkg::Envelope> out;
    std::set<Bytes> bodies;
    for (std::size_t place = 1; place <= five_moving().nodes.size(); ++place) {
      for (const auto& key : run.world.disk(place).list("")) {
        if (key.find("/" + kind + "/") == key.npos || key.find(to_hex(record->slot().view())) == key.npos) continue;
        auto envelope = dkg::Envelope::parse(*run.world.disk(place).find(key));
        if (envelope && bodies.insert(envelope->body).second) out.push_back(std::move(*envelope));
      }
    }
    return out;
  }
  void hear(const dkg::Envelope& envelope) {
    auto effects = machine->receive(envelope, now);
    for (auto& event : effects.report) events.push_back(std::move(event));
  }
  bool has_said(std::string_view words) {
    return std::any_of(events.begin(), events.end(),
                       [&](const dkg::Event& event) { return event.text.find(words) != event.text.npos; });
  }
  ReshareTrial run;
  std::optional<dkg::EpochRecord> record;
  Random random{5};
  Now now;
  std::optional<dkg::Ceremony> machine;
  std::vector<dkg::Event> events;
};

TEST(BranchMachine, ADecisionOnTooFewDealsStopsTheSlotAndNotTheNode) {
  Dealt stage;
  for (const auto& header : stage.stored("header")) stage.hear(header);
  for (const auto& deal : stage.stored("deal")) stage.hear(deal);
  dkg::Value value{stage.record->slot(), stage.record->sid, stage.record->list};
  value.list.pop_back();
  const dkg::Vote vote{dkg::Instance::slot, value.slot, 1, dkg::VoteKind::finalize, value.hash()};
  const auto& old = *five_moving().record;
  auto votes = signed_by(old.header.committee(), old.header.threshold.q(), [&](dkg::Position) { return vote; });
  stage.hear(shown(dkg::final_certificate(vote, value.sid, value.transcript(), {}, std::move(votes)), 1));
  stage.hear(shown(value, 1));
  EXPECT_EQ(stage.machine->phase(), dkg::Phase::decided);
  EXPECT_TRUE(stage.has_said("do not give the key"));
  EXPECT_TRUE(stage.machine->void_state().may_be_voided);
}

TEST(BranchMachine, ACandidatesCertificateCountsNoMemberThatItsHeaderLeavesOut) {
  Schedule schedule;
  std::size_t away = 0;
  for (const auto place : five_moving().new_places()) {
    if (!five_moving().is_old(place)) away = place;
  }
  schedule.starts[away] = 24h;
  for (const bool is_header_first : {true, false}) {
    for (const bool is_forged : {true, false}) {
      Dealt stage(schedule);
      const auto absent = stage.record->header.absent();
      ASSERT_EQ(absent.size(), 1u);
      const dkg::Value value{stage.record->slot(), stage.record->sid, stage.record->list};
      const auto ready_of = [&](dkg::Position i) { return dkg::Ready{value.slot, value.sid, value.transcript(), i}; };
      const auto members = stage.record->header.committee();
      auto readys = signed_by(members, members.size(), ready_of);
      std::erase_if(readys, [&](const auto& ready) {
        return is_forged ? ready.index != absent[0] && ready.index % 5 + 1 == absent[0] : ready.index == absent[0];
      });
      ASSERT_EQ(readys.size(), 4u);
      const auto certificate = shown(dkg::candidate_certificate(ready_of(1), readys), 1);
      if (is_header_first) {
        for (const auto& header : stage.stored("header")) stage.hear(header);
        stage.hear(certificate);
        stage.hear(shown(value, 1));
      } else {
        stage.hear(certificate);
        stage.hear(shown(value, 1));
        for (const auto& header : stage.stored("header")) stage.hear(header);
      }
      EXPECT_EQ(stage.machine->emergency().choices.size(), is_forged ? 0u : 1u) << is_header_first;
    }
  }
}

TEST(BranchMachine, AProvenActiveIsNotCheckedAgainForEachCopyOfIt) {
  ReshareTrial run(five_moving(), {}, 8, ReshareTrial::Operators::approve, std::nullopt,
                   speaking([](const dkg::Envelope& envelope) { return envelope.type != dkg::MessageType::confirm; }));
  const auto newcomer = five_moving().new_places().front();
  const auto watcher = five_moving().new_places().back();
  const auto is_ready = [&] {
    return run.ceremony(watcher) != nullptr && run.ceremony(watcher)->phase() == dkg::Phase::active &&
           run.ceremony(newcomer) != nullptr && run.ceremony(newcomer)->shares() != nullptr;
  };
  run.world.run(is_ready);
  ASSERT_TRUE(is_ready()) << run.story();
  const auto now = run.world.now();
  Random random(5);
  auto machine = begin(run.plan, watcher, run.world.disk(watcher), random, now);
  machine.tick(now);
  const auto& record = *run.ceremony(newcomer)->record();
  const auto place = *run.plan.members.position_of(five_moving().id(newcomer));
  const auto active = dkg::make_active(dkg::Base::g, record.names(), place, *run.ceremony(newcomer)->shares(), random);
  const auto sealed = dkg::seal(active, five_moving().nodes[newcomer - 1], run.plan.network_id);
  machine.receive(sealed, now);
  std::size_t told = 0;
  for (std::uint32_t i = 0; i < 2500; ++i) {
    auto copy = sealed;
    for (std::size_t at = 0; at < 4; ++at)
      copy.signature->bytes[at + 40] ^= static_cast<std::uint8_t>((i + 1) >> 8 * at);
    for (const auto& event : machine.receive(copy, now).report) {
      if (event.text.find("does not verify") != event.text.npos) ++told;
    }
  }
  EXPECT_EQ(told, 0u) << "a copy costs no signature check";
}

TEST(ApprovalBook, AnEndThatIsOverTakesNoPlaceOfAnotherOne) {
  Random random(5);
  const auto context = dkg::SlotContext::make(five_moving().plan(), five_moving().self(old_only()), random).value();
  dkg::ApprovalBook book(context);
  const auto ending = [&](std::uint64_t end) { return book.form(end); };
  for (const std::uint64_t end : {101, 102, 103, 104}) {
    ASSERT_TRUE(book.wants(context.decider, ending(end), 100));
    book.add(ending(end), 100);
  }
  EXPECT_FALSE(book.wants(context.decider, ending(110), 100)) << "four at a time";
  EXPECT_TRUE(book.wants(context.decider, ending(110), 105));
  book.add(ending(110), 105);
  EXPECT_TRUE(book.wants(context.decider, ending(101), 105)) << "what is over is forgotten";
  EXPECT_TRUE(book.has_approved(context.decider));
  EXPECT_EQ(book.pending_end(105), 110u);
}

// What a leader proposes after that many views without a Notar, and whether others take it.
TEST(AgreementAfterNulls, ASlotGoesOnHoweverManyViewsEndedWithoutADecision) {
  for (const std::uint32_t views : {255u, 256u, 257u, 258u, 300u, 1400u}) {
    const auto& origin = five_moving();
    const auto plan = origin.plan();
    Random random(5);
    dkg::Value value{dkg::slot_id(plan.key_set, 1, 0), dkg::Sid{Hash32{1}}, {}};
    for (dkg::Position dealer = 1; dealer <= 3; ++dealer) value.list.push_back({dealer, dkg::DealHash{Hash32{2}}});
    std::optional<dkg::Proposal> proposed;
    std::optional<dkg::Envelope> envelope;
    std::size_t votes = 0;
    const auto play = [&](std::size_t place) {
      const auto context = dkg::SlotContext::make(plan, origin.self(place), random).value();
      dkg::CandidateBook book(context);
      dkg::Outbox outbox;
      dkg::Turn turn(context, outbox, {});
      ASSERT_TRUE(book.learn(value.sid, value.list));
      const dkg::Signatures anybody{{1, {}}, {2, {}}, {3, {}}, {4, {}}};  // the caller checks them
      book.add_certificate(dkg::candidate_certificate({value.slot, value.sid, value.transcript(), 1}, anybody));
      dkg::Agreement agreement(context, dkg::Instance::slot);
      agreement.start({});
      for (std::uint32_t view = 1; view <= views; ++view) {
        const dkg::Vote null{dkg::Instance::slot, value.slot, view, dkg::VoteKind::nullify, {}};
        agreement.add_certificate(dkg::view_certificate(null, {}, anybody), turn);
      }
      EXPECT_EQ(agreement.view(), views + 1);
      agreement.admit(value.hash(), turn);
      if (proposed) {
        ASSERT_TRUE(agreement.wants_proposal(agreement.leader(views + 1), *proposed));
        EXPECT_TRUE(agreement.add_proposal(agreement.leader(views + 1), *proposed, *envelope, turn)) << views;
      }
      agreement.flush(book, turn);
      for (const auto& item : turn.take().send) {
        if (item.envelope.type == dkg::MessageType::proposal) {
          const auto parsed = dkg::Proposal::parse(item.envelope.body);
          ASSERT_TRUE(parsed) << views << ": " << parsed.error().message;
          EXPECT_EQ(parsed->view, views + 1);
          proposed = *parsed;
          envelope = item.envelope;
        }
        if (item.envelope.type == dkg::MessageType::vote) ++votes;
      }
    };
    for (const auto place : origin.old_places()) play(place);
    ASSERT_TRUE(proposed) << views;
    votes = 0;
    for (const auto place : origin.old_places()) play(place);
    EXPECT_GE(votes, 4u) << views;
  }
}

}  // namespace
}  // namespace kms::sim
