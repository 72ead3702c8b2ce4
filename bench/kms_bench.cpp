// kms-bench: what the parts cost on this machine. docs/PERFORMANCE.md explains the numbers.
#include <CLI/CLI.hpp>

#include "bench/client.h"
#include "bench/delegate.h"
#include "bench/load.h"
#include "bench/output.h"

namespace {

using namespace kms::bench;

void add_load(CLI::App& app, LoadOptions& options, std::function<void()> run) {
  CLI::App* command =
      app.add_subcommand("load", "Requests a second and latencies of any server of POST /v0/delegate, one or several");
  command->add_option("--url", options.urls, "Of a server, http://HOST:PORT; several share the connections");
  command->add_option("--testnet", options.testnet, "testnet.json: URLs, keys and processes of a test network");
  command->add_option("--nodes", options.nodes, "With --testnet: only these are asked, for example 1,3");
  command->add_option("--gateway-key-file", options.gateway_key_file, "Hex of the key that may ask");
  command->add_option("--chain-id", options.chain_id, "Default: the testnet's");
  command->add_option("--public-key", options.public_key, "Hex; default: the testnet's, or what the server says");
  command->add_option("--signer", options.signer, "Address that signs answers; default: the testnet's, else any");
  command->add_option("--pid", options.pids, "Processes whose CPU time is reported; default: the testnet's");
  command->add_option("--clients", options.plan.clients, "Connections")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--rate", options.plan.rate, "Open loop: requests a second, however slow the answers are")
      ->check(CLI::Range(0.1, 1e6));
  command->add_option("--seconds", options.plan.seconds, "That are counted")
      ->check(CLI::Range(0.5, 86400.0))
      ->capture_default_str();
  command->add_option("--warm-up", options.plan.warm_up_seconds, "Seconds before, not counted")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  command->add_option("--answer-limit", options.plan.answer_seconds_max, "Seconds after which an answer is a failure")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command
      ->add_option("--requests", options.terms.requests,
                   "Distinct ones, signed before the clock starts, then sent again")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--requesters", options.terms.requesters, "RSA keys among the requests")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--rsa-bits", options.terms.rsa_bits, "Of these keys")
      ->check(CLI::IsMember({2048, 3072, 4096}))
      ->capture_default_str();
  command->add_option("--verify", options.terms.checked_every, "Opens and checks every N-th answer afterwards; 0: none")
      ->capture_default_str();
  command->callback(std::move(run));
}

void add_client(CLI::App& app, ClientLoadOptions& options, std::function<void()> run) {
  CLI::App* command = app.add_subcommand(
      "client", "Encrypts, asks and decrypts through the SDK in a closed loop; fails if a single call does");
  command->add_option("--testnet", options.testnet, "testnet.json of a running network")->required();
  command->add_option("--clients", options.clients, "At the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--seconds", options.seconds, "How long")->check(CLI::Range(0.5, 86400.0))->capture_default_str();
  command->callback(std::move(run));
}

void add_delegate(CLI::App& app, DelegateOptions& options, std::function<void()> run) {
  CLI::App* command = app.add_subcommand(
      "delegate", "CPU time of a delegation in real nodes at saturation, beside what it cannot avoid: solo and 3 of 5");
  command->add_option("--solo", options.solo, "testnet.json of a running node; default: starts one");
  command->add_option("--network", options.network, "testnet.json of a running network; default: starts 3 of 5");
  command->add_option("--clients", options.clients, "Connections")->check(CLI::Range(1, 10'000))->capture_default_str();
  command->add_option("--seconds", options.seconds, "Of each load")
      ->check(CLI::Range(0.5, 3600.0))
      ->capture_default_str();
  command->add_option("--base-port", options.base_port, "Of what is started")->capture_default_str();
  command->callback(std::move(run));
}

void add_scale(CLI::App& app, ScaleOptions& options, std::function<void()> run) {
  CLI::App* command = app.add_subcommand(
      "scale", "CPU time of a delegation over all nodes for 5 to 20 of them; verify and combine for t = 3 and 33");
  command->add_option("--clients", options.clients, "Connections")->check(CLI::Range(1, 10'000))->capture_default_str();
  command->add_option("--seconds", options.seconds, "Of each load")
      ->check(CLI::Range(0.5, 3600.0))
      ->capture_default_str();
  command->add_option("--base-port", options.base_port, "Of what is started")->capture_default_str();
  command->callback(std::move(run));
}

}  // namespace

int main(int argc, char** argv) {
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
  int exit_code = 0;
  LoadOptions load_options;
  add_load(app, load_options, [&] { exit_code = load(load_options, json ? Output::json : Output::table); });
  app.get_subcommand("load")->add_flag("--json", json, "One JSON document instead of lines");
  ClientLoadOptions client_options;
  add_client(app, client_options,
             [&] { exit_code = client_load(client_options, json ? Output::json : Output::table); });
  app.get_subcommand("client")->add_flag("--json", json, "One JSON document instead of lines");
  DelegateOptions delegate_options;
  add_delegate(app, delegate_options,
               [&] { exit_code = delegate(delegate_options, json ? Output::json : Output::table); });
  app.get_subcommand("delegate")->add_flag("--json", json, "One JSON document instead of a table");
  ScaleOptions scale_options;
  add_scale(app, scale_options, [&] { exit_code = scale(scale_options, json ? Output::json : Output::table); });
  app.get_subcommand("scale")->add_flag("--json", json, "One JSON document instead of a table");
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
