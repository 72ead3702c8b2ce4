// Checks 2 to 6 of PROTOCOL.md 4.1: the oracle's headers and each fault by name.
#include "tests/dkg/oracle.h"

namespace kms::dkg::test {
namespace {

// The number of the first check that refuses; 0 for the codec, nothing if all pass.
std::optional<int> refused_by(const Json& json, const Json& entry) {
  Committee old_committee = committee_of(json.at("old").at("committee"));
  Threshold old_threshold = threshold_of(json.at("old").at("committee"));
  auto network = id_of<NetworkId>(json.at("network_id"));
  auto header = CeremonyHeader::parse(header_body(entry.at("header")));
  if (!header) return 0;
  EXPECT_EQ(header->sid(), id_of<Sid>(entry.at("sid")));
  Position leader = lead(header->slot(), header->attempt, old_committee.size());
  Position signer = entry.as_object().contains("signer") ? position_of(entry.at("signer")) : leader;
  if (header->initiator != leader || signer != leader) return 1;
  auto good = parsed<CeremonyHeader>(header_body(json.at("accepted").as_array()[0].at("header")));
  if (check_terms(*header, good.terms, 0u, {})) return 2;
  if (check_threshold(*header, LowerThreshold::refused)) return 3;
  if (header->kind == Kind::reshare && check_approvals(*header, network, old_committee)) return 4;
  OldEpoch own{old_committee.hash(), old_threshold, id_of<TranscriptHash>(json.at("old").at("T_e")),
               id_of<Root>(json.at("old").at("root_e"))};
  if (check_old_epoch(*header, own)) return 5;
  if (check_members(*header, network)) return 6;
  return std::nullopt;
}

TEST(Headers, AcceptedOnesPassEveryCheck) {
  Json json = own_vectors("headers.json");
  for (const Json& entry : json.at("accepted").as_array()) EXPECT_EQ(refused_by(json, entry), std::nullopt);
}

TEST(Headers, EachCheckRefusesItsCases) {
  Json json = own_vectors("headers.json");
  std::set<int> by_checks;
  for (const Json& entry : json.at("refused").as_array()) {
    auto verdict = refused_by(json, entry);
    std::string name(entry.at("case").as_string());
    ASSERT_TRUE(verdict) << name;
    // What the types cannot hold is refused before any check; else by the check that the oracle names, or, where a
    // case breaks an earlier signature too, by that one.
    EXPECT_LE(*verdict, static_cast<int>(number_of(entry.at("check")))) << name;
    by_checks.insert(*verdict);
  }
  EXPECT_THAT(by_checks, testing::IsSupersetOf({0, 1, 3, 4, 6}));
}

class HeaderChecks : public testing::Test {
 protected:
  HeaderChecks()
      : json_(own_vectors("reshare.json")),
        header_(parsed<CeremonyHeader>(header_body(json_.at("header")))),
        network_(id_of<NetworkId>(json_.at("network_id"))),
        old_committee_(committee_of(json_.at("old").at("committee"))) {}
  Json json_;
  CeremonyHeader header_;
  NetworkId network_;
  Committee old_committee_;
};

TEST_F(HeaderChecks, TermsOfTheKeySetMustNotChange) {
  auto known = header_.terms;
  known.origin = Origin::imported;
  EXPECT_EQ(check_terms(header_, known, 0, {}), HeaderFault::key_set_terms_differ);
  known = header_.terms;
  known.decider = Decider::contract;
  EXPECT_EQ(check_terms(header_, known, 0, {}), HeaderFault::key_set_terms_differ);
  known = header_.terms;
  known.labels.pop_back();
  EXPECT_EQ(check_terms(header_, known, 0, {}), HeaderFault::key_set_terms_differ);
}

TEST_F(HeaderChecks, EpochMustFollowTheRecord) {
  EXPECT_EQ(check_terms(header_, header_.terms, 1, {}), HeaderFault::epoch_does_not_follow);
  EXPECT_EQ(check_terms(header_, header_.terms, std::nullopt, {}), HeaderFault::epoch_does_not_follow);
}

TEST_F(HeaderChecks, BranchMustNameTheCertificateThatVoidedTheOneBefore) {
  CertificateId voided{{7}};
  header_.branch = 1;
  header_.void_cert = voided;
  EXPECT_EQ(check_terms(header_, header_.terms, 0, voided), std::nullopt);
  EXPECT_EQ(check_terms(header_, header_.terms, 0, CertificateId{{8}}), HeaderFault::void_certificate_differs);
  header_.void_cert = {};
  EXPECT_EQ(check_terms(header_, header_.terms, 0, {}), HeaderFault::void_certificate_differs);
}

TEST_F(HeaderChecks, ThresholdMayOnlyFallWithPermissionAndNeverBelowTwo) {
  header_.threshold = Threshold::make(5, 2).value();
  EXPECT_EQ(check_threshold(header_, LowerThreshold::refused), HeaderFault::threshold_lowered);
  EXPECT_EQ(check_threshold(header_, LowerThreshold::allowed), std::nullopt);
  header_.threshold = Threshold::make(1, 1).value();
  EXPECT_EQ(check_threshold(header_, LowerThreshold::allowed), HeaderFault::threshold_too_low);
  header_.kind = Kind::refresh;
  header_.threshold = header_.old->threshold;
  EXPECT_EQ(check_threshold(header_, LowerThreshold::allowed), HeaderFault::refresh_changes_committee);
}

TEST_F(HeaderChecks, ApprovalsAreCountedVerifiedAndExpire) {
  EXPECT_EQ(check_approvals(header_, network_, old_committee_), std::nullopt);
  EXPECT_EQ(check_approvals(header_, NetworkId{{1}}, old_committee_), HeaderFault::approval_invalid);
  EXPECT_EQ(check_expiry(header_, header_.not_after), std::nullopt);
  EXPECT_EQ(check_expiry(header_, header_.not_after + 1), HeaderFault::approvals_expired);
  header_.approvals.pop_back();
  EXPECT_EQ(check_approvals(header_, network_, old_committee_), HeaderFault::approvals_missing);
  header_.emergency = true;  // q_em = 3 of 4
  EXPECT_EQ(check_approvals(header_, network_, old_committee_), std::nullopt);
  header_.approvals.clear();
  header_.kind = Kind::refresh;
  EXPECT_EQ(check_approvals(header_, network_, old_committee_), std::nullopt);
}

TEST_F(HeaderChecks, OldEpochAndOwnPrekeyMustBeTheOwnOnes) {
  OldEpoch own = *header_.old;
  own.root.bytes[0] ^= 1;
  EXPECT_EQ(check_old_epoch(header_, own), HeaderFault::old_epoch_differs);
  EXPECT_EQ(check_own_prekey(header_, 1, header_.members[0].prekey->key), std::nullopt);
  EXPECT_EQ(check_own_prekey(header_, 1, header_.members[1].prekey->key), HeaderFault::own_prekey_unknown);
  EXPECT_EQ(check_own_prekey(header_, 1, std::nullopt), HeaderFault::own_prekey_unknown);
  header_.members[0].prekey.reset();
  EXPECT_EQ(check_own_prekey(header_, 1, std::nullopt), std::nullopt);
  EXPECT_EQ(check_members(header_, network_), std::nullopt);
  header_.members[1].prekey.reset();
  EXPECT_EQ(check_members(header_, network_), HeaderFault::too_many_absent);
}

TEST_F(HeaderChecks, GenesisMustAgreeWithTheOwnFile) {
  Json dkg = own_vectors("dkg.json");
  auto header = parsed<CeremonyHeader>(header_body(dkg.at("header")));
  Committee committee = committee_of(dkg.at("committee"));
  EXPECT_EQ(check_genesis(header, committee, header.threshold, header.file), std::nullopt);
  EXPECT_EQ(check_genesis(header, committee, header.threshold, FileHash{{1}}),
            HeaderFault::committee_differs_from_file);
  EXPECT_EQ(check_genesis(header, committee, Threshold::make(4, 2).value(), header.file),
            HeaderFault::committee_differs_from_file);
  EXPECT_EQ(check_genesis(header, committee_of(json_.at("committee")), header.threshold, header.file),
            HeaderFault::committee_differs_from_file);
}

}  // namespace
}  // namespace kms::dkg::test
