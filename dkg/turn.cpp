#include "dkg/turn.h"

namespace kms::dkg {

const Envelope* Outbox::find(const std::string& name) const {
  const auto found = said_.find(name);
  return found == said_.end() ? nullptr : &found->second;
}

void Turn::say_envelope(const std::string& name, Envelope envelope) {
  put("said/" + name, envelope.encode());
  publish(envelope);
  own_.push_back(envelope);
  outbox_.add(name, std::move(envelope));
}

void Turn::forget(const std::string& name) {
  erase("said/" + name);
  outbox_.forget(name);
}

void Turn::put(const std::string& name, Bytes value) {
  effects_.save.writes.push_back(Put{slot_.prefix + name, std::move(value)});
}

void Turn::seal_record(const std::string& name, const std::string& kek, crypto::SecretBytes value) {
  effects_.save.writes.push_back(Seal{slot_.prefix + name, kek, std::move(value)});
}

void Turn::erase(const std::string& name) {
  effects_.save.writes.push_back(Erase{slot_.prefix + name});
}

void Turn::destroy(const std::string& kek) {
  effects_.save.writes.push_back(DestroyKek{kek});
}

void Turn::report(Event::Kind kind, std::string text, const Culprit& culprit, Bytes evidence, const Culprit& victim) {
  const auto place = [&](const Culprit& of) -> Position {
    if (of.position == 0) return 0;
    switch (of.role) {
      case Culprit::Role::receiver:
        return slot_.member_of_receiver(of.position);
      case Culprit::Role::dealer:
        return slot_.member_of_dealer(of.position);
      case Culprit::Role::decider:
        return slot_.member_of_decider(of.position);
      case Culprit::Role::member:
        break;
    }
    return of.position;
  };
  effects_.report.push_back({kind, std::move(text), place(culprit), std::move(evidence), place(victim)});
}

std::optional<Envelope> Turn::next_own() {
  if (own_.empty()) return std::nullopt;
  Envelope envelope = std::move(own_.front());
  own_.pop_front();
  return envelope;
}

Bytes evidence_of(const std::vector<const Envelope*>& envelopes) {
  FetchReply list;
  for (const auto* envelope : envelopes) list.objects.push_back(envelope->encode());
  return list.body();
}

}  // namespace kms::dkg
