// Identifiers, prekeys, certificates, complaints, copied Deals and chains: what the oracle accepts and refuses.
#include "tests/dkg/oracle.h"

namespace kms::dkg::test {
namespace {

TEST(Thresholds, AreThoseOfTheOracleForEverySize) {
  Json json = own_vectors("thresholds.json");
  for (const Json& row : json.at("rows").as_array()) {
    const auto& cells = row.as_array();
    auto threshold = Threshold::make(static_cast<std::uint32_t>(number_of(cells[0])),
                                     static_cast<std::uint32_t>(number_of(cells[1])));
    ASSERT_TRUE(threshold);
    EXPECT_EQ(threshold->f(), number_of(cells[2]));
    EXPECT_EQ(threshold->q(), number_of(cells[3]));
    EXPECT_EQ(threshold->q_em(), number_of(cells[4]));
  }
  EXPECT_EQ(json.at("rows").as_array().size(), 8129u);
}

TEST(Thresholds, RefusePairsThatTheProtocolDoesNotKnow) {
  for (auto [n, t] : {std::pair{0u, 0u}, {1u, 0u}, {2u, 1u}, {3u, 1u}, {3u, 4u}, {129u, 65u}, {65537u, 2u}}) {
    EXPECT_FALSE(Threshold::make(n, t)) << n << ' ' << t;
  }
}

TEST(Identifiers, AreThoseOfTheOracle) {
  Json json = own_vectors("identifiers.json");
  auto nonce = to_array<32>(hex_of(json.at("creation_nonce")));
  NetworkId network = network_id(std::string_view(json.at("name").as_string()), nonce);
  EXPECT_EQ(network, id_of<NetworkId>(json.at("network_id")));
  std::vector<Label> labels;
  for (const Json& entry : json.at("labels").as_array()) {
    labels.push_back({number_of(entry.at("chain_id")), to_array<20>(hex_of(entry.at("contract")))});
    EXPECT_EQ(to_bytes(labels.back().bytes()), hex_of(entry.at("label")));
    EXPECT_EQ(Label::parse(labels.back().bytes()), labels.back());
  }
  auto t = static_cast<std::uint16_t>(number_of(json.at("t")));
  KeySetId key_set = key_set_id(network, nonce, id_of<CommitteeHash>(json.at("committee_hash")), t, labels);
  EXPECT_EQ(key_set, id_of<KeySetId>(json.at("ks_id")));
  for (const Json& entry : json.at("labels").as_array()) {
    auto kappa = static_cast<std::uint32_t>(number_of(entry.at("kappa")));
    EXPECT_EQ(key_id(key_set, kappa, labels[kappa - 1]), id_of<KeyId>(entry.at("key_id")));
  }
  for (const Json& entry : json.at("slots").as_array()) {
    SlotId slot = slot_id(key_set, static_cast<std::uint32_t>(number_of(entry.at("epoch"))),
                          static_cast<std::uint32_t>(number_of(entry.at("branch"))));
    EXPECT_EQ(slot, id_of<SlotId>(entry.at("slot")));
    std::uint32_t x = 0;
    for (const Json& leader : entry.at("leaders").as_array()) EXPECT_EQ(lead(slot, x++, 4), position_of(leader));
  }
  EXPECT_EQ(file_hash(hex_of(json.at("file"))), id_of<FileHash>(json.at("file_hash")));
}

TEST(Prekeys, AnnouncementsOfTheOracleVerifyAndAltersDoNot) {
  Json json = own_vectors("prekeys.json");
  Member owner = Member::of(point_of(json.at("sig_pk")));
  EXPECT_EQ(owner.node, id_of<NodeId>(json.at("node_id")));
  auto network = id_of<NetworkId>(json.at("network_id"));
  auto node = node_key_of(json);
  for (const Json& entry : json.at("announcements").as_array()) {
    auto announce = parsed<PreKeyAnnounce>(announce_body(entry));
    PrekeyScope scope{network, announce.series, announce.key_set, announce.epoch, announce.branch};
    auto verdict = verify_announce(announce, owner, scope);
    EXPECT_TRUE(verdict) << verdict.error().message;
    EXPECT_EQ(to_bytes(announce.signing_digest(network, owner.node)), hex_of(entry.at("digest")));
    Envelope envelope = seal(announce, node, network);
    EXPECT_EQ(to_bytes(envelope.signature->bytes), hex_of(entry.at("sig")));
    EXPECT_TRUE(verify_sender(envelope, announce, owner.key));

    auto swapped = announce;
    std::swap(swapped.prekeys[2], swapped.prekeys[3]);
    EXPECT_FALSE(verify_announce(swapped, owner, scope));
    auto foreign = announce;
    foreign.prekeys[5].pok = announce.prekeys[6].pok;
    EXPECT_FALSE(verify_announce(foreign, owner, scope));
    ++scope.epoch;
    EXPECT_FALSE(verify_announce(announce, owner, scope));
  }
}

TEST(Prekeys, WindowsMadeHereVerifyAndHoldTheirSecrets) {
  Json json = own_vectors("prekeys.json");
  auto node = node_key_of(json);
  Bytes randomness(16 * 32);
  for (std::size_t i = 0; i < randomness.size(); ++i) randomness[i] = static_cast<std::uint8_t>(i * 7 + 1);
  ScriptedEntropy entropy(randomness);
  PrekeyScope scope{id_of<NetworkId>(json.at("network_id")), Series::repair, KeySetId{{1}}, 3, 1};
  PrekeyWindow window = make_prekeys(node, scope, 16, entropy);
  EXPECT_TRUE(verify_announce(window.announce, Member::of(node.public_key()), scope));
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(crypto::multiply_generator(window.secrets[i]), crypto::Element(window.announce.prekeys[i].key));
  }
}

TEST(Certificates, OfTheOracleVerifyAndItsForgeriesDoNot) {
  Json json = own_vectors("certificates.json");
  Committee committee = committee_of(json.at("committee"));
  auto quorum = static_cast<std::uint16_t>(number_of(json.at("quorum")));
  auto network = id_of<NetworkId>(json.at("network_id"));
  auto slot = id_of<SlotId>(json.at("slot"));
  DealList list = list_of(json.at("list"));
  auto accepts = [&](const Certificate& certificate) {
    if (certificate.slot != slot) return false;
    bool is_slot_final = certificate.kind == CertificateKind::final && certificate.instance == Instance::slot;
    if (is_slot_final && !decides(certificate, list)) return false;
    return verify(certificate, network, {committee, quorum}).has_value();
  };
  for (const Json& entry : json.at("accepted").as_array()) {
    auto certificate = parsed<Certificate>(certificate_body(entry.at("certificate")));
    EXPECT_TRUE(accepts(certificate)) << entry.at("name");
    EXPECT_EQ(certificate.id(), id_of<CertificateId>(entry.at("certificate").at("id")));
    std::size_t i = 0;
    for (const IndexedSignature& vote : certificate.signatures) {
      EXPECT_EQ(to_bytes(certificate.vote_digest(network, committee.at(vote.index).node, vote.index)),
                hex_of(entry.at("digests").as_array()[i++]));
    }
  }
  for (const Json& entry : json.at("refused").as_array()) {
    auto certificate = Certificate::parse(certificate_body(entry.at("certificate")));
    EXPECT_FALSE(certificate && accepts(*certificate)) << entry.at("case");
  }
}

TEST(Certificates, OfReadysDoNotCountAbsentMembers) {
  Json json = own_vectors("reshare.json");
  auto candidate = parsed<Certificate>(certificate_body(json.at("certificates").at("candidate")));
  SlotCommittees committees{id_of<NetworkId>(json.at("network_id")), committee_of(json.at("old").at("committee")),
                            threshold_of(json.at("old").at("committee")), committee_of(json.at("committee")),
                            threshold_of(json.at("committee"))};
  EXPECT_TRUE(verify(candidate, committees));
  committees.absent = {candidate.signatures[1].index};
  EXPECT_FALSE(verify(candidate, committees));
  auto activation = parsed<Certificate>(certificate_body(json.at("certificates").at("activation")));
  EXPECT_TRUE(verify(activation, committees));  // CONFIRM is open to absent members once they are repaired
}

TEST(Certificates, BuiltFromTheirVotesAreThoseOfTheOracle) {
  Json json = own_vectors("dkg.json");
  auto signatures = [](const Certificate& certificate) {
    Signatures out = certificate.signatures;
    std::reverse(out.begin(), out.end());
    return out;
  };
  auto read = [&](const char* name) { return parsed<Certificate>(certificate_body(json.at("certificates").at(name))); };
  auto slot = id_of<SlotId>(json.at("slot"));
  auto sid = id_of<Sid>(json.at("sid"));
  auto transcript = id_of<TranscriptHash>(json.at("T"));
  auto value = id_of<ValueHash>(json.at("value"));
  Certificate candidate = candidate_certificate(Ready{slot, sid, transcript, 1}, signatures(read("candidate")));
  EXPECT_EQ(candidate.body(), read("candidate").body());
  Vote vote{Instance::slot, slot, 1, VoteKind::notarize, value};
  EXPECT_EQ(view_certificate(vote, {}, signatures(read("notar"))).body(), read("notar").body());
  vote.kind = VoteKind::finalize;
  EXPECT_EQ(final_certificate(vote, sid, transcript, {}, signatures(read("final"))).body(), read("final").body());
  Confirm confirm{slot, transcript, id_of<Root>(json.at("root")), 1};
  EXPECT_EQ(activation_certificate(confirm, {}, signatures(read("activation"))).body(), read("activation").body());
  Json voided = own_vectors("chain.json").at("voided_branch");
  auto approvals = parsed<Certificate>(certificate_body(voided.at("void_approvals")));
  EXPECT_EQ(void_certificate(approvals.slot, approvals.sid, approvals.transcript, {}, signatures(approvals)).body(),
            approvals.body());
}

TEST(Complaints, ConvictTheDealerOrTheReceiverAsTheOracleSays) {
  Json json = own_vectors("complaint.json");
  auto deal = parsed<Deal>(deal_body(json.at("deal")));
  DealHash hash = deal.hash();
  DealTerms terms{deal.sid, Base::h, 2, Threshold::make(4, 3).value(), 4, {}, {}};
  for (const Json& key : json.at("deal").at("receivers").as_array()) terms.prekeys.push_back(point_of(key));
  ASSERT_TRUE(check_deal(terms, deal));
  for (const Json& entry : json.at("valid").as_array()) {
    auto complaint = parsed<Complaint>(complaint_body(entry.at("complaint")));
    EXPECT_EQ(judge(terms, deal, hash, complaint), ComplaintVerdict::convicts_dealer);
    auto secret = secret_of(json.at("prekey_secrets").as_array()[complaint.receiver - 1u]);
    auto bad = open_shares(terms, deal, complaint.receiver, secret);
    ASSERT_TRUE(std::holds_alternative<BadShare>(bad));
    auto made = make_complaint(terms, deal, hash, complaint.receiver, complaint.kappa, secret,
                               to_array<32>(hex_of(entry.at("rand"))));
    EXPECT_EQ(made.body(), complaint.body());
  }
  for (const Json& entry : json.at("invalid").as_array()) {
    auto complaint = Complaint::parse(complaint_body(entry.at("complaint")));
    if (!complaint) continue;
    auto expected = complaint->deal == hash ? ComplaintVerdict::convicts_receiver : ComplaintVerdict::irrelevant;
    EXPECT_EQ(judge(terms, deal, hash, *complaint), expected) << entry.at("case");
  }
  auto complaint = parsed<Complaint>(complaint_body(json.at("valid").as_array()[0].at("complaint")));
  complaint.kappa = 3;
  EXPECT_EQ(judge(terms, deal, hash, complaint), ComplaintVerdict::convicts_receiver);
  terms.prekeys[complaint.receiver - 1u].reset();
  EXPECT_EQ(judge(terms, deal, hash, complaint), ComplaintVerdict::irrelevant);
}

TEST(Deals, CopiedOnesAreRefused) {
  Json json = own_vectors("copied_deals.json");
  DealTerms terms{id_of<Sid>(json.at("sid")),
                  Base::h,
                  2,
                  Threshold::make(4, 3).value(),
                  4,
                  std::vector<std::optional<crypto::Point>>(4, crypto::Point::generator()),
                  {}};
  for (const Json& entry : json.at("refused").as_array()) {
    auto deal = Deal::parse(deal_body(entry.at("deal")));
    EXPECT_FALSE(deal && check_deal(terms, *deal)) << entry.at("case");
  }
}

class Chain : public testing::Test {
 protected:
  Chain() : json_(own_vectors("chain.json")), network_(id_of<NetworkId>(json_.at("network_id"))) {
    for (const Json& link : json_.at("links").as_array()) links_.push_back(parsed<Link>(link_body(link)));
  }
  // The text of the first fault, or nothing.
  std::optional<std::string> fault(const std::vector<Link>& links) const {
    std::optional<EpochRecord> last;
    for (const Link& link : links) {
      auto record = verify_link(link, network_, last ? &*last : nullptr);
      if (!record) return record.error().message;
      last = std::move(*record);
    }
    EXPECT_EQ(last->transcript, id_of<TranscriptHash>(json_.at("head").at("T")));
    EXPECT_EQ(last->root, id_of<Root>(json_.at("head").at("root")));
    EXPECT_EQ(last->link()->body(), links.back().body());
    return std::nullopt;
  }
  Json json_;
  NetworkId network_;
  std::vector<Link> links_;
};

TEST_F(Chain, OfThreeEpochsWithAVoidedBranchVerifies) {
  EXPECT_EQ(fault(links_), std::nullopt);
  Bytes body = EpochChain{links_}.body();
  EXPECT_EQ(parsed<EpochChain>(body).body(), body);
}

TEST_F(Chain, WithALinkAlteredIsRefused) {
  auto without_fate = links_;
  without_fate[1].fate.reset();
  EXPECT_THAT(fault(without_fate), testing::Optional(testing::HasSubstr("not released")));
  auto without_void = links_;
  without_void[2].voids.clear();
  EXPECT_THAT(fault(without_void), testing::Optional(testing::HasSubstr("void certificates")));
  auto fate_in_genesis = links_;
  fate_in_genesis[0].fate = links_[1].fate;
  EXPECT_THAT(fault(fate_in_genesis), testing::Optional(testing::HasSubstr("no fate")));
  EXPECT_THAT(fault({links_[0], links_[2]}), testing::Optional(testing::HasSubstr("does not continue")));
  EXPECT_THAT(fault({links_[1]}), testing::Optional(testing::HasSubstr("no link before")));
  auto foreign_activation = links_;
  foreign_activation[1].activation = links_[0].activation;
  EXPECT_THAT(fault(foreign_activation), testing::Optional(testing::HasSubstr("activates something else")));
  auto voided = links_;
  voided[2].fate = parsed<Certificate>(certificate_body(json_.at("voided_branch").at("fate")));
  EXPECT_THAT(fault(voided), testing::Optional(testing::HasSubstr("releases something else")));
  auto reversed = links_;
  std::reverse(reversed[1].tables[0].shares.begin(), reversed[1].tables[0].shares.end());
  EXPECT_THAT(fault(reversed), testing::Optional(testing::HasSubstr("polynomial")));
  auto short_list = links_;
  short_list[1].list.pop_back();
  EXPECT_THAT(fault(short_list), testing::Optional(testing::HasSubstr("list")));
  auto under_quorum = links_;
  under_quorum[1].final.signatures.pop_back();
  EXPECT_THAT(fault(under_quorum), testing::Optional(testing::HasSubstr("are needed")));
}

}  // namespace
}  // namespace kms::dkg::test
