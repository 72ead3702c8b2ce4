// The Python oracle's vectors as protocol objects. Bodies are written here field by field, independent of the codecs
// under test, so that a vector can also hold what the codecs refuse.
#pragma once

#include "dkg/envelope.h"
#include "dkg/prekeys.h"
#include "tests/crypto/vector_file.h"

namespace kms::dkg::test {

using Json = boost::json::value;
using kms::test::hex_of;
using kms::test::own_vectors;
using kms::test::ScriptedEntropy;

template <class Id>
Id id_of(const Json& value) {
  return Id{to_array<32>(hex_of(value))};
}
std::uint64_t number_of(const Json& value);
Position position_of(const Json& value);
crypto::Point point_of(const Json& value);
crypto::SecretScalar secret_of(const Json& value);
std::vector<crypto::Element> elements_of(const Json& list);
crypto::Secret<32> secret_bytes_of(const Json& value);
crypto::NodeKey node_key_of(const Json& member);

Committee committee_of(const Json& committee);
Threshold threshold_of(const Json& committee);
DealList list_of(const Json& list);
std::vector<KeyTable> tables_of(const Json& tables);

Bytes header_body(const Json& header);
Bytes deal_body(const Json& deal);
Bytes complaint_body(const Json& complaint);
Bytes certificate_body(const Json& certificate);
Bytes announce_body(const Json& announcement);
Bytes link_body(const Json& link);
Bytes repair_request_body(const Json& request);
Bytes repair_delta_body(const Json& delta);
Bytes repair_sigma_body(const Json& sigma);
Bytes repair_complaint_body(const Json& complaint);

// The parsed object, or a failed test and a broken run.
template <class M>
M parsed(const Bytes& body) {
  auto message = M::parse(body);
  if (!message) throw std::runtime_error(message.error().message);
  return *message;
}

}  // namespace kms::dkg::test
