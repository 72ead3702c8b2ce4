#include "dkg/prekey_book.h"

#include <algorithm>

#include "dkg/break.h"

namespace kms::dkg {
namespace {

constexpr std::uint32_t kWindow = PreKeyAnnounce::kWindow;
constexpr std::uint32_t kAhead = 12;  // windows beyond own attempt + 12 are not kept
// The last window has no number behind it; only liars get there.
constexpr std::uint64_t kLastWindow = 0xffffffff - kWindow;

}  // namespace

std::uint32_t PrekeyBook::window_of(std::uint32_t attempt) {
  return attempt - attempt % kWindow;
}

void PrekeyBook::announce(std::uint32_t attempt, Turn& turn) {
  if (is_destroyed_ || slot_.receiver == 0) return;
  // The next eight when the own attempt has used half of these.
  const std::uint64_t current = window_of(attempt);
  const std::uint64_t last = std::min(current + (attempt % kWindow >= kWindow / 2 ? kWindow : 0), kLastWindow);
  for (std::uint64_t window_start = current; window_start <= last; window_start += kWindow) {
    const auto first = static_cast<std::uint32_t>(window_start);
    const auto name = "prekeys/" + std::to_string(first);
    if (turn.has_said(name)) continue;
    auto window = make_prekeys(*slot_.key, slot_.prekey_scope(), first, *slot_.entropy);
    for (std::uint32_t i = 0; i < kWindow; ++i) {
      turn.seal_record("prekey/" + std::to_string(first + i), slot_.kek_of_prekeys(),
                       crypto::SecretBytes::copy_of(window.secrets[i].expose()));
      secrets_.insert_or_assign(first + i, std::move(window.secrets[i]));
    }
    turn.say(name, window.announce);
    next_ = std::max(next_, first + kWindow);
  }
}

const crypto::SecretScalar* PrekeyBook::secret(std::uint32_t attempt) const {
  const auto found = secrets_.find(attempt);
  return found == secrets_.end() ? nullptr : &found->second;
}

std::optional<crypto::Point> PrekeyBook::own_key(std::uint32_t attempt) const {
  const auto* own = secret(attempt);
  if (own == nullptr) return std::nullopt;
  const auto element = crypto::multiply_generator(*own);
  if (element.is_infinity()) return std::nullopt;
  return element.point();
}

bool PrekeyBook::wants(Position member, const PreKeyAnnounce& announce, std::uint32_t attempt) const {
  if (announce.series != Series::ceremony || announce.key_set != slot_.plan.key_set ||
      announce.epoch != slot_.epoch() || announce.branch != slot_.branch()) {
    return false;
  }
  if (announce.first % kWindow != 0 || announce.first > attempt + kAhead) return false;
  const auto found = announced_.find({member, announce.first});
  return found == announced_.end() || !found->second.has_conflict;
}

bool PrekeyBook::holds(Position member, const Envelope& envelope) const {
  if (envelope.type != MessageType::prekey_announce) return false;
  for (auto at = announced_.lower_bound({member, 0}); at != announced_.end() && at->first.first == member; ++at) {
    const auto& held = at->second.envelope;
    if (held.body == envelope.body && held.signature == envelope.signature && held.sender == envelope.sender)
      return true;
  }
  return false;
}

void PrekeyBook::add(Position member, const PreKeyAnnounce& announce, const Envelope& envelope, Turn& turn) {
  const auto [held, is_new] = announced_.try_emplace({member, announce.first}, Announced{announce, envelope, false});
  if (is_new) return;
  for (std::size_t i = 0; i < kWindow; ++i) {
    if (announce.prekeys[i].key == held->second.announce.prekeys[i].key) continue;
    held->second.has_conflict = true;
    const Equivocation evidence{EquivocationKind::prekey, held->second.envelope.encode(), envelope.encode()};
    turn.report(Event::Kind::blame, "two prekeys announced for one number", member, evidence.body());
    return;
  }
}

bool PrekeyBook::has_announced(Position member, std::uint32_t attempt) const {
  return announced_.contains({member, window_of(attempt)});
}

std::size_t PrekeyBook::announced(std::uint32_t attempt) const {
  std::size_t count = 0;
  for (Position member = 1; member <= slot_.receivers().size(); ++member) {
    if (has_announced(member, attempt)) ++count;
  }
  return count;
}

std::optional<SignedPrekey> PrekeyBook::find(Position member, std::uint32_t attempt) const {
  const auto found = announced_.find({member, window_of(attempt)});
  if (found == announced_.end()) return std::nullopt;
  const auto& prekey = found->second.announce.prekeys[attempt % kWindow];
  if (!verify_prekey(prekey, slot_.receivers().at(member), slot_.prekey_scope(), attempt)) return std::nullopt;
  return prekey;
}

void PrekeyBook::restore(const Records& records, const Outbox& outbox) {
  for (const auto& [name, envelope] : outbox.all()) {
    if (envelope.type != MessageType::prekey_announce) continue;
    const auto announce = PreKeyAnnounce::parse(envelope.body);
    if (!announce || announce->series != Series::ceremony) continue;
    next_ = std::max(next_, announce->first + kWindow);
    for (std::uint32_t number = announce->first; number < announce->first + kWindow; ++number) {
      // A destroyed key-encryption key is no error: the slot is over, or this disk is a copy without keys.
      auto opened = records.open(slot_.prefix + "prekey/" + std::to_string(number));
      if (!opened) continue;
      auto secret = crypto::SecretScalar::parse(opened->expose());
      if (secret) secrets_.insert_or_assign(number, std::move(*secret));
    }
  }
}

void PrekeyBook::destroy(Turn& turn) {
  if (is_destroyed_ || is_broken("prekeys")) return;
  is_destroyed_ = true;
  turn.destroy(slot_.kek_of_prekeys());
  // Not all numbers below next_: attempts can jump, and the numbers in between were never made.
  for (const auto& [number, secret] : secrets_) turn.erase("prekey/" + std::to_string(number));
  secrets_.clear();
}

}  // namespace kms::dkg
