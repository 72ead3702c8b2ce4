// What operators order (PROTOCOL.md 4.1, 4.8).
#include "node/epoch_records.h"
#include "node/epochs.h"
#include "node/network_terms.h"

namespace kms::node {
namespace {

constexpr const char* kSilent =
    "this node came back with an old data folder: it keeps out of the epoch that comes next, and others decide";

constexpr const char* kOver = "the approval would be over before it begins: notAfter lies in the past";

bool is_over(const std::optional<std::uint64_t>& not_after, Now now) {
  return not_after && *not_after <= now.unix_s();
}

// Whole days, so that operators who approve one after the other name the same end.
std::uint64_t usual_end(Now now, std::chrono::seconds life) {
  constexpr std::uint64_t kDay = 24 * 60 * 60;
  return (now.unix_s() / kDay + 1) * kDay + static_cast<std::uint64_t>(life.count());
}

}  // namespace

Result<EpochSteps> Epochs::approve(std::string_view file, std::optional<std::uint64_t> not_after, Now now,
                                   Manner manner) {
  if (is_over(not_after, now)) return error(kOver);
  auto parsed = later_terms(*genesis_, file);
  if (!parsed) return parsed.error();
  if (!newest_ && current_ && genesis_->imported.empty())
    return error("no key is released yet: there is nothing to move to another committee");
  if (newest_ && parsed->file == newest_->header.file) return remember(std::move(*parsed), file, now);
  const std::string number = std::to_string(parsed->epoch);
  const bool is_member_now = is_old_member();
  if (is_member_now && is_silent()) return error(kSilent);
  if (!is_member_now && !is_member(parsed->members)) {
    return error("this node is a member neither of the committee in charge nor of the one in the file");
  }
  const bool fits = is_member_now ? parsed->epoch == wanted() : parsed->epoch >= wanted();
  if (!fits) {
    return error("the file is for epoch " + number + ", the next epoch is " + std::to_string(wanted()) +
                 "; write epoch = " + std::to_string(wanted()));
  }
  if (is_member_now && parsed->threshold.t() < terms_->threshold.t() && parsed->lower == dkg::LowerThreshold::refused) {
    return error("the file lowers the threshold from " + std::to_string(terms_->threshold.t()) + " to " +
                 std::to_string(parsed->threshold.t()) + "; if that is meant, write allow_lower_threshold = true");
  }
  const bool is_emergency = manner == Manner::emergency;
  if (is_emergency) {
    if (auto exchange = may_exchange(*parsed); !exchange) return exchange.error();
    if (next_ && !is_planned(*parsed)) next_.reset();
  }
  const bool has_another = approved_ && approved_->epoch == parsed->epoch && approved_->file != parsed->file;
  if (has_another && is_member_now && !is_emergency) {
    return error("a node approves one file per epoch, and this one has approved another for epoch " + number + ": " +
                 approved_->file.hex());
  }
  if (next_ && next_->is_opened && next_->ceremony.plan().file != parsed->file) {
    return error("epoch " + number + " is being made already (" + next_->ceremony.status().summary +
                 "); once it is released, give the file the next number");
  }
  if (next_ && next_->ceremony.plan().file != parsed->file && has_approved_next(now)) {
    return error("this node has approved a refresh for epoch " + number +
                 "; once it is done, give the file the next number, or wait until that approval is over");
  }
  EpochSteps out;
  dkg::Effects note;
  note.save.writes.push_back(dkg::Put{file_record(parsed->epoch), to_bytes(as_bytes(file))});
  approved_ = std::make_shared<const NetworkTerms>(std::move(*parsed));
  out.steps.push_back({slot_of(approved_->epoch, approved_->epoch == wanted() ? branch() : 0), std::move(note)});
  advance(out, now);
  if (!approved_) return error("the committees do not fit together: at most 128 nodes take part in a reshare");
  if (!is_member_now || !next_) return out;
  if (is_emergency) {
    auto ordered = next_->ceremony.order_emergency(now);
    if (!ordered) return ordered.error();
    out.steps.push_back({next_->ceremony.slot(), std::move(*ordered)});
  }
  return sign_approval(usual_end(now, kApprovalLife), not_after, std::move(out), now);
}

// The file that the epoch in charge goes by, too late for its making: a node that lost its disk has names and rules
// again, and one that the file names as a member may become it now.
EpochSteps Epochs::remember(NetworkTerms&& terms, std::string_view file, Now now) {
  terms_ = std::make_shared<const NetworkTerms>(std::move(terms));
  dkg::Effects note;
  note.save.writes.push_back(dkg::Put{file_record(newest_->header.epoch), to_bytes(as_bytes(file))});
  EpochSteps out;
  out.steps.push_back({newest_->slot(), std::move(note)});
  const auto before = chain_.find(newest_->header.epoch - 1);
  if (current_) {
    current_->terms = terms_;
  } else if (is_old_member() && newest_->header.epoch > 0 && before != chain_.end()) {
    const EpochPtr followed = std::exchange(newest_, before->second);
    auto branches = std::exchange(voided_branches_, {});
    if (const auto link = followed->link()) voided_branches_ = branches_before(*link);
    auto period = make(terms_, now);  // its Link is among the records
    if (period && period->ceremony.is_released()) {
      take_charge(std::move(*period));
      out.steps.push_back({newest_->slot(), current_->ceremony.peers_connected(peers_, now)});
      advance(out, now);
    } else {
      newest_ = followed;
      voided_branches_ = std::move(branches);
    }
  }
  return out;
}

Result<EpochSteps> Epochs::refresh(std::optional<std::uint64_t> not_after, Now now) {
  if (is_over(not_after, now)) return error(kOver);
  if (!newest_) return error("no key is released yet: there are no shares to refresh");
  if (!is_old_member()) return error("this node is not a member of the committee in charge");
  if (is_silent()) return error(kSilent);
  if (!has_shares()) {
    return error(
        "a committee of one holds its key whole and has no shares to refresh; kmsctl approve brings it to more");
  }
  if (approved_ && approved_->epoch == wanted()) {
    return error("this node has approved a file for epoch " + std::to_string(wanted()) +
                 ": that epoch renews the shares, too");
  }
  is_refresh_ordered_ = true;
  EpochSteps out;
  advance(out, now);
  if (!next_) {
    is_refresh_ordered_ = false;
    return error("the next epoch cannot be made from what this node has stored");
  }
  return sign_approval(usual_end(now, kRefreshLife), not_after, std::move(out), now);
}

bool Epochs::has_approved_next(Now now) const {
  if (!next_ || !newest_ || !next_->ceremony.pending_approval(now)) return false;
  const auto place = newest_->header.committee().position_of(id_);
  return place && next_->ceremony.approvers().contains(*place);
}

void Epochs::drop_expired(EpochSteps& out, Now now) {
  if (!next_ || next_->is_opened || next_->ceremony.phase() != dkg::Phase::closed || !is_old_member()) return;
  if (next_->ceremony.approvers().empty() || next_->ceremony.pending_approval(now)) return;
  is_refresh_ordered_ = false;
  if (!approved_ || approved_->epoch != wanted()) return;
  dkg::Effects note;
  note.save.writes.push_back(dkg::Erase{file_record(approved_->epoch)});
  note.save.writes.push_back(dkg::Erase{slot_record(next_->ceremony.slot(), "emergency")});
  note.report.push_back(
      {dkg::Event::Kind::phase, "the approvals of a file for this epoch are over, without a quorum", 0, {}});
  out.steps.push_back({next_->ceremony.slot(), std::move(note)});
  approved_ = nullptr;
  next_.reset();
}

EpochSteps Epochs::sign_approval(std::uint64_t usual_end, std::optional<std::uint64_t> end, EpochSteps&& before,
                                 Now now) {
  dkg::Ceremony& ceremony = next_->ceremony;
  if (!end) end = ceremony.pending_approval(now).value_or(usual_end);
  EpochSteps out = std::move(before);
  out.steps.push_back({ceremony.slot(), ceremony.approve(*end, now)});
  advance(out, now);
  return out;
}

Result<EpochSteps> Epochs::repair(const dkg::NodeId& subject, std::optional<std::uint64_t> not_after, Now now) {
  if (is_over(not_after, now)) return error(kOver);
  if (!newest_ || !current_) return error("this node is not a member of a committee with a key");
  const auto place = newest_->header.committee().position_of(subject);
  if (!place) return error("that node is not a member of the committee in charge");
  dkg::Ceremony& ceremony = current_->ceremony;
  if (!is_member(newest_->header.committee())) return error("this node is not a member of the committee in charge");
  const auto pending = ceremony.pending_repair_approval(*place, now);
  const std::uint64_t end = not_after.value_or(pending.value_or(usual_end(now, kApprovalLife)));
  EpochSteps out;
  out.steps.push_back({ceremony.slot(), ceremony.approve_repair(*place, end, now)});
  advance(out, now);
  return out;
}

Result<EpochSteps> Epochs::start(Now now) {
  if (newest_ || !current_) return error("there is no key to be made here");
  if (!genesis_->imported.empty()) return error("the key of this network is imported: kms-node import");
  EpochSteps out;
  out.steps.push_back({current_->ceremony.slot(), current_->ceremony.order(now)});
  advance(out, now);
  return out;
}

}  // namespace kms::node
