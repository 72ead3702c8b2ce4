#include "dkg/early_book.h"

#include <algorithm>

namespace kms::dkg {

void EarlyBook::keep(Position member, const Envelope& envelope) {
  auto& kept = kept_[member];
  const auto is_same = [&](const Envelope& other) {
    return other.type == envelope.type && other.body == envelope.body;
  };
  if (std::any_of(kept.begin(), kept.end(), is_same)) return;
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
