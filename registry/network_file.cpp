#include "registry/network_file.h"

#include <algorithm>
#include <map>

#include "base/base58.h"
#include "registry/toml_fields.h"

namespace kms::registry {
namespace {

constexpr std::size_t kNameBytesMax = 32;
constexpr std::size_t kMemberNameBytesMax = 64;
constexpr std::size_t kAddressesMax = 8;
constexpr std::size_t kAddressBytesMax = 1024;
constexpr std::size_t kGatewaysMax = 16;

bool consists_of(std::string_view text, std::string_view extra, bool upper_case) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upper_case && c >= 'A' && c <= 'Z') ||
           extra.find(c) != std::string_view::npos;
  });
}

// The multihash of libp2p's encoding of a secp256k1 key: identity, 37 bytes, type 2, then the 33 bytes.
constexpr std::uint8_t kPeerIdPrefix[] = {0x00, 0x25, 0x08, 0x02, 0x12, 0x21};

Result<crypto::Point> parse_member_key(const std::string& text) {
  static const char kRemedy[] =
      "a node public key is 33 bytes of hex starting with 02 or 03, or a PeerId 16Uiu2..; "
      "kmsctl keygen prints both";
  if (text.starts_with("16Uiu2")) {
    auto bytes = decode_base58(text);
    if (!bytes || bytes->size() != 39 || !equal(ByteView(*bytes).first(6), kPeerIdPrefix)) return error(kRemedy);
    auto key = crypto::Point::parse(ByteView(*bytes).subspan(6));
    if (!key) return error("this PeerId holds no point of secp256k1");
    return key;
  }
  auto bytes = parse_hex_exactly(text, 33);
  if (!bytes) return error(kRemedy);
  auto key = crypto::Point::parse(*bytes);
  if (!key) return error("not a point of secp256k1; " + std::string(kRemedy));
  return key;
}

// The text behind /`protocol`/, up to the next slash.
std::optional<std::string_view> part_of(std::string_view address, std::string_view protocol) {
  for (std::size_t at = 0; at != std::string_view::npos;) {
    const std::size_t name_end = address.find('/', at + 1);
    const std::string_view name = address.substr(at + 1, name_end - at - 1);
    if (name_end == std::string_view::npos) return std::nullopt;
    const std::size_t value_end = address.find('/', name_end + 1);
    if (name == protocol) return address.substr(name_end + 1, value_end - name_end - 1);
    at = value_end;
  }
  return std::nullopt;
}

// Why others could never reach the member there. The rest of the form is checked by whoever dials.
std::optional<std::string> fault_of(std::string_view address, const crypto::Point& key) {
  if (!address.starts_with('/') || address.size() > kAddressBytesMax) {
    return "is no multiaddr such as /ip4/192.0.2.1/tcp/9001";
  }
  const auto port = part_of(address, "tcp");
  if (port && !port->empty() && port->find_first_not_of('0') == std::string_view::npos) {
    return "has port 0, where nobody can connect; name the port that the member listens on";
  }
  const auto peer = part_of(address, "p2p");
  if (!peer) return std::nullopt;
  const auto named = parse_member_key(std::string(*peer));
  if (named && *named == key) return std::nullopt;
  return "names another node behind /p2p/; leave /p2p/.. away, or write this member's own PeerId (16Uiu2..)";
}

std::vector<Member> read_members(TomlFields& root) {
  std::vector<Member> out;
  std::map<Hash32, std::size_t> seen_keys;
  std::set<std::string> seen_names;
  for (TomlFields& fields : root.tables("member", kMembersMax)) {
    const auto text = fields.text("key");
    const auto name = fields.text("name");
    const auto addresses = fields.texts("addresses", kAddressesMax);
    fields.refuse_unknown();
    if (!text) {
      if (!fields.has("key")) fields.complain_missing("key", "every member needs its node public key");
      return {};
    }
    auto key = parse_member_key(*text);
    if (!key) {
      fields.complain("key", key.error().message);
      return {};
    }
    Member member{crypto::node_id_of(*key), *key, name.value_or(""), addresses.value_or(std::vector<std::string>())};
    if (!seen_keys.emplace(member.node_id, out.size()).second) {
      fields.complain("key", "this node is listed twice; remove one entry");
    }
    if (name && (name->empty() || name->size() > kMemberNameBytesMax || !consists_of(*name, "._-", true))) {
      fields.complain("name", "must be 1 to 64 of A-Z a-z 0-9 . _ -");
    }
    if (name == "all") fields.complain("name", "this word means every member in form_a_entries; choose another");
    if (name && !seen_names.insert(*name).second) fields.complain("name", "two members have this name");
    for (const std::string& address : member.addresses) {
      const auto fault = fault_of(address, *key);
      const std::string who = name ? shown(*name) : shown(*text);
      if (fault) fields.complain("addresses", "address \"" + shown(address) + "\" of member " + who + " " + *fault);
    }
    out.push_back(std::move(member));
  }
  std::sort(out.begin(), out.end(), [](const Member& a, const Member& b) { return a.node_id < b.node_id; });
  return out;
}

