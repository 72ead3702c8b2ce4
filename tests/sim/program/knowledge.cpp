#include "tests/sim/program/knowledge.h"

#include "base/assert.h"
#include "dkg/envelope.h"

namespace kms::sim {
namespace {

using Form = Knowledge::Form;
constexpr std::uint64_t kPrime = (1ULL << 61) - 1;

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(a) * b % kPrime);
}
std::uint64_t minus(std::uint64_t a, std::uint64_t b) {
  return a >= b ? a - b : a + kPrime - b;
}
std::uint64_t power(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t out = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1U) out = times(out, base);
    base = times(base, base);
  }
  return out;
}
std::uint64_t inverse(std::uint64_t a) {
  return power(a, kPrime - 2);
}

void add(Form& to, const Form& from, std::uint64_t factor) {
  for (const auto& [variable, value] : from) {
    auto& at = to[variable];
    at = (at + times(value, factor)) % kPrime;
    if (at == 0) to.erase(variable);
  }
}

// lambda_j(x) over the set.
std::uint64_t weight(const std::vector<dkg::Position>& set, dkg::Position j, dkg::Position x) {
  std::uint64_t over = 1;
  std::uint64_t under = 1;
  for (const auto m : set) {
    if (m == j) continue;
    over = times(over, minus(x, m));
    under = times(under, minus(j, m));
  }
  return times(over, inverse(under));
}

// Forward elimination: the row that is left of `form`, after those that are there already.
void reduce(Form& form, const std::map<std::uint32_t, Form>& basis) {
  for (auto at = form.begin(); at != form.end();) {
    const auto pivot = basis.find(at->first);
    if (pivot == basis.end()) {
      ++at;
      continue;
    }
    const auto variable = at->first;
    add(form, pivot->second, kPrime - at->second);
    at = form.lower_bound(variable);
  }
}

}  // namespace

void Knowledge::begin(Ceremony ceremony) {
  now_ = std::move(ceremony);
  ceremonies_[now_.epoch] = now_;
}

std::uint32_t Knowledge::variable(const std::string& name) const {
  return variables_.try_emplace(name, static_cast<std::uint32_t>(variables_.size())).first->second;
}

void Knowledge::saw(const dkg::Message& message) {
  if (const auto* header = std::get_if<dkg::CeremonyHeader>(&message)) {
    if (header->epoch != now_.epoch) return;
    auto& dealt = dealt_[header->sid()];
    dealt.epoch = header->epoch;
    dealt.threshold = header->threshold.t();
    for (const auto position : header->absent()) dealt.absent.insert(position);
  } else if (const auto* deal = std::get_if<dkg::Deal>(&message)) {
    const auto known = dealt_.find(deal->sid);
    if (known != dealt_.end()) known->second.dealers.insert(deal->dealer);
  } else if (const auto* request = std::get_if<dkg::RepairRequest>(&message)) {
    requests_.emplace(request->rid(), *request);
  } else if (const auto* delta = std::get_if<dkg::RepairDelta>(&message)) {
    if (deltas_.insert({delta->rid, delta->giver}).second) saw_delta(*delta);
  } else if (const auto* sigma = std::get_if<dkg::RepairSigma>(&message)) {
    if (sigmas_.insert({sigma->rid, sigma->giver}).second) saw_sigma(*sigma);
  }
}

// f_j(x) of an honest dealer; a traitor's own coefficients are nothing new to the adversary. What a resharing dealer
// starts from is its share.
Form Knowledge::polynomial(std::uint32_t epoch, const dkg::Sid& sid, dkg::Position dealer, dkg::Position at) const {
  Form out = epoch == 0 ? Form{} : share(epoch - 1, dealer);
  if (ceremonies_.at(epoch).dealers.contains(dealer)) return out;
  const auto threshold = dealt_.at(sid).threshold;
  std::uint64_t factor = 1;
  for (std::uint16_t k = 0; k < threshold; ++k) {
    const bool is_bound = epoch > 0 && k == 0;
    if (!is_bound && factor != 0)
      out[variable(sid.hex() + "/" + std::to_string(dealer) + "/" + std::to_string(k))] = factor;
    factor = times(factor, at);
  }
  return out;
}

