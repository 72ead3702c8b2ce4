#include "tests/sim/epochs_world.h"

#include <algorithm>

namespace kms::sim {
namespace {

constexpr std::uint64_t kChainOfTrial = 31337;

std::vector<crypto::NodeKey> keys_of(std::size_t nodes, std::uint64_t seed) {
  Random random(seed ^ 0x65706f636873ULL);
  std::vector<crypto::NodeKey> out;
  for (std::size_t i = 0; i < nodes; ++i) out.push_back(crypto::NodeKey::generate(random));
  return out;
}

Schedule with_members(Schedule schedule, std::size_t nodes) {
  schedule.members = nodes;
  return schedule;
}

}  // namespace

Output EpochsMachine::output(node::EpochSteps steps, Now now) {
  Output out;
  if (is_away_) return out;
  const auto send = [&](const dkg::Envelope& envelope) {
    if (!filter_ || filter_(envelope)) out.send.push_back(envelope.encode());
  };
  for (auto& step : steps.steps) {
    std::move(step.effects.save.writes.begin(), step.effects.save.writes.end(), std::back_inserter(out.save.writes));
    for (const auto& item : step.effects.send) send(item.envelope);
    std::move(step.effects.report.begin(), step.effects.report.end(), std::back_inserter(events_));
  }
  const auto status = epochs_.status();
  if (status != last_status_ || now.instant >= status_at_) {
    last_status_ = status;
    status_at_ = now.instant + 10s;
    send(dkg::wrap(dkg::NodeStatus{status}, self_, network_));
  }
  return out;
}

Output EpochsMachine::receive(const Bytes& message, Now now) {
  const auto envelope = dkg::Envelope::parse(message);
  if (!envelope || is_away_ || (hears_ && !hears_(*envelope))) return {};
  return output(epochs_.receive(*envelope, envelope->sender, now), now);
}

Output EpochsMachine::tick(Now now) {
  if (is_away_) return {};
  if (!orders_.empty()) {
    const Order order = std::move(orders_.front());
    orders_.pop_front();
    auto steps = order(epochs_, now);
    if (steps) return output(std::move(*steps), now);
    refusals_.push_back(steps.error().message);
  }
  return output(epochs_.tick(now), now);
}

std::optional<Instant> EpochsMachine::wakes_at() const {
  if (is_away_) return std::nullopt;
  if (!orders_.empty()) return Instant{};
  const auto wake = epochs_.wakes_at();
  return wake ? std::min(*wake, status_at_) : status_at_;
}

Output EpochsMachine::connected(const std::set<std::size_t>& members, Now now) {
  std::set<dkg::NodeId> peers;
  for (const auto member : members) peers.insert(nodes.at(member - 1));
  return output(epochs_.peers_connected(peers, now), now);
}

EpochsTrial::EpochsTrial(std::size_t count, std::uint16_t members, std::uint16_t threshold, Schedule schedule,
                         std::uint64_t seed)
    : nodes(keys_of(count, seed)),
      world(with_members(schedule, count), seed,
            [this](std::size_t place, const Disk& disk, Now now) -> std::unique_ptr<Machine> {
              const dkg::Self self{nodes[place - 1], secrets[place - 1], nullptr};
              auto begun = node::Epochs::begin(*terms, self, disk, *entropy[place - 1], now);
              auto machine = std::make_unique<EpochsMachine>(std::move(begun.value()), id(place), terms->network);
              for (std::size_t i = 1; i <= nodes.size(); ++i) machine->nodes.push_back(id(i));
              return machine;
            }) {
  Random random(seed ^ 0x736563ULL);
  std::vector<crypto::Point> points;
  for (std::size_t i = 0; i < count; ++i) {
    secrets.push_back(crypto::Secret<32>::random(random));
    entropy.push_back(std::make_unique<Random>(random.next()));
    if (i < members) points.push_back(nodes[i].public_key());
  }
  auto committee = dkg::Committee::make(points).value();
  std::vector<std::string> names;
  std::set<dkg::NodeId> entries;
  for (const dkg::Member& member : committee.members()) {
    names.push_back("node-" + std::to_string(names.size() + 1));
    entries.insert(member.node);
  }
  const Hash32 nonce{9};
  const auto network = dkg::network_id("sim", nonce);
  const std::vector<dkg::Label> labels{{kChainOfTrial, {}}};
  const auto set = dkg::key_set_id(network, nonce, committee.hash(), threshold, labels);
  std::map<std::uint64_t, std::vector<crypto::Address>> gateways{{kChainOfTrial, {crypto::Address{}}}};
  gateways[kChainOfTrial].front().bytes[0] = 1;
  terms.emplace(node::NetworkTerms{"sim",
                                   network,
                                   set,
                                   labels,
                                   committee,
                                   names,
                                   dkg::Threshold::make(members, threshold).value(),
                                   dkg::file_hash(as_bytes("network file of the trial")),
                                   gateways,
                                   entries,
                                   dkg::Genesis::automatic,
                                   {}});
}

std::string EpochsTrial::file(std::uint32_t epoch, const Places& members, std::uint16_t threshold,
                              const std::string& note) const {
  std::string text = "# " + note + "\nname = \"sim\"\ncreation_nonce = \"" + to_0x(Hash32{9}) +
                     "\"\nepoch = " + std::to_string(epoch) + "\nthreshold = " + std::to_string(threshold) +
                     "\naccept_f0 = true\n";
  for (const std::size_t place : members) {
    text += "[[member]]\nkey = \"" + to_hex(nodes[place - 1].public_key().bytes()) + "\"\nname = \"place-" +
            std::to_string(place) + "\"\n";
  }
  return text + "[[chain]]\nid = " + std::to_string(kChainOfTrial) + "\ngateway = \"" +
         to_0x(terms->gateways.begin()->second.front().bytes) + "\"\n";
}

void EpochsTrial::approve(const Places& places, const std::string& text) {
  for (const std::size_t place : places) {
    machine(place)->order([text](node::Epochs& epochs, Now now) { return epochs.approve(text, std::nullopt, now); });
  }
}

void EpochsTrial::emergency(const Places& places, const std::string& text) {
  for (const std::size_t place : places) {
    machine(place)->order([text](node::Epochs& epochs, Now now) { return epochs.emergency(text, std::nullopt, now); });
  }
}

void EpochsTrial::give_up(const Places& places) {
  for (const std::size_t place : places) {
    machine(place)->order([](node::Epochs& epochs, Now now) { return epochs.give_up(now); });
  }
}

void EpochsTrial::name_dealing(const Places& places) {
  for (const std::size_t place : places) {
    machine(place)->order([](node::Epochs& epochs, Now now) -> Result<node::EpochSteps> {
      const auto choices =
          epochs.next() == nullptr ? std::vector<dkg::EmergencyState::Choice>{} : epochs.next()->emergency().choices;
      if (choices.size() != 1) return error("there are " + std::to_string(choices.size()) + " dealings to name");
      return epochs.name_dealing(choices[0].transcript, now);
    });
  }
}

int EpochsTrial::epoch(std::size_t place) {
  if (machine(place) == nullptr || !epochs(place).newest()) return -1;
  return static_cast<int>(epochs(place).newest()->header.epoch);
}

int EpochsTrial::next_branch(std::size_t place) {
  const auto* next = epochs(place).next();
  return next == nullptr ? -1 : static_cast<int>(next->plan().voided.size());
}

dkg::Phase EpochsTrial::next_phase(std::size_t place) {
  if (machine(place) == nullptr || epochs(place).next() == nullptr) return dkg::Phase::closed;
  return epochs(place).next()->phase();
}

bool EpochsTrial::has_reached(const Places& places, int wanted) {
  return std::all_of(places.begin(), places.end(), [&](std::size_t place) { return epoch(place) >= wanted; });
}

bool EpochsTrial::run_until(const Places& places, Duration within, const std::function<bool(std::size_t)>& says) {
  const auto holds = [&] {
    return std::all_of(places.begin(), places.end(),
                       [&](std::size_t place) { return machine(place) != nullptr && says(place); });
  };
  const Instant end = world.now().instant + within;
  world.run([&] { return holds() || world.now().instant >= end; });
  return holds();
}

std::string EpochsTrial::story() {
  std::string out = "\n at " + std::to_string(world.now().instant.time_since_epoch() / 1ms) + " ms";
  for (std::size_t place = 1; place <= nodes.size(); ++place) {
    out += "\n place " + std::to_string(place) + ": ";
    if (machine(place) == nullptr) {
      out += "down";
      continue;
    }
    out += "epoch " + std::to_string(epoch(place));
    if (const auto* next = epochs(place).next()) {
      out += ", branch " + std::to_string(next->plan().voided.size()) + " " + std::string(dkg::name_of(next->phase())) +
             ": " + next->status().summary;
    }
    for (const auto& refusal : machine(place)->refusals()) out += "\n   refused: " + refusal;
    for (const auto& event : machine(place)->events()) {
      if (event.kind != dkg::Event::Kind::progress && event.kind != dkg::Event::Kind::view) {
        out += "\n    " + std::to_string(event.culprit) + " " + event.text;
      }
    }
  }
  return out;
}

}  // namespace kms::sim
