// The side of a repair that asks: sessions one after the other until the share is there (PROTOCOL.md 4.8).
#pragma once

#include "dkg/activation.h"
#include "dkg/repair_prekeys.h"
#include "dkg/repair_session.h"
#include "dkg/ticket_book.h"

namespace kms::dkg {

class RepairRequester {
 public:
  RepairRequester(const SlotContext& slot, RepairPrekeys& prekeys, const TicketBook& tickets)
      : slot_(slot), prekeys_(prekeys), tickets_(tickets) {}

  void restore(const Records& records, const Outbox& outbox, Now now);

  // Begins, repeats and gives up sessions. The shares of every key once they are complete and fit the table; the
  // caller makes them durable in the same turn.
  std::optional<KeyScalars> advance(const Activation& activation, const std::set<NodeId>& peers, Turn& turn);
  // Signatures are checked.
  bool wants(const Rid& rid) const { return asking_ && asking_->session.terms().rid == rid; }
  void take(Position sender, const RepairDelta& delta, const Envelope& envelope, const Activation& activation,
            Turn& turn);
  void take(Position sender, const RepairSigma& sigma, const Envelope& envelope, Turn& turn);
  void take(Position sender, const RepairComplaint& complaint, const Envelope& envelope, Turn& turn);
  // What a member says in NodeStatus about its next unused prekey; a hint.
  void heard_next(Position member, std::uint32_t number) { next_of_[member] = number; }
  // Nothing while advance could not do anything: a session that an earlier run began waits until it is known again what
  // is repaired.
  std::optional<Instant> wakes_at(const Activation& activation) const;
  // One line for operators, empty if there is nothing to say.
  std::string summary() const;

  // Destroys the secrets of all sessions, those that ended while this node was down too.
  void erase(Turn& turn);

 private:
  struct Asking {
    RepairSession session;
    std::uint32_t number = 0;  // of the session
    std::size_t tried = 0;     // sessions of the same allowance before it
    crypto::SecretScalar secret;
    std::map<Position, std::pair<RepairSigma, Envelope>> sigmas;
    std::map<Position, KeyScalars> sums;
    std::map<Position, std::set<Position>>
        disputed;  // givers of whom others hold another delta, or say so; who says so
    Instant progress_at{};
    Instant repeat_at{};
  };
  struct Giver {
    RepairGiver entry;
    bool is_in_doubt = false;  // which prekeys are its own
    std::size_t silences = 0;
    bool is_away = false;
  };
  static bool is_needed(const Activation& activation) {
    return activation.needs_repair() && !activation.record()->tables.empty();
  }
  std::vector<Giver> candidates(const Activation& activation, const std::set<NodeId>& peers, std::uint32_t start) const;
  // Where among the numbers of each giver the next session looks for free ones.
  std::uint32_t start() const;
  bool may_begin(const Activation& activation, Turn& turn);
  // How long a session waits without progress before the silent are passed over.
  Duration patience() const;
  void begin(const Activation& activation, const std::set<NodeId>& peers, Turn& turn);
  void judge_sigmas(Turn& turn);
  // `accuser` speaks of another delta of `giver` than the one held here: this one is shown, so that whoever holds two
  // can prove it. Whoever only says so convicts nobody.
  void dispute(Position giver, Position accuser, Turn& turn);
  // The session made no progress: notes who is to be passed over.
  void give_up(Turn& turn);
  // Ends the session because of `culprits`; the next one takes others if it can.
  void close(const std::set<Position>& culprits, std::string_view why, Turn& turn);
  void drop(Turn& turn);

  const SlotContext& slot_;
  RepairPrekeys& prekeys_;
  const TicketBook& tickets_;
  std::map<std::uint64_t, std::size_t> ticketed_;  // own sessions, by the ticket's name
  std::size_t tried_ = 0;                          // own sessions of the allowance that `may_begin` found
  std::optional<Asking> asking_;
  std::map<std::uint32_t, std::uint64_t> began_;  // own sessions: Unix seconds
  std::map<Position, std::uint32_t> next_of_;
  std::set<Position> faulty_;               // convicted by evidence
  std::map<Position, std::size_t> silent_;  // in how many sessions, or with what nobody could show
  std::optional<Instant> blocked_until_;
  std::string state_;
};

}  // namespace kms::dkg
