#include "node/peer_lists.h"

#include <gmock/gmock.h>

#include "node/gossip_layout.h"

namespace kms::node {
namespace {

using net::PeerClass;
using testing::HasSubstr;

const std::string kAlice = "16Uiu2HAmNzYqoKZKquTiDneAhoszSaTdbwR7nqMpNUjeTQZxkBsT";
const std::string kBob = "16Uiu2HAkzjZiiNwYFgts1s4m2XMr4CavZDxCjvNke8qGRnupuoyR";
const std::string kCarol = "12D3KooWCRQtX2ZiwDFPHFEd22jS7feG5HFQ33TEbbrArqiwG7ob";

net::PeerId peer(const std::string& text) {
  return net::PeerId::parse_text(text).value();
}

std::string refusal_of(const std::string& text) {
  auto classes = parse_classes(text, "classes");
  return classes ? "" : classes.error().message;
}

TEST(ClassesFile, NamesAClassAndAPeerALine) {
  auto classes = parse_classes(
      "# whom we know\r\n\n registered\t" + kAlice + "  # the gateway\r\ndenied " + kBob + "\nlight " + kCarol,
      "classes");
  ASSERT_TRUE(classes) << classes.error().message;
  EXPECT_EQ(*classes, (PeerClasses{{peer(kAlice), PeerClass::registered},
                                   {peer(kBob), PeerClass::denied},
                                   {peer(kCarol), PeerClass::light}}));
  EXPECT_TRUE(parse_classes("", "classes")->empty());
}

TEST(ClassesFile, RefusesWhatItCannotMeanAndNamesTheLine) {
  EXPECT_THAT(refusal_of("\ncommittee " + kAlice), HasSubstr("classes:2: write registered, light or denied"));
  EXPECT_THAT(refusal_of("denied" + kAlice), HasSubstr("classes:1: write"));
  EXPECT_THAT(refusal_of("denied"), HasSubstr("classes:1: that is no PeerId"));
  EXPECT_THAT(refusal_of("denied " + kAlice + " " + kBob), HasSubstr("that is no PeerId"));
  EXPECT_THAT(refusal_of("denied " + kAlice + "\nlight " + kAlice), HasSubstr("classes:2: " + kAlice + " was listed"));
  EXPECT_THAT(refusal_of(std::string(kPeerListBytesMax + 1, '\n')), HasSubstr("longer than 1 MiB"));
}

TEST(ClassesFile, DoesNotShowTheTextOfAnotherFile) {
  EXPECT_THAT(refusal_of("correct horse battery staple"), testing::Not(HasSubstr("horse")));
  EXPECT_THAT(refusal_of("denied horse"), testing::Not(HasSubstr("horse")));
}

TEST(PeerClassesOfANode, KeepMembersUnlessTheyAreDenied) {
  const PeerClasses listed = {{peer(kAlice), PeerClass::light}, {peer(kBob), PeerClass::denied}};
  const net::PeerId self = peer(kCarol);
  EXPECT_EQ(classes_of({peer(kAlice), peer(kBob), self}, listed, self),
            (PeerClasses{
                {peer(kAlice), PeerClass::committee}, {peer(kBob), PeerClass::denied}, {self, PeerClass::committee}}));
  EXPECT_EQ(classes_of({}, {{peer(kAlice), PeerClass::registered}}, self).at(peer(kAlice)), PeerClass::registered);
  EXPECT_EQ(classes_of({self}, {{self, PeerClass::denied}}, self).at(self), PeerClass::committee);
}

TEST(GossipLayout, IsAMeshBeyondSixteenMembersUnlessAnOperatorSaysOtherwise) {
  EXPECT_EQ(gossip_policy(GossipLayout::automatic, 4), net::TopicPolicy::committee);
  EXPECT_EQ(gossip_policy(GossipLayout::automatic, 16), net::TopicPolicy::committee);
  EXPECT_EQ(gossip_policy(GossipLayout::automatic, 17), net::TopicPolicy::mesh);
  EXPECT_EQ(gossip_policy(GossipLayout::committee, 100), net::TopicPolicy::committee);
  EXPECT_EQ(gossip_policy(GossipLayout::mesh, 4), net::TopicPolicy::mesh);
}

}  // namespace
}  // namespace kms::node
