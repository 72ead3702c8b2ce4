#include "tests/sim/program/trace.h"

#include <cstdio>
#include <ostream>

#include "tests/sim/program/epoch_member.h"

namespace kms::sim {
namespace {

std::string clock_of(Instant at) {
  char out[32];
  std::snprintf(out, sizeof out, "%.3fs", static_cast<double>(at.time_since_epoch().count()) / 1e6);
  return out;
}

std::string size_of(std::size_t bytes) {
  char out[32];
  if (bytes < 1000) return std::to_string(bytes) + " B";
  std::snprintf(out, sizeof out, "%.1f kB", static_cast<double>(bytes) / 1000.0);
  return out;
}

std::string vote_name(const dkg::Vote& vote) {
  const char* kinds[] = {"", "Notarize", "Nullify", "Finalize"};
  return std::string(vote.instance == dkg::Instance::fate ? "fate " : "") + kinds[static_cast<int>(vote.kind)] +
         " view " + std::to_string(vote.view);
}

// What it is, with the number that tells two of them apart.
std::string name_of(const Bytes& message) {
  const auto envelope = envelope_of(message);
  if (!envelope) return "garbage";
  std::string name(dkg::name_of(envelope->type));
  const auto parsed = dkg::parse_message(*envelope);
  if (!parsed) return name + " (malformed)";
  if (const auto* vote = std::get_if<dkg::Vote>(&*parsed)) return vote_name(*vote);
  if (const auto* candidate = std::get_if<dkg::Candidate>(&*parsed)) {
    return name + " view " + std::to_string(candidate->view) + " of " + std::to_string(candidate->list.size()) +
           " Deals";
  }
  if (const auto* proposal = std::get_if<dkg::Proposal>(&*parsed))
    return name + " view " + std::to_string(proposal->view);
  if (const auto* header = std::get_if<dkg::CeremonyHeader>(&*parsed)) {
    return name + " attempt " + std::to_string(header->attempt);
  }
  if (const auto* complaint = std::get_if<dkg::Complaint>(&*parsed)) {
    return name + " about dealer " + std::to_string(complaint->dealer);
  }
  return name;
}

}  // namespace

void Trace::note(const Step& step) {
  mix(static_cast<std::uint64_t>(step.kind) << 48 ^ static_cast<std::uint64_t>(step.from) << 24 ^ step.to);
  mix(static_cast<std::uint64_t>(step.at.time_since_epoch().count()));
  mix(step.fingerprint);
  if (lines_ == nullptr) return;
  const auto node = "node-" + std::to_string(step.to);
  switch (step.kind) {
    case Step::Kind::deliver:
      return print(step);
    case Step::Kind::boot:
      return say(step.at, node + " starts");
    case Step::Kind::crash:
      return say(step.at, node + " crashes");
    case Step::Kind::timer:
    case Step::Kind::save:
      return;
  }
}

void Trace::print(const Step& step) {
  const auto& message = *step.message;
  std::string who = "node-" + std::to_string(step.from) + " -> node-" + std::to_string(step.to);
  if (form_ == Form::sayings) {
    const auto envelope = envelope_of(message);
    if (envelope && envelope->type == dkg::MessageType::node_status) return;
    if (!said_.insert(message).second) return;
    who = "node-" + std::to_string(author_of(message)) + ':';
  }
  *lines_ << clock_of(step.at) << ' ' << who << ' ' << (namer_ ? namer_(message) : name_of(message)) << ' '
          << size_of(message.size()) << '\n';
}

void Trace::say(Instant at, const std::string& line) {
  if (lines_ != nullptr) *lines_ << clock_of(at) << ' ' << line << '\n';
}

}  // namespace kms::sim
