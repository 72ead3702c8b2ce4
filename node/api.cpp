#include "node/api.h"

#include <algorithm>
#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "net/peer_id.h"

namespace kms::node {

namespace json = boost::json;

namespace {

std::string peer_id_text(const crypto::Point& key) {
  return net::PeerId::of(net::PublicKey::from_secp256k1(key)).text();
}

const PeerLink* link_to(const std::vector<PeerLink>& links, const dkg::NodeId& node) {
  auto found = std::find_if(links.begin(), links.end(), [&](const PeerLink& link) { return link.node == node; });
  return found == links.end() ? nullptr : &*found;
}

json::object certificates_of(const dkg::EpochRecord& record) {
  json::object out;
  out["header"] = to_0x(record.header.body());
  json::array list;
  for (const dkg::DealRef& deal : record.list) {
    json::object entry;
    entry["dealer"] = deal.dealer;
    entry["deal"] = deal.hash.hex();
    list.push_back(std::move(entry));
  }
  out["deals"] = std::move(list);
  out["final"] = to_0x(record.final.body());
  if (record.activation) out["activation"] = to_0x(record.activation->body());
  return out;
}

}  // namespace

std::string rfc3339(std::int64_t unix_ms) {
  using namespace std::chrono;
  sys_time<milliseconds> time{milliseconds(unix_ms)};
  auto day = floor<days>(time);
  year_month_day date{day};
  hh_mm_ss clock{time - day};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

HttpResponse json_response(int status, const json::value& body) {
  return {status, "application/json", json::serialize(body), {}};
}

HttpResponse root_response(const NodeOptions& options, Now now) {
  json::object body;
  body["service"] = "kms-node";
  body["version"] = options.version;
  body["timestamp"] = rfc3339(now.unix_ms);
  return json_response(200, body);
}

HttpResponse ready_response(const Readiness& readiness) {
  json::object body;
  body["ready"] = readiness.is_ready();
  body["reasons"] = json::array(readiness.reasons.begin(), readiness.reasons.end());
  body["missing"] = json::array(readiness.missing.begin(), readiness.missing.end());
  return json_response(readiness.is_ready() ? 200 : 503, body);
}

std::string member_label(const NetworkTerms& terms, dkg::Position position) {
  return terms.name_of(position) + " (" + crypto::address_of(terms.members.at(position).key).hex() + ")";
}

json::object key_summary(const KeyView& key) {
  const delegation::ServingKey& serving = *key.serving;
  json::object out;
  out["keyId"] = serving.key.hex();
  out["chainId"] = serving.chain_id;
  out["contract"] = to_0x(key.label.contract);
  out["publicKey"] = to_0x(serving.table.public_key.bytes());
  out["epoch"] = serving.epoch;
  out["transcript"] = serving.transcript.hex();
  out["threshold"] = serving.threshold.t();
  out["memberCount"] = serving.threshold.n();
  out["origin"] = key.imported ? "imported" : "generated";
  return out;
}

json::object key_details(const KeyView& key, const NetworkTerms& terms) {
  json::object out = key_summary(key);
  json::array members;
  for (dkg::Position i = 1; i <= terms.members.size(); ++i) {
    const dkg::Member& member = terms.members.at(i);
    json::object entry;
    entry["index"] = i;
    entry["name"] = terms.name_of(i);
    entry["nodeId"] = member.node.hex();
    entry["nodeKey"] = to_0x(member.key.bytes());
    entry["address"] = crypto::address_of(member.key).hex();
    entry["peerId"] = peer_id_text(member.key);
    entry["publicShare"] = to_0x(key.serving->table.share(i).bytes());
    members.push_back(std::move(entry));
  }
  out["members"] = std::move(members);
  if (key.record != nullptr) out["certificates"] = certificates_of(*key.record);
  return out;
}

json::object network_view(const NetworkTerms& terms, const dkg::NodeId& self, const std::vector<PeerLink>& links,
                          const dkg::Ceremony* ceremony, const NodeOptions& options) {
  json::object out;
  out["network"] = terms.name;
  out["networkId"] = terms.network.hex();
  out["version"] = options.version;
  out["threshold"] = terms.threshold.t();
  json::array members;
  for (dkg::Position i = 1; i <= terms.members.size(); ++i) {
    const dkg::Member& member = terms.members.at(i);
    const PeerLink* link = link_to(links, member.node);
    json::object entry;
    entry["index"] = i;
    entry["name"] = terms.name_of(i);
    entry["address"] = crypto::address_of(member.key).hex();
    entry["peerId"] = peer_id_text(member.key);
    entry["self"] = member.node == self;
    entry["connected"] = link != nullptr || member.node == self;
    entry["formAEntry"] = terms.form_a_entries.contains(member.node);
    if (link != nullptr) {
      entry["multiaddr"] = link->address;
      entry["direction"] = link->outbound ? "outbound" : "inbound";
      entry["agent"] = link->agent;
      if (link->rtt_ms) entry["roundTripMs"] = *link->rtt_ms;
    }
    members.push_back(std::move(entry));
  }
  out["members"] = std::move(members);
  std::size_t others = 0;
  for (const PeerLink& link : links) {
    if (!terms.members.position_of(link.node)) ++others;
  }
  out["lightClients"] = others;
  if (ceremony != nullptr) {
    dkg::CeremonyStatus status = ceremony->status();
    json::object slot;
    slot["phase"] = std::string(dkg::name_of(status.phase));
    slot["attempt"] = status.attempt;
    slot["view"] = status.view;
    slot["summary"] = status.summary;
    json::array awaited;
    for (dkg::Position position : status.awaited) awaited.push_back(json::string(member_label(terms, position)));
    slot["awaited"] = std::move(awaited);
    out["ceremony"] = std::move(slot);
  }
  return out;
}

}  // namespace kms::node
