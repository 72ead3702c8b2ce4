#include "node/io/startup.h"

#include <cstdlib>
#include <sys/stat.h>
#include <thread>

#include "base/io/system_clock.h"
#include "crypto/io/file.h"
#include "crypto/io/keystore_file.h"
#include "node/gossip_layout.h"
#include "node/io/commit_mark.h"
#include "node/io/data_lock.h"
#include "node/io/log.h"
#include "node/io/peer_sources.h"
#include "node/io/solo_key.h"
#include "node/io/sqlite_store.h"
#include "node/network_terms.h"
#include "node/settings.h"

extern char** environ;

namespace kms::node::io {
namespace {

constexpr std::size_t kSecretFileMax = 64 * 1024;

// The secret itself, or the content of its file without the line end.
Result<crypto::SecretBytes> read_secret(const SecretSource& source, const std::string& what) {
  if (source.value) return source.value->clone();
  if (source.file.empty()) return error(what + " is missing");
  auto content = crypto::io::read_file(source.file, kSecretFileMax);
  if (!content) return error(what + ": " + content.error().message);
  ByteView trimmed = content->expose();
  while (!trimmed.empty() && (trimmed.back() == '\n' || trimmed.back() == '\r'))
    trimmed = trimmed.first(trimmed.size() - 1);
  if (trimmed.empty()) return error(what + ": " + source.file + " is empty");
  return crypto::SecretBytes::copy_of(trimmed);
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

Result<delegation::CredentialsPtr> make_credentials(const Config& config, crypto::NodeSecrets& secrets) {
  std::optional<crypto::SecretScalar> wallet;
  if (config.delegation.response_wallet) {
    const std::string& file = config.delegation.response_wallet->file;
    const std::string what = "response wallet" + (file.empty() ? "" : " " + file);
    auto text = read_secret(*config.delegation.response_wallet, what);
    if (!text) return text.error();
    auto key = parse_secret_key(*text);
    if (!key) return error(what + " " + key.error().message);
    wallet = std::move(*key);
  } else {
    wallet = secrets.key.expose().clone();
  }
  return delegation::CredentialsPtr(std::make_shared<const delegation::Credentials>(
      delegation::Credentials{std::move(secrets.key), std::move(secrets.node_secret), std::move(*wallet)}));
}

NodeOptions node_options(const Config& config) {
  NodeOptions options;
  options.version = KMS_VERSION;
  options.form_a = config.delegation.form_a;
  options.collector.timeout = config.delegation.timeout;
  options.collector.hedge_delay = config.delegation.hedge_delay;
  options.responder.hedge_delay = config.delegation.hedge_delay;
  options.board.timeout = config.delegation.timeout;
  options.board.hedge_delay = config.delegation.hedge_delay;
  options.replay.nonces_max = config.delegation.nonces_max;
  options.replay.quota = config.delegation.quota;
  options.grace = config.delegation.grace;
  return options;
}

RuntimeOptions runtime_options(const Config& config) {
  RuntimeOptions options;
  options.http_host = config.http.listen.host;
  options.http_port = config.http.listen.port;
  options.http.connections_max = config.http.connections_max;
  options.http.connections_per_address_max = config.http.connections_per_address_max;
  options.http.body_bytes_max = config.http.body_bytes_max;
  options.http.idle = config.http.idle;
  options.http.receive = config.http.receive;
  options.http.send = config.http.send;
  options.http.answer = config.delegation.timeout + std::chrono::seconds(3);
  options.metrics = config.metrics;
  options.compute_threads =
      config.compute_threads != 0 ? config.compute_threads : std::max(1u, std::thread::hardware_concurrency());
  return options;
}

Result<NodeCore> begin_solo(Config& config, const delegation::CredentialsPtr& credentials, Store* store,
                            Entropy& entropy) {
  std::vector<SoloKey> keys;
  for (const SoloChain& chain : config.solo_chains) {
    auto key = solo_key(chain, store, entropy);
    if (!key) return key.error();
    keys.push_back(std::move(*key));
  }
  return NodeCore::begin_solo(solo_terms(config.solo_chains, credentials->node_key.public_key()), credentials,
                              std::move(keys), node_options(config), store, entropy, kms::io::system_now());
}

void log_start(const Config& config, const delegation::Credentials& credentials, const Runtime& runtime) {
  for (const std::string& warning : config.warnings) log(LogLevel::warn, "config: " + warning);
  crypto::Address signer = crypto::address_of(crypto::multiply_generator(credentials.response_wallet).point());
  if (config.keeps_nothing() && !config.delegation.response_wallet) {
    log(LogLevel::warn, "answers are signed by a key that ends with this process; set NOX_KMS_WALLET_KEY to keep one");
  }
  log(LogLevel::info, "node " + credentials.node_key.address().hex() + ", answers signed by " + signer.hex());
  for (const net::Multiaddr& address : runtime.p2p_addresses()) log(LogLevel::info, "p2p on " + address.text());
  if (!config.solo && !config.admin_socket.empty()) log(LogLevel::info, "orders at " + config.admin_socket);
  log(LogLevel::info, "http on " + config.http.listen.host + ":" + std::to_string(runtime.http_port()));
}

}  // namespace

Result<crypto::NodeSecrets> open_secrets(const Config& config, Entropy& entropy) {
  if (config.keeps_nothing()) return crypto::NodeSecrets::generate(entropy);
  auto passphrase = read_secret(config.passphrase, "passphrase of " + config.node_key_file +
                                                       " (keystore.passphrase_file or KMS_KEYSTORE__PASSPHRASE)");
  if (!passphrase) return passphrase.error();
  if (config.solo && !exists(config.node_key_file)) {
    if (auto made = make_data_folder(config.data_dir); !made) return made.error();
    log(LogLevel::info, "making a new node key in " + config.node_key_file);
    return crypto::io::create_node_key_file(config.node_key_file, passphrase->expose(), entropy);
  }
  if (!exists(config.node_key_file)) {
    return error("there is no node key " + config.node_key_file +
                 "; name the file in keystore.node_key_file, or make one with kmsctl keygen --out FOLDER");
  }
  return crypto::io::open_node_key_file(config.node_key_file, passphrase->expose());
}

Disk disk_of(const Config& config, const Store& store) {
  const CommitMark mark(config.node_key_file);
  if (!mark.is_kept()) log(LogLevel::warn, "cannot keep " + mark.path() + ": an old data folder would not be noticed");
  if (mark.value() <= store.commits()) return Disk::whole;
  log(LogLevel::warn,
      "the data folder is older than what this node has said (" + mark.path() +
          "): it takes no part in ceremonies that are under way, and waits for what others decide. If no "
          "key was ever made, remove that file");
  return Disk::rolled_back;
}

Result<Environment> read_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text(*entry);
    std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || !(text.starts_with("KMS_") || text.starts_with("NOX_KMS_"))) continue;
    environment.insert_or_assign(std::string(text.substr(0, equals)),
                                 crypto::SecretBytes::copy_of(as_bytes(text.substr(equals + 1))));
    // The process's own copy goes, so that neither /proc nor a child shows it.
    crypto::wipe({reinterpret_cast<std::uint8_t*>(*entry) + equals + 1, text.size() - equals - 1});
  }
  for (const FileVariable& variable : file_variables(environment)) {
    auto content = read_secret({std::nullopt, variable.path}, variable.name + "_FILE");
    if (!content) return content.error();
    environment.insert_or_assign(variable.name, std::move(*content));
  }
  return environment;
}

