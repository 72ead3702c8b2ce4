// What must hold whatever traitors do: who may be answered, with what, and who is named.
#include "base/assert.h"
#include "crypto/dleq.h"
#include "crypto/polynomial.h"
#include "node/delegation/partial.h"
#include "tests/sim/program/trick.h"

namespace kms::sim {
namespace {

constexpr std::uint64_t kClocksApart_s = 45;  // calendars of nodes, and what they allow

std::string node_name(std::size_t place) {
  return "node-" + std::to_string(place);
}

}  // namespace

void Service::license(const Petition& petition) {
  Licence out{petition.way, petition.ephemeral, petition.requester, {}, {}, 0, std::nullopt};
  if (const auto* v1 = petition.v1()) {
    out.entry = v1->entry;
    out.nonce = v1->nonce;
    out.deadline = v1->deadline;
  }
  if (petition.recipient) out.recipient = petition.recipient->clone();
  out.key = petition.key;
  licences_.emplace(petition.rh, std::move(out));
}

const crypto::SecretScalar& Service::secret(std::size_t number) {
  const auto known = secrets_.find(number);
  if (known != secrets_.end()) return known->second;
  const auto& [first, share] = *shares_.begin();
  std::vector<dkg::Position> positions;
  std::vector<crypto::SecretScalar> shares;
  for (const auto& [id, one] : shares_) {
    if (std::get<0>(id) != std::get<0>(first) || std::get<1>(id) != number) continue;
    if (positions.size() == draw_.threshold) break;
    positions.push_back(std::get<2>(id));
    shares.push_back(one.clone());
  }
  KMS_ASSERT(positions.size() == draw_.threshold);
  return secrets_.emplace(number, crypto::interpolate(positions, shares)).first->second;
}

void Service::check_result(const Errand& errand, const crypto::Point& ephemeral, const crypto::Secret<32>& shared) {
  if (crypto::ecdh_x(secret(errand.draw().key), ephemeral).expose() == shared.expose()) return;
  fail("a requester believes a wrong result in form " + std::string(name_of(errand.draw().way)));
}

// In calm weather a node that is honest, and may be asked in this form, answers the first time.
void Service::refused(const Errand& errand, std::size_t place, const std::string& why) {
  const bool is_form_a = form_of(errand.draw().way) == delegation::Form::a;
  const bool may_refuse = !draw_.is_fair() || !is_honest(place) || (is_form_a && !is_listed(place));
  if (!may_refuse) fail("honest node-" + std::to_string(place) + " does not answer in calm weather: " + why);
}

void Service::deceived(const Errand& errand, std::size_t place) {
  if (!is_honest(place)) return;
  fail("what honest node-" + std::to_string(place) + " gives in form " + std::string(name_of(errand.draw().way)) +
       " opens nothing");
}

void Service::accuse(const dkg::NodeId& node) {
  const auto place = place_of(node);
  say("a requester names " + node_name(place.value_or(0)));
  if (!place || is_honest(*place))
    fail("a requester can prove something against honest " + node_name(place.value_or(0)));
}

// D_i, if the member's proof is right.
std::optional<crypto::Point> Service::open_b(const delegation::PartialB& partial, const Petition& petition,
                                             const delegation::ServingKey& key) {
  crypto::Transcript label("KMS1/oaep");
  label.bytes(partial.rh).u32(partial.epoch).id(partial.transcript).u16(partial.index);
  const auto plain = rsa_key().decrypt_oaep(partial.ciphertext, label.hash());
  if (!plain || plain->size() != delegation::PartialB::kPlaintextBytes) return std::nullopt;
  const ByteView bytes = plain->expose();
  const auto point = crypto::Point::parse(bytes.subspan(7, 33));
  const auto proof = crypto::DleqProof::parse(bytes.last(64));
  if (bytes[0] != 1 || !point || !proof) return std::nullopt;
  const Hash32 context = delegation::partial_context(key, partial.index, petition.rh, delegation::Form::b, {}, {});
  const crypto::DleqStatement statement{key.table.share(partial.index).point(), petition.ephemeral, *point,
                                        crypto::Point::generator(), context};
  return crypto::verify_dleq(statement, *proof) ? std::optional(*point) : std::nullopt;
}

void Service::observe(std::size_t place, const Bytes& message) {
  if (!is_honest(place) || !is_gossip(message) || topic_of(message) == node::Topic::ceremony) return;
  for (const auto& item : items_of(message)) check_item(place, topic_of(message), entry_of(message), item);
}

void Service::check_item(std::size_t place, node::Topic, const dkg::NodeId& entry, const dkg::Envelope& item) {
  if (item.type == delegation::SealedA::kType) {
    const auto sealed = delegation::SealedA::parse(item.body);
    if (!sealed) return fail("honest " + node_name(place) + " sends what does not parse");
    const auto entry_place = place_of(sealed->entry);
    if (entry != sealed->entry || !entry_place) return fail("honest " + node_name(place) + " seals to nobody");
    if (!is_listed(*entry_place)) {
      return fail("honest " + node_name(place) + " seals to " + node_name(*entry_place) + ", which is not listed");
    }
    const auto [seal, is_new] = seals_.try_emplace({sealed->u, sealed->salt}, sealed->sealed);
    if (!is_new && seal->second != sealed->sealed)
      return fail("honest " + node_name(place) + " seals twice under one key");
    const auto* licence = check_answer(place, sealed->rh, Way::a, sealed->epoch, sealed->transcript, sealed->index);
    if (licence != nullptr && licence->way == Way::a && licence->entry != address(*entry_place)) {
      fail("honest " + node_name(place) + " seals to " + node_name(*entry_place) + ", not to the entry that was named");
    }
  } else if (item.type == delegation::PartialB::kType) {
    auto partial = delegation::PartialB::parse(item.body);
    if (!partial || !item.signature) return fail("honest " + node_name(place) + " sends what does not parse");
    partial->signature = *item.signature;
    check_public(place, *partial);
  } else if (item.type == delegation::PartialC::kType) {
    const auto partial = delegation::PartialC::parse(item.body);
    if (!partial) return fail("honest " + node_name(place) + " sends what does not parse");
    check_public(place, *partial);
  }
}

// Whether this member may answer this request at all, in this form and now.
const Service::Licence* Service::check_answer(std::size_t place, const Hash32& rh, Way way, std::uint32_t epoch,
                                              const dkg::TranscriptHash& transcript, dkg::Position index) {
  const auto found = licences_.find(rh);
  const std::string who = "honest " + node_name(place);
  if (found == licences_.end()) return fail(who + " answers what nobody authorised"), nullptr;
  const Licence& licence = found->second;
  if (form_of(licence.way) != form_of(way)) return fail(who + " answers in another form than was signed"), nullptr;
  const bool is_timed = licence.way != Way::v0;
  if (is_timed && unix_s() > licence.deadline + kClocksApart_s)
    return fail(who + " answers after the deadline"), nullptr;
  bool is_known = false;
  for (std::size_t number = 0; number < keys(); ++number) {
    const auto key = table(transcript, number);
    is_known = is_known || (key && key->epoch == epoch && key->members.position_of(node_id(place)) == index);
  }
  if (!is_known) return fail(who + " answers for an epoch or a position that is not its own"), nullptr;
  if (is_timed) {
    const auto [use, is_new] = nonces_.try_emplace({place, licence.requester.bytes, licence.nonce}, rh);
    if (!is_new && use->second != rh) return fail(who + " answers two requests under one nonce"), nullptr;
  }
  return &licence;
}

// Forms B and C: what leaves is the member's own partial of the K that was signed.
void Service::check_public(std::size_t place, const delegation::PublicPartial& partial) {
  const auto* b = std::get_if<delegation::PartialB>(&partial);
  const auto [epoch, transcript] =
      std::visit([](const auto& one) { return std::pair(one.epoch, one.transcript); }, partial);
  const auto index = delegation::index_of(partial);
  const auto* licence =
      check_answer(place, delegation::rh_of(partial), b != nullptr ? Way::b : Way::c, epoch, transcript, index);
  if (licence == nullptr) return;
  const std::size_t number = key_number(licence->key);
  const auto share = shares_.find({transcript, number, index});
  if (share == shares_.end()) return;
  const crypto::Element expected = crypto::multiply(share->second, licence->ephemeral);
  if (b != nullptr) {
    const auto key = table(transcript, number);
    Petition petition{licence->way, {}, licence->ephemeral, licence->requester, std::nullopt, b->rh, licence->key};
    const auto point = open_b(*b, petition, *key);
    if (!point || crypto::Element(*point) != expected) fail("honest " + node_name(place) + " sends a bad partial");
    return;
  }
  const auto& c = std::get<delegation::PartialC>(partial);
  const auto [random, is_new] = randoms_.try_emplace(c.u, c.rh);
  if (!is_new && random->second != c.rh) return fail("honest " + node_name(place) + " uses r_i twice");
  if (!licence->recipient) return;
  const crypto::Element u = crypto::Point::parse(c.u).value();
  const crypto::Element w = crypto::Point::parse(c.w).value();
  if (w + -crypto::multiply(*licence->recipient, u.point()) != expected) {
    fail("honest " + node_name(place) + " sends a bad partial");
  }
}

std::size_t Service::key_number(const Hash32& key) const {
  for (const auto& [id, table] : tables_) {
    if (table->key.bytes == key) return id.second;
  }
  return 0;
}

std::optional<crypto::Point> Service::some_ephemeral() {
  if (licences_.empty()) return std::nullopt;
  auto at = licences_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random_.below(licences_.size())));
  return at->second.ephemeral;
}

