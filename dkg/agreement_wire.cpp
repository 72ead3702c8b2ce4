// Bodies of the messages by which a slot is decided and activated.
#include "dkg/messages.h"
#include "dkg/wire.h"

namespace kms::dkg {

Bytes Candidate::body() const {
  BodyWriter out;
  out.id(1, slot);
  out.id(2, sid);
  out.number(3, view);
  out.number(4, round);
  write_list(out, 5, list);
  return out.take();
}

Result<Candidate> Candidate::parse(ByteView body) {
  BodyReader in("Candidate", body, 8192);
  Candidate out{in.id_set<SlotId>(1), in.id_set<Sid>(2), in.u32(3), in.u32(4), read_list(in, 5)};
  in.check(!out.list.empty(), 5, "is missing");
  return in.finish(std::move(out));
}

Bytes Ready::body() const {
  BodyWriter out;
  out.id(1, slot);
  out.id(2, sid);
  out.id(3, transcript);
  out.number(4, index);
  return out.take();
}

Result<Ready> Ready::parse(ByteView body) {
  BodyReader in("Ready", body, 256);
  Ready out{in.id_set<SlotId>(1), in.id_set<Sid>(2), in.id_set<TranscriptHash>(3), in.position(4)};
  return in.finish(std::move(out));
}

Bytes Value::body() const {
  BodyWriter out;
  out.id(1, slot);
  out.id(2, sid);
  write_list(out, 3, list);
  return out.take();
}

Result<Value> Value::parse(ByteView body) {
  BodyReader in("Value", body, 8192);
  Value out{in.id_set<SlotId>(1), in.id_set<Sid>(2), read_list(in, 3)};
  return in.finish(std::move(out));
}

Bytes Proposal::body() const {
  BodyWriter out;
  out.number(1, instance);
  out.id(2, slot);
  out.number(3, view);
  out.id(4, sid);
  out.id(5, transcript);
  write_list(out, 6, list);
  if (fate) out.number(7, *fate);
  out.id(8, justification);
  out.number(9, parent_view);
  out.id(10, parent_cert);
  for (const CertificateId& cert : null_certs) out.element(11, cert.bytes);
  return out.take();
}

Result<Proposal> Proposal::parse(ByteView body) {
  BodyReader in("Proposal", body, 24 * 1024);
  Proposal out;
  out.instance = in.enumeration(1, Instance::slot, Instance::fate);
  out.slot = in.id_set<SlotId>(2);
  out.view = in.u32(3);
  out.sid = in.id_set<Sid>(4);
  out.transcript = in.id_set<TranscriptHash>(5);
  out.list = read_list(in, 6);
  if (in.has(7)) out.fate = in.enumeration(7, Fate::release, Fate::voided);
  out.justification = in.id_set<CertificateId>(8);
  out.parent_view = in.u32(9);
  out.parent_cert = in.id<CertificateId>(10);
  out.null_certs = in.ids<CertificateId>(11, kNullCertsMax);
  in.check(out.view != 0, 3, "is no view");
  in.check((out.instance == Instance::slot) == !out.list.empty(), 6, "belongs to instance SLOT, and only there");
  in.check((out.instance == Instance::fate) == out.fate.has_value(), 7, "belongs to instance FATE, and only there");
  in.check(out.parent_view < out.view, 9, "is not before the view");
  in.check((out.parent_view == 0) == is_zero(out.parent_cert), 10, "stands with parent_view, and only then");
  return in.finish(std::move(out));
}

Bytes Vote::body() const {
  BodyWriter out;
  out.number(1, instance);
  out.id(2, slot);
  out.number(3, view);
  out.number(4, kind);
  out.id(5, value);
  return out.take();
}

Result<Vote> Vote::parse(ByteView body) {
  BodyReader in("Vote", body, 128);
  Vote out;
  out.instance = in.enumeration(1, Instance::slot, Instance::fate);
  out.slot = in.id_set<SlotId>(2);
  out.view = in.u32(3);
  out.kind = in.enumeration(4, VoteKind::notarize, VoteKind::finalize);
  out.value = in.id<ValueHash>(5);
  in.check(out.view != 0, 3, "is no view");
  in.check((out.kind == VoteKind::nullify) == is_zero(out.value), 5, "is what a NULLIFY, and only it, lacks");
  return in.finish(std::move(out));
}

Bytes Active::body() const {
  BodyWriter out;
  out.id(1, slot);
  out.id(2, transcript);
  out.number(3, index);
  for (const ActiveKey& key : keys) {
    BodyWriter item;
    item.point(1, key.share);
    item.bytes(2, key.proof.bytes());
    out.message(4, item);
  }
  return out.take();
}

Result<Active> Active::parse(ByteView body) {
  BodyReader in("Active", body, 4096);
  Active out{in.id_set<SlotId>(1), in.id_set<TranscriptHash>(2), in.position(3), {}};
  for (ByteView item : in.repeated(4, kKeysMax, 128)) {
    BodyReader key("Active.Key", item, 128);
    out.keys.push_back({key.point(1), key.proof<crypto::DleqProof>(2)});
    auto done = key.finish();
    if (!done) in.fail(4, done.error().message);
  }
  in.check(!out.keys.empty(), 4, "is missing");
  return in.finish(std::move(out));
}

Bytes Confirm::body() const {
  BodyWriter out;
  out.id(1, slot);
  out.id(2, transcript);
  out.id(3, root);
  out.number(4, index);
  return out.take();
}

Result<Confirm> Confirm::parse(ByteView body) {
  BodyReader in("Confirm", body, 256);
  Confirm out{in.id_set<SlotId>(1), in.id_set<TranscriptHash>(2), in.id_set<Root>(3), in.position(4)};
  return in.finish(std::move(out));
}

Bytes Emergency::body() const {
  BodyWriter out;
  out.id(1, slot);
  out.id(2, sid);
  out.id(3, transcript);
  out.number(4, index);
  return out.take();
}

Result<Emergency> Emergency::parse(ByteView body) {
  BodyReader in("Emergency", body, 256);
  Emergency out{in.id_set<SlotId>(1), in.id_set<Sid>(2), in.id_set<TranscriptHash>(3), in.position(4)};
  return in.finish(std::move(out));
}

Bytes Erased::body() const {
  BodyWriter out;
  out.id(1, slot);
  out.id(2, transcript);
  return out.take();
}

Result<Erased> Erased::parse(ByteView body) {
  BodyReader in("Erased", body, 128);
  Erased out{in.id_set<SlotId>(1), in.id_set<TranscriptHash>(2)};
  return in.finish(std::move(out));
}

}  // namespace kms::dkg
