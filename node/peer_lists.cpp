#include "node/peer_lists.h"

#include <algorithm>

#include "registry/toml_fields.h"

namespace kms::node {
namespace {

constexpr std::string_view kBlanks = " \t\r";

// Takes lines off the front of a text up to the next one that says something.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  // Without comment and blanks around; empty at the end.
  std::string_view next() {
    while (!rest_.empty()) {
      std::string_view item = rest_.substr(0, rest_.find('\n'));
      rest_.remove_prefix(std::min(item.size() + 1, rest_.size()));
      ++number_;
      item = item.substr(0, item.find('#'));
      const std::size_t begin = item.find_first_not_of(kBlanks);
      if (begin == std::string_view::npos) continue;
      return item.substr(begin, item.find_last_not_of(kBlanks) + 1 - begin);
    }
    return {};
  }
  std::string place(const std::string& file_name) const { return file_name + ":" + std::to_string(number_) + ": "; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

std::optional<net::PeerClass> listed_class(std::string_view word) {
  for (const net::PeerClass one : net::kPeerClasses) {
    if (one != net::PeerClass::committee && net::name_of(one) == word) return one;
  }
  return std::nullopt;
}

}  // namespace

Result<net::Multiaddr> parse_peer(const std::string& text) {
  auto address = net::Multiaddr::parse_text(text);
  if (!address) return address.error();
  auto target = net::tcp_target_of(*address);
  if (!target) return target.error();
  if (!target->peer) return error("it must end in /p2p/<PeerId>, so that nobody else can answer there");
  return address;
}

Result<std::vector<net::Multiaddr>> parse_peers(std::string_view text, const std::string& file_name) {
  if (text.size() > kPeerListBytesMax) return error(file_name + " is longer than 1 MiB");
  std::vector<net::Multiaddr> out;
  Lines lines(text);
  for (std::string_view item = lines.next(); !item.empty(); item = lines.next()) {
    auto peer = parse_peer(std::string(item));
    if (!peer) {
      // What does not begin like an address is not shown: the file may be another, with a key or a passphrase.
      const std::string value = item.starts_with('/') ? "\"" + registry::shown(item) + "\": " : "";
      return error(lines.place(file_name) + value + peer.error().message);
    }
    if (out.size() == kPeersMax) return error(file_name + ": more than " + std::to_string(kPeersMax) + " peers");
    out.push_back(*peer);
  }
  return out;
}

Result<PeerClasses> parse_classes(std::string_view text, const std::string& file_name) {
  if (text.size() > kPeerListBytesMax) return error(file_name + " is longer than 1 MiB");
  PeerClasses out;
  Lines lines(text);
  for (std::string_view item = lines.next(); !item.empty(); item = lines.next()) {
    const std::size_t end = std::min(item.find_first_of(kBlanks), item.size());
    const auto listed = listed_class(item.substr(0, end));
    // Lines are not shown for the same reason as above.
    if (!listed) {
      return error(lines.place(file_name) + "write registered, light or denied and a PeerId: denied 16Uiu2HAm..");
    }
    const std::size_t begin = item.find_first_not_of(kBlanks, end);
    auto peer = net::PeerId::parse_text(std::string(begin < item.size() ? item.substr(begin) : std::string_view()));
    if (!peer) return error(lines.place(file_name) + "that is no PeerId: " + peer.error().message);
    if (!out.emplace(*peer, *listed).second) return error(lines.place(file_name) + peer->text() + " was listed above");
    if (out.size() > kListedClassesMax) {
      return error(file_name + ": more than " + std::to_string(kListedClassesMax) + " peers");
    }
  }
  return out;
}

PeerClasses classes_of(const std::vector<net::PeerId>& members, const PeerClasses& listed, const net::PeerId& self) {
  PeerClasses out = listed;
  for (const net::PeerId& member : members) {
    net::PeerClass& peer_class = out.try_emplace(member, net::PeerClass::committee).first->second;
    if (peer_class != net::PeerClass::denied) peer_class = net::PeerClass::committee;
  }
  out.insert_or_assign(self, net::PeerClass::committee);
  return out;
}

}  // namespace kms::node
