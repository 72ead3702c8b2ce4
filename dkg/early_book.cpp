#include "dkg/early_book.h"

#include <algorithm>

namespace kms::dkg {

bool EarlyBook::has(Position member, const Envelope& envelope) const {
  const auto kept = kept_.find(member);
  if (kept == kept_.end()) return false;
  return std::any_of(kept->second.begin(), kept->second.end(),
                     [&](const Envelope& other) { return other.type == envelope.type && other.body == envelope.body; });
}

void EarlyBook::keep(Position member, const Envelope& envelope) {
  if (has(member, envelope)) return;
  auto& kept = kept_[member];
  kept.push_back(envelope);
  if (kept.size() > kPerMember) kept.pop_front();
}

std::vector<Envelope> EarlyBook::take() {
  std::vector<Envelope> out;
  for (auto& [member, kept] : kept_) {
    for (auto& envelope : kept) out.push_back(std::move(envelope));
  }
  kept_.clear();
  return out;
}

}  // namespace kms::dkg
