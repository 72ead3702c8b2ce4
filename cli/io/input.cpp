#include "cli/io/input.h"

#include <cerrno>
#include <unistd.h>

#include "crypto/io/file.h"
#include "crypto/pem.h"
#include "crypto/secret_hex.h"

namespace kms::cli::io {
namespace {

constexpr std::size_t kKeyFileBytesMax = 16 * 1024;

Outcome<crypto::SecretBytes> read_stdin(std::size_t bytes_max) {
  crypto::SecretBytes buffer(bytes_max + 1);
  std::size_t size = 0;
  while (size <= bytes_max) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.expose_mutable().data() + size, bytes_max + 1 - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure(error("cannot read stdin: " + std::string(std::strerror(errno))));
    if (got == 0) return crypto::SecretBytes::copy_of(buffer.expose().first(size));
    size += static_cast<std::size_t>(got);
  }
  return Failure(error("stdin is longer than the " + std::to_string(bytes_max) + " bytes that are accepted"));
}

}  // namespace

Outcome<crypto::SecretBytes> read_input(const std::string& file, std::size_t bytes_max) {
  if (file == "-") return read_stdin(bytes_max);
  auto content = crypto::io::read_file(file, bytes_max);
  if (!content) return Failure(content.error());
  return std::move(*content);
}

Outcome<crypto::SecretScalar> read_wallet_key(const std::string& file) {
  auto content = crypto::io::read_file(file, kKeyFileBytesMax);
  if (!content) return Failure(content.error());
  auto secret = crypto::parse_secret_hex(content->expose());
  if (!secret) {
    return Failure(error(file + " is no key file: " + secret.error().message + "; kmsctl keygen wallet makes one"));
  }
  auto scalar = crypto::SecretScalar::parse(secret->expose());
  if (!scalar || scalar->is_zero()) return Failure(error(file + " holds a number that is no secp256k1 key"));
  return std::move(*scalar);
}

Outcome<crypto::RsaPrivateKey> read_rsa_key(const std::string& file) {
  auto content = crypto::io::read_file(file, kKeyFileBytesMax);
  if (!content) return Failure(content.error());
  auto der = crypto::pkcs8_in(content->expose());
  if (!der) return Failure(error(file + " is no RSA key file: " + der.error().message));
  auto key = crypto::RsaPrivateKey::parse_pkcs8(der->expose());
  if (!key) return Failure(error(file + ": " + key.error().message));
  return std::move(*key);
}

Outcome<Testnet> read_testnet(const std::string& file) {
  auto content = crypto::io::read_file(file, kTestnetFileBytesMax);
  if (!content) return Failure(error(content.error().message + "; testnet/up writes testnet.json"));
  auto testnet = Testnet::parse(as_text(content->expose()), file);
  if (!testnet) return Failure(testnet.error());
  return std::move(*testnet);
}

Outcome<Nodes> find_nodes(const Where& where) {
  if (where.nodes.empty() == where.testnet.empty()) {
    return usage(where.nodes.empty() ? "say which nodes to ask: --node http://HOST:PORT, or --testnet testnet.json"
                                     : "--node and --testnet exclude each other");
  }
  if (where.nodes.size() > kNodesMax) return usage("at most 128 nodes are asked at once");
  Nodes nodes;
  for (const std::string& text : where.nodes) {
    auto url = sdk::NodeUrl::parse(text);
    if (!url) return usage("--node: " + url.error().message);
    nodes.urls.push_back(*url);
  }
  if (where.testnet.empty()) return nodes;
  auto testnet = read_testnet(where.testnet);
  if (!testnet) return testnet.error();
  for (const TestnetNode& node : testnet->nodes) nodes.urls.push_back(node.http);
  nodes.testnet = std::move(*testnet);
  return nodes;
}

}  // namespace kms::cli::io
