// Orders for a committee that cannot go on by itself: the emergency reshare (PROTOCOL.md 4.14), and giving up a decided
// epoch whose new committee is dead (4.13).
#include "node/epoch_records.h"
#include "node/epochs.h"
#include "node/network_terms.h"

namespace kms::node {
namespace {

constexpr Duration kVoidRefusedFor = 10s;

constexpr const char* kSilentNow =
    "this node came back with an old data folder and may have signed what it does not know: it takes no part";

}  // namespace

// In an emergency a plan that is under way may give way to another one, as long as nothing binds this node.
Result<void> Epochs::may_exchange(const NetworkTerms& next) const {
  const auto place = newest_ ? newest_->header.committee().position_of(id_) : std::nullopt;
  if (!place) return {};
  if (next.members == newest_->header.committee() && next.threshold == newest_->header.threshold) {
    return error("the file keeps members and threshold; name one without the members that are lost");
  }
  if (!next_ || is_planned(next)) return {};
  const auto state = next_->ceremony.emergency();
  if (!state.is_bound && !state.decided) return {};
  return error("this node has voted in the making of epoch " + std::to_string(wanted()) +
               " by another file already: name one of its dealings, or void it");
}

Result<EpochSteps> Epochs::emergency(std::string_view file, std::optional<std::uint64_t> not_after, Now now) {
  return approve(file, not_after, now, Manner::emergency);
}

Result<EpochSteps> Epochs::name_dealing(const dkg::TranscriptHash& transcript, Now now) {
  if (is_silent()) return error(kSilentNow);
  if (!next_) return error("no epoch is being made here");
  auto named = next_->ceremony.sign_emergency(transcript, now);
  if (!named) return named.error();
  EpochSteps out;
  out.steps.push_back({next_->ceremony.slot(), std::move(*named)});
  advance(out, now);
  return out;
}

Result<EpochSteps> Epochs::give_up(Now now) {
  if (is_silent()) return error(kSilentNow);
  if (!next_) return error("no epoch is being made here that could be given up");
  auto approved = next_->ceremony.approve_void(now);
  if (!approved) return approved.error();
  EpochSteps out;
  out.steps.push_back({next_->ceremony.slot(), std::move(*approved)});
  advance(out, now);
  return out;
}

void Epochs::load_voided(Now now) {
  const std::uint32_t epoch = wanted();
  voided_.clear();
  voided_branches_.clear();
  if (!newest_) return;
  const auto read = [&](const char* name) -> std::optional<dkg::Certificate> {
    const auto body = records_->find(slot_record(next_slot(), name));
    auto certificate = body ? dkg::Certificate::parse(*body) : Result<dkg::Certificate>(error("missing"));
    if (!certificate) return std::nullopt;
    return std::move(*certificate);
  };
  while (branch() < dkg::kVoidsMax) {
    auto fate = read("fate/final");
    if (!fate || dkg::fate_of(*fate) != dkg::Fate::voided) return;
    dkg::VoidedBranch branch_over{std::move(*fate), read("void/emergency")};
    if (!dkg::verify_void(branch_over, slot_of(epoch, branch()), genesis_->network, *newest_)) return;
    if (is_old_member()) {
      if (auto period = make(terms_, now)) voided_.push_back(std::move(*period));
    }
    voided_branches_.push_back(std::move(branch_over));
  }
}

// The slot that was to come is over; the next branch wants approvals of its own. The file stays where it is no approval
// of a branch: at a node that may only become a member by it, and where that very file was decided on.
void Epochs::take_void(EpochSteps& out, const dkg::FileHash* decided) {
  if (!next_ || branch() >= dkg::kVoidsMax) return;
  auto ended = next_->ceremony.voided();
  if (!ended) return;
  const bool is_decided_on = decided != nullptr && approved_ && approved_->file == *decided;
  const bool keeps_file = !is_old_member() || is_decided_on;
  dkg::Effects note;
  if (approved_ && approved_->epoch == wanted() && !keeps_file) {
    note.save.writes.push_back(dkg::Erase{file_record(wanted())});
  }
  note.report.push_back({dkg::Event::Kind::phase,
                         "branch " + std::to_string(branch()) + " of epoch " + std::to_string(wanted()) +
                             " is given up: the epoch needs " +
                             (keeps_file ? "approvals of the old committee anew" : "a file and approvals anew"),
                         0,
                         {}});
  out.steps.push_back({next_->ceremony.slot(), std::move(note)});
  if (!keeps_file) approved_ = nullptr;
  is_refresh_ordered_ = false;
  approvals_.clear();
  heard_emergency_.reset();
  voided_branches_.push_back(std::move(*ended));
  voided_.push_back(std::move(*next_));
  next_.reset();
}

// A verified VOID where no machine runs whose secrets would have to go.
void Epochs::note_void(dkg::VoidedBranch&& ended, EpochSteps& out) {
  dkg::Effects note;
  note.save.writes.push_back(dkg::Put{slot_record(next_slot(), "fate/final"), ended.fate.body()});
  if (ended.emergency) {
    note.save.writes.push_back(dkg::Put{slot_record(next_slot(), "void/emergency"), ended.emergency->body()});
  }
  out.steps.push_back({next_slot(), std::move(note)});
  approvals_.clear();
  heard_emergency_.reset();
  voided_branches_.push_back(std::move(ended));
}

// Without a plan there is no ceremony that would hear it, and an order would be for a branch that is over.
void Epochs::hear_void(const dkg::Envelope& envelope, const dkg::NodeId& author, EpochSteps& out, Now now) {
  if (next_ || !newest_ || branch() >= dkg::kVoidsMax) return;
  if (const auto refused = refused_.find(author); refused != refused_.end() && now.instant < refused->second) return;
  const auto certificate = dkg::Certificate::parse(envelope.body);
  if (!certificate || certificate->slot != next_slot()) return;
  const auto refuse = [&] { refused_[author] = now.instant + kVoidRefusedFor; };
  if (certificate->kind == dkg::CertificateKind::emergency) {
    if (heard_emergency_ && heard_emergency_->id() == certificate->id()) return;
    const dkg::Committee members = newest_->header.committee();
    const dkg::Threshold& threshold = newest_->header.threshold;
    if (!dkg::verify(*certificate, {genesis_->network, members, threshold, members, threshold})) return refuse();
    heard_emergency_ = *certificate;
    return;
  }
  if (dkg::fate_of(*certificate) != dkg::Fate::voided) return;
  dkg::VoidedBranch ended{*certificate, std::nullopt};
  if (!is_zero(certificate->emergency_cert)) {
    // It comes before, or again.
    if (!heard_emergency_ || heard_emergency_->id() != certificate->emergency_cert) return;
    ended.emergency = heard_emergency_;
  }
  if (!dkg::verify_void(ended, next_slot(), genesis_->network, *newest_)) return refuse();
  note_void(std::move(ended), out);
}

std::vector<dkg::VoidedBranch> Epochs::branches_before(const dkg::Link& link) {
  std::vector<dkg::VoidedBranch> out;
  for (const dkg::Certificate& voided : link.voids) {
    dkg::VoidedBranch ended{voided, std::nullopt};
    for (const dkg::Certificate& emergency : link.emergencies) {
      if (emergency.id() == voided.emergency_cert) ended.emergency = emergency;
    }
    out.push_back(std::move(ended));
  }
  return out;
}

// A Link of a later branch proves that the ones before it are given up, also to a node that still works on one.
void Epochs::take_voids_of(const dkg::Link& link, EpochSteps& out, Now now) {
  if (!newest_) return;
  auto before = branches_before(link);
  while (branch() < before.size()) {
    dkg::VoidedBranch& ended = before[branch()];
    if (!next_) {
      note_void(std::move(ended), out);  // verified with the Link
      continue;
    }
    dkg::Ceremony& ceremony = next_->ceremony;
    const auto show = [&](const dkg::Certificate& certificate) {
      auto effects = ceremony.receive(dkg::wrap(certificate, id_, genesis_->network), id_, now);
      if (!effects.empty()) out.steps.push_back({ceremony.slot(), std::move(effects)});
    };
    if (ended.emergency) show(*ended.emergency);
    show(ended.fate);
    if (!ceremony.voided()) return;
    take_void(out, &link.header.file);
  }
}

}  // namespace kms::node
