// The static network file, network.toml: what a network is, agreed on by its operators (PROTOCOL.md 3, "network
// file"). Every node of the network holds the same bytes.
//
//   name = "testnet"                 # 1 to 32 of [a-z0-9-]
//   creation_nonce = "0x.."          # 32 bytes, drawn once for a key set
//   epoch = 0                        # whose committee this is; default 0
//   threshold = 3                    # 2 <= threshold <= members <= 128, or 1 of 1
//   decider = "simplex"              # default and, without a registry contract, the only one
//   genesis = "auto"                 # or "manual", or "import": the committee of epoch 0 is one member that has the
//   keys form_a_entries = "all"           # or a list of keys, PeerIds or names of members; [] switches form A off
//   refresh_every = "7d"             # or "never", the default; s, m, h, d; at least 1m
//   repair_approval = true           # the default
//   allow_lower_threshold = false    # the default
//   accept_f0 = false                # the default
//   [[member]]                       # in any order
//   key = "03.."                     # 33 bytes of hex, or a PeerId
//   name = "alpha"                   # optional, 1 to 64 of [A-Za-z0-9._-]
//   addresses = ["/ip4/.."]          # optional, at most 8
//   [[chain]]                        # 1 to 16, one per chain id
//   id = 31337
//   contract = "0x.."                # optional
//   gateway = "0x.."                 # an address or a list of up to 16
//   public_key = "0x.."              # optional; with genesis = "import" the key that is imported
#pragma once

#include <chrono>

#include "registry/registry.h"

namespace kms::registry {

inline constexpr std::size_t kNetworkFileBytesMax = 1024 * 1024;
inline constexpr std::size_t kMembersMax = 128;
inline constexpr std::size_t kChainsMax = 16;

enum class Genesis : std::uint8_t { automatic, manual, import };

// Cannot be invalid: whoever holds one needs no further checks of it.
class NetworkFile {
 public:
  // At most 1 MiB. Unknown keys are errors. Errors name the place ("network.toml:12:5"), the value and the remedy;
  // `file_name` is only for them.
  static Result<NetworkFile> parse(std::string_view text, const std::string& file_name = "network.toml");

  // What file_hash covers: the text exactly as it was parsed.
  const Bytes& bytes() const { return bytes_; }

  const std::string& name() const { return name_; }
  const Hash32& creation_nonce() const { return creation_nonce_; }
  std::uint32_t epoch() const { return epoch_; }
  std::uint16_t threshold() const { return threshold_; }
  // Faulty members that ceremonies survive: min((n-1)/3, (n-t)/2).
  std::uint16_t tolerated_faults() const;
  const Registry& registry() const { return registry_; }
  // In committee order.
  const std::vector<Member>& members() const { return registry_.members(); }
  // By chain id.
  const std::vector<Chain>& chains() const { return registry_.chains(); }

  Genesis genesis() const { return genesis_; }
  // Age of an epoch at which its refresh opens; nothing: only when operators order one.
  std::optional<std::chrono::seconds> refresh_every() const { return refresh_every_; }
  bool needs_repair_approval() const { return repair_approval_; }
  bool allows_lower_threshold() const { return allow_lower_threshold_; }
  bool accepts_f0() const { return accept_f0_; }

 private:
  explicit NetworkFile(Registry registry) : registry_(std::move(registry)) {}

  Bytes bytes_;
  std::string name_;
  Hash32 creation_nonce_{};
  std::uint32_t epoch_ = 0;
  std::uint16_t threshold_ = 0;
  Registry registry_;
  Genesis genesis_ = Genesis::automatic;
  std::optional<std::chrono::seconds> refresh_every_;
  bool repair_approval_ = true;
  bool allow_lower_threshold_ = false;
  bool accept_f0_ = false;
};

}  // namespace kms::registry
