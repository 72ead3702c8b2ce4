#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/assert.h"
#include "bench/child.h"
#include "bench/host_process.h"
#include "bench/output.h"
#include "dkg/envelope.h"

namespace kms::bench {
namespace {

constexpr std::size_t kBodyBytes = 200;
constexpr double kSeconds = 5;
constexpr double kIdleMax = 10;  // seconds without an item: no more will come
constexpr Duration kMeshTime = 3s;
const std::string kTopic = "/kms/bench/items/1";

struct BatchLoad {
  std::uint64_t items_per_second = 0;
  std::uint64_t items() const { return static_cast<std::uint64_t>(static_cast<double>(items_per_second) * kSeconds); }
};
struct BatchRow {
  BatchLoad load;
  std::uint64_t received = 0;
  double seconds = 0;                              // at the subscriber, from its first item to its last
  double publisher = 0, node = 0, subscriber = 0;  // of one processor, while it lasted
  double items_per_second() const { return static_cast<double>(received) / seconds; }
  double node_microseconds = 0;  // of the node's processor, per item
};

net::HostOptions batch_host_options() {
  net::HostOptions out;
  out.unlisted = net::PeerClass::committee;
  out.router.topics.allows_all = true;
  // A process that waits for a processor for a second must not lose what the others go on sending.
  out.router.outbox_limits.rpcs = 4096;
  out.router.outbox_limits.bytes = std::size_t{256} << 20;
  return out;
}

dkg::Batch full_batch() {
  dkg::Batch batch;
  const dkg::Envelope item{dkg::NetworkId{Hash32{1}}, dkg::MessageType::done, dkg::NodeId{Hash32{2}},
                           Bytes(kBodyBytes, 0x5a), std::nullopt};
  batch.items.assign(dkg::Batch::kItemsMax, item);
  return batch;
}

bool is_subscription(const net::HostEvent& event) {
  const auto* pubsub = std::get_if<net::PubsubEvent>(&event);
  return pubsub != nullptr && std::holds_alternative<net::PeerSubscription>(*pubsub);
}

// Counts what it receives and how long that took, and accepts it.
class Receiver {
 public:
  void take(HostProcess& process, const net::PubsubDelivery& delivery) {
    if (items_ == 0) {
      began_ = clock_seconds();
      processor_began_ = processor_seconds();
    }
    const auto batch = dkg::Batch::parse(delivery.payload());
    KMS_ASSERT(batch.has_value());
    process.host().validated(delivery.id, net::Verdict::accept, process.now());
    items_ += batch->items.size();
    last_ = clock_seconds();
    processor_last_ = processor_seconds();
  }
  bool is_over(std::uint64_t items) const {
    return items_ >= items || (items_ > 0 && clock_seconds() - last_ > kIdleMax);
  }
  std::uint64_t items() const { return items_; }
  double seconds() const { return last_ - began_; }
  double processor_share() const { return (processor_last_ - processor_began_) / seconds(); }

