#include "tests/sim/program/stage.h"

#include <algorithm>

#include "base/assert.h"
#include "dkg/import.h"
#include "tests/sim/program/scene.h"

namespace kms::sim {
namespace {

constexpr Duration kApproved = 24h;  // after the beginning of a stage
constexpr std::size_t kOverheardMax = 400;

dkg::Committee committee_of(const std::vector<Person>& people, const std::vector<std::size_t>& chosen) {
  std::vector<crypto::Point> keys;
  for (const auto person : chosen) keys.push_back(people[person].key.public_key());
  return dkg::Committee::make(keys).value();
}

}  // namespace

Chain::Chain(const Draw& draw_in, Trace& trace_in) : draw(draw_in), trace(trace_in), disks(draw_in.people) {
  Random random(draw.seed ^ 0x70656f706c65ULL);
  for (std::size_t i = 0; i < draw.people; ++i) {
    auto key = crypto::NodeKey::generate(random);
    auto secret = crypto::Secret<32>::random(random);
    people.push_back({std::move(key), std::move(secret), random.fork()});
  }
}

Stage::Stage(Chain& chain, const StageDraw& draw, std::uint32_t epoch)
    : chain_(chain), draw_(draw), epoch_(epoch), terms_{make_plan(), chain.plan} {
  if (epoch > 0 && !draw_.is_by_clock) {
    terms_.approved_until = static_cast<std::uint64_t>((chain_.unix_ms + kApproved / 1ms) / 1000);
  }
  seat_everybody();
  if (draw_.is_import) import_keys();
  world_ = std::make_unique<World>(
      make_schedule(), chain_.draw.seed ^ (epoch + 1) * 0x9e37ULL,
      [this](std::size_t place, const Disk& disk, Now now) { return boot(place, disk, now); },
      [this](std::size_t place, const Bytes& message) { observe(place, message); });
  world_->trace([this](const Step& step) { note(step); });
  for (std::size_t place = 1; place <= places(); ++place) {
    world_->set_disk(place, chain_.disks[person_of_[place - 1]]);
  }
}

std::vector<crypto::SecretScalar> Stage::imported_keys() const {
  Random random(chain_.draw.seed ^ 0x696d706f7274ULL);
  std::vector<crypto::SecretScalar> out;
  for (std::size_t key = 0; key < chain_.draw.keys; ++key) out.push_back(crypto::SecretScalar::random(random));
  return out;
}

// Before the node runs, as kms-node import does it.
void Stage::import_keys() {
  auto& one = chain_.people[draw_.committee.front()];
  auto& disk = chain_.disks[draw_.committee.front()];
  auto made = dkg::import_keys(terms_.plan, {one.key, one.secret}, imported_keys(), disk, one.entropy);
  KMS_ASSERT(made.has_value());
  disk.apply(made->save);
  chain_.trace.say(Instant{}, "node-1: " + made->report.front().text);
}

dkg::Plan Stage::make_plan() const {
  auto members = committee_of(chain_.people, draw_.committee);
  const auto sizes = dkg::Threshold::make(static_cast<std::uint32_t>(members.size()), draw_.threshold).value();
  const std::string file = "network file of epoch " + std::to_string(epoch_);
  if (epoch_ > 0) {
    auto next = *chain_.plan;
    next.members = std::move(members);
    next.threshold = sizes;
    next.file = dkg::file_hash(as_bytes(file));
    next.old = chain_.record;
    next.lower = dkg::LowerThreshold::allowed;
    if (draw_.is_by_clock) {
      next.refresh = dkg::RefreshClock{static_cast<std::uint64_t>(chain_.unix_ms / 1000), 10};
    } else {
      next.refresh.reset();
    }
    return next;
  }
  Random random(chain_.draw.seed);
  const Hash32 nonce = random.array<32>();
  const auto network = dkg::network_id("sim", nonce);
  std::vector<dkg::Label> labels;
  for (std::size_t key = 0; key < chain_.draw.keys; ++key) labels.push_back({31337 + key, {}});
  const auto set = dkg::key_set_id(network, nonce, members.hash(), draw_.threshold, labels);
  std::vector<crypto::Point> imported;
  if (draw_.is_import) {
    for (const auto& key : imported_keys()) imported.push_back(crypto::multiply_generator(key).point());
  }
  return dkg::Plan{.network_id = network,
                   .key_set = set,
                   .labels = labels,
                   .members = std::move(members),
                   .threshold = sizes,
                   .file = dkg::file_hash(as_bytes(file)),
                   .not_after = 0,
                   .genesis = dkg::Genesis::automatic,
                   .timing = {},
                   .imported = std::move(imported)};
}

void Stage::seat_everybody() {
  std::set<std::size_t> people(draw_.committee.begin(), draw_.committee.end());
  if (epoch_ > 0) {
    const auto& old = chain_.draw.stages[epoch_ - 1].committee;
    people.insert(old.begin(), old.end());
  }
  const std::vector<std::size_t> list(people.begin(), people.end());
  everybody_.emplace(committee_of(chain_.people, list));
  person_of_.resize(list.size());
  Knowledge::Ceremony ring{epoch_, {}, {}};
  for (const auto person : list) {
    const auto id = chain_.people[person].id();
    const std::size_t place = *everybody_->position_of(id);
    person_of_[place - 1] = person;
    const auto traitor = draw_.traitors.find(person);
    const bool is_cloned = traitor != draw_.traitors.end() && traitor->second->fault == Attack::Fault::clone;
    if (is_cloned) cloned_.emplace(place, chain_.people[person].entropy);
    const bool is_faulty = traitor != draw_.traitors.end() && !is_cloned;
    if (is_faulty && traitor->second->fault != Attack::Fault::clock) chain_.guilty.insert(person);
    if (chain_.guilty.contains(person)) guilty_.insert(place);
    if (!is_faulty) continue;
    faulty_.insert(place);
    if (traitor->second->make == nullptr) continue;
    traitors_.insert(place);
    const auto& dealers = epoch_ == 0 ? terms_.plan.members : chain_.committees.back();
    if (const auto dealer = dealers.position_of(id)) {
      ring.dealers.insert(*dealer);
      if (epoch_ > 0) chain_.knowledge.learn_share(epoch_ - 1, *dealer);
    }
    if (const auto receiver = terms_.plan.members.position_of(id)) ring.receivers.insert(*receiver);
  }
  chain_.knowledge.begin(std::move(ring));
}

Schedule Stage::make_schedule() const {
  Schedule schedule;
  schedule.members = places();
  schedule.storm = draw_.storm;
  schedule.calm_from = draw_.calm_from;
  schedule.end = draw_.end;
  schedule.unix_ms = chain_.unix_ms;
  schedule.relays_whispers = draw_.relays_whispers;
  schedule.crash = draw_.crash;
  for (std::size_t place = 1; place <= places(); ++place) {
    const auto person = person_of_[place - 1];
    if (draw_.rolled_back.contains(person)) schedule.rolled_back.insert(place);
    if (const auto late = draw_.late.find(person); late != draw_.late.end()) schedule.starts[place] = late->second;
    if (const auto clock = draw_.clocks.find(person); clock != draw_.clocks.end())
      schedule.clocks[place] = clock->second;
    if (draw_.absence && draw_.absence->member == person) {
      schedule.absences.push_back({place, draw_.absence->from, draw_.absence->until});
    }
  }
  // Who has a cloned random source falls in the middle of the dealing, and before and after.
  for (const Duration at : {150ms, 400ms, 1500ms, 3000ms}) {
    for (const auto& [place, source] : cloned_) schedule.falls.push_back({place, at});
  }
  return schedule;
}

bool Stage::is_old(std::size_t place) const {
  const auto& old = epoch_ == 0 ? terms_.plan.members : chain_.committees.back();
  return old.position_of(everybody_->at(static_cast<dkg::Position>(place)).node).has_value();
}

bool Stage::is_new(std::size_t place) const {
  return terms_.plan.members.position_of(everybody_->at(static_cast<dkg::Position>(place)).node).has_value();
}

std::unique_ptr<Machine> Stage::boot(std::size_t place, const Disk& disk, Now now) {
  auto& one = person(place);
  if (const auto source = cloned_.find(place); source != cloned_.end()) one.entropy = source->second;
  auto member = std::make_unique<EpochMember>(terms_, one, place, disk, now,
                                              [this, place](const dkg::Event& event) { report(place, event); });
  members_[place] = member.get();
  if (!traitors_.contains(place)) {
    if (chain_.meter == nullptr) return member;
    return std::make_unique<MeteredMember>(std::move(member), (*chain_.meter)[place]);
  }
  const auto& attack = *draw_.traitors.at(person_of_[place - 1]);
  auto& behaviour = behaviours_[place];
  if (!behaviour) behaviour = attack.make();
  return std::make_unique<Traitor>(*this, place, attack, std::move(member), behaviour, one.entropy);
}

void Stage::observe(std::size_t place, const Bytes& bytes) {
  const Bytes envelope_bytes(bytes.begin() + 2, bytes.end());
  if (!seen_.insert(envelope_bytes).second) return;
  const auto envelope = envelope_of(bytes);
  if (!envelope) return;
  if (is_honest(place)) fields_.see(place, envelope_bytes);
  if (ring_.overheard.size() < kOverheardMax) ring_.overheard.push_back(*envelope);
  const auto message = dkg::parse_message(*envelope);
  if (!message) return;
  if (const auto* header = std::get_if<dkg::CeremonyHeader>(&*message)) ring_.headers.emplace(header->sid(), *header);
  const bool is_own = envelope->sender == everybody_->at(static_cast<dkg::Position>(place)).node;
  if (is_own) chain_.knowledge.saw(*message);
  if (const auto* complaint = std::get_if<dkg::Complaint>(&*message); complaint != nullptr && is_honest(place)) {
    check_complaint(place, *complaint);
  }
  const auto* certificate = std::get_if<dkg::Certificate>(&*message);
  if (certificate == nullptr || !is_honest(place) || certificate->slot != slot(epoch_)) return;
  check_certificate(*certificate);
}

void Stage::check_complaint(std::size_t place, const dkg::Complaint& complaint) {
  const auto& dealers = epoch_ == 0 ? terms_.plan.members : chain_.committees.back();
  if (!dealers.has(complaint.dealer)) return;
  const auto dealer = *everybody_->position_of(dealers.at(complaint.dealer).node);
  if (guilty_.contains(dealer) || guilty_.contains(place)) return;
  fail("honest node-" + std::to_string(place) + " complains about honest node-" + std::to_string(dealer));
}

// One value each: FINAL of the slot, FINAL of its fate, root of the ActivationCert; one Notar a view.
void Stage::check_certificate(const dkg::Certificate& certificate) {
  using dkg::CertificateKind;
  std::string name;
  if (certificate.kind == CertificateKind::activation) name = "ActivationCert";
  const std::string instance = certificate.instance == dkg::Instance::fate ? " of the fate" : "";
  if (certificate.kind == CertificateKind::final) name = "FinalCert" + instance;
  if (certificate.kind == CertificateKind::notar) name = "Notar of view " + std::to_string(certificate.view) + instance;
  if (name.empty()) return;
  if (name == "FinalCert" && !decided_at_) decided_at_ = world_->now().instant;
  const auto [first, is_new] = certified_.try_emplace(name, certificate.value);
  if (!is_new && first->second != certificate.value) fail("two values have a " + name);
  if (certificate.kind == CertificateKind::notar && draw_.loses_notarized && !std::exchange(has_crashed_all_, true)) {
    world_->crash_all();
  }
}

void Stage::fail(std::string what) {
  if (verdict_.empty()) verdict_ = std::move(what);
}

void Stage::report(std::size_t place, const dkg::Event& event) {
  using Kind = dkg::Event::Kind;
  if (event.kind == Kind::blame && event.culprit != 0 && is_honest(place)) {
    blamed_[event.culprit].insert(place);
    if (!guilty_.contains(event.culprit)) {
      fail("honest node-" + std::to_string(event.culprit) + " is convicted by node-" + std::to_string(place) + ": " +
           event.text);
    }
  }
  const bool is_word = event.kind == Kind::misbehaviour || event.kind == Kind::parameters;
  if (is_word && event.culprit != 0 && is_honest(place)) suspected_[event.culprit].insert(place);
  if (event.kind == Kind::progress || event.kind == Kind::view) return;
  auto line = "node-" + std::to_string(place) + ": " + event.text;
  if (event.culprit != 0) line += " (node-" + std::to_string(event.culprit) + ")";
  if (event.kind == Kind::blame) line += ", with evidence of " + std::to_string(event.evidence.size()) + " bytes";
  chain_.trace.say(world_ ? world_->now().instant : Instant{}, line);
  if (story_.size() < 200 && event.kind != Kind::phase) story_.push_back(line);
}

void Stage::note(const Step& step) {
  chain_.trace.note(step);
  if (step.kind == Step::Kind::save && is_honest(step.to)) check_always(step.to);
}

const dkg::Ceremony* Stage::ceremony(std::size_t place) {
  return world_->machine(place) == nullptr ? nullptr : &members_.at(place)->ceremony();
}

bool Stage::is_gone(std::size_t place) const {
  return draw_.crash && draw_.crash->stays_down && world_ && world_->victim() == place;
}

bool Stage::is_settled(std::size_t place) {
  const auto* one = ceremony(place);
  if (one == nullptr || !one->is_released()) return false;
  if (is_new(place) && one->shares() == nullptr) return false;
  const auto* old = members_.at(place)->previous();
  return old == nullptr || old->status().phase == dkg::Phase::erased;
}

bool Stage::is_over() {
  if (!verdict_.empty()) return true;
  for (std::size_t place = 1; place <= places(); ++place) {
    if (is_honest(place) && !is_settled(place)) return false;
  }
  return true;
}

std::string Stage::run() {
  world_->run([this] { return is_over(); });
  chain_.events += world_->events();
  chain_.unix_ms = world_->now().unix_ms;
  if (!verdict_.empty()) return verdict_;
  if (!is_over()) {
    is_undecided_ = true;
    return "it does not end";
  }
  return check_end();
}

void Stage::hand_over() {
  for (std::size_t place = 1; place <= places(); ++place) chain_.disks[person_of_[place - 1]] = world_->disk(place);
  for (std::size_t place = 1; place <= places(); ++place) {
    if (is_honest(place)) chain_.record = std::make_shared<const dkg::EpochRecord>(*ceremony(place)->record());
  }
  chain_.plan = terms_.plan;
  chain_.overheard = std::move(ring_.overheard);
  chain_.committees.push_back(terms_.plan.members);
}

std::string Stage::title() const {
  const auto& sizes = terms_.plan.threshold;
  return "epoch " + std::to_string(epoch_) + ", n " + std::to_string(sizes.n()) + ", t " + std::to_string(sizes.t()) +
         ", f " + std::to_string(sizes.f()) + (draw_.is_fair() ? ", calm" : "");
}

std::string Stage::story() {
  std::string out = title();
  for (std::size_t place = 1; place <= places(); ++place) {
    out += "\n  node-" + std::to_string(place) + (epoch_ > 0 && is_old(place) ? " old" : "") +
           (is_new(place) ? " new" : "");
    const auto traitor = draw_.traitors.find(person_of_[place - 1]);
    if (traitor != draw_.traitors.end()) out += " [" + std::string(traitor->second->name) + "]";
    if (draw_.late.contains(person_of_[place - 1])) out += " late";
    const auto* one = ceremony(place);
    if (one == nullptr) {
      out += ": down";
      continue;
    }
    const auto status = one->status();
    out += ": " + std::string(dkg::name_of(status.phase)) + ", attempt " + std::to_string(status.attempt) + ", view " +
           std::to_string(status.view) + ", " + status.summary;
    if (const auto* old = members_.at(place)->previous())
      out += "; before: " + std::string(dkg::name_of(old->status().phase)) + ", " + old->status().summary;
  }
  for (const auto& line : story_) out += "\n    " + line;
  return out + "\n  at " + std::to_string(world_->now().instant.time_since_epoch() / 1ms) + " ms";
}

}  // namespace kms::sim
