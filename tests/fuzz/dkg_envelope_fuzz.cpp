// dkg/: envelopes and the batches that gossip carries them in.
#include "dkg/envelope.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::dkg;

namespace {

void check_envelope(const Envelope& envelope) {
  KMS_ASSERT(envelope.signature.has_value() == is_signed(envelope.type));
  KMS_ASSERT(envelope.body.size() <= Envelope::kBodyBytesMax);
  auto message = parse_message(envelope);
  if (message) object_id(envelope, *message);
}

}  // namespace

KMS_FUZZER(dkg_envelope) {
  if (auto envelope = Envelope::parse(input)) {
    KMS_ASSERT(equal(envelope->encode(), input));
    check_envelope(*envelope);
  }
  if (auto batch = Batch::parse(input)) {
    KMS_ASSERT(!batch->items.empty() && batch->items.size() <= Batch::kItemsMax);
    KMS_ASSERT(equal(batch->encode(), input));
    for (const Envelope& envelope : batch->items) check_envelope(envelope);
  }
}
