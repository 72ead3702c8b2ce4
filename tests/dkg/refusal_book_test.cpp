// What objects that do not verify can cost, and that they cannot crowd out what others sent.
#include "dkg/refusal_book.h"

#include <gtest/gtest.h>

#include "dkg/candidate_book.h"
#include "dkg/ceremony.h"
#include "dkg/deal_round.h"
#include "tests/dkg/four_nodes.h"

namespace kms::dkg::test {
namespace {

Envelope numbered(std::uint32_t number) {
  Envelope envelope;
  envelope.type = MessageType::node_status;
  envelope.body = {static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8)};
  return envelope;
}

TEST(RefusalBook, RemembersTheNewestRefusedObjectsOnly) {
  RefusalBook book;
  const auto size = static_cast<std::uint32_t>(RefusalBook::kRefusedMax);
  for (std::uint32_t i = 0; i <= size; ++i) book.refuse(numbered(i));
  EXPECT_FALSE(book.has_refused(numbered(0)));
  EXPECT_TRUE(book.has_refused(numbered(1)));
  EXPECT_TRUE(book.has_refused(numbered(size)));
}

TEST(RefusalBook, AMemberPaysForItselfAndIsHeardAgainLater) {
  RefusalBook book;
  EXPECT_FALSE(book.charge(1, RefusalBook::kUnitsMax - 1, now_at(0s).instant));
  EXPECT_TRUE(book.charge(1, 5, now_at(0s).instant));
  EXPECT_FALSE(book.charge(1, 5, now_at(0s).instant)) << "told once";
  EXPECT_FALSE(book.may_cost(1, now_at(0s).instant));
  EXPECT_TRUE(book.may_cost(2, now_at(0s).instant));
  EXPECT_FALSE(book.may_cost(1, now_at(50ms).instant));
  EXPECT_TRUE(book.may_cost(1, now_at(1s).instant));
}

struct Slot : FourNodes {
  Slot() {
    for (Position position = 1; position <= 4; ++position) machines.push_back(ceremony(position));
  }
  Ceremony& machine(Position position) { return machines[position - 1u]; }
  std::vector<Envelope> sent(const Effects& effects, MessageType type) const {
    std::vector<Envelope> out;
    for (const auto& [envelope] : effects.send) {
      if (envelope.type == type) out.push_back(envelope);
    }
    return out;
  }
  // A header that the initiator made from everybody's prekeys, and nothing else.
  Envelope header() {
    std::vector<Envelope> announces;
    for (Position position = 1; position <= 4; ++position) {
      for (auto& one : sent(machine(position).tick(now_at(0s)), MessageType::prekey_announce)) announces.push_back(one);
    }
    auto& initiator = machine(lead(slot(), 0, 4));
    for (const auto& announce : announces) initiator.receive(announce, now_at(1ms));
    return sent(initiator.peers_connected(all(), now_at(2ms)), MessageType::ceremony_header).at(0);
  }
  // A CANDIDATE certificate, each another one, whose signatures are anybody's.
  Envelope bad_certificate(std::uint32_t number) const {
    const Ready statement{slot(), Sid{Hash32{1}}, transcript_of(number), 1};
    const auto signature = node(1).sign(Hash32{1});
    const auto certificate = candidate_certificate(statement, {{1, signature}, {2, signature}, {3, signature}});
    return wrap(certificate, id(2), plan().network_id);
  }
  std::size_t count(const Effects& effects, std::string_view words) const {
    return static_cast<std::size_t>(std::count_if(effects.report.begin(), effects.report.end(), [&](const auto& event) {
      return event.text.find(words) != std::string::npos;
    }));
  }

  // Of as many transcripts as a test likes.
  static TranscriptHash transcript_of(std::uint32_t number) {
    auto hash = numbered_hash(number);
    hash[4] = 1;  // not zero
    return TranscriptHash{hash};
  }

