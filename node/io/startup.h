// From settings to a running node: files read, secrets opened, the store locked, everything checked before the first
// socket. Errors are for the operator: what is wrong, with which value, and what to do.
#pragma once

#include "crypto/keystore.h"
#include "node/config.h"
#include "node/io/peer_sources.h"
#include "node/io/runtime.h"

namespace kms::node::io {

struct StartOptions {
  std::string config_file;  // empty: no file, everything from the environment and the command line
  CommandLine command_line;
};

// The process's environment; secrets are moved into wiped memory and NAME_FILE variables are read.
Result<Environment> read_environment();
Result<Config> load_config(const StartOptions& options, const Environment& environment);

// The node's own keys; a solo node that has none yet makes them.
Result<crypto::NodeSecrets> open_secrets(const Config& config, Entropy& entropy);
// Whether an old or empty data folder lies under a key that has come further: then the node does not know all that it
// has said.
Disk disk_of(const Config& config, const Store& store);

// Everything a Runtime stands on, in the order it must be destroyed.
struct Node {
  std::unique_ptr<Store> store;
  delegation::CredentialsPtr credentials;
  std::unique_ptr<Runtime> runtime;
  std::optional<PeerSources> peer_sources;  // nothing in a solo node
};

// Opens and starts; throws nothing but what the Runtime's sockets throw.
Result<Node> start_node(boost::asio::io_context& context, Config config, Entropy& entropy);

}  // namespace kms::node::io
