// Messages that came before what they refer to (a Deal before its header, an ACTIVE before the decision): kept for a
// while instead of waiting for the sender's next repetition. Signatures are checked before a message is kept.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "dkg/envelope.h"

namespace kms::dkg {

class EarlyBook {
 public:
  static constexpr std::size_t kPerMember = 24;  // the oldest goes

  void keep(Position member, const Envelope& envelope);
  bool has(Position member, const Envelope& envelope) const;
  // Everything kept, by member and in order of arrival; the book is empty afterwards.
  std::vector<Envelope> take();
  bool empty() const { return kept_.empty(); }

 private:
  std::map<Position, std::deque<Envelope>> kept_;
};

}  // namespace kms::dkg
