// Model-based: random operations on a Router and on a naive router that keeps plain tables and scans them. Where the
// Router may choose (whom to graft, whom to prune, to whom to announce), its choice is checked against the rules and
// then adopted. Left out, since a naive table of it would be the same code again: the bounds of catching up and what
// is missed through full queues (router_catch_up_test.cpp, router_loss_test.cpp), shares of wanted ids and redeemed
// promises (router_promises_test.cpp), fanout, peer exchange and the rows P1 to P3 and P6 of the score
// (router_mesh_test.cpp, peer_score_test.cpp).
#include <set>

#include <gtest/gtest.h>

#include "tests/net/mesh_rules.h"

namespace kms::net {
namespace {

constexpr std::size_t kPeers = 12;
constexpr std::size_t kTarget = 4, kLow = 3, kHigh = 6, kBest = 2, kOut = 2, kLight = 1, kLazy = 6;
constexpr Duration kBeat = 700ms;
constexpr int kImprove = 5, kCached = 6, kAnnounced = 3;  // heartbeats

struct ModelPeer {
  bool is_subscribed = true, has_stream = true, is_in_mesh = false;
  bool is_light = false, is_dialled = false;
  double application = 20;
  double invalid = 0, misbehaviour = 0, broken = 0;
  std::optional<std::size_t> missed;  // from this accepted message on
  std::optional<Instant> backoff, stream_missed;
  int ihaves = 0, iwants = 0;         // this heartbeat
  std::map<MessageId, int> unwanted;  // until this heartbeat
  std::vector<Instant> promises;      // when they are due
  double score() const {
    double excess = std::max(0.0, misbehaviour + broken - 2);
    return application - 20 * invalid * invalid - 10 * excess * excess;
  }
  bool counts_as_dialled() const { return is_dialled && !is_light; }
  bool hears_gossip() const { return is_subscribed && has_stream && score() >= -100; }
  void miss(std::size_t from) { missed = std::min(missed.value_or(from), from); }
};
struct ModelMessage {
  std::size_t author = 0;
  std::set<std::size_t> senders, known_by;
  enum { open, accepted, dropped, rejected } state = open;
  int accepted_at = 0;  // heartbeat
  Instant since;
  std::map<std::size_t, int> pulled;
};
// What one peer was sent.
struct Sent {
  std::multiset<MessageId> messages;
  std::set<MessageId> announced;
  std::size_t grafts = 0, prunes = 0, wanted = 0;
};

struct Model : MeshRules {
  void begin(std::uint64_t seed) {
    RouterOptions options = mesh_options();
    options.mesh = {.target = kTarget,
                    .low = kLow,
                    .high = kHigh,
                    .score = kBest,
                    .out = kOut,
                    .light = kLight,
                    .exchange_peers = 0};
    options.cache_windows = kCached;
    options.first_heartbeat = kBeat;
    auto& scores = options.scores;
    scores.topic.time_in_mesh_weight = scores.topic.first_deliveries_weight = 0;
    options.mesh.opportunistic_heartbeats = kImprove;
    options.catch_up_burst = 1'000'000;
    dice = sim::Random(seed);
    start(0, options);
    model.resize(kPeers);
    for (std::size_t i = 0; i < kPeers; ++i) {
      model[i].is_light = i % 3 == 2;
      model[i].application = model[i].is_light || i % 3 == 1 ? 0 : 20;
      add_peer(class_of(model[i]));
      introduce(i);
    }
    next_beat = world.now.instant + options.first_heartbeat;
    next_decay = world.now.instant + scores.decay_interval;
  }

  static PeerClass class_of(const ModelPeer& peer) { return peer.is_light ? PeerClass::light : PeerClass::registered; }
  void introduce(std::size_t i) {
    node->router.set_application_score(peers[i].id(), model[i].application);
    model[i].is_dialled = dice.chance(400);
    node->router.set_peer_origin(peers[i].id(), {model[i].is_dialled, ""});
  }
  std::size_t count(const std::function<bool(const ModelPeer&)>& is) const {
    return static_cast<std::size_t>(std::count_if(model.begin(), model.end(), is));
  }

