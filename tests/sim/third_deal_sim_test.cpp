// A dealer with more than two Deals for one header: T may name one that a member has no room for (PROTOCOL.md 4.3).
#include <gtest/gtest.h>

#include "tests/sim/checkers.h"

namespace kms::sim {
namespace {

// Tells one member two Deals and the others a third one, which its honest inside made; all three are valid.
class ThreeDeals final : public Machine {
 public:
  ThreeDeals(std::unique_ptr<Machine> honest, Committee& committee, dkg::Position self, std::size_t victim)
      : honest_(std::move(honest)), committee_(committee), self_(self), victim_(victim) {}
  Output receive(const Bytes& message, Now now) override {
    learn(message);
    return twist(honest_->receive(message, now));
  }
  Output tick(Now now) override { return twist(honest_->tick(now)); }
  std::optional<Instant> wakes_at() const override { return honest_->wakes_at(); }
  Output connected(const std::set<std::size_t>& members, Now now) override {
    return twist(honest_->connected(members, now));
  }

 private:
  void learn(const Bytes& message) {
    const auto envelope = dkg::Envelope::parse(message);
    if (!envelope || envelope->type != dkg::MessageType::ceremony_header) return;
    const auto header = dkg::CeremonyHeader::parse(envelope->body);
    if (header) headers_.emplace(header->sid(), *header);
  }
  Output twist(Output output) {
    std::vector<Bytes> send;
    for (auto& message : output.send) {
      learn(message);
      const auto envelope = dkg::Envelope::parse(message);
      const auto deal = envelope && envelope->type == dkg::MessageType::deal
                            ? dkg::Deal::parse(envelope->body)
                            : Result<dkg::Deal>(error("another message"));
      if (!deal) {
        send.push_back(std::move(message));
        continue;
      }
      for (const auto salt : {std::uint8_t{1}, std::uint8_t{2}}) {
        const auto terms = dkg::deal_terms(headers_.at(deal->sid), deal->sid);
        const auto other = dkg::make_deal(terms, self_, crypto::Secret<32>::copy_of(Hash32{salt}));
        output.whispers.push_back(
            {victim_, dkg::seal(other, committee_.nodes[self_ - 1u], committee_.plan.network_id).encode()});
      }
      for (std::size_t to = 1; to <= committee_.nodes.size(); ++to) {
        if (to != self_ && to != victim_) output.whispers.push_back({to, message});
      }
    }
    output.send = std::move(send);
    return output;
  }

  std::unique_ptr<Machine> honest_;
  Committee& committee_;
  dkg::Position self_;
  std::size_t victim_;
  std::map<dkg::Sid, dkg::CeremonyHeader> headers_;
};

// Whether T names the liar's Deal; fails unless everybody honest gets a share and the liar is blamed.
bool deals_three_times(dkg::Position liar, std::uint64_t seed) {
  Committee committee(4, 2, seed);
  const auto victim = static_cast<std::size_t>(liar % 4 + 1);
  Schedule schedule;
  schedule.members = 4;
  schedule.end = 300s;
  const Boot honest = committee.boot();
  std::map<std::size_t, CeremonyMachine*> machines;
  World world(schedule, seed, [&](std::size_t member, const Disk& disk, Now now) -> std::unique_ptr<Machine> {
    auto machine = honest(member, disk, now);
    machines[member] = static_cast<CeremonyMachine*>(machine.get());
    if (member != liar) return machine;
    return std::make_unique<ThreeDeals>(std::move(machine), committee, liar, victim);
  });
  const auto is_done = [&](std::size_t member) {
    return member == liar || (machines.contains(member) && machines[member]->ceremony().is_released() &&
                              machines[member]->ceremony().shares() != nullptr);
  };
  world.run([&] { return is_done(1) && is_done(2) && is_done(3) && is_done(4); });
  std::vector<const dkg::Ceremony*> finishers;
  bool is_blamed = false;
  for (std::size_t member = 1; member <= 4; ++member) {
    if (member == liar) continue;
    EXPECT_TRUE(is_done(member)) << "liar " << liar << " seed " << seed << " member " << member << ": "
                                 << machines[member]->ceremony().status().summary;
    if (!is_done(member)) return false;
    finishers.push_back(&machines[member]->ceremony());
    for (const auto& event : machines[member]->events()) {
      if (event.kind != dkg::Event::Kind::blame) continue;
      EXPECT_EQ(event.culprit, liar) << event.text;
      is_blamed = true;
    }
  }
  EXPECT_EQ(check_key(committee.plan, finishers), "");
  EXPECT_TRUE(is_blamed);
  const auto& list = finishers.front()->record()->list;
  return std::any_of(list.begin(), list.end(), [&](const auto& entry) { return entry.dealer == liar; });
}

TEST(CeremonySim, ADealThatTIsMadeOfIsTakenByWhoHoldsTwoOthersOfItsDealer) {
  std::size_t named = 0;
  for (dkg::Position liar = 1; liar <= 4; ++liar) {
    for (std::uint64_t seed = 200; seed < 204; ++seed) {
      if (deals_three_times(liar, seed)) ++named;
    }
  }
  EXPECT_GE(named, 4u) << "else nobody needed the third one";
}

}  // namespace
}  // namespace kms::sim
