#include <charconv>

#include "dkg/break.h"
#include "dkg/ceremony_impl.h"

namespace kms::dkg {

// Own words, which bind, and secrets.
void Ceremony::Impl::restore_words(const Records& records, Now now) {
  for (const auto& key : records.list(slot.prefix + "said/")) {
    const auto bytes = records.find(key);
    if (!bytes) continue;
    auto envelope = Envelope::parse(*bytes);
    if (is_broken("own-words")) continue;
    if (envelope) outbox.add(key.substr(slot.prefix.size() + 5), std::move(*envelope));
  }
  prekeys.restore(records, outbox);
  repair.restore(records, outbox, now);
  if (const auto number = records.find(slot.prefix + "attempt")) {
    const auto text = as_text(*number);
    std::from_chars(text.data(), text.data() + text.size(), stored_attempt);
    attempts.open(stored_attempt, now.instant);
  }
  restore_emergency(records, now);
  agreement.restore(records, outbox, now.instant);
  fate.restore(records, outbox, now.instant);
  if (auto packed = records.open(slot.prefix + "share")) {
    std::vector<crypto::SecretScalar> shares;
    for (std::size_t at = 0; at + 32 <= packed->size(); at += 32) {
      auto share = crypto::SecretScalar::parse(packed->expose().subspan(at, 32));
      if (share) shares.push_back(std::move(*share));
    }
    if (shares.size() == slot.plan.labels.size()) activation.restore_shares(std::move(shares));
  }
  restore_end(records);
}

// Own words first, since they bind; then everything stored is taken in as if it came again, without checking
// signatures anew. What this asks for is given out with the first input.
void Ceremony::Impl::restore(const Records& records, Now now) {
  Turn first(slot, outbox, now);
  if (restore_void(records, first)) {
    restored = first.take();
    return;
  }
  restore_words(records, now);
  const auto stored = [&](const std::string& prefix) {
    std::vector<Envelope> out;
    for (const auto& key : records.list(slot.prefix + prefix)) {
      const auto bytes = records.find(key);
      if (!bytes) continue;
      auto envelope = Envelope::parse(*bytes);
      if (envelope) out.push_back(std::move(*envelope));
    }
    return out;
  };
  Turn turn(slot, outbox, now);
  const auto take_link = [&] {
    const auto body = records.find(slot.prefix + "link");
    if (!body) return;
    const auto link = Link::parse(*body);
    const auto record = link ? verify_link(*link, slot.plan.network_id, slot.previous(), slot.plan.imported)
                             : Result<EpochRecord>(link.error());
    if (record) adopt(*record, turn);
  };
  // Of an erased epoch only the Link is of use.
  if (is_erased) {
    take_link();
    return;
  }
  restore_branch_before(records);
  for (const auto* prefix : {"joined/", "header/"}) {
    for (const auto& envelope : stored(prefix)) take_in(envelope, Source::stored, turn);
  }
  for (const auto& key : records.list(slot.prefix + "joined/")) {
    const auto bytes = records.find(key);
    const auto envelope = bytes ? Envelope::parse(*bytes) : Result<Envelope>(error("missing"));
    const auto header = envelope ? CeremonyHeader::parse(envelope->body) : Result<CeremonyHeader>(envelope.error());
    if (!header) continue;
    const auto sid = header->sid();
    auto* round = find_round(sid);
    if (round == nullptr) continue;
    round->mark_joined(now.instant);
    joined.emplace(attempt_of(*header), sid);
  }
  for (const auto& envelope : stored("deal/")) take_in(envelope, Source::stored, turn);
  for (const auto& key : records.list(slot.prefix + "value/")) {
    const auto body = records.find(key);
    const auto value = body ? Value::parse(*body) : Result<Value>(error("missing"));
    if (value) candidates.learn(value->sid, value->list);
  }
  const auto take_certificate = [&](const std::string& key) {
    const auto body = records.find(key);
    const auto certificate = body ? Certificate::parse(*body) : Result<Certificate>(error("missing"));
    if (!certificate) return;
    const auto taken = judge(*certificate, {}, slot.seat(slot.member), Source::stored, turn);
    // The decision behind it is not known before the first settling.
    if (taken == Taken::early) early.keep(slot.member, wrap(*certificate, slot.self, slot.plan.network_id));
  };
  for (const auto& key : records.list(slot.prefix + "cert/1/")) take_certificate(key);
  for (const auto* name : {"final", "activation", "void/approvals", "fate/final"}) take_certificate(slot.prefix + name);
  take_link();
  for (const auto& [name, envelope] : outbox.all()) {
    if (envelope.type != MessageType::proposal && envelope.type != MessageType::vote) {
      take_in(envelope, Source::own, turn);
    }
  }
  if (!rounds.empty() || !candidates.certificates().empty()) agreement.start(now.instant);
  if (slot.epoch() > 0) settle(turn);  // the fate begins with the table, which comes from the Deals
  for (const auto& [name, envelope] : outbox.all()) take_in(envelope, Source::own, turn);
  settle(turn);
  restored = turn.take();
}

}  // namespace kms::dkg
