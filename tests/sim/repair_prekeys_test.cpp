// The numbers of repair prekeys: which are free, which a requester names, what a restart keeps (PROTOCOL.md 4.8).
#include "dkg/repair_prekeys.h"

#include <gtest/gtest.h>

#include "tests/dkg/four_nodes.h"
#include "tests/sim/disk.h"

namespace kms::dkg::test {
namespace {

constexpr std::uint32_t kWindow = PreKeyAnnounce::kWindow;

// Member 1 with its disk; what it announces is taken in by itself at once.
struct Owner {
  Owner() : context(SlotContext::make(four.plan(), four.self(1), four.random).value()), prekeys(context) { announce(); }

  template <class Act>
  std::vector<PreKeyAnnounce> turn(Act act) {
    Turn turn(context, outbox, now_at(at));
    at += 60s;
    act(turn);
    std::vector<PreKeyAnnounce> announced;
    while (const auto own = turn.next_own()) {
      announced.push_back(PreKeyAnnounce::parse(own->body).value());
      prekeys.add(1, announced.back(), *own, turn);
    }
    disk.apply(turn.take().save);
    return announced;
  }
  std::vector<PreKeyAnnounce> announce() {
    return turn([&](Turn& turn) { prekeys.announce(turn); });
  }
  // As a session does from its beginning to its end.
  std::vector<PreKeyAnnounce> use_up(std::uint32_t number) {
    prekeys.use(number);
    return turn([&](Turn& turn) {
      prekeys.destroy(number, turn);
      prekeys.announce(turn);
    });
  }
  std::vector<std::uint32_t> shown() {
    Turn turn(context, outbox, now_at(at));
    at += 60s;
    prekeys.show(turn);
    std::vector<std::uint32_t> out;
    for (const auto& outgoing : turn.take().send) {
      out.push_back(PreKeyAnnounce::parse(outgoing.envelope.body).value().first);
    }
    return out;
  }

