// UTF-8 (RFC 3629), for text of others: without overlong forms and surrogates.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace kms {

// Bytes of the character at the front, 1 to 4; 0 if `text`, which is not empty, starts with none.
std::size_t utf8_size(std::string_view text);
bool is_utf8(std::string_view text);
// One line that is safe to show: bytes that are no UTF-8 become U+FFFD, control characters (of C1, too) spaces.
std::string printable(std::string_view text);

}  // namespace kms
