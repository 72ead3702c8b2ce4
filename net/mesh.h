// How the mesh of one topic is kept: whom to graft and whom to prune, from who is in it and who could be. Pure choices;
// Router carries them out (LIBP2P.md 8.3).
#pragma once

#include <optional>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "net/peer_id.h"

namespace kms::net {

// Degrees: 0 <= out <= low <= target <= high, score <= target.
struct MeshOptions {
  std::size_t target = 8, low = 6, high = 12;  // D, D_lo, D_hi
  std::size_t score = 5, out = 3;              // kept for their score; connections that we dialled (D_score, D_out)
  std::size_t light = 3;                       // at most so many light peers, which never count as dialled
  std::size_t lazy = 6;                        // IHAVE goes to so many others (D_lazy), or to
  double gossip_factor = 0.25;                 // this share of them, if that is more
  Duration prune_backoff = 60s, unsubscribe_backoff = 10s;
  Duration graft_flood_threshold = 10s;  // a GRAFT so soon after a PRUNE counts twice
  std::uint32_t backoff_slack_heartbeats = 2, backoff_sweep_heartbeats = 15;
  std::size_t backoffs_max = 4096;  // per topic
  std::uint32_t opportunistic_heartbeats = 60;
  std::size_t opportunistic_peers = 2;
  Duration fanout_ttl = 60s;
  std::size_t flood_publish_bytes = 16 * 1024;  // own messages up to this go to all subscribers; zero: never
  std::size_t light_flood = 16;                 // of the light ones among them that did not graft us, to so many
  std::size_t exchange_peers = 16;              // offered in a PRUNE; zero: no peer exchange
};

struct MeshPeer {
  PeerId id;
  double score = 0;
  bool is_dialled = false;
  bool is_light = false;
};

struct MeshChange {
  std::vector<PeerId> graft;
  std::vector<PeerId> drop;   // negative scores: PRUNE without peer exchange
  std::vector<PeerId> prune;  // too many
};

// `others`: subscribers outside the mesh that may be grafted (no backoff, no negative score).
// `median_below`: graft better ones if the median score of the mesh is below it; nothing: not now.
MeshChange maintain_mesh(const MeshOptions& options, std::vector<MeshPeer> members, std::vector<MeshPeer> others,
                         std::optional<double> median_below, Entropy& entropy);

// Up to `count` random ones of `others` that may join `members`.
std::vector<MeshPeer> choose_grafts(const MeshOptions& options, const std::vector<MeshPeer>& members,
                                    std::vector<MeshPeer> others, std::size_t count, Entropy& entropy);

}  // namespace kms::net
