// How nodes that were not there learn of epochs: Links, shown to those that lag behind and followed by them
// (PROTOCOL.md 4.7).
#include <algorithm>

#include "node/epoch_records.h"
#include "node/epochs.h"

namespace kms::node {
namespace {

constexpr std::size_t kLinksShown = 16;  // in answer to one NodeStatus
constexpr Duration kShowEvery = 1s;      // to one node
constexpr Duration kRefusedFor = 10s;    // after a Link that does not verify
constexpr std::ptrdiff_t kApprovalsOfOne = 4;
constexpr std::size_t kApprovalsHeard = 512;  // 4 of each of 128 members
constexpr Duration kAnnounceEvery = 1s;       // from member to member, until one has
constexpr Duration kAnnouncePause = 20s;      // then again

}  // namespace

// Members of an epoch's ceremony are shown its Link by that ceremony; all others here.
void Epochs::show_links(const dkg::Envelope& envelope, const dkg::NodeId& author, EpochSteps& out, Now now) {
  const auto status = dkg::NodeStatus::parse(envelope.body);
  if (!status || !newest_ || author == id_) return;
  std::optional<std::uint32_t> from;
  std::uint32_t from_branch = 0;
  for (const auto& entry : status->entries) {
    if (entry.key_set != genesis_->key_set || entry.epoch > newest_->header.epoch) continue;
    // On another branch than the one that was released it is behind, however far it is there.
    const auto held = chain_.find(entry.epoch);
    const bool is_elsewhere = held != chain_.end() && held->second->header.branch != entry.branch;
    const bool is_behind = is_elsewhere || entry.state < static_cast<std::uint32_t>(dkg::Phase::need_repair);
    if (!is_behind || (from && entry.epoch >= *from)) continue;
    from = entry.epoch;
    from_branch = entry.branch;
  }
  if (!from) return;
  for (const dkg::Ceremony* ceremony : all()) {
    const bool is_its = ceremony->slot() == slot_of(*from, from_branch);
    if (is_its && ceremony->everybody().position_of(author)) return;
  }
  if (const auto shown = shown_.find(author); shown != shown_.end() && now.instant < shown->second + kShowEvery) return;
  shown_[author] = now.instant;
  const std::uint32_t end = std::min<std::uint32_t>(newest_->header.epoch + 1, *from + kLinksShown);
  for (std::uint32_t epoch = *from; epoch < end; ++epoch) {
    std::optional<dkg::Link> link;
    if (const auto held = chain_.find(epoch); held != chain_.end()) {
      link = held->second->link();
    } else {
      link = stored_link(epoch);
    }
    if (!link) return;
    const dkg::SlotId slot = link->header.slot();
    dkg::EpochChain chain;
    chain.links.push_back(std::move(*link));
    dkg::Effects effects;
    effects.send.push_back({dkg::wrap(chain, id_, genesis_->network)});
    out.steps.push_back({slot, std::move(effects)});
  }
}

// By members of the epoch before: those who know no later one take nothing from anybody else.
void Epochs::plan_announcement(Duration pause, Now now) {
  announce_at_.reset();
  const auto before = newest_->header.epoch == 0 ? chain_.end() : chain_.find(newest_->header.epoch - 1);
  if (before == chain_.end()) return;
  const auto committee = before->second->header.committee();
  const auto place = committee.position_of(id_);
  if (!place) return;
  const std::size_t turn = (*place + newest_->header.epoch) % committee.size();
  announce_at_ = now.instant + pause + kAnnounceEvery * static_cast<std::int64_t>(turn + 1);
}

void Epochs::announce(EpochSteps& out, Now now) {
  if (!announce_at_ || now.instant < *announce_at_) return;
  plan_announcement(kAnnouncePause, now);
  const auto link = newest_->link();
  if (!link) return;
  dkg::EpochChain chain;
  chain.links.push_back(*link);
  dkg::Effects effects;
  effects.send.push_back({dkg::wrap(chain, id_, genesis_->network)});
  out.steps.push_back({newest_->slot(), std::move(effects)});
}

// It need not be verified: a liar keeps the others silent for a while, and only about news for who left.
void Epochs::hear_announcement(const dkg::Envelope& envelope, const dkg::NodeId& author, Now now) {
  if (!announce_at_ || author == id_) return;
  const auto before = chain_.find(newest_->header.epoch - 1);
  if (before == chain_.end() || !before->second->header.committee().position_of(author)) return;
  const auto chain = dkg::EpochChain::parse(envelope.body);
  const bool is_news = chain && std::any_of(chain->links.begin(), chain->links.end(), [&](const dkg::Link& link) {
                         return link.header.epoch == newest_->header.epoch;
                       });
  if (is_news) plan_announcement(kAnnouncePause, now);
}

// What a ceremony of this node has not taken in already.
void Epochs::take_links(const dkg::Envelope& envelope, const dkg::NodeId& author, EpochSteps& out, Now now) {
  const auto chain = dkg::EpochChain::parse(envelope.body);
  if (!chain) return;
  if (const auto refused = refused_.find(author); refused != refused_.end() && now.instant < refused->second) return;
  for (const dkg::Link& link : chain->links) {
    if (link.header.terms.key_set != genesis_->key_set || link.header.epoch != wanted()) continue;
    const bool is_first = link.header.epoch == 0;
    if (is_first && (link.header.committee() != genesis_->members || link.header.terms.labels != genesis_->labels)) {
      continue;
    }
    if (is_first && current_ && genesis_->imported.empty()) continue;  // its ceremony hears it
    auto record = dkg::verify_link(link, genesis_->network, newest_.get(), genesis_->imported);
    const TermsPtr terms = record ? terms_of(link.header) : nullptr;
    if (!terms) {
      const std::string why = record ? "it names another network file" : record.error().message;
      dkg::Effects note;
      note.report.push_back(
          {dkg::Event::Kind::parameters, "a Link of epoch " + std::to_string(wanted()) + " is refused: " + why, 0, {}});
      // Not under the slot that the Link names: whoever made it up would choose whose notes give way to it.
      out.steps.push_back({next_slot(), std::move(note)});
      refused_[author] = now.instant + kRefusedFor;
      return;
    }
    // Before anything is followed: a share of a branch that was given up goes.
    take_voids_of(link, out, now);
    // Who imported the key and lost its disk has nobody in that committee to hear it from.
    const bool is_import = is_first && !genesis_->imported.empty();
    if (is_import) current_.reset();
    if (is_import || !takes_part(*terms)) {
      dkg::Effects note;
      note.save.writes.push_back(dkg::Put{slot_record(link.header.slot(), "link"), link.body()});
      out.steps.push_back({link.header.slot(), std::move(note)});
      grace_left_ = Duration{};
      follow(*record, terms);
      advance(out, now);
      continue;
    }
    // A ceremony with this very plan has heard it.
    if (is_planned(*terms) && next_->ceremony.slot() == link.header.slot()) return;
    auto period = make(terms, now);
    if (!period) return;
    replace_next(std::move(*period), out, now);
    auto effects = next_->ceremony.receive(envelope, author, now);
    if (!effects.empty()) out.steps.push_back({next_->ceremony.slot(), std::move(effects)});
    advance(out, now);
  }
}

// For a ceremony that is made later, and for operators. The own ones come back from the outbox.
void Epochs::hear_approval(const dkg::Envelope& envelope, Now now) {
  const auto approval = dkg::Approval::parse(envelope.body);
  if (!approval || !newest_ || approval->purpose != dkg::ApprovalPurpose::reshare) return;
  if (approval->not_after < now.unix_s()) return;
  if (approval->key_set != genesis_->key_set || approval->epoch != wanted() || approval->branch != branch()) return;
  const dkg::Committee& members = newest_->header.committee();
  if (members.position_of(envelope.sender) != approval->index) return;
  const auto held = [&] {
    return std::count_if(approvals_.begin(), approvals_.end(),
                         [&](const dkg::Envelope& other) { return other.sender == envelope.sender; });
  };
  if (std::any_of(approvals_.begin(), approvals_.end(),
                  [&](const dkg::Envelope& other) { return other.body == envelope.body; })) {
    return;
  }
  if (held() >= kApprovalsOfOne || approvals_.size() >= kApprovalsHeard) {
    std::erase_if(approvals_, [&](const dkg::Envelope& other) {
      const auto before = dkg::Approval::parse(other.body);
      return !before || before->not_after < now.unix_s();
    });
  }
  if (held() >= kApprovalsOfOne || approvals_.size() >= kApprovalsHeard) return;
  const auto digest = approval->approval_digest(genesis_->network);
  if (!crypto::verify(members.at(approval->index).key, approval->signature, digest)) return;
  approvals_.push_back(envelope);
}

std::vector<dkg::Approval> Epochs::heard_approvals() const {
  std::vector<dkg::Approval> out;
  for (const dkg::Envelope& envelope : approvals_) {
    if (auto approval = dkg::Approval::parse(envelope.body)) out.push_back(std::move(*approval));
  }
  return out;
}

}  // namespace kms::node
