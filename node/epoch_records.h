// Where an Epochs keeps what it has to remember: keys of the store.
#pragma once

#include <string>

#include "dkg/ids.h"

namespace kms::node {

// Of a slot's ceremony (dkg/), which keeps its Link there, too.
inline std::string slot_record(const dkg::SlotId& slot, std::string_view name) {
  return "slot/" + to_hex(slot.view()) + "/" + std::string(name);
}
// When the epoch of the slot was seen to be released, in Unix seconds.
inline std::string release_record(const dkg::SlotId& slot) {
  return "epochs/" + to_hex(slot.view()) + "/released";
}
// The network file that this node's operator approved for an epoch.
inline std::string file_record(std::uint32_t epoch) {
  return "epochs/" + std::to_string(epoch) + "/file";
}

}  // namespace kms::node
