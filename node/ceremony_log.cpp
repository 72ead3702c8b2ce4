#include "node/ceremony_log.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/proto_wire.h"
#include "crypto/sha256.h"

namespace kms::node {
namespace {

constexpr std::string_view kLogPrefix = "log/";

// Numbers of a fixed width, so that the store lists records in the order in which they were made.
std::string record_key(const dkg::SlotId& slot, std::string_view kind, std::uint64_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 12 ? 12 - digits.size() : 0, '0');
  return std::string(kLogPrefix) + to_hex(slot.view()) + "/" + std::string(kind) + "/" + digits;
}

void shorten(std::string& text) {
  if (text.size() > CeremonyLog::kTextBytesMax) text.resize(CeremonyLog::kTextBytesMax);
}

// CeremonyNote of proto/records.proto.
Bytes encode(const CeremonyLog::Note& note, CeremonyLog::Cause cause, const CeremonyLog::Blame* blame) {
  ProtoWriter out;
  out.varint_unless_zero(1, static_cast<std::uint64_t>(note.unix_ms));
  out.bytes_unless_empty(2, as_bytes(note.text));
  out.bytes_unless_empty(3, as_bytes(note.member));
  out.varint_unless_zero(4, cause == CeremonyLog::Cause::peer ? 1 : 0);
  if (blame != nullptr) {
    out.bytes(5, blame->evidence_hash);
    out.bytes_unless_empty(6, blame->evidence);
  }
  return out.take();
}

struct Decoded {
  CeremonyLog::Blame content;
  CeremonyLog::Cause cause = CeremonyLog::Cause::own;
};

std::optional<Decoded> decode(ByteView value) {
  Decoded out;
  bool has_hash = false;
  ProtoReader reader(value);
  while (const auto field = reader.next()) {
    const bool is_number = field->number == 1 || field->number == 4;
    if (field->number > 6 || is_number != (field->type == ProtoReader::Type::varint)) return std::nullopt;
    CeremonyLog::Note& note = out.content.note;
    if (field->number == 1) note.unix_ms = static_cast<std::int64_t>(field->value);
    if (field->number == 2) note.text = as_text(field->bytes);
    if (field->number == 3) note.member = as_text(field->bytes);
    if (field->number == 4) out.cause = field->value == 0 ? CeremonyLog::Cause::own : CeremonyLog::Cause::peer;
    if (field->number == 5 && field->bytes.size() != 32) return std::nullopt;
    if (field->number == 5) out.content.evidence_hash = to_array<32>(field->bytes);
    if (field->number == 6) out.content.evidence = to_bytes(field->bytes);
    has_hash |= field->number == 5;
  }
  if (reader.is_malformed()) return std::nullopt;
  const Bytes& evidence = out.content.evidence;
  if (!evidence.empty() && (!has_hash || crypto::sha256(evidence) != out.content.evidence_hash)) return std::nullopt;
  shorten(out.content.note.text);
  shorten(out.content.note.member);
  return out;
}

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.size() != 12 || read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

CeremonyLog::Held& CeremonyLog::at(const dkg::SlotId& slot, dkg::Checkpoint& save) {
  const auto [found, is_new] = slots_.try_emplace(slot);
  if (!is_new) return found->second;
  order_.push_back(slot);
  if (order_.size() <= kSlotsMax) return found->second;
  const dkg::SlotId oldest = order_.front();
  const Held& gone = slots_.at(oldest);
  for (const std::uint64_t number : gone.stored_notes)
    save.writes.push_back(dkg::Erase{record_key(oldest, "note", number)});
  for (std::size_t i = 0; i < gone.seen.blames.size(); ++i) {
    evidence_bytes_ -= gone.seen.blames[i].evidence.size();
    save.writes.push_back(dkg::Erase{record_key(oldest, "blame", i)});
  }
  slots_.erase(oldest);
  order_.pop_front();
  return found->second;
}

dkg::Checkpoint CeremonyLog::note(const dkg::SlotId& slot, Note note, Cause cause) {
  dkg::Checkpoint save;
  Held& to = at(slot, save);
  shorten(note.text);
  shorten(note.member);
  if (cause == Cause::own || to.peer_notes < kPeerNotesStored) {
    if (cause == Cause::peer) ++to.peer_notes;
    save.writes.push_back(dkg::Put{record_key(slot, "note", to.next_note), encode(note, cause, nullptr)});
    to.stored_notes.push_back(to.next_note++);
    if (to.stored_notes.size() > kNotesMax) {
      save.writes.push_back(dkg::Erase{record_key(slot, "note", to.stored_notes.front())});
      to.stored_notes.pop_front();
    }
  }
  to.seen.notes.push_back(std::move(note));
  if (to.seen.notes.size() > kNotesMax) to.seen.notes.pop_front();
  return save;
}

// After a restart a member may show again what convicted it before.
CeremonyLog::Blamed CeremonyLog::blame(const dkg::SlotId& slot, Note note, Bytes evidence) {
  Blamed out{crypto::sha256(evidence), {}};
  Held& to = at(slot, out.save);
  auto& blames = to.seen.blames;
  const bool is_known = std::any_of(blames.begin(), blames.end(),
                                    [&](const Blame& held) { return held.evidence_hash == out.evidence_hash; });
  if (is_known || blames.size() >= kBlamesMax) return out;
  shorten(note.text);
  shorten(note.member);
  if (evidence.size() > kOneEvidenceBytesMax || evidence_bytes_ + evidence.size() > kEvidenceBytesMax) evidence.clear();
  evidence_bytes_ += evidence.size();
  blames.push_back({std::move(note), out.evidence_hash, std::move(evidence)});
  const Bytes record = encode(blames.back().note, Cause::peer, &blames.back());
  out.save.writes.push_back(dkg::Put{record_key(slot, "blame", blames.size() - 1), record});
  return out;
}

const CeremonyLog::Slot* CeremonyLog::find(const dkg::SlotId& slot) const {
  const auto found = slots_.find(slot);
  return found == slots_.end() ? nullptr : &found->second.seen;
}

void CeremonyLog::take_record(const dkg::SlotId& slot, std::string_view name, ByteView value) {
  const std::size_t cut = name.find('/');
  const auto number = cut == name.npos ? std::nullopt : number_of(name.substr(cut + 1));
  auto decoded = decode(value);
  if (!number || !decoded) return;
  if (!slots_.contains(slot) && slots_.size() >= kSlotsMax) return;
  Held& to = slots_[slot];
  if (name.starts_with("note/")) {
    if (to.seen.notes.size() >= kNotesMax) return;
    to.stored_notes.push_back(*number);
    to.next_note = *number + 1;
    to.peer_notes += decoded->cause == Cause::peer ? 1 : 0;
    to.seen.notes.push_back(std::move(decoded->content.note));
  } else if (*number == to.seen.blames.size() && *number < kBlamesMax) {
    evidence_bytes_ += decoded->content.evidence.size();
    to.seen.blames.push_back(std::move(decoded->content));
  }
}

CeremonyLog CeremonyLog::restore(const dkg::Records& records) {
  CeremonyLog out;
  for (const std::string& key : records.list(kLogPrefix)) {
    const std::string_view rest = std::string_view(key).substr(kLogPrefix.size());
    const std::size_t cut = rest.find('/');
    auto slot = parse_hex_array<32>(rest.substr(0, cut));
    const auto value = records.find(key);
    if (!slot || cut == rest.npos || !value) continue;
    out.take_record(dkg::SlotId{*slot}, rest.substr(cut + 1), *value);
  }
  // The store orders slots by their hash; by what is left of each, they began in the order of these times.
  const auto first_ms = [&](const dkg::SlotId& slot) {
    const Slot& seen = out.slots_.at(slot).seen;
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    if (!seen.notes.empty()) first = seen.notes.front().unix_ms;
    if (!seen.blames.empty()) first = std::min(first, seen.blames.front().note.unix_ms);
    return first;
  };
  for (const auto& [slot, held] : out.slots_) out.order_.push_back(slot);
  std::stable_sort(out.order_.begin(), out.order_.end(),
                   [&](const auto& a, const auto& b) { return first_ms(a) < first_ms(b); });
  return out;
}

}  // namespace kms::node
