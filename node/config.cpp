#include "node/config.h"

#include <algorithm>
#include <map>

#include "node/peer_lists.h"
#include "node/settings.h"
#include "node/solo_settings.h"

namespace kms::node {
namespace {

using registry::TomlFields;
using std::chrono::milliseconds;

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::size_t kListenMax = 8;
constexpr std::size_t kPathBytesMax = 4096;
constexpr std::size_t kSocketPathBytesMax = 107;

Result<net::Multiaddr> parse_listen(const std::string& text) {
  auto address = net::Multiaddr::parse_text(text);
  if (!address) return address.error();
  auto target = net::tcp_target_of(*address);
  const bool is_ip =
      target && (target->host_code == net::Multiaddr::Code::ip4 || target->host_code == net::Multiaddr::Code::ip6);
  if (!is_ip || target->peer) return error("write /ip4/0.0.0.0/tcp/9001 or the like: an IP address and a TCP port");
  return address;
}

Result<net::Multiaddr> parse_announce(const std::string& text) {
  auto address = net::Multiaddr::parse_text(text);
  if (!address) return address.error();
  auto target = net::tcp_target_of(*address);
  if (!target || target->peer || target->port == 0) {
    return error("write /ip4/203.0.113.7/tcp/9001, /dns4/kms.example.org/tcp/9001 or the like, without /p2p");
  }
  return address;
}

std::optional<std::string> read_path(TomlFields& fields, const std::string& key) {
  auto path = fields.text(key);
  if (path && (path->empty() || path->size() > kPathBytesMax || path->find('\0') != std::string::npos)) {
    fields.complain(key, "must be the path of a file or folder");
  }
  return path;
}

void read_size(TomlFields& fields, const std::string& key, std::int64_t least, std::int64_t most, std::size_t& to) {
  if (const auto value = fields.integer(key, least, most)) to = static_cast<std::size_t>(*value);
}

void read_duration(TomlFields& fields, const std::string& key, milliseconds least, milliseconds most,
                   milliseconds& to) {
  if (const auto value = fields.duration(key, least, most)) to = *value;
}

std::vector<net::Multiaddr> read_addresses(TomlFields& fields, const std::string& key, std::size_t count_max,
                                           Result<net::Multiaddr> (*parse)(const std::string&)) {
  std::vector<net::Multiaddr> out;
  for (const std::string& text : fields.texts(key, count_max).value_or(std::vector<std::string>())) {
    auto address = parse(text);
    if (!address) fields.complain(key, "\"" + registry::shown(text) + "\": " + address.error().message);
    if (address) out.push_back(*address);
  }
  return out;
}

P2pSettings read_p2p(TomlFields& root, bool is_alone) {
  P2pSettings out;
  TomlFields fields = root.table("p2p");
  out.listen = read_addresses(fields, "listen", kListenMax, parse_listen);
  out.announce = read_addresses(fields, "announce", kListenMax, parse_announce);
  out.peers = read_addresses(fields, "peers", kPeersMax, parse_peer);
  out.peers_file = read_path(fields, "peers_file");
  out.classes_file = read_path(fields, "classes_file");
  if (const auto gossip = fields.text("gossip")) {
    static const std::map<std::string, GossipLayout> kLayouts = {
        {"auto", GossipLayout::automatic}, {"committee", GossipLayout::committee}, {"mesh", GossipLayout::mesh}};
    const auto at = kLayouts.find(*gossip);
    if (at == kLayouts.end()) fields.complain("gossip", "must be auto, committee or mesh");
    if (at != kLayouts.end()) out.gossip = at->second;
  }
  if (out.listen.empty() && !is_alone) {
    fields.complain("listen", "say where peers may connect, for example listen = [\"/ip4/0.0.0.0/tcp/9001\"]");
  }
  fields.refuse_unknown();
  return out;
}

HttpSettings read_http(TomlFields& root) {
  HttpSettings out;
  TomlFields fields = root.table("http");
  out.listen = {"127.0.0.1", 9000};
  if (const auto listen = fields.text("listen")) {
    auto endpoint = parse_endpoint(*listen);
    if (!endpoint) fields.complain("listen", endpoint.error().message);
    if (endpoint) out.listen = *endpoint;
  }
  read_size(fields, "connections_max", 1, 1'000'000, out.connections_max);
  read_size(fields, "connections_per_address_max", 1, 1'000'000, out.connections_per_address_max);
  read_size(fields, "body_bytes_max", 4096, 64 * 1024 * 1024, out.body_bytes_max);
  read_duration(fields, "idle", milliseconds(100), milliseconds(3'600'000), out.idle);
  read_duration(fields, "receive", milliseconds(100), milliseconds(600'000), out.receive);
  read_duration(fields, "send", milliseconds(100), milliseconds(600'000), out.send);
  fields.refuse_unknown();
  return out;
}

// `key` from the environment, or the file that `key`_file names. In the file itself it would rest on disk in the clear.
SecretSource read_secret_source(TomlFields& fields, const std::string& section, const std::string& key,
                                Settings& settings) {
  SecretSource out;
  const std::string variable = variable_of(section + "." + key);
  out.value = settings.secret(section + "." + key);
  if (out.value && out.value->size() == 0) fields.complain_here(variable + " is empty");
  if (fields.has_in_file(key)) {
    fields.complain_in_file(key, "a secret has no place here; write " + key + "_file = \"..\", or set " + variable);
  }
  if (const auto file = read_path(fields, key + "_file"); file && !out.value) out.file = *file;
  return out;
}

bool is_given(const SecretSource& source) {
  return source.value.has_value() || !source.file.empty();
}

DelegationSettings read_delegation(TomlFields& root, Settings& settings) {
  DelegationSettings out;
  TomlFields fields = root.table("delegation");
  read_duration(fields, "timeout", milliseconds(100), milliseconds(60'000), out.timeout);
  read_duration(fields, "hedge_delay", milliseconds(1), milliseconds(10'000), out.hedge_delay);
  if (out.hedge_delay >= out.timeout) fields.complain("hedge_delay", "must be shorter than delegation.timeout");
  read_duration(fields, "grace", milliseconds(1000), milliseconds(86'400'000), out.grace);
  read_size(fields, "nonces_max", 1024, std::int64_t{1} << 26, out.nonces_max);
  if (const auto quota = fields.integer("quota", 0, std::int64_t{1} << 40)) {
    out.quota = static_cast<std::uint64_t>(*quota);
  }
  out.form_a = fields.flag("form_a").value_or(true);
  SecretSource wallet = read_secret_source(fields, "delegation", "response_wallet", settings);
  if (wallet.value) {
    if (auto key = parse_secret_key(*wallet.value); !key) {
      fields.complain_here(variable_of("delegation.response_wallet") + " " + key.error().message);
    }
  }
  if (is_given(wallet)) out.response_wallet = std::move(wallet);
  fields.refuse_unknown();
  return out;
}

void read_log(TomlFields& root, Config& config) {
  static const std::map<std::string, LogLevel> kLevels = {{"trace", LogLevel::trace},
                                                          {"debug", LogLevel::debug},
                                                          {"info", LogLevel::info},
                                                          {"warn", LogLevel::warn},
                                                          {"error", LogLevel::error}};
  TomlFields fields = root.table("log");
  if (const auto level = fields.text("level")) {
    const auto at = kLevels.find(*level);
    if (at == kLevels.end()) fields.complain("level", "must be trace, debug, info, warn or error");
    if (at != kLevels.end()) config.log_level = at->second;
  }
  if (const auto format = fields.text("format")) {
    if (*format != "text" && *format != "json") fields.complain("format", "must be text or json");
    config.log_format = *format == "json" ? LogFormat::json : LogFormat::text;
  }
  fields.refuse_unknown();
}

void read_keystore(TomlFields& root, Settings& settings, Config& config) {
  TomlFields fields = root.table("keystore");
  config.node_key_file = read_path(fields, "node_key_file").value_or("");
  config.passphrase = read_secret_source(fields, "keystore", "passphrase", settings);
  fields.refuse_unknown();
}

// A solo node whose keys all came with the environment has nothing to keep.
void require_storage(TomlFields& root, Config& config) {
  if (config.keeps_nothing()) return;
  if (config.data_dir.empty()) {
    root.complain("data_dir", "name the folder of this node's key and store here, in KMS_DATA_DIR or by --data-dir");
  }
  if (!is_given(config.passphrase)) {
    root.complain_here(
        "the passphrase of the node key is missing: set keystore.passphrase_file or "
        "KMS_KEYSTORE__PASSPHRASE");
  }
}

// Everything about running alone; also what must be there if the node does not.
Result<void> read_mode(TomlFields& root, const Environment& environment, const CommandLine& command_line,
                       Settings& settings, Config& config, std::optional<crypto::SecretBytes>& nox_wallet) {
  config.solo = root.flag("solo").value_or(false) || command_line.solo;
  TomlFields network = root.table("network");
  config.network_file = read_path(network, "file");
  network.refuse_unknown();
  const auto gateways = settings.numbered("KMS_GATEWAY__");
  const bool has_nox = environment.lower_bound("NOX_KMS_") != environment.end() &&
                       environment.lower_bound("NOX_KMS_")->first.starts_with("NOX_KMS_");
  if (!config.solo) {
    if (!config.network_file) {
      network.complain("file",
                       "name the network file here, in KMS_NETWORK__FILE or by --network; or start with --solo");
    }
    if (has_nox) config.warnings.push_back("the NOX_KMS_* variables have an effect in solo mode only");
    if (!gateways.empty()) {
      config.warnings.push_back("KMS_GATEWAY__* has an effect in solo mode only; the network file names the gateways");
    }
    return {};
  }
  auto solo = parse_solo(environment, gateways);
  if (!solo) return solo.error();
  config.solo_chains = std::move(solo->chains);
  config.warnings = std::move(solo->warnings);
  nox_wallet = std::move(solo->wallet_key);
  if (config.solo_chains.empty() && !config.network_file) {
    return error(
        "a solo node needs a chain to serve: set KMS_GATEWAY__<chain id> to the address whose authorisations "
        "are answered there, and NOX_KMS_CHAINS__<chain id>__ECC_KEY to import a key");
  }
  if (solo->host || solo->port) {
    const std::string host = solo->host.value_or("127.0.0.1");
    const std::string bracketed = host.find(':') != std::string::npos ? "[" + host + "]" : host;
    settings.put_below("http.listen", {bracketed + ":" + std::to_string(solo->port.value_or(9000)), "NOX_KMS_SERVER"});
  }
  return {};
}

// A default that is too long for the kernel is no reason not to start; one that was asked for is.
void read_admin(TomlFields& root, Config& config) {
  TomlFields fields = root.table("admin");
  const auto path = read_path(fields, "socket");
  if (path && path->size() > kSocketPathBytesMax && *path != "none") {
    fields.complain("socket", "the path of a Unix socket has at most " + std::to_string(kSocketPathBytesMax) +
                                  " bytes; choose a shorter one, for example in /run");
  }
  fields.refuse_unknown();
  if (path == "none" || (!path && config.data_dir.empty())) return;
  config.admin_socket = path.value_or(config.data_dir + "/admin.sock");
  if (!path && config.admin_socket.size() > kSocketPathBytesMax) {
    config.warnings.push_back(config.admin_socket +
                              " is too long for a Unix socket: no orders can be given; set "
                              "admin.socket to a shorter path");
    config.admin_socket.clear();
  }
}

void read_settings(TomlFields& root, const CommandLine& command_line, Settings& settings, Config& config) {
  config.data_dir = read_path(root, "data_dir").value_or("");
  config.p2p = read_p2p(root, config.solo);
  for (const std::string& text : command_line.peers) {
    auto peer = parse_peer(text);
    if (!peer) root.complain_elsewhere("--peer \"" + registry::shown(text) + "\": " + peer.error().message);
    if (peer) config.p2p.peers.push_back(*peer);
  }
  config.http = read_http(root);
  read_keystore(root, settings, config);
  config.delegation = read_delegation(root, settings);
  read_log(root, config);
  read_size(root, "compute_threads", 0, 256, config.compute_threads);
  TomlFields metrics = root.table("metrics");
  config.metrics = metrics.flag("enabled").value_or(true);
  metrics.refuse_unknown();
  read_admin(root, config);
  if (config.node_key_file.empty() && !config.data_dir.empty()) config.node_key_file = config.data_dir + "/node.key";
}

}  // namespace

Result<Config> parse_config(std::string_view file_text, const std::string& file_name, const Environment& environment,
                            const CommandLine& command_line) {
  Settings settings(environment, command_line);
  auto text = registry::TomlText::parse(file_text, file_name.empty() ? "settings" : file_name, kFileBytesMax,
                                        [&](const std::string& path) { return settings.find(path); });
  if (!text) return text.error();
  TomlFields root = text->root();
  Config config;
  std::optional<crypto::SecretBytes> nox_wallet;
  if (auto mode = read_mode(root, environment, command_line, settings, config, nox_wallet); !mode) return mode.error();
  read_settings(root, command_line, settings, config);
  if (nox_wallet && !config.delegation.response_wallet) {
    config.delegation.response_wallet = SecretSource{std::move(nox_wallet), ""};
  }
  require_storage(root, config);
  root.refuse_unknown();
  if (const auto name = settings.unknown()) {
    return error(*name + " is set but names no setting; KMS_<SECTION>__<KEY> follows the sections of node.toml");
  }
  if (const auto complaint = text->complaint()) return *complaint;
  return config;
}

bool Config::keeps_nothing() const {
  bool all_imported = std::all_of(solo_chains.begin(), solo_chains.end(),
                                  [](const SoloChain& chain) { return chain.imported_key.has_value(); });
  return solo && !network_file && all_imported && (delegation.response_wallet || !is_given(passphrase));
}

}  // namespace kms::node
