// The epochs of the node's key set, each with its ceremony where this node has a part in it: the one in charge, the one
// that comes after it, and those that are over (PROTOCOL.md 4.7, 4.12). A released successor takes charge at once; the
// epoch before it serves through its grace period and is then erased.
//
// The next epoch has the same committee (a refresh, by the clock or by order), or the one of the network file that this
// node's operator approved. Nodes that are in neither committee, new ones above all, follow the chain of Links.
//
// Sans-IO like a Ceremony; what each ceremony asks for comes with its slot.
#pragma once

#include <deque>

#include "node/terms.h"

namespace kms::node {

struct EpochSteps {
  struct Step {
    dkg::SlotId slot;
    dkg::Effects effects;
  };
  std::vector<Step> steps;  // applied in order
};

using TermsPtr = std::shared_ptr<const NetworkTerms>;
using EpochPtr = std::shared_ptr<const dkg::EpochRecord>;

class Epochs {
 public:
  static constexpr Duration kGrace = 10min;
  static constexpr std::size_t kPastMax = 64;  // epochs kept in memory; Links of older ones come from the records
  static constexpr std::chrono::seconds kApprovalLife = std::chrono::hours(24 * 7);
  static constexpr std::chrono::seconds kRefreshLife = std::chrono::hours(24);

  // `terms` are those of epoch 0; `self` names no shares. `records` shows whatever the steps given out so far asked to
  // be saved. All references outlive the object.
  static Result<Epochs> begin(const NetworkTerms& terms, dkg::Self self, const dkg::Records& records, Entropy& entropy,
                              Now now, Duration grace = kGrace, Disk disk = Disk::whole);
  // Whether this node came back with an old data folder once.
  static bool has_returned(const dkg::Records& records);

  EpochSteps receive(const dkg::Envelope& envelope, const dkg::NodeId& author, Now now);
  EpochSteps tick(Now now);
  EpochSteps peers_connected(const std::set<dkg::NodeId>& peers, Now now);
  std::optional<Instant> wakes_at() const;

  // Orders of this node's operator; an error says why nothing was done. `not_after`: Unix seconds; without it the end
  // that another member has approved already, else the end of the day in which kApprovalLife (kRefreshLife) is over.
  // `file`: the network file of the next epoch. A member of the epoch in charge signs its approval; a node that is to
  // become one only learns that it may.
  // In an emergency approvals that are too few, and a slot that is open by another file, are no hindrance.
  enum class Manner : std::uint8_t { ordinary, emergency };
  Result<EpochSteps> approve(std::string_view file, std::optional<std::uint64_t> not_after, Now now,
                             Manner manner = Manner::ordinary);
  // As approve, and this node's part in an emergency reshare by that file (PROTOCOL.md 4.14).
  Result<EpochSteps> emergency(std::string_view file, std::optional<std::uint64_t> not_after, Now now);
  // Names the dealing that is to decide the emergency: this node signs it, and no other, ever.
  Result<EpochSteps> name_dealing(const dkg::TranscriptHash& transcript, Now now);
  // This node's approval that the decided epoch to come is given up, because its committee is dead (PROTOCOL.md 4.13).
  Result<EpochSteps> give_up(Now now);
  Result<EpochSteps> refresh(std::optional<std::uint64_t> not_after, Now now);
  Result<EpochSteps> repair(const dkg::NodeId& subject, std::optional<std::uint64_t> not_after, Now now);
  Result<EpochSteps> start(Now now);

  // Of the epoch in charge; before the first release those of epoch 0.
  const TermsPtr& terms() const { return terms_; }
  // The newest released epoch; nullptr before the first release.
  const EpochPtr& newest() const { return newest_; }
  // The file that was approved for an epoch to come; nullptr if there is none.
  const TermsPtr& approved() const { return approved_; }
  // The ceremony of the newest released epoch, before the first release the one that makes the key; nullptr where this
  // node has no part in it.
  const dkg::Ceremony* current() const { return current_ ? &current_->ceremony : nullptr; }
  // nullptr before the first release, and where nothing is to come.
  const dkg::Ceremony* next() const { return next_ ? &next_->ceremony : nullptr; }
  // Whose ceremony asks for what members are to give: the next one once it is open, else the current one.
  const dkg::Ceremony* busy() const;
  // The current epoch, then those whose shares still answer, newest first, and the next one once it has a share.
  std::vector<const dkg::Ceremony*> answering() const;
  // Newest first.
  std::vector<const dkg::Ceremony*> all() const;
  // Approvals of members for the slot that comes next, whatever they approve.
  std::vector<dkg::Approval> heard_approvals() const;

