#include "cli/command_line.h"

#include <charconv>

#include <CLI/CLI.hpp>

namespace kms::cli {
namespace {

constexpr const char* kAbout =
    "kmsctl talks to a threshold KMS network and makes the keys it needs.\n\n"
    "A whole round, with the keys of a test network:\n"
    "  kmsctl keygen rsa --out me.pem\n"
    "  kmsctl encrypt --testnet testnet.json 'hello' \\\n"
    "    | kmsctl delegate --testnet testnet.json --rsa-key me.pem \\\n"
    "    | kmsctl decrypt --rsa-key me.pem\n\n"
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

constexpr const char* kStatusAbout =
    "Shows which nodes answer, whether they are ready, and what they wait for.\n\n"
    "  kmsctl status --testnet testnet.json\n"
    "  kmsctl status --node http://10.0.0.1:9101 --node http://10.0.0.2:9101 --json\n\n"
    "Exit code 0 only if every node is ready. LINKS counts the members a node is connected to, itself included.";

constexpr const char* kKeysAbout =
    "Lists the network's public keys.\n\n"
    "  kmsctl keys --node http://127.0.0.1:9101\n\n"
    "The answer is one node's word. \"imported\" marks keys that somebody held whole before the network had them.";

constexpr const char* kPeersAbout =
    "Shows whom each node is connected to, how well, and why a member is away.\n\n"
    "  kmsctl peers --testnet testnet.json\n"
    "  kmsctl peers --node http://10.0.0.1:9101 --json\n\n"
    "Members come first; IN and OUT are bytes since the node began. Addresses of others are not told. Exit code 0 "
    "only\n"
    "if every node answers.";

constexpr const char* kCeremoniesAbout =
    "Shows the ceremonies that nodes run or ran: phase, whom they wait for, approvals, and who cheated.\n\n"
    "  kmsctl ceremonies --testnet testnet.json\n"
    "  kmsctl ceremonies --node http://10.0.0.1:9101 --json\n\n"
    "Exit code 0 only if every node answers. GET /v1/ceremonies/{id} of a node shows the evidence itself.";

constexpr const char* kApproveAbout =
    "Approves the network file of the next epoch at one's own node: other members, another threshold.\n\n"
    "  kmsctl approve --socket /var/lib/kms/admin.sock network-1.toml\n\n"
    "The file keeps name, creation_nonce and chains, and has epoch = the number of the next epoch. Every operator "
    "runs\n"
    "this at its own node, those of new nodes too; once a quorum of the members in charge has approved the same file,\n"
    "the network moves. The public key stays the same. A node approves one file per epoch.";

constexpr const char* kReshareAbout =
    "Approves the network file of the next epoch and waits until the nodes are there.\n\n"
    "  kmsctl reshare --socket /var/lib/kms/admin.sock network-1.toml\n"
    "  kmsctl reshare --testnet testnet/run/testnet.json network-1.toml\n\n"
    "As kmsctl approve, with progress. testnet/reshare --nodes 7 --threshold 4 does all of it on a test network.\n\n"
    "With --emergency, for a committee that has lost so many members for ever that it can decide nothing (2 of 3 with\n"
    "one disk gone): every operator of a member that is left runs, with the same file, and those of new nodes too,\n"
    "  kmsctl reshare --emergency --socket /var/lib/kms/admin.sock network-1.toml\n"
    "It says how many members may cheat at most and asks; then it names the dealing that the nodes have made. If "
    "there\n"
    "are two, operators must agree on one and give it as --dealing: naming different ones cannot be undone.";

constexpr const char* kVoidAbout =
    "Gives up the epoch that is being made, because its new committee is dead before it was active.\n\n"
    "  kmsctl void --socket /var/lib/kms/admin.sock\n\n"
    "For an epoch that is decided, but that too few of its members ever confirmed. Once a quorum of the operators of\n"
    "the committee in charge has ordered it, the dealing is void, its shares are destroyed, and the next epoch can be\n"
    "made anew with another file. The old shares serve on. If the new members come back first, they win.";

constexpr const char* kRefreshAbout =
    "Orders new shares for the same members, so that stolen ones become worthless.\n\n"
    "  kmsctl refresh --socket /var/lib/kms/admin.sock\n"
    "  kmsctl refresh --socket /var/lib/kms/admin.sock --wait 60\n\n"
    "It begins once a quorum of the operators has ordered it. The public key stays the same. With refresh_every in "
    "the\n"
    "network file refreshes happen by the clock, without orders.";

constexpr const char* kRepairAbout =
    "Approves that a member which lost its disk gets its share back.\n\n"
    "  kmsctl repair --socket /var/lib/kms/admin.sock node-3\n\n"
    "The member is named by its name, address or index. A quorum of the operators must approve; the member itself, "
    "once\n"
    "it is started with its old node key and an empty data folder, then does the rest. Make sure that it is really\n"
    "its operator who asks: whoever stole its node key would get its share.";

constexpr const char* kStartAbout =
    "Orders a node to begin the generation of the key, where the network file says genesis = \"manual\".\n\n"
    "  kmsctl start --socket /var/lib/kms/admin.sock";

constexpr const char* kEncryptAbout =
    "Encrypts a text to a network's key and prints the ciphertext as JSON.\n\n"
    "  kmsctl encrypt --testnet testnet.json 'hello'\n"
    "  kmsctl encrypt --node http://127.0.0.1:9101 --chain-id 31337 < secret.txt > ciphertext.json\n"
    "  kmsctl encrypt --public-key 0x02.. --chain-id 31337 < secret.txt\n\n"
    "Others on this machine see the command line: give what is really secret on stdin. With --public-key no node is\n"
    "asked and the key cannot be swapped by one.";

constexpr const char* kDelegateAbout =
    "Asks for the delegation of a ciphertext to an RSA key, verifies the proof and prints both as JSON.\n\n"
    "  kmsctl delegate --testnet testnet.json --rsa-key me.pem ciphertext.json > delegation.json\n"
    "  kmsctl delegate --node http://10.0.0.1:9101 --node http://10.0.0.2:9101 --gateway-key-file gateway.key \\\n"
    "    --signer 0x.. --rsa-key me.pem < ciphertext.json\n\n"
    "Nodes are asked in order until one answers.";

constexpr const char* kDecryptAbout =
    "Opens a delegation with the requester's RSA key and prints the text. Needs no network.\n\n"
    "  kmsctl decrypt --rsa-key me.pem delegation.json\n\n"
    "With --json: {\"text\": ..}, or {\"hex\": ..} for what is not UTF-8.";

constexpr const char* kDemoAbout =
    "Encrypts a text, has it delegated at each node of a test network, verifies and decrypts, and shows the times.\n\n"
    "  kmsctl demo --testnet testnet/run/testnet.json 'hello'\n"
    "  kmsctl demo --testnet testnet/run/testnet.json --node 2 'hello'";

constexpr std::uint32_t kReshareSeconds = 120;

// One of each command's options; CLI11 fills the ones of the command that was named.
struct Slots {
  bool json = false;
  KeygenNode keygen;
  KeygenWallet wallet;
  KeygenRsa rsa;
  Status status;
  Keys keys;
  Peers peers;
  Ceremonies ceremonies;
  Order order;
  Encrypt encrypt;
  Delegate delegate;
  Decrypt decrypt;
  Demo demo;
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

void add_where(CLI::App& command, Where& where) {
  command.add_option("--node", where.nodes, "A node's HTTP address; repeatable")
      ->type_name("URL")
      ->allow_extra_args(false);
  command.add_option("--testnet", where.testnet, "Take everything from a test network's testnet.json")
      ->type_name("FILE");
}

void add_chain(CLI::App& command, std::optional<std::uint64_t>& chain_id) {
  // CLI11 takes "-1" and what is too large for 2^64 - 1.
  auto problem = [](const std::string& text) {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    return failure == std::errc() && stop == end ? "" : "\"" + text + "\" is no decimal number below 2^64";
  };
  command.add_option("--chain-id", chain_id, "The chain whose key is meant; not needed if there is only one")
      ->check(problem, "DECIMAL");
}

void add_network(CLI::App& app, Slots& slots) {
  add_where(*add_command(app, slots, "status", kStatusAbout), slots.status.where);
  add_where(*add_command(app, slots, "keys", kKeysAbout), slots.keys.where);
  add_where(*add_command(app, slots, "peers", kPeersAbout), slots.peers.where);
}

CLI::App* add_order(CLI::App& app, Slots& slots, const char* name, const char* about) {
  CLI::App* command = add_command(app, slots, name, about);
  command->add_option("--socket", slots.order.sockets, "A node's admin socket, DATA_DIR/admin.sock; repeatable")
      ->type_name("PATH")
      ->allow_extra_args(false);
  command->add_option("--testnet", slots.order.testnet, "The nodes of a test network, from its testnet.json")
      ->type_name("FILE");
  command->add_option("--node-index", slots.order.nodes, "With --testnet: only the node with this index; repeatable")
      ->allow_extra_args(false);
  return command;
}

void add_orders(CLI::App& app, Slots& slots) {
  add_where(*add_command(app, slots, "ceremonies", kCeremoniesAbout), slots.ceremonies.where);
  const auto add_life = [&](CLI::App* command) {
    command
        ->add_option("--valid-hours", slots.order.valid_hours,
                     "How long the approval is good (default: as approved by others, else a week)")
        ->check(CLI::Range(1U, 87600U));
  };
  const auto add_wait = [&](CLI::App* command, const char* text) {
    command->add_option("--wait", slots.order.wait_seconds, text)->type_name("S")->check(CLI::Range(0U, 86400U));
  };
  const auto add_file = [&](CLI::App* command) {
    command->add_option("file", slots.order.file, "The network file of the next epoch")->type_name("FILE")->required();
  };
  CLI::App* approve = add_order(app, slots, "approve", kApproveAbout);
  add_file(approve);
  add_life(approve);
  CLI::App* reshare = add_order(app, slots, "reshare", kReshareAbout);
  add_file(reshare);
  add_life(reshare);
  add_wait(reshare, "Seconds to wait (default 120)");
  const auto add_yes = [&](CLI::App* command) {
    command->add_flag("--yes", slots.order.is_confirmed, "Do not ask; for scripts");
  };
  reshare->add_flag("--emergency", slots.order.is_emergency, "The committee in charge has lost its quorum for ever");
  reshare->add_option("--dealing", slots.order.dealing, "With --emergency: which dealing, if there is more than one")
      ->type_name("HEX");
  add_yes(reshare);
  add_yes(add_order(app, slots, "void", kVoidAbout));
  CLI::App* refresh = add_order(app, slots, "refresh", kRefreshAbout);
  add_life(refresh);
  add_wait(refresh, "Seconds to wait until the new epoch is in charge (default: not at all)");
  CLI::App* repair = add_order(app, slots, "repair", kRepairAbout);
  repair->add_option("member", slots.order.member, "Whose share: name, address or index")
      ->type_name("MEMBER")
      ->required();
  add_life(repair);
  add_order(app, slots, "start", kStartAbout);
}

void add_delegation(CLI::App& app, Slots& slots) {
  CLI::App* encrypt = add_command(app, slots, "encrypt", kEncryptAbout);
  add_where(*encrypt, slots.encrypt.where);
  add_chain(*encrypt, slots.encrypt.chain_id);
  encrypt->add_option("--public-key", slots.encrypt.public_key, "Encrypt to this key without asking a node")
      ->type_name("HEX");
  encrypt->add_option("text", slots.encrypt.text, "The text; - or nothing: stdin")->type_name("TEXT");

  CLI::App* delegate = add_command(app, slots, "delegate", kDelegateAbout);
  add_where(*delegate, slots.delegate.where);
  add_chain(*delegate, slots.delegate.chain_id);
  delegate->add_option("--gateway-key-file", slots.delegate.gateway_key_file, "The gateway's key, 32 bytes of hex")
      ->type_name("FILE");
  delegate->add_option("--rsa-key", slots.delegate.rsa_key_file, "The requester's RSA key")
      ->type_name("FILE")
      ->required();
  delegate->add_option("--signer", slots.delegate.signer, "Whose proof is accepted")->type_name("ADDRESS");
  delegate->add_option("ciphertext", slots.delegate.ciphertext_file, "From kmsctl encrypt; - or nothing: stdin")
      ->type_name("FILE");

  CLI::App* decrypt = add_command(app, slots, "decrypt", kDecryptAbout);
  decrypt->add_option("--rsa-key", slots.decrypt.rsa_key_file, "The requester's RSA key")
      ->type_name("FILE")
      ->required();
  decrypt->add_option("delegation", slots.decrypt.delegation_file, "From kmsctl delegate; - or nothing: stdin")
      ->type_name("FILE");

  CLI::App* demo = add_command(app, slots, "demo", kDemoAbout);
  demo->add_option("--testnet", slots.demo.testnet, "The network's testnet.json")->type_name("FILE")->required();
  demo->add_option("--node", slots.demo.node, "Ask only the node with this index");
  add_chain(*demo, slots.demo.chain_id);
  demo->add_option("text", slots.demo.text, "What to encrypt")->type_name("TEXT")->required();
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
  if (app.got_subcommand("status")) return CommandLine{std::move(slots.status), slots.json};
  if (app.got_subcommand("keys")) return CommandLine{std::move(slots.keys), slots.json};
  if (app.got_subcommand("peers")) return CommandLine{std::move(slots.peers), slots.json};
  if (app.got_subcommand("ceremonies")) return CommandLine{std::move(slots.ceremonies), slots.json};
  for (const char* order : {"approve", "reshare", "refresh", "repair", "start", "void"}) {
    if (!app.got_subcommand(order)) continue;
    slots.order.what = order;
    if (slots.order.what == "reshare") {
      if (!slots.order.is_emergency && !slots.order.dealing.empty()) {
        return usage("--dealing belongs to --emergency");
      }
      slots.order.what = slots.order.is_emergency ? "emergency" : "approve";
      if (slots.order.wait_seconds == 0) slots.order.wait_seconds = kReshareSeconds;
    }
    return CommandLine{std::move(slots.order), slots.json};
  }
  if (app.got_subcommand("encrypt")) return CommandLine{std::move(slots.encrypt), slots.json};
  if (app.got_subcommand("delegate")) return CommandLine{std::move(slots.delegate), slots.json};
  if (app.got_subcommand("decrypt")) return CommandLine{std::move(slots.decrypt), slots.json};
  if (app.got_subcommand("demo")) return CommandLine{std::move(slots.demo), slots.json};
  return Help{app.help()};
}

}  // namespace

std::variant<CommandLine, Help, Failure> parse_command_line(int argc, const char* const* argv) {
  CLI::App app(kAbout, "kmsctl");
  Slots slots;
  app.set_version_flag("--version", std::string("kmsctl ") + KMS_VERSION);
  app.require_subcommand(0, 1);
  add_keygen(app, slots);
  add_network(app, slots);
  add_orders(app, slots);
  add_delegation(app, slots);
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
