#include "tests/fuzz/seeds.h"

#include "base/base58.h"
#include "base/proto_wire.h"
#include "crypto/eip712.h"
#include "crypto/keystore.h"
#include "crypto/rsa_oaep.h"
#include "crypto/sealing.h"
#include "node/delegation/messages.h"
#include "tests/dkg/samples.h"
#include "tests/fuzz/fuzzer.h"

namespace kms::fuzz {
namespace {

using Seeds = std::vector<Seed>;

template <class Array>
Bytes bytes_of(const Array& array) {
  return Bytes(array.begin(), array.end());
}

void add_base(Seeds& to) {
  ProtoWriter writer;
  writer.varint(1, 300);
  writer.text(2, "text");
  writer.message(3, writer);
  to.push_back({"base_text", "fields", writer.view()});
  to.push_back({"base_text", "uvarint", {0xff, 0xff, 0x7f}});
  to.push_back({"base_text", "hex", bytes_of(to_0x(Hash32{1, 2, 3}))});
  to.push_back({"base_text", "base58", bytes_of(encode_base58(Bytes{0, 0, 7, 8, 9}))});
}

void add_crypto(Seeds& to) {
  sim::Random entropy(1);
  auto key = crypto::NodeKey::generate(entropy);
  to.push_back({"crypto_values", "point", bytes_of(key.public_key().bytes())});
  to.push_back({"crypto_values", "uncompressed", bytes_of(key.public_key().uncompressed())});
  to.push_back({"crypto_values", "infinity", Bytes(33)});
  to.push_back({"crypto_values", "scalar", bytes_of(crypto::Scalar(77).bytes())});
  to.push_back({"crypto_values", "signature", bytes_of(key.sign(Hash32{5}).bytes)});
  to.push_back({"crypto_values", "der", key.sign_libp2p(as_bytes("another message"))});
  to.push_back({"crypto_values", "address", bytes_of(key.address().hex())});
  auto proof = crypto::prove_dleq(key.expose(), crypto::Point::second_generator(), Hash32{3},
                                  crypto::Point::generator(), Hash32{4});
  to.push_back({"crypto_values", "proof", bytes_of(proof.value().bytes())});

  for (std::size_t bits : {2048, 3072, 4096}) {
    to.push_back({"crypto_spki", std::to_string(bits), crypto::RsaPrivateKey::generate(bits).public_spki()});
  }
  auto secrets = crypto::NodeSecrets::generate(entropy);
  to.push_back({"crypto_boxes", "file", crypto::seal_node_secrets(secrets, as_bytes("another"), entropy)});
  to.push_back({"crypto_boxes", "record", crypto::seal_with_passphrase(Hash32{1}, as_bytes("another"), {}, entropy)});
  Bytes cheap = crypto::seal_with_passphrase(Hash32{1}, as_bytes("another"), {}, entropy);
  cheap[8] = cheap[9] = cheap[10] = 0;
  cheap[11] = 64;
  cheap[15] = 1;
  to.push_back({"crypto_boxes", "cheap", cheap});
  to.push_back({"crypto_boxes", "box", secrets.store_key.seal(as_bytes("plaintext"), as_bytes("context"), entropy)});
}

void add_dkg(Seeds& to) {
  sim::Random entropy(2);
  auto key = crypto::NodeKey::generate(entropy);
  dkg::Batch batch;
  for (const dkg::test::Sample& sample : dkg::test::samples()) {
    std::optional<dkg::MessageType> type;
    for (std::uint8_t number = 0; number < 64 && !type; ++number) {
      auto candidate = dkg::message_type(number);
      if (candidate && dkg::name_of(*candidate) == sample.message) type = candidate;
    }
    if (!type || sample.body.size() > 16'000) continue;
    Bytes bytes{static_cast<std::uint8_t>(*type)};
    append(bytes, sample.body);
    std::string name = sample.message + (sample.shape.empty() ? "" : "-" + sample.shape);
    to.push_back({"dkg_messages", name, bytes});
    dkg::Envelope envelope{{}, *type, dkg::NodeId{key.node_id()}, sample.body, std::nullopt};
    envelope.network.bytes.fill(1);
    if (dkg::is_signed(*type)) envelope.signature = key.sign(Hash32{1});
    if (sample.body.size() > 600 || batch.items.size() >= 8) continue;
    to.push_back({"dkg_envelope", name, envelope.encode()});
    batch.items.push_back(std::move(envelope));
  }
  to.push_back({"dkg_envelope", "batch", batch.encode()});
}

template <class M>
void add_body(Seeds& to, std::uint8_t which, std::string name, const M& message) {
  Bytes bytes{which};
  append(bytes, message.body());
  to.push_back({"node_delegation", std::move(name), std::move(bytes)});
}

void add_node(Seeds& to) {
  sim::Random entropy(3);
  auto key = crypto::NodeKey::generate(entropy);
  std::string ephemeral = to_0x(key.public_key().bytes());
  std::string target = to_0x(crypto::RsaPrivateKey::generate(2048).public_spki());
  delegation::DelegateRequest request;
  request.key.bytes.fill(1);
  request.spare = 1;
  request.authorisation = delegation::V0Authorisation{31337, ephemeral, target, key.sign(Hash32{1}).bytes};
  request.entry.reply_key = key.public_key().bytes();
  request.entry.issued_at = 1'700'000'000;
  add_body(to, 0, "DelegateRequest", request);
  delegation::SealedA sealed;
  sealed.index = 3;
  sealed.epoch = 1;
  sealed.u = key.public_key().bytes();
  add_body(to, 1, "SealedA", sealed);
  delegation::Need need;
  need.good = {1, 4};
  need.bad = {2, 128};
  need.want = 2;
  add_body(to, 2, "Need", need);
  add_body(to, 3, "Done", delegation::Done{Hash32{9}});
  add_body(to, 4, "Refusal", delegation::Refusal{Hash32{9}, 2, delegation::RefusalCode::busy});
  Bytes keys{5, 1, static_cast<std::uint8_t>(ephemeral.size())};
  append(keys, as_bytes(ephemeral));
  append(keys, as_bytes(target));
  to.push_back({"node_delegation", "keys", keys});

  std::string query = "/v0/delegate?chain_id=31337&salt=" + to_0x(Hash32{1});
  std::string header = "Bearer " + to_0x(key.sign(Hash32{1}).bytes);
  std::string body = R"({"ephemeralPubKey":")" + ephemeral + R"(","targetPubKey":")" + target + R"("})";
  auto http = [&](std::string name, const std::string& text) {
    to.push_back({"node_http", std::move(name), bytes_of(text)});
  };
  http("good", query + "\napplication/json\n" + header + "\n" + body);
  http("escaped", "/v0/delegate?chain%5fid=1&salt=+%zz%4\napplication/problem+json; charset=utf-8\nBasic x\n[]");
  http("nested", query + "\napplication/json\n" + header + "\n{\"targetPubKey\":{\"a\":[[[1e9,null,\"\\u0000\"]]]}}");
}

void add_registry(Seeds& to) {
  std::string text = "name = \"testnet\"\ncreation_nonce = \"" + to_0x(Hash32{1}) + "\"\nthreshold = 2\n";
  for (std::uint64_t i = 1; i <= 3; ++i) {
    Bytes point = bytes_of(crypto::multiply_generator(crypto::Scalar(i)).bytes());
    text += "[[member]]\nkey = \"" + to_hex(point) + "\"\nname = \"node-" + std::to_string(i) + "\"\n";
    text += "addresses = [\"/ip4/127.0.0.1/tcp/900" + std::to_string(i) + "\"]\n";
  }
  std::string chain = "[[chain]]\nid = 31337\ngateway = \"0x70997970C51812dc3A010C7d01b50e0d17dc79C8\"\n";
  to.push_back({"registry_network", "smallest", bytes_of(text + chain)});
  to.push_back({"registry_network", "more",
                bytes_of("accept_f0 = true\ngenesis = \"manual\"\nrefresh_every = \"7d\"\n" + text + chain +
                         "contract = \"" + to_0x(Bytes(20, 7)) + "\"\n")});
  to.push_back({"registry_network", "wrong", bytes_of("threshold = 9\n" + text + "[[chain]]\nid = -1\n")});
}

void add_config(Seeds& to) {
  std::string file =
      "data_dir = \"/var/lib/kms\"\n[network]\nfile = \"network.toml\"\n[keystore]\npassphrase_file = \"/run/pass\"\n"
      "[p2p]\nlisten = [\"/ip4/0.0.0.0/tcp/9001\"]\npeers = []\n[http]\nlisten = \"127.0.0.1:9000\"\n"
      "[delegation]\ntimeout = \"2s\"\nhedge_delay = \"50ms\"\nform_a = true\n[log]\nlevel = \"info\"\n";
  std::string solo = "KMS_GATEWAY__31337=0x70997970C51812dc3A010C7d01b50e0d17dc79C8\nKMS_DELEGATION__RESPONSE_WALLET=" +
                     to_0x(Hash32{1}) + "\nNOX_KMS_CHAINS__31337__ECC_KEY=" + to_0x(Hash32{2}) +
                     "\nNOX_KMS_SERVER__PORT=9001\n";
  auto add = [&](std::string name, const std::string& text) { to.push_back({"node_config", name, bytes_of(text)}); };
  add("file", file);
  add("environment", file + std::string(1, '\0') + "KMS_HTTP__LISTEN=[::1]:80\nKMS_P2P__LISTEN=/ip6/::/tcp/1\n");
  add("solo", "data_dir = \"/d\"\n" + std::string(1, '\0') + solo);
  add("peers", "# comment\n/ip4/192.0.2.1/tcp/9001/p2p/16Uiu2HAm7g2x4fXMGvPnHDmJyELjTHFjV5AJSPUy8B9sEPkGPvpv\n");
}

// How the recorded run goes on: 32 envelopes a step, a pause after some.
void add_ceremonies(Seeds& to) {
  Bytes straight;
  for (int step = 0; step < 20; ++step) append(straight, Bytes{0, 31, 7, 0x00, 0x64});
  to.push_back({"dkg_ceremony", "straight", straight});
  Bytes late;
  for (int step = 0; step < 10; ++step) append(late, Bytes{0, 12, 7, 0x0f, 0x00, 4, 0, 20, 1, 0, 9, 1, 2, 0, 30, 3, 1});
  to.push_back({"dkg_ceremony", "late", late});
  sim::Random random(4);
  for (int i = 0; i < 2; ++i) {
    Bytes script(200);
    random.fill(script);
    to.push_back({"dkg_ceremony", "random" + std::to_string(i), script});
  }
}

}  // namespace

std::vector<Seed> make_seeds() {
  std::vector<Seed> seeds;
  add_base(seeds);
  add_crypto(seeds);
  add_dkg(seeds);
  add_node(seeds);
  add_registry(seeds);
  add_config(seeds);
  add_ceremonies(seeds);
  add_net_seeds(seeds);
  return seeds;
}

}  // namespace kms::fuzz
