// The command line of p2p-peer: the options of the js interop peer, as far as this host has them.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "net/host.h"

namespace kms::net::io {

enum class PeerKeyType : std::uint8_t { secp256k1, ed25519 };

struct P2pPeerOptions {
  std::optional<Multiaddr> listen;  // nothing: --listen none
  std::vector<Multiaddr> dial;
  std::chrono::milliseconds dial_retry{5000}, run_for{20000}, linger{1000};
  bool hold = false;
  std::optional<Bytes> key;
  PeerKeyType key_type = PeerKeyType::secp256k1;
  std::string agent = "kms-p2p-peer/0.1.0";
  EarlyMuxer early_muxer = EarlyMuxer::offered;
  std::vector<std::string> topics;
  struct Payload {  // bytes, or this many random ones
    std::optional<Bytes> bytes;
    std::size_t random_size = 0;
  };
  std::vector<Payload> publish;
  std::size_t publish_count = 1, publish_peers = 1, publish_mesh = 0;
  std::chrono::milliseconds publish_interval{20}, publish_delay{300};
  bool subscribes = true;
  SignaturePolicy sign = SignaturePolicy::strict_sign;
  MessageIdMode message_id = MessageIdMode::from_seqno;
  Verdict verdict = Verdict::accept;
  std::size_t idontwant_min = 1024;
  struct Degrees {
    std::size_t target = 0, low = 0, high = 0;
  };
  std::optional<Degrees> degrees;
  bool floods_own = true, exchanges_peers = false;
  MeshsubVersion meshsub_max = MeshsubVersion::v1_2;
  std::optional<std::chrono::milliseconds> unsubscribe_after;
  std::size_t pings = 1;
  bool is_quiet = false;

  std::optional<std::size_t> expect, expect_exactly, expect_peers, expect_identify, expect_ping, expect_mesh;
  std::vector<std::string> expect_data, expect_protocols;
  std::optional<std::string> expect_from, expect_agent;
  bool expects_record = false, expects_early_muxer = false, expects_dial_failure = false;
  std::map<std::string, std::size_t> expect_rpc;

  bool expects_anything() const;
};

// An error is a usage error and names the option.
Result<P2pPeerOptions> parse_p2p_peer_options(const std::vector<std::string>& arguments);
std::string_view p2p_peer_usage();

}  // namespace kms::net::io
