// The machine of one slot: a key set's committee makes the polynomials of one epoch (PROTOCOL.md 4): a DKG, or a
// reshare or refresh of the epoch that the plan names. Dealers D, receivers N and deciders V are lists of their own;
// members of any of them run it.
//
// Sans-IO: feed envelopes, time and the set of connected members; apply the Effects in order. One machine per slot;
// messages of other slots are ignored. Expensive steps (making and checking a Deal, ACTIVE proofs, the table) run
// inline: 4 ms in all at n = 5 and about 17 ms at n = 16; each is one named function, so that it can become a compute
// effect.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "dkg/effects.h"
#include "dkg/epoch.h"
#include "dkg/plan.h"

namespace kms::dkg {

// PROTOCOL.md 4.12, the track of a receiver; the numbers go into NodeStatus.
enum class Phase : std::uint8_t {
  closed = 1,       // the slot may not open yet
  idle = 2,         // open, no header joined
  collect = 3,      // joined: Deals, Complaints, Candidates, agreement
  decided = 4,      // FinalCert held, own share not complete
  need_repair = 5,  // decided, but this node has no usable share; follows certificates, serves nothing
  active = 6,       // share durable and proven
  activated = 7,    // ActivationCert held
  released = 8,     // epoch 0: together with activated; the key may be shown and served
  retired = 9,      // the next epoch is released: answers until its grace period is over
  erased = 10,      // the shares are destroyed; answers with its Link only
  voided = 11,      // the old committee has decided that this branch is dead: shares destroyed, answers with that only
};
std::string_view name_of(Phase phase);

struct CeremonyStatus {
  Phase phase = Phase::closed;
  std::uint32_t attempt = 0;
  std::uint32_t view = 0;     // 0: the agreement has not started
  TranscriptHash transcript;  // T; zeros before the decision
  std::uint32_t prekey_next = 0;
  // Places in everybody() whose message is missing in this phase, and of deciders that are away while votes are needed.
  std::vector<Position> awaited;
  std::uint32_t have = 0;  // progress of this phase: have of want
  std::uint32_t want = 0;
  std::string summary;  // one line for operators, for example "waiting for Deals: 3 of 4"
};

// PROTOCOL.md 4.14, for operators.
struct EmergencyState {
  bool is_ordered = false;   // at this node
  std::uint16_t quorum = 0;  // q_em: approvals for the header, and signatures that decide
  // The order is safe only if fewer members of the old committee than this cheat.
  std::uint16_t safe_below = 0;
  // A dealing that can be named: it has its CandidateCert here.
  struct Choice {
    TranscriptHash transcript;
    std::uint32_t attempt = 0;
    bool is_emergency = false;        // of a header with the emergency flag
    std::vector<Position> dealers;    // places in O
    std::vector<Position> absent;     // places in N
    std::vector<Position> signed_by;  // places in O whose EMERGENCY for it was seen
  };
  std::vector<Choice> choices;
  std::optional<TranscriptHash> own;      // what this node has signed
  std::optional<TranscriptHash> decided;  // by views or by an EMERGENCY certificate
  // This node has signed an EMERGENCY or a Finalize in the slot: its plan may not be exchanged any more.
  bool is_bound = false;
};

// PROTOCOL.md 4.13, for operators: whether the decided dealing of a slot may be given up.
struct VoidState {
  bool may_be_voided = false;  // decided, not activated as far as this node knows, its fate open
  std::uint16_t needed = 0;    // approvals: q, after an emergency q_em
  std::set<Position> by;       // places in O that have approved it
};

class Ceremony {
 public:
  struct Impl;  // ceremony_impl.h, for dkg/ only

  // An error names what is wrong with the plan: own key not a member, n and threshold that do not fit, no label.
  // f = 0 is allowed here; the network file decides about it.
  static Result<Ceremony> begin(Plan plan, Self self, Entropy& entropy, Now now);
  // After a restart: the same plan and what the Checkpoints left. Signs nothing that differs from what it signed
  // before. With empty records it is begin.
  static Result<Ceremony> restore(Plan plan, Self self, const Records& records, Entropy& entropy, Now now);
  Ceremony(Ceremony&&) noexcept;
  Ceremony& operator=(Ceremony&&) noexcept;
  ~Ceremony();

