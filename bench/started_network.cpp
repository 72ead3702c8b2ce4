#include "bench/started_network.h"

#include <cstdlib>
#include <filesystem>

namespace kms::bench {
namespace {

namespace fs = std::filesystem;

fs::path program_folder() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

// build/PRESET/bin stands in the checkout; a program elsewhere has no scripts.
fs::path checkout() {
  return program_folder().parent_path().parent_path().parent_path();
}

std::string shell_word(const fs::path& path) {
  return "'" + path.string() + "'";
}

int run_script(const std::string& script, const std::string& arguments) {
  return std::system(("python3 " + shell_word(checkout() / "testnet" / script) + " " + arguments + " 1>&2").c_str());
}

}  // namespace

Result<StartedNetwork> StartedNetwork::start(const NetworkSize& size) {
  if (!fs::exists(checkout() / "testnet" / "start.py")) {
    return error("testnet/start.py is not beside this build; start a network and name its testnet.json instead");
  }
  char folder[] = "/tmp/kms-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return error("no temporary folder in /tmp");
  StartedNetwork network{std::string(folder) + "/net"};
  const std::string arguments = "--root " + shell_word(checkout()) + " --bin " + shell_word(program_folder()) +
                                " --nodes " + std::to_string(size.nodes) + " --threshold " +
                                std::to_string(size.threshold) + " --base-port " + std::to_string(size.base_port) +
                                " --dir " + shell_word(network.folder_) + " --detach";
  if (run_script("start.py", arguments) != 0) return error("the network did not start; what testnet/up said is above");
  return network;
}

StartedNetwork::~StartedNetwork() {
  if (folder_.empty()) return;
  run_script("stop.py", "--dir " + shell_word(folder_) + " --erase");
  std::error_code ignored;
  fs::remove_all(fs::path(folder_).parent_path(), ignored);
}

}  // namespace kms::bench
