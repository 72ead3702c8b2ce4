// Ceremonies as operators see them, and what they order.
#include <boost/json/parse.hpp>

#include "node/ceremonies_view.h"
#include "node/node_core_impl.h"

namespace kms::node {

namespace json = boost::json;

HttpResponse NodeCore::Impl::ceremonies_at(std::string_view path, Now now) const {
  const LabelOf label = [this](const dkg::NodeId& node) { return label_of(node); };
  json::object body;
  if (path == "/v1/ceremonies") {
    if (epochs) {
      body = ceremonies_view(*epochs, ceremonies, label, now);
    } else {
      body["epoch"] = nullptr;
      for (const char* list : {"ceremonies", "approvals", "repairs"}) body[list] = json::array();
    }
    body["network"] = terms.name;
    return json_response(200, body);
  }
  const std::string_view slot = path.substr(std::string_view("/v1/ceremonies/").size());
  if (epochs) {
    if (auto found = ceremony_view(*epochs, ceremonies, slot, label, now)) return json_response(200, *found);
  }
  return json_error(404, "Not found", "no ceremony with that id; GET /v1/ceremonies lists them");
}

// By name, address or position in the committee in charge.
Result<dkg::NodeId> NodeCore::Impl::find_member(std::string_view text) const {
  for (dkg::Position place = 1; place <= terms.members.size(); ++place) {
    const dkg::Member& member = terms.members.at(place);
    const bool is_meant = text == terms.name_of(place) || text == crypto::address_of(member.key).hex() ||
                          text == member.node.hex() || text == std::to_string(place);
    if (is_meant) return member.node;
  }
  return error("no member \"" + std::string(text.substr(0, 80)) +
               "\" in the committee in charge; give its name, its address or its index");
}

namespace {

Result<json::object> parse_order(const std::string& text) {
  if (text.empty()) return json::object{};
  json::parse_options options;
  options.max_depth = 4;
  boost::system::error_code failure;
  auto value = json::parse(text, failure, {}, options);
  if (failure || !value.is_object()) return error("the body must be one JSON object");
  return std::move(value.as_object());
}

Result<std::optional<std::uint64_t>> not_after_in(const json::object& body) {
  const json::value* value = body.if_contains("notAfter");
  if (value == nullptr || value->is_null()) return std::optional<std::uint64_t>();
  boost::system::error_code failure;
  const auto number = value->to_number<std::uint64_t>(failure);
  if (failure || number > 0xffffffffffULL) return error("notAfter is a time in Unix seconds");
  return std::optional(number);
}

const std::string kAdmin = "/v1/admin/";

}  // namespace

Result<EpochSteps> NodeCore::Impl::order(const HttpRequest& request, const Target& target, json::object& answer,
                                         Now now) {
  auto body = parse_order(request.body);
  if (!body) return body.error();
  auto not_after = not_after_in(*body);
  if (!not_after) return not_after.error();
  const std::string what = target.path.substr(kAdmin.size());
  const json::value* file = body->if_contains("file");
  const json::value* member = body->if_contains("member");
  if (what == "approve") {
    if (file == nullptr || !file->is_string()) return error("\"file\" must hold the text of the network file");
    auto steps = epochs->approve(std::string_view(file->as_string()), *not_after, now);
    if (steps) {
      const NetworkTerms& approved = epochs->approved() ? *epochs->approved() : *epochs->terms();
      answer["epoch"] = approved.epoch;
      answer["file"] = approved.file.hex();
      answer["threshold"] = approved.threshold.t();
      answer["memberCount"] = approved.threshold.n();
    }
    return steps;
  }
  if (what == "emergency") return order_emergency(*body, *not_after, answer, now);
  if (what == "void") {
    auto steps = epochs->give_up(now);
    if (steps) answer["epoch"] = epochs->newest()->header.epoch + 1;
    return steps;
  }
  if (what == "refresh") {
    auto steps = epochs->refresh(*not_after, now);
    if (steps) answer["epoch"] = epochs->newest()->header.epoch + 1;
    return steps;
  }
  if (what == "start") return epochs->start(now);
  if (member == nullptr || !member->is_string()) return error("\"member\" must name whose share is to be repaired");
  auto subject = find_member(std::string_view(member->as_string()));
  if (!subject) return subject.error();
  auto steps = epochs->repair(*subject, *not_after, now);
  if (steps) {
    answer["epoch"] = epochs->newest()->header.epoch;
    answer["member"] = label_of(*subject);
  }
  return steps;
}

// Two orders: take part by that file, and, when the dealings are there, name the one that is meant. Whoever gives the
// first says how many members may cheat at most, so that nobody does it by habit.
Result<EpochSteps> NodeCore::Impl::order_emergency(const json::object& body, std::optional<std::uint64_t> not_after,
                                                   json::object& answer, Now now) {
  const json::value* file = body.if_contains("file");
  const json::value* transcript = body.if_contains("transcript");
  const bool is_file = file != nullptr && file->is_string();
  const bool is_transcript = transcript != nullptr && transcript->is_string();
  if (is_file == is_transcript) return error("an emergency takes \"file\" first, then \"transcript\"");
  if (is_transcript) {
    const auto bytes = parse_hex_array<32>(std::string_view(transcript->as_string()));
    if (!bytes) return error("\"transcript\": " + bytes.error().message);
    const dkg::TranscriptHash named{*bytes};
    auto steps = epochs->name_dealing(named, now);
    if (steps) answer["transcript"] = to_0x(named.bytes);
    return steps;
  }
  if (!epochs->newest()) return error("no key is released yet: there is nothing to save");
  if (epochs->newest()->header.committee().position_of(self)) {
    const auto safe = epochs->newest()->header.threshold.emergency_safe_below();
    const json::value* said = body.if_contains("safeBelow");
    boost::system::error_code failure;
    const bool is_said = said != nullptr && said->to_number<std::uint64_t>(failure) == safe && !failure;
    if (!is_said) {
      return error("this is safe only if fewer than " + std::to_string(safe) +
                   " members of the committee in charge cheat; say so with \"safeBelow\": " + std::to_string(safe));
    }
  }
  auto steps = epochs->emergency(std::string_view(file->as_string()), not_after, now);
  if (steps && epochs->approved()) {
    answer["epoch"] = epochs->approved()->epoch;
    answer["file"] = epochs->approved()->file.hex();
  }
  return steps;
}

AdminAnswer NodeCore::order(const HttpRequest& request, Now now) {
  AdminAnswer out;
  const Target target = parse_target(request.target);
  const bool is_order = target.path == kAdmin + "approve" || target.path == kAdmin + "refresh" ||
                        target.path == kAdmin + "repair" || target.path == kAdmin + "start" ||
                        target.path == kAdmin + "emergency" || target.path == kAdmin + "void";
  if (!is_order) {
    // What anybody may read may be read here, too.
    out.response = target.path.starts_with(kAdmin) || target.path == "/v0/delegate"
                       ? json_error(404, "Not found", "no route " + target.path.substr(0, 100))
                       : impl_->read(request, target, now);
    return out;
  }
  if (request.method != "POST") {
    out.response = {405, "", "", {{"Allow", "POST"}}};
    return out;
  }
  if (!impl_->epochs) {
    out.response = json_error(409, "Refused", "a solo node has no committee");
    return out;
  }
  json::object answer;
  auto steps = impl_->order(request, target, answer, now);
  if (!steps) {
    out.response = json_error(409, "Refused", steps.error().message);
    return out;
  }
  const std::string what = target.path.substr(kAdmin.size());
  impl_->apply(std::move(*steps), out.effects, now);
  impl_->send_status(now);
  out.effects.log.push_back({LogLevel::info, "admin: order " + what + " accepted", ""});
  answer["order"] = what;
  const LabelOf label = [this](const dkg::NodeId& node) { return impl_->label_of(node); };
  answer["state"] = ceremonies_view(*impl_->epochs, impl_->ceremonies, label, now);
  out.response = json_response(200, answer);
  return out;
}

}  // namespace kms::node
