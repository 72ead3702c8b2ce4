// The command line as values, one struct a command. Secrets are never among them, only where to find them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace kms::cli {

struct KeygenNode {
  std::string folder;
  std::string passphrase_file;  // empty: from the environment, else asked on the terminal
};
struct KeygenWallet {
  std::string file;
};
struct KeygenRsa {
  std::string file;
  std::uint32_t bits = 2048;
};

// Which nodes to talk to: URLs, or a testnet.json, not both.
struct Where {
  std::vector<std::string> nodes;
  std::string testnet;
};

struct Status {
  Where where;
};
struct Keys {
  Where where;
};
struct Peers {
  Where where;
};
struct Ceremonies {
  Where where;
};
// An order at the admin sockets of one's own nodes.
struct Order {
  std::string what;                  // approve, refresh, repair, start, emergency, void: the route
  std::vector<std::string> sockets;  // or, with a test network's file, all its nodes or those named by index
  std::string testnet;
  std::vector<std::uint32_t> nodes;
  std::string file;    // approve
  std::string member;  // repair
  std::optional<std::uint32_t> valid_hours;
  bool is_emergency = false;       // reshare: below the quorum of the committee in charge
  std::string dealing;             // emergency: the dealing that is meant, 32 bytes of hex; empty: the only one
  bool is_confirmed = false;       // emergency, void: do not ask
  std::uint32_t wait_seconds = 0;  // until the next epoch is in charge; 0: not at all
};
struct Encrypt {
  Where where;
  std::string public_key;
  std::optional<std::uint64_t> chain_id;
  std::string text = "-";  // "-": from stdin
};
struct Delegate {
  Where where;
  std::string gateway_key_file;  // empty: the testnet's
  std::string rsa_key_file;
  std::string signer;  // empty: the testnet's, else any
  std::optional<std::uint64_t> chain_id;
  std::string ciphertext_file = "-";
};
struct Decrypt {
  std::string rsa_key_file;
  std::string delegation_file = "-";
};
struct Demo {
  std::string testnet;
  std::optional<std::uint32_t> node;  // by its index; nothing: each in turn
  std::optional<std::uint64_t> chain_id;
  std::string text;
};

using Command = std::variant<KeygenNode, KeygenWallet, KeygenRsa, Status, Keys, Peers, Ceremonies, Order, Encrypt,
                             Delegate, Decrypt, Demo>;

struct CommandLine {
  Command command;
  bool json = false;
};

}  // namespace kms::cli