  // Whose words count: members of the epochs in charge, to come and still answering, and of the one before while this
  // node makes its share of the one in charge.
  std::map<dkg::NodeId, KnownNode> known_nodes() const;
  // Changes whenever known_nodes or entries may have.
  std::vector<std::uintptr_t> membership_mark() const;
  // Who may be the entry of form A: as the terms in charge say, and those of epochs that still answer.
  std::set<dkg::NodeId> entries() const;

  std::vector<dkg::NodeStatus::Entry> status() const;
  std::optional<dkg::Envelope> find_object(const dkg::ObjectId& id) const;
  bool wants(const dkg::ObjectId& id) const;
  // Whether a ceremony that is not over runs the slot of that name, or this node waits for the slot's Link.
  bool is_open(const Hash32& slot) const;

 private:
  struct Period {
    TermsPtr terms;
    dkg::Ceremony ceremony;
    bool is_opened = false;  // this node saw it under way, not only its Link
  };
  Epochs(const NetworkTerms& terms, dkg::Self self, const dkg::Records& records, Entropy& entropy, Duration grace)
      : genesis_(std::make_shared<const NetworkTerms>(terms)),
        terms_(genesis_),
        self_(self),
        id_{self.key.node_id()},
        records_(&records),
        entropy_(&entropy),
        grace_(grace),
        grace_left_(grace) {}

  // The number of the epoch that comes after the newest released one.
  std::uint32_t wanted() const { return newest_ ? newest_->header.epoch + 1 : 0; }
  dkg::SlotId slot_of(std::uint32_t epoch, std::uint32_t branch = 0) const {
    return dkg::slot_id(genesis_->key_set, epoch, branch);
  }
  // The slot that comes next: its branch is the one after those that were given up.
  std::uint32_t branch() const { return static_cast<std::uint32_t>(voided_branches_.size()); }
  dkg::SlotId next_slot() const { return slot_of(wanted(), branch()); }
  bool is_member(const dkg::Committee& committee) const { return committee.position_of(id_).has_value(); }
  // Whether this node was in charge until now.
  bool is_old_member() const { return newest_ && is_member(newest_->header.committee()); }
  bool takes_part(const NetworkTerms& next) const;
  // Whether the epoch in charge was learned of from others, and this node has no share of it yet.
  bool is_finishing() const;
  // A committee of one holds its key whole: there is nothing to refresh.
  bool has_shares() const { return newest_ && newest_->header.threshold.t() >= 2; }
  // What the epoch that comes next is to be; nullptr: nothing, unless others decide on something.
  TermsPtr planned() const;
  // Whether the ceremony that is to come is one by these terms.
  bool is_planned(const NetworkTerms& terms) const;
  dkg::Plan plan_of(const NetworkTerms& terms) const;
  Result<Period> make(TermsPtr terms, Now now) const;
  Result<void> may_exchange(const NetworkTerms& next) const;
  // Branches given up, from the records or by a Link; their ceremonies go on telling others.
  void load_voided(Now now);
  // `decided`: the file of the branch that was released, if a Link says so.
  void take_void(EpochSteps& out, const dkg::FileHash* decided = nullptr);
  void note_void(dkg::VoidedBranch&& ended, EpochSteps& out);
  void hear_void(const dkg::Envelope& envelope, const dkg::NodeId& author, EpochSteps& out, Now now);
  static std::vector<dkg::VoidedBranch> branches_before(const dkg::Link& link);
  void take_voids_of(const dkg::Link& link, EpochSteps& out, Now now);
  // Of a committee that a verified header names.
  TermsPtr terms_of(const dkg::CeremonyHeader& header) const;
  std::optional<dkg::Link> stored_link(std::uint32_t epoch) const;
  TermsPtr stored_file(std::uint32_t epoch) const;
  // The epoch that comes next, from the records; true if it is released.
  Result<bool> load(Now now);

