#include "cli/command_line.h"

#include <CLI/CLI.hpp>

namespace kms::cli {
namespace {

constexpr const char* kAbout =
    "kmsctl makes the keys that a threshold KMS network needs.\n\n"
    "Exit codes: 0 done, 1 refused or failed, 2 wrong command line. With --json, results and errors are one JSON\n"
    "object. `kmsctl COMMAND --help` shows examples.";

constexpr const char* kKeygenAbout =
    "Makes a node key: the identity of one node, sealed under a passphrase.\n\n"
    "  kmsctl keygen --out /var/lib/kms                          asks for the passphrase, writes "
    "/var/lib/kms/node.key\n"
    "  kmsctl keygen --out node-1 --passphrase-file pass --json  for scripts\n"
    "  kmsctl keygen wallet --out gateway.key                    a gateway's or response wallet's key\n"
    "  kmsctl keygen rsa --out me.pem                            a requester's RSA key\n\n"
    "The passphrase comes from --passphrase-file, else from KMS_KEYSTORE__PASSPHRASE or the file that\n"
    "KMS_KEYSTORE__PASSPHRASE_FILE names, else from the terminal. Existing files are never overwritten.";

constexpr const char* kWalletAbout =
    "Makes a secp256k1 key in hex, in the clear, for a gateway or a response wallet.\n\n"
    "  kmsctl keygen wallet --out response-wallet.key\n\n"
    "A gateway's key signs requests; a response wallet signs the answers of all nodes of a network.";

constexpr const char* kRsaAbout =
    "Makes the RSA key to which delegations are encrypted, PKCS#8 PEM in the clear.\n\n"
    "  kmsctl keygen rsa --out me.pem --bits 3072";

// One of each command's options; CLI11 fills the ones of the command that was named.
struct Slots {
  bool json = false;
  KeygenNode keygen;
  KeygenWallet wallet;
  KeygenRsa rsa;
};

// `about` is one line for the list of commands, a blank line, and what only the command's own help shows.
CLI::App* add_command(CLI::App& parent, Slots& slots, const char* name, std::string_view about) {
  const std::size_t end = about.find('\n');
  CLI::App* command = parent.add_subcommand(name, std::string(about.substr(0, end)));
  if (end != about.npos) command->footer(std::string(about.substr(end + 1)));
  command->add_flag("--json", slots.json, "Answer, and complain, with one JSON object");
  return command;
}

void add_keygen(CLI::App& app, Slots& slots) {
  CLI::App* node = add_command(app, slots, "keygen", kKeygenAbout);
  node->add_option("--out", slots.keygen.folder, "Folder for node.key; made if missing")->type_name("DIR");
  node->add_option("--passphrase-file", slots.keygen.passphrase_file, "Holds the passphrase on one line")
      ->type_name("FILE");
  CLI::App* wallet = add_command(*node, slots, "wallet", kWalletAbout);
  wallet->add_option("--out", slots.wallet.file, "The file to make")->type_name("FILE")->required();
  CLI::App* rsa = add_command(*node, slots, "rsa", kRsaAbout);
  rsa->add_option("--out", slots.rsa.file, "The file to make")->type_name("FILE")->required();
  rsa->add_option("--bits", slots.rsa.bits, "2048 to 4096")->check(CLI::Range(2048U, 4096U));
  node->require_subcommand(0, 1);
}

std::string complaint(const CLI::App& app, const std::string& what, int argc, const char* const* argv) {
  if (app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-') {
    return "there is no command \"" + std::string(argv[1]) + "\"; kmsctl --help lists them";
  }
  std::string command = "kmsctl";
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return what + "; " + command + " --help shows how it is used";
}

std::variant<CommandLine, Help, Failure> chosen(const CLI::App& app, Slots& slots) {
  if (const CLI::App* keygen = app.get_subcommand("keygen"); keygen->parsed()) {
    if (keygen->got_subcommand("wallet")) return CommandLine{std::move(slots.wallet), slots.json};
    if (keygen->got_subcommand("rsa")) return CommandLine{std::move(slots.rsa), slots.json};
    if (slots.keygen.folder.empty()) {
      return usage("--out is required: the folder in which node.key is made, for example kmsctl keygen --out node-1");
    }
    return CommandLine{std::move(slots.keygen), slots.json};
  }
  return Help{app.help()};
}

}  // namespace

std::variant<CommandLine, Help, Failure> parse_command_line(int argc, const char* const* argv) {
  CLI::App app(kAbout, "kmsctl");
  Slots slots;
  app.set_version_flag("--version", std::string("kmsctl ") + KMS_VERSION);
  app.require_subcommand(0, 1);
  add_keygen(app, slots);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Help{app.help()};
  } catch (const CLI::CallForVersion& version) {
    return Help{std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& wrong) {
    return usage(complaint(app, wrong.what(), argc, argv));
  }
  return chosen(app, slots);
}

}  // namespace kms::cli
