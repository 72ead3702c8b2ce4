// Errors of others (a peer, a client, disk bytes) as values. Our own bugs go to KMS_ASSERT, a broken machine at start
// to an exception.
#pragma once

#include <string>
#include <utility>

#include <boost/system/result.hpp>

namespace kms {

// What was wrong, in words that name the value and what to do. Never holds a secret.
struct Error {
  std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

inline Error error(std::string message) {
  return Error{std::move(message)};
}

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

}  // namespace kms
