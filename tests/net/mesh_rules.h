// One router with a mesh topic "t" against raw peers that send what a test writes.
#pragma once

#include <deque>
#include <functional>

#include "tests/net/router_world.h"

namespace kms::net {

struct MeshRules : testing::Test {
  static RouterOptions mesh_options() {
    RouterOptions options = RouterWorld::open_options();
    options.policies.otherwise = TopicPolicy::mesh;
    return options;
  }
  // `count` subscribed peers; of these the first is peers[0].
  void start(std::size_t count, RouterOptions options = mesh_options(), PeerClass peer_class = PeerClass::registered) {
    node = &world.add("alice", std::move(options));
    node->absorb(*node->router.subscribe("t", world.now));
    for (std::size_t i = 0; i < count; ++i) add_peer(peer_class);
  }
  RawPeer& add_peer(PeerClass peer_class = PeerClass::registered, MeshsubVersion version = MeshsubVersion::v1_2) {
    RawPeer& peer = peers.emplace_back("raw " + std::to_string(peers.size()));
    node->absorb(node->router.peer_added(peer.id(), peer_class, world.now));
    node->absorb(node->router.outbound_opened(peer.id(), version, world.now));
    send(peer, [](RpcWriter& writer) { writer.subscription(true, "t"); });
    received_by(peer);
    return peer;
  }
  void send(const RawPeer& from, const std::function<void(RpcWriter&)>& fill) {
    RpcWriter writer;
    fill(writer);
    RpcFrames frames;
    ASSERT_TRUE(frames.feed(writer.frame()));
    node->absorb(node->router.received(from.id(), *frames.next(), world.now));
  }
  void send_graft(const RawPeer& from) {
    send(from, [](RpcWriter& writer) { writer.graft("t"); });
  }
  void send_message(const RawPeer& from, const PubsubMessage& message) {
    send(from, [&](RpcWriter& writer) { writer.message(message.encode()); });
  }
  PubsubMessage message_of(const RawPeer& author, std::string_view text, std::uint64_t seqno = 1) {
    return make_signed(author.identity, "t", to_bytes(as_bytes(text)), seqno);
  }
  void answer_last(Verdict verdict = Verdict::accept) {
    node->absorb(node->router.validated(node->delivered.back().id, verdict, world.now));
  }
  // Everything queued for a peer, as one body to look into.
  RpcView received_by(const RawPeer& peer) {
    bodies.emplace_back();
    while (auto frame = node->router.next_frame(peer.id())) {
      RpcFrames frames;
      EXPECT_TRUE(frames.feed(*frame));
      append(bodies.back(), *frames.next());
    }
    return *parse_rpc(bodies.back());
  }
  void run(Duration time) {
    for (Instant end = world.now.instant + time; world.now.instant < end;) {
      world.now.instant = std::min(end, std::max(world.now.instant + Duration(1), node->router.wakes_at()));
      node->absorb(node->router.tick(world.now));
    }
  }
  bool is_in_mesh(const RawPeer& peer) const {
    auto mesh = node->router.grafted("t");
    return std::find(mesh.begin(), mesh.end(), peer.id()) != mesh.end();
  }
  std::size_t mesh_size() const { return node->router.grafted("t").size(); }
  double score(const RawPeer& peer) const { return node->router.score(peer.id()); }

  RouterWorld world;
  std::deque<RawPeer> peers;
  RouterNode* node = nullptr;
  std::deque<Bytes> bodies;
};

}  // namespace kms::net
