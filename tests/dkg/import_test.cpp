// Keys that exist already (PROTOCOL.md 12): what import_keys makes, byte by byte as the oracle has it, and who refuses
// what. Attack 60, import-forge, is in here.
#include "dkg/import.h"

#include <gmock/gmock.h>

#include "dkg/ceremony.h"
#include "tests/dkg/clock.h"
#include "tests/dkg/oracle.h"
#include "tests/sim/random.h"

namespace kms::dkg::test {
namespace {

using testing::HasSubstr;

template <class T>
std::string refusal(const Result<T>& result) {
  return result ? "accepted" : result.error().message;
}

// What checkpoints left.
class Kept final : public Records {
 public:
  void apply(Checkpoint checkpoint) {
    for (auto& write : checkpoint.writes) {
      if (auto* put = std::get_if<Put>(&write)) open_[put->key] = std::move(put->value);
      if (auto* seal = std::get_if<Seal>(&write)) sealed_.insert_or_assign(seal->key, std::move(seal->value));
    }
  }
  std::optional<Bytes> find(std::string_view key) const override {
    const auto found = open_.find(std::string(key));
    return found == open_.end() ? std::nullopt : std::optional(found->second);
  }
  Result<crypto::SecretBytes> open(std::string_view key) const override {
    const auto found = sealed_.find(std::string(key));
    if (found == sealed_.end()) return error("no record");
    return found->second.clone();
  }
  std::vector<std::string> list(std::string_view prefix) const override {
    std::vector<std::string> out;
    for (const auto& [key, value] : open_) {
      if (key.starts_with(prefix)) out.push_back(key);
    }
    for (const auto& [key, value] : sealed_) {
      if (key.starts_with(prefix)) out.push_back(key);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  std::map<std::string, Bytes> open_;
  std::map<std::string, crypto::SecretBytes> sealed_;
};

TEST(ImportVectors, EpochZeroIsThatOfTheOracleByteByByte) {
  const Json json = own_vectors("import.json");
  const Json& owner = json.at("committee").at("members").as_array()[0];
  const auto header = parsed<CeremonyHeader>(header_body(json.at("header")));
  const Plan plan{.network_id = id_of<NetworkId>(json.at("network_id")),
                  .key_set = id_of<KeySetId>(json.at("ks_id")),
                  .labels = header.terms.labels,
                  .members = committee_of(json.at("committee")),
                  .threshold = threshold_of(json.at("committee")),
                  .file = header.file,
                  .not_after = header.not_after,
                  .genesis = Genesis::automatic,
                  .timing = {},
                  .imported = {point_of(json.at("S"))}};
  EXPECT_EQ(plan.members.hash(), id_of<CommitteeHash>(json.at("committee").at("hash")));
  const auto node = node_key_of(owner);
  const auto node_secret = secret_bytes_of(owner.at("node_secret"));
  std::vector<crypto::SecretScalar> keys;
  keys.push_back(secret_of(json.at("secret")));
  ScriptedEntropy entropy(hex_of(json.at("rand")));
  const Kept disk;
  const auto made = import_keys(plan, {node, node_secret}, keys, disk, entropy);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(entropy.is_used_up());
  EXPECT_TRUE(made->send.empty());
  ASSERT_EQ(made->save.writes.size(), 2u);
  const auto& seal = std::get<Seal>(made->save.writes[0]);
  const auto& put = std::get<Put>(made->save.writes[1]);
  const std::string prefix = "slot/" + std::string(json.at("slot").as_string()) + "/";
  EXPECT_EQ(seal.key, prefix + "share");
  EXPECT_EQ(to_bytes(seal.value.expose()), hex_of(json.at("secret")));
  EXPECT_EQ(put.key, prefix + "link");
  const auto link = parsed<Link>(put.value);
  EXPECT_EQ(link.header.body(), header_body(json.at("header")));
  EXPECT_EQ(link.final.body(), certificate_body(json.at("final")));
  EXPECT_EQ(link.activation.body(), certificate_body(json.at("activation")));
  ASSERT_EQ(link.import_proofs.size(), 1u);
  EXPECT_EQ(to_bytes(link.import_proofs[0].bytes()), hex_of(json.at("proof")));
  const auto record = verify_link(link, plan.network_id, nullptr, plan.imported);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->sid, id_of<Sid>(json.at("sid")));
  EXPECT_EQ(record->transcript, id_of<TranscriptHash>(json.at("T")));
  EXPECT_EQ(record->root, id_of<Root>(json.at("root")));
  EXPECT_EQ(record->names().key(1), id_of<KeyId>(json.at("key_id")));
  EXPECT_EQ(to_bytes(import_context(record->names().key(1), record->sid)), hex_of(json.at("context")));
  EXPECT_EQ(to_bytes(table_hash(record->names(), 1, record->header.threshold, record->tables[0])),
            hex_of(json.at("table")));
}

// One node with two keys of its own.
class ImportedKeys : public testing::Test {
 protected:
  ImportedKeys()
      : random_(60), node_(crypto::NodeKey::generate(random_)), secret_(crypto::Secret<32>::random(random_)) {
    for (int i = 0; i < 2; ++i) keys_.push_back(crypto::SecretScalar::random(random_));
  }
  std::vector<crypto::Point> points(const std::vector<crypto::SecretScalar>& keys) const {
    std::vector<crypto::Point> out;
    for (const auto& key : keys) out.push_back(crypto::multiply_generator(key).point());
    return out;
  }
  Plan plan() const {
    const Hash32 nonce{4};
    const auto network = network_id("import", nonce);
    const auto members = Committee::make({node_.public_key()}).value();
    const std::vector<Label> labels{Label{1, {}}, Label{2, {}}};
    return Plan{.network_id = network,
                .key_set = key_set_id(network, nonce, members.hash(), 1, labels),
                .labels = labels,
                .members = members,
                .threshold = Threshold::make(1, 1).value(),
                .file = file_hash(as_bytes("file")),
                .not_after = 0,
                .genesis = Genesis::automatic,
                .timing = {},
                .imported = points(keys_)};
  }
  Self self() const { return {node_, secret_}; }
  Result<Effects> run(const Plan& plan) { return import_keys(plan, self(), keys_, disk_, random_); }
  Link link() {
    auto made = run(plan());
    if (!made) throw std::runtime_error(made.error().message);
    return parsed<Link>(std::get<Put>(made->save.writes[1]).value);
  }
  std::string verdict(const Link& link) {
    return refusal(verify_link(link, plan().network_id, nullptr, plan().imported));
  }
  void commit() {
    auto made = run(plan());
    ASSERT_TRUE(made) << made.error().message;
    disk_.apply(std::move(made->save));
  }

