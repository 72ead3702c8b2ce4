// Reading JSON that others wrote: bounded, and complaints that name the member.
#pragma once

#include <optional>

#include <boost/json/object.hpp>

#include "base/result.h"

namespace kms::sdk {

// The longest answer of a node that is read: a list of all members and peers of a large network fits.
inline constexpr std::size_t kListBytesMax = 4 * 1024 * 1024;

// One object and nothing behind it; at most `bytes_max` bytes and 32 levels. `what` names the text in errors.
Result<boost::json::object> parse_object(std::string_view text, std::size_t bytes_max, const std::string& what);

// Members of the wanted type; null or nothing if they are absent or of another type.
const boost::json::string* text_in(const boost::json::object& object, std::string_view name);
const boost::json::array* array_in(const boost::json::object& object, std::string_view name);
const boost::json::object* object_in(const boost::json::object& object, std::string_view name);
std::optional<std::uint64_t> number_in(const boost::json::object& object, std::string_view name);
std::optional<double> real_in(const boost::json::object& object, std::string_view name);
bool flag_in(const boost::json::object& object, std::string_view name);  // absent: false

// At most 120 printable characters of what a stranger sent, for an error.
std::string excerpt(std::string_view text);
// The same of a member; empty if it is absent or no text.
std::string excerpt_in(const boost::json::object& object, std::string_view name);

}  // namespace kms::sdk
