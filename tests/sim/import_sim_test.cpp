// Epochs of a network whose key was imported (PROTOCOL.md 12): the node that has it, nodes that join, and a lost disk.
#include <gmock/gmock.h>

#include "dkg/import.h"
#include "node/epochs.h"
#include "node/network_terms.h"
#include "tests/sim/disk.h"
#include "tests/sim/random.h"

namespace kms::sim {
namespace {

using testing::HasSubstr;

template <class T>
std::string refusal_of(const Result<T>& result) {
  return result ? "accepted" : result.error().message;
}

class ImportSim : public testing::Test {
 protected:
  ImportSim() {
    for (int i = 0; i < 3; ++i) nodes_.push_back(crypto::NodeKey::generate(random_));
    keys_.push_back(crypto::SecretScalar::random(random_));
    secret_ = crypto::Secret<32>::random(random_);
  }
  crypto::Point pinned() const { return crypto::multiply_generator(keys_[0]).point(); }
  std::string file(std::uint32_t epoch, std::size_t members, const crypto::Point& key, const std::string& more) const {
    std::string text = "name = \"sim\"\ncreation_nonce = \"" + to_0x(Hash32{9}) +
                       "\"\nepoch = " + std::to_string(epoch) +
                       "\nthreshold = " + (members == 1 ? "1" : "2\naccept_f0 = true") + "\n" + more;
    for (std::size_t i = 0; i < members; ++i) {
      text += "[[member]]\nkey = \"" + to_hex(nodes_[i].public_key().bytes()) + "\"\n";
    }
    return text + "[[chain]]\nid = 31337\ngateway = \"0x70997970C51812dc3A010C7d01b50e0d17dc79C8\"\npublic_key = \"" +
           to_hex(key.bytes()) + "\"\n";
  }
  node::NetworkTerms terms(const crypto::Point& key, const std::string& more = "") const {
    const auto text = file(0, 1, key, "genesis = \"import\"\n" + more);
    return node::network_terms(registry::NetworkFile::parse(text).value()).value();
  }
  dkg::Self self(std::size_t node) const { return {nodes_[node], secret_}; }
  void import(const node::NetworkTerms& terms) {
    auto made = dkg::import_keys(node::first_plan(terms), self(0), keys_, disk_, random_);
    ASSERT_TRUE(made) << made.error().message;
    disk_.apply(made->save);
  }
  node::Epochs begin(const node::NetworkTerms& terms, std::size_t node, const Disk& disk,
                     node::Disk state = node::Disk::whole) {
    return node::Epochs::begin(terms, self(node), disk, random_, now_, 10min, state).value();
  }
  // What node 1 shows of epoch 0, said by another node.
  dkg::Envelope shown(const node::NetworkTerms& terms) {
    dkg::EpochChain chain;
    chain.links.push_back(*begin(terms, 0, disk_).newest()->link());
    return dkg::wrap(chain, dkg::NodeId{nodes_[1].node_id()}, terms.network);
  }
  static std::string reports(const node::EpochSteps& steps) {
    std::string out;
    for (const auto& step : steps.steps) {
      for (const auto& event : step.effects.report) out += event.text + "\n";
    }
    return out;
  }