  std::vector<Sent> drain() {
    std::vector<Sent> out(kPeers);
    for (std::size_t i = 0; i < kPeers; ++i) {
      RpcView rpc = received_by(peers[i]);
      for (const auto& view : rpc.messages) {
        out[i].messages.insert(message_id(MessageIdMode::content, PubsubMessage::from_view(view)));
      }
      out[i].grafts = rpc.grafts.size();
      out[i].prunes = rpc.prunes.size();
      for (const auto& iwant : rpc.iwant) out[i].wanted += iwant.ids.size();
      for (const auto& ihave : rpc.ihave) {
        for (ByteView id : ihave.ids) out[i].announced.insert(to_bytes(id));
      }
    }
    bodies.clear();
    return out;
  }
  void expect_sent(const std::vector<Sent>& expected, const char* what) {
    auto sent = drain();
    for (std::size_t i = 0; i < kPeers; ++i) {
      EXPECT_EQ(sent[i].messages, expected[i].messages) << what << ": messages to " << i;
      EXPECT_EQ(sent[i].grafts, expected[i].grafts) << what << ": grafts to " << i;
      EXPECT_EQ(sent[i].prunes, expected[i].prunes) << what << ": prunes to " << i;
      EXPECT_EQ(sent[i].wanted, expected[i].wanted) << what << ": wanted of " << i;
      EXPECT_TRUE(sent[i].announced.empty()) << what << ": announced to " << i;
    }
  }
  std::size_t model_mesh_size() const {
    return static_cast<std::size_t>(
        std::count_if(model.begin(), model.end(), [](const auto& peer) { return peer.is_in_mesh; }));
  }
  void expect_state(const char* what) {
    for (std::size_t i = 0; i < kPeers; ++i) {
      EXPECT_EQ(is_in_mesh(peers[i]), model[i].is_in_mesh) << what << ": " << i;
      EXPECT_NEAR(score(peers[i]), model[i].score(), 1e-9) << what << ": " << i;
    }
  }

  void graft_from(std::size_t i) {
    ModelPeer& peer = model[i];
    std::vector<Sent> expected(kPeers);
    if (peer.score() >= -400 && !peer.is_in_mesh) {
      Instant now = world.now.instant;
      bool is_early = peer.backoff && now < *peer.backoff;
      if (is_early) peer.misbehaviour += now < *peer.backoff + 10s - 60s ? 2 : 1;
      bool is_full = model_mesh_size() >= kHigh && !peer.is_dialled;
      bool has_place = !peer.is_light || count([](const auto& p) { return p.is_in_mesh && p.is_light; }) < kLight;
      if (is_early || peer.score() < 0 || is_full || !has_place) {
        peer.backoff = std::max(peer.backoff.value_or(now), now + 60s);
        if (peer.has_stream) expected[i].prunes = 1;
      } else {
        joined(peer);
      }
    }
    send_graft(peers[i]);
    expect_sent(expected, "graft");
  }
  void prune_from(std::size_t i) {
    ModelPeer& peer = model[i];
    std::uint64_t seconds = dice.below(30);
    if (peer.score() >= -400) {
      Instant end = world.now.instant + std::chrono::seconds(seconds);
      peer.backoff = std::max(peer.backoff.value_or(end), end);
      peer.is_in_mesh = false;
    }
    send(peers[i], [&](RpcWriter& writer) { writer.prune("t", seconds); });
    expect_sent(std::vector<Sent>(kPeers), "prune");
  }
  void toggle_subscription(std::size_t i) {
    ModelPeer& peer = model[i];
    peer.is_subscribed = !peer.is_subscribed;
    if (!peer.is_subscribed) peer.is_in_mesh = false;
    if (peer.is_subscribed && !peer.has_stream) peer.miss(order.size());
    send(peers[i], [&](RpcWriter& writer) { writer.subscription(peer.is_subscribed, "t"); });
    expect_sent(std::vector<Sent>(kPeers), "subscription");
  }
  void toggle_stream(std::size_t i) {
    ModelPeer& peer = model[i];
    std::vector<Sent> expected(kPeers);
    peer.has_stream = !peer.has_stream;
    if (peer.has_stream) {
      peer.stream_missed.reset();
      expected[i].grafts = peer.is_in_mesh ? 1 : 0;
      node->absorb(node->router.outbound_opened(peers[i].id(), MeshsubVersion::v1_2, world.now));
    } else {
      if (peer.is_subscribed) peer.miss(0);
      node->router.outbound_closed(peers[i].id());
    }
    expect_sent(expected, "stream");
  }
  void reconnect(std::size_t i) {
    ModelPeer& peer = model[i];
    ModelPeer fresh;
    fresh.is_subscribed = fresh.has_stream = false;
    fresh.invalid = peer.invalid;
    fresh.misbehaviour = peer.misbehaviour;
    fresh.broken = peer.broken;
    if (peer.is_subscribed || peer.missed) fresh.missed = first_since(world.now.instant - kCached * kBeat);
    for (auto& [id, message] : messages) message.pulled.erase(i);
    fresh.backoff = peer.backoff;
    fresh.promises = peer.promises;
    fresh.is_light = peer.is_light;
    fresh.application = peer.application;
    peer = fresh;
    node->router.peer_removed(peers[i].id(), world.now);
    node->absorb(node->router.peer_added(peers[i].id(), class_of(peer), world.now));
    introduce(i);
    expect_sent(std::vector<Sent>(kPeers), "reconnect");
  }

