#include "tests/dkg/samples.h"

#include "tests/dkg/oracle.h"

namespace kms::dkg::test {
namespace {

template <class Id>
Id filled(std::uint8_t byte) {
  Id out;
  out.bytes.fill(byte);
  return out;
}

template <class M>
void add(std::vector<Sample>& out, const M& message, std::string shape = "") {
  out.push_back({std::string(name_of(M::kType)), std::move(shape), message.body(), [](ByteView body) {
                   auto read = M::parse(body);
                   return read ? std::optional(read->body()) : std::nullopt;
                 }});
}

void add_approvals(std::vector<Sample>& out, const Signature& signature) {
  Approval approval;
  approval.key_set = filled<KeySetId>(1);
  approval.epoch = 4;
  approval.index = 3;
  approval.signature = signature;
  Approval reshare = approval;
  reshare.branch = 1;
  reshare.root = filled<Root>(2);
  reshare.members = filled<CommitteeHash>(3);
  reshare.threshold = 3;
  reshare.file = filled<FileHash>(4);
  reshare.not_after = std::uint64_t{1} << 40;
  add(out, reshare, "RESHARE");
  Approval voided = approval;
  voided.purpose = ApprovalPurpose::voided;
  voided.branch = 2;
  voided.sid = filled<Sid>(5);
  voided.transcript = filled<TranscriptHash>(6);
  add(out, voided, "VOID");
  Approval repair = approval;
  repair.purpose = ApprovalPurpose::repair;
  repair.transcript = filled<TranscriptHash>(6);
  repair.subject = 128;
  repair.not_after = 9;
  add(out, repair, "REPAIR");
}

void add_agreement(std::vector<Sample>& out, const Json& dkg) {
  auto slot = id_of<SlotId>(dkg.at("slot"));
  auto sid = id_of<Sid>(dkg.at("sid"));
  auto transcript = id_of<TranscriptHash>(dkg.at("T"));
  DealList list = list_of(dkg.at("list"));
  add(out, Candidate{slot, sid, 2, 1, list});
  add(out, Candidate{slot, sid, 0, 0, list}, "emergency");
  add(out, Ready{slot, sid, transcript, 4});
  add(out, Value{slot, sid, list});
  Proposal proposal{Instance::slot,
                    slot,
                    5,
                    sid,
                    transcript,
                    list,
                    {},
                    filled<CertificateId>(7),
                    2,
                    filled<CertificateId>(8),
                    {filled<CertificateId>(9), filled<CertificateId>(10)}};
  add(out, proposal, "SLOT");
  add(out, Proposal{Instance::fate, slot, 1, sid, transcript, {}, Fate::voided, filled<CertificateId>(7), 0, {}, {}},
      "FATE");
  add(out, Vote{Instance::slot, slot, 3, VoteKind::notarize, filled<ValueHash>(1)}, "NOTARIZE");
  add(out, Vote{Instance::fate, slot, 3, VoteKind::nullify, {}}, "NULLIFY");
  Active active{slot, transcript, 1, {}};
  for (const Json& key : dkg.at("actives").as_array()[0].at("keys").as_array()) {
    active.keys.push_back({point_of(key.at("S_i")), crypto::DleqProof::parse(hex_of(key.at("proof"))).value()});
  }
  add(out, active);
  add(out, Confirm{slot, transcript, id_of<Root>(dkg.at("root")), 2});
  add(out, Emergency{slot, sid, transcript, 2});
  add(out, Erased{slot, transcript});
}

void add_repair(std::vector<Sample>& out) {
  const Json json = own_vectors("repair.json");
  auto request = parsed<RepairRequest>(repair_request_body(json.at("request")));
  add(out, request);
  Approval approval;
  approval.purpose = ApprovalPurpose::repair;
  approval.key_set = request.key_set;
  approval.transcript = request.transcript;
  approval.subject = request.index;
  approval.not_after = 9;
  approval.signature = Signature::parse(hex_of(json.at("request_signature").at("sig"))).value();
  for (Position index : {Position{1}, Position{3}}) {
    approval.index = index;
    request.ticket.push_back(approval);
  }
  add(out, request, "ticket");
  const Json& giver = json.at("givers").as_array()[0];
  add(out, parsed<RepairDelta>(repair_delta_body(giver.at("delta"))));
  add(out, parsed<RepairSigma>(repair_sigma_body(giver.at("sigma"))));
  for (const char* wrong : {"wrong_delta", "wrong_sigma"}) {
    add(out, parsed<RepairComplaint>(repair_complaint_body(json.at(wrong).at("complaint"))), wrong);
  }
}

void add_objects(std::vector<Sample>& out) {
  add(out, HaveObjects{filled<SlotId>(1).bytes, {filled<ObjectId>(2), ObjectId{}}});
  add(out, Fetch{{filled<ObjectId>(2), filled<ObjectId>(3)}});
  add(out, FetchReply{{Bytes{1, 2, 3}, Bytes(300, 7)}});
  add(out, Equivocation{EquivocationKind::prekey, Bytes{1}, Bytes(200, 2)});
  NodeStatus status;
  status.entries.push_back({filled<KeySetId>(1), 1, 2, filled<TranscriptHash>(3), 4, 5, 6, 7});
  status.entries.push_back({filled<KeySetId>(2), 0, 0, {}, 0, 0, 0, 0});
  add(out, status);
}

std::vector<Sample> make_samples() {
  std::vector<Sample> out;
  Json dkg = own_vectors("dkg.json");
  Json reshare = own_vectors("reshare.json");
  Json chain = own_vectors("chain.json");
  add(out, parsed<PreKeyAnnounce>(announce_body(own_vectors("prekeys.json").at("announcements").as_array()[1])));
  add_approvals(out, Signature::parse(hex_of(dkg.at("signatures").as_array()[0].at("sig"))).value());
  add(out, parsed<CeremonyHeader>(header_body(dkg.at("header"))), "DKG");
  add(out, parsed<CeremonyHeader>(header_body(reshare.at("header"))), "RESHARE");
  add(out, parsed<CeremonyHeader>(header_body(chain.at("links").as_array()[2].at("header"))), "REFRESH");
  add(out, parsed<CeremonyHeader>(header_body(chain.at("voided_branch").at("header"))), "absent");
  add(out, parsed<Deal>(deal_body(dkg.at("deals").as_array()[0])));
  add(out, parsed<Complaint>(complaint_body(own_vectors("complaint.json").at("valid").as_array()[0].at("complaint"))));
  for (const auto& [name, json] : dkg.at("certificates").as_object()) {
    add(out, parsed<Certificate>(certificate_body(json)), std::string(name));
  }
  add(out, parsed<Certificate>(certificate_body(chain.at("voided_branch").at("void_approvals"))), "void");
  add_agreement(out, dkg);
  add_repair(out);
  add_objects(out);
  EpochChain epochs;
  for (const Json& link : chain.at("links").as_array()) epochs.links.push_back(parsed<Link>(link_body(link)));
  add(out, epochs);
  return out;
}

}  // namespace

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = make_samples();
  return all;
}

}  // namespace kms::dkg::test
