#include "net/seqno_window.h"

#include <algorithm>

namespace kms::net {

bool SeqnoWindow::is_fresh(std::uint64_t seqno) const {
  return seqno > floor_ && !std::binary_search(taken_.begin(), taken_.end(), seqno);
}

bool SeqnoWindow::take(std::uint64_t seqno) {
  if (seqno <= floor_) return false;
  // Nearly always the end.
  auto at = taken_.end();
  if (!taken_.empty() && seqno <= taken_.back()) at = std::lower_bound(taken_.begin(), taken_.end(), seqno);
  if (at != taken_.end() && *at == seqno) return false;
  taken_.insert(at, seqno);
  if (taken_.size() > kTakenMax) {
    floor_ = taken_.front();
    taken_.pop_front();
  }
  return true;
}

}  // namespace kms::net