  void take_charge(Period&& period);
  void follow(const dkg::EpochRecord& record, TermsPtr terms);
  // The epoch is in charge from now on, whether this node has a part in it or not.
  void enter(EpochPtr record, TermsPtr terms);
  void take_links(const dkg::Envelope& envelope, const dkg::NodeId& author, EpochSteps& out, Now now);
  void show_links(const dkg::Envelope& envelope, const dkg::NodeId& author, EpochSteps& out, Now now);
  // One member shows the newest Link to all who listen, soon after the release and every 20 s from then on: to nodes
  // that left before it, which nobody else would tell. The others keep silent while they see it.
  void plan_announcement(Duration pause, Now now);
  void hear_announcement(const dkg::Envelope& envelope, const dkg::NodeId& author, Now now);
  void announce(EpochSteps& out, Now now);
  // A node that does not know what it said keeps out of slots that may have been open then.
  void restore_silence(Disk disk);
  bool is_silent() const { return is_silent_ || silent_epoch_ == wanted(); }
  void hear_report(const dkg::Envelope& envelope, const dkg::NodeId& author, EpochSteps& out);
  void note_silence(EpochSteps& out) const;
  void hear_approval(const dkg::Envelope& envelope, Now now);
  void replace_next(Period&& period, EpochSteps& out, Now now);
  // Whatever became possible: the next epoch is made, or takes charge.
  void advance(EpochSteps& out, Now now);
  void retire_past(EpochSteps& out, Now now);
  void plan_next(EpochSteps& out, Now now);
  EpochSteps remember(NetworkTerms&& terms, std::string_view file, Now now);
  // `end`: Unix seconds; what nobody named is `usual_end`, or what another member has approved already.
  EpochSteps sign_approval(std::uint64_t usual_end, std::optional<std::uint64_t> end, EpochSteps&& before, Now now);
  // This node's approval of what is to come, if it is not over.
  bool has_approved_next(Now now) const;
  // A plan that did not get its quorum in time gives way.
  void drop_expired(EpochSteps& out, Now now);
  template <class Call>
  void each(const Call& call, EpochSteps& out, Now now);

  TermsPtr genesis_;
  TermsPtr terms_;
  dkg::Self self_;
  dkg::NodeId id_;
  const dkg::Records* records_;
  Entropy* entropy_;
  EpochPtr newest_;
  std::optional<Period> current_;
  std::optional<Period> next_;
  std::deque<Period> past_;                          // newest first
  std::vector<Period> voided_;                       // branches of the epoch that comes next
  std::vector<dkg::VoidedBranch> voided_branches_;   // the same, all of them
  std::optional<dkg::Certificate> heard_emergency_;  // of the slot that comes next, where no ceremony runs
  std::map<std::uint32_t, EpochPtr> chain_;          // the newest kPastMax released ones
  TermsPtr approved_;
  bool is_silent_ = false;                     // in every slot, until it is known how far others are
  std::optional<std::uint32_t> silent_epoch_;  // in the slot of this epoch
  std::set<dkg::NodeId> level_;                // members that are no further than this node, by their last word
  std::set<dkg::NodeId> further_;              // members that say they are
  bool is_silence_noted_ = true;
  bool is_refresh_ordered_ = false;
  std::deque<dkg::Envelope> approvals_;  // heard for the slot that comes next, whatever they approve
  std::set<dkg::NodeId> peers_;
  std::optional<Instant> announce_at_;      // the newest Link
  std::map<dkg::NodeId, Instant> shown_;    // Links, by node
  std::map<dkg::NodeId, Instant> refused_;  // authors of Links that do not verify, until when
  std::uint64_t released_ = 0;              // Unix seconds: when the newest epoch was seen to be released; 0: it is not
  Duration grace_;
  Duration grace_left_;  // of the epoch that was superseded last
};

}  // namespace kms::node
