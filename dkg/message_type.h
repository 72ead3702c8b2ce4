// Numbers of the envelope's `type`, for ceremonies and delegation alike (proto/kms.proto, MessageType). A number is
// never used again for something else.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kms::dkg {

enum class MessageType : std::uint32_t {
  prekey_announce = 1,
  approval = 2,
  ceremony_header = 3,
  deal = 4,
  have_objects = 5,
  fetch = 6,
  fetch_reply = 7,
  complaint = 8,
  equivocation = 9,
  candidate = 10,
  ready = 11,
  certificate = 12,
  proposal = 13,
  vote = 14,
  active = 15,
  confirm = 16,
  emergency = 17,
  epoch_chain = 18,
  erased = 19,
  repair_request = 20,
  repair_delta = 21,
  repair_sigma = 22,
  repair_complaint = 23,
  blame = 24,
  value = 25,
  delegate_request = 32,
  sealed_a = 33,
  partial_b = 34,
  partial_c = 35,
  combined_c = 36,
  need = 37,
  done = 38,
  refusal = 39,
  node_status = 40,
  public_request = 41,
};

// Nothing for a number that no type has.
std::optional<MessageType> message_type(std::uint64_t number);
std::string_view name_of(MessageType type);  // as in the schema: "CeremonyHeader"
// Whether the envelope of this type carries the sender's signature; the others rely on the batch's author, on a
// signature in the body or on proving themselves (TRANSCRIPTS.md 6).
bool is_signed(MessageType type);

}  // namespace kms::dkg