  sim::Random random_;
  crypto::NodeKey node_;
  crypto::Secret<32> secret_;
  std::vector<crypto::SecretScalar> keys_;
  Kept disk_;
};

TEST_F(ImportedKeys, ARestoredCeremonyIsInChargeOfTheVeryKeys) {
  commit();
  auto ceremony = Ceremony::restore(plan(), self(), disk_, random_, now_at(0s));
  ASSERT_TRUE(ceremony) << ceremony.error().message;
  disk_.apply(ceremony->tick(now_at(0s)).save);
  EXPECT_TRUE(ceremony->is_released());
  EXPECT_EQ(ceremony->phase(), Phase::released);
  ASSERT_NE(ceremony->shares(), nullptr);
  ASSERT_EQ(ceremony->shares()->size(), 2u);
  for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ((*ceremony->shares())[k].expose(), keys_[k].expose());
  EXPECT_EQ(ceremony->record()->header.terms.origin, Origin::imported);
  EXPECT_EQ(ceremony->record()->header.base(), Base::g);
  auto again = Ceremony::restore(plan(), self(), disk_, random_, now_at(1s));
  EXPECT_TRUE(again->is_released());
  EXPECT_NE(again->shares(), nullptr);
}

TEST_F(ImportedKeys, ASecondImportIsRefusedAlsoOfTheSameKeyAndAfterItsErasure) {
  commit();
  EXPECT_THAT(refusal(run(plan())), HasSubstr("imported its key already"));
  Kept erased;
  Checkpoint note;
  note.writes.push_back(Put{"slot/" + to_hex(slot_id(plan().key_set, 0, 0).view()) + "/erased", {1}});
  erased.apply(std::move(note));
  EXPECT_THAT(refusal(import_keys(plan(), self(), keys_, erased, random_)), HasSubstr("imported its key already"));
}

TEST_F(ImportedKeys, AKeyThatIsNotThePinnedOneIsRefusedAndBothAreNamed) {
  auto other = plan();
  std::swap(other.imported[0], other.imported[1]);
  const auto said = refusal(run(other));
  EXPECT_THAT(said, HasSubstr(to_0x(points(keys_)[0].bytes())));
  EXPECT_THAT(said, HasSubstr(to_0x(points(keys_)[1].bytes())));
  EXPECT_THAT(said, HasSubstr("chain 1"));
  EXPECT_EQ(said.find(to_hex(keys_[0].expose())), std::string::npos);
}

TEST_F(ImportedKeys, AKeyOfZeroATooShortListAndAPlanWithoutPinsAreRefused) {
  auto zero = std::move(keys_);
  keys_.clear();
  auto of = plan();
  of.imported = points(zero);
  zero[1] = crypto::SecretScalar();
  EXPECT_THAT(refusal(import_keys(of, self(), zero, disk_, random_)), HasSubstr("chain 2 is zero"));
  zero.pop_back();
  EXPECT_THAT(refusal(import_keys(of, self(), zero, disk_, random_)), HasSubstr("1 are given"));
  of.imported.clear();
  EXPECT_THAT(refusal(import_keys(of, self(), zero, disk_, random_)), HasSubstr("no key to import"));
}

TEST_F(ImportedKeys, MoreThanOneMemberAForeignNodeAndPinsForOtherLabelsAreRefused) {
  const auto stranger = crypto::NodeKey::generate(random_);
  EXPECT_THAT(refusal(import_keys(plan(), {stranger, secret_}, keys_, disk_, random_)), HasSubstr("not a member"));
  auto two = plan();
  two.members = Committee::make({node_.public_key(), stranger.public_key()}).value();
  two.threshold = Threshold::make(2, 2).value();
  EXPECT_THAT(refusal(run(two)), HasSubstr("committee of one"));
  auto fewer = plan();
  fewer.imported.pop_back();
  EXPECT_THAT(refusal(run(fewer)), HasSubstr("pins 1 public keys for 2"));
}

TEST_F(ImportedKeys, ALaterEpochImportsNothing) {
  commit();
  auto later = plan();
  later.old = std::make_shared<const EpochRecord>(
      verify_link(parsed<Link>(*disk_.find("slot/" + to_hex(slot_id(later.key_set, 0, 0).view()) + "/link")),
                  later.network_id, nullptr, later.imported)
          .value());
  EXPECT_THAT(refusal(run(later)), HasSubstr("no key to import"));
}

TEST_F(ImportedKeys, WithoutItTheSlotStaysClosedWhateverIsOrderedAndSignsNothing) {
  auto ceremony = Ceremony::restore(plan(), self(), disk_, random_, now_at(0s));
  ASSERT_TRUE(ceremony);
  auto effects = ceremony->order(now_at(0s));
  EXPECT_TRUE(effects.send.empty());
  for (int second = 1; second < 120; ++second) {
    effects = ceremony->tick(now_at(std::chrono::seconds(second)));
    EXPECT_TRUE(effects.send.empty());
    EXPECT_TRUE(effects.save.empty());
  }
  EXPECT_EQ(ceremony->phase(), Phase::closed);
  EXPECT_THAT(ceremony->status().summary, HasSubstr("kms-node import"));
}

TEST_F(ImportedKeys, AJoinerTakesTheLinkOnlyWithThePinnedKeys) {
  const auto good = link();
  EXPECT_EQ(verdict(good), "accepted");
  const auto network = plan().network_id;
  EXPECT_THAT(refusal(verify_link(good, network, nullptr)), HasSubstr("network file names none"));
  const auto all = plan().imported;
  EXPECT_THAT(refusal(verify_link(good, network, nullptr, {all[1], all[0]})), HasSubstr("another one"));
  EXPECT_THAT(refusal(verify_link(good, network, nullptr, {all[0]})), HasSubstr("another one"));
}

// Its own signatures are all there are: whoever holds the node key may sign a history with any key it knows.
TEST_F(ImportedKeys, AnotherKeyUnderTheSameIdentifiersIsRefused) {
  auto mine = std::move(keys_);
  keys_.clear();
  for (const auto& key : mine) keys_.push_back(key.clone());
  keys_[1] = crypto::SecretScalar::random(random_);
  const auto forged = link();  // valid for a plan that pins the other key
  EXPECT_EQ(verdict(forged), "accepted");
  keys_ = std::move(mine);
  EXPECT_THAT(verdict(forged), HasSubstr("key 2 is another one"));
}

TEST_F(ImportedKeys, AProofThatIsMissingSwappedOrOfAnotherSidIsRefused) {
  auto without = link();
  without.import_proofs.clear();
  EXPECT_THAT(verdict(without), HasSubstr("import proofs do not fit"));
  auto swapped = link();
  std::swap(swapped.import_proofs[0], swapped.import_proofs[1]);
  EXPECT_THAT(verdict(swapped), HasSubstr("does not verify"));
  auto moved = link();
  const auto context = import_context(moved.header.key(1), Sid{{9}});
  moved.import_proofs[0] =
      crypto::prove_dleq(keys_[0], crypto::Point::generator(), Hash32{5}, crypto::Point::generator(), context).value();
  EXPECT_THAT(verdict(moved), HasSubstr("import proof of key 1 does not verify"));
}

TEST_F(ImportedKeys, SignaturesOfAnotherNodeAreRefused) {
  const auto stranger = crypto::NodeKey::generate(random_);
  auto forged = link();
  forged.final.signatures[0].signature =
      stranger.sign(forged.final.vote_digest(plan().network_id, plan().members.at(1).node, 1));
  EXPECT_NE(verdict(forged), "accepted");
  forged = link();
  forged.activation.signatures[0].signature = forged.final.signatures[0].signature;
  EXPECT_NE(verdict(forged), "accepted");
}

TEST_F(ImportedKeys, AHeaderWithMoreThanTheFormAllowsIsNotParsed) {
  auto later = link();
  later.header.attempt = 1;
  EXPECT_FALSE(CeremonyHeader::parse(later.header.body()));
  auto generated = link();
  generated.header.terms.origin = Origin::generated;
  EXPECT_FALSE(CeremonyHeader::parse(generated.header.body()));
  auto as_dkg = link();
  as_dkg.header.kind = Kind::dkg;
  EXPECT_FALSE(CeremonyHeader::parse(as_dkg.header.body())) << "an imported key that says it was generated";
}

}  // namespace
}  // namespace kms::dkg::test
