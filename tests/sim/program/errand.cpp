#include "tests/sim/program/errand.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "crypto/dleq.h"
#include "crypto/polynomial.h"
#include "crypto/reencryption.h"
#include "node/delegation/partial.h"
#include "node/delegation/public_messages.h"
#include "tests/sim/program/service.h"

namespace kms::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kText = "what only the requester may read";
constexpr Duration kAnswered = 4s;  // of a call; nodes answer within two
constexpr Duration kPause = 500ms;  // before the next node is asked
constexpr Duration kMorePause = 60ms;

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<crypto::Secret<32>> secret_of(ByteView bytes) {
  if (bytes.size() != 32) return std::nullopt;
  return crypto::Secret<32>::copy_of(bytes);
}

}  // namespace

Errand::Errand(Service& service, ErrandDraw draw) : service_(service), draw_(std::move(draw)) {}

void Errand::begin() {
  const auto key = service_.key(draw_.key);
  if (!key) return service_.later(1s, [this] { begin(); });
  ciphertext_ = crypto::ecies_encrypt(key->table.public_key, as_bytes(kText), service_.random());
  ephemeral_ = crypto::Point::parse(ciphertext_.ephemeral).value();
  ask();
}

void Errand::ask() {
  if (is_done_) return;
  const std::size_t place = draw_.places[calls_++ % draw_.places.size()];
  const auto key = service_.key(draw_.key);
  const bool names_entry = draw_.way == Way::a;
  if (!petition_ || names_entry) {
    petition_ = draw_.way == Way::v0
                    ? service_.gateway().v0(*key, *ephemeral_)
                    : service_.gateway().v1(draw_.way, *key, *ephemeral_, service_.address(place),
                                            service_.random().array<32>(), service_.deadline(), service_.random());
    service_.license(*petition_);
  }
  told_.clear();
  const std::size_t number = ++waits_for_;
  const auto heard = [this, place, number](const node::HttpResponse& response) {
    if (number == waits_for_ && !is_done_) hear(place, response);
  };
  service_.ask(place, call_of(*petition_, *key), heard);
  service_.later(kAnswered, [this, place, number] {
    if (number == waits_for_ && !is_done_) disappoint(place, "no answer in time");
  });
}

void Errand::again(Duration later) {
  const std::size_t number = ++waits_for_;
  service_.later(later, [this, number] {
    if (number == waits_for_) ask();
  });
}

void Errand::ask_more(std::size_t place) {
  told_ = liars_;
  const std::size_t number = ++waits_for_;
  service_.later(kMorePause, [this, place, number] {
    if (number != waits_for_ || is_done_) return;
    service_.ask(place, more_call(petition_->rh, liars_), [this, place, number](const node::HttpResponse& response) {
      if (number == waits_for_ && !is_done_) hear(place, response);
    });
    service_.later(kAnswered, [this, place, number] {
      if (number == waits_for_ && !is_done_) disappoint(place, "no answer in time");
    });
  });
}

void Errand::disappoint(std::size_t place, const std::string& why) {
  last_ = "node-" + std::to_string(place) + ": " + why;
  service_.say(story());
  service_.refused(*this, place, why);
  again(kPause);
}

void Errand::hear(std::size_t place, const node::HttpResponse& response) {
  json::error_code failure;
  const auto body = json::parse(response.body, failure);
  if (failure || !body.is_object()) return disappoint(place, std::to_string(response.status) + " " + response.body);
  const auto& object = body.as_object();
  const auto* results = object.if_contains("results");
  const bool is_list = results != nullptr && results->is_array() && results->as_array().size() == 1;
  if (response.status != 200) {
    const auto& from = is_list ? results->as_array()[0].as_object() : object;
    return disappoint(place, std::to_string(response.status) + " " + text_of(from, "error"));
  }
  take(place, is_list ? results->as_array()[0].as_object() : object);
}

void Errand::take(std::size_t place, const json::object& result) {
  bool is_mended = false;
  const auto shared = open(result, is_mended);
  if (shared && crypto::ecies_decrypt(shared->expose(), ciphertext_)) return accept(*shared);
  if (is_mended) return ask_more(place);
  service_.deceived(*this, place);
  disappoint(place, "what it gives does not open the ciphertext");
}

std::optional<crypto::Secret<32>> Errand::open(const json::object& result, bool& is_mended) {
  if (draw_.way == Way::b) return open_b(result, is_mended);
  if (draw_.way != Way::c) {
    const auto sealed = parse_hex(text_of(result, "encryptedSharedSecret"));
    if (!sealed) return std::nullopt;
    const auto opened = rsa_key().decrypt_oaep(*sealed, {});
    return opened ? secret_of(opened->expose()) : std::nullopt;
  }
  const auto u = parse_hex(text_of(result, "u"));
  const auto w = parse_hex(text_of(result, "w"));
  if (!u || !w) return std::nullopt;
  const auto u_point = crypto::Point::parse(*u);
  const auto w_point = crypto::Point::parse(*w);
  if (!u_point || !w_point) return std::nullopt;
  auto opened = crypto::open_reencryption(*u_point, *w_point, *petition_->recipient);
  if (!opened) return std::nullopt;
  return std::move(*opened);
}

// The sum of t partials. If one of them is not what its member signed for, it is left out the next time.
std::optional<crypto::Secret<32>> Errand::open_b(const json::object& result, bool& is_mended) {
  const auto* list = result.if_contains("partials");
  const auto transcript = parse_hex_array<32>(text_of(result, "transcript"));
  if (list == nullptr || !list->is_array() || !transcript) return std::nullopt;
  const auto key = service_.table(dkg::TranscriptHash{*transcript}, draw_.key);
  if (!key) return std::nullopt;
  std::vector<dkg::Position> positions;
  std::vector<crypto::Element> points;
  for (const auto& each : list->as_array()) {
    delegation::PartialB partial;
    partial.rh = petition_->rh;
    partial.epoch = key->epoch;
    partial.transcript = key->transcript;
    partial.index = static_cast<dkg::Position>(each.at("index").as_int64());
    partial.ciphertext = parse_hex(std::string_view(each.at("ciphertext").as_string())).value();
    partial.signature.bytes = parse_hex_array<65>(std::string_view(each.at("signature").as_string())).value();
    const auto point = service_.open_b(partial, *petition_, *key);
    if (point) {
      positions.push_back(partial.index);
      points.emplace_back(*point);
      continue;
    }
    // Its signature makes it evidence: publishing plaintext and seed lets anybody see.
    const bool is_signed =
        crypto::verify(key->members.at(partial.index).key, partial.signature, partial.signing_digest());
    if (is_signed && liars_.insert(partial.index).second) service_.accuse(key->members.at(partial.index).node);
    is_mended = is_mended || (is_signed && !told_.contains(partial.index));
  }
  if (positions.size() != key->threshold.t()) return std::nullopt;
  const crypto::Element sum = crypto::interpolate(positions, points);
  return sum.is_infinity() ? std::nullopt : secret_of(sum.point().x());
}

void Errand::accept(const crypto::Secret<32>& shared) {
  is_done_ = true;
  ++waits_for_;
  service_.check_result(*this, *ephemeral_, shared);
  service_.say(story());
}

std::string Errand::story() const {
  std::string out = "a request in form " + std::string(name_of(draw_.way)) + " after " + std::to_string(calls_) +
                    " calls: " + (is_done_ ? "answered" : "not answered");
  if (!last_.empty() && !is_done_) out += "; " + last_;
  return out;
}

}  // namespace kms::sim
