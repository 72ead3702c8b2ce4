// Which records a Board keeps when there is no room for all.
#include <algorithm>

#include "base/assert.h"
#include "node/delegation/board.h"

namespace kms::delegation {

Board::Use Board::use_of(const Record& record) {
  if (!record.waiters.empty() || record.jobs > 0) return Use::pressing;
  const auto is_due = [](const auto& asker) { return asker.second.due || asker.second.is_owed; };
  return std::any_of(record.askers.begin(), record.askers.end(), is_due) ? Use::owed : Use::idle;
}

void Board::leave_list(Record& record) {
  if (record.use == Use::pressing) return;
  Share& share = shares_.at(record.holder);
  (record.use == Use::idle ? share.idle : share.owed).erase(record.age);
  record.use = Use::pressing;
}

void Board::settle(const Hash32& rh, Record& record) {
  const Use use = use_of(record);
  if (use != record.use) {
    leave_list(record);
    record.use = use;
    Share& share = shares_.at(record.holder);
    auto& list = use == Use::idle ? share.idle : share.owed;
    if (use != Use::pressing) record.age = list.insert(list.end(), rh);
  }
  Instant wake = record.forget_at;
  for (const auto& [node, asker] : record.askers) {
    if (asker.due) wake = std::min(wake, *asker.due);
  }
  for (const Waiter& waiter : record.waiters) {
    wake = std::min(wake, waiter.deadline);
    if (waiter.wants == Wants::partials) wake = std::min(wake, record.need_at);
  }
  if (wake == record.wake) return;
  timers_.erase({record.wake, rh});
  record.wake = wake;
  timers_.insert({wake, rh});
}

void Board::charge(Record& record, std::size_t bytes) {
  record.bytes += bytes;
  shares_.at(record.holder).bytes += bytes;
  bytes_ += bytes;
}

void Board::uncharge(Record& record, std::size_t bytes) {
  KMS_ASSERT(record.bytes >= bytes);
  record.bytes -= bytes;
  shares_.at(record.holder).bytes -= bytes;
  bytes_ -= bytes;
}

void Board::forget(Records::iterator record) {
  auto& [rh, one] = *record;
  leave_list(one);
  timers_.erase({one.wake, rh});
  uncharge(one, one.bytes);
  places_.give_back(one.holder);
  const auto share = shares_.find(one.holder);
  if (--share->second.records == 0) shares_.erase(share);
  records_.erase(record);
}

void Board::drop(Records::iterator record) {
  if (use_of(record->second) != Use::pressing) return forget(record);
  record->second.forget_at = Instant{};
  settle(record->first, record->second);
}

// Of those that hold more than `own`, whoever holds the most and has one to lose. This node's clients keep half.
bool Board::evict_one(Use at_most, std::size_t Share::*held, std::size_t own, std::size_t max) {
  const auto may_lose = [&](const Shares::value_type& share) {
    if (share.first == credentials_->node_id() && share.second.*held <= max / 2) return false;
    return share.second.*held >= own &&
           !(share.second.idle.empty() && (at_most == Use::idle || share.second.owed.empty()));
  };
  const Shares::value_type* loser = nullptr;
  for (const Shares::value_type& share : shares_) {
    if (may_lose(share) && (loser == nullptr || share.second.*held > loser->second.*held)) loser = &share;
  }
  if (loser == nullptr) return false;
  const std::list<Hash32>& list = loser->second.idle.empty() ? loser->second.owed : loser->second.idle;
  ++counts_.evicted;
  forget(records_.find(list.front()));
  return true;
}

// Takes a place for the holder.
bool Board::make_room(const dkg::NodeId& holder) {
  const bool is_own = holder == credentials_->node_id();
  while (!places_.take(holder)) {
    const auto share = shares_.find(holder);
    const std::size_t own = share == shares_.end() ? 0 : share->second.records;
    if (is_own && evict_one(Use::owed, &Share::records, 0, limits_.records_max)) continue;
    // Who has its share already gives up one of its own.
    if (!is_own && evict_one(Use::idle, &Share::records, own, limits_.records_max)) continue;
    if (share == shares_.end() || share->second.idle.empty()) return false;
    ++counts_.evicted;
    forget(records_.find(share->second.idle.front()));
  }
  ++shares_[holder].records;
  return true;
}

// Null if everything is in use.
Board::Record* Board::place(const Hash32& rh, const dkg::NodeId& holder, ServingKeyPtr key, Instant forget_at) {
  if (!make_room(holder)) return nullptr;
  Record record{.holder = holder, .key = std::move(key), .forget_at = forget_at, .wake = forget_at};
  auto& out = records_.emplace(rh, std::move(record)).first->second;
  timers_.insert({out.wake, rh});
  return &out;
}

// The record takes a place of `holder` from now on, if there is one.
bool Board::give_place(Record& record, const dkg::NodeId& holder) {
  if (record.holder == holder) return true;
  leave_list(record);  // so that it is not what goes; `settle` puts it back
  if (!make_room(holder)) return false;
  const std::size_t bytes = record.bytes;
  uncharge(record, bytes);
  places_.give_back(record.holder);
  const auto old = shares_.find(record.holder);
  if (--old->second.records == 0) shares_.erase(old);
  record.holder = holder;
  charge(record, bytes);
  return true;
}

void Board::shrink() {
  while (bytes_ > limits_.bytes_max && evict_one(Use::owed, &Share::bytes, 0, limits_.bytes_max)) {
  }
}

}  // namespace kms::delegation
