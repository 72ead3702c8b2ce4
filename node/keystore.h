// The node key file is crypto/keystore.h, since kmsctl makes such files too; here it has the names that the node uses.
#pragma once

#include "crypto/keystore.h"

namespace kms::node {

using crypto::NodeSecrets;
using crypto::open_node_secrets;
using crypto::public_key_in;
using crypto::seal_node_secrets;

}  // namespace kms::node
