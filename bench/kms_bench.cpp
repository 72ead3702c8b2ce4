// kms-bench: what the parts cost on this machine. docs/PERFORMANCE.md explains the numbers.
#include <CLI/CLI.hpp>

#include "bench/output.h"

int main(int argc, char** argv) {
  using namespace kms::bench;
  CLI::App app("Benchmarks of kms; numbers are of this machine and build");
  app.require_subcommand(1);
  bool json = false;
  auto add = [&](const char* name, const char* text, void (*run)(Output)) {
    CLI::App* command = app.add_subcommand(name, text);
    command->add_flag("--json", json, "One JSON document instead of a table");
    command->callback([&json, run] { run(json ? Output::json : Output::table); });
  };
  add("primitives", "Microseconds per call of what ceremonies and delegations are made of", run_primitives);
  add("router", "Messages, bytes and signatures per delegation, by layout of the gossip topics", run_router);
  add("link", "Bytes a second of one link, beside a bare encrypted loop over the same bytes", run_link);
  add("batches", "Items a second in signed batches through one node, over sockets", run_batches);
  add("mesh", "Hops, duplicates, bytes and signature checks of a message in a mesh of a hundred routers", run_mesh);
  CLI11_PARSE(app, argc, argv);
  return 0;
}
