// The one value that instance FATE can decide on here: RELEASE of the decided T (PROTOCOL.md 4.13).
#pragma once

#include "dkg/activation.h"
#include "dkg/candidate_book.h"

namespace kms::dkg {

class FateBook {
 public:
  FateBook(const SlotContext& slot, const Activation& activation) : slot_(slot), activation_(activation) {}

  // Zero before the decision.
  ValueHash release() const {
    const auto* record = activation_.record();
    if (record == nullptr) return {};
    return fate_hash(slot_.slot, record->sid, record->transcript, Fate::release);
  }
  std::optional<AgreedValue> agreed(const ValueHash& value) const {
    const auto* record = activation_.record();
    if (record == nullptr || value != release()) return std::nullopt;
    const auto* justification = record->activation ? &*record->activation : nullptr;
    return AgreedValue{record->sid, record->transcript, {}, Fate::release, justification};
  }

 private:
  const SlotContext& slot_;
  const Activation& activation_;
};

}  // namespace kms::dkg
