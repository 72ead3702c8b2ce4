#include "tests/sim/program/controls.h"

#include "dkg/break.h"
#include "tests/sim/program/draw.h"

#ifdef KMS_SIM_BROKEN
namespace kms::dkg {
namespace {
std::string_view broken_check;
}
bool is_broken(std::string_view check) {
  return check == broken_check;
}
}  // namespace kms::dkg
#endif

namespace kms::sim {
namespace {

// Traitors that know t shares.
void overdraw_knowledge(StageDraw& stage, Random&) {
  const auto* attack = find_attack("deal-hoard");
  const auto count = std::min<std::size_t>(stage.threshold, stage.committee.size() - 1);
  for (std::size_t i = 0; i < count; ++i) stage.traitors.emplace(stage.committee[i], attack);
}

// One more than f never starts.
void overdraw_absence(StageDraw& stage, Random&) {
  const auto members = static_cast<std::uint32_t>(stage.committee.size());
  const auto sizes = dkg::Threshold::make(members, stage.threshold).value();
  for (std::size_t i = 0; i <= sizes.f(); ++i) stage.late[stage.committee[i]] = 24h;
  stage.end = 200s;
}

// Disks that forget what they had stored, under members that are taken for honest.
void overdraw_disks(StageDraw& stage, Random&) {
  stage.rolled_back.insert(stage.committee.begin(), stage.committee.end());
  stage.end = 200s;
}

}  // namespace

const std::vector<Control>& controls() {
  static const std::vector<Control> all{
      {"t-traitors", "t traitors in one epoch: their scalars span the key", "none", overdraw_knowledge},
      {"f-plus-one", "f + 1 members that never start: nothing ends", "none", overdraw_absence},
      {"storage", "disks that lose what was synced: members contradict themselves", "none", overdraw_disks},
#ifdef KMS_SIM_BROKEN
      {"own-words", "a restarted member does not remember what it said", "none"},
      {"erasure", "the shares of an epoch that is over are kept", "none"},
      {"prekeys", "private prekeys outlive their slot", "none"},
      {"complaints", "complaints are believed without proof", "false-complaint"},
      {"partials", "an entry combines partials without looking at their proofs", "bad-partial"},
      {"entries", "members seal to whoever asks, whatever entry was named and signed", "entry-hijack"},
      {"nonces", "a member forgets which request a nonce stands for", "nonce-burn"},
#endif
  };
  return all;
}

const Control* control_of(const Mode& mode) {
  for (const auto& control : controls()) {
    if (control.name == mode.control) return &control;
  }
  return nullptr;
}

void take_out([[maybe_unused]] const Control& control) {
#ifdef KMS_SIM_BROKEN
  if (control.overdraw == nullptr) dkg::broken_check = control.name;
#endif
}

}  // namespace kms::sim
