#include "sdk/io/client.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "base/io/os_entropy.h"
#include "sdk/io/node_worker.h"
#include "sdk/json_text.h"

namespace kms {

using Clock = std::chrono::steady_clock;
using sdk::HttpAnswer;
using sdk::HttpCall;
using sdk::io::NodeWorker;

namespace {

// Before all nodes are asked anew; twice as long each time.
constexpr std::chrono::milliseconds kFirstPause{50}, kLongestPause{800};

// What may be otherwise in a moment: a node that comes back, a quorum that does. A wrong signature stays one.
bool is_passing(const Misbehaviour& what, const Result<HttpAnswer>& answer) {
  return what.kind == Misbehaviour::Kind::silent ||
         (what.kind == Misbehaviour::Kind::refused && (answer->status == 429 || answer->status >= 500));
}

// What came back, by node; the workers write, the caller reads. Shared, since a late answer may outlive the call.
struct Inbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<std::size_t, Result<HttpAnswer>>> answers;
};

// What one 200 is worth.
using Accept = std::function<Result<void>(const HttpAnswer& answer)>;

std::string joined(const std::vector<Misbehaviour>& all) {
  std::string out;
  // The last word of each node: earlier rounds say the same.
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_last = std::none_of(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end(),
                                      [&](const Misbehaviour& later) { return later.node == all[i].node; });
    if (is_last) out += (out.empty() ? "" : "; ") + all[i].text;
  }
  return out;
}

}  // namespace

std::string_view name_of(Misbehaviour::Kind kind) {
  switch (kind) {
    case Misbehaviour::Kind::silent:
      return "silent";
    case Misbehaviour::Kind::refused:
      return "refused";
    case Misbehaviour::Kind::lied:
      return "lied";
  }
  return "";
}

