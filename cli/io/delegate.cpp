#include "cli/io/delegate.h"

#include <boost/json/serialize.hpp>

#include "cli/io/input.h"
#include "cli/io/network.h"
#include "sdk/io/client.h"
#include "sdk/json_text.h"

namespace kms::cli::io {
namespace {

// A ciphertext of the largest text in hex, with room for the other members.
constexpr std::size_t kDocumentBytesMax = 2 * sdk::kPlaintextBytesMax + 64 * 1024;

// Nodes that are overloaded or below quorum are asked again for so long.
constexpr std::chrono::milliseconds kAskedFor{5'000};

std::string remedy_for(const std::string& refusal) {
  if (refusal.find("status 401") != refusal.npos) {
    return "; the gateway key must be the one whose address the network file names";
  }
  return refusal.find("status 503") != refusal.npos ? "; kmsctl status shows what is missing" : "";
}

struct Target {
  crypto::Point public_key;
  std::optional<std::uint64_t> chain_id;
};

Outcome<Target> find_target(const Encrypt& options) {
  const bool has_nodes = !options.where.nodes.empty() || !options.where.testnet.empty();
  if (!options.public_key.empty()) {
    if (has_nodes) return usage("--public-key and --node or --testnet exclude each other");
    auto bytes = parse_hex(options.public_key);
    if (!bytes) return usage("--public-key: " + bytes.error().message);
    auto point = crypto::Point::parse_sec1(*bytes);
    if (!point) return usage("--public-key: " + point.error().message);
    return Target{*point, options.chain_id};
  }
  if (!has_nodes) return usage("say whose key to use: --node URL, --testnet FILE, or --public-key HEX");
  auto nodes = find_nodes(options.where);
  if (!nodes) return nodes.error();
  sdk::io::NodePool pool(nodes->urls);
  auto answer = ask_key(pool, options.chain_id);
  if (!answer) return answer.error();
  return Target{answer->key.public_key, answer->key.chain_id};
}

Outcome<std::optional<crypto::Address>> expected_signer(const Delegate& options, const Nodes& nodes) {
  if (!options.signer.empty()) {
    auto address = crypto::Address::parse(options.signer);
    if (!address) return usage("--signer: " + address.error().message);
    return std::optional<crypto::Address>(*address);
  }
  if (nodes.testnet) return std::optional<crypto::Address>(nodes.testnet->signer);
  return std::optional<crypto::Address>();
}

Outcome<crypto::SecretScalar> gateway_key(const Delegate& options, const Nodes& nodes) {
  if (!options.gateway_key_file.empty()) return read_wallet_key(options.gateway_key_file);
  if (nodes.testnet) return nodes.testnet->gateway_key.clone();
  return usage("--gateway-key-file is required: the key of the network's gateway, which signs the request");
}

// What another kmsctl wrote; `writer` names that command.
Outcome<boost::json::object> read_document(const std::string& file, const std::string& writer) {
  auto content = read_input(file, kDocumentBytesMax);
  if (!content) return content.error();
  const std::string name = file == "-" ? "stdin" : file;
  if (content->size() == 0) return Failure(error(name + " is empty; " + writer + " before it may have failed"));
  auto json = sdk::parse_object(as_text(content->expose()), kDocumentBytesMax, name);
  if (!json) return Failure(error(json.error().message + "; " + writer + " writes what is expected here"));
  return std::move(*json);
}

Outcome<sdk::Ciphertext> read_ciphertext(const std::string& file) {
  auto json = read_document(file, "kmsctl encrypt");
  if (!json) return json.error();
  auto ciphertext = sdk::ciphertext_from(*json);
  if (!ciphertext) return Failure(ciphertext.error());
  return std::move(*ciphertext);
}

Outcome<std::uint64_t> chain_of(const Delegate& options, const sdk::Ciphertext& ciphertext) {
  if (options.chain_id && ciphertext.chain_id && *options.chain_id != *ciphertext.chain_id) {
    return Failure(error("--chain-id " + std::to_string(*options.chain_id) + " is not the ciphertext's chain, " +
                         std::to_string(*ciphertext.chain_id)));
  }
  if (options.chain_id) return *options.chain_id;
  if (ciphertext.chain_id) return *ciphertext.chain_id;
  return usage("the ciphertext names no chain; give --chain-id");
}

}  // namespace

sdk::HttpCall call_of(const sdk::DelegationRequest& request) {
  return {"POST", request.target, request.authorization, request.body};
}

Result<sdk::Delegation> verified(const sdk::DelegationRequest& request, const sdk::NodeUrl& node,
                                 const sdk::HttpAnswer& answer, const std::optional<crypto::Address>& signer) {
  if (answer.status != 200) {
    const std::string text = node.text() + " refused: " + sdk::refusal_in(answer);
    return error(text + remedy_for(text));
  }
  auto delegation = sdk::verify_answer(request, answer.body, signer);
  if (!delegation) return error(node.text() + ": " + delegation.error().message);
  return delegation;
}

Outcome<Report> run(const Encrypt& options, Entropy& entropy) {
  auto target = find_target(options);
  if (!target) return target.error();
  crypto::SecretBytes text;
  if (options.text == "-") {
    auto content = read_input("-", sdk::kPlaintextBytesMax);
    if (!content) return content.error();
    text = std::move(*content);
  } else {
    text = crypto::SecretBytes::copy_of(as_bytes(options.text));
  }
  auto ciphertext = sdk::encrypt(target->public_key, target->chain_id, text.expose(), entropy);
  if (!ciphertext) return Failure(ciphertext.error());
  Report report;
  report.json = sdk::to_json(*ciphertext);
  report.text = boost::json::serialize(report.json) + "\n";
  return report;
}

Outcome<Report> run(const Delegate& options, Entropy&) {
  auto nodes = find_nodes(options.where);
  if (!nodes) return nodes.error();
  auto signer = expected_signer(options, *nodes);
  if (!signer) return signer.error();
  auto gateway = gateway_key(options, *nodes);
  if (!gateway) return gateway.error();
  auto requester = read_rsa_key(options.rsa_key_file);
  if (!requester) return requester.error();
  auto ciphertext = read_ciphertext(options.ciphertext_file);
  if (!ciphertext) return ciphertext.error();
  auto chain_id = chain_of(options, *ciphertext);
  if (!chain_id) return chain_id.error();
  ClientOptions limits;
  limits.limit = kAskedFor;
  auto asking = Client::make({nodes->urls, *chain_id, ciphertext->public_key, *signer}, limits);
  if (!asking) return Failure(asking.error());
  auto delegated = asking->delegate(*ciphertext, *gateway, requester->public_spki());
  if (!delegated) return Failure(error(delegated.error().message + remedy_for(delegated.error().message)));
  Report report;
  if (!*signer) {
    report.note = "The proof is by " + delegated->delegation.delegation.signer.hex() +
                  "; whether that is the network's signer was not checked. Give --signer to check it.";
  }
  for (const Misbehaviour& bad : delegated->misbehaved) {
    report.note += (report.note.empty() ? "" : "\n") + std::string(name_of(bad.kind)) + ": " + bad.text;
  }
  report.json = sdk::to_json(delegated->delegation);
  report.json["node"] = delegated->node.text();
  report.json["signerChecked"] = signer->has_value();
  report.text = boost::json::serialize(report.json) + "\n";
  return report;
}

Outcome<Report> run(const Decrypt& options, Entropy&) {
  auto requester = read_rsa_key(options.rsa_key_file);
  if (!requester) return requester.error();
  auto json = read_document(options.delegation_file, "kmsctl delegate");
  if (!json) return json.error();
  auto delegated = sdk::delegated_from(*json);
  if (!delegated) return Failure(delegated.error());
  auto text = sdk::open(*delegated, *requester);
  if (!text) return Failure(text.error());
  Report report;
  report.plain = std::move(*text);
  return report;
}

}  // namespace kms::cli::io
