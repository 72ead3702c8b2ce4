// HTTP as values: what a client asks and what it gets.
#pragma once

#include <string>

namespace kms::sdk {

struct HttpCall {
  std::string method = "GET";
  std::string target = "/";
  std::string authorization;  // empty: none
  std::string body;           // JSON; empty: none
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// What a node said when it refused: the text of {"error": "Kind: text"}, or the start of any other body, with the
// status.
std::string refusal_in(const HttpAnswer& answer);

}  // namespace kms::sdk