  std::vector<Ceremony> machines;
};

// A CandidateBook of the first member.
struct Book : Slot {
  Book() : context(SlotContext::make(plan(), self(1), random).value()), book(context), signature(node(1).sign({1})) {}
  SlotContext context;
  CandidateBook book;
  Signature signature;
};

TEST(CeremonyCosts, AMemberThatSendsBadCertificatesWithoutEndIsNotHeardForAWhile) {
  Slot slot;
  auto& machine = slot.machine(1);
  machine.tick(now_at(0s));
  std::size_t told = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    told += slot.count(machine.receive(slot.bad_certificate(i), slot.id(2), now_at(1ms)), "does not verify");
  }
  EXPECT_EQ(told, 1u);
  const auto announce = slot.sent(slot.machine(2).tick(now_at(0s)), MessageType::prekey_announce).at(0);
  const auto other = slot.sent(slot.machine(3).tick(now_at(0s)), MessageType::prekey_announce).at(0);
  machine.peers_connected({slot.id(2), slot.id(3)}, now_at(2ms));
  machine.receive(announce, slot.id(2), now_at(3ms));
  EXPECT_EQ(machine.status().have, 1u) << "its own prekeys only";
  machine.receive(other, slot.id(3), now_at(4ms));
  EXPECT_EQ(machine.status().have, 2u) << "the others are heard";
  machine.receive(announce, slot.id(2), now_at(30s));
  EXPECT_EQ(machine.status().have, 3u) << "and so is the first one, later";
}

TEST(CeremonyCosts, TheSenderPaysAndNotWhoseNameItUses) {
  Slot slot;
  auto& machine = slot.machine(1);
  machine.tick(now_at(0s));
  const auto announce = slot.sent(slot.machine(3).tick(now_at(0s)), MessageType::prekey_announce).at(0);
  for (std::uint32_t i = 0; i < 3000; ++i) {
    auto forged = announce;
    for (std::size_t at = 0; at < 4; ++at) forged.signature->bytes[at + 40] ^= static_cast<std::uint8_t>(i >> 8 * at);
    forged.signature->bytes[50] ^= 1;
    machine.receive(forged, slot.id(2), now_at(1ms));
  }
  machine.peers_connected({slot.id(2), slot.id(3)}, now_at(2ms));
  machine.receive(announce, slot.id(3), now_at(3ms));
  EXPECT_EQ(machine.status().have, 2u);
}

TEST(CeremonyCosts, AnInvalidDealIsCheckedOnce) {
  Slot slot;
  const auto header = slot.header();
  const Position receiver = static_cast<Position>(lead(slot.slot(), 0, 4) % 4 + 1);
  const Position dealer = static_cast<Position>(receiver % 4 + 1);
  slot.machine(receiver).receive(header, now_at(3ms));
  const auto dealt = slot.sent(slot.machine(dealer).receive(header, now_at(3ms)), MessageType::deal);
  auto deal = Deal::parse(dealt.at(0).body).value();
  deal.challenge = crypto::Scalar::parse(Hash32{1}).value();
  const auto bad = seal(deal, slot.node(dealer), slot.plan().network_id);
  std::size_t checked = 0;
  for (int i = 0; i < 10; ++i) {
    checked += slot.count(slot.machine(receiver).receive(bad, now_at(4ms)), "objective checks");
  }
  EXPECT_EQ(checked, 1u);
  EXPECT_EQ(slot.machine(receiver).status().have, 1u) << "the own Deal";
  slot.machine(receiver).receive(dealt.at(0), now_at(5ms));
  EXPECT_EQ(slot.machine(receiver).status().have, 2u) << "a valid one of the same dealer is kept: others may decide it";
}

