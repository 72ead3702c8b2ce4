#include "tests/sim/program/service.h"

#include "base/assert.h"
#include "tests/sim/program/trick.h"

namespace kms::sim {
namespace {

constexpr Duration kAnsweredBy = 30s;  // after the weather is calm
constexpr Duration kEnd = 300s;

crypto::SecretScalar scalar_of(std::uint64_t seed, std::uint64_t salt) {
  Random random(seed ^ salt);
  return crypto::SecretScalar::random(random);
}

}  // namespace

Service::Service(const ServiceDraw& draw, Trace& trace)
    : draw_(draw),
      trace_(trace),
      random_(draw.seed ^ 0x726571ULL),
      network_(draw.members, draw.threshold, draw.seed, draw.keys),
      gateway_(network_.gateway_key.clone()),
      hostile_gateway_(scalar_of(draw.seed, 0x686f7374ULL)),
      stranger_(scalar_of(draw.seed, 0x73747261ULL)) {
  network_.add_gateway(hostile_gateway_.address());
  const auto terms = network_.terms();
  network_id_ = terms.network;
  std::set<dkg::NodeId> entries;
  for (std::size_t place = 1; place <= places(); ++place) {
    addresses_.push_back(credentials(place).node_key.address());
    if (is_listed(place)) entries.insert(node_id(place));
  }
  network_.set_entries(std::move(entries));
  if (draw.refresh_every) network_.set_refresh(*draw.refresh_every);
  for (const ErrandDraw& one : draw.errands) {
    errands_.push_back(std::make_unique<Errand>(*this, one));
    Errand* errand = errands_.back().get();
    agenda_[{Instant{} + one.begins, ++agenda_order_}] = [errand] { errand->begin(); };
  }
  world_ = std::make_unique<World>(
      make_schedule(), draw.seed ^ 0x776f726cULL,
      [this](std::size_t place, const Disk& disk, Now now) { return boot(place, disk, now); },
      [this](std::size_t place, const Bytes& message) { observe(place, message); });
  world_->trace([this](const Step& step) { trace_.note(step); });
}

Service::~Service() = default;

Schedule Service::make_schedule() const {
  Schedule schedule;
  schedule.members = places();
  schedule.storm = draw_.storm;
  schedule.storm_from = draw_.storm_from;
  schedule.calm_from = draw_.calm_from;
  schedule.end = kEnd;
  schedule.relays_whispers = draw_.relays_whispers;
  schedule.clocks = draw_.clocks;
  schedule.falls = draw_.falls;
  if (draw_.absence) schedule.absences.push_back(*draw_.absence);
  return schedule;
}

std::unique_ptr<Machine> Service::boot(std::size_t place, const Disk& disk, Now now) {
  auto& entropy = *network_.entropy[place - 1];
  const auto [first, is_new] = sources_.try_emplace(place, entropy);
  if (!is_new && draw_.rewinds_entropy) entropy = first->second;
  auto inside = network_.boot()(place, disk, now);
  std::shared_ptr<Trick> trick;
  const auto traitor = draw_.traitors.find(place);
  if (traitor != draw_.traitors.end() && traitor->second->trick != nullptr) {
    auto& known = tricks_[place];
    if (!known) known = traitor->second->trick();
    trick = known;
  }
  std::unique_ptr<NodeMachine> machine(static_cast<NodeMachine*>(inside.release()));
  auto out = std::make_unique<ServiceNode>(*this, place, std::move(machine), std::move(trick), random_);
  nodes_[place] = out.get();
  return out;
}

std::optional<std::size_t> Service::place_of(const dkg::NodeId& node) const {
  for (std::size_t place = 1; place <= places(); ++place) {
    if (node_id(place) == node) return place;
  }
  return std::nullopt;
}

void Service::ask(std::size_t place, node::HttpRequest request, Answered answered) {
  if (world_->machine(place) == nullptr) return;
  const node::HttpRequestId id = ++last_id_;
  asked_.emplace(id, std::pair(place, std::move(answered)));
  nodes_.at(place)->inside().ask(id, std::move(request));
}

void Service::answered(std::size_t, std::map<node::HttpRequestId, node::HttpResponse> answers) {
  for (const auto& [id, response] : answers) {
    const auto asked = asked_.extract(id);
    if (!asked.empty()) asked.mapped().second(response);
  }
}

void Service::later(Duration after, std::function<void()> what) {
  agenda_[{world_->now().instant + after, ++agenda_order_}] = std::move(what);
}

std::optional<Instant> Service::next_due() const {
  if (agenda_.empty()) return std::nullopt;
  return agenda_.begin()->first.first;
}

void Service::wake() {
  while (!agenda_.empty() && agenda_.begin()->first.first <= world_->now().instant) {
    const auto next = agenda_.extract(agenda_.begin());
    next.mapped()();
  }
}

delegation::ServingKeyPtr Service::key(std::size_t number) const {
  delegation::ServingKeyPtr newest;
  for (const auto& [id, table] : tables_) {
    if (id.second == number && (!newest || table->epoch > newest->epoch)) newest = table;
  }
  return newest;
}

delegation::ServingKeyPtr Service::table(const dkg::TranscriptHash& transcript, std::size_t number) const {
  const auto found = tables_.find({transcript, number});
  return found == tables_.end() ? nullptr : found->second;
}

// Of every epoch that some node has come to serve.
void Service::learn_tables() {
  for (std::size_t place = 1; place <= places(); ++place) {
    if (world_->machine(place) == nullptr) continue;
    for (std::size_t number = 0; number < keys(); ++number) {
      const auto served = nodes_.at(place)->inside().core().serving(NodeNetwork::kChain + number);
      if (!served) continue;
      tables_.try_emplace({served->transcript, number}, served);
      const std::tuple id(served->transcript, number, served->self);
      if (served->share && !shares_.contains(id)) shares_.emplace(id, served->share->clone());
    }
  }
}

bool Service::is_over() {
  if (!verdict_.empty()) return true;
  learn_tables();
  const Duration now = world_->now().instant.time_since_epoch();
  bool is_done = true;
  for (const auto& errand : errands_) {
    if (errand->is_done()) continue;
    is_done = false;
    if (now < std::max(draw_.calm_from, errand->draw().begins) + kAnsweredBy) continue;
    is_undecided_ = true;
    fail(errand->story());
  }
  const Duration least = draw_.refresh_every ? Duration(28s) : Duration(10s);
  return is_done && now > draw_.storm_from + least;
}

std::string Service::run() {
  world_->run([this] { return is_over(); });
  if (verdict_.empty() && world_->now().instant >= Instant{} + kEnd) {
    is_undecided_ = true;
    return "it does not end";
  }
  return verdict_.empty() ? check_end() : verdict_;
}

void Service::fail(std::string what) {
  if (verdict_.empty()) verdict_ = std::move(what);
}

void Service::say(const std::string& line) {
  trace_.say(world_ ? world_->now().instant : Instant{}, line);
  if (story_.size() < 200) {
    story_.push_back(std::to_string(world_->now().instant.time_since_epoch() / 1ms) + " ms: " + line);
  }
}

std::string Service::title() const {
  return "delegations, n " + std::to_string(places()) + ", t " + std::to_string(draw_.threshold) + ", keys " +
         std::to_string(keys()) + (draw_.refresh_every ? ", refreshed" : "") + (draw_.is_fair() ? ", calm" : "");
}

std::string Service::story() {
  std::string out = title();
  for (std::size_t place = 1; place <= places(); ++place) {
    out += "\n  node-" + std::to_string(place);
    const auto traitor = draw_.traitors.find(place);
    if (traitor != draw_.traitors.end()) out += " [" + std::string(traitor->second->name) + "]";
    if (!is_listed(place)) out += " unlisted";
    if (world_->machine(place) == nullptr) {
      out += ": down";
      continue;
    }
    const auto served = nodes_.at(place)->inside().core().serving(NodeNetwork::kChain);
    out += served ? ": serves epoch " + std::to_string(served->epoch) + (served->share ? "" : " without a share")
                  : ": has no key";
  }
  for (const auto& line : story_) out += "\n    " + line;
  return out + "\n  at " + std::to_string(world_->now().instant.time_since_epoch() / 1ms) + " ms";
}

}  // namespace kms::sim