  void message_from(std::size_t i) {
    // A new one, or a copy of an old one; now and then forged.
    bool is_new = sent_messages.empty() || dice.chance(600);
    std::size_t author = dice.below(kPeers);
    if (is_new) sent_messages.push_back({message_of(peers[author], "m", ++seqno), author});
    auto [message, writer] = is_new ? sent_messages.back() : sent_messages[dice.below(sent_messages.size())];
    MessageId id = message_id(MessageIdMode::content, message);
    bool is_forged = dice.chance(30);
    if (is_forged) message.signature->at(15) ^= 1;
    ModelPeer& peer = model[i];
    std::size_t delivered = node->delivered.size();
    if (peer.score() >= -400) {
      auto at = messages.find(id);
      if (at == messages.end() && is_forged) {
        ++peer.invalid;
      } else if (at == messages.end()) {
        messages[id] = {writer, {i}, {}, ModelMessage::open, 0, {}, {}};
        ++delivered;
      } else if (at->second.senders.insert(i).second && at->second.state == ModelMessage::rejected) {
        ++peer.invalid;
      }
    }
    send_message(peers[i], message);
    EXPECT_EQ(node->delivered.size(), delivered);
    expect_sent(std::vector<Sent>(kPeers), "message");
  }
  void decide() {
    std::vector<MessageId> open;
    for (const auto& [id, message] : messages) {
      if (message.state == ModelMessage::open) open.push_back(id);
    }
    if (open.empty()) return;
    MessageId id = open[dice.below(open.size())];
    ModelMessage& message = messages.at(id);
    std::vector<Sent> expected(kPeers);
    Verdict verdict = dice.chance(800) ? Verdict::accept : dice.chance(500) ? Verdict::ignore : Verdict::reject;
    if (verdict == Verdict::reject) {
      for (std::size_t sender : message.senders) ++model[sender].invalid;
      message.state = ModelMessage::rejected;
    } else if (verdict == Verdict::ignore) {
      message.state = ModelMessage::dropped;
    } else {
      accept(id, message);
      for (std::size_t i = 0; i < kPeers; ++i) {
        const ModelPeer& peer = model[i];
        bool knows = message.senders.contains(i) || message.known_by.contains(i) || message.author == i;
        if (peer.is_in_mesh && peer.has_stream && !knows && !peer.unwanted.contains(id))
          expected[i].messages.insert(id);
      }
    }
    node->absorb(node->router.validated(id, verdict, world.now));
    expect_sent(expected, "verdict");
  }
  void publish_own() {
    auto published = node->router.publish("t", Bytes(1 + dice.below(40)), world.now);
    std::vector<Sent> expected(kPeers);
    for (std::size_t i = 0; i < kPeers; ++i) {
      const ModelPeer& peer = model[i];
      if (peer.is_subscribed && peer.has_stream && peer.score() >= -200) expected[i].messages.insert(published->id);
    }
    ModelMessage& message = messages[published->id];
    message.author = kPeers;
    accept(published->id, message);
    expect_sent(expected, "publish");
  }
  void accept(const MessageId& id, ModelMessage& message) {
    message.state = ModelMessage::accepted;
    message.accepted_at = beats;
    message.since = world.now.instant;
    order.push_back(id);
  }
  std::size_t first_since(Instant time) const {
    std::size_t at = 0;
    while (at < order.size() && messages.at(order[at]).since < time) ++at;
    return at;
  }
  // Since the last announcements nothing was forwarded to it.
  void joined(ModelPeer& peer) {
    peer.is_in_mesh = true;
    peer.miss(first_since(world.now.instant - kAnnounced * kBeat));
  }
  void iwant_from(std::size_t i) {
    if (messages.empty()) return;
    auto at = std::next(messages.begin(), static_cast<std::ptrdiff_t>(dice.below(messages.size())));
    ModelMessage& message = at->second;
    ModelPeer& peer = model[i];
    std::vector<Sent> expected(kPeers);
    if (peer.score() >= -100 && ++peer.iwants <= 10 && !peer.unwanted.contains(at->first)) {
      bool is_cached = message.state == ModelMessage::accepted && beats - message.accepted_at < kCached;
      if (is_cached && peer.has_stream && message.pulled[i] < 3) {
        ++message.pulled[i];
        expected[i].messages.insert(at->first);
      }
    }
    send(peers[i], [&](RpcWriter& writer) { writer.iwant({&at->first, 1}); });
    expect_sent(expected, "iwant");
  }
  void idontwant_from(std::size_t i) {
    if (messages.empty()) return;
    auto at = std::next(messages.begin(), static_cast<std::ptrdiff_t>(dice.below(messages.size())));
    if (model[i].score() >= -400) {
      model[i].unwanted[at->first] = beats + 3;
      if (!model[i].is_light || model[i].is_in_mesh) at->second.known_by.insert(i);
    }
    send(peers[i], [&](RpcWriter& writer) { writer.idontwant({&at->first, 1}); });
    expect_sent(std::vector<Sent>(kPeers), "idontwant");
  }
  void ihave_from(std::size_t i) {
    Bytes junk = to_bytes(dice.array<20>());
    ModelPeer& peer = model[i];
    std::vector<Sent> expected(kPeers);
    if (peer.score() >= -100 && peer.has_stream && ++peer.ihaves <= 10) {
      expected[i].wanted = 1;
      peer.promises.push_back(world.now.instant + 3s);
    }
    send(peers[i], [&](RpcWriter& writer) { writer.ihave("t", {&junk, 1}); });
    expect_sent(expected, "ihave");
  }

