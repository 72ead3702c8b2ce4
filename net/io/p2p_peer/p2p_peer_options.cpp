#include "net/io/p2p_peer/p2p_peer_options.h"

#include <charconv>
#include <functional>

#include "crypto/sha256.h"

namespace kms::net::io {

namespace {

using std::chrono::milliseconds;

// Takes values off the command line; the first error stays.
class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& all) : all_(all) {}

  bool next() {
    if (error_ || at_ == all_.size()) return false;
    name_ = all_[at_++];
    return true;
  }
  const std::string& name() const { return name_; }
  const std::optional<Error>& failure() const { return error_; }
  void fail(std::string text) {
    if (!error_) error_ = error(std::move(text));
  }

  std::string value() {
    if (at_ < all_.size()) return all_[at_++];
    fail(name_ + " needs a value");
    return {};
  }
  std::size_t number(std::size_t min = 0, std::size_t max = std::size_t{1} << 40) {
    const std::string text = value();
    std::size_t out = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (code != std::errc() || end != text.data() + text.size() || out < min || out > max) {
      fail(name_ + " needs a whole number from " + std::to_string(min) + ", got \"" + text + "\"");
    }
    return out;
  }
  milliseconds ms() { return milliseconds(number(0, 3'600'000)); }
  template <class T>
  T choice(const std::map<std::string, T>& all) {
    const std::string text = value();
    if (const auto at = all.find(text); at != all.end()) return at->second;
    std::string names;
    for (const auto& [choice, _] : all) names += (names.empty() ? "" : ", ") + choice;
    fail(name_ + " " + text + " is not supported; use one of " + names);
    return all.begin()->second;
  }
  Bytes hex() {
    auto bytes = parse_hex(value());
    if (!bytes) fail(name_ + ": " + bytes.error().message);
    return bytes ? *bytes : Bytes{};
  }

 private:
  const std::vector<std::string>& all_;
  std::size_t at_ = 0;
  std::string name_;
  std::optional<Error> error_;
};

std::optional<Multiaddr> loopback_address(Arguments& arguments, std::string text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) text = "/ip4/127.0.0.1/tcp/" + text;
  auto address = Multiaddr::parse_text(text);
  auto target = address ? tcp_target_of(*address) : Result<TcpTarget>(address.error());
  if (!target || target->host != "127.0.0.1") {
    arguments.fail(arguments.name() + ": only /ip4/127.0.0.1/tcp/PORT, got \"" + text + "\"");
    return std::nullopt;
  }
  return *address;
}

using Setters = std::map<std::string, std::function<void(Arguments&, P2pPeerOptions&)>>;

void expect_rpc(Arguments& a, P2pPeerOptions& o) {
  static const std::regex kForm("(ihave|iwant|graft|prune|idontwant|subscribe|unsubscribe|publish)=([0-9]{1,9})");
  const std::string text = a.value();
  std::smatch parts;
  if (!std::regex_match(text, parts, kForm)) {
    a.fail("--expect-rpc needs KIND=N, got \"" + text + "\"");
  } else {
    o.expect_rpc[parts[1].str()] = std::stoul(parts[2].str());
  }
}

void expect_agent(Arguments& a, P2pPeerOptions& o) {
  o.expect_agent = a.value();
  try {
    std::regex compiled(*o.expect_agent);
  } catch (const std::regex_error&) {
    a.fail("--expect-agent: no regular expression: \"" + *o.expect_agent + "\"");
  }
}

void degrees(Arguments& a, P2pPeerOptions& o) {
  static const std::regex kForm("([0-9]{1,4}),([0-9]{1,4}),([0-9]{1,4})");
  const std::string text = a.value();
  std::smatch parts;
  if (!std::regex_match(text, parts, kForm)) return a.fail("--d needs D,DLO,DHI, got \"" + text + "\"");
  o.degrees =
      P2pPeerOptions::Degrees{std::stoul(parts[1].str()), std::stoul(parts[2].str()), std::stoul(parts[3].str())};
  if (o.degrees->low > o.degrees->target || o.degrees->target > o.degrees->high) {
    a.fail("--d needs DLO <= D <= DHI, got \"" + text + "\"");
  }
}

