#include "dkg/epoch.h"

#include "base/assert.h"

namespace kms::dkg {
namespace {

Result<void> check_names(const Link& link, const EpochRecord* previous) {
  const CeremonyHeader& header = link.header;
  if (!previous) {
    if (header.epoch != 0) return error("epoch " + std::to_string(header.epoch) + " has no link before it");
    return {};
  }
  bool follows = header.epoch == std::uint64_t{previous->header.epoch} + 1 && header.terms == previous->header.terms &&
                 header.old == previous->as_old();
  if (!follows) return error("epoch " + std::to_string(header.epoch) + " does not continue the link before it");
  return {};
}

// What a list must count: q dealers or more in a DKG, exactly t of O in a reshare, none in an IMPORT.
bool list_fits(const CeremonyHeader& header, const DealList& list) {
  std::size_t dealers = header.old ? header.old->threshold.n() : header.members.size();
  for (const DealRef& ref : list) {
    if (ref.dealer > dealers) return false;
  }
  if (header.kind == Kind::import) return list.empty();
  return header.old ? list.size() == header.old->threshold.t() : list.size() >= header.threshold.q();
}

Result<void> check_decision(const Link& link, const SlotCommittees& committees, const EpochRecord& record) {
  const Certificate& final = link.final;
  bool is_emergency = final.kind == CertificateKind::emergency;
  bool names_it = final.slot == record.slot() && final.sid == record.sid && final.transcript == record.transcript;
  bool decided = is_emergency || decides(final, link.list);
  if (link.header.emergency && !is_emergency) return error("an emergency header is decided by views");
  if (!names_it || !decided) return error("the link's final certificate decides something else");
  return verify(final, committees);
}

Result<void> check_activation(const Link& link, const SlotCommittees& committees, const EpochRecord& record) {
  const Certificate& activation = link.activation;
  bool names_it = activation.kind == CertificateKind::activation && activation.slot == record.slot() &&
                  activation.transcript == record.transcript && activation.root() == record.root;
  if (!names_it) return error("the link's activation certificate activates something else");
  return verify(activation, committees);
}

// A FATE certificate with the quorum that its slot allows: q_em only beside the EMERGENCY certificate it names.
Result<void> check_fate(const Certificate& fate, const SlotCommittees& committees, const Certificate& final) {
  bool by_emergency = !is_zero(fate.emergency_cert);
  if (by_emergency && (final.kind != CertificateKind::emergency || final.id() != fate.emergency_cert)) {
    return error("the fate names an emergency certificate that is not there");
  }
  return verify(fate, committees);
}

Result<void> check_release(const Link& link, const SlotCommittees& committees, const EpochRecord& record) {
  if (link.header.epoch == 0) {
    if (link.fate || !link.voids.empty()) return error("epoch 0 has no fate and no voided branches");
    return {};
  }
  if (!link.fate) return error("epoch " + std::to_string(link.header.epoch) + " is not released: its fate is missing");
  const Certificate& fate = *link.fate;
  bool releases = fate.slot == record.slot() && fate.sid == record.sid && fate.transcript == record.transcript &&
                  fate_of(fate) == Fate::release;
  if (!releases) return error("the link's fate releases something else");
  return check_fate(fate, committees, link.final);
}

Result<void> check_void(const Certificate& voided, const Certificate* emergency, const SlotId& slot,
                        const SlotCommittees& committees) {
  bool fits = voided.slot == slot && fate_of(voided) == Fate::voided;
  if (!fits) return error("the certificate does not void the branch");
  if (is_zero(voided.emergency_cert)) return verify(voided, committees);
  bool is_there = emergency != nullptr && emergency->kind == CertificateKind::emergency && emergency->slot == slot &&
                  emergency->sid == voided.sid && emergency->transcript == voided.transcript &&
                  emergency->id() == voided.emergency_cert;
  if (!is_there) return error("the fate names an emergency certificate that is not there");
  auto verified = verify(*emergency, committees);
  if (!verified) return verified.error();
  return verify(voided, committees);
}

Result<void> check_voids(const Link& link, const SlotCommittees& committees) {
  const CeremonyHeader& header = link.header;
  if (link.voids.size() != header.branch) {
    return error("branch " + std::to_string(header.branch) + " holds " + std::to_string(link.voids.size()) +
                 " void certificates");
  }
  for (std::uint32_t branch = 0; branch < header.branch; ++branch) {
    const Certificate& voided = link.voids[branch];
    const Certificate* emergency = nullptr;
    for (const Certificate& held : link.emergencies) {
      if (held.id() == voided.emergency_cert) emergency = &held;
    }
    auto verified = check_void(voided, emergency, slot_id(header.terms.key_set, header.epoch, branch), committees);
    if (!verified) return error("branch " + std::to_string(branch) + ": " + verified.error().message);
  }
  if (header.branch > 0 && header.void_cert != link.voids.back().id()) {
    return error("the header names another void certificate");
  }
  return {};
}

Result<void> check_tables(const Link& link, const EpochRecord* previous) {
  if (link.tables.size() != link.header.keys()) return error("the link has a table for another count of keys");
  for (std::size_t k = 0; k < link.tables.size(); ++k) {
    if (!is_consistent(link.tables[k], link.header.threshold)) {
      return error("table " + std::to_string(k + 1) + " is of no polynomial of the threshold's degree");
    }
    if (previous && previous->tables[k].public_key != link.tables[k].public_key) {
      return error("the public key of key " + std::to_string(k + 1) + " changes");
    }
  }
  return {};
}

// The one who made it is its only signer: without the pin anybody's key would do.
Result<void> check_pinned(const Link& link, const std::vector<crypto::Point>& imported) {
  bool is_import = link.header.kind == Kind::import;
  if (is_import == imported.empty()) {
    return error(is_import ? "an imported key, though the network file names none"
                           : "the network file names an imported key, this one is of another kind");
  }
  for (std::size_t k = 0; is_import && k < link.tables.size(); ++k) {
    if (imported.size() != link.tables.size() || imported[k] != link.tables[k].public_key) {
      return error("key " + std::to_string(k + 1) + " is another one than the network file names");
    }
  }
  return {};
}

Result<void> check_import(const Link& link, const EpochRecord& record) {
  bool is_import = link.header.kind == Kind::import;
  if (link.import_proofs.size() != (is_import ? link.tables.size() : 0)) {
    return error("the link's import proofs do not fit its kind");
  }
  for (std::size_t k = 0; k < link.import_proofs.size(); ++k) {
    const crypto::Point& key = link.tables[k].public_key;
    Hash32 context = import_context(link.header.key(static_cast<std::uint32_t>(k + 1)), record.sid);
    if (!crypto::verify_dleq(key, crypto::Point::generator(), key, link.import_proofs[k], crypto::Point::generator(),
                             context)) {
      return error("the import proof of key " + std::to_string(k + 1) + " does not verify");
    }
  }
  return {};
}

}  // namespace

OldEpoch EpochRecord::as_old() const {
  KMS_ASSERT(!is_zero(root));
  return {header.committee().hash(), header.threshold, transcript, root};
}

std::optional<Link> EpochRecord::link() const {
  if (!is_released() || tables.empty()) return std::nullopt;
  return Link{header, list, final, *activation, fate, voids, tables, import_proofs, emergencies};
}

Result<EpochRecord> verify_link(const Link& link, const NetworkId& network, const EpochRecord* previous,
                                const std::vector<crypto::Point>& imported) {
  if (auto names = check_names(link, previous); !names) return names.error();
  if (!list_fits(link.header, link.list)) return error("the link's list does not fit its committee");
  Sid sid = link.header.sid();
  EpochRecord out{link.header,
                  sid,
                  link.list,
                  transcript_hash(sid, link.list),
                  link.final,
                  link.tables,
                  {},
                  link.activation,
                  link.fate,
                  link.voids,
                  link.import_proofs,
                  link.emergencies};
  if (auto tables = check_tables(link, previous); !tables) return tables.error();
  if (!previous) {
    if (auto pinned = check_pinned(link, imported); !pinned) return pinned.error();
  }
  out.root = root_of(out.names(), link.header.threshold, link.tables);
  Committee receivers = link.header.committee();
  Committee deciders = previous ? previous->header.committee() : receivers;
  Threshold deciding = previous ? previous->header.threshold : link.header.threshold;
  SlotCommittees committees{network, deciders, deciding, receivers, link.header.threshold};
  if (auto decided = check_decision(link, committees, out); !decided) return decided.error();
  if (auto activated = check_activation(link, committees, out); !activated) return activated.error();
  if (auto released = check_release(link, committees, out); !released) return released.error();
  if (auto voids = check_voids(link, committees); !voids) return voids.error();
  if (auto import = check_import(link, out); !import) return import.error();
  return out;
}

Result<void> verify_void(const VoidedBranch& voided, const SlotId& slot, const NetworkId& network,
                         const EpochRecord& old) {
  Committee deciders = old.header.committee();
  SlotCommittees committees{network, deciders, old.header.threshold, deciders, old.header.threshold};
  return check_void(voided.fate, voided.emergency ? &*voided.emergency : nullptr, slot, committees);
}

std::vector<KeyShare> key_shares(const EpochNames& names, Position index, std::vector<crypto::SecretScalar> shares) {
  std::vector<KeyShare> out;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    out.push_back(
        {names.key(static_cast<std::uint32_t>(k + 1)), names.epoch, names.transcript, index, std::move(shares[k])});
  }
  return out;
}

}  // namespace kms::dkg
