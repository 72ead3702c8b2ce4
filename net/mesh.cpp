#include "net/mesh.h"

#include <algorithm>
#include <optional>

#include "net/draw.h"

namespace kms::net {
namespace {

bool counts_as_dialled(const MeshPeer& peer) {
  return peer.is_dialled && !peer.is_light;
}

std::size_t count_if(const std::vector<MeshPeer>& peers, bool (*is)(const MeshPeer&)) {
  return static_cast<std::size_t>(std::count_if(peers.begin(), peers.end(), is));
}

bool has_better_score(const MeshPeer& a, const MeshPeer& b) {
  return a.score > b.score;
}

// Orders the members: those to keep come first. The best by score, then random ones; dialled ones move up until
// `out` of them are kept.
void order_for_pruning(const MeshOptions& options, std::vector<MeshPeer>& members, Entropy& entropy) {
  shuffle(entropy, members);
  std::stable_sort(members.begin(), members.end(), has_better_score);
  std::size_t best = std::min(options.score, members.size());
  std::vector<MeshPeer> rest(members.begin() + static_cast<std::ptrdiff_t>(best), members.end());
  shuffle(entropy, rest);
  std::copy(rest.begin(), rest.end(), members.begin() + static_cast<std::ptrdiff_t>(best));

  std::vector<MeshPeer> kept(members.begin(), members.begin() + static_cast<std::ptrdiff_t>(options.target));
  std::size_t dialled = count_if(kept, counts_as_dialled);
  // Each missing dialled one takes the place of the last kept one that is not.
  for (std::size_t i = options.target; i < members.size() && dialled < options.out; ++i) {
    if (!counts_as_dialled(members[i])) continue;
    for (std::size_t k = options.target; k-- > 0;) {
      if (counts_as_dialled(members[k])) continue;
      std::swap(members[i], members[k]);
      ++dialled;
      break;
    }
  }
}

class Upkeep {
 public:
  Upkeep(const MeshOptions& options, std::vector<MeshPeer> members, std::vector<MeshPeer> others, Entropy& entropy)
      : options_(options), members_(std::move(members)), others_(std::move(others)), entropy_(entropy) {}

  void drop_negative() {
    std::erase_if(members_, [this](const MeshPeer& peer) {
      if (peer.score < 0) change.drop.push_back(peer.id);
      return peer.score < 0;
    });
  }
  void fill() {
    if (members_.size() < options_.low) graft(others_, options_.target - members_.size());
  }
  void thin() {
    if (members_.size() <= options_.target || members_.size() < options_.high) return;
    order_for_pruning(options_, members_, entropy_);
    while (members_.size() > options_.target) {
      change.prune.push_back(members_.back().id);
      members_.pop_back();
    }
  }
  void dial_share() {
    std::size_t dialled = count_if(members_, counts_as_dialled);
    if (members_.size() < options_.low || dialled >= options_.out) return;
    auto candidates = others_;
    std::erase_if(candidates, [](const MeshPeer& peer) { return !counts_as_dialled(peer); });
    graft(std::move(candidates), options_.out - dialled);
  }
  void improve(double median_below) {
    if (members_.size() < 2) return;
    std::sort(members_.begin(), members_.end(), [](const auto& a, const auto& b) { return a.score < b.score; });
    double median = members_[members_.size() / 2].score;
    if (median >= median_below) return;
    auto candidates = others_;
    std::erase_if(candidates, [median](const MeshPeer& peer) { return peer.score <= median; });
    graft(std::move(candidates), options_.opportunistic_peers);
  }

  MeshChange change;

 private:
  void graft(std::vector<MeshPeer> candidates, std::size_t count) {
    for (MeshPeer& peer : choose_grafts(options_, members_, std::move(candidates), count, entropy_)) {
      std::erase_if(others_, [&peer](const MeshPeer& other) { return other.id == peer.id; });
      change.graft.push_back(peer.id);
      members_.push_back(std::move(peer));
    }
  }

  const MeshOptions& options_;
  std::vector<MeshPeer> members_, others_;
  Entropy& entropy_;
};

}  // namespace

std::vector<MeshPeer> choose_grafts(const MeshOptions& options, const std::vector<MeshPeer>& members,
                                    std::vector<MeshPeer> others, std::size_t count, Entropy& entropy) {
  std::size_t light = count_if(members, [](const MeshPeer& peer) { return peer.is_light; });
  shuffle(entropy, others);
  std::vector<MeshPeer> chosen;
  for (MeshPeer& peer : others) {
    if (chosen.size() == count) break;
    if (peer.is_light && light >= options.light) continue;
    light += peer.is_light ? 1 : 0;
    chosen.push_back(std::move(peer));
  }
  return chosen;
}

MeshChange maintain_mesh(const MeshOptions& options, std::vector<MeshPeer> members, std::vector<MeshPeer> others,
                         std::optional<double> median_below, Entropy& entropy) {
  Upkeep upkeep(options, std::move(members), std::move(others), entropy);
  upkeep.drop_negative();
  upkeep.fill();
  upkeep.thin();
  upkeep.dial_share();
  if (median_below) upkeep.improve(*median_below);
  return std::move(upkeep.change);
}

}  // namespace kms::net
