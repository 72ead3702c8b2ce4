// Which objects this node misses and when it asks for them; which requests of others it has answered lately
// (PROTOCOL.md 6: one open Fetch per peer and hash).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/time.h"
#include "dkg/messages.h"

namespace kms::dkg {

class PullBook {
 public:
  explicit PullBook(Duration delta) : delta_(delta) {}

  // What is missing now; replaces the last list, asked ones keep their time. First asked after Delta / 4, since most
  // things come by themselves, then every 2 * Delta.
  void want(const std::set<ObjectId>& objects, Instant now);
  bool wants(const ObjectId& object) const { return due_.contains(object); }
  bool wants_any() const { return !due_.empty(); }
  // What to ask for now, at most Fetch::kHashesMax.
  std::vector<ObjectId> take_due(Instant now);
  std::optional<Instant> wakes_at() const;

  // Whether a request of `member` for `object` may be answered now; remembers that it was.
  bool may_answer(Position member, const ObjectId& object, Instant now);
  // What others ask for comes here, too, when it is answered: for 8 * Delta.
  void heard_asking(const ObjectId& object, Instant now);
  bool was_asked_for(const ObjectId& object, Instant now) const;
  // Whether a member that lags behind may be shown certificates now; remembers that it was.
  bool may_show(Position member, Duration every, Instant now);

 private:
  static constexpr std::size_t kAnswersMax = 4096;
  static constexpr std::size_t kAskedMax = 4096;
  Duration delta_;
  std::map<ObjectId, Instant> due_;
  std::map<std::pair<Position, ObjectId>, Instant> answered_;
  std::map<Position, Instant> shown_;
  std::map<ObjectId, Instant> asked_;  // by others, until when that counts
};

}  // namespace kms::dkg