  Random random_{12};
  std::vector<crypto::NodeKey> nodes_;
  std::vector<crypto::SecretScalar> keys_;
  crypto::Secret<32> secret_;
  Disk disk_;
  Now now_{Instant{}, 1'700'000'000'000};
};

TEST_F(ImportSim, TheImportedEpochIsInChargeAndApprovesItsReshareAlone) {
  const auto own = terms(pinned());
  import(own);
  auto epochs = begin(own, 0, disk_);
  ASSERT_TRUE(epochs.newest());
  EXPECT_EQ(epochs.newest()->tables[0].public_key, pinned());
  EXPECT_EQ(epochs.newest()->header.terms.origin, dkg::Origin::imported);
  ASSERT_NE(epochs.current(), nullptr);
  ASSERT_NE(epochs.current()->shares(), nullptr);
  EXPECT_THAT(refusal_of(epochs.refresh({}, now_)), HasSubstr("no shares to refresh"));
  const auto next = file(1, 3, pinned(), "");
  EXPECT_EQ(refusal_of(epochs.approve(next, {}, now_)), "accepted");
  ASSERT_NE(epochs.next(), nullptr);
  EXPECT_EQ(epochs.next()->phase(), dkg::Phase::idle) << "one approval is the quorum of one";
  EXPECT_EQ(epochs.next()->plan().old->header.terms.origin, dkg::Origin::imported);
}

TEST_F(ImportSim, TheClockOpensNoRefreshForACommitteeOfOne) {
  const auto own = terms(pinned(), "refresh_every = \"1m\"\n");
  import(own);
  auto epochs = begin(own, 0, disk_);
  for (int minute = 0; minute < 10; ++minute) {
    now_.instant += 60s;
    now_.unix_ms += 60'000;
    epochs.tick(now_);
    EXPECT_EQ(epochs.next(), nullptr);
  }
  EXPECT_EQ(refusal_of(epochs.approve(file(1, 3, pinned(), ""), {}, now_)), "accepted");
}

TEST_F(ImportSim, WithoutItsImportTheNodeWaitsAndSaysForWhat) {
  auto epochs = begin(terms(pinned()), 0, disk_);
  EXPECT_EQ(epochs.newest(), nullptr);
  ASSERT_NE(epochs.current(), nullptr);
  EXPECT_THAT(epochs.current()->status().summary, HasSubstr("kms-node import"));
  EXPECT_THAT(refusal_of(epochs.start(now_)), HasSubstr("kms-node import"));
}

TEST_F(ImportSim, AJoinerTakesThePinnedKeyAndNoOther) {
  const auto own = terms(pinned());
  import(own);
  const auto link = shown(own);
  const Disk empty;
  auto joiner = begin(own, 1, empty);
  EXPECT_EQ(reports(joiner.receive(link, link.sender, now_)), "");
  ASSERT_TRUE(joiner.newest());
  EXPECT_EQ(joiner.newest()->tables[0].public_key, pinned());
  // The same network by its identifiers, but another key: the operators' files differ.
  auto other = own;
  other.imported[0] = crypto::multiply_generator(crypto::Scalar(7)).point();
  auto misled = begin(other, 1, empty);
  EXPECT_THAT(reports(misled.receive(link, link.sender, now_)), HasSubstr("key 1 is another one"));
  EXPECT_EQ(misled.newest(), nullptr);
  other.imported.clear();
  auto generated = begin(other, 1, empty);
  EXPECT_THAT(reports(generated.receive(link, link.sender, now_)), HasSubstr("network file names none"));
  EXPECT_EQ(generated.newest(), nullptr);
}

TEST_F(ImportSim, TheImportingNodeLearnsItsOwnEpochFromOthersAfterALostDisk) {
  const auto own = terms(pinned());
  import(own);
  const auto link = shown(own);
  for (const auto state : {node::Disk::whole, node::Disk::rolled_back}) {
    const Disk empty;
    auto epochs = begin(own, 0, empty, state);
    EXPECT_EQ(refusal_of(epochs.approve(file(1, 3, pinned(), ""), {}, now_)), "accepted");
    EXPECT_TRUE(epochs.known_nodes().contains(link.sender)) << "whom it may hear";
    epochs.receive(link, link.sender, now_);
    ASSERT_TRUE(epochs.newest());
    EXPECT_EQ(epochs.newest()->header.epoch, 0u);
    EXPECT_EQ(epochs.current(), nullptr) << "the key itself is gone";
  }
}

TEST_F(ImportSim, ALaterFileMayNotNameOtherImportedKeys) {
  const auto own = terms(pinned());
  const auto other = crypto::multiply_generator(crypto::Scalar(7)).point();
  const std::string import_line = "genesis = \"import\"\n";
  EXPECT_THAT(refusal_of(node::later_terms(own, file(1, 3, other, import_line))), HasSubstr("other imported keys"));
  const auto next = node::later_terms(own, file(1, 3, pinned(), import_line));
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->imported, own.imported);
}

}  // namespace
}  // namespace kms::sim
