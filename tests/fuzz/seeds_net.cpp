#include "net/identify.h"
#include "net/multistream.h"
#include "net/noise.h"
#include "net/noise_payload.h"
#include "net/object_exchange.h"
#include "net/peer_record.h"
#include "net/peers_wire.h"
#include "net/pubsub_message.h"
#include "tests/fuzz/fuzzer.h"
#include "tests/fuzz/seeds.h"

namespace kms::fuzz {
namespace {

using namespace net;
using Seeds = std::vector<Seed>;

Bytes behind(Bytes front, ByteView rest) {
  append(front, rest);
  return front;
}

void add_addresses(Seeds& to, const Identity& identity) {
  auto add = [&](std::string name, ByteView bytes) { to.push_back({"net_address", std::move(name), to_bytes(bytes)}); };
  const PeerId& id = identity.peer_id();
  Identity edwards = Identity::from_ed25519(crypto::Secret<32>(Hash32{7}));
  auto address = Multiaddr::of_tcp(ByteArray<4>{127, 0, 0, 1}, 9001).with_peer_id(id);
  add("multiaddr", address.bytes());
  add("multiaddr_text", as_bytes(address.text()));
  add("dns_text", as_bytes("/dns4/node.example/tcp/443/ws"));
  add("ip6_text", as_bytes("/ip6/fe80::1:2/udp/9/quic-v1/p2p/" + edwards.peer_id().text() + "/p2p-circuit"));
  add("peer_id", id.bytes());
  add("peer_id_text", as_bytes(id.text()));
  add("peer_id_cid", as_bytes(id.cid()));
  add("secp256k1", identity.public_key().encoded());
  add("ed25519", edwards.public_key().encoded());
}

void add_multistream(Seeds& to) {
  Bytes dialler;
  append_multistream_token(dialler, kMultistreamHeader);
  append_multistream_token(dialler, "/tls/1.0.0");
  append_multistream_token(dialler, "/noise");
  to.push_back({"net_multistream", "dialler", behind({1}, behind(dialler, as_bytes("rest")))});
  Bytes listener;
  append_multistream_token(listener, kMultistreamHeader);
  append_multistream_token(listener, "na");
  append_multistream_token(listener, "/yamux/1.0.0");
  to.push_back({"net_multistream", "listener", behind({2}, listener)});
  to.push_back({"net_multistream", "proposals", behind({3}, as_bytes("/none\n/yamux/1.0.0\n/noise"))});
}

void add_noise(Seeds& to, const Identity& identity) {
  sim::Random entropy(1);
  NoiseHandshake dialler(NoiseRole::initiator, identity, {}, entropy);
  NoiseHandshake listener(NoiseRole::responder, identity, {}, entropy);
  Bytes first = dialler.take_output();
  listener.feed(first);
  to.push_back({"net_noise", "message1", behind({0, 3, 0, 9, 1}, first)});
  to.push_back({"net_noise", "message2", behind({1, 3, 0, 99, 1}, listener.take_output())});
  to.push_back({"net_noise", "message3", behind({0x82, 3, 0, 200, 9}, Bytes(140, 1))});
  to.push_back(
      {"net_noise", "payload", behind({0x81, 9, 0, 1, 0}, make_noise_payload(identity, Hash32{1}, {"/yamux"}))});
}

void add_identify(Seeds& to, const Identity& identity) {
  Identify message;
  message.public_key = identity.public_key();
  message.listen_addresses = {Multiaddr::of_tcp(ByteArray<4>{10, 0, 0, 1}, 9001)};
  message.protocols = {"/ipfs/id/1.0.0", "/meshsub/1.2.0"};
  message.agent_version = "kms/0.1.0";
  message.protocol_version = "/kms/t/1.0.0";
  message.signed_peer_record = sign_peer_record(identity, 9, *message.listen_addresses);
  to.push_back({"net_identify", "message", behind({1}, encode_identify(message).value())});
  Bytes frame = encode_identify_frame(message).value();
  to.push_back({"net_identify", "stream", behind({1}, behind(frame, frame))});
  to.push_back({"net_identify", "envelope", behind({1}, *message.signed_peer_record)});
  PeerRecord record{identity.peer_id(), 9, *message.listen_addresses};
  to.push_back({"net_identify", "record", behind({1}, encode_peer_record(record))});
}

void add_services(Seeds& to, const Identity& identity) {
  std::vector<Multiaddr> addresses{Multiaddr::of_tcp(ByteArray<4>{10, 0, 0, 1}, 9001)};
  PeersRequest request{{{identity.peer_id(), 9}}};
  PeersReply reply{{{sign_peer_record(identity, 9, addresses), 3}}};
  Bytes object(40, 7);
  to.push_back({"net_services", "peers_request", behind({1}, request.encode())});
  to.push_back({"net_services", "peers_reply", behind({1}, reply.encode())});
  to.push_back({"net_services", "object_request", behind({1}, encode_object_request(ObjectName{1}))});
  to.push_back({"net_services", "object_reply", behind({1}, encode_object_reply({ObjectStatus::here, object}))});
  to.push_back({"net_services", "frame", behind({1}, LengthFrame::encode(request.encode()))});
  PeerRecord record{identity.peer_id(), 9, addresses};
  for (std::uint8_t owner = 0; owner < 3; ++owner) {
    to.push_back({"net_services", "record" + std::to_string(owner), behind({owner}, encode_peer_record(record))});
  }
}

void add_pubsub(Seeds& to, const Identity& identity) {
  Bytes message = make_signed(identity, "/kms/t/requests/1", Bytes(40, 7), 5).encode();
  std::vector<Bytes> ids{Bytes(20, 1), Bytes(20, 2)};
  RpcWriter writer;
  writer.subscription(true, "/kms/t/requests/1");
  writer.message(message);
  writer.ihave("/kms/t/requests/1", ids);
  writer.iwant(ids);
  writer.idontwant(ids);
  writer.graft("/kms/t/requests/1");
  writer.prune("/kms/t/requests/1", 60);
  Bytes frame = writer.frame();
  to.push_back({"net_pubsub", "message", behind({1}, message)});
  to.push_back({"net_pubsub", "frames", behind({1}, behind(frame, frame))});
  to.push_back({"net_pubsub", "rpc", behind({1}, ByteView(frame).subspan(2))});
}

// Scripts of the stateful fuzzers: random choices, and for connections an upgrade first.
void add_scripts(Seeds& to) {
  for (const char* fuzzer : {"net_yamux", "net_router", "net_host", "net_connection", "net_hosts"}) {
    for (std::uint64_t i = 0; i < 3; ++i) {
      sim::Random random(i);
      Bytes script(600);
      random.fill(script);
      to.push_back({fuzzer, "random" + std::to_string(i), script});
    }
  }
  for (int form : {0, 1, 3}) {
    Bytes script{static_cast<std::uint8_t>(form)};
    const Bytes both{0x8a, 0xff, 0xff, 0x0a, 0xff, 0xff};  // deliver what the dialler wrote, then the listener
    for (int i = 0; i < 8; ++i) append(script, both);
    append(script, Bytes{0x80, 0x01});  // each opens a stream
    for (int i = 0; i < 4; ++i) append(script, both);
    append(script, Bytes{0x92, 0x10, 0x00, 0x22, 0x20, 0x00, 0x12, 0x00, 0x40, 0xa2, 0x70, 0x00});  // all send
    append(script, Bytes{0x8a, 0x00, 0x21, 0x8a, 0x01, 0x00, 0x0a, 0x00, 0x07});
    for (int i = 0; i < 4; ++i) append(script, both);
    append(script, Bytes{0x96, 0x10, 0x00, 0x16, 0x10, 0x00, 0x94, 0x14, 0x25});  // consumed, finish, reset
    for (int i = 0; i < 4; ++i) append(script, both);
    to.push_back({"net_connection", "streams" + std::to_string(form), script});
    append(script, Bytes{0x80, 0x8a, 0xff, 0xff, 0x87, 0x04, 0x00, 0x30});
    to.push_back({"net_connection", "changed" + std::to_string(form), script});
  }
}

// Two hosts that connect, publish, open streams, send, and are disturbed in the end.
void add_host_scripts(Seeds& to) {
  const Bytes calm{0x0a, 0x0a, 0x0a};
  for (const int form : {0x08, 0x88, 0x4a, 0x15, 0x2c, 0xc8}) {
    Bytes script{static_cast<std::uint8_t>(form)};
    for (int i = 0; i < 3; ++i) append(script, calm);
    append(script, Bytes{0x81, 0x01, 0x06, 0x03, 0xe7});                                            // follows; time
    append(script, Bytes{0x00, 0x00, 0x01, 0x01, 0x80, 0x00, 0x20, 0x08, 0x00, 0x01, 0xff, 0xf8});  // publish
    append(script, Bytes{0x03, 0x83, 0x1b, 0x00, 0x40, 0x0b, 0x01, 0x00, 0x2b, 0x00, 0x09});  // streams, some bytes
    append(script, calm);
    for (const int who : {0x02, 0x82}) {
      const auto step = static_cast<std::uint8_t>(who);
      append(script, Bytes{step, 0x00, 0xc8, step, 0x01, 0xdc, 0x80, 0x00, step, 0x00, 0xdc, 0xff, 0x00});
    }
    append(script, Bytes{0x04, 0x10, 0x00, 0x84, 0xff, 0x00, 0x05, 0x85});  // consumed, pings
    append(script, calm);
    append(script, Bytes{0x02, 0x00, 0xfb, 0x82, 0x01, 0xff});  // finish, reset
    append(script, calm);
    to.push_back({"net_hosts", "streams" + std::to_string(form), script});
    append(script, Bytes{0x88, 0x00, 0x00, 0x00, 0x77});  // a second link, and a message meanwhile
    append(script, calm);
    append(script, Bytes{0x06, 0x17, 0x70, 0x00, 0x00, 0x00, 0x78});
    append(script, calm);
    to.push_back({"net_hosts", "twice" + std::to_string(form), script});
    append(script, Bytes{0x00, 0x00, 0x00, 0x79, 0x07, 0x04, 0x00, 0x01, 0x00, 0x05});  // a changed byte
    append(script, calm);
    to.push_back({"net_hosts", "changed" + std::to_string(form), script});
  }
}

}  // namespace

void add_net_seeds(std::vector<Seed>& to) {
  sim::Random entropy(5);
  Identity identity = Identity::generate(entropy);
  add_addresses(to, identity);
  add_multistream(to);
  add_noise(to, identity);
  add_identify(to, identity);
  add_services(to, identity);
  add_pubsub(to, identity);
  add_scripts(to);
  add_host_scripts(to);
}

}  // namespace kms::fuzz
