// Repair messages at the edge: bounds, then the signature, then the machine of dkg/repair.h.
#include "dkg/ceremony_impl.h"

namespace kms::dkg {
namespace {

// Own messages are known where they were said; whatever else comes must be signed by its sender.
template <class M>
bool is_foreign(const SlotContext& slot, const M& message, const Envelope& envelope, Position sender) {
  return sender != slot.receiver && verify_sender(envelope, message, slot.receivers().at(sender).key);
}

}  // namespace

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairRequest& request, const Envelope& envelope, Position sender,
                                            Source, Turn& turn) {
  if (!repair.wants(request, activation) || !is_foreign(slot, request, envelope, sender)) return Taken::no;
  repair.take(sender, request, envelope, activation, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairDelta& delta, const Envelope& envelope, Position sender, Source,
                                            Turn& turn) {
  if (!repair.wants(delta.rid) || !is_foreign(slot, delta, envelope, sender)) return Taken::no;
  repair.take(sender, delta, envelope, activation, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairSigma& sigma, const Envelope& envelope, Position sender, Source,
                                            Turn& turn) {
  if (!repair.wants(sigma.rid) || !is_foreign(slot, sigma, envelope, sender)) return Taken::no;
  repair.take(sender, sigma, envelope, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairComplaint& complaint, const Envelope& envelope, Position sender,
                                            Source, Turn& turn) {
  if (!repair.wants(complaint.rid) || !is_foreign(slot, complaint, envelope, sender)) return Taken::no;
  repair.take(sender, complaint, envelope, turn);
  return Taken::yes;
}

}  // namespace kms::dkg
