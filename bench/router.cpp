#include <algorithm>
#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/assert.h"
#include "bench/bus.h"
#include "bench/delegation.h"
#include "bench/output.h"
#include "node/delegation/rank.h"

namespace kms::bench {
namespace {

constexpr std::size_t kDelegations = 32;
constexpr std::uint16_t kThreshold = 3;
constexpr Duration kPartialMade{450};    // on the compute pool, beside the loop
constexpr Duration kPartialOpened{350};  // the same
constexpr Duration kHedgeDelay = 50ms;
const std::string kRequests = "/kms/bench/requests/1";
const std::string kPartials = "/kms/bench/partials/1";

enum class Partials { flooded, to_entry };
struct Layout {
  const char* name;
  Partials partials;
  net::TopicPolicy policy;
};
constexpr Layout kLayouts[] = {
    {"flooded partials, re-forwarded", Partials::flooded, net::TopicPolicy::flood},
    {"flooded partials, not re-forwarded", Partials::flooded, net::TopicPolicy::committee},
    {"entry topic, requests re-forwarded", Partials::to_entry, net::TopicPolicy::flood},
    {"entry topic, not re-forwarded", Partials::to_entry, net::TopicPolicy::committee},
};

struct RouterLoad {
  std::size_t nodes = 0;
  Layout layout{};
  Batching batching = Batching::on;
  std::size_t concurrency = 1;
};
struct RouterRow {
  RouterLoad load;
  BusCounts counts;
  Duration latency{};  // mean, virtual
};

// Form A with the entry's own partial: the request to all, sealed partials of the first two of the ranking, Done to
// all. Messages are real ones; only their ids differ from one delegation to the next.
class Run {
 public:
  Run(const RouterLoad& load, DelegationWorld& world, sim::Random& entropy)
      : load_(load),
        world_(world),
        bus_(load.nodes, {load.layout.policy, load.batching},
             [this](std::size_t at, std::size_t author, const dkg::Envelope& item) { receive(at, author, item); }),
        random_(entropy.fork()) {
    auto admitted = world.admit(0);
    request_ = admitted.request(admitted.job.key->key);
    sealed_ = world.answer(admitted, 1, nullptr).sealed;
    for (std::size_t i = 0; i < load.nodes; ++i) {
      bus_.subscribe(i, kRequests);
      bus_.subscribe(i, load.layout.partials == Partials::flooded ? kPartials : topic_of(i));
    }
    bus_.connect();
  }

  RouterRow measure() {
    BusCounts before = bus_.counts();
    for (std::size_t i = 0; i < load_.concurrency; ++i) start_next();
    bus_.run(bus_.now() + 5s);  // heartbeats and what they announce included
    KMS_ASSERT(finished_ == kDelegations);
    return {load_, bus_.counts() - before, latency_ / static_cast<Duration::rep>(kDelegations)};
  }

 private:
  struct Delegation {
    std::size_t entry = 0;
    std::size_t arrived = 0, opened = 0;
    Instant began;
    std::vector<bool> answered;  // by member
  };

  std::string topic_of(std::size_t entry) const { return kPartials + "/" + bus_.peer_id(entry).text(); }

  template <class M>
  dkg::Envelope wrapped(std::size_t sender, const M& message) const {
    const dkg::NetworkId network{Hash32{1}};
    return {network, M::kType, dkg::NodeId{world_.node_key(sender).node_id()}, message.body(), std::nullopt};
  }

  // A client that asks again as soon as it was answered, any node.
  void start_next() {
    if (started_ == kDelegations) return;
    ++started_;
    Hash32 rh = random_.array<32>();
    Delegation& delegation = delegations_[rh];
    delegation.entry = random_.below(load_.nodes);
    delegation.began = bus_.now();
    delegation.answered.resize(load_.nodes);
    delegation.answered[delegation.entry] = true;
    bus_.after(Duration(random_.below(200)), delegation.entry, [this, rh, entry = delegation.entry] {
      auto request = request_;
      request.entry.rh = rh;
      request.entry.entry = dkg::NodeId{world_.node_key(entry).node_id()};
      bus_.publish(entry, kRequests, wrapped(entry, request));
    });
  }

