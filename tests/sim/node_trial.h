// A world of whole nodes that can be asked for delegations.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/eip712.h"
#include "crypto/rsa_oaep.h"
#include "tests/sim/node_machine.h"

namespace kms::sim {

inline const crypto::RsaPrivateKey& requester_key() {
  static const crypto::RsaPrivateKey key = crypto::RsaPrivateKey::generate(2048);
  return key;
}

struct NodeTrial {
  NodeTrial(std::uint16_t members, std::uint16_t threshold, Schedule schedule, std::uint64_t seed, std::size_t keys = 1)
      : network(members, threshold, seed, keys), random(seed), world(with(schedule, members), seed, network.boot()) {}

  static Schedule with(Schedule schedule, std::size_t members) {
    schedule.members = members;
    return schedule;
  }
  NodeMachine* node(std::size_t member) { return static_cast<NodeMachine*>(world.machine(member)); }
  std::size_t serving() {
    std::size_t count = 0;
    for (std::size_t i = 1; i <= network.credentials.size(); ++i) {
      if (node(i) != nullptr && node(i)->core().serving(NodeNetwork::kChain)) ++count;
    }
    return count;
  }
  // Asks one node for x(s*K) of a fresh K and gives whether the answer is right; `status` gets the HTTP status.
  bool delegate(std::size_t member, int& status) {
    const auto ephemeral = crypto::SecretScalar::random(random);
    const auto key = node(member)->core().serving(NodeNetwork::kChain);
    boost::json::object body;
    const std::string k = to_0x(crypto::multiply_generator(ephemeral).point().bytes());
    const std::string target = to_0x(requester_key().public_spki());
    body["ephemeralPubKey"] = k;
    body["targetPubKey"] = target;
    const auto digest = crypto::delegate_authorization_digest(NodeNetwork::kChain, k, target);
    node::HttpRequest request;
    request.method = "POST";
    request.target = "/v0/delegate?chain_id=31337&salt=" + std::string(64, 'a');
    request.content_type = "application/json";
    request.authorization = "Bearer " + to_0x(crypto::sign_recoverable(network.gateway_key, digest).bytes);
    request.body = boost::json::serialize(body);
    const node::HttpRequestId id = ++last_id;
    node(member)->ask(id, std::move(request));
    const Instant until = world.now().instant + 10s;
    world.run([&] { return node(member)->answers().contains(id) || world.now().instant > until; });
    if (!node(member)->answers().contains(id)) return false;
    const node::HttpResponse& response = node(member)->answers().at(id);
    status = response.status;
    if (status != 200 || !key) return false;
    const auto parsed = boost::json::parse(response.body);
    const auto sealed = parse_hex(std::string_view(parsed.at("encryptedSharedSecret").as_string()));
    const auto opened = requester_key().decrypt_oaep(*sealed, {});
    return opened &&
           crypto::equal_constant_time(opened->expose(), crypto::ecdh_x(ephemeral, key->table.public_key).expose());
  }

  NodeNetwork network;
  Random random;
  World world;
  node::HttpRequestId last_id = 0;
};

}  // namespace kms::sim
