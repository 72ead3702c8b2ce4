#include "node/io/import.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io/os_entropy.h"
#include "crypto/context.h"
#include "crypto/io/file.h"
#include "crypto/secret_hex.h"
#include "dkg/import.h"
#include "node/epochs.h"
#include "node/io/commit_mark.h"
#include "node/io/log.h"
#include "node/io/process.h"
#include "node/io/sqlite_store.h"
#include "node/network_terms.h"
#include "node/settings.h"

namespace kms::node::io {
namespace {

constexpr std::size_t kKeyFileBytesMax = 4096;

constexpr const char* kWarning =
    "This is no threshold key. Whoever ever held it - operators, backups, snapshots, environment files - can decrypt "
    "all\n"
    "that is or will be encrypted to it, alone and unseen. No reshare changes that. Delete the other copies, but only\n"
    "after the reshare to more nodes is released and a restore was tried.\n";

Result<crypto::SecretBytes> read_stdin() {
  crypto::SecretBytes buffer(kKeyFileBytesMax);
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.expose_mutable().data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error("stdin cannot be read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return crypto::SecretBytes::copy_of(buffer.expose().first(size));
}

Result<void> check_mode(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return error(file + " cannot be read: " + std::strerror(errno));
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
  return error(file + " may be read or written by others; chmod 600 " + file);
}

std::string list_of(const std::vector<std::uint64_t>& chains) {
  std::string out;
  for (const std::uint64_t chain : chains) out += (out.empty() ? "" : ", ") + std::to_string(chain);
  return out;
}

Result<crypto::SecretScalar> find_key(std::uint64_t chain, const std::vector<KeyPlace>& places,
                                      const Environment& environment) {
  const std::string what = "the key of chain " + std::to_string(chain);
  const auto place =
      std::find_if(places.begin(), places.end(), [&](const KeyPlace& one) { return one.chain_id == chain; });
  const std::string variable = "NOX_KMS_CHAINS__" + std::to_string(chain) + "__ECC_KEY";
  if (place != places.end()) {
    auto key = read_key(place->file);
    if (!key) return error(what + ": " + key.error().message);
    return key;
  }
  const auto held = environment.find(variable);
  if (held == environment.end()) {
    return error(what + " is not given: name its file with --key " + std::to_string(chain) + "=FILE, or set " +
                 variable + " or " + variable + "_FILE");
  }
  auto key = parse_key(held->second.expose());
  if (!key) return error(variable + ": " + key.error().message);
  return key;
}

Result<NetworkTerms> read_terms_of(const Config& config) {
  if (config.solo || !config.network_file) {
    return error("a key is imported into a network, which a network file describes; solo mode needs no import");
  }
  auto text = read_text(*config.network_file);
  if (!text) return error("network file: " + text.error().message);
  auto network = registry::NetworkFile::parse(*text, *config.network_file);
  if (!network) return network.error();
  if (network->genesis() != registry::Genesis::import) {
    return error(*config.network_file + ": write genesis = \"import\", and public_key in each [[chain]]: a key is " +
                 "imported only where all nodes know from the network file which one");
  }
  return network_terms(*network);
}

std::string said_of(const NetworkTerms& terms) {
  std::string out;
  for (std::size_t k = 0; k < terms.labels.size(); ++k) {
    out += "imported the key of chain " + std::to_string(terms.labels[k].chain_id) + ", public key " +
           to_0x(terms.imported[k].bytes()) + "\n";
  }
  return out + kWarning;
}

// The text to print.
Result<std::string> import_into_store(const ImportOptions& options, const Environment& environment,
                                      const Config& config, Entropy& entropy) {
  auto terms = read_terms_of(config);
  if (!terms) return terms.error();
  std::vector<std::uint64_t> chains;
  for (const dkg::Label& label : terms->labels) chains.push_back(label.chain_id);
  auto places = parse_key_places(options.keys, chains);
  if (!places) return places.error();
  std::vector<crypto::SecretScalar> keys;
  for (const std::uint64_t chain : chains) {
    auto key = find_key(chain, *places, environment);
    if (!key) return key.error();
    keys.push_back(std::move(*key));
  }
  auto secrets = open_secrets(config, entropy);
  if (!secrets) return secrets.error();
  auto store = SqliteStore::open(config.data_dir, std::move(secrets->store_key), entropy);
  if (!store) return store.error();
  if (disk_of(config, **store) != Disk::whole || Epochs::has_returned(**store)) {
    return error(
        "this node knew more than its data folder holds; it may have imported the key before. Let it learn from "
        "the others what became of it");
  }
  auto made = dkg::import_keys(first_plan(*terms), {secrets->key, secrets->node_secret}, keys, **store, entropy);
  if (!made) return made.error();
  (*store)->commit(made->save);
  CommitMark(config.node_key_file).note((*store)->commits());
  // In place: an Error could be made of a string, too.
  return Result<std::string>(boost::system::in_place_value, said_of(*terms));
}

int give_up(const std::string& what) {
  log(LogLevel::error, what);
  flush_log();
  return 1;
}

}  // namespace

Result<std::vector<KeyPlace>> parse_key_places(const std::vector<std::string>& texts,
                                               const std::vector<std::uint64_t>& chains) {
  std::vector<KeyPlace> out;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const auto id = equals == std::string::npos ? std::nullopt : parse_chain_id(text.substr(0, equals));
    KeyPlace place{id.value_or(chains.front()), id ? text.substr(equals + 1) : text};
    if (!id && chains.size() > 1) {
      return error("--key " + text + ": the network has chains " + list_of(chains) + "; write --key CHAIN=FILE");
    }
    if (std::find(chains.begin(), chains.end(), place.chain_id) == chains.end()) {
      return error("--key " + text + ": the network file has no chain " + std::to_string(place.chain_id) + "; it has " +
                   list_of(chains));
    }
    for (const KeyPlace& other : out) {
      if (other.chain_id == place.chain_id) {
        return error("--key " + text + ": chain " + std::to_string(place.chain_id) + " stands twice");
      }
      if (other.file == "-" && place.file == "-") return error("--key " + text + ": stdin can be read once");
    }
    out.push_back(std::move(place));
  }
  return out;
}

Result<crypto::SecretScalar> parse_key(ByteView text) {
  auto secret = crypto::parse_secret_hex(text);
  if (!secret) return secret.error();
  auto key = crypto::SecretScalar::parse(secret->expose());
  if (!key) return error("the number is not below the order of secp256k1, so it is no key (it is not shown)");
  if (key->is_zero()) return error("the number is zero, which is no key");
  return key;
}

Result<crypto::SecretScalar> read_key(const std::string& file) {
  if (file == "-") {
    auto text = read_stdin();
    if (!text) return text.error();
    auto key = parse_key(text->expose());
    if (!key) return error("stdin: " + key.error().message);
    return key;
  }
  if (auto mode = check_mode(file); !mode) return mode.error();
  auto text = crypto::io::read_file(file, kKeyFileBytesMax);
  if (!text) return text.error();
  auto key = parse_key(text->expose());
  if (!key) return error(file + ": " + key.error().message);
  return key;
}

int run_import(const ImportOptions& options) {
  kms::io::OsEntropy entropy;
  crypto::randomize_context(entropy);
  open_log(LogLevel::info, LogFormat::text);
  auto environment = read_environment();
  if (!environment) return give_up("environment: " + environment.error().message);
  auto config = load_config(options.start, *environment);
  if (!config) return give_up("config: " + config.error().message);
  open_log(config->log_level, config->log_format);
  for (const std::string& missing : harden_process()) log(LogLevel::warn, missing);
  try {
    auto said = import_into_store(options, *environment, *config, entropy);
    if (!said) return give_up("nothing is imported: " + said.error().message);
    std::fputs(said->c_str(), stdout);
  } catch (const std::exception& failure) {
    return give_up(failure.what());
  }
  flush_log();
  return 0;
}

}  // namespace kms::node::io
