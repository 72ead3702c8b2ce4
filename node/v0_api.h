// POST /v0/delegate as nox-kms 0.6 speaks it (docs/API.md): the order of the checks, their statuses and their texts.
#pragma once

#include <set>
#include <variant>

#include "node/delegation/authorisation.h"
#include "node/http.h"

namespace kms::node {

struct V0Request {
  delegation::V0Authorisation authorisation;
  Hash32 salt{};
};

// Everything that needs no cryptography: query, content type, JSON, chain, salt, header. What the signature covers is
// checked later, by delegation::check.
std::variant<V0Request, HttpResponse> parse_v0_delegate(const HttpRequest& request, const Target& target,
                                                        const std::set<std::uint64_t>& chains);

HttpResponse to_response(const delegation::AuthorisationError& error);

}  // namespace kms::node
