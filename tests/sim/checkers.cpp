#include "tests/sim/checkers.h"

namespace kms::sim {
namespace {

using crypto::Position;
using Shares = std::map<Position, const crypto::SecretScalar*>;

std::vector<crypto::SecretScalar> clones(const Shares& shares, const std::vector<Position>& positions) {
  std::vector<crypto::SecretScalar> out;
  for (const auto position : positions) out.push_back(shares.at(position)->clone());
  return out;
}

// Every subset of `size` of the holders, at most 64 of them.
std::vector<std::vector<Position>> subsets(const Shares& shares, std::size_t size) {
  std::vector<Position> holders;
  for (const auto& [position, share] : shares) holders.push_back(position);
  std::vector<bool> chosen(holders.size(), false);
  std::fill(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(size), true);
  std::vector<std::vector<Position>> out;
  do {
    auto& subset = out.emplace_back();
    for (std::size_t i = 0; i < holders.size(); ++i) {
      if (chosen[i]) subset.push_back(holders[i]);
    }
  } while (out.size() < 64 && std::prev_permutation(chosen.begin(), chosen.end()));
  return out;
}

// t - 1 shares and any key: some value of one more share completes them to that key.
bool fits_every_key(const Shares& shares, std::vector<Position> positions, Position extra, std::uint64_t key) {
  auto known = clones(shares, positions);
  positions.push_back(extra);
  const auto weights = crypto::lagrange_coefficients(positions);
  crypto::SecretScalar rest = crypto::SecretScalar{} + crypto::Scalar(key);
  for (std::size_t i = 0; i < known.size(); ++i) rest = rest - known[i] * weights[i];
  known.push_back(rest * weights.back().inverse());
  return crypto::interpolate(positions, known).publish() == crypto::Scalar(key);
}

std::string check_one(const dkg::Plan& plan, const dkg::KeyTable& table, const Shares& shares) {
  const auto t = plan.threshold.t();
  for (const auto& [position, share] : shares) {
    if (!(crypto::multiply_generator(*share) == table.share(position))) return "a share does not fit the table";
  }
  if (shares.size() < t) return {};
  for (const auto& subset : subsets(shares, t)) {
    const auto secret = crypto::interpolate(subset, clones(shares, subset));
    if (!(crypto::multiply_generator(secret) == crypto::Element(table.public_key))) {
      return "t shares do not give the logarithm of S";
    }
  }
  if (t < 2) return {};
  for (const auto& subset : subsets(shares, t - 1u)) {
    Position extra = 1;
    while (std::find(subset.begin(), subset.end(), extra) != subset.end()) ++extra;
    if (!fits_every_key(shares, subset, extra, 4711) || !fits_every_key(shares, subset, extra, 4712)) {
      return "t - 1 shares rule out a key";
    }
    const auto guess = crypto::interpolate(subset, clones(shares, subset));
    if (crypto::multiply_generator(guess) == crypto::Element(table.public_key)) return "t - 1 shares give the key";
  }
  return {};
}

}  // namespace

std::string check_key(const dkg::Plan& plan, const std::vector<const dkg::Ceremony*>& finishers) {
  if (finishers.empty()) return {};
  const auto& first = *finishers.front()->record();
  for (const auto* ceremony : finishers) {
    const auto& record = *ceremony->record();
    if (record.transcript != first.transcript) return "two T";
    if (record.root != first.root) return "two roots";
    if (record.tables != first.tables) return "two tables";
    if (record.tables.size() != plan.labels.size()) return "a table is missing";
  }
  for (std::size_t key = 0; key < first.tables.size(); ++key) {
    Shares shares;
    for (const auto* ceremony : finishers) {
      if (ceremony->shares() == nullptr) continue;
      const auto position = plan.members.position_of(ceremony->self());
      if (!position) return "a share with a node that is no member";
      shares.emplace(*position, &(*ceremony->shares())[key]);
    }
    const auto verdict = check_one(plan, first.tables[key], shares);
    if (!verdict.empty()) return verdict;
  }
  return {};
}

void FieldChecker::note(std::size_t member, const std::string& field, const Bytes& value) {
  const auto [held, is_new] = fields_.try_emplace({member, field}, value);
  if (!is_new && held->second != value) {
    verdict_ = "member " + std::to_string(member) + " signed two values for " + field;
  }
}

// One slot's votes and another's are as different as its two instances'.
template <class M>
std::string instance_of(const M& message) {
  return (message.instance == dkg::Instance::fate ? " of the fate of " : " of ") + message.slot.hex();
}

void FieldChecker::see(std::size_t member, const Bytes& bytes) {
  const auto envelope = dkg::Envelope::parse(bytes);
  if (!envelope || !envelope->signature) return;
  const auto message = dkg::parse_message(*envelope);
  if (!message) return;
  if (const auto* deal = std::get_if<dkg::Deal>(&*message)) {
    note(member, "the Deal of " + deal->sid.hex(), to_bytes(deal->hash().view()));
  } else if (const auto* proposal = std::get_if<dkg::Proposal>(&*message)) {
    const auto view = std::to_string(proposal->view) + instance_of(*proposal);
    note(member, "the Proposal of view " + view, to_bytes(proposal->value().view()));
  } else if (const auto* vote = std::get_if<dkg::Vote>(&*message)) {
    const auto view = std::to_string(vote->view) + instance_of(*vote);
    if (vote->kind == dkg::VoteKind::notarize) {
      note(member, "the Notarize of view " + view, to_bytes(vote->value.view()));
    } else {
      note(member, "Nullify or Finalize of view " + view, to_bytes(vote->value.view()));
    }
  } else if (const auto* active = std::get_if<dkg::Active>(&*message)) {
    Bytes shares;
    for (const auto& key : active->keys) append(shares, key.share.bytes());
    note(member, "the ACTIVE of " + active->slot.hex(), shares);
  } else if (const auto* confirm = std::get_if<dkg::Confirm>(&*message)) {
    note(member, "the CONFIRM of " + confirm->slot.hex(), to_bytes(confirm->root.view()));
  } else if (const auto* announce = std::get_if<dkg::PreKeyAnnounce>(&*message)) {
    for (std::size_t i = 0; i < announce->prekeys.size(); ++i) {
      const auto series = std::to_string(static_cast<int>(announce->series));
      note(member,
           "prekey " + series + "/" + std::to_string(announce->epoch) + "/" + std::to_string(announce->first + i),
           to_bytes(announce->prekeys[i].key.bytes()));
    }
  } else if (const auto* delta = std::get_if<dkg::RepairDelta>(&*message)) {
    note(member, "the delta of " + delta->rid.hex(), to_bytes(delta->hash().view()));
  } else if (const auto* sigma = std::get_if<dkg::RepairSigma>(&*message)) {
    note(member, "the sigma of " + sigma->rid.hex(), to_bytes(sigma->hash().view()));
  }
}

}  // namespace kms::sim
