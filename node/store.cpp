#include "node/store.h"

#include <algorithm>

namespace kms::node {

bool is_store_key(std::string_view key) {
  return !key.empty() && key.size() <= kStoreKeyBytesMax &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace kms::node
