#include "dkg/pull_book.h"

#include <algorithm>

namespace kms::dkg {

void PullBook::want(const std::set<ObjectId>& objects, Instant now) {
  std::erase_if(due_, [&](const auto& entry) { return !objects.contains(entry.first); });
  for (const auto& object : objects) due_.try_emplace(object, now + delta_ / 4);
}

std::vector<ObjectId> PullBook::take_due(Instant now) {
  std::vector<ObjectId> out;
  for (auto& [object, due] : due_) {
    if (now < due || out.size() == Fetch::kHashesMax) continue;
    out.push_back(object);
    due = now + 2 * delta_;
  }
  return out;
}

std::optional<Instant> PullBook::wakes_at() const {
  std::optional<Instant> at;
  for (const auto& [object, due] : due_) at = at ? std::min(*at, due) : due;
  return at;
}

bool PullBook::may_answer(Position member, const ObjectId& object, Instant now) {
  if (answered_.size() >= kAnswersMax) {
    std::erase_if(answered_, [&](const auto& entry) { return entry.second <= now; });
    if (answered_.size() >= kAnswersMax) return false;
  }
  const auto [until, is_new] = answered_.try_emplace({member, object}, now + delta_);
  if (is_new) return true;
  if (now < until->second) return false;
  until->second = now + delta_;
  return true;
}

void PullBook::heard_asking(const ObjectId& object, Instant now) {
  if (asked_.size() >= kAskedMax) {
    std::erase_if(asked_, [&](const auto& entry) { return entry.second <= now; });
    if (asked_.size() >= kAskedMax) return;
  }
  asked_[object] = now + 8 * delta_;
}

bool PullBook::was_asked_for(const ObjectId& object, Instant now) const {
  if (asked_.size() >= kAskedMax) return true;  // who was not remembered may have asked
  const auto until = asked_.find(object);
  return until != asked_.end() && now < until->second;
}

bool PullBook::may_show(Position member, Duration every, Instant now) {
  const auto [until, is_new] = shown_.try_emplace(member, now + every);
  if (is_new) return true;
  if (now < until->second) return false;
  until->second = now + every;
  return true;
}

}  // namespace kms::dkg