  FourNodes four;
  SlotContext context;
  RepairPrekeys prekeys;
  Outbox outbox;
  sim::Disk disk;
  Duration at = 60s;
};

TEST(RepairPrekeys, TwoWindowsAreMadeAtOnceAndTheNextWhenNoMoreThanEightNumbersAreFree) {
  Owner owner;
  EXPECT_TRUE(owner.prekeys.is_free(0));
  EXPECT_TRUE(owner.prekeys.is_free(2 * kWindow - 1));
  EXPECT_FALSE(owner.prekeys.is_free(2 * kWindow));
  for (std::uint32_t number = 0; number + 1 < kWindow; ++number) EXPECT_TRUE(owner.use_up(number).empty()) << number;
  const auto next = owner.use_up(kWindow - 1);
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next.front().first, 2 * kWindow);
}

TEST(RepairPrekeys, UsingANumberLeavesThoseBelowItFree) {
  Owner owner;
  owner.prekeys.use(7);
  EXPECT_FALSE(owner.prekeys.is_free(7));
  EXPECT_NE(owner.prekeys.secret(7), nullptr) << "its session still reads it";
  for (std::uint32_t number = 0; number < 7; ++number) EXPECT_TRUE(owner.prekeys.is_free(number)) << number;
  EXPECT_EQ(owner.prekeys.next(), 0u);
  owner.prekeys.use(0);
  EXPECT_EQ(owner.prekeys.next(), 1u);
}

TEST(RepairPrekeys, ANumberThatWasUsedUpIsNeverFreeAgainAlsoAfterARestart) {
  Owner owner;
  owner.use_up(5);
  EXPECT_FALSE(owner.prekeys.is_free(5));
  RepairPrekeys restarted(owner.context);
  restarted.restore(owner.disk, owner.outbox);
  for (std::uint32_t number = 0; number < 2 * kWindow; ++number) {
    EXPECT_EQ(restarted.is_free(number), number != 5) << number;
    EXPECT_EQ(restarted.secret(number) != nullptr, number != 5) << number;
  }
  Turn turn(owner.context, owner.outbox, now_at(owner.at));
  restarted.announce(turn);
  EXPECT_FALSE(turn.has_own()) << "no number is announced twice";
}

// Whoever uses up numbers from above must not make a node keep ever more secrets below.
TEST(RepairPrekeys, OnlyTheFourHighestWindowsHaveFreeNumbers) {
  Owner owner;
  std::uint32_t made = 2 * kWindow;
  for (int round = 0; round < 40; ++round) {
    for (std::uint32_t number = made; number-- > 0;) {
      if (!owner.prekeys.is_free(number)) continue;
      for (const auto& announce : owner.use_up(number)) made = std::max(made, announce.first + kWindow);
      break;
    }
    EXPECT_LE(owner.disk.readable_secrets(), 4 * kWindow);
    EXPECT_GE(owner.prekeys.next() + 4 * kWindow, made);
    EXPECT_FALSE(owner.shown().empty());
    EXPECT_LE(owner.shown().size(), 4u);
  }
  EXPECT_GT(made, 4 * kWindow);
}

TEST(RepairPrekeys, AWindowIsShownAsLongAsASessionUsesANumberOfIt) {
  Owner owner;
  for (std::uint32_t number = 0; number + 1 < kWindow; ++number) owner.use_up(number);
  owner.prekeys.use(kWindow - 1);
  EXPECT_EQ(owner.shown(), (std::vector<std::uint32_t>{0, kWindow})) << "the other givers need it";
  owner.use_up(kWindow - 1);
  EXPECT_EQ(owner.shown(), (std::vector<std::uint32_t>{kWindow, 2 * kWindow}));
}

TEST(RepairPrekeys, WhatAnEarlierDiskAnnouncedIsNotFree) {
  Owner earlier;
  for (std::uint32_t number = 0; number < kWindow; ++number) earlier.use_up(number);
  Owner owner;
  const auto* old = earlier.outbox.find("repair/prekeys/16");
  ASSERT_NE(old, nullptr);
  owner.turn([&](Turn& turn) {
    owner.prekeys.add(1, PreKeyAnnounce::parse(old->body).value(), *old, turn);
    owner.prekeys.announce(turn);
  });
  for (std::uint32_t number = 0; number < 3 * kWindow; ++number) EXPECT_FALSE(owner.prekeys.is_free(number)) << number;
  EXPECT_EQ(owner.prekeys.next(), 3 * kWindow);
}

TEST(RepairPrekeys, RequestersWithDifferentStartsNameDifferentNumbers) {
  Owner owner;
  std::set<std::uint32_t> named;
  for (std::uint32_t start = 1; start <= RepairPrekeys::kSpread; ++start) {
    const auto choice = owner.prekeys.unused(1, 0, start);
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->first % RepairPrekeys::kSpread, start % RepairPrekeys::kSpread);
    EXPECT_TRUE(owner.prekeys.is_announced(1, choice->first, choice->second));
    named.insert(choice->first);
  }
  EXPECT_EQ(named.size(), RepairPrekeys::kSpread);
}

TEST(RepairPrekeys, RequestersStayApartAlsoWhereOneWindowHasNotComeYet) {
  Owner owner;
  RepairPrekeys requester(owner.context);
  const auto* second = owner.outbox.find("repair/prekeys/8");
  ASSERT_NE(second, nullptr);
  owner.turn([&](Turn& turn) { requester.add(2, PreKeyAnnounce::parse(second->body).value(), *second, turn); });
  EXPECT_FALSE(requester.unused(2, 0, 3)) << "signed by another member than it is taken for";
  RepairPrekeys other(owner.context);
  owner.turn([&](Turn& turn) { other.add(1, PreKeyAnnounce::parse(second->body).value(), *second, turn); });
  std::set<std::uint32_t> named;
  for (std::uint32_t start = 0; start < kWindow; ++start) named.insert(other.unused(1, 0, start)->first);
  EXPECT_EQ(named.size(), kWindow);
}

TEST(RepairPrekeys, ANumberThatARequestNamedIsPassedOverWhileThereAreOthers) {
  Owner owner;
  owner.prekeys.note_named(1, 3);
  EXPECT_EQ(owner.prekeys.unused(1, 0, 3)->first, 11u);
  owner.prekeys.note_named(1, 11);
  EXPECT_EQ(owner.prekeys.unused(1, 0, 3)->first, 4u);
  EXPECT_EQ(owner.prekeys.unused(1, 5, 3)->first, 12u);
  for (std::uint32_t number = 0; number < 2 * kWindow; ++number) owner.prekeys.note_named(1, number);
  EXPECT_EQ(owner.prekeys.unused(1, 0, 3)->first, 3u) << "named in vain, perhaps";
  EXPECT_FALSE(owner.prekeys.unused(1, 2 * kWindow, 3));
  EXPECT_FALSE(owner.prekeys.unused(2, 0, 3));
}

}  // namespace
}  // namespace kms::dkg::test
