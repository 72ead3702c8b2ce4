// What a responder keeps for whom: places shared among entries, results of replaced requests, words of refusal.
#include "node/delegation/responder.h"

#include <gtest/gtest.h>

#include "tests/node/delegation/dealt_committee.h"

namespace kms::delegation {
namespace {

// Member 5 of five answers; the others are entries.
struct ResponderTest : testing::Test {
  test::DealtCommittee dealt{5, 3, 1};
  ServingKeyPtr key = dealt.serving(5);
  Now now{Instant(1s), 1'800'000'000'000};
  V0Authorisation authorisation = dealt.authorise(crypto::Point::generator(), test::requester_key());

  Responder responder(ResponderLimits limits = {}) {
    Responder out(dealt.credentials[4], limits, dealt.replay_of(5));
    out.members_alive(dealt.nodes({1, 2, 3, 4}));
    return out;
  }
  // As an entry makes it; `spare` lets this member be among the first whatever its rank.
  DelegateRequest request(Position entry, std::uint32_t spare = 2) {
    AdmitJob admit;
    admit.authorisation = authorisation;
    admit.allowed = {dealt.gateway()};
    admit.key = dealt.serving(entry);
    admit.credentials = dealt.credentials[entry - 1u];
    admit.reply_key = make_reply_key(dealt.entropy);
    admit.issued_at = now.unix_s();
    Job job{1, std::move(admit)};
    run(job, dealt.entropy);
    DelegateRequest out;
    out.key = key->key;
    out.spare = spare;
    out.authorisation = authorisation;
    out.entry = std::get<AdmitJob::Admitted>(std::get<AdmitJob>(job.work).result).entry;
    return out;
  }
  Effects receive(Responder& at, Position from, DelegateRequest request) {
    return at.receive(dealt.member(from), std::move(request), {dealt.gateway()}, key, now);
  }
  Job finished(Effects effects) {
    EXPECT_EQ(effects.compute.size(), 1u);
    Job job = std::move(effects.compute.at(0));
    run(job, dealt.entropy);
    return job;
  }
  static std::optional<RefusalCode> refusal(const Effects& effects) {
    if (effects.send.size() != 1 || effects.send[0].type != Refusal::kType) return std::nullopt;
    return Refusal::parse(effects.send[0].body)->code;
  }
};

// Requests of other names under one signature: a hostile entry makes them at no cost.
DelegateRequest renamed(DelegateRequest request, std::uint32_t number) {
  for (std::size_t i = 0; i < 4; ++i) request.entry.rh[i] = static_cast<std::uint8_t>(number >> 8 * i);
  return request;
}

TEST_F(ResponderTest, AnEntryThatFillsItsPlacesLeavesRoomForTheOthers) {
  for (std::uint32_t spare : {0u, 2u}) {  // waiting requests, then partials in work
    ResponderLimits limits;
    limits.tasks_max = spare == 0 ? 40 : 1000;
    limits.jobs_max = spare == 0 ? 1000 : 40;
    auto at = responder(limits);
    const auto hostile = request(1, spare);
    std::size_t busy = 0;
    for (std::uint32_t i = 0; i < 200; ++i) {
      if (refusal(receive(at, 1, renamed(hostile, i))) == RefusalCode::busy) ++busy;
    }
    EXPECT_GE(busy, 40u) << "it ran out of places";
    for (Position honest = 2; honest <= 4; ++honest) {
      const auto one = request(honest, spare);
      for (std::uint32_t i = 0; i < 4; ++i) {
        EXPECT_NE(refusal(receive(at, honest, renamed(one, i))), RefusalCode::busy) << honest << " " << i;
      }
    }
  }
}

TEST_F(ResponderTest, PlacesComeBackWhenRequestsEnd) {
  ResponderLimits limits;
  limits.tasks_max = 2;
  limits.jobs_max = 2;
  auto at = responder(limits);
  const auto one = request(1);
  for (int round = 0; round < 3; ++round) {
    Effects first = receive(at, 1, one);
    EXPECT_EQ(refusal(receive(at, 1, renamed(one, 7))), RefusalCode::busy);
    EXPECT_FALSE(at.computed(finished(std::move(first)), now).send.empty());
    Done done;
    done.rh = one.entry.rh;
    at.receive(dealt.member(1).node, done);
  }
  ASSERT_EQ(refusal(receive(at, 1, one)), std::nullopt);
  now.instant += 11s;
  now.unix_ms += 11'000;
  at.tick(now);
  EXPECT_EQ(refusal(receive(at, 1, renamed(one, 8))), RefusalCode::busy) << "its partial is still in work";
  EXPECT_EQ(refusal(receive(at, 2, request(2))), std::nullopt);
}

TEST_F(ResponderTest, AnUnauthorisedRequestIsForgottenAtOnce) {
  ResponderLimits limits;
  limits.tasks_max = 2;
  auto at = responder(limits);
  auto forged = request(1);
  forged.entry.rh[0] ^= 1;
  EXPECT_EQ(refusal(at.computed(finished(receive(at, 1, forged)), now)), RefusalCode::entry);
  Need need;
  need.rh = forged.entry.rh;
  need.epoch = key->epoch;
  need.transcript = key->transcript;
  need.round = 1;
  need.want = 5;
  now.instant += 1s;
  EXPECT_TRUE(at.receive(dealt.member(1).node, need, now).compute.empty())
      << "what was found bad is not computed again";
  EXPECT_EQ(refusal(receive(at, 1, request(1))), std::nullopt) << "its place is free";
}

TEST_F(ResponderTest, AJobOfAReplacedRequestDoesNotEndTheWorkOnTheNewOne) {
  auto at = responder();
  auto old_job = finished(receive(at, 1, request(1)));
  now.instant += 1s;
  now.unix_ms += 1000;
  const auto again = request(1);
  auto new_job = finished(receive(at, 1, again));
  EXPECT_TRUE(at.computed(std::move(old_job), now).send.empty()) << "sealed to a key that nobody waits with";
  EXPECT_TRUE(receive(at, 1, again).compute.empty()) << "a copy of what is in work";
  EXPECT_EQ(at.computed(std::move(new_job), now).send.size(), 1u);
  EXPECT_EQ(at.counts().answered, 1u);
}

TEST_F(ResponderTest, ANeedBeyondTheLastRoundIsIgnored) {
  auto at = responder();
  const auto one = request(1);
  at.computed(finished(receive(at, 1, one)), now);
  Need need;
  need.rh = one.entry.rh;
  need.epoch = key->epoch;
  need.transcript = key->transcript;
  need.want = 5;
  now.instant += 1s;
  need.round = 6;
  EXPECT_TRUE(at.receive(dealt.member(1).node, need, now).compute.empty());
  need.round = 5;
  EXPECT_EQ(at.receive(dealt.member(1).node, need, now).compute.size(), 1u);
}

// Else anybody could tell an honest entry, in the name of honest members, that they refuse its request.
TEST_F(ResponderTest, RefusesToWhoAskedAndNotToTheEntryThatWasNamed) {
  auto at = responder();
  const Effects effects = receive(at, 2, request(1));
  ASSERT_EQ(refusal(effects), RefusalCode::entry);
  EXPECT_EQ(effects.send[0].entry, dealt.member(2).node);
}

TEST_F(ResponderTest, RefusalsSayWhatIsWrong) {
  auto at = responder();
  auto late = request(1);
  late.entry.issued_at -= 31;
  EXPECT_EQ(refusal(receive(at, 1, late)), RefusalCode::clock);
  EXPECT_NE(std::string(name_of(RefusalCode::clock)).find("clock"), std::string::npos);
  late.entry.issued_at += 62;
  EXPECT_EQ(refusal(receive(at, 1, late)), RefusalCode::clock);
  EXPECT_EQ(refusal(receive(at, 2, request(1))), RefusalCode::entry) << "another member's entry";
  auto other_key = request(1);
  other_key.key.bytes[0] ^= 1;
  EXPECT_EQ(refusal(receive(at, 1, other_key)), RefusalCode::stale);
  auto other_epoch = request(1);
  ++other_epoch.entry.epoch;
  EXPECT_EQ(refusal(receive(at, 1, other_epoch)), RefusalCode::stale);
}

}  // namespace
}  // namespace kms::delegation