// A partial of form A goes to who signed the Entry, and only while that is fresh.
void Service::check_entry(std::size_t place, const delegation::AnswerJob& job) {
  if (!std::holds_alternative<delegation::SealedA>(job.result)) return;
  const delegation::Entry& entry = job.request.entry;
  const auto from = place_of(entry.entry);
  const auto signature = crypto::RecoverableSignature::parse(entry.signature);
  const bool is_signed =
      from && signature &&
      crypto::verify(credentials(*from).node_key.public_key(), *signature, entry.signing_digest(network()));
  if (!is_signed) return fail("honest " + node_name(place) + " seals to a reply key that nobody signed");
  const std::uint64_t apart = std::max(entry.issued_at, unix_s()) - std::min(entry.issued_at, unix_s());
  if (apart > kClocksApart_s)
    fail("honest " + node_name(place) + " answers an Entry that is " + std::to_string(apart) + " s off");
}

// Of an honest node. What it finds bad it must name, and it is never an honest member's.
void Service::finished_job(std::size_t place, const delegation::Job& job) {
  std::string fault;
  dkg::Position index = 0;
  delegation::ServingKeyPtr key;
  if (const auto* answer = std::get_if<delegation::AnswerJob>(&job.work)) return check_entry(place, *answer);
  if (const auto* open = std::get_if<delegation::OpenJob>(&job.work)) {
    fault = open->fault;
    index = open->sealed.index;
    key = open->key;
  } else if (const auto* verify = std::get_if<delegation::VerifyJob>(&job.work)) {
    fault = verify->fault;
    index = delegation::index_of(verify->partial);
    key = verify->key;
  }
  if (fault.empty()) return;
  const auto liar = place_of(key->members.at(index).node);
  KMS_ASSERT(liar);
  if (is_honest(*liar)) {
    return fail("honest " + node_name(place) + " finds a partial of honest " + node_name(*liar) + " bad: " + fault);
  }
  ++owed_names_[{place, *liar}];
}

void Service::logged(std::size_t place, const node::LogLine& line) {
  if (line.level == node::LogLevel::info || line.level == node::LogLevel::debug) return;
  say(node_name(place) + " logs: " + line.text);
  if (!is_honest(place)) return;
  const bool is_partial = line.text.find("sent a bad partial") != std::string::npos;
  const bool is_request = line.text.find("asked for what nobody authorised") != std::string::npos;
  if (!is_partial && !is_request) return;
  for (std::size_t other = 1; other <= places(); ++other) {
    if (line.text.find(address(other).hex()) == std::string::npos) continue;
    if (is_honest(other)) fail("honest " + node_name(other) + " is named: " + line.text);
    if (is_partial) --owed_names_[{place, other}];
  }
}

std::string Service::check_end() {
  for (const auto& [who, owed] : owed_names_) {
    if (owed > 0)
      return node_name(who.first) + " found a bad partial of " + node_name(who.second) + " and did not name it";
  }
  return "";
}

}  // namespace kms::sim
