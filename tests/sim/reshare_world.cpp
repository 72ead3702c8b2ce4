#include "tests/sim/reshare_world.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::sim {
namespace {

// Unsorted: which node stands where in a committee is left to its id.
std::vector<crypto::NodeKey> make_keys(const Move& move, std::uint64_t seed) {
  Random random(seed ^ 0x6d6f7665ULL);
  std::vector<crypto::NodeKey> keys;
  for (int i = 0; i < move.n + move.new_n - move.shared; ++i) keys.push_back(crypto::NodeKey::generate(random));
  return keys;
}

dkg::Committee committee_of(const std::vector<crypto::NodeKey>& keys, std::size_t begin, std::size_t count) {
  std::vector<crypto::Point> points;
  for (std::size_t i = begin; i < begin + count; ++i) points.push_back(keys[i].public_key());
  return dkg::Committee::make(points).value();
}

std::vector<crypto::NodeKey> sorted(std::vector<crypto::NodeKey> keys) {
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.node_id() < b.node_id(); });
  return keys;
}

dkg::Plan first_plan(const Move& move, const dkg::Committee& members) {
  const Hash32 nonce{7};
  const auto network = dkg::network_id("sim", nonce);
  std::vector<dkg::Label> labels;
  for (std::size_t key = 0; key < move.keys; ++key) labels.push_back({31337 + key, {}});
  return dkg::Plan{.network_id = network,
                   .key_set = dkg::key_set_id(network, nonce, members.hash(), move.t, labels),
                   .labels = labels,
                   .members = members,
                   .threshold = dkg::Threshold::make(move.n, move.t).value(),
                   .file = dkg::file_hash(as_bytes("network file of epoch 0")),
                   .not_after = 0,
                   .genesis = dkg::Genesis::automatic,
                   .timing = {}};
}

}  // namespace

Origin::Origin(const Move& move_in, std::uint64_t seed)
    : move(move_in),
      nodes(sorted(make_keys(move_in, seed))),
      old_members(committee_of(make_keys(move_in, seed), 0, move_in.n)),
      new_members(committee_of(make_keys(move_in, seed), std::size_t{move_in.n} - move_in.shared, move_in.new_n)),
      first(first_plan(move_in, old_members)) {
  Random random(seed ^ 0x736563ULL);
  for (std::size_t i = 0; i < nodes.size(); ++i) node_secrets.push_back(crypto::Secret<32>::random(random));
  make_first_epoch(seed);
}

dkg::Self Origin::self(std::size_t place) const {
  const auto held = shares.find(place);
  return {nodes[place - 1], node_secrets[place - 1], held == shares.end() ? nullptr : &held->second};
}

std::vector<std::size_t> Origin::old_places() const {
  std::vector<std::size_t> out;
  for (std::size_t place = 1; place <= nodes.size(); ++place) {
    if (is_old(place)) out.push_back(place);
  }
  return out;
}

std::vector<std::size_t> Origin::new_places() const {
  std::vector<std::size_t> out;
  for (std::size_t place = 1; place <= nodes.size(); ++place) {
    if (is_new(place)) out.push_back(place);
  }
  return out;
}

void Origin::make_first_epoch(std::uint64_t seed) {
  const auto places = old_places();
  Random random(seed);
  Schedule schedule;
  schedule.members = places.size();
  World world(schedule, seed, [&](std::size_t member, const Disk& disk, Now now) -> std::unique_ptr<Machine> {
    auto ceremony = dkg::Ceremony::restore(first, self(places[member - 1]), disk, random, now);
    return std::make_unique<CeremonyMachine>(std::move(ceremony.value()));
  });
  const auto ceremony = [&](std::size_t member) -> const dkg::Ceremony& {
    return static_cast<CeremonyMachine*>(world.machine(member))->ceremony();
  };
  world.run([&] {
    for (std::size_t member = 1; member <= places.size(); ++member) {
      if (world.machine(member) == nullptr) return false;
      if (!ceremony(member).is_released() || ceremony(member).shares() == nullptr) return false;
    }
    return true;
  });
  for (std::size_t member = 1; member <= places.size(); ++member) {
    KMS_ASSERT(ceremony(member).is_released() && ceremony(member).shares() != nullptr);
    auto& own = shares[places[member - 1]];
    for (const auto& share : *ceremony(member).shares()) own.push_back(share.clone());
    disks.emplace(places[member - 1], world.disk(member));
  }
  record = std::make_shared<const dkg::EpochRecord>(*ceremony(1).record());
}