  // One message of the ceremony topic, the sender's own included. For the types without a signature of their own
  // (NodeStatus, HaveObjects, Fetch, FetchReply, Certificate) the caller has checked that `envelope.sender` is the
  // author of the batch. Anything malformed, foreign, out of bounds or badly signed changes nothing.
  // `author` is the member whose batch brought it and who pays for work in vain (refusal_book.h): one that sends too
  // much of what does not verify is not heard for a while.
  Effects receive(const Envelope& envelope, const NodeId& author, Now now);
  Effects receive(const Envelope& envelope, Now now) { return receive(envelope, envelope.sender, now); }
  // Call when wakes_at() has come; early calls are harmless. Also to be called once right after begin or restore.
  Effects tick(Now now);
  std::optional<Instant> wakes_at() const;

  // The members this node has a live connection to (itself counted or not); replaces the last set.
  Effects peers_connected(const std::set<NodeId>& peers, Now now);
  // The operator's order to open the slot now (Genesis::on_order, or too few members connected).
  Effects order(Now now);

  // The operator's order to let the plan's reshare or refresh happen: this node's approval, good until `not_after`
  // (Unix seconds). A quorum of them with one end opens the slot. Refused, with a report, if this node has approved
  // another plan for the slot.
  Effects approve(std::uint64_t not_after, Now now);
  // The end that another member has approved, so that operators need not agree on one beforehand.
  std::optional<std::uint64_t> pending_approval(Now now) const;
  // The operator's order to let the member of N at that position get its lost share back (PROTOCOL.md 4.8).
  Effects approve_repair(Position subject, std::uint64_t not_after, Now now);
  std::optional<std::uint64_t> pending_repair_approval(Position subject, Now now) const;
  // Members of N that have approved it.
  std::set<Position> repair_approvers(Position subject, Now now) const;
  // The operator's order for an old committee that has fewer than q live members for ever (PROTOCOL.md 4.14): with q_em
  // approvals the slot opens at this node, which joins headers with the emergency flag. Durable. An error says why not.
  Result<Effects> order_emergency(Now now);
  // The operator names the dealing: this node's EMERGENCY for it, durable before it is sent, for ever the only one of
  // the slot. Refused if this node has sent Finalize for another one, or lacks its CandidateCert.
  Result<Effects> sign_emergency(const TranscriptHash& transcript, Now now);
  EmergencyState emergency() const;
  // The operator's order to give up a decided slot whose new committee is dead (PROTOCOL.md 4.13): this node's VOID
  // approval. Refused while the slot is undecided, and where this node knows that the new committee is active.
  Result<Effects> approve_void(Now now);
  VoidState void_state() const;
  // How the slot ended, if it was voided: what the next branch is made with.
  std::optional<VoidedBranch> voided() const;
  // Deciders that have approved the plan.
  std::set<Position> approvers() const;
  // The epoch after this one is released (`next`, verified): serve for `grace` longer, then destroy the shares and
  // everything that could give them back. Durable; later calls change nothing.
  Effects retire(const EpochRecord& next, Duration grace, Now now);

  // What this node holds under that id, for whoever fetches it: an envelope of its own around what proves itself.
  std::optional<Envelope> find_object(const ObjectId& id) const;
  // Whether the ceremony asked for it (Fetch) and still lacks it.
  bool wants(const ObjectId& id) const;

  CeremonyStatus status() const;
  Phase phase() const;
  const SlotId& slot() const;
  const Plan& plan() const;
  // O and N together; culprits and awaited members are places in it.
  const Committee& everybody() const;
  const NodeId& self() const;
  // The entry of this slot for NodeStatus, which the node sends every 10 s and when it changed.
  NodeStatus::Entry status_message() const;

  // The public side of the epoch: from DECIDED on when the table is known; its key may be given to users only when
  // is_released().
  const EpochRecord* record() const;
  bool is_released() const;
  // One share per key, in label order, from ACTIVE on; nullptr before and when this node needs repair.
  const std::vector<crypto::SecretScalar>* shares() const;
  // For the next epoch's Self: empty while there is no share to deal with; stays where it is as long as the machine
  // lives.
  const std::vector<crypto::SecretScalar>& shares_to_deal() const;
  // Where the share rests: the key for Records::open (m * 32 bytes) and its key-encryption key.
  std::string share_key() const;
  std::string share_kek() const;

 private:
  explicit Ceremony(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kms::dkg
