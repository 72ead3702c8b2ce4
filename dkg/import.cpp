#include "dkg/import.h"

#include "base/assert.h"
#include "dkg/slot_context.h"

namespace kms::dkg {
namespace {

Result<void> check_keys(const Plan& plan, const std::vector<crypto::SecretScalar>& keys) {
  if (keys.size() != plan.imported.size()) {
    return error("the network file names " + std::to_string(plan.imported.size()) + " imported keys, " +
                 std::to_string(keys.size()) + " are given");
  }
  for (std::size_t k = 0; k < keys.size(); ++k) {
    const std::string chain = "the key of chain " + std::to_string(plan.labels[k].chain_id);
    if (keys[k].is_zero()) return error(chain + " is zero");
    const crypto::Point point = crypto::multiply_generator(keys[k]).point();
    if (point == plan.imported[k]) continue;
    return error(chain + " has the public key " + to_0x(point.bytes()) + ", the network file names " +
                 to_0x(plan.imported[k].bytes()));
  }
  return {};
}

// Also of an epoch that is over: its key was here, and went to others.
Result<void> check_first(const SlotContext& slot, const Records& records) {
  for (const char* name : {"link", "share", "erased"}) {
    const auto known = records.list(slot.prefix + name);
    if (!known.empty()) return error("this node has imported its key already: a key is imported once");
  }
  return {};
}

CeremonyHeader header_of(const SlotContext& slot) {
  return {.kind = Kind::import,
          .emergency = false,
          .terms = slot.terms(),
          .epoch = 0,
          .branch = 0,
          .void_cert = {},
          .attempt = 0,
          .initiator = 1,
          .old = {},
          .members = {{slot.plan.members.at(1), std::nullopt}},
          .threshold = slot.plan.threshold,
          .file = slot.plan.file,
          .not_after = slot.plan.not_after,
          .approvals = {},
          .registry_ref = {}};
}

template <class M>
Signatures sign(const SlotContext& slot, const M& message) {
  return {{1, slot.key->sign(message.signing_digest(slot.plan.network_id, slot.self))}};
}

Link link_of(const SlotContext& slot, const std::vector<crypto::SecretScalar>& keys) {
  const CeremonyHeader header = header_of(slot);
  const Sid sid = header.sid();
  const TranscriptHash transcript = transcript_hash(sid, {});
  std::vector<KeyTable> tables;
  std::vector<crypto::DleqProof> proofs;
  for (std::size_t k = 0; k < keys.size(); ++k) {
    const crypto::Point& key = slot.plan.imported[k];
    tables.push_back({key, {key}});
    const auto context = import_context(header.key(static_cast<std::uint32_t>(k + 1)), sid);
    auto proof = crypto::prove_dleq(keys[k], crypto::Point::generator(), slot.entropy->array<32>(),
                                    crypto::Point::generator(), context);
    KMS_ASSERT(proof.has_value());
    proofs.push_back(*proof);
  }
  const Root root = root_of(epoch_names(header, transcript), header.threshold, tables);
  const Vote vote{Instance::slot, slot.slot, 1, VoteKind::finalize, value_hash(slot.slot, sid, transcript, {})};
  const Confirm confirm{slot.slot, transcript, root, 1};
  return {header,
          {},
          final_certificate(vote, sid, transcript, {}, sign(slot, vote)),
          activation_certificate(confirm, {}, sign(slot, confirm)),
          {},
          {},
          std::move(tables),
          std::move(proofs)};
}

}  // namespace

Result<Effects> import_keys(const Plan& plan, Self self, const std::vector<crypto::SecretScalar>& keys,
                            const Records& records, Entropy& entropy) {
  if (plan.kind() != Kind::import) return error("the network file names no key to import");
  auto slot = SlotContext::make(plan, self, entropy);
  if (!slot) return slot.error();
  if (auto first = check_first(*slot, records); !first) return first.error();
  if (auto checked = check_keys(plan, keys); !checked) return checked.error();
  const Link link = link_of(*slot, keys);
  KMS_ASSERT(verify_link(link, plan.network_id, nullptr, plan.imported).has_value());
  Effects out;
  out.save.writes.push_back(Seal{slot->prefix + "share", slot->kek_of_epoch(), pack_shares(keys)});
  out.save.writes.push_back(Put{slot->prefix + "link", link.body()});
  out.report.push_back({Event::Kind::phase, "released: the key of this epoch was imported", 0, {}});
  return out;
}

}  // namespace kms::dkg