 private:
  std::uint64_t items_ = 0;
  double began_ = 0, last_ = 0, processor_began_ = 0, processor_last_ = 0;
};

void publish(Lines& parent, BatchLoad load) {
  bool is_subscribed = false;
  HostProcess process(batch_host_options(),
                      [&](net::HostEvent& event) { is_subscribed = is_subscribed || is_subscription(event); });
  process.dial(parent.hear());
  process.run_until([&] { return is_subscribed; });
  process.run_for(kMeshTime);
  const Bytes payload = full_batch().encode();
  const double began = clock_seconds(), processor_began = processor_seconds();
  for (std::uint64_t sent = 0; sent < load.items();) {
    const double due = (clock_seconds() - began) * static_cast<double>(load.items_per_second);
    while (static_cast<double>(sent) < due && sent < load.items()) {
      const auto published = process.host().publish(kTopic, payload, process.now());
      KMS_ASSERT(published.has_value());
      process.context().poll();
      if (published->peers == 0) break;  // the queue is full: again later
      sent += dkg::Batch::kItemsMax;
    }
    process.run_for(Duration(500));
  }
  const double share = (processor_seconds() - processor_began) / (clock_seconds() - began);
  parent.say(std::to_string(share));
  process.run_until([&] { return parent.has_line(); });  // what is queued still leaves
}

void subscribe(Lines& parent, BatchLoad load) {
  Receiver receiver;
  HostProcess* process = nullptr;
  HostProcess made(batch_host_options(), [&](net::HostEvent& event) {
    if (auto* delivery = std::get_if<net::PubsubDelivery>(&event)) receiver.take(*process, *delivery);
  });
  process = &made;
  KMS_ASSERT(made.host().subscribe(kTopic, made.now()).has_value());
  made.dial(parent.hear());
  made.run_until([&] { return receiver.is_over(load.items()); });
  parent.say(std::to_string(receiver.items()));
  parent.say(std::to_string(receiver.seconds()));
  parent.say(std::to_string(receiver.processor_share()));
  parent.hear();
}

BatchRow measure(BatchLoad load) {
  Child subscriber([load](Lines& parent) { subscribe(parent, load); });
  Child publisher([load](Lines& parent) { publish(parent, load); });
  Receiver receiver;
  bool has_subscriber = false;
  HostProcess* process = nullptr;
  HostProcess made(batch_host_options(), [&](net::HostEvent& event) {
    if (auto* delivery = std::get_if<net::PubsubDelivery>(&event)) receiver.take(*process, *delivery);
    has_subscriber = has_subscriber || is_subscription(event);
  });
  process = &made;
  KMS_ASSERT(made.host().subscribe(kTopic, made.now()).has_value());
  subscriber.lines().say(made.address());
  made.run_until([&] { return has_subscriber; });
  publisher.lines().say(made.address());
  made.run_until([&] { return receiver.is_over(load.items()); });
  BatchRow row{.load = load, .node = receiver.processor_share()};
  row.node_microseconds = row.node * receiver.seconds() * 1e6 / static_cast<double>(receiver.items());
  made.run_until([&] { return subscriber.lines().has_line() && publisher.lines().has_line(); });
  row.publisher = std::stod(publisher.lines().hear());
  row.received = std::stoull(subscriber.lines().hear());
  row.seconds = std::stod(subscriber.lines().hear());
  row.subscriber = std::stod(subscriber.lines().hear());
  publisher.lines().say("over");
  subscriber.lines().say("over");
  return row;
}

}  // namespace

void run_batches(Output output) {
  boost::json::array rows;
  if (output == Output::table) {
    std::printf("items with %zu bytes in signed batches of %zu, publisher -> node -> subscriber, three processes\n",
                kBodyBytes, dkg::Batch::kItemsMax);
    std::printf("%10s  %10s  %10s  %8s  %8s  %8s  %8s  %12s\n", "offered/s", "received/s", "of items", "lost",
                "CPU pub", "CPU node", "CPU sub", "node us/item");
  }
  for (const std::uint64_t rate : {100'000, 200'000}) {
    const BatchRow row = measure({rate / dkg::Batch::kItemsMax * dkg::Batch::kItemsMax});
    const std::uint64_t lost = row.load.items() - std::min(row.load.items(), row.received);
    if (output == Output::table) {
      std::printf("%10llu  %10.0f  %10llu  %8llu  %7.0f%%  %7.0f%%  %7.0f%%  %12.2f\n",
                  static_cast<unsigned long long>(row.load.items_per_second), row.items_per_second(),
                  static_cast<unsigned long long>(row.load.items()), static_cast<unsigned long long>(lost),
                  100 * row.publisher, 100 * row.node, 100 * row.subscriber, row.node_microseconds);
      std::fflush(stdout);
      continue;
    }
    rows.push_back(boost::json::object{{"offeredPerSecond", row.load.items_per_second},
                                       {"receivedPerSecond", row.items_per_second()},
                                       {"items", row.load.items()},
                                       {"lost", lost},
                                       {"publisherProcessor", row.publisher},
                                       {"nodeProcessor", row.node},
                                       {"subscriberProcessor", row.subscriber},
                                       {"nodeMicrosecondsPerItem", row.node_microseconds}});
  }
  if (output == Output::json) {
    std::printf("%s\n", boost::json::serialize(boost::json::object{{"batches", std::move(rows)}}).c_str());
  }
}

}  // namespace kms::bench
