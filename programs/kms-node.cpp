// kms-node: one member of a threshold KMS network, or a network of its own with --solo.
#include <CLI/CLI.hpp>

#include "node/io/import.h"
#include "node/io/main.h"

namespace {

constexpr const char* kAbout =
    "One member of a threshold KMS network.\n\n"
    "  kms-node --config node.toml                 as node.toml says\n"
    "  kms-node --config node.toml --peers list    dial the multiaddrs in `list`, one a line\n"
    "  kms-node --solo                             a network of one; understands NOX_KMS_* variables\n"
    "  kms-node import --config node.toml          takes over the key of a single-node KMS; see its --help\n\n"
    "Any setting can come from the environment as KMS_<SECTION>__<KEY>, for example KMS_P2P__GOSSIP=mesh (auto, "
    "committee\n"
    "or mesh: how the members' topics are carried). SIGHUP reads p2p.peers_file and p2p.classes_file again.";

constexpr const char* kImportAbout =
    "Takes over a key that exists: it becomes epoch 0 of the network, and kmsctl approve brings it to more nodes.\n\n"
    "  kms-node import --config node.toml --key /run/secrets/ecc-key        a network of one chain\n"
    "  kms-node import --config node.toml --key 421614=a.key --key 1=b.key  several chains\n"
    "  kms-node import --config node.toml --key - < ecc-key\n"
    "  NOX_KMS_CHAINS__421614__ECC_KEY_FILE=a.key kms-node import --config node.toml\n\n"
    "The network file says genesis = \"import\", has one member, this node, and names each chain's public_key. A key "
    "is 32\n"
    "bytes of hex, in a file of mode 0600. The node must not run meanwhile. A key is imported once, for ever.";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kAbout, "kms-node");
  kms::node::io::StartOptions options;
  std::string data_dir;
  std::string network;
  std::string peers_file;
  app.add_option("--config", options.config_file, "Settings (TOML)")->type_name("FILE");
  app.add_option("--data-dir", data_dir, "Where the node keeps its key and its store")->type_name("DIR");
  app.add_option("--network", network, "The network file: who is a member")->type_name("FILE");
  app.add_option("--peers", peers_file, "Whom to dial: one multiaddr with /p2p/<PeerId> a line")->type_name("FILE");
  app.add_option("--peer", options.command_line.peers, "One more address to dial; repeatable")->type_name("MULTIADDR");
  app.add_flag("--solo", options.command_line.solo, "Serve alone, with n = t = 1");
  std::vector<std::string> keys;
  CLI::App* import = app.add_subcommand("import", "Take over the key of a single-node KMS");
  import->fallthrough()->footer(kImportAbout);
  import->add_option("--key", keys, "The key: FILE, CHAIN=FILE, or - for stdin; repeatable")
      ->type_name("[CHAIN=]FILE")
      ->allow_extra_args(false);
  app.set_version_flag("--version", std::string("kms-node ") + KMS_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are 0, a wrong command line is 2.
    return app.exit(error) == 0 ? 0 : 2;
  }
  // An empty one is refused there; most likely it is a shell variable that is not set.
  if (app.count("--data-dir") > 0) options.command_line.data_dir = data_dir;
  if (app.count("--network") > 0) options.command_line.network_file = network;
  if (app.count("--peers") > 0) options.command_line.peers_file = peers_file;
  if (import->parsed()) return kms::node::io::run_import({options, keys});
  return kms::node::io::run_node(options);
}
