#include "cli/io/emergency.h"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <set>
#include <thread>
#include <unistd.h>

#include "sdk/json_text.h"

namespace kms::cli::io {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kLookEvery{250};

const json::object* emergency_in(const CeremonyList& list) {
  return sdk::object_in(list.body, "emergency");
}

// True if the operator agrees; without a terminal only --yes does.
Outcome<bool> confirm(const Order& options, const std::string& question) {
  if (options.is_confirmed) return true;
  if (::isatty(STDIN_FILENO) != 1) return usage(question + "\nThis cannot be taken back; for scripts: --yes");
  std::cerr << question << "\nThis cannot be taken back. Go on? Type yes: " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

// What is needed to say how safe this is, from a node that knows the committee in charge.
Outcome<const json::object*> terms_of(const std::vector<CeremonyList>& lists) {
  for (const CeremonyList& list : lists) {
    if (const json::object* emergency = emergency_in(list)) return emergency;
  }
  for (const CeremonyList& list : lists) {
    if (!list.fault.empty()) return Failure(error(list.node + ": " + list.fault));
  }
  return Failure(error("no node knows of a key yet: there is nothing to save"));
}

struct Dealings {
  std::set<std::string> choices;      // over all nodes
  std::set<std::string> named;        // by somebody already
  std::vector<std::string> deciding;  // sockets of nodes that have the order
  bool is_seen_by_all = true;         // every node with the order sees one
  bool is_decided = false;
};

Dealings dealings_in(const std::vector<CeremonyList>& lists) {
  Dealings out;
  for (const CeremonyList& list : lists) {
    const json::object* emergency = emergency_in(list);
    if (emergency == nullptr) continue;
    const json::value* ordered = emergency->if_contains("ordered");
    const bool is_deciding = ordered != nullptr && ordered->is_bool() && ordered->as_bool();
    if (is_deciding) out.deciding.push_back(list.node);
    const json::value* decided = emergency->if_contains("decided");
    out.is_decided = out.is_decided || (decided != nullptr && decided->is_string());
    std::size_t seen = 0;
    if (const json::array* choices = sdk::array_in(*emergency, "choices")) {
      for (const json::value& value : *choices) {
        const json::object* choice = value.if_object();
        if (choice == nullptr) continue;
        const std::string transcript = sdk::excerpt_in(*choice, "transcript");
        out.choices.insert(transcript);
        ++seen;
        const json::array* by = sdk::array_in(*choice, "signedBy");
        if (by != nullptr && !by->empty()) out.named.insert(transcript);
      }
    }
    if (is_deciding && seen == 0) out.is_seen_by_all = false;
  }
  return out;
}

// The only one there is, or the one that the operator names. Two are never guessed between.
Outcome<std::string> choose(const Order& options, const Dealings& dealings) {
  if (!options.dealing.empty()) {
    if (dealings.choices.contains(options.dealing)) return options.dealing;
    return Failure(error("no node has a certificate for the dealing " + options.dealing + " yet"));
  }
  if (dealings.choices.size() == 1) return *dealings.choices.begin();
  std::string text = "there are " + std::to_string(dealings.choices.size()) +
                     " dealings; agree with the other operators on one and repeat this with --dealing:";
  for (const std::string& choice : dealings.choices) {
    text += "\n  " + choice + (dealings.named.contains(choice) ? "  (named by a member already: take this one)" : "");
  }
  return Failure(error(text));
}

Outcome<Report> run_void(const Order& options, const std::vector<std::string>& sockets) {
  auto agreed = confirm(options,
                        "The epoch that is being made is given up once a quorum of operators says so. Only do this if "
                        "its new members are dead for good.");
  if (!agreed) return agreed.error();
  if (!*agreed) return Failure(error("nothing was done"));
  return orders_report("void", order_all(sockets, "void", {}));
}

}  // namespace

Outcome<Report> run_emergency(const Order& options, const Progress& progress) {
  auto sockets = find_sockets(options);
  if (!sockets) return sockets.error();
  if (options.what == "void") return run_void(options, *sockets);
  auto body = body_of(options);
  if (!body) return body.error();
  const auto before = ask_all(*sockets);
  auto terms = terms_of(before);
  if (!terms) return terms.error();
  const auto quorum = sdk::number_in(**terms, "quorum").value_or(0);
  const auto safe_below = sdk::number_in(**terms, "safeBelow").value_or(0);
  auto agreed =
      confirm(options, "An emergency reshare is decided by " + std::to_string(quorum) +
                           " members of the committee in charge. It is safe only if " +
                           (safe_below <= 1 ? std::string("none") : "at most " + std::to_string(safe_below - 1)) +
                           " of its members cheats; members that are merely dead do no harm.");
  if (!agreed) return agreed.error();
  if (!*agreed) return Failure(error("nothing was done"));
  std::uint64_t epoch = 0;
  for (const CeremonyList& list : before) epoch = std::max(epoch, epoch_in(list).value_or(0));
  (*body)["safeBelow"] = safe_below;
  Report report = orders_report("emergency", order_all(*sockets, "emergency", *body));
  if (report.exit != Exit::ok) return report;
  progress(report.text + "the nodes make a dealing");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.wait_seconds);
  Dealings dealings;
  while (true) {
    const auto lists = ask_all(*sockets);
    dealings = dealings_in(lists);
    if (dealings.is_decided || (!dealings.choices.empty() && dealings.is_seen_by_all)) break;
    const bool is_over = !lists.empty() && epoch_in(lists.front()).value_or(0) > epoch;
    if (is_over) break;
    if (std::chrono::steady_clock::now() >= end) {
      return Failure(error("no dealing was made within " + std::to_string(options.wait_seconds) +
                           " s; all members that are left, and enough new ones, must have the order; repeat it then"));
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  if (!dealings.is_decided && !dealings.choices.empty()) {
    auto chosen = choose(options, dealings);
    if (!chosen) return chosen.error();
    progress("naming the dealing " + *chosen);
    report = orders_report("emergency", order_all(dealings.deciding, "emergency", {{"transcript", *chosen}}));
    if (report.exit != Exit::ok) return report;
  }
  return await_epoch(*sockets, epoch + 1, options.wait_seconds, progress);
}

}  // namespace kms::cli::io
