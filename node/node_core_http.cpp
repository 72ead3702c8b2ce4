// What HTTP asks: delegations, keys, readiness.
#include "node/node_core_impl.h"
#include "node/peers_view.h"
#include "node/v0_api.h"

namespace kms::node {

std::vector<KeyView> NodeCore::Impl::key_views() const {
  std::vector<KeyView> out;
  for (const auto& [chain_id, key] : serving) {
    out.push_back({key, label_of(chain_id), imported.contains(chain_id), ceremony() ? ceremony()->record() : nullptr});
  }
  return out;
}

Readiness NodeCore::Impl::readiness() const {
  Readiness out;
  const bool may_enter = position || (ceremony() != nullptr && entries.contains(self));
  if (!may_enter) out.reasons.push_back("this node is not a member of network " + terms.name);
  for (dkg::Position i = 1; i <= terms.members.size(); ++i) {
    if (i != position && !alive.contains(terms.members.at(i).node)) out.missing.push_back(member_label(terms, i));
  }
  if (serving.size() < terms.labels.size()) {
    std::string state = "no ceremony runs here";
    if (ceremony()) state = std::string(dkg::name_of(ceremony()->status().phase)) + ", " + ceremony()->status().summary;
    out.reasons.push_back("no released key yet: " + state);
  }
  bool self_shareless = ceremony() && ceremony()->status().phase == dkg::Phase::need_repair;
  if (self_shareless) out.missing.push_back(member_label(terms, *position) + ": has no share");
  for (const dkg::NodeId& node : foreign) out.missing.push_back(label_of(node) + ": its network file differs");
  for (const dkg::NodeId& node : shareless) {
    if (alive.contains(node) && !serving.empty()) out.missing.push_back(label_of(node) + ": has no share");
  }
  for (const auto& [chain_id, key] : serving) {
    std::size_t usable = key->share ? 1 : 0;
    for (const dkg::NodeId& node : responders()) {
      const auto place = key->members.position_of(node);
      if (place && !key->table.share(*place).is_infinity()) ++usable;
    }
    if (usable >= key->threshold.t()) continue;
    out.reasons.push_back("chain " + std::to_string(chain_id) + ": " + std::to_string(usable) + " of the " +
                          std::to_string(key->threshold.t()) + " shares that a delegation needs are within reach");
  }
  return out;
}

void NodeCore::Impl::delegate(HttpRequestId id, const HttpRequest& request, const Target& target, NodeEffects& effects,
                              Now now) {
  // At a node that is asked five times what it can answer, this is what most requests come to.
  if (auto overloaded = collector.refusal(now)) {
    effects.reply.push_back({id, json_error(429, "Overloaded", overloaded->message)});
    effects.reply.back().response.headers.emplace_back("Retry-After", "1");
    return;
  }
  auto parsed = parse_v0_delegate(request, target, chains);
  if (auto* refusal = std::get_if<HttpResponse>(&parsed)) {
    effects.reply.push_back({id, std::move(*refusal)});
    return;
  }
  auto& v0 = std::get<V0Request>(parsed);
  std::uint64_t chain_id = v0.authorisation.chain_id;
  auto key = serving.find(chain_id);
  if (key == serving.end() || !options.form_a) {
    std::string why = options.form_a
                          ? "no key for chain " + std::to_string(chain_id) +
                                " yet: " + (readiness().reasons.empty() ? "starting" : readiness().reasons.front())
                          : "form A is switched off at this node";
    effects.reply.push_back({id, json_error(503, "Unavailable", why)});
    return;
  }
  if (key->second->threshold.t() > 1 && !entries.contains(self)) {
    effects.reply.push_back({id, json_error(503, "Unavailable", "this node is not a form A entry of its network")});
    return;
  }
  apply(collector.start(id, std::move(v0.authorisation), v0.salt, gateways(chain_id), key->second, now), effects);
}

HttpResponse NodeCore::Impl::public_key(const Target& target) const {
  const std::string* chain = target.parameter("chain_id");
  if (chain == nullptr) return json_error(400, "Invalid query parameters", "chain_id is missing");
  for (const auto& [chain_id, key] : serving) {
    if (std::to_string(chain_id) != *chain) continue;
    return {200, "application/json", "{\"publicKey\":\"" + to_0x(key->table.public_key.bytes()) + "\"}", {}};
  }
  for (std::uint64_t chain_id : chains) {
    if (std::to_string(chain_id) == *chain) return json_error(503, "Unavailable", "the key is not released yet");
  }
  return json_error(404, "Not found", "no key for that chain_id here");
}

HttpResponse NodeCore::Impl::keys(std::string_view path) const {
  std::vector<KeyView> views = key_views();
  if (path == "/v1/keys") {
    boost::json::array list;
    for (const KeyView& view : views) list.push_back(key_summary(view));
    boost::json::object body;
    body["keys"] = std::move(list);
    return json_response(200, body);
  }
  std::string_view wanted = path.substr(std::string_view("/v1/keys/").size());
  for (const KeyView& view : views) {
    if (view.serving->key.hex() == wanted) return json_response(200, key_details(view, terms));
  }
  return json_error(404, "Not found", "no released key with that id");
}

std::vector<EventDocument> NodeCore::event_documents(Now now) const {
  std::vector<EventDocument> out;
  for (const char* path : {"/ready", "/v1/keys", "/v1/network", "/v1/ceremonies"}) {
    const std::string_view name(path);
    out.push_back(
        {std::string(name.substr(name.rfind('/') + 1)), impl_->read({"GET", path, "", "", ""}, {path, {}}, now).body});
  }
  return out;
}

HttpResponse NodeCore::Impl::read(const HttpRequest& request, const Target& target, Now now) const {
  const std::string& path = target.path;
  bool known = path == "/" || path == "/health" || path == "/ready" || path == "/v0/public-key" || path == "/v1/keys" ||
               path.starts_with("/v1/keys/") || path == "/v1/network" || path == "/v1/ceremonies" ||
               path.starts_with("/v1/ceremonies/") || path == "/v1/peers" || path == "/v1/events" ||
               path == "/v0/delegate" || path == "/v1/delegations" || path.starts_with("/v1/delegations/");
  if (!known) return json_error(404, "Not found", "no route " + path.substr(0, 100));
  const bool is_post = path == "/v0/delegate" || (path.starts_with("/v1/delegations/") && path.ends_with("/more"));
  if (path == "/v1/delegations") {
    if (request.method != "GET") return {405, "", "", {{"Allow", "GET,HEAD,POST"}}};
    return json_response(200,
                         v1_blame(board.bad_partials(), [this](const dkg::NodeId& node) { return label_of(node); }));
  }
  if (request.method != "GET" || is_post) return {405, "", "", {{"Allow", is_post ? "POST" : "GET,HEAD"}}};
  // The driver has the connections that events go to.
  if (path == "/v1/events") return json_error(404, "Not found", "events are at the HTTP address only, with GET");
  if (path.starts_with("/v1/delegations/")) return json_error(404, "Not found", "an id is 32 bytes of hex with 0x");
  if (path == "/") return root_response(options, now);
  if (path == "/health") return {200, "application/json", "{\"status\":\"ok\"}", {}};
  if (path == "/ready") return ready_response(readiness());
  if (path == "/v0/public-key") return public_key(target);
  // A node with connections answers this itself; one without (solo) has no peers.
  if (path == "/v1/peers") return json_response(200, peers_view({terms.name, "", {}, {}, {}}, now));
  if (path == "/v1/network") {
    auto view = network_view(terms, self, links, epochs ? epochs->busy() : nullptr, options);
    view["importedChains"] = boost::json::array(imported.begin(), imported.end());
    return json_response(200, view);
  }
  if (path.starts_with("/v1/ceremonies")) return ceremonies_at(path, now);
  return keys(path);
}

}  // namespace kms::node
