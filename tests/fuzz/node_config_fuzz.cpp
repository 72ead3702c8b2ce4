// node/: node.toml with the environment over it, peers files and classes files. The file is the input up to the first
// byte 0, then one variable NAME=VALUE a line. No error shows what stands in a secret variable.
#include "node/config.h"
#include "node/peer_lists.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::node;

namespace {

constexpr std::string_view kSecret = "5ecretpassphrase";

Environment take_environment(std::string_view text) {
  Environment environment;
  while (!text.empty() && environment.size() < 16) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    environment.insert_or_assign(std::string(line.substr(0, equals)),
                                 crypto::SecretBytes::copy_of(as_bytes(line.substr(equals + 1))));
  }
  return environment;
}

void check_text(const std::string& message) {
  KMS_ASSERT(!message.empty() && message.size() < 1500 && message.find(kSecret) == std::string::npos);
}

void check_config(const Config& config) {
  KMS_ASSERT(config.solo || config.network_file);
  KMS_ASSERT(config.p2p.listen.size() <= 8 && (config.solo || !config.p2p.listen.empty()));
  for (const auto& peer : config.p2p.peers) KMS_ASSERT(peer.peer_id().has_value());
  KMS_ASSERT(config.delegation.timeout > config.delegation.hedge_delay && config.delegation.hedge_delay.count() >= 1);
  KMS_ASSERT(config.http.connections_max > 0 && config.http.body_bytes_max > 0 && !config.data_dir.empty());
  for (std::size_t i = 1; i < config.solo_chains.size(); ++i) {
    KMS_ASSERT(config.solo_chains[i - 1].id < config.solo_chains[i].id);
  }
  for (const std::string& warning : config.warnings) check_text(warning);
}

}  // namespace

KMS_FUZZER(node_config) {
  std::string_view text = as_text(input);
  if (text.find(kSecret) != std::string_view::npos) return;
  std::string_view file = text.substr(0, text.find('\0'));
  Environment environment = take_environment(text.substr(std::min(text.size(), file.size() + 1)));
  environment.insert_or_assign("KMS_KEYSTORE__PASSPHRASE", crypto::SecretBytes::copy_of(as_bytes(kSecret)));
  for (const FileVariable& variable : file_variables(environment)) KMS_ASSERT(variable.name.starts_with("NOX_KMS_"));
  for (bool solo : {false, true}) {
    CommandLine command_line;
    command_line.solo = solo;
    auto config = parse_config(file, "node.toml", environment, command_line);
    if (config) {
      check_config(*config);
    } else {
      check_text(config.error().message);
    }
  }
  if (auto classes = parse_classes(text, "classes"); classes) {
    KMS_ASSERT(classes->size() <= kListedClassesMax);
    for (const auto& [peer, peer_class] : *classes) KMS_ASSERT(peer_class != net::PeerClass::committee);
  } else {
    check_text(classes.error().message);
  }
  auto peers = parse_peers(text, "peers");
  if (!peers) return check_text(peers.error().message);
  KMS_ASSERT(peers->size() <= 1024);
  for (const auto& peer : *peers) KMS_ASSERT(peer.peer_id().has_value());
}