dkg::Plan Origin::plan() const {
  auto next = first;
  next.members = new_members;
  next.threshold = dkg::Threshold::make(move.new_n, move.new_t).value();
  next.file = dkg::file_hash(as_bytes("network file of epoch 1"));
  next.old = record;
  return next;
}

ReshareTrial::ReshareTrial(const Origin& origin_in, Schedule schedule, std::uint64_t seed, Operators operators,
                           std::optional<dkg::Plan> plan_in, Twist twist, std::set<std::size_t> unchecked)
    : origin(origin_in),
      plan(plan_in ? *plan_in : origin_in.plan()),
      world(
          [&] {
            schedule.members = origin_in.nodes.size();
            return schedule;
          }(),
          seed,
          [this, operators, twist](std::size_t place, const Disk& disk, Now now) -> std::unique_ptr<Machine> {
            auto made = dkg::Ceremony::restore(plan, origin.self(place), disk, *entropy[place - 1], now);
            std::optional<std::uint64_t> approves;
            if (operators == Operators::approve && origin.is_old(place)) approves = kApprovedUntil;
            auto machine = std::make_unique<CeremonyMachine>(std::move(made.value()), approves);
            machines[place] = machine.get();
            if (!twist) return machine;
            return twist(place, std::move(machine));
          },
          [this, unchecked](std::size_t place, const Bytes& message) {
            if (!unchecked.contains(place)) fields.see(place, message);
          }) {
  Random random(seed ^ 0x656e74ULL);
  for (std::size_t i = 0; i < origin.nodes.size(); ++i) entropy.push_back(std::make_unique<Random>(random.next()));
}

const dkg::Ceremony* ReshareTrial::ceremony(std::size_t place) {
  return world.machine(place) == nullptr ? nullptr : &machines.at(place)->ceremony();
}

bool ReshareTrial::is_over(const std::set<std::size_t>& without) {
  for (std::size_t place = 1; place <= origin.nodes.size(); ++place) {
    if (without.contains(place)) continue;
    if (!is_released(place)) return false;
    if (origin.is_new(place) && ceremony(place)->shares() == nullptr) return false;
  }
  return true;
}

std::set<std::size_t> ReshareTrial::blamed() {
  std::set<std::size_t> out;
  for (const auto& [place, machine] : machines) {
    if (world.machine(place) == nullptr) continue;
    for (const auto& event : machine->events()) {
      if (event.kind == dkg::Event::Kind::blame) out.insert(event.culprit);
    }
  }
  return out;
}

std::string ReshareTrial::verdict(const std::set<std::size_t>& liars) {
  if (!fields.verdict().empty()) return fields.verdict();
  std::vector<const dkg::Ceremony*> finishers;
  for (std::size_t place = 1; place <= origin.nodes.size(); ++place) {
    const auto* one = ceremony(place);
    if (one == nullptr || !one->is_released()) continue;
    finishers.push_back(one);
    for (std::size_t key = 0; key < origin.move.keys; ++key) {
      if (one->record()->tables[key].public_key != origin.record->tables[key].public_key) return "the key changed";
    }
    if (!origin.is_new(place) && one->shares() != nullptr) return "an old member has a new share";
  }
  if (auto wrong = check_key(plan, finishers); !wrong.empty()) return wrong;
  for (const auto place : blamed()) {
    if (!liars.contains(place)) return "an honest member is blamed: " + std::to_string(place);
  }
  return {};
}

std::string ReshareTrial::story() {
  std::string out;
  for (const auto& [place, machine] : machines) {
    out += "\n member " + std::to_string(place) + (origin.is_old(place) ? " old" : "") +
           (origin.is_new(place) ? " new" : "") + ": ";
    if (world.machine(place) == nullptr) {
      out += "down";
      continue;
    }
    const auto status = machine->ceremony().status();
    out += std::string(dkg::name_of(status.phase)) + ", " + status.summary;
    for (const auto& event : machine->events()) {
      if (event.kind != dkg::Event::Kind::progress) out += "\n    " + std::to_string(event.culprit) + " " + event.text;
    }
  }
  return out + "\n at " + std::to_string(world.now().instant.time_since_epoch() / 1ms) + " ms";
}

}  // namespace kms::sim
