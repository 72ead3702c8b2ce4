// kmsctl approve, reshare, refresh, repair, start: orders at admin sockets; kmsctl ceremonies: what became of them.
#pragma once

#include "cli/ceremony_list.h"
#include "cli/io/demo.h"
#include "cli/options.h"
#include "cli/report.h"

namespace kms::cli::io {

Outcome<Report> run(const Ceremonies& options, Entropy& entropy);
// Says on the way what happens, if it is to wait.
Outcome<Report> run(const Order& options, const Progress& progress);

// The parts of an order, for cli/io/emergency.cpp.
Outcome<std::vector<std::string>> find_sockets(const Order& options);
Outcome<boost::json::object> body_of(const Order& options);
std::vector<CeremonyList> ask_all(const std::vector<std::string>& sockets);
std::vector<CeremonyList> order_all(const std::vector<std::string>& sockets, const std::string& what,
                                    const boost::json::object& body);
// Until every node is in that epoch, then what they say of it; else the exit code says that it took too long.
Report await_epoch(const std::vector<std::string>& sockets, std::uint64_t wanted, std::uint32_t seconds,
                   const Progress& progress);

}  // namespace kms::cli::io
