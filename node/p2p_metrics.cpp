#include "node/p2p_metrics.h"

#include "node/metrics.h"

namespace kms::node {
namespace {

void write_pubsub(MetricsText& text, const net::Router& router) {
  const net::PubsubCounters& seen = router.counters();
  text.counters({
      {"kms_p2p_signatures_checked_total", "Signatures of gossip messages checked", seen.signatures_checked},
      {"kms_p2p_signatures_made_total", "Gossip messages signed", seen.signatures_made},
      {"kms_p2p_bytes_in_total", "Bytes of gossip RPCs received", seen.bytes_in},
      {"kms_p2p_bytes_out_total", "Bytes of gossip RPCs sent", seen.bytes_out},
      {"kms_p2p_messages_pulled_total", "Messages sent to answer IWANT", seen.pulled},
      {"kms_p2p_messages_dropped_total", "Messages dropped because a peer's queue was full", seen.dropped_messages},
  });
  text.family("kms_p2p_messages_refused_total", "counter", "Gossip messages not accepted, by reason");
  for (std::size_t i = 0; i < net::kRefusals; ++i) {
    text.value("kms_p2p_messages_refused_total", "reason", net::refusal_text(static_cast<net::Refusal>(i)),
               seen.refused[i]);
  }
  struct Series {
    std::string_view name, what;
    std::uint64_t net::TopicCounters::*value;
  };
  static constexpr Series kByTopic[] = {
      {"kms_p2p_topic_messages_total", "Gossip messages received, copies counted", &net::TopicCounters::received},
      {"kms_p2p_topic_bytes_in_total", "Bytes of gossip messages received, by topic", &net::TopicCounters::bytes_in},
      {"kms_p2p_topic_bytes_out_total", "Bytes of gossip messages sent, by topic", &net::TopicCounters::bytes_out}};
  const auto by_topic = router.topic_counters();
  for (const Series& series : kByTopic) {
    text.family(series.name, "counter", series.what);
    for (const auto& [topic, count] : by_topic) text.value(series.name, "topic", topic, count.*series.value);
  }
}

void write_discovery(MetricsText& text, const net::Discovery& discovery) {
  const net::DiscoveryCounters& found = discovery.counters();
  text.gauge("kms_p2p_members_missing", "Other members without a connection", discovery.missing());
  text.gauge("kms_p2p_members_located", "Other members whose signed addresses are known",
             discovery.book().entries().size());
  text.counters({
      {"kms_p2p_records_learned_total", "Signed peer records taken", found.learned},
      {"kms_p2p_records_forged_total", "Peer records that their owner did not sign", found.forged},
      {"kms_p2p_records_served_total", "Requests for peer records answered", found.served},
      {"kms_p2p_records_refused_total", "Requests for peer records refused", found.served_refused},
      {"kms_p2p_liars_total", "Times that a member lied about addresses", found.liars},
  });
}

void write_objects(MetricsText& text, const net::ObjectCounters& seen) {
  text.counters({
      {"kms_p2p_objects_pulled_total", "Large objects got from members", seen.pulled},
      {"kms_p2p_objects_failed_total", "Pulls that no member could answer in time", seen.failed},
      {"kms_p2p_objects_stalled_total", "Transfers given up as too slow", seen.stalled},
      {"kms_p2p_objects_false_total", "Transfers of other bytes than the name says", seen.liars},
      {"kms_p2p_objects_served_total", "Large objects given to members", seen.served},
      {"kms_p2p_objects_busy_total", "Requests for objects refused for want of room", seen.served_busy},
  });
}

}  // namespace

std::string p2p_metrics(const net::Host& host, const net::Discovery& discovery, const net::ObjectExchange& objects) {
  MetricsText text;
  text.gauge("kms_p2p_connections", "Connections, dials in flight included", host.connection_count());
  text.gauge("kms_p2p_queued_bytes", "Bytes that wait to be sent or consumed on all connections", host.queued_bytes());
  write_pubsub(text, host.router());
  write_discovery(text, discovery);
  write_objects(text, objects.counters());
  return text.take();
}

}  // namespace kms::node
