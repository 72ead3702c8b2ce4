// Encrypts a text to a network's key, has the secret delegated to a fresh RSA key, and decrypts it again:
//   ask NETWORK.json GATEWAY_KEY_FILE TEXT
// NETWORK.json names nodes, key and signer (testnet.json does); the file holds the gateway's key in hex.
#include <fstream>
#include <iostream>
#include <kms/client.h>
#include <sstream>

namespace {

std::string content_of(const char* path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

int fail(const kms::Error& why) {
  std::cerr << "ask: " << why.message << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: ask NETWORK.json GATEWAY_KEY_FILE TEXT\n";
    return 2;
  }
  auto network = kms::NetworkDescription::parse(content_of(argv[1]));
  if (!network) return fail(network.error());
  std::string hex = content_of(argv[2]);
  while (!hex.empty() && hex.back() == '\n') hex.pop_back();
  auto bytes = kms::crypto::parse_secret_hex(kms::as_bytes(hex));
  if (!bytes) return fail(bytes.error());
  auto gateway_key = kms::crypto::SecretScalar::parse(bytes->expose());
  if (!gateway_key) return fail(gateway_key.error());

  auto client = kms::Client::make(*network);
  if (!client) return fail(client.error());
  auto ciphertext = client->encrypt(kms::as_bytes(argv[3]));
  if (!ciphertext) return fail(ciphertext.error());
  const auto requester = kms::crypto::RsaPrivateKey::generate(2048);
  auto opened = client->open(*ciphertext, *gateway_key, requester);
  if (!opened) return fail(opened.error());

  for (const kms::Misbehaviour& bad : opened->misbehaved) {
    std::cerr << bad.node.text() << " " << kms::name_of(bad.kind) << ": " << bad.text << "\n";
  }
  std::cout << kms::as_text(opened->text.expose()) << "\n";
  return 0;
}
