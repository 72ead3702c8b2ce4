// Repair messages at the edge: bounds, then the signature, then the machine of dkg/repair.h. Own messages are known
// where they were said.
#include "dkg/ceremony_impl.h"

namespace kms::dkg {
namespace {

bool may_repair(const SlotContext& slot, const Seat& sender) {
  return sender.receiver != 0 && sender.member != slot.member;
}

}  // namespace

Ceremony::Impl::Taken Ceremony::Impl::judge_ticket(const Approval& approval, const Seat& sender, Source source,
                                                   Turn& turn) {
  if (!is_decided() || !repair.tickets().wants(sender.receiver, approval, *activation.record())) return Taken::no;
  if (source == Source::peer || source == Source::fetched) {
    ++spent;
    is_refuted = !repair.tickets().is_signed(approval);
    if (is_refuted) return Taken::no;
  }
  repair.tickets().add(approval);
  has_news = true;
  turn.report(Event::Kind::progress, "a repair of its share is approved", approval.subject);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairRequest& request, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (!may_repair(slot, sender) || !repair.wants(request, activation) ||
      !is_authentic(request, envelope, sender, source))
    return Taken::no;
  repair.take(sender.receiver, request, envelope, activation, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairDelta& delta, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (!may_repair(slot, sender) || !repair.wants(delta.rid) || !is_authentic(delta, envelope, sender, source))
    return Taken::no;
  repair.take(sender.receiver, delta, envelope, activation, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairSigma& sigma, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (!may_repair(slot, sender) || !repair.wants(sigma.rid) || !is_authentic(sigma, envelope, sender, source))
    return Taken::no;
  repair.take(sender.receiver, sigma, envelope, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const RepairComplaint& complaint, const Envelope& envelope,
                                            const Seat& sender, Source source, Turn& turn) {
  if (!may_repair(slot, sender) || !repair.wants(complaint.rid) || !is_authentic(complaint, envelope, sender, source))
    return Taken::no;
  repair.take(sender.receiver, complaint, envelope, turn);
  return Taken::yes;
}

}  // namespace kms::dkg
