// n Boards on virtual time that hear each other.
#pragma once

#include <deque>

#include "node/delegation/board.h"
#include "tests/node/delegation/v1_requests.h"

namespace kms::test {

using namespace delegation;

// Delivers everything at once. `dead` members neither hear nor speak and are not thought alive, `silent` ones are
// thought alive, `corrupt` ones spoil the partials that they send, `late` partials come only when `release` is called.
struct BoardNetwork {
  BoardNetwork(std::size_t n, std::size_t t, BoardLimits limits_in = {}) : dealt(n, t, 1), limits(limits_in) {
    for (Position i = 1; i <= n; ++i) {
      keys.emplace(i, dealt.serving(i));
      boards.emplace(i, Board(dealt.credentials[i - 1u], limits, dealt.replay_of(i)));
    }
    connect();
  }
  void connect() {
    for (auto& [i, board] : boards) {
      std::set<dkg::NodeId> alive;
      for (auto& [j, other] : boards) {
        if (j != i && !dead.contains(j)) alive.insert(dealt.member(j).node);
      }
      board.members_alive(alive);
    }
  }
  // Everybody serves with new shares of the same key from now on.
  void next_epoch() {
    dealt.refresh();
    for (auto& [i, key] : keys) key = dealt.serving(i);
  }
  V1Authorisation request(Form form, std::uint8_t nonce = 1) {
    return v1_request(form, requester, *keys.at(1), dealt.gateway_key, now.unix_s() + 60, nonce);
  }
  void ask(Position at, const V1Authorisation& authorisation, Ticket ticket = 7) {
    run(at, boards.at(at).start(ticket, authorisation, {dealt.gateway()}, keys.at(at), now));
  }
  void advance(Duration duration) {
    const Instant end = now.instant + duration;
    while (true) {
      std::optional<Instant> next;
      for (auto& [i, board] : boards) {
        const auto at = board.wakes_at();
        if (!dead.contains(i) && at && (!next || *at < *next)) next = at;
      }
      if (!next || *next > end) break;
      set_time(std::max(now.instant, *next));
      for (auto& [i, board] : boards) {
        if (!dead.contains(i)) run(i, board.tick(now));
      }
    }
    set_time(end);
  }
  void set_time(Instant instant) {
    now.unix_ms += std::chrono::duration_cast<std::chrono::milliseconds>(instant - now.instant).count();
    now.instant = instant;
  }
  void run(Position from, Effects effects) {
    for (Reply& reply : effects.reply) replies.push_back(std::move(reply));
    for (Event& event : effects.report) events.push_back(std::move(event));
    for (Job& job : effects.compute) {
      ++jobs;
      delegation::run(job, dealt.entropy);
      run(from, boards.at(from).computed(std::move(job), now));
    }
    for (Outgoing& item : effects.send) queue.emplace_back(from, std::move(item));
    if (delivering) return;
    delivering = true;
    while (!queue.empty()) {
      auto [sender, item] = std::move(queue.front());
      queue.pop_front();
      deliver(sender, std::move(item));
    }
    delivering = false;
  }
  void deliver(Position from, Outgoing item) {
    if (dead.contains(from) || silent.contains(from)) return;
    sent[item.type].push_back(from);
    if (item.type == PartialC::kType && corrupt.contains(from)) item.body[item.body.size() - 1] ^= 1;
    if (item.type == PartialB::kType && corrupt.contains(from)) item.signature->bytes[5] ^= 1;
    for (auto& [to, board] : boards) {
      if (to == from || dead.contains(to)) continue;
      const dkg::NodeId& author = dealt.member(from).node;
      if (item.type == PublicRequest::kType) {
        run(to,
            board.receive(dealt.member(from), *PublicRequest::parse(item.body), {dealt.gateway()}, keys.at(to), now));
      } else if (item.type == PartialC::kType) {
        run(to, board.receive(author, PublicPartial(*PartialC::parse(item.body)), keys.at(to), now));
      } else if (item.type == PartialB::kType) {
        auto partial = *PartialB::parse(item.body);
        partial.signature = *item.signature;
        run(to, board.receive(author, PublicPartial(partial), keys.at(to), now));
      } else if (item.type == Need::kType) {
        run(to, board.receive(author, *Need::parse(item.body), now));
      } else if (item.type == Done::kType) {
        run(to, board.receive(author, *Done::parse(item.body)));
      } else if (item.type == Refusal::kType) {
        refusals.push_back(Refusal::parse(item.body)->code);
        run(to, board.receive(author, *Refusal::parse(item.body), now));
      }
    }
  }
  const PublicResult* result(std::size_t reply = 0) const {
    if (replies.size() <= reply) return nullptr;
    const auto* shared = std::get_if<PublicResultPtr>(&replies[reply].outcome);
    return shared == nullptr ? nullptr : shared->get();
  }
  bool is_right(std::size_t reply = 0) const { return result(reply) && test::is_right(*result(reply), requester); }
  template <class T>
  bool has(std::size_t reply = 0) const {
    return replies.size() > reply && std::holds_alternative<T>(replies[reply].outcome);
  }
  std::vector<Position> senders(MessageType type) const {
    const auto found = sent.find(type);
    return found == sent.end() ? std::vector<Position>{} : found->second;
  }
  static MessageType partial_type(Form form) { return form == Form::b ? PartialB::kType : PartialC::kType; }

  DealtCommittee dealt;
  BoardLimits limits;
  V1Requester requester{dealt.entropy};
  std::map<Position, ServingKeyPtr> keys;
  std::map<Position, Board> boards;
  std::set<Position> dead, silent, corrupt;
  std::vector<Reply> replies;
  std::vector<Event> events;
  std::vector<RefusalCode> refusals;
  std::map<MessageType, std::vector<Position>> sent;
  std::deque<std::pair<Position, Outgoing>> queue;
  bool delivering = false;
  std::size_t jobs = 0;
  Now now{Instant(1s), 1'800'000'000'000};
};

}  // namespace kms::test
