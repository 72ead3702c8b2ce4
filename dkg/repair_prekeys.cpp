#include "dkg/repair_prekeys.h"

#include <algorithm>

namespace kms::dkg {
namespace {

constexpr std::uint32_t kWindowSize = PreKeyAnnounce::kWindow;
constexpr std::size_t kWindowsPerMember = 4;
constexpr std::size_t kFreeMin = 8;
// The last window has no number behind it; only a thief of this node's key gets there.
constexpr std::uint32_t kLastOwnWindow = 0xffffffff - 2 * kWindowSize + 1;

std::string name_of_window(std::uint32_t first) {
  return "repair/prekeys/" + std::to_string(first);
}

std::string record_of(std::uint32_t number) {
  return "repair/prekey/" + std::to_string(number);
}

}  // namespace

PrekeyScope RepairPrekeys::scope() const {
  return {slot_.plan.network_id, Series::repair, slot_.plan.key_set, slot_.epoch(), slot_.branch()};
}

std::string RepairPrekeys::kek_of(std::uint32_t number) const {
  return slot_.prefix + record_of(number);
}

void RepairPrekeys::restore(const Records& records, const Outbox& outbox) {
  for (const auto& [name, envelope] : outbox.all()) {
    if (envelope.type != MessageType::prekey_announce) continue;
    const auto announce = PreKeyAnnounce::parse(envelope.body);
    if (!announce || announce->series != Series::repair) continue;
    made_ = std::max(made_, announce->first + kWindowSize);
    for (std::uint32_t number = announce->first; number < announce->first + kWindowSize; ++number) {
      // One that cannot be opened was used and destroyed.
      auto opened = records.open(slot_.prefix + record_of(number));
      auto secret =
          opened ? crypto::SecretScalar::parse(opened->expose()) : Result<crypto::SecretScalar>(opened.error());
      if (secret) secrets_.insert_or_assign(number, std::move(*secret));
    }
  }
}

std::size_t RepairPrekeys::free() const {
  return static_cast<std::size_t>(
      std::count_if(secrets_.begin(), secrets_.end(), [&](const auto& entry) { return is_free(entry.first); }));
}

std::uint32_t RepairPrekeys::next() const {
  for (const auto& [number, secret] : secrets_) {
    if (is_free(number)) return number;
  }
  return made_;
}

void RepairPrekeys::announce(Turn& turn) {
  while (free() <= kFreeMin && made_ <= kLastOwnWindow) {
    auto window = make_prekeys(*slot_.key, scope(), made_, *slot_.entropy);
    for (std::uint32_t i = 0; i < kWindowSize; ++i) {
      turn.seal_record(record_of(made_ + i), kek_of(made_ + i),
                       crypto::SecretBytes::copy_of(window.secrets[i].expose()));
      secrets_.insert_or_assign(made_ + i, std::move(window.secrets[i]));
    }
    turn.say(name_of_window(made_), window.announce);
    made_ += kWindowSize;
    constexpr std::uint32_t kHeld = kWindowsPerMember * kWindowSize;
    if (made_ > kHeld) retire(made_ - kHeld, turn);
  }
}

void RepairPrekeys::retire(std::uint32_t below, Turn& turn) {
  for (auto entry = secrets_.begin(); entry != secrets_.end() && entry->first < below;) {
    const auto number = (entry++)->first;
    if (is_free(number)) destroy(number, turn);
  }
}

void RepairPrekeys::show(Turn& turn) {
  if (turn.instant() < shown_at_ + slot_.plan.timing.delta && shown_at_ != Instant{}) return;
  shown_at_ = turn.instant();
  std::set<std::uint32_t> windows;
  for (const auto& [number, secret] : secrets_) windows.insert(number - number % kWindowSize);
  for (const auto first : windows) {
    if (const auto* said = turn.said(name_of_window(first))) turn.publish(*said);
  }
}

const crypto::SecretScalar* RepairPrekeys::secret(std::uint32_t number) const {
  const auto found = secrets_.find(number);
  return found == secrets_.end() ? nullptr : &found->second;
}

void RepairPrekeys::destroy(std::uint32_t number, Turn& turn) {
  if (secrets_.erase(number) == 0) return;
  taken_.erase(number);
  turn.destroy(kek_of(number));
  turn.erase(record_of(number));
}

void RepairPrekeys::erase(Turn& turn) {
  while (!secrets_.empty()) destroy(secrets_.begin()->first, turn);
}

bool RepairPrekeys::wants(Position member, const PreKeyAnnounce& announce) const {
  if (announce.series != Series::repair || announce.key_set != slot_.plan.key_set) return false;
  if (announce.epoch != slot_.epoch() || announce.branch != slot_.branch()) return false;
  const auto found = announced_.find({member, announce.first});
  return found == announced_.end() || !found->second.has_conflict;
}

void RepairPrekeys::add(Position member, const PreKeyAnnounce& announce, const Envelope& envelope, Turn& turn) {
  // Of an earlier disk of this node: what others hold under the numbers up to here are not the keys of this disk.
  if (member == slot_.receiver && announce.first >= made_ && announce.first < kLastOwnWindow) {
    made_ = announce.first + kWindowSize;
    retire(made_, turn);
  }
  const auto [held, is_new] = announced_.try_emplace({member, announce.first}, Announced{announce, envelope, false});
  if (!is_new) {
    for (std::size_t i = 0; i < kWindowSize; ++i) {
      if (announce.prekeys[i].key == held->second.announce.prekeys[i].key) continue;
      held->second.has_conflict = true;
      const Equivocation evidence{EquivocationKind::prekey, held->second.envelope.encode(), envelope.encode()};
      turn.report(Event::Kind::blame, "two repair prekeys announced for one number", member, evidence.body());
      return;
    }
    return;
  }
  const auto begin = announced_.lower_bound({member, 0});
  const auto end = announced_.upper_bound({member, 0xffffffff});
  if (static_cast<std::size_t>(std::distance(begin, end)) <= kWindowsPerMember) return;
  const std::uint32_t first = begin->first.second;
  announced_.erase(begin);
  named_.erase(named_.lower_bound({member, first}), named_.lower_bound({member, first + kWindowSize}));
}

const SignedPrekey* RepairPrekeys::find(Position member, std::uint32_t number) const {
  const auto found = announced_.find({member, number - number % kWindowSize});
  return found == announced_.end() ? nullptr : &found->second.announce.prekeys[number % kWindowSize];
}

void RepairPrekeys::remind(Position member, Turn& turn) const {
  for (auto held = announced_.lower_bound({member, 0}); held != announced_.end(); ++held) {
    if (held->first.first != member) break;
    turn.publish(held->second.envelope);
  }
}

bool RepairPrekeys::is_announced(Position member, std::uint32_t number, const crypto::Point& key) const {
  const auto* prekey = find(member, number);
  return prekey != nullptr && prekey->key == key &&
         verify_prekey(*prekey, slot_.receivers().at(member), scope(), number);
}

std::optional<std::pair<std::uint32_t, crypto::Point>> RepairPrekeys::unused(Position member, std::uint32_t at_least,
                                                                             std::uint32_t start) const {
  // Named; distance from the start in its window, so that requesters stay apart also where only one window came so far;
  // distance over two windows; number.
  using Rank = std::tuple<bool, std::uint32_t, std::uint32_t, std::uint32_t>;
  std::vector<Rank> ranks;
  for (auto window = announced_.lower_bound({member, 0}); window != announced_.end(); ++window) {
    if (window->first.first != member) break;
    for (std::uint32_t number = window->first.second; number < window->first.second + kWindowSize; ++number) {
      if (number < at_least) continue;
      ranks.emplace_back(named_.contains({member, number}), (number - start) % kWindowSize, (number - start) % kSpread,
                         number);
    }
  }
  std::sort(ranks.begin(), ranks.end());
  for (const auto& [is_named, in_window, distance, number] : ranks) {
    const auto& prekey = *find(member, number);
    if (verify_prekey(prekey, slot_.receivers().at(member), scope(), number)) return std::pair(number, prekey.key);
  }
  return std::nullopt;
}

bool RepairPrekeys::has_conflict(Position member) const {
  const auto end = announced_.upper_bound({member, 0xffffffff});
  return std::any_of(announced_.lower_bound({member, 0}), end,
                     [](const auto& window) { return window.second.has_conflict; });
}

void RepairPrekeys::note_named(Position member, std::uint32_t number) {
  if (find(member, number) != nullptr) named_.emplace(member, number);
}

}  // namespace kms::dkg