  void beat() {
    world.now.instant = next_beat;
    next_beat += kBeat;
    ++beats;
    Instant now = world.now.instant;
    for (; now >= next_decay; next_decay += 1s) decay();
    for (ModelPeer& peer : model) {
      if (beats % 15 == 0 && peer.backoff && *peer.backoff + 2 * kBeat < now) peer.backoff.reset();
      peer.broken += static_cast<double>(std::erase_if(peer.promises, [&](Instant due) { return now >= due; }));
      peer.ihaves = peer.iwants = 0;
      std::erase_if(peer.unwanted, [&](const auto& entry) { return beats >= entry.second; });
      if (!peer.has_stream && !peer.stream_missed) peer.stream_missed = now;
      if (peer.stream_missed && now >= *peer.stream_missed + 5s) peer.is_in_mesh = false;
    }
    node->absorb(node->router.tick(world.now));
    auto sent = drain();
    adopt_mesh(sent);
    check_announcements(sent);
  }
  void decay() {
    auto fade = [](double& value, double factor) { value = value * factor < 0.01 ? 0 : value * factor; };
    for (ModelPeer& peer : model) {
      fade(peer.invalid, 0.97);
      fade(peer.misbehaviour, 0.9);
      fade(peer.broken, 0.9);
    }
  }
  // Who missed something is told all of it; of the others outside the mesh some are told what is recent.
  void check_announcements(const std::vector<Sent>& sent) {
    std::size_t targets = count([](const auto& peer) { return peer.hears_gossip() && !peer.is_in_mesh; });
    for (std::size_t i = 0; i < kPeers; ++i) {
      ModelPeer& peer = model[i];
      std::set<MessageId> missed, recent;
      for (std::size_t n = 0; n < order.size() && peer.hears_gossip(); ++n) {
        const ModelMessage& message = messages.at(order[n]);
        int age = beats - 1 - message.accepted_at;
        bool knows = message.senders.contains(i) || message.known_by.contains(i) || message.author == i;
        if (knows || age >= kCached) continue;
        if (peer.missed && n >= *peer.missed) missed.insert(order[n]);
        if (!peer.is_in_mesh && age < kAnnounced) recent.insert(order[n]);
      }
      if (peer.hears_gossip()) peer.missed.reset();
      recent.insert(missed.begin(), missed.end());
      bool is_chosen = targets <= kLazy || sent[i].announced != missed;
      EXPECT_EQ(sent[i].announced, is_chosen ? recent : missed) << "announced to " << i;
    }
  }
  // What a heartbeat starts from: the members that it may keep, and who else there is.
  struct Before {
    std::size_t left = 0, left_dialled = 0, left_light = 0;
    std::size_t others = 0, other_dialled = 0, other_light = 0;
    std::vector<double> scores;                // of those left
    std::vector<std::pair<double, bool>> may;  // of those that may be grafted; whether light
    bool is_improving = false;
    // What opportunistic grafting may add to the mesh as it is.
    std::size_t improvements() const {
      if (!is_improving || scores.size() < 2) return 0;
      auto sorted = scores;
      std::sort(sorted.begin(), sorted.end());
      double median = sorted[sorted.size() / 2];
      if (median >= 2) return 0;
      std::size_t better = 0, light = 0;
      for (auto [score, is_light] : may) {
        if (score > median) ++(is_light ? light : better);
      }
      return std::min<std::size_t>(2, better + std::min(light, kLight - std::min(kLight, left_light)));
    }
  };
  struct Choice {
    std::size_t grafted = 0, grafted_dialled = 0, grafted_light = 0, pruned = 0, pruned_dialled = 0;
  };
  static void check_choice(const Before& before, const Choice& choice) {
    std::size_t light_places = kLight - std::min(kLight, before.left_light);
    EXPECT_LE(choice.grafted_light, light_places);
    bool is_thin = before.left < kLow, is_fat = before.left >= kHigh;
    EXPECT_EQ(choice.pruned, is_fat ? before.left - kTarget : 0u);
    std::size_t filled = 0;
    if (is_thin) {
      std::size_t available = before.others - before.other_light + std::min(before.other_light, light_places);
      filled = std::min(kTarget - before.left, available);
    }
    ASSERT_GE(choice.grafted, filled);
    std::size_t beside = choice.grafted - filled;  // dialled ones that were missing, and better ones
    if (before.is_improving) {
      bool is_settled = !is_thin && !is_fat && before.left_dialled >= kOut;
      if (is_settled) {
        EXPECT_EQ(beside, before.improvements()) << "for a low median";
      } else {
        EXPECT_LE(beside, kOut + 2);
      }
      return;
    }
    std::size_t dialled = before.left_dialled + choice.grafted_dialled - choice.pruned_dialled;
    std::size_t size = before.left + filled - choice.pruned;
    if (size >= kLow) {
      EXPECT_GE(dialled, std::min(kOut, before.left_dialled + before.other_dialled));
    }
    if (beside > 0) {
      EXPECT_GE(size, kLow);
      EXPECT_EQ(dialled, std::min(kOut, before.left_dialled + before.other_dialled)) << "no more than were missing";
      EXPECT_LE(beside, choice.grafted_dialled);
    }
    if (is_fat) {
      EXPECT_GE(before.left_dialled - choice.pruned_dialled, std::min(kOut, before.left_dialled));
    }
  }
  void adopt_mesh(const std::vector<Sent>& sent) {
    Instant now = world.now.instant;
    Before before;
    Choice choice;
    before.is_improving = beats % kImprove == 0;
    for (const ModelPeer& peer : model) {
      if (peer.is_in_mesh && peer.score() >= 0) {
        before.scores.push_back(peer.score());
        ++before.left;
        before.left_dialled += peer.counts_as_dialled() ? 1 : 0;
        before.left_light += peer.is_light ? 1 : 0;
      }
      if (is_candidate(peer)) {
        before.may.emplace_back(peer.score(), peer.is_light);
        ++before.others;
        before.other_dialled += peer.counts_as_dialled() ? 1 : 0;
        before.other_light += peer.is_light ? 1 : 0;
      }
    }
    std::vector<double> pruned_scores;
    for (std::size_t i = 0; i < kPeers; ++i) {
      ModelPeer& peer = model[i];
      bool is_now = is_in_mesh(peers[i]);
      if (is_now && !peer.is_in_mesh) {
        EXPECT_TRUE(is_candidate(peer)) << i << " may not be grafted";
        ++choice.grafted;
        choice.grafted_dialled += peer.counts_as_dialled() ? 1 : 0;
        choice.grafted_light += peer.is_light ? 1 : 0;
      }
      EXPECT_FALSE(is_now && peer.score() < 0) << i << " has a negative score";
      bool leaves = peer.is_in_mesh && !is_now;
      if (leaves && peer.score() >= 0) {
        ++choice.pruned;
        choice.pruned_dialled += peer.counts_as_dialled() ? 1 : 0;
        pruned_scores.push_back(peer.score());
      }
      EXPECT_EQ(sent[i].grafts, is_now && !peer.is_in_mesh ? 1u : 0u);
      EXPECT_EQ(sent[i].prunes, leaves && peer.has_stream ? 1u : 0u);
      if (leaves) peer.backoff = std::max(peer.backoff.value_or(now), now + 60s);
      if (is_now && !peer.is_in_mesh) joined(peer);
      peer.is_in_mesh = is_now;
      EXPECT_TRUE(sent[i].messages.empty());
    }
    check_choice(before, choice);
    for (double pruned : pruned_scores) {
      EXPECT_GE(count([&](const auto& peer) { return peer.is_in_mesh && peer.score() >= pruned; }), kBest);
    }
  }
  static bool is_candidate(const ModelPeer& peer) {
    return peer.is_subscribed && peer.has_stream && !peer.is_in_mesh && !peer.backoff && peer.score() >= 0;
  }

