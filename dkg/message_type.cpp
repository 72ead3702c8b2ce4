#include "dkg/message_type.h"

#include <algorithm>
#include <iterator>

namespace kms::dkg {
namespace {

struct Row {
  MessageType type;
  std::string_view name;
  bool is_signed;
};

constexpr Row kRows[] = {
    {MessageType::prekey_announce, "PreKeyAnnounce", true},
    {MessageType::approval, "Approval", false},
    {MessageType::ceremony_header, "CeremonyHeader", true},
    {MessageType::deal, "Deal", true},
    {MessageType::have_objects, "HaveObjects", false},
    {MessageType::fetch, "Fetch", false},
    {MessageType::fetch_reply, "FetchReply", false},
    {MessageType::complaint, "Complaint", true},
    {MessageType::equivocation, "Equivocation", false},
    {MessageType::candidate, "Candidate", true},
    {MessageType::ready, "Ready", true},
    {MessageType::certificate, "Certificate", false},
    {MessageType::proposal, "Proposal", true},
    {MessageType::vote, "Vote", true},
    {MessageType::active, "Active", true},
    {MessageType::confirm, "Confirm", true},
    {MessageType::emergency, "Emergency", true},
    {MessageType::epoch_chain, "EpochChain", false},
    {MessageType::erased, "Erased", true},
    {MessageType::repair_request, "RepairRequest", true},
    {MessageType::repair_delta, "RepairDelta", true},
    {MessageType::repair_sigma, "RepairSigma", true},
    {MessageType::repair_complaint, "RepairComplaint", true},
    {MessageType::blame, "Blame", true},
    {MessageType::value, "Value", false},
    {MessageType::delegate_request, "DelegateRequest", false},
    {MessageType::sealed_a, "SealedA", false},
    {MessageType::partial_b, "PartialB", true},
    {MessageType::partial_c, "PartialC", false},
    {MessageType::combined_c, "CombinedC", false},
    {MessageType::need, "Need", false},
    {MessageType::done, "Done", false},
    {MessageType::refusal, "Refusal", false},
    {MessageType::node_status, "NodeStatus", false},
    {MessageType::public_request, "PublicRequest", false},
};

const Row* row_of(std::uint64_t number) {
  const Row* found = std::find_if(std::begin(kRows), std::end(kRows),
                                  [&](const Row& row) { return static_cast<std::uint64_t>(row.type) == number; });
  return found == std::end(kRows) ? nullptr : found;
}

}  // namespace

std::optional<MessageType> message_type(std::uint64_t number) {
  const Row* row = row_of(number);
  return row ? std::optional(row->type) : std::nullopt;
}

std::string_view name_of(MessageType type) {
  const Row* row = row_of(static_cast<std::uint64_t>(type));
  return row ? row->name : "?";
}

bool is_signed(MessageType type) {
  const Row* row = row_of(static_cast<std::uint64_t>(type));
  return row && row->is_signed;
}

}  // namespace kms::dkg
