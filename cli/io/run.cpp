#include "cli/io/run.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "base/io/os_entropy.h"
#include "cli/command_line.h"
#include "cli/io/delegate.h"
#include "cli/io/demo.h"
#include "cli/io/keygen.h"
#include "cli/io/network.h"
#include "cli/io/orders.h"
#include "cli/plain_json.h"
#include "crypto/context.h"

namespace kms::cli::io {
namespace {

// Past stdio, whose buffer would keep a decrypted text.
bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Whether --json stands anywhere, for complaints about lines that do not parse.
bool names_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") return true;
  }
  return false;
}

int complain(const Failure& failure, bool as_json) {
  const std::string text = as_json ? boost::json::serialize(boost::json::object{{"error", failure.message}}) + "\n"
                                   : "kmsctl: " + failure.message + "\n";
  write_all(STDERR_FILENO, text);
  return static_cast<int>(failure.exit);
}

int print(Report&& report, bool as_json) {
  if (!as_json && !report.note.empty()) write_all(STDERR_FILENO, report.note + "\n");
  bool is_written = false;
  if (report.plain) {
    const auto shown = as_json ? plain_json(report.plain->expose()) : std::move(*report.plain);
    is_written = write_all(STDOUT_FILENO, as_text(shown.expose()));
    // For eyes only; what a pipe or a file gets is the text and nothing else.
    if (!as_json && ::isatty(STDOUT_FILENO) == 1) write_all(STDOUT_FILENO, "\n");
  } else if (as_json) {
    is_written = write_all(STDOUT_FILENO, boost::json::serialize(report.json) + "\n");
  } else {
    is_written = write_all(STDOUT_FILENO, report.text);
  }
  if (!is_written)
    return complain({Exit::failed, "cannot write the answer: " + std::string(std::strerror(errno))}, as_json);
  return static_cast<int>(report.exit);
}

}  // namespace

int run_kmsctl(int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_DUMPABLE, 0);  // no core file with keys in it
  auto parsed = parse_command_line(argc, argv);
  if (const auto* help = std::get_if<Help>(&parsed)) return write_all(STDOUT_FILENO, help->text) ? 0 : 1;
  if (const auto* failure = std::get_if<Failure>(&parsed)) return complain(*failure, names_json(argc, argv));
  kms::io::OsEntropy entropy;
  crypto::randomize_context(entropy);
  const auto& line = std::get<CommandLine>(parsed);
  const Progress progress = [&](const std::string& text) {
    if (!line.json) write_all(STDOUT_FILENO, text + "\n");
  };
  auto outcome = std::visit(
      [&](const auto& options) {
        if constexpr (std::is_same_v<std::decay_t<decltype(options)>, Demo>) {
          return run(options, entropy, progress);
        } else if constexpr (std::is_same_v<std::decay_t<decltype(options)>, Order>) {
          return run(options, progress);
        } else {
          return run(options, entropy);
        }
      },
      line.command);
  if (!outcome) return complain(outcome.error(), line.json);
  return print(std::move(*outcome), line.json);
}

}  // namespace kms::cli::io