const Form& Knowledge::share(std::uint32_t epoch, dkg::Position at) const {
  const auto [known, is_new] = shares_.try_emplace({epoch, at});
  if (!is_new) return known->second;
  const auto& decided = decided_.at(epoch);
  std::vector<dkg::Position> dealers;
  for (const auto& entry : decided.list) dealers.push_back(entry.dealer);
  Form out;
  if (dealers.empty()) out[variable("imported")] = 1;
  for (const auto dealer : dealers) {
    const auto factor = epoch == 0 ? 1 : weight(dealers, dealer, 0);
    add(out, polynomial(epoch, decided.sid, dealer, at), factor);
  }
  known->second = std::move(out);
  return known->second;
}

void Knowledge::decide(const dkg::EpochRecord& record) {
  const auto epoch = record.header.epoch;
  decided_[epoch] = {record.sid, record.list};
  for (const auto& [sid, dealt] : dealt_) {
    // Of a DKG only what was decided has to do with the key.
    if (dealt.epoch != epoch || (sid != record.sid && epoch == 0)) continue;
    for (const auto dealer : dealt.dealers) {
      if (now_.dealers.contains(dealer)) continue;
      for (const auto receiver : now_.receivers) {
        if (!dealt.absent.contains(receiver)) rows_.push_back(polynomial(epoch, sid, dealer, receiver));
      }
    }
  }
}

// Giver k's parts are random but for the last, which makes their sum lambda_k(i) s_k.
void Knowledge::saw_delta(const dkg::RepairDelta& delta) {
  const auto found = requests_.find(delta.rid);
  if (found == requests_.end() || !decided_.contains(found->second.epoch)) return;
  const auto& request = found->second;
  const auto& traitors = ceremonies_.at(request.epoch).receivers;
  if (traitors.contains(delta.giver)) return;
  for (const auto& giver : request.givers) {
    if (!traitors.contains(giver.position)) continue;
    Form part;
    const auto name = delta.rid.hex() + "/" + std::to_string(delta.giver) + "/";
    if (giver.position != request.givers.back().position) {
      part[variable(name + std::to_string(giver.position))] = 1;
    } else {
      std::vector<dkg::Position> positions;
      for (const auto& each : request.givers) positions.push_back(each.position);
      add(part, share(request.epoch, delta.giver), weight(positions, delta.giver, request.index));
      for (const auto& each : request.givers) {
        if (each.position != giver.position)
          add(part, {{variable(name + std::to_string(each.position)), 1}}, kPrime - 1);
      }
    }
    rows_.push_back(std::move(part));
  }
}

// The requester learns the sum of each giver's column.
void Knowledge::saw_sigma(const dkg::RepairSigma& sigma) {
  const auto found = requests_.find(sigma.rid);
  if (found == requests_.end() || !decided_.contains(found->second.epoch)) return;
  const auto& request = found->second;
  const auto& traitors = ceremonies_.at(request.epoch).receivers;
  if (!traitors.contains(request.index)) return;
  std::vector<dkg::Position> positions;
  for (const auto& each : request.givers) positions.push_back(each.position);
  Form sum;
  for (const auto giver : positions) {
    if (traitors.contains(giver)) continue;
    const auto name = sigma.rid.hex() + "/" + std::to_string(giver) + "/";
    if (sigma.giver != positions.back()) {
      add(sum, {{variable(name + std::to_string(sigma.giver)), 1}}, 1);
      continue;
    }
    add(sum, share(request.epoch, giver), weight(positions, giver, request.index));
    for (const auto each : positions) {
      if (each != sigma.giver) add(sum, {{variable(name + std::to_string(each)), 1}}, kPrime - 1);
    }
  }
  rows_.push_back(std::move(sum));
}

bool Knowledge::is_spanned(const Form& target, const std::vector<Form>& more) const {
  std::map<std::uint32_t, Form> basis;
  const auto take = [&](Form form) {
    reduce(form, basis);
    if (form.empty()) return;
    const auto [variable, value] = *form.begin();
    Form scaled;
    add(scaled, form, inverse(value));
    basis.emplace(variable, std::move(scaled));
  };
  for (const auto& row : rows_) take(row);
  for (const auto& row : more) take(row);
  Form rest = target;
  reduce(rest, basis);
  return rest.empty();
}

bool Knowledge::would_know_secret_with(std::uint32_t epoch, const std::vector<dkg::Position>& positions) const {
  std::vector<Form> more;
  for (const auto position : positions) more.push_back(share(epoch, position));
  return is_spanned(share(0, 0), more);
}

}  // namespace kms::sim
