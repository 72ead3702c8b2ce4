#include "node/metrics.h"
#include "node/node_core_impl.h"

namespace kms::node {

std::string NodeCore::metrics(Now) const {
  MetricsText text;
  Readiness readiness = impl_->readiness();
  text.gauge("kms_ready", "1 if this node can finish a delegation now", readiness.is_ready() ? 1.0 : 0.0);
  text.gauge("kms_members", "Members of the committee", impl_->terms.members.size());
  text.gauge("kms_members_connected", "Other members with a live connection", impl_->alive.size());
  text.gauge("kms_keys_served", "Keys released and served here", impl_->serving.size());
  if (impl_->epochs) {
    const std::uint64_t epoch = impl_->epochs->newest() ? impl_->epochs->newest()->header.epoch : 0;
    text.gauge("kms_epoch", "Epoch in charge", static_cast<double>(epoch));
    const dkg::Ceremony* busy = impl_->epochs->busy();
    const dkg::CeremonyStatus status = busy != nullptr ? busy->status() : dkg::CeremonyStatus{};
    text.gauge("kms_ceremony_phase", "Phase of the newest slot, 1 closed to 10 erased",
               static_cast<double>(status.phase));
    text.gauge("kms_ceremony_attempt", "Own attempt number in the newest slot", static_cast<double>(status.attempt));
    text.gauge("kms_ceremony_view", "View of the agreement", static_cast<double>(status.view));
  }
  text.gauge("kms_delegations_pending", "Delegations that wait for an answer",
             impl_->collector.pending() + impl_->board.pending());
  const delegation::CollectorCounts& entry = impl_->collector.counts();
  const delegation::ResponderCounts& answers = impl_->responder.counts();
  const delegation::BoardCounts& open = impl_->board.counts();
  const Outbox& outbox = impl_->outbox;
  text.gauge("kms_results_kept", "Requests of forms B and C whose partials are kept here", impl_->board.size());
  text.gauge("kms_nonces_kept", "Nonces of v1 requesters that are remembered here", impl_->replay.size());
  text.counters({
      {"kms_delegations_total", "Delegations asked of this node", entry.requests + open.asked},
      {"kms_delegations_answered_total", "Answered with a result", entry.answered + open.answered},
      {"kms_delegations_refused_total", "Not authorised or malformed", entry.refused + open.refused},
      {"kms_delegations_unavailable_total", "Too few partials in time", entry.unavailable + open.unavailable},
      {"kms_delegations_overloaded_total", "Refused with 429", entry.overloaded + open.overloaded},
      {"kms_delegations_conflict_total", "Asked under a nonce that was used for another request",
       entry.conflicts + open.conflicts},
      {"kms_results_evicted_total", "Results of forms B and C dropped before their time, for room", open.evicted},
      {"kms_partials_bad_total", "Partials whose proof, seal or signature failed",
       entry.bad_partials + open.bad_partials},
      {"kms_needs_sent_total", "Rounds in which further members were asked", entry.needs_sent + open.needs_sent},
      {"kms_requests_seen_total", "Requests of other nodes seen", answers.requests + open.seen},
      {"kms_partials_sent_total", "Partials sent: to entry nodes, and in forms B and C to all",
       answers.answered + open.partials_sent},
      {"kms_partials_hedged_total", "Of these, after a wait or a Need", answers.hedged + open.hedged},
      {"kms_requests_refused_total", "Requests of other nodes refused", answers.refused + open.requests_refused},
      {"kms_requests_busy_total", "Requests refused because a queue was full", answers.busy + open.busy},
      {"kms_batches_rejected_total", "Gossip batches that no honest member sends", impl_->batches_rejected},
      {"kms_batches_repeated_total", "Gossip batches ignored: played again, or far behind later ones",
       impl_->batches_repeated},
      {"kms_items_refused_total", "Items of accepted batches that were refused", impl_->items_refused},
      {"kms_batches_sent_total", "Gossip batches made, each under one signature", outbox.batches()},
      {"kms_items_sent_total", "Items in these batches", outbox.items_sent()},
      {"kms_outbox_dropped_total", "Items dropped because the outbox was full", outbox.dropped()},
  });
  return text.take();
}

}  // namespace kms::node