void add_network(Setters& s) {
  s["--listen"] = [](auto& a, auto& o) {
    const std::string text = a.value();
    o.listen = text == "none" ? std::nullopt : loopback_address(a, text);
  };
  s["--dial"] = [](auto& a, auto& o) {
    if (auto address = loopback_address(a, a.value())) o.dial.push_back(*address);
  };
  s["--dial-retry"] = [](auto& a, auto& o) { o.dial_retry = milliseconds(1000 * a.number(0, 3600)); };
  s["--seconds"] = [](auto& a, auto& o) { o.run_for = milliseconds(1000 * a.number(1, 3600)); };
  s["--linger"] = [](auto& a, auto& o) { o.linger = a.ms(); };
  s["--hold"] = [](auto&, auto& o) { o.hold = true; };
  s["--key"] = [](auto& a, auto& o) {
    o.key = a.hex();
    if (o.key->size() != 32) a.fail("--key needs 32 bytes");
  };
  s["--seed"] = [](auto& a, auto& o) { o.key = to_bytes(crypto::sha256(as_bytes(a.value()))); };
  s["--key-type"] = [](auto& a, auto& o) {
    o.key_type =
        a.template choice<PeerKeyType>({{"secp256k1", PeerKeyType::secp256k1}, {"ed25519", PeerKeyType::ed25519}});
  };
  s["--agent"] = [](auto& a, auto& o) { o.agent = a.value(); };
  s["--no-early-muxer"] = [](auto&, auto& o) { o.early_muxer = EarlyMuxer::withheld; };
}

void add_pubsub(Setters& s) {
  s["--topic"] = [](auto& a, auto& o) { o.topics.push_back(a.value()); };
  s["--publish"] = [](auto& a, auto& o) { o.publish.push_back({to_bytes(as_bytes(a.value())), 0}); };
  s["--publish-hex"] = [](auto& a, auto& o) { o.publish.push_back({a.hex(), 0}); };
  s["--publish-size"] = [](auto& a, auto& o) { o.publish.push_back({std::nullopt, a.number(0, kRpcBytesMax)}); };
  s["--publish-count"] = [](auto& a, auto& o) { o.publish_count = a.number(1); };
  s["--publish-interval"] = [](auto& a, auto& o) { o.publish_interval = a.ms(); };
  s["--publish-peers"] = [](auto& a, auto& o) { o.publish_peers = a.number(); };
  s["--publish-mesh"] = [](auto& a, auto& o) { o.publish_mesh = a.number(); };
  s["--publish-delay"] = [](auto& a, auto& o) { o.publish_delay = a.ms(); };
  s["--no-subscribe"] = [](auto&, auto& o) { o.subscribes = false; };
  s["--sign"] = [](auto& a, auto& o) {
    o.sign = a.template choice<SignaturePolicy>(
        {{"strict", SignaturePolicy::strict_sign}, {"none", SignaturePolicy::strict_no_sign}});
  };
  s["--msgid"] = [](auto& a, auto& o) {
    o.message_id = a.template choice<MessageIdMode>({{"from-seqno", MessageIdMode::from_seqno},
                                                     {"sha256", MessageIdMode::sha256_of_data},
                                                     {"content", MessageIdMode::content}});
  };
  s["--validate"] = [](auto& a, auto& o) {
    o.verdict = a.template choice<Verdict>(
        {{"accept", Verdict::accept}, {"ignore", Verdict::ignore}, {"reject", Verdict::reject}});
  };
  s["--idontwant-min"] = [](auto& a, auto& o) { o.idontwant_min = a.number(); };
  s["--max-protocol"] = [](auto& a, auto& o) {
    o.meshsub_max = a.template choice<MeshsubVersion>(
        {{"1.0", MeshsubVersion::v1_0}, {"1.1", MeshsubVersion::v1_1}, {"1.2", MeshsubVersion::v1_2}});
  };
  s["--unsubscribe-after"] = [](auto& a, auto& o) { o.unsubscribe_after = a.ms(); };
  s["--no-flood"] = [](auto&, auto& o) { o.floods_own = false; };
  s["--d"] = degrees;
  s["--px"] = [](auto&, auto& o) { o.exchanges_peers = true; };
}

