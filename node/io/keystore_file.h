// node.key on disk, with the names that the node uses.
#pragma once

#include "crypto/io/keystore_file.h"
#include "node/keystore.h"

namespace kms::node::io {

using crypto::io::create_node_key_file;
using crypto::io::open_node_key_file;
using crypto::io::write_node_key_file;

}  // namespace kms::node::io