struct Client::Impl {
  Impl(NetworkDescription network_in, ClientOptions options_in)
      : network(std::move(network_in)), options(options_in), health(network.nodes.size()) {
    sdk::io::HttpLimits limits;
    limits.connect = std::min(options.node_limit, std::chrono::milliseconds(2'000));
    limits.answer = options.node_limit;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
      health[i].node = network.nodes[i];
      workers.push_back(std::make_unique<NodeWorker>(network.nodes[i], limits));
      order.push_back(i);
    }
  }

  struct Answered {
    std::size_t node = 0;
    std::vector<Misbehaviour> misbehaved;
  };
  // Asks nodes until one's answer is accepted.
  Result<Answered> ask(const HttpCall& call, const Accept& accept);
  std::optional<Misbehaviour> judge(std::size_t node, const Result<HttpAnswer>& answer, const Accept& accept);
  // Behind those that did well, so that the next call does not begin with it.
  void demote(std::size_t node);
  Result<crypto::Point> learn_key();

  NetworkDescription network;
  ClientOptions options;
  kms::io::OsEntropy entropy;
  std::vector<Health> health;
  std::vector<std::size_t> order;  // of asking
  std::vector<std::unique_ptr<NodeWorker>> workers;
};

void Client::Impl::demote(std::size_t node) {
  order.erase(std::find(order.begin(), order.end(), node));
  order.push_back(node);
}

std::optional<Misbehaviour> Client::Impl::judge(std::size_t node, const Result<HttpAnswer>& answer,
                                                const Accept& accept) {
  const sdk::NodeUrl& url = network.nodes[node];
  if (!answer) {
    ++health[node].silent;
    return Misbehaviour{url, Misbehaviour::Kind::silent, answer.error().message};
  }
  if (answer->status != 200) {
    ++health[node].refused;
    return Misbehaviour{url, Misbehaviour::Kind::refused, url.text() + " refused: " + sdk::refusal_in(*answer)};
  }
  if (auto accepted = accept(*answer); !accepted) {
    ++health[node].lied;
    return Misbehaviour{url, Misbehaviour::Kind::lied, url.text() + ": " + accepted.error().message};
  }
  ++health[node].answered;
  return {};
}

Result<Client::Impl::Answered> Client::Impl::ask(const HttpCall& call, const Accept& accept) {
  auto inbox = std::make_shared<Inbox>();
  const Clock::time_point until = Clock::now() + options.limit;
  Answered out;
  std::vector<std::size_t> left = order;  // not asked in this round
  std::size_t on_the_way = 0;
  Clock::time_point next_at = Clock::now();  // when the next one is asked
  bool is_worth_another = false;             // something in this round was passing
  auto pause = kFirstPause;
  while (Clock::now() < until) {
    while (!left.empty() && Clock::now() >= next_at) {
      const std::size_t node = left.front();
      left.erase(left.begin());
      // Busy with an earlier call that it has not answered: nothing new to learn from it now.
      const bool is_asked = workers[node]->start(call, [inbox, node](Result<HttpAnswer> answer) {
        std::lock_guard lock(inbox->mutex);
        inbox->answers.emplace_back(node, std::move(answer));
        inbox->changed.notify_one();
      });
      if (!is_asked) continue;
      ++on_the_way;
      next_at = Clock::now() + options.hedge_delay;
    }
    if (left.empty() && on_the_way == 0) {
      if (!out.misbehaved.empty() && !std::exchange(is_worth_another, false)) return error(joined(out.misbehaved));
      left = order;
      next_at = Clock::now() + pause;
      pause = std::min(2 * pause, kLongestPause);
    }
    std::unique_lock lock(inbox->mutex);
    inbox->changed.wait_until(lock, left.empty() ? until : std::min(until, next_at),
                              [&] { return !inbox->answers.empty(); });
    if (inbox->answers.empty()) continue;
    auto [node, answer] = std::move(inbox->answers.front());
    inbox->answers.pop_front();
    lock.unlock();
    --on_the_way;
    auto misbehaviour = judge(node, answer, accept);
    if (!misbehaviour) {
      out.node = node;
      return out;
    }
    is_worth_another = is_worth_another || is_passing(*misbehaviour, answer);
    out.misbehaved.push_back(std::move(*misbehaviour));
    demote(node);
    next_at = Clock::now();
  }
  const std::string what = out.misbehaved.empty() ? "no node answered" : joined(out.misbehaved);
  return error("within " + std::to_string(options.limit.count()) + " ms: " + what);
}

// Nodes that are away say nothing; any that contradicts the others makes the key worthless, whichever of them lies.
Result<crypto::Point> Client::Impl::learn_key() {
  const HttpCall call{"GET", "/v0/public-key?chain_id=" + std::to_string(network.chain_id), "", ""};
  auto inbox = std::make_shared<Inbox>();
  std::size_t on_the_way = 0;
  for (std::size_t node = 0; node < workers.size(); ++node) {
    on_the_way += workers[node]->start(call,
                                       [inbox, node](Result<HttpAnswer> answer) {
                                         std::lock_guard lock(inbox->mutex);
                                         inbox->answers.emplace_back(node, std::move(answer));
                                         inbox->changed.notify_one();
                                       })
                      ? 1u
                      : 0u;
  }
  std::optional<std::pair<crypto::Point, std::size_t>> found;
  std::string failures;
  const Clock::time_point until = Clock::now() + 2 * options.node_limit;
  for (; on_the_way > 0; --on_the_way) {
    std::unique_lock lock(inbox->mutex);
    if (!inbox->changed.wait_until(lock, until, [&] { return !inbox->answers.empty(); })) break;
    auto [node, answer] = std::move(inbox->answers.front());
    inbox->answers.pop_front();
    lock.unlock();
    std::optional<crypto::Point> said;
    auto misbehaviour = judge(node, answer, [&](const HttpAnswer& good) -> Result<void> {
      auto json = sdk::parse_object(good.body, 4096, "the answer");
      const auto* text = json ? sdk::text_in(*json, "publicKey") : nullptr;
      auto bytes = text == nullptr ? Result<Bytes>(Bytes()) : parse_hex(*text);
      auto point = bytes ? crypto::Point::parse(*bytes) : Result<crypto::Point>(bytes.error());
      if (!point) return error("it names no public key: " + point.error().message);
      said = *point;
      return {};
    });
    if (misbehaviour) failures += (failures.empty() ? "" : "; ") + misbehaviour->text;
    if (said && found && found->first != *said) {
      return error(network.nodes[found->second].text() + " and " + network.nodes[node].text() +
                   " name different keys of chain " + std::to_string(network.chain_id) + ": pin the right one");
    }
    if (said && !found) found.emplace(*said, node);
  }
  if (!found) return error("no node named the key of chain " + std::to_string(network.chain_id) + ": " + failures);
  return found->first;
}

Result<Client> Client::make(NetworkDescription network, ClientOptions options) {
  if (network.nodes.empty() || network.nodes.size() > NetworkDescription::kNodesMax) {
    return error("a network has 1 to 128 nodes, not " + std::to_string(network.nodes.size()));
  }
  return Client(std::make_unique<Impl>(std::move(network), options));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

const NetworkDescription& Client::network() const {
  return impl_->network;
}

Result<crypto::Point> Client::public_key() {
  if (!impl_->network.public_key) {
    auto learned = impl_->learn_key();
    if (!learned) return learned.error();
    impl_->network.public_key = *learned;
  }
  return *impl_->network.public_key;
}

Result<sdk::Ciphertext> Client::encrypt(ByteView text) {
  auto key = public_key();
  if (!key) return key.error();
  return sdk::encrypt(*key, impl_->network.chain_id, text, impl_->entropy);
}

Result<Client::Delegated> Client::delegate(const sdk::Ciphertext& ciphertext, const crypto::SecretScalar& gateway_key,
                                           ByteView requester_spki) {
  auto request = sdk::sign_request(gateway_key, ciphertext.chain_id.value_or(impl_->network.chain_id),
                                   ciphertext.sealed, requester_spki, impl_->entropy);
  if (!request) return request.error();
  std::optional<sdk::Delegation> accepted;
  auto answered = impl_->ask({"POST", request->target, request->authorization, request->body},
                             [&](const HttpAnswer& answer) -> Result<void> {
                               auto delegation = sdk::verify_answer(*request, answer.body, impl_->network.signer);
                               if (!delegation) return delegation.error();
                               accepted = std::move(*delegation);
                               return {};
                             });
  if (!answered) return answered.error();
  return Delegated{
      {std::move(*accepted), ciphertext}, impl_->network.nodes[answered->node], std::move(answered->misbehaved)};
}

Result<Client::Opened> Client::open(const sdk::Ciphertext& ciphertext, const crypto::SecretScalar& gateway_key,
                                    const crypto::RsaPrivateKey& requester) {
  auto request = sdk::sign_request(gateway_key, ciphertext.chain_id.value_or(impl_->network.chain_id),
                                   ciphertext.sealed, requester.public_spki(), impl_->entropy);
  if (!request) return request.error();
  std::optional<crypto::SecretBytes> text;
  auto answered = impl_->ask({"POST", request->target, request->authorization, request->body},
                             [&](const HttpAnswer& answer) -> Result<void> {
                               auto delegation = sdk::verify_answer(*request, answer.body, impl_->network.signer);
                               if (!delegation) return delegation.error();
                               auto opened = sdk::open(sdk::Delegated{std::move(*delegation), ciphertext}, requester);
                               if (!opened) return opened.error();
                               text = std::move(*opened);
                               return {};
                             });
  if (!answered) return answered.error();
  return Opened{std::move(*text), impl_->network.nodes[answered->node], std::move(answered->misbehaved)};
}

std::vector<Client::Health> Client::health() const {
  return impl_->health;
}

}  // namespace kms
