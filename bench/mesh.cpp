#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "bench/output.h"
#include "tests/net/router_swarm.h"

namespace kms::bench {
namespace {

constexpr std::size_t kMessages = 100;

struct MeshRow {
  std::uint64_t loss_per_mille = 0;
  std::size_t complete = 0, median_hops = 0, most_hops = 0;
  net::RouterSwarm::Costs costs;
};

MeshRow measure(std::uint64_t loss_per_mille) {
  net::RouterSwarm swarm({.loss_per_mille = loss_per_mille, .router = net::swarm_router_options()});
  swarm.run(5s);
  swarm.start_losing();
  swarm.forget_counts();
  std::vector<net::MessageId> messages;
  for (std::size_t i = 0; i < kMessages; ++i) {
    messages.push_back(swarm.publish(swarm.any()));
    swarm.run(50ms);
  }
  swarm.run(8s);
  MeshRow row{.loss_per_mille = loss_per_mille, .costs = swarm.costs()};
  for (const auto& message : messages) row.complete += swarm.reached(message) == swarm.honest().size() ? 1 : 0;
  const auto hops = swarm.hops();
  row.median_hops = hops[hops.size() / 2];
  row.most_hops = hops.back();
  return row;
}

}  // namespace

void run_mesh(Output output) {
  boost::json::array rows;
  if (output == Output::table) {
    std::printf("100 routers, 20 neighbours each, %zu messages of 1 KiB; the last four per message and node\n",
                kMessages);
    std::printf("%5s  %9s  %11s  %9s  %10s  %6s  %6s  %6s\n", "loss", "reach all", "median hops", "most hops",
                "duplicates", "bytes", "checks", "pulled");
  }
  for (const std::uint64_t loss : {0, 50, 100, 200}) {
    const MeshRow row = measure(loss);
    if (output == Output::table) {
      std::printf("%4.0f%%  %8zu%%  %11zu  %9zu  %10.2f  %6.0f  %6.2f  %6.3f\n", static_cast<double>(loss) / 10,
                  100 * row.complete / kMessages, row.median_hops, row.most_hops, row.costs.duplicates, row.costs.bytes,
                  row.costs.checks, row.costs.pulled);
      std::fflush(stdout);
      continue;
    }
    rows.push_back(boost::json::object{{"lossPerMille", loss},
                                       {"messages", kMessages},
                                       {"reachAll", row.complete},
                                       {"medianHops", row.median_hops},
                                       {"mostHops", row.most_hops},
                                       {"duplicatesPerMessageAndNode", row.costs.duplicates},
                                       {"bytesPerMessageAndNode", row.costs.bytes},
                                       {"checksPerMessageAndNode", row.costs.checks},
                                       {"pulledPerMessageAndNode", row.costs.pulled}});
  }
  if (output == Output::json) {
    std::printf("%s\n", boost::json::serialize(boost::json::object{{"mesh", std::move(rows)}}).c_str());
  }
}

}  // namespace kms::bench
