// Repair messages at the edge: bounds, then the signature, then the machine of dkg/repair.h. Own messages are known
// where they were said.
#include "dkg/ceremony_impl.h"

namespace kms::dkg {
Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairRequest& request, const Envelope& envelope, Position sender,
                                            Source source, Turn& turn) {
  if (sender == slot.receiver || !repair.wants(request, activation) || !is_authentic(request, envelope, sender, source))
    return Taken::no;
  repair.take(sender, request, envelope, activation, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairDelta& delta, const Envelope& envelope, Position sender,
                                            Source source, Turn& turn) {
  if (sender == slot.receiver || !repair.wants(delta.rid) || !is_authentic(delta, envelope, sender, source))
    return Taken::no;
  repair.take(sender, delta, envelope, activation, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairSigma& sigma, const Envelope& envelope, Position sender,
                                            Source source, Turn& turn) {
  if (sender == slot.receiver || !repair.wants(sigma.rid) || !is_authentic(sigma, envelope, sender, source))
    return Taken::no;
  repair.take(sender, sigma, envelope, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairComplaint& complaint, const Envelope& envelope, Position sender,
                                            Source source, Turn& turn) {
  if (sender == slot.receiver || !repair.wants(complaint.rid) || !is_authentic(complaint, envelope, sender, source))
    return Taken::no;
  repair.take(sender, complaint, envelope, turn);
  return Taken::yes;
}

}  // namespace kms::dkg
