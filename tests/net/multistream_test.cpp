#include "net/multistream.h"

#include <gtest/gtest.h>

#include "fixtures.h"

namespace kms::net {
namespace {

using State = NegotiationState;

Bytes token(std::string_view text) {
  Bytes out;
  append_multistream_token(out, text);
  return out;
}

Bytes tokens(std::initializer_list<std::string_view> texts) {
  Bytes out;
  for (std::string_view text : texts) append_multistream_token(out, text);
  return out;
}

TEST(Multistream, EncodesTokensAsJs) {
  for (const auto& entry : vectors().at("multistream").as_object()) {
    EXPECT_EQ(to_hex(token(entry.key())), std::string(entry.value().as_string())) << entry.key();
  }
}

TEST(MultistreamInitiator, SendsHeaderAndProposalTogether) {
  MultistreamInitiator initiator({"/noise"});
  EXPECT_EQ(initiator.take_output(), tokens({kMultistreamHeader, "/noise"}));
  EXPECT_FALSE(initiator.may_write());
  EXPECT_TRUE(initiator.take_output().empty());
}

TEST(Multistream, AgreesWhereverTheBytesAreCut) {
  MultistreamInitiator initiator({"/b", "/a"});
  MultistreamResponder responder({"/x", "/a"});
  Bytes to_initiator = responder.take_output();
  Bytes to_responder = initiator.take_output();
  for (int round = 0; round < 200 && initiator.state() == State::need_more; ++round) {
    if (!to_responder.empty()) {
      responder.feed(ByteView(to_responder).first(1));
      to_responder.erase(to_responder.begin());
      append(to_initiator, responder.take_output());
    }
    if (!to_initiator.empty()) {
      initiator.feed(ByteView(to_initiator).first(1));
      to_initiator.erase(to_initiator.begin());
      append(to_responder, initiator.take_output());
    }
  }
  EXPECT_EQ(initiator.state(), State::agreed);
  EXPECT_EQ(responder.state(), State::agreed);
  EXPECT_EQ(initiator.protocol(), "/a");
  EXPECT_EQ(responder.protocol(), "/a");
  EXPECT_TRUE(initiator.take_leftover().empty());
  EXPECT_TRUE(responder.take_leftover().empty());
}

TEST(MultistreamInitiator, ProposesAgainWithoutTheHeader) {
  MultistreamInitiator initiator({"/a", "/b"});
  initiator.take_output();
  EXPECT_EQ(initiator.feed(tokens({kMultistreamHeader, "na"})), State::need_more);
  EXPECT_EQ(initiator.take_output(), token("/b"));
  EXPECT_EQ(initiator.feed(token("na")), State::failed);
  EXPECT_TRUE(initiator.take_output().empty());
  EXPECT_EQ(initiator.reason(), "multistream: the other end supports none of what we proposed");
}

TEST(MultistreamInitiator, KeepsWhatFollowsTheAgreement) {
  MultistreamInitiator initiator({"/a"});
  Bytes input = tokens({kMultistreamHeader, "/a"});
  append(input, as_bytes("early"));
  EXPECT_EQ(initiator.feed(input), State::agreed);
  EXPECT_EQ(initiator.feed(as_bytes(" bird")), State::agreed);
  EXPECT_EQ(as_text(initiator.take_leftover()), "early bird");
  EXPECT_TRUE(initiator.take_leftover().empty());
}

TEST(MultistreamInitiator, WritesBeforeTheAnswerWhenLazy) {
  MultistreamInitiator initiator = MultistreamInitiator::lazy("/a");
  EXPECT_TRUE(initiator.may_write());
  EXPECT_EQ(initiator.take_output(), tokens({kMultistreamHeader, "/a"}));
  EXPECT_EQ(initiator.feed(token(kMultistreamHeader)), State::need_more);
  EXPECT_TRUE(initiator.may_write());
  EXPECT_EQ(initiator.feed(token("/a")), State::agreed);
  MultistreamInitiator refused = MultistreamInitiator::lazy("/a");
  EXPECT_EQ(refused.feed(tokens({kMultistreamHeader, "na"})), State::failed);
  EXPECT_FALSE(refused.may_write());
}

TEST(MultistreamInitiator, FailsOnAnswersItDidNotAskFor) {
  MultistreamInitiator other_protocol({"/a"});
  EXPECT_EQ(other_protocol.feed(tokens({kMultistreamHeader, "/b"})), State::failed);
  EXPECT_EQ(other_protocol.reason(), "multistream: proposed /a, the answer was \"/b\"");
  MultistreamInitiator no_header({"/a"});
  EXPECT_EQ(no_header.feed(token("/a")), State::failed);
  MultistreamInitiator other_version({"/a"});
  EXPECT_EQ(other_version.feed(token("/multistream/2.0.0\x1b")), State::failed);
  EXPECT_EQ(other_version.reason(), "multistream: expected the header, got \"/multistream/2.0.0?\"");
}

TEST(MultistreamResponder, SendsItsHeaderAtOnceAndKeepsLazyBytes) {
  MultistreamResponder responder({"/a"});
  EXPECT_EQ(responder.take_output(), token(kMultistreamHeader));
  Bytes input = tokens({kMultistreamHeader, "/a"});
  append(input, as_bytes("lazy"));
  EXPECT_EQ(responder.feed(input), State::agreed);
  EXPECT_EQ(responder.take_output(), token("/a"));
  EXPECT_EQ(as_text(responder.take_leftover()), "lazy");
}

TEST(MultistreamResponder, AnswersNaToTlsLsAndSimultaneousConnect) {
  MultistreamResponder responder({"/noise"});
  responder.take_output();
  EXPECT_EQ(responder.feed(tokens({kMultistreamHeader, "/tls/1.0.0", "ls", "/libp2p/simultaneous-connect"})),
            State::need_more);
  EXPECT_EQ(responder.take_output(), tokens({"na", "na", "na"}));
  EXPECT_EQ(responder.feed(token("/noise")), State::agreed);
}

TEST(MultistreamResponder, FailsAtTheNinthProposal) {
  MultistreamResponder responder({"/a"});
  responder.feed(token(kMultistreamHeader));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(responder.feed(token("/b")), State::need_more) << i;
  EXPECT_EQ(responder.feed(token("/a")), State::failed);
  EXPECT_TRUE(responder.take_output().empty());
}

TEST(MultistreamResponder, FailsAboveFourKibibytes) {
  MultistreamResponder responder({"/a"});
  responder.feed(token(kMultistreamHeader));
  std::string name(1000, 'x');
  for (int i = 0; i < 4; ++i) EXPECT_EQ(responder.feed(token(name)), State::need_more) << i;
  EXPECT_EQ(responder.feed(token(name)), State::failed);
}

TEST(MultistreamResponder, FailsWithoutAHeader) {
  MultistreamResponder responder({"/a"});
  EXPECT_EQ(responder.feed(token("/a")), State::failed);
}

TEST(MultistreamTokens, RefusesMalformedOnes) {
  const Bytes malformed[] = {
      unhex("00"),                  // no room for the newline
      unhex("0361620061"),          // no newline
      unhex("8108"),                // 1025 bytes
      unhex("ffffff7f"),            // a length of four bytes
      unhex("8000"),                // not minimal
      unhex("808080808080808080"),  // no end
  };
  for (const Bytes& input : malformed) {
    MultistreamResponder responder({"/a"});
    EXPECT_EQ(responder.feed(input), State::failed) << to_hex(input);
    EXPECT_EQ(responder.feed(tokens({kMultistreamHeader, "/a"})), State::failed);
  }
  Bytes without_newline = token(kMultistreamHeader);
  without_newline.back() = 'x';
  EXPECT_EQ(MultistreamResponder({"/a"}).feed(without_newline), State::failed);
  MultistreamResponder longest({std::string(1023, 'a')});
  Bytes input = tokens({kMultistreamHeader, std::string(1023, 'a')});
  EXPECT_EQ(longest.feed(input), State::agreed);
}

}  // namespace
}  // namespace kms::net
