// The node's settings: node.toml, the environment and the command line, checked before anything starts. Later sources
// win: defaults, file, NOX_KMS_* (solo), KMS_<SECTION>__<KEY>, command line. docs/CONFIGURATION.md lists every setting.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ecdsa.h"
#include "net/multiaddr.h"
#include "node/log_level.h"

namespace kms::node {

// Variables by name, as the process got them; values may be secrets.
using Environment = std::map<std::string, crypto::SecretBytes, std::less<>>;

// Variables NOX_KMS_<NAME>_FILE, for which node/io reads the file they name and adds NOX_KMS_<NAME> with its content
// before the environment is parsed. The KMS_* ones ending so are settings of their own.
struct FileVariable {
  std::string name;  // without _FILE
  std::string path;
};
std::vector<FileVariable> file_variables(const Environment& environment);

struct CommandLine {
  std::optional<std::string> data_dir, network_file, peers_file;
  std::vector<std::string> peers;  // added to those of the file
  bool solo = false;
};

struct Endpoint {
  std::string host;        // a name or an address, IPv6 without brackets
  std::uint16_t port = 0;  // 0: any free one
};

// A secret that stands in the environment, or the file that holds it; node/io reads it (read_secret).
struct SecretSource {
  std::optional<crypto::SecretBytes> value;
  std::string file;
};

struct HttpSettings {
  Endpoint listen;
  std::size_t connections_max = 1024;
  std::size_t connections_per_address_max = 512;
  std::size_t body_bytes_max = 2 * 1024 * 1024;
  std::chrono::milliseconds idle{75'000};
  std::chrono::milliseconds receive{10'000};
  std::chrono::milliseconds send{10'000};
};

// How the topics are carried that all members read: by the committee's size, or as an operator says (gossip_layout.h).
enum class GossipLayout : std::uint8_t { automatic, committee, mesh };

struct P2pSettings {
  std::vector<net::Multiaddr> listen;    // 1 to 8, each an IP address and a TCP port; none in solo mode
  std::vector<net::Multiaddr> announce;  // where others can dial this node, if not where it listens
  std::vector<net::Multiaddr> peers;     // where to dial, each ending in /p2p/<PeerId>
  std::optional<std::string> peers_file;
  std::optional<std::string> classes_file;  // who is registered, light or denied (peer_lists.h)
  GossipLayout gossip = GossipLayout::automatic;
};

struct DelegationSettings {
  std::chrono::milliseconds timeout{2000};       // 100 ms to 60 s
  std::chrono::milliseconds hedge_delay{50};     // 1 ms to 10 s, below the timeout
  std::chrono::milliseconds grace{600'000};      // 1 s to 24 h
  std::size_t nonces_max = 1'048'576;            // 1024 to 2^26
  std::uint64_t quota = std::uint64_t{1} << 24;  // 0 (none) to 2^40
  bool form_a = true;
  std::optional<SecretSource> response_wallet;  // 32 bytes in hex; nothing: the node key signs
};

// One chain of a solo node, from the environment.
struct SoloChain {
  std::uint64_t id = 0;
  std::optional<crypto::SecretScalar> imported_key;  // ECC_KEY; nothing: the node makes a key
  crypto::Address contract;                          // zeros if none is named
  crypto::Address gateway;
};

struct Config {
  std::string data_dir;  // empty only in a solo node that keeps nothing: every key came with the environment
  bool solo = false;
  P2pSettings p2p;
  HttpSettings http;
  std::string node_key_file;                // default DATA_DIR/node.key
  SecretSource passphrase;                  // neither value nor file only where data_dir may be empty
  std::optional<std::string> network_file;  // always there unless solo
  std::vector<SoloChain> solo_chains;       // by chain id; solo without a network file has at least one
  DelegationSettings delegation;
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  std::size_t compute_threads = 0;  // 0: one per core
  bool metrics = true;
  std::string admin_socket;           // default DATA_DIR/admin.sock; empty: none
  std::vector<std::string> warnings;  // for the log: what was given and is not used

  // A solo node whose keys all come with its environment: it needs no folder and no passphrase. Without a response
  // wallet and a passphrase it signs its answers with a key that ends with the process.
  bool keeps_nothing() const;
};

// `file_text` is node.toml, at most 1 MiB; empty if there is none. Unknown keys, unknown KMS_*__* variables and values
// out of bounds are errors that name the place, the value (secrets never) and the remedy.
Result<Config> parse_config(std::string_view file_text, const std::string& file_name, const Environment& environment,
                            const CommandLine& command_line);

}  // namespace kms::node
