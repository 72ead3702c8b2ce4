// One input's worth of effects, collected by the parts of a ceremony, and the node's own signed messages of a slot.
#pragma once

#include <deque>
#include <map>

#include "dkg/effects.h"
#include "dkg/slot_context.h"

namespace kms::dkg {

// Every message this node has signed in the slot, under a name that is the field it commits to (PROTOCOL.md 4.9), for
// example "vote/3/1" or "deal/<sid>". What has a name is only ever sent again in the same bytes.
class Outbox {
 public:
  bool has(const std::string& name) const { return said_.contains(name); }
  const Envelope* find(const std::string& name) const;
  void add(const std::string& name, Envelope envelope) { said_.emplace(name, std::move(envelope)); }
  void forget(const std::string& name) { said_.erase(name); }
  const std::map<std::string, Envelope>& all() const { return said_; }

 private:
  std::map<std::string, Envelope> said_;
};

// Who an Event is about, as a place in everybody(); a bare position is one in N.
struct Culprit {
  enum class Role : std::uint8_t { receiver, dealer, decider, member };
  Culprit() = default;
  Culprit(Position receiver) : role(Role::receiver), position(receiver) {}
  static Culprit dealer(Position position) { return {Role::dealer, position}; }
  static Culprit decider(Position position) { return {Role::decider, position}; }
  static Culprit member(Position position) { return {Role::member, position}; }
  Role role = Role::member;
  Position position = 0;

 private:
  Culprit(Role role_in, Position position_in) : role(role_in), position(position_in) {}
};

class Turn {
 public:
  Turn(const SlotContext& slot, Outbox& outbox, Now now) : slot_(slot), outbox_(outbox), now_(now) {}

  Instant instant() const { return now_.instant; }
  std::uint64_t unix_s() const { return now_.unix_s(); }

  // Signs, stores, publishes and feeds back; nothing at all if something was said under this name before.
  template <class M>
  void say(const std::string& name, const M& message) {
    if (outbox_.has(name)) return;
    say_envelope(name, seal(message, *slot_.key, slot_.plan.network_id));
  }
  // The same for a message whose body holds its signature.
  template <class M>
  void say_as_signed(const std::string& name, const M& message) {
    if (outbox_.has(name)) return;
    say_envelope(name, wrap(message, slot_.self, slot_.plan.network_id));
  }
  // Without a signature of its own; not fed back.
  template <class M>
  void show(const M& message) {
    publish(wrap(message, slot_.self, slot_.plan.network_id));
  }
  // A certificate that this node put together; the Forwarder says who sends it on.
  void form(const Certificate& certificate) { formed_.push_back(certificate); }
  std::vector<Certificate> take_formed() { return std::exchange(formed_, {}); }
  void publish(const Envelope& envelope) { effects_.send.push_back({envelope}); }
  bool has_said(const std::string& name) const { return outbox_.has(name); }
  const Envelope* said(const std::string& name) const { return outbox_.find(name); }
  // For what is worthless from now on, and can never be asked for again.
  void forget(const std::string& name);

  // Record names are without the slot's prefix.
  void put(const std::string& name, Bytes value);
  void seal_record(const std::string& name, const std::string& kek, crypto::SecretBytes value);
  void erase(const std::string& name);
  void destroy(const std::string& kek);
  void report(Event::Kind kind, std::string text, const Culprit& culprit = {}, Bytes evidence = {},
              const Culprit& victim = {});

  // Own messages not yet fed back.
  std::optional<Envelope> next_own();
  bool has_own() const { return !own_.empty(); }
  Effects take() { return std::move(effects_); }

 private:
  void say_envelope(const std::string& name, Envelope envelope);

  const SlotContext& slot_;
  Outbox& outbox_;
  Now now_;
  Effects effects_;
  std::deque<Envelope> own_;
  std::vector<Certificate> formed_;
};

// Evidence of several signed objects: the body of a FetchReply holding their envelopes.
Bytes evidence_of(const std::vector<const Envelope*>& envelopes);

}  // namespace kms::dkg
