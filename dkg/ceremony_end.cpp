// How an epoch comes into charge and goes out of it: the fate of a decided slot, and the erasure of an epoch whose
// successor is released (PROTOCOL.md 4.13, 4.7).
#include <charconv>

#include "dkg/break.h"
#include "dkg/ceremony_impl.h"

namespace kms::dkg {

// RELEASE, once the ActivationCert is durable. What others say about it may come before.
void Ceremony::Impl::settle_fate(Turn& turn) {
  if (slot.epoch() == 0 || !is_decided() || activation.is_released() || voided) return;
  const bool is_given_up = void_is_approved(turn);
  if (is_given_up) fate.admit(fates.hash(Fate::voided), turn);
  if (activation.is_activated()) fate.admit_first(fates.release(), turn);
  if (is_given_up || activation.is_activated()) {
    fate.start(turn.instant());
    fate.tick(turn);
  }
  fate.flush(fates, turn);
  const auto final = fate.final(fates);
  if (!final) return;
  if (fate_of(*final) == Fate::voided) {
    give_up(*final, turn);
    return;
  }
  activation.add_fate(*final, turn);
  activation.advance(turn);
  if (activation.is_released()) turn.form(*final);
}

// Durable before the vote that it justifies.
bool Ceremony::Impl::void_is_approved(Turn& turn) {
  const bool was_there = fates.void_approvals() != nullptr;
  const bool by_emergency = activation.record()->final.kind == CertificateKind::emergency;
  const auto emergency = by_emergency ? activation.record()->final.id() : CertificateId{};
  if (!fates.complete(fate_quorum(), emergency)) return false;
  if (!was_there) {
    turn.put("void/approvals", fates.void_approvals()->body());
    turn.show(*fates.void_approvals());
  }
  return true;
}

// Key-encryption keys first: from then on no backup gives the shares back.
void Ceremony::Impl::retire(Turn& turn) {
  if (!retires_at || is_erased || turn.unix_s() < *retires_at) return;
  is_erased = true;
  activation.erase_shares();
  for (auto& [sid, round] : rounds) round.drop_secret();
  if (!is_broken("erasure")) {
    turn.destroy(slot.kek_of_epoch());
    turn.erase("share");
  }
  prekeys.destroy(turn);
  repair.erase(turn);
  early = {};
  const std::string_view done = "erased";
  turn.put("erased", to_bytes(as_bytes(done)));
  turn.report(Event::Kind::phase, "erased: the shares of this epoch are destroyed");
}

void Ceremony::Impl::restore_end(const Records& records) {
  if (const auto end = records.find(slot.prefix + "retires")) {
    const auto text = as_text(*end);
    std::uint64_t at = 0;
    std::from_chars(text.data(), text.data() + text.size(), at);
    retires_at = at;
  }
  if (!records.find(slot.prefix + "erased")) return;
  is_erased = true;
  activation.erase_shares();
}

}  // namespace kms::dkg
