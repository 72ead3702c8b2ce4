// The file under the store: made complete or not at all, recognised before it is touched, checked before it is used.
// Included by node/io/*.cpp only.
#pragma once

#include "crypto/sealing.h"
#include "node/io/sqlite.h"

namespace kms::node::io {

// What a box in the store is bound to. Parts hold no line feeds, so no two lists give the same bytes.
Bytes store_context(std::initializer_list<std::string_view> parts);

// Opens DATA_DIR/store.db, or makes it if there is none. Errors as SqliteStore::open promises.
Result<Database> open_store_file(const std::string& data_dir, const crypto::SealingKey& store_key, Entropy& entropy);

}  // namespace kms::node::io