  void receive(std::size_t at, std::size_t author, const dkg::Envelope& item) {
    if (item.type == dkg::MessageType::delegate_request) {
      auto request = delegation::DelegateRequest::parse(item.body).value();
      auto ranking = delegation::ranking(*world_.key(at), request.entry.rh, static_cast<dkg::Position>(author + 1));
      auto place = std::find(ranking.begin(), ranking.end(), at + 1) - ranking.begin();
      Duration wait = place < kThreshold - 1 ? Duration(0) : kHedgeDelay * (place - (kThreshold - 2));
      bus_.after(wait + kPartialMade, at, [this, at, author, rh = request.entry.rh] { answer(at, author, rh); });
    } else if (item.type == dkg::MessageType::sealed_a) {
      auto sealed = delegation::SealedA::parse(item.body).value();
      if (delegations_.at(sealed.rh).entry != at) return;
      bus_.after(kPartialOpened, at, [this, rh = sealed.rh] { open(rh); });
    } else if (item.type == dkg::MessageType::done) {
      delegations_.at(delegation::Done::parse(item.body).value().rh).answered[at] = true;
    }
  }

  void answer(std::size_t at, std::size_t entry, const Hash32& rh) {
    Delegation& delegation = delegations_.at(rh);
    if (delegation.answered[at]) return;
    delegation.answered[at] = true;
    auto sealed = sealed_;
    sealed.rh = rh;
    sealed.index = static_cast<dkg::Position>(at + 1);
    const std::string topic = load_.layout.partials == Partials::flooded ? kPartials : topic_of(entry);
    bus_.publish(at, topic, wrapped(at, sealed));
  }

  void open(const Hash32& rh) {
    Delegation& delegation = delegations_.at(rh);
    if (++delegation.opened != kThreshold - 1) return;
    ++finished_;
    latency_ += bus_.now() - delegation.began;
    bus_.publish(delegation.entry, kRequests, wrapped(delegation.entry, delegation::Done{rh}));
    start_next();
  }

  RouterLoad load_;
  DelegationWorld& world_;
  Bus bus_;
  sim::Random random_;
  delegation::DelegateRequest request_;
  delegation::SealedA sealed_;
  std::map<Hash32, Delegation> delegations_;
  std::size_t started_ = 0, finished_ = 0;
  Duration latency_{};
};

double per_delegation(std::uint64_t count) {
  return static_cast<double>(count) / static_cast<double>(kDelegations);
}

void print(const RouterRow& row) {
  const BusCounts& counts = row.counts;
  double checks = per_delegation(counts.checked);
  std::printf("%3zu  %-34s  %-3s  %4zu  %7.1f  %8.1f  %8.1f  %6.2f  %7.1f  %9.2f  %10.1f  %7.2f\n", row.load.nodes,
              row.load.layout.name, row.load.batching == Batching::on ? "on" : "off", row.load.concurrency,
              per_delegation(counts.rpcs), per_delegation(counts.messages), per_delegation(counts.bytes) / 1024,
              per_delegation(counts.made), checks, checks / static_cast<double>(row.load.nodes),
              per_delegation(counts.duplicates), std::chrono::duration<double, std::milli>(row.latency).count());
}

boost::json::object to_json(const RouterRow& row) {
  const BusCounts& counts = row.counts;
  return {{"nodes", row.load.nodes},
          {"layout", row.load.layout.name},
          {"batching", row.load.batching == Batching::on},
          {"concurrency", row.load.concurrency},
          {"rpcs", per_delegation(counts.rpcs)},
          {"messages", per_delegation(counts.messages)},
          {"bytes", per_delegation(counts.bytes)},
          {"signaturesMade", per_delegation(counts.made)},
          {"signaturesChecked", per_delegation(counts.checked)},
          {"duplicates", per_delegation(counts.duplicates)},
          {"latencyMs", std::chrono::duration<double, std::milli>(row.latency).count()}};
}

template <class Use>
void for_each_row(Use use) {
  sim::Random entropy(1);
  for (std::size_t nodes : {5, 10, 20}) {
    DelegationWorld world(nodes, kThreshold, RequestSize::rsa_4096, entropy);
    for (const Layout& layout : kLayouts) {
      for (Batching batching : {Batching::off, Batching::on}) {
        for (std::size_t concurrency : {1, 16}) {
          Run run({nodes, layout, batching, concurrency}, world, entropy);
          use(run.measure());
        }
      }
    }
  }
}

}  // namespace

void run_router(Output output) {
  if (output == Output::json) {
    boost::json::array rows;
    for_each_row([&](const RouterRow& row) { rows.push_back(to_json(row)); });
    std::printf("%s\n", boost::json::serialize(boost::json::object{{"perDelegation", std::move(rows)}}).c_str());
    return;
  }
  std::printf("per delegation, t = %u, over the whole network\n", kThreshold);
  std::printf("  n  %-34s  bat  conc     RPCs  messages       KiB   signs   checks  per node  duplicates       ms\n",
              "layout");
  for_each_row([](const RouterRow& row) { print(row); });
}

}  // namespace kms::bench
