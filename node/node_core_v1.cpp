// The v1 delegation API (docs/API.md).
#include <algorithm>

#include "node/delegation/request_time.h"
#include "node/node_core_impl.h"

namespace kms::node {
namespace {

constexpr std::string_view kDelegations = "/v1/delegations";

struct DelegationPath {
  Hash32 rh{};
  bool is_more = false;
};

// Of "/v1/delegations/{id}" and "/v1/delegations/{id}/more".
std::optional<DelegationPath> delegation_path(std::string_view path) {
  if (!path.starts_with(kDelegations)) return std::nullopt;
  path.remove_prefix(kDelegations.size());
  if (!path.starts_with("/0x")) return std::nullopt;
  path.remove_prefix(1);
  DelegationPath out;
  out.is_more = path.ends_with("/more");
  if (out.is_more) path.remove_suffix(std::string_view("/more").size());
  auto rh = parse_hex_array<32>(path);
  if (!rh) return std::nullopt;
  out.rh = *rh;
  return out;
}

void add(NodeEffects& effects, std::optional<HttpReply>&& reply) {
  if (reply) effects.reply.push_back(std::move(*reply));
}

}  // namespace

bool NodeCore::Impl::is_v1_delegation(const HttpRequest& request, const Target& target) {
  if (target.path == kDelegations) return request.method == "POST";
  const auto path = delegation_path(target.path);
  return path && request.method == (path->is_more ? "POST" : "GET");
}

void NodeCore::Impl::delegate_v1(HttpRequestId id, const HttpRequest& request, const Target& target,
                                 NodeEffects& effects, Now now) {
  if (target.path != kDelegations) return look_v1(id, request, target, effects, now);
  auto parsed = parse_v1_delegations(request, terms.network);
  if (auto* refusal = std::get_if<HttpResponse>(&parsed)) {
    effects.reply.push_back({id, std::move(*refusal)});
    return;
  }
  auto& items = std::get<std::vector<V1Item>>(parsed);
  const V1Calls::CallId call = v1_calls.open(id, items.size(), V1Calls::Shape::list);
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto* failure = std::get_if<V1Failure>(&items[i]);
    if (failure == nullptr) {
      auto& one = std::get<V1Request>(items[i]);
      auto start = start_v1(call, i, std::move(one), effects, now);
      if (start) add(effects, v1_calls.fill(call, i, v1_result(*start)));
    } else {
      add(effects, v1_calls.fill(call, i, v1_result(*failure)));
    }
  }
}

// Nothing if it is on its way.
std::optional<V1Failure> NodeCore::Impl::start_v1(V1Calls::CallId call, std::size_t place, V1Request&& request,
                                                  NodeEffects& effects, Now now) {
  const auto is_asked = [&](const auto& entry) { return entry.second->key == request.key; };
  const auto found = std::find_if(serving.begin(), serving.end(), is_asked);
  if (found == serving.end()) {
    if (serving.size() < terms.labels.size()) return V1Failure{503, "Unavailable: the key is not released here yet"};
    return V1Failure{400, "Invalid request: keyId: no such key here, see GET /v1/keys"};
  }
  const delegation::ServingKeyPtr& key = found->second;
  const delegation::V1Authorisation& authorisation = request.authorisation;
  const bool is_a = authorisation.form == delegation::Form::a;
  const bool may_enter = key->threshold.t() == 1 || entries.contains(self);
  if (is_a && !options.form_a) return V1Failure{503, "Unavailable: form A is switched off at this node"};
  if (is_a && !may_enter) return V1Failure{503, "Unavailable: this node is not a form A entry of its network"};
  const crypto::Address own = credentials->node_key.address();
  if (is_a && authorisation.entry != own) {
    return V1Failure{400, "Invalid request: entry: this node is " + own.hex()};
  }
  if (delegation::is_over(authorisation.deadline, now)) return V1Failure{400, "Expired: the deadline is over"};
  if (delegation::is_far(authorisation.deadline, now)) {
    return V1Failure{400, "Invalid request: deadline: more than an hour ahead"};
  }
  const delegation::Ticket ticket = v1_calls.ticket(call, place, key);
  if (is_a) {
    apply(collector.start(ticket, std::move(request.authorisation), {}, gateways(key->chain_id), key, now), effects);
  } else {
    apply(board.start(ticket, std::move(request.authorisation), gateways(key->chain_id), key, now), effects);
  }
  return std::nullopt;
}

void NodeCore::Impl::look_v1(HttpRequestId id, const HttpRequest& request, const Target& target, NodeEffects& effects,
                             Now now) {
  const auto path = delegation_path(target.path);
  std::set<dkg::Position> bad;
  if (path->is_more) {
    auto parsed = parse_v1_more(request);
    if (auto* refusal = std::get_if<HttpResponse>(&parsed)) {
      effects.reply.push_back({id, std::move(*refusal)});
      return;
    }
    bad = std::get<std::set<dkg::Position>>(std::move(parsed));
  }
  if (!board.knows(path->rh)) {
    effects.reply.push_back(
        {id, json_error(404, "Not found", "no delegation of form B or C with that id is known here")});
    return;
  }
  if (!bad.empty() && *bad.rbegin() > board.members_of(path->rh)) {
    effects.reply.push_back(
        {id, json_error(400, "Invalid request",
                        "bad: the committee has " + std::to_string(board.members_of(path->rh)) + " members")});
    return;
  }
  const V1Calls::CallId call = v1_calls.open(id, 1, V1Calls::Shape::one);
  const auto urgency = path->is_more ? delegation::Board::Look::more : delegation::Board::Look::first;
  apply(board.look(v1_calls.ticket(call, 0, nullptr), path->rh, std::move(bad), urgency, now), effects);
}

}  // namespace kms::node
