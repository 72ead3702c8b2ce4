// One whole DKG (4, 3) and one reshare of it to other members (5, 3), byte by byte as the oracle has them.
#include "tests/dkg/oracle.h"

namespace kms::dkg::test {
namespace {

class CeremonyVectors : public testing::TestWithParam<const char*> {
 protected:
  CeremonyVectors() : json_(own_vectors(GetParam())), header_(parsed<CeremonyHeader>(header_body(at("header")))) {
    for (const Json& key : at("keys").as_array()) keys_.push_back(&key);
    names_ = epoch_names(header_, id_of<TranscriptHash>(at("T")));
  }

  const Json& at(const char* name) const { return json_.at(name); }
  bool is_reshare() const { return header_.old.has_value(); }
  const Json& deciders() const { return is_reshare() ? at("old").at("committee") : at("committee"); }
  NetworkId network() const { return id_of<NetworkId>(at("network_id")); }
  const Json& member(const Json& committee, std::uint64_t index) const {
    return committee.at("members").as_array()[index - 1];
  }
  DealTerms terms() const {
    std::vector<std::vector<crypto::Element>> old;
    if (is_reshare()) {
      for (const KeyTable& table : tables_of(at("old").at("tables"))) old.push_back(table.shares);
    }
    return deal_terms(header_, header_.sid(), std::move(old));
  }
  std::vector<crypto::SecretScalar> old_shares(std::uint64_t dealer) const {
    std::vector<crypto::SecretScalar> out;
    if (!is_reshare()) return out;
    for (const Json& key : at("old").at("shares").as_array()) {
      out.push_back(secret_of(key.as_array()[dealer - 1]));
    }
    return out;
  }
  std::vector<Deal> deals() const {
    std::vector<Deal> out;
    for (const Json& deal : at("deals").as_array()) out.push_back(parsed<Deal>(deal_body(deal)));
    return out;
  }
  // s_i of every key for one receiver, opened from the Deals.
  std::vector<crypto::SecretScalar> shares_of(Position receiver) const {
    std::vector<OwnShares> opened;
    crypto::SecretScalar secret = secret_of(at("prekeys").as_array()[receiver - 1u].at("b"));
    for (const Deal& deal : deals()) {
      auto shares = open_shares(terms(), deal, receiver, secret);
      EXPECT_TRUE(std::holds_alternative<OwnShares>(shares));
      opened.push_back(std::move(std::get<OwnShares>(shares)));
    }
    return combine_shares(combination_weights(header_.kind, list_of(at("list"))), opened);
  }

