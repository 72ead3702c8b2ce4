#include "dkg/repair_prekeys.h"

#include <algorithm>

namespace kms::dkg {
namespace {

constexpr std::uint32_t kWindowSize = PreKeyAnnounce::kWindow;
constexpr std::size_t kWindowsPerMember = 4;

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
      if (secret) {
        secrets_.insert_or_assign(number, std::move(*secret));
      } else {
        use(number);
      }
    }
  }
}

void RepairPrekeys::announce(Turn& turn) {
  while (made_ == 0 || next_ + kWindowSize / 2 >= made_) {
    auto window = make_prekeys(*slot_.key, scope(), made_, *slot_.entropy);
    for (std::uint32_t i = 0; i < kWindowSize; ++i) {
      turn.seal_record(record_of(made_ + i), kek_of(made_ + i),
                       crypto::SecretBytes::copy_of(window.secrets[i].expose()));
      secrets_.insert_or_assign(made_ + i, std::move(window.secrets[i]));
    }
    turn.say(name_of_window(made_), window.announce);
    made_ += kWindowSize;
  }
}

void RepairPrekeys::show(Turn& turn) {
  if (turn.instant() < shown_at_ + slot_.plan.timing.delta && shown_at_ != Instant{}) return;
  shown_at_ = turn.instant();
  for (std::uint32_t first = next_ - next_ % kWindowSize; first < made_; first += kWindowSize) {
    if (const auto* said = turn.said(name_of_window(first))) turn.publish(*said);
  }
}

const crypto::SecretScalar* RepairPrekeys::secret(std::uint32_t number) const {
  const auto found = secrets_.find(number);
  return found == secrets_.end() ? nullptr : &found->second;
}

void RepairPrekeys::destroy(std::uint32_t number, Turn& turn) {
  if (secrets_.erase(number) == 0) return;
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
  // Of an earlier disk of this node.
  if (member == slot_.receiver && announce.first >= made_) made_ = next_ = announce.first + kWindowSize;
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

std::optional<std::pair<std::uint32_t, crypto::Point>> RepairPrekeys::unused(Position member,
                                                                             std::uint32_t at_least) const {
  std::optional<std::pair<std::uint32_t, crypto::Point>> named;
  for (auto window = announced_.lower_bound({member, 0}); window != announced_.end(); ++window) {
    if (window->first.first != member) break;
    for (std::uint32_t i = 0; i < kWindowSize; ++i) {
      const std::uint32_t number = window->first.second + i;
      const bool is_named = named_.contains({member, number});
      if (number < at_least || (is_named && named)) continue;
      const auto& prekey = window->second.announce.prekeys[i];
      if (!verify_prekey(prekey, slot_.receivers().at(member), scope(), number)) continue;
      if (!is_named) return std::pair(number, prekey.key);
      named.emplace(number, prekey.key);
    }
  }
  return named;
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
