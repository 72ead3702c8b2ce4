#include "dkg/signature.h"

namespace kms::dkg {

crypto::Transcript signing_transcript(std::string_view type, const NetworkId& network, const NodeId& sender) {
  crypto::Transcript out("KMS1/sig/" + std::string(type));
  out.id(network).id(sender);
  return out;
}

}  // namespace kms::dkg
