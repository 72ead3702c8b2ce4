#include "node/io/main.h"

#include <csignal>
#include <cstdio>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/io/os_entropy.h"
#include "crypto/context.h"
#include "node/io/log.h"
#include "node/io/process.h"

namespace kms::node::io {
namespace {

int fail(const std::string& what) {
  log(LogLevel::error, what);
  flush_log();
  return 1;
}

// Before there is a handler a SIGHUP would end the process; held back, it makes the node read its files again later.
// Threads that begin meanwhile never take it.
void hold_hangups(int how) {
  sigset_t hangups;
  sigemptyset(&hangups);
  sigaddset(&hangups, SIGHUP);
  pthread_sigmask(how, &hangups, nullptr);
}

void reload_on_hangup(boost::asio::signal_set& hangups, Node& node) {
  hangups.async_wait([&hangups, &node](boost::system::error_code failure, int) {
    if (failure) return;
    if (node.peer_sources) {
      const auto& key = node.credentials->node_key.public_key();
      reload(*node.peer_sources, net::PeerId::of(net::PublicKey::from_secp256k1(key)), *node.runtime);
    }
    reload_on_hangup(hangups, node);
  });
}

int run_started(boost::asio::io_context& context, Node& node) {
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code failure, int number) {
    if (failure) return;
    log(LogLevel::info, number == SIGINT ? "stopping: interrupted" : "stopping: terminated");
    node.runtime->stop([&context] { context.stop(); });
  });
  boost::asio::signal_set hangups(context, SIGHUP);
  reload_on_hangup(hangups, node);
  hold_hangups(SIG_UNBLOCK);
  context.run();
  log(LogLevel::info, "stopped");
  flush_log();
  return 0;
}

}  // namespace

int run_node(const StartOptions& options) {
  // A client that goes away while we write to it is an error code, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  hold_hangups(SIG_BLOCK);
  kms::io::OsEntropy entropy;
  crypto::randomize_context(entropy);
  open_log(LogLevel::info, LogFormat::text);
  auto environment = read_environment();
  if (!environment) return fail("environment: " + environment.error().message);
  auto config = load_config(options, *environment);
  if (!config) return fail("config: " + config.error().message);
  environment->clear();
  open_log(config->log_level, config->log_format);
  for (const std::string& missing : harden_process()) log(LogLevel::warn, missing);
  try {
    boost::asio::io_context context(1);
    auto node = start_node(context, std::move(*config), entropy);
    if (!node) return fail(node.error().message);
    return run_started(context, *node);
  } catch (const std::exception& failure) {
    // A broken machine (port taken, disk full): nothing that was not saved has been sent.
    return fail(failure.what());
  }
}

}  // namespace kms::node::io