  Json json_;
  CeremonyHeader header_;
  std::vector<const Json*> keys_;
  EpochNames names_;
};

TEST_P(CeremonyVectors, CommitteeIsSortedAndHashed) {
  Committee committee = committee_of(at("committee"));
  EXPECT_EQ(committee.hash(), id_of<CommitteeHash>(at("committee").at("hash")));
  for (const Json& entry : at("committee").at("members").as_array()) {
    Position position = position_of(entry.at("index"));
    EXPECT_EQ(committee.at(position).node, id_of<NodeId>(entry.at("node_id")));
    EXPECT_EQ(committee.position_of(point_of(entry.at("sig_pk"))), position);
  }
  EXPECT_EQ(threshold_of(at("committee")).q(), number_of(at("committee").at("q")));
}

TEST_P(CeremonyVectors, PrekeysAreMadeAndVerified) {
  PrekeyScope scope{network(), Series::ceremony, header_.terms.key_set, header_.epoch, header_.branch};
  for (const Json& entry : at("prekeys").as_array()) {
    const Json& owner = member(at("committee"), number_of(entry.at("index")));
    auto number = static_cast<std::uint32_t>(number_of(entry.at("number")));
    ScriptedEntropy entropy(hex_of(entry.at("rand")));
    SignedPrekey prekey = sign_prekey(node_key_of(owner), scope, number, secret_of(entry.at("b")), entropy);
    EXPECT_EQ(prekey.key, point_of(entry.at("B")));
    EXPECT_EQ(to_bytes(prekey.pok.bytes()), hex_of(entry.at("pok")));
    EXPECT_EQ(to_bytes(prekey.psig.bytes), hex_of(entry.at("psig")));
    Member of = Member::of(point_of(owner.at("sig_pk")));
    EXPECT_TRUE(verify_prekey(prekey, of, scope, number));
    EXPECT_FALSE(verify_prekey(prekey, of, scope, number + 1));
  }
}

TEST_P(CeremonyVectors, HeaderHasTheSidAndPassesEveryCheck) {
  EXPECT_EQ(header_.body(), header_body(at("header")));
  EXPECT_EQ(header_.sid(), id_of<Sid>(at("sid")));
  EXPECT_EQ(header_.slot(), id_of<SlotId>(at("slot")));
  EXPECT_EQ(header_.initiator, lead(header_.slot(), header_.attempt, committee_of(deciders()).size()));
  std::optional<std::uint32_t> last = is_reshare() ? std::optional(0u) : std::nullopt;
  EXPECT_EQ(check_terms(header_, header_.terms, last, {}), std::nullopt);
  EXPECT_EQ(check_threshold(header_, LowerThreshold::refused), std::nullopt);
  EXPECT_EQ(check_members(header_, network()), std::nullopt);
  if (is_reshare()) {
    EXPECT_EQ(check_approvals(header_, network(), committee_of(deciders())), std::nullopt);
    OldEpoch own{committee_of(deciders()).hash(), threshold_of(deciders()), id_of<TranscriptHash>(at("old").at("T_e")),
                 id_of<Root>(at("old").at("root_e"))};
    EXPECT_EQ(check_old_epoch(header_, own), std::nullopt);
  } else {
    EXPECT_EQ(check_genesis(header_, committee_of(at("committee")), threshold_of(at("committee")), header_.file),
              std::nullopt);
  }
}

TEST_P(CeremonyVectors, DealsAreMadeByteByByteAndPassTheObjectiveChecks) {
  for (const Json& entry : at("deals").as_array()) {
    Position dealer = position_of(entry.at("dealer"));
    const Json& owner = member(deciders(), dealer);
    auto seed = deal_seed(secret_bytes_of(entry.at("rand")), secret_bytes_of(owner.at("node_secret")), header_.sid());
    EXPECT_EQ(to_bytes(seed.expose()), hex_of(entry.at("secret").at("seed")));
    Deal deal = make_deal(terms(), dealer, seed, old_shares(dealer));
    EXPECT_EQ(to_hex(deal.body()), to_hex(deal_body(entry)));
    EXPECT_EQ(deal.core(), to_array<32>(hex_of(entry.at("core"))));
    EXPECT_EQ(deal.hash(), id_of<DealHash>(entry.at("dh")));
    auto verdict = check_deal(terms(), deal);
    EXPECT_TRUE(verdict) << verdict.error().message;
  }
}

TEST_P(CeremonyVectors, ListGivesTAndValue) {
  DealList list = list_of(at("list"));
  EXPECT_EQ(transcript_hash(header_.sid(), list), id_of<TranscriptHash>(at("T")));
  Value value{header_.slot(), header_.sid(), list};
  EXPECT_EQ(value.hash(), id_of<ValueHash>(at("value")));
}

TEST_P(CeremonyVectors, SharesCommitmentsAndVerificationPointsAgree) {
  std::vector<Deal> all = deals();
  std::vector<const Deal*> pointers;
  for (const Deal& deal : all) pointers.push_back(&deal);
  auto weights = combination_weights(header_.kind, list_of(at("list")));
  for (std::uint32_t kappa = 1; kappa <= keys_.size(); ++kappa) {
    const Json& key = *keys_[kappa - 1];
    auto commitments = combine_commitments(header_.kind, weights, pointers, kappa);
    EXPECT_EQ(commitments, elements_of(key.at("commitments")));
    auto points = verification_points(commitments, header_.members.size());
    EXPECT_EQ(points, elements_of(key.at("V")));
    for (Position i = 1; i <= header_.members.size(); ++i) {
      auto shares = shares_of(i);
      EXPECT_EQ(to_bytes(shares[kappa - 1].expose()), hex_of(key.at("shares").as_array()[i - 1u]));
      EXPECT_TRUE(share_fits(header_.base(), shares[kappa - 1], points[i - 1u]));
    }
  }
}

TEST_P(CeremonyVectors, AnyThresholdOfActivesGivesTablesAndRoot) {
  std::vector<KeyTable> tables;
  for (std::uint32_t kappa = 1; kappa <= keys_.size(); ++kappa) {
    const Json& key = *keys_[kappa - 1];
    auto shares = elements_of(key.at("S_i"));
    KeyTable whole{point_of(key.at("S")), shares};
    // Every set of t positions, as bits.
    for (unsigned set = 0; set < 1u << shares.size(); ++set) {
      std::map<Position, crypto::Element> known;
      for (std::size_t i = 0; i < shares.size(); ++i) {
        if (set >> i & 1) known[static_cast<Position>(i + 1)] = shares[i];
      }
      if (known.size() != header_.threshold.t()) continue;
      EXPECT_EQ(complete_table(known, header_.threshold).value(), whole);
    }
    EXPECT_TRUE(is_consistent(whole, header_.threshold));
    EXPECT_EQ(to_bytes(table_hash(names_, kappa, header_.threshold, whole)), hex_of(key.at("table")));
    EXPECT_EQ(names_.key(kappa), id_of<KeyId>(key.at("key_id")));
    tables.push_back(whole);
  }
  EXPECT_EQ(root_of(names_, header_.threshold, tables), id_of<Root>(at("root")));
}

TEST_P(CeremonyVectors, ActivesAreMadeByteByByteAndVerify) {
  for (const Json& entry : at("actives").as_array()) {
    Position index = position_of(entry.at("index"));
    Bytes randomness;
    for (const Json& key : entry.at("keys").as_array()) append(randomness, hex_of(key.at("rand")));
    ScriptedEntropy entropy(randomness);
    Active active = make_active(header_.base(), names_, index, shares_of(index), entropy);
    std::vector<crypto::Element> points;
    for (std::size_t k = 0; k < keys_.size(); ++k) {
      const Json& key = entry.at("keys").as_array()[k];
      EXPECT_EQ(active.keys[k].share, point_of(key.at("S_i")));
      EXPECT_EQ(to_bytes(active.keys[k].proof.bytes()), hex_of(key.at("proof")));
      points.push_back(elements_of(keys_[k]->at("V"))[index - 1u]);
    }
    EXPECT_TRUE(verify_active(active, header_.base(), names_, points));
    std::swap(active.keys[0], active.keys[1]);
    EXPECT_FALSE(verify_active(active, header_.base(), names_, points));
  }
}

TEST_P(CeremonyVectors, SignaturesAreThoseOfTheOracle) {
  Sid sid = header_.sid();
  SlotId slot = header_.slot();
  auto transcript = id_of<TranscriptHash>(at("T"));
  DealList list = list_of(at("list"));
  auto candidate_cert = parsed<Certificate>(certificate_body(at("certificates").at("candidate")));
  auto value = id_of<ValueHash>(at("value"));
  std::vector<Deal> all = deals();
  std::set<std::string> seen;
  VoteKind next_vote = VoteKind::notarize;
  for (const Json& entry : at("signatures").as_array()) {
    std::string type(entry.at("type").as_string());
    Position signer = position_of(entry.at("signer"));
    NodeId sender = id_of<NodeId>(entry.at("sender"));
    std::optional<Hash32> digest;
    auto set = [&](const auto& message) { digest = message.signing_digest(network(), sender); };
    if (type == "header") set(header_);
    if (type == "deal") {
      for (const Deal& deal : all) {
        if (deal.dealer == signer) set(deal);
      }
    }
    if (type == "candidate") set(Candidate{slot, sid, 1, 0, list});
    if (type == "ready") set(Ready{slot, sid, transcript, signer});
    if (type == "proposal") {
      set(Proposal{Instance::slot, slot, 1, sid, transcript, list, {}, candidate_cert.id(), 0, {}, {}});
    }
    if (type == "vote") {
      set(Vote{Instance::slot, slot, 1, next_vote, next_vote == VoteKind::nullify ? ValueHash{} : value});
      next_vote = static_cast<VoteKind>(static_cast<int>(next_vote) + 1);
    }
    if (type == "active") {
      const Json& active = at("actives").as_array()[signer - 1u];
      Active message{slot, transcript, signer, {}};
      for (const Json& key : active.at("keys").as_array()) {
        message.keys.push_back({point_of(key.at("S_i")), crypto::DleqProof::parse(hex_of(key.at("proof"))).value()});
      }
      set(message);
    }
    if (type == "confirm") set(Confirm{slot, transcript, id_of<Root>(at("root")), signer});
    if (!digest) continue;
    seen.insert(type);
    EXPECT_EQ(to_hex(*digest), std::string(entry.at("digest").as_string())) << type;
    const Json& committee = type == "ready" || type == "active" || type == "confirm" ? at("committee") : deciders();
    auto signature = Signature::parse(hex_of(entry.at("sig")));
    ASSERT_TRUE(signature) << type;
    EXPECT_EQ(node_key_of(member(committee, signer)).sign(*digest), *signature) << type;
    EXPECT_TRUE(crypto::verify(committee_of(committee).at(signer).key, *signature, *digest)) << type;
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAre("header", "deal", "candidate", "ready", "proposal", "vote", "active",
                                                  "confirm"));
}

TEST_P(CeremonyVectors, CertificatesHaveTheirIdsAndVerify) {
  SlotCommittees committees{network(), committee_of(deciders()), threshold_of(deciders()),
                            committee_of(at("committee")), header_.threshold};
  for (const auto& [name, json] : at("certificates").as_object()) {
    auto certificate = parsed<Certificate>(certificate_body(json));
    EXPECT_EQ(certificate.id(), id_of<CertificateId>(json.at("id"))) << name;
    auto verdict = verify(certificate, committees);
    EXPECT_TRUE(verdict) << name << ": " << verdict.error().message;
    EXPECT_EQ(decides(certificate, list_of(at("list"))), name == "final");
  }
  if (!is_reshare()) return;
  auto fate = parsed<Certificate>(certificate_body(at("fate")));
  EXPECT_TRUE(verify(fate, committees));
  EXPECT_EQ(fate_of(fate), Fate::release);
}

TEST_P(CeremonyVectors, FewerThanThresholdSharesFitEveryKey) {
  // For any s* there is a polynomial through the known t-1 shares with that constant term: the missing share that
  // completes it exists and differs from key to key, so t-1 shares say nothing about the key.
  auto t = header_.threshold.t();
  std::vector<Position> positions{0};
  for (Position i = 1; i < t; ++i) positions.push_back(i);
  auto lambda = [&](Position at_position) {
    // Position 0 cannot be a node of lagrange_coefficients, so shift every node by 1.
    std::vector<Position> shifted;
    for (Position p : positions) shifted.push_back(static_cast<Position>(p + 1));
    return crypto::lagrange_coefficients(shifted, static_cast<Position>(at_position + 1));
  };
  auto weights = lambda(t);
  std::set<Hash32> completing;
  for (std::uint64_t guess = 1; guess <= 20; ++guess) {
    crypto::SecretScalar missing = crypto::SecretScalar() + crypto::Scalar(guess) * weights[0];
    for (Position i = 1; i < t; ++i) {
      missing = missing + secret_of(keys_[0]->at("shares").as_array()[i - 1u]) * weights[i];
    }
    completing.insert(missing.expose());
    std::vector<Position> holders;
    std::vector<crypto::SecretScalar> shares;
    for (Position i = 1; i < t; ++i) {
      holders.push_back(i);
      shares.push_back(secret_of(keys_[0]->at("shares").as_array()[i - 1u]));
    }
    holders.push_back(t);
    shares.push_back(std::move(missing));
    EXPECT_EQ(crypto::interpolate(holders, shares).expose(), crypto::Scalar(guess).bytes());
  }
  EXPECT_EQ(completing.size(), 20u);
  // And the true share gives the true key.
  std::vector<Position> holders;
  std::vector<crypto::SecretScalar> shares;
  for (Position i = 1; i <= t; ++i) {
    holders.push_back(i);
    shares.push_back(secret_of(keys_[0]->at("shares").as_array()[i - 1u]));
  }
  EXPECT_EQ(to_bytes(crypto::interpolate(holders, shares).expose()), hex_of(keys_[0]->at("secret")));
}

INSTANTIATE_TEST_SUITE_P(Oracle, CeremonyVectors, testing::Values("dkg.json", "reshare.json"),
                         [](const auto& name) { return std::string(name.index == 0 ? "Dkg" : "Reshare"); });

}  // namespace
}  // namespace kms::dkg::test