TEST(CeremonyCosts, MalformedMessagesAreChargedToWhoBroughtThem) {
  Slot slot;
  auto& machine = slot.machine(1);
  machine.tick(now_at(0s));
  std::size_t told = 0;
  std::size_t blamed = 0;
  for (std::uint32_t i = 0; i < 2500; ++i) {
    Envelope bad;
    bad.network = slot.plan().network_id;
    bad.type = MessageType::ready;
    bad.sender = slot.id(3);
    bad.body = {0xff, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
    bad.signature.emplace();
    const auto effects = machine.receive(bad, slot.id(2), now_at(1ms));
    told += slot.count(effects, "does not verify");
    for (const auto& event : effects.report) {
      if (event.culprit == 3) ++blamed;
    }
  }
  EXPECT_EQ(told, 1u);
  EXPECT_EQ(blamed, 0u) << "anybody can use its name";
}

TEST(CeremonyCosts, ObjectsThatNobodyAskedForAreChargedAndThoseThatSomebodyDidAreNot) {
  for (const bool is_asked : {false, true}) {
    Slot slot;
    auto& machine = slot.machine(1);
    machine.tick(now_at(0s));
    const Position leader = lead(slot.slot(), 1, 4);
    const DealList list{{1, DealHash{{1}}}, {2, DealHash{{2}}}, {3, DealHash{{3}}}};
    const Candidate unknown{slot.slot(), Sid{Hash32{1}}, 1, 0, list};
    machine.receive(seal(unknown, slot.node(leader), slot.plan().network_id), now_at(1ms));
    std::size_t told = 0;
    for (std::uint32_t i = 0; i < 2500; ++i) {
      const Value value{slot.slot(), Sid{numbered_hash(i + 5)}, list};
      if (is_asked) {
        const Fetch fetch{{id_cast<ObjectId>(value.hash())}};
        machine.receive(wrap(fetch, slot.id(3), slot.plan().network_id), now_at(Duration(100ms) * i));
      }
      const FetchReply reply{{wrap(value, slot.id(2), slot.plan().network_id).encode()}};
      const auto when = is_asked ? Duration(100ms) * i : Duration(2ms);
      told +=
          slot.count(machine.receive(wrap(reply, slot.id(2), slot.plan().network_id), now_at(when)), "does not verify");
    }
    EXPECT_EQ(told, is_asked ? 0u : 1u);
  }
}

TEST(CandidateBook, ForgetsOldListsAndKeepsTheOnesInUse) {
  Book slot;
  auto& book = slot.book;
  const auto list_of = [](std::uint32_t number) {
    DealList list;
    for (Position dealer = 1; dealer <= 3; ++dealer) {
      list.push_back({dealer, DealHash{numbered_hash(number)}});
    }
    return list;
  };
  const auto transcript_of = [&](std::uint32_t number) {
    return Value{slot.slot(), Sid{}, list_of(number)}.transcript();
  };
  book.add(Candidate{slot.slot(), Sid{}, 1, 0, list_of(0)});
  const auto& signature = slot.signature;
  ASSERT_TRUE(book.learn(Sid{}, list_of(1)));
  book.add_certificate(
      candidate_certificate(Ready{slot.slot(), {}, transcript_of(1), 1}, {{1, signature}, {2, signature}}));
  for (std::uint32_t i = 2; i < 2 * CandidateBook::kListsMax; ++i) ASSERT_TRUE(book.learn(Sid{}, list_of(i))) << i;
  EXPECT_NE(book.find(transcript_of(0)), nullptr) << "a Candidate of a view that is not over";
  EXPECT_NE(book.find(transcript_of(1)), nullptr) << "it has a certificate";
  EXPECT_EQ(book.find(transcript_of(2)), nullptr);
  EXPECT_EQ(book.find(Value{slot.slot(), Sid{}, list_of(2)}.hash()), nullptr);
  EXPECT_NE(book.find(transcript_of(2 * CandidateBook::kListsMax - 1)), nullptr);
  book.forget_below(2);
  for (std::uint32_t i = 5000; i < 5000 + CandidateBook::kListsMax; ++i) book.learn(Sid{}, list_of(i));
  EXPECT_EQ(book.find(transcript_of(0)), nullptr);
}

TEST(CandidateBook, TakesAMembersNewReadysAfterManyOldOnes) {
  Book slot;
  auto& book = slot.book;
  const auto& signature = slot.signature;
  const auto transcript_of = Slot::transcript_of;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(book.wants_ready(2, transcript_of(i)));
    book.add_ready(Ready{slot.slot(), {}, transcript_of(i), 2}, signature);
  }
  EXPECT_EQ(book.readys(transcript_of(1)), 0u);
  EXPECT_EQ(book.readys(transcript_of(100)), 1u);
  EXPECT_FALSE(book.wants_ready(2, transcript_of(100)));
  // An evicted one counts for no certificate: q' = 3 of 4.
  book.add_ready(Ready{slot.slot(), {}, transcript_of(1), 3}, signature);
  EXPECT_FALSE(book.add_ready(Ready{slot.slot(), {}, transcript_of(1), 4}, signature));
  EXPECT_TRUE(book.add_ready(Ready{slot.slot(), {}, transcript_of(1), 1}, signature));
}

}  // namespace
}  // namespace kms::dkg::test
