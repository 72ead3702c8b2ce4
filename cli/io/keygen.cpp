#include "cli/io/keygen.h"

#include <cerrno>
#include <sys/stat.h>

#include "cli/io/passphrase.h"
#include "cli/node_identity.h"
#include "crypto/io/file.h"
#include "crypto/io/keystore_file.h"
#include "crypto/pem.h"
#include "crypto/rsa_oaep.h"
#include "crypto/secret_hex.h"

namespace kms::cli::io {
namespace {

Result<void> make_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return error("cannot make the folder " + folder + ": " + std::strerror(errno));
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return error(folder + " is not a folder");
  return {};
}

// Before a passphrase is asked for; the write itself refuses again.
Result<void> refuse_existing(const std::string& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) return {};
  return error(file + " exists already and is not overwritten; move it away first");
}

std::string row(const std::string& name, const std::string& value) {
  return name + std::string(name.size() < 14 ? 14 - name.size() : 1, ' ') + value + "\n";
}

}  // namespace

Outcome<Report> run(const KeygenNode& options, Entropy& entropy) {
  const std::string file = options.folder + "/node.key";
  if (auto made = make_folder(options.folder); !made) return Failure(made.error());
  if (auto absent = refuse_existing(file); !absent) return Failure(absent.error());
  auto passphrase = new_passphrase(options.passphrase_file, file);
  if (!passphrase) return passphrase.error();
  auto secrets = crypto::io::create_node_key_file(file, passphrase->expose(), entropy);
  if (!secrets) return Failure(secrets.error());
  const crypto::Point key = secrets->key.public_key();
  const NodeIdentity identity = identity_of(key);
  Report report;
  report.text = row("PeerId", identity.peer_id) + row("node address", identity.address) +
                row("public key", identity.public_key) + row("node id", identity.node_id) + row("key file", file) +
                "\nFor network.toml:\n\n" + member_block(key);
  report.json = {{"peerId", identity.peer_id},
                 {"publicKey", identity.public_key},
                 {"address", identity.address},
                 {"nodeId", identity.node_id},
                 {"file", file}};
  report.note = "The key opens only with its passphrase. Keep both; neither can be recovered from the other.";
  return report;
}

Outcome<Report> run(const KeygenWallet& options, Entropy& entropy) {
  const auto secret = crypto::SecretScalar::random(entropy);
  const auto line = crypto::secret_hex_line(crypto::Secret<32>::copy_of(secret.expose()));
  if (auto written = crypto::io::write_new_file(options.file, line.expose()); !written) return Failure(written.error());
  const crypto::Point key = crypto::multiply_generator(secret).point();
  const std::string address = crypto::address_of(key).hex();
  Report report;
  report.text = row("address", address) + row("public key", to_0x(key.bytes())) + row("key file", options.file);
  report.json = {{"address", address}, {"publicKey", to_0x(key.bytes())}, {"file", options.file}};
  report.note = "The file holds the key in the clear, readable by its owner only.";
  return report;
}

Outcome<Report> run(const KeygenRsa& options, Entropy&) {
  if (auto absent = refuse_existing(options.file); !absent) return Failure(absent.error());
  const auto key = crypto::RsaPrivateKey::generate(options.bits);
  const auto der = key.pkcs8();
  const auto pem = crypto::pkcs8_to_pem(der.expose());
  if (auto written = crypto::io::write_new_file(options.file, pem.expose()); !written) return Failure(written.error());
  const std::string spki = to_0x(key.public_spki());
  Report report;
  report.text = row("RSA bits", std::to_string(options.bits)) + row("public key", spki) + row("key file", options.file);
  report.json = {{"bits", options.bits}, {"publicKey", spki}, {"file", options.file}};
  report.note = "The file holds the key in the clear, readable by its owner only.";
  return report;
}

}  // namespace kms::cli::io
