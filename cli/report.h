// What a command answers: printed by cli/io, compared by tests. Exit codes are part of the interface.
#pragma once

#include <optional>

#include <boost/json/object.hpp>

#include "crypto/secret.h"

namespace kms::cli {

enum class Exit : int {
  ok = 0,
  failed = 1,  // the answer is no, or what was asked for could not be done
  usage = 2,   // the command line is wrong; nothing was done
};

struct Report {
  Exit exit = Exit::ok;
  std::string text;                          // for people
  boost::json::object json;                  // for programs, with --json
  std::string note;                          // for people, on stderr; empty: nothing to add
  std::optional<crypto::SecretBytes> plain;  // a decrypted text; goes to stdout instead of `text` and `json`
};

struct Failure {
  Exit exit = Exit::failed;
  std::string message;
  Failure() = default;
  Failure(const Error& error) : message(error.message) {}
  Failure(Exit exit_in, std::string message_in) : exit(exit_in), message(std::move(message_in)) {}
};

template <class T>
using Outcome = boost::system::result<T, Failure>;

inline Failure usage(std::string message) {
  return {Exit::usage, std::move(message)};
}

[[noreturn]] void throw_exception_from_error(const Failure& failure, const boost::source_location&);

}  // namespace kms::cli