std::vector<crypto::Address> read_gateways(TomlFields& fields) {
  const auto texts = fields.texts("gateway", kGatewaysMax);
  std::vector<crypto::Address> out;
  for (const std::string& text : texts.value_or(std::vector<std::string>())) {
    auto address = crypto::Address::parse(text);
    if (!address) {
      fields.complain("gateway", "\"" + shown(text) + "\" is no address: 0x and 40 hex digits");
    } else if (*address == crypto::Address{}) {
      fields.complain("gateway", "the zero address signs nothing; name the gateway's wallet");
    } else if (std::find(out.begin(), out.end(), *address) == out.end()) {
      out.push_back(*address);
    }
  }
  if (texts && texts->empty()) fields.complain("gateway", "names nobody, so nobody could ask");
  if (!fields.has("gateway")) fields.complain_missing("gateway", "name the address whose authorisations are answered");
  return out;
}

std::vector<Chain> read_chains(TomlFields& root) {
  std::vector<Chain> out;
  for (TomlFields& fields : root.tables("chain", kChainsMax)) {
    Chain chain;
    const auto id = fields.integer("id", 1, std::numeric_limits<std::int64_t>::max());
    if (!fields.has("id")) fields.complain_missing("id", "every chain needs its chain id");
    chain.id = static_cast<std::uint64_t>(id.value_or(0));
    chain.gateways = read_gateways(fields);
    if (const auto text = fields.text("contract")) {
      auto contract = crypto::Address::parse(*text);
      if (!contract) fields.complain("contract", "must be an address: 0x and 40 hex digits");
      if (contract) chain.contract = *contract;
    }
    if (const auto text = fields.text("public_key")) {
      auto bytes = parse_hex(*text);
      auto key = bytes ? crypto::Point::parse_sec1(*bytes) : Result<crypto::Point>(bytes.error());
      if (!key) fields.complain("public_key", "must be a point of secp256k1, 33 or 65 bytes of hex");
      if (key) chain.public_key = *key;
    }
    fields.refuse_unknown();
    for (const Chain& other : out) {
      if (id && other.id == chain.id)
        fields.complain("id", "this chain id stands twice; a network has one key per chain");
    }
    out.push_back(std::move(chain));
  }
  std::sort(out.begin(), out.end(), [](const Chain& a, const Chain& b) { return a.id < b.id; });
  return out;
}

std::set<Hash32> read_form_a_entries(TomlFields& root, const std::vector<Member>& members) {
  std::set<Hash32> out;
  const auto listed = root.texts("form_a_entries", kMembersMax);
  const auto text_given = root.has("form_a_entries");
  const bool all = !listed || (listed->size() == 1 && listed->front() == "all");
  if (!text_given || all) {
    for (const Member& member : members) out.insert(member.node_id);
    return out;
  }
  for (const std::string& entry : *listed) {
    const auto key = parse_member_key(entry);
    const auto found = std::find_if(members.begin(), members.end(), [&](const Member& member) {
      return (!member.name.empty() && member.name == entry) || (key && member.key == *key);
    });
    if (found == members.end()) {
      root.complain(
          "form_a_entries",
          "\"" + shown(entry) + "\" is neither the name nor the key of a member; write \"all\", or list members");
    } else {
      out.insert(found->node_id);
    }
  }
  return out;
}

int faults(std::size_t members, std::size_t threshold) {
  const int n = static_cast<int>(members);
  const int t = static_cast<int>(threshold);
  return std::min((n - 1) / 3, (n - t) / 2);
}

void check_sizes(TomlFields& root, std::size_t n, std::int64_t t, bool accept_f0) {
  if (n == 1 && t == 1) return;
  if (n == 1) return root.complain("threshold", "a network of one member has threshold 1");
  if (t < 2 || t > static_cast<std::int64_t>(n)) {
    return root.complain("threshold", "must be from 2 to " + std::to_string(n) + ", the number of members");
  }
  if (faults(n, static_cast<std::size_t>(t)) == 0 && !accept_f0) {
    root.complain("threshold", "with " + std::to_string(n) +
                                   " members no ceremony survives a single absent one; take 5 members with "
                                   "threshold 3, or 7 with 4, or write accept_f0 = true");
  }
}

std::int64_t read_threshold(TomlFields& root, std::size_t members) {
  const auto threshold = root.integer("threshold", 1, static_cast<std::int64_t>(kMembersMax));
  if (!root.has("threshold")) {
    root.complain_missing("threshold", "say how many members must work together, for example " +
                                           std::to_string(members / 2 + 1) + " of " + std::to_string(members));
  }
  return threshold.value_or(0);
}

