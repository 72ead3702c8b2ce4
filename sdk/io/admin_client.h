// One request to a node's admin socket (docs/API.md, "Orders").
#pragma once

#include <chrono>

#include "base/result.h"
#include "sdk/http.h"

namespace kms::sdk::io {

// Every status is an answer; an error says what failed and names the path.
Result<HttpAnswer> send_to_socket(const std::string& path, const HttpCall& call,
                                  std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace kms::sdk::io
