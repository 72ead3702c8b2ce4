// The epochs of the node's key set, each with its ceremony: the one in charge, the one that comes after it, and those
// that are over (PROTOCOL.md 4.7, 4.12). A released successor takes charge at once; the epoch before it serves through
// its grace period and is then erased. Today the committee stays the same: epochs follow each other by refresh, when
// the network file says how often.
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

class Epochs {
 public:
  static constexpr Duration kGrace = 10min;
  static constexpr std::size_t kPastMax = 64;  // epochs whose Links are shown to members that come late

  // `self` names no shares; `terms`, `records` of begin alone. All references but `records` outlive the object.
  static Result<Epochs> begin(const NetworkTerms& terms, dkg::Self self, const dkg::Records& records, Entropy& entropy,
                              Now now);

  EpochSteps receive(const dkg::Envelope& envelope, const dkg::NodeId& author, Now now);
  EpochSteps tick(Now now);
  EpochSteps peers_connected(const std::set<dkg::NodeId>& peers, Now now);
  std::optional<Instant> wakes_at() const;

  // The newest released epoch; before the first release the one that makes the key.
  const dkg::Ceremony& current() const { return *current_; }
  // nullptr before the first release, and where no refresh is wanted.
  const dkg::Ceremony* next() const { return next_ ? &*next_ : nullptr; }
  // Whose ceremony asks for what members are to give: the next one once it is open, else the current one.
  const dkg::Ceremony& busy() const;
  // The current epoch, then those whose shares still answer, newest first, and the next one once it has a share.
  std::vector<const dkg::Ceremony*> answering() const;

  std::vector<dkg::NodeStatus::Entry> status() const;
  std::optional<dkg::Envelope> find_object(const dkg::ObjectId& id) const;
  bool wants(const dkg::ObjectId& id) const;
  // Whether a ceremony that is not over runs the slot of that name.
  bool is_open(const Hash32& slot) const;

 private:
  Epochs(const NetworkTerms& terms, dkg::Self self, Entropy& entropy) : terms_(terms), self_(self), entropy_(entropy) {}
  dkg::Plan plan_after(const dkg::Ceremony& last, std::uint64_t released) const;
  Result<dkg::Ceremony> make(dkg::Plan plan, const dkg::Ceremony* last, const dkg::Records& records, Now now) const;
  // Whatever became possible: the next epoch is made, or takes charge.
  void advance(EpochSteps& out, Now now);
  template <class Call>
  EpochSteps each(const Call& call, Now now);

  const NetworkTerms& terms_;
  dkg::Self self_;
  Entropy& entropy_;
  std::optional<dkg::Ceremony> current_;
  std::optional<dkg::Ceremony> next_;
  std::deque<dkg::Ceremony> past_;  // newest first
  std::set<dkg::NodeId> peers_;
  std::uint64_t released_ = 0;  // Unix seconds: when the current epoch was seen to be released; 0: it is not
};

}  // namespace kms::node