void add_expectations(Setters& s) {
  s["--expect"] = [](auto& a, auto& o) { o.expect = a.number(); };
  s["--expect-exactly"] = [](auto& a, auto& o) {
    o.expect_exactly = a.number();
    o.hold = true;
  };
  s["--expect-data"] = [](auto& a, auto& o) { o.expect_data.push_back(a.value()); };
  s["--expect-from"] = [](auto& a, auto& o) { o.expect_from = a.value(); };
  s["--expect-peers"] = [](auto& a, auto& o) { o.expect_peers = a.number(); };
  s["--expect-identify"] = [](auto& a, auto& o) { o.expect_identify = a.number(); };
  s["--expect-protocol"] = [](auto& a, auto& o) { o.expect_protocols.push_back(a.value()); };
  s["--expect-agent"] = expect_agent;
  s["--expect-spr"] = [](auto&, auto& o) { o.expects_record = true; };
  s["--expect-ping"] = [](auto& a, auto& o) { o.expect_ping = a.number(); };
  s["--expect-mesh"] = [](auto& a, auto& o) { o.expect_mesh = a.number(); };
  s["--expect-early-muxer"] = [](auto&, auto& o) { o.expects_early_muxer = true; };
  s["--expect-rpc"] = expect_rpc;
  s["--expect-dial-fail"] = [](auto&, auto& o) { o.expects_dial_failure = true; };
  s["--ping"] = [](auto& a, auto& o) { o.pings = a.number(0, 16); };
  s["--quiet"] = [](auto&, auto& o) { o.is_quiet = true; };
}

}  // namespace

bool P2pPeerOptions::expects_anything() const {
  return expect || expect_exactly || !expect_data.empty() || expect_peers || expect_identify ||
         !expect_protocols.empty() || expect_agent || expects_record || expect_ping || expect_mesh ||
         expects_early_muxer || !expect_rpc.empty() || expects_dial_failure || !publish.empty();
}

Result<P2pPeerOptions> parse_p2p_peer_options(const std::vector<std::string>& given) {
  Setters setters;
  add_network(setters);
  add_pubsub(setters);
  add_expectations(setters);
  P2pPeerOptions options;
  options.listen = *Multiaddr::parse_text("/ip4/127.0.0.1/tcp/0");
  Arguments arguments(given);
  while (arguments.next()) {
    const auto at = setters.find(arguments.name());
    if (at == setters.end()) return error("unknown or missing option " + arguments.name());
    at->second(arguments, options);
  }
  if (arguments.failure()) return *arguments.failure();
  if (!options.publish.empty() && options.topics.empty()) return error("--publish needs --topic");
  if (options.expects_dial_failure && options.dial.empty()) return error("--expect-dial-fail needs --dial");
  if (options.expect_ping.value_or(0) > 0 && options.pings == 0) options.pings = 1;
  if (options.sign == SignaturePolicy::strict_no_sign) options.message_id = MessageIdMode::sha256_of_data;
  return options;
}

std::string_view p2p_peer_usage() {
  return R"(usage: p2p-peer [options]
A bare libp2p host (TCP, Noise, yamux, identify, ping, gossipsub) for interop tests.
It prints one JSON object a line and exits with 0: every expectation was met, 1: one was not, 2: bad command line,
3: it failed itself. It listens on and dials 127.0.0.1 only.
 network       --listen ADDR|PORT|none --dial ADDR --dial-retry S --seconds S --linger MS --hold
 identity      --key HEX --seed TEXT --key-type secp256k1|ed25519 --agent TEXT
 stack         --no-early-muxer
 pubsub        --topic T --publish TEXT --publish-hex HEX --publish-size N --publish-count N --publish-interval MS
               --publish-peers N --publish-mesh N --publish-delay MS --no-subscribe --sign strict|none
               --msgid from-seqno|sha256|content --validate accept|ignore|reject --idontwant-min N
               --max-protocol 1.0|1.1|1.2 --unsubscribe-after MS
               --no-flood --d D,DLO,DHI --px
 expectations  --expect N --expect-exactly N --expect-data TEXT --expect-from ID --expect-peers N --expect-identify N
               --expect-protocol P --expect-agent REGEX --expect-spr --expect-ping N --expect-mesh N
               --expect-early-muxer --expect-rpc KIND=N --expect-dial-fail
 output        --ping N --quiet
)";
}

}  // namespace kms::net::io