Hash32 read_creation_nonce(TomlFields& root) {
  const auto text = root.text("creation_nonce");
  const std::string remedy = "32 random bytes of hex, drawn once for the network: openssl rand -hex 32";
  if (!text) {
    root.complain("creation_nonce", remedy);
    return {};
  }
  auto nonce = parse_hex_array<32>(*text);
  if (!nonce) root.complain("creation_nonce", nonce.error().message + "; it is " + remedy);
  if (nonce && *nonce == Hash32{}) root.complain("creation_nonce", "all zeros; it is " + remedy);
  return nonce ? *nonce : Hash32{};
}

std::string read_name(TomlFields& root) {
  const auto name = root.text("name");
  if (!name || name->empty() || name->size() > kNameBytesMax || !consists_of(*name, "-", false)) {
    root.complain("name", "the network's name is 1 to 32 of a-z 0-9 -");
  }
  return name.value_or("");
}

std::optional<std::chrono::seconds> read_refresh_every(TomlFields& root) {
  using std::chrono::hours;
  if (const auto text = root.text("refresh_every"); !text || *text == "never") return std::nullopt;
  const auto every = root.duration("refresh_every", std::chrono::minutes(1), hours(24 * 3650));
  if (!every) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*every);
}

void check_words(TomlFields& root) {
  if (const auto decider = root.text("decider"); decider && *decider != "simplex") {
    root.complain("decider",
                  "must be \"simplex\": members decide by vote; a deciding contract needs an on-chain registry");
  }
  const auto genesis = root.text("genesis");
  if (genesis && *genesis != "auto" && *genesis != "manual" && *genesis != "import") {
    root.complain("genesis", "must be \"auto\", \"manual\" or \"import\"");
  }
}

// PROTOCOL.md 12. Files of later epochs keep the word, since they are copies with other members.
void check_import(TomlFields& root, std::size_t members, const std::vector<Chain>& chains, bool is_first) {
  if (is_first && members != 1) {
    root.complain("genesis", "\"import\" is for a network of one member, which has the key; it is reshared to " +
                                 std::to_string(members) + " members by the file of epoch 1");
  }
  for (const Chain& chain : chains) {
    if (chain.public_key) continue;
    root.complain("genesis", "\"import\" needs public_key in the section of chain " + std::to_string(chain.id) +
                                 ": the key that is imported. The old KMS shows it at /v0/public-key");
  }
}

}  // namespace

Result<NetworkFile> NetworkFile::parse(std::string_view text, const std::string& file_name) {
  auto document = TomlText::parse(text, file_name, kNetworkFileBytesMax);
  if (!document) return document.error();
  TomlFields root = document->root();
  const std::string name = read_name(root);
  const Hash32 creation_nonce = read_creation_nonce(root);
  const auto epoch = root.integer("epoch", 0, std::numeric_limits<std::uint32_t>::max());
  const bool accept_f0 = root.flag("accept_f0").value_or(false);
  const bool repair_approval = root.flag("repair_approval").value_or(true);
  const bool allow_lower_threshold = root.flag("allow_lower_threshold").value_or(false);
  check_words(root);
  const auto genesis = root.text("genesis").value_or("auto");
  const auto refresh_every = read_refresh_every(root);
  std::vector<Member> members = read_members(root);
  std::vector<Chain> chains = read_chains(root);
  if (members.empty()) root.complain("member", "list the members, each as a section [[member]] with its key");
  if (chains.empty()) root.complain("chain", "list the chains, each as a section [[chain]] with id and gateway");
  const std::int64_t threshold = read_threshold(root, members.size());
  check_sizes(root, members.size(), threshold, accept_f0);
  if (genesis == "import") check_import(root, members.size(), chains, epoch.value_or(0) == 0);
  std::set<Hash32> entries = read_form_a_entries(root, members);
  root.refuse_unknown();
  if (const auto complaint = document->complaint()) return *complaint;

  NetworkFile out(Registry(std::move(members), std::move(chains), std::move(entries)));
  out.bytes_ = to_bytes(as_bytes(text));
  out.name_ = name;
  out.creation_nonce_ = creation_nonce;
  out.epoch_ = static_cast<std::uint32_t>(epoch.value_or(0));
  out.threshold_ = static_cast<std::uint16_t>(threshold);
  out.genesis_ = genesis == "import" ? Genesis::import : genesis == "manual" ? Genesis::manual : Genesis::automatic;
  out.refresh_every_ = refresh_every;
  out.repair_approval_ = repair_approval;
  out.allow_lower_threshold_ = allow_lower_threshold;
  out.accept_f0_ = accept_f0;
  return out;
}

std::uint16_t NetworkFile::tolerated_faults() const {
  return static_cast<std::uint16_t>(faults(members().size(), threshold_));
}

}  // namespace kms::registry
