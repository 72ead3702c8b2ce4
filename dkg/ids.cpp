#include "dkg/ids.h"

#include "base/assert.h"

namespace kms::dkg {

using crypto::Transcript;

ByteArray<28> Label::bytes() const {
  ByteArray<28> out{};
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(chain_id >> (56 - 8 * i));
  std::copy(contract.begin(), contract.end(), out.begin() + 8);
  return out;
}

Label Label::parse(const ByteArray<28>& bytes) {
  Label out;
  for (std::size_t i = 0; i < 8; ++i) out.chain_id = out.chain_id << 8 | bytes[i];
  std::copy(bytes.begin() + 8, bytes.end(), out.contract.begin());
  return out;
}

void append_list(Transcript& transcript, const DealList& list) {
  transcript.count(list.size());
  for (const DealRef& ref : list) transcript.u16(ref.dealer).id(ref.hash);
}

NetworkId network_id(std::string_view name, const Hash32& creation_nonce) {
  return {Transcript("KMS1/network").text(name).bytes(creation_nonce).hash()};
}

FileHash file_hash(ByteView network_file) {
  return {Transcript("KMS1/file").bytes(network_file).hash()};
}

KeySetId key_set_id(const NetworkId& network, const Hash32& creation_nonce, const CommitteeHash& genesis,
                    std::uint16_t threshold, const std::vector<Label>& labels) {
  Transcript transcript("KMS1/ksid");
  transcript.id(network).bytes(creation_nonce).id(genesis).u16(threshold).count(labels.size());
  for (const Label& label : labels) transcript.bytes(label.bytes());
  return {transcript.hash()};
}

KeyId key_id(const KeySetId& key_set, std::uint32_t kappa, const Label& label) {
  return {Transcript("KMS1/keyid").id(key_set).u32(kappa).bytes(label.bytes()).hash()};
}

SlotId slot_id(const KeySetId& key_set, std::uint32_t epoch, std::uint32_t branch) {
  return {Transcript("KMS1/slot").id(key_set).u32(epoch).u32(branch).hash()};
}

TranscriptHash transcript_hash(const Sid& sid, const DealList& list) {
  Transcript transcript("KMS1/T");
  transcript.id(sid);
  append_list(transcript, list);
  return {transcript.hash()};
}

ValueHash value_hash(const SlotId& slot, const Sid& sid, const TranscriptHash& transcript, const DealList& list) {
  Transcript value("KMS1/value");
  value.id(slot).id(sid).id(transcript);
  append_list(value, list);
  return {value.hash()};
}

ValueHash fate_hash(const SlotId& slot, const Sid& sid, const TranscriptHash& transcript, Fate fate) {
  return {Transcript("KMS1/fate").id(slot).id(sid).id(transcript).u8(static_cast<std::uint8_t>(fate)).hash()};
}

Position lead(const SlotId& slot, std::uint32_t x, std::size_t deciders) {
  KMS_ASSERT(deciders >= 1 && deciders <= kMembersMax);
  std::uint64_t place = 0;
  for (std::uint8_t byte : slot.bytes) place = (place * 256 + byte) % deciders;
  return static_cast<Position>((place + x) % deciders + 1);
}

}  // namespace kms::dkg
