// What a neighbour's conduct is worth (gossipsub 1.1 peer scoring, LIBP2P.md 8.7):
//
//   score = min(cap, sum over topics w * (w1 P1 + w2 P2 + w3 P3 + w3b P3b + w4 P4)) + P5 + w6 P6 + w7 P7
//
// P1 time in our mesh. P2 messages it was first to bring. P3 the square of what it is short of the expected deliveries
// as a mesh member; P3b that square kept when it leaves the mesh. P4 the square of its invalid messages. P5 the
// application's opinion. P6 the square of the peers beyond a threshold in one address group. P7 the square of
// misbehaviour beyond a threshold: what is counted as such, and broken promises up to the peer's own bound. Counters
// decay by multiplication; a bad score outlives the connection.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "base/time.h"
#include "net/peer_id.h"

namespace kms::net {

struct TopicScoreOptions {
  double weight = 1;
  double time_in_mesh_weight = 0.01, time_in_mesh_cap = 1000;  // P1, in quanta
  Duration time_in_mesh_quantum = 1s;
  double first_deliveries_weight = 0.5, first_deliveries_decay = 0.97, first_deliveries_cap = 30;  // P2
  double mesh_deliveries_weight = 0, mesh_deliveries_decay = 0.97;                                 // P3: off, since
  double mesh_deliveries_cap = 100, mesh_deliveries_threshold = 10;                                // quiet topics
  Duration mesh_deliveries_window = 10ms, mesh_deliveries_activation = 30s;                        // punish the
  double mesh_failure_weight = 0, mesh_failure_decay = 0.97;                                       // honest (P3b too)
  double invalid_weight = -20, invalid_decay = 0.97;                                               // P4
};

struct ScoreOptions {
  TopicScoreOptions topic;  // of topics without an entry below
  std::map<std::string, TopicScoreOptions, std::less<>> topics;
  double topic_cap = 40;           // zero: none
  double application_weight = 1;   // P5
  double colocation_weight = -10;  // P6
  std::size_t colocation_threshold = 8;
  double misbehaviour_weight = -10, misbehaviour_threshold = 2, misbehaviour_decay = 0.9;  // P7
  Duration decay_interval = 1s;
  double decay_to_zero = 0.01;  // smaller counters become zero
  Duration retain = 1h;         // a bad score after the peer has left
  std::size_t retained_max = 4096;
};

// Peers that were never `connected` score zero, and nothing is kept about them.
class PeerScores {
 public:
  explicit PeerScores(ScoreOptions options) : options_(std::move(options)) {}

  void connected(const PeerId& peer);
  // Keeps what counts against it, for `retain`; forgets everybody else.
  void disconnected(const PeerId& peer, Instant now);
  void set_application_score(const PeerId& peer, double value);
  // Peers of one non-empty group share an address (P6).
  void set_address_group(const PeerId& peer, std::string group);

  void grafted(const PeerId& peer, std::string_view topic, Instant now);
  void pruned(const PeerId& peer, std::string_view topic);
  void first_delivery(const PeerId& peer, std::string_view topic);  // P2, and P3 if it is in the mesh
  void mesh_delivery(const PeerId& peer, std::string_view topic);   // a copy in time, P3
  void invalid_message(const PeerId& peer, std::string_view topic);
  void misbehaved(const PeerId& peer, double count = 1);
  void broke_promises(const PeerId& peer, double count);
  // Takes back what is left of one that broke so long ago.
  void redeemed_promise(const PeerId& peer, Duration age);
  // Of broken promises no more count against it.
  void set_promises_max(const PeerId& peer, double most);
  // To be called every `decay_interval`.
  void decay(Instant now);

  double score(const PeerId& peer) const;
  double misbehaviour(const PeerId& peer) const;  // P7 before its threshold
  Duration mesh_deliveries_window(std::string_view topic) const { return options_of(topic).mesh_deliveries_window; }
  Duration decay_interval() const { return options_.decay_interval; }
  std::size_t size() const { return peers_.size(); }  // the retained ones included

 private:
  struct Topic {
    bool is_in_mesh = false, is_active = false;  // active: P3 counts
    Instant grafted_at;
    Duration time_in_mesh{};
    double first_deliveries = 0, mesh_deliveries = 0, mesh_failure = 0, invalid = 0;
  };
  struct Peer {
    bool is_connected = true;
    Instant forget_at;  // when not connected
    std::map<std::string, Topic, std::less<>> topics;
    std::string address_group;
    double application = 0, misbehaviour = 0;
    double broken_promises = 0, promises_max = std::numeric_limits<double>::infinity();
    double p7() const { return misbehaviour + std::min(broken_promises, promises_max); }
  };

  Peer* find(const PeerId& peer);
  Topic* find_topic(const PeerId& peer, std::string_view topic);
  const TopicScoreOptions& options_of(std::string_view topic) const;
  double topic_score(const Topic& topic, const TopicScoreOptions& options) const;
  double conduct_of(const Peer& peer) const;  // all but P6
  double score_of(const Peer& peer) const;
  void keep_failure(Topic& topic, const TopicScoreOptions& options) const;
  bool counts_against(const Peer& peer) const;
  void decay_value(double& value, double factor) const;
  void leave_group(const PeerId& peer, const std::string& group);
  void bound_retained();

  ScoreOptions options_;
  std::map<PeerId, Peer> peers_;
  std::map<std::string, std::set<PeerId>> groups_;
  std::size_t retained_ = 0;
};

}  // namespace kms::net