Result<Config> load_config(const StartOptions& options, const Environment& environment) {
  std::string text;
  if (!options.config_file.empty()) {
    auto content = read_text(options.config_file);
    if (!content) return content.error();
    text = std::move(*content);
  }
  return parse_config(text, options.config_file, environment, options.command_line);
}

Result<Node> start_node(boost::asio::io_context& context, Config config, Entropy& entropy) {
  Node node;
  auto secrets = open_secrets(config, entropy);
  if (!secrets) return secrets.error();
  if (!config.keeps_nothing()) {
    auto store = SqliteStore::open(config.data_dir, std::move(secrets->store_key), entropy);
    if (!store) return store.error();
    node.store = std::move(*store);
  }
  auto credentials = make_credentials(config, *secrets);
  if (!credentials) return credentials.error();
  node.credentials = std::move(*credentials);

  RuntimeOptions options = runtime_options(config);
  if (config.solo && !config.network_file) {
    auto core = begin_solo(config, node.credentials, node.store.get(), entropy);
    if (!core) return core.error();
    node.runtime = std::make_unique<Runtime>(context, std::move(*core), node.credentials, node.store.get(),
                                             std::move(options), entropy);
  } else {
    auto text = read_text(*config.network_file);
    if (!text) return error("network file: " + text.error().message);
    auto network = registry::NetworkFile::parse(*text, *config.network_file);
    if (!network) return network.error();
    if (network->genesis() == registry::Genesis::manual) {
      log(LogLevel::info, "network file: genesis = \"manual\": the key is made when kmsctl start orders it");
    }
    auto terms = network_terms(*network);
    if (!terms) return terms.error();
    net::PeerId self = net::PeerId::of(net::PublicKey::from_secp256k1(node.credentials->node_key.public_key()));
    auto peers = read_peers(config.p2p, *network, self);
    if (!peers) return peers.error();
    options.peers = std::move(*peers);
    auto classes = read_classes(config.p2p, *network);
    if (!classes) return classes.error();
    options.classes = std::move(*classes);
    options.admin_socket = config.admin_socket;
    options.p2p.emplace();
    options.p2p->listen = config.p2p.listen;
    options.p2p->announce = config.p2p.announce;
    options.p2p->host.agent_version = std::string("kms/") + KMS_VERSION;
    const net::TopicPolicy policy = gossip_policy(config.p2p.gossip, network->members().size());
    options.p2p->host.router.policies.otherwise = policy;
    log(LogLevel::info, policy == net::TopicPolicy::mesh ? "p2p: members' messages travel along a mesh"
                                                         : "p2p: members send their messages straight to all");
    node.peer_sources = PeerSources{config.p2p, *config.network_file, *network};
    NodeOptions core_options = node_options(config);
    core_options.disk = disk_of(config, *node.store);
    options.node_key_file = config.node_key_file;
    auto core = NodeCore::begin(std::move(*terms), node.credentials, std::move(core_options), *node.store, entropy,
                                kms::io::system_now());
    if (!core) return core.error();
    node.runtime = std::make_unique<Runtime>(context, std::move(*core), node.credentials, node.store.get(),
                                             std::move(options), entropy);
  }
  log_start(config, *node.credentials, *node.runtime);
  return node;
}

}  // namespace kms::node::io
