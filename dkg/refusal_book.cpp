#include "dkg/refusal_book.h"

#include <algorithm>

#include "crypto/sha256.h"

namespace kms::dkg {

void RefusalBook::refuse(const Envelope& envelope) {
  const auto [at, is_new] = refused_.insert(crypto::sha256(envelope.encode()));
  if (!is_new) return;
  order_.push_back(*at);
  if (order_.size() <= kRefusedMax) return;
  refused_.erase(order_.front());
  order_.pop_front();
}

bool RefusalBook::has_refused(const Envelope& envelope) const {
  return !refused_.empty() && refused_.contains(crypto::sha256(envelope.encode()));
}

RefusalBook::Account& RefusalBook::account(Position member, Instant now) {
  auto& account = accounts_.try_emplace(member, Account{kUnitsMax, now}).first->second;
  const auto since = std::max(now - account.filled_at, Duration{0});
  const auto gained = since.count() * kUnitsPerSecond / Duration(1s).count();
  if (gained > 0) {
    account.units = std::min(kUnitsMax, account.units + gained);
    account.filled_at = now;
  }
  return account;
}

bool RefusalBook::may_cost(Position member, Instant now) {
  return account(member, now).units > 0;
}

bool RefusalBook::charge(Position member, std::int64_t units, Instant now) {
  auto& of_member = account(member, now);
  const bool had_some = of_member.units > 0;
  of_member.units -= units;
  return had_some && of_member.units <= 0;
}

}  // namespace kms::dkg