  void step() {
    std::size_t i = dice.below(kPeers);
    switch (dice.below(24)) {
      case 0:
      case 1:
        return graft_from(i);
      case 2:
        return prune_from(i);
      case 3:
        return toggle_subscription(i);
      case 4:
        return toggle_stream(i);
      case 5:
        return dice.chance(200) ? reconnect(i) : toggle_stream(i);
      case 6:
      case 7:
      case 8:
      case 9:
        return message_from(i);
      case 10:
      case 11:
      case 12:
        return decide();
      case 13:
        return publish_own();
      case 14:
      case 15:
        return iwant_from(i);
      case 16:
        return idontwant_from(i);
      case 17:
        return dice.chance(200) ? ihave_from(i) : void();
      default:
        beat();
    }
  }

  sim::Random dice{0};
  std::vector<ModelPeer> model;
  std::map<MessageId, ModelMessage> messages;
  std::vector<std::pair<PubsubMessage, std::size_t>> sent_messages;
  std::vector<MessageId> order;  // as they were accepted
  std::uint64_t seqno = 0;
  int beats = 0;
  Instant next_beat, next_decay;
};

struct ModelRun : Model, testing::WithParamInterface<int> {};

TEST_P(ModelRun, TheRouterDoesWhatANaiveOneDoes) {
  begin(static_cast<std::uint64_t>(GetParam()));
  for (int n = 0; n < 400; ++n) {
    step();
    expect_state("after a step");
    if (HasFailure()) FAIL() << "seed " << GetParam() << ", step " << n;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelRun, testing::Range(1, 101));

}  // namespace
}  // namespace kms::net
