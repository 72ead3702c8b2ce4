#include "node/p2p_metrics.h"

#include "node/metrics.h"

namespace kms::node {
namespace {

struct TopicSeries {
  std::string_view name, type, what;
  std::uint64_t (*value)(const net::TopicView&);
};
constexpr TopicSeries kByTopic[] = {
    {"kms_p2p_topic_messages_total", "counter", "Gossip messages received, copies counted",
     [](const net::TopicView& topic) { return topic.counters.received; }},
    {"kms_p2p_topic_published_total", "counter", "Own gossip messages",
     [](const net::TopicView& topic) { return topic.counters.published; }},
    {"kms_p2p_topic_accepted_total", "counter", "Gossip messages of others that were valid",
     [](const net::TopicView& topic) { return topic.counters.accepted; }},
    {"kms_p2p_topic_duplicates_total", "counter", "Further copies of gossip messages",
     [](const net::TopicView& topic) { return topic.counters.duplicates; }},
    {"kms_p2p_topic_rejected_total", "counter", "Invalid gossip messages, which count against their senders",
     [](const net::TopicView& topic) { return topic.counters.rejected; }},
    {"kms_p2p_topic_forwarded_total", "counter", "Copies of others' gossip messages sent on",
     [](const net::TopicView& topic) { return topic.counters.forwarded; }},
    {"kms_p2p_topic_bytes_in_total", "counter", "Bytes of gossip messages received",
     [](const net::TopicView& topic) { return topic.counters.bytes_in; }},
    {"kms_p2p_topic_bytes_out_total", "counter", "Bytes of gossip messages sent",
     [](const net::TopicView& topic) { return topic.counters.bytes_out; }},
    {"kms_p2p_topic_peers", "gauge", "Connected peers that follow a topic",
     [](const net::TopicView& topic) -> std::uint64_t { return topic.peers; }},
    {"kms_p2p_topic_mesh", "gauge", "Peers in the mesh of a topic, or, where there is none, that grafted",
     [](const net::TopicView& topic) -> std::uint64_t { return topic.mesh; }},
};

// Labels are the topics that this node follows; the others that it wrote on or left are one.
void write_by_topic(MetricsText& text, const net::Router& router) {
  const auto topics = router.topics();
  for (const TopicSeries& series : kByTopic) {
    text.family(series.name, series.type, series.what);
    for (const net::TopicView& topic : topics) {
      text.value(series.name, "topic", topic.name.empty() ? "other" : topic.name, series.value(topic));
    }
  }
}

void write_pubsub(MetricsText& text, const net::Router& router) {
  const net::PubsubCounters& seen = router.counters();
  text.counters({
      {"kms_p2p_signatures_checked_total", "Signatures of gossip messages checked", seen.signatures_checked},
      {"kms_p2p_signatures_made_total", "Gossip messages signed", seen.signatures_made},
      {"kms_p2p_rpcs_in_total", "Gossip RPCs received", seen.rpcs_in},
      {"kms_p2p_rpcs_out_total", "Gossip RPCs sent", seen.rpcs_out},
      {"kms_p2p_rpcs_graylisted_total", "Gossip RPCs of peers with too low a score, not looked at",
       seen.graylisted_rpcs},
      {"kms_p2p_bytes_in_total", "Bytes of gossip RPCs received", seen.bytes_in},
      {"kms_p2p_bytes_out_total", "Bytes of gossip RPCs sent", seen.bytes_out},
      {"kms_p2p_messages_pulled_total", "Messages sent to answer IWANT", seen.pulled},
      {"kms_p2p_messages_dropped_total", "Messages dropped because a peer's queue was full", seen.dropped_messages},
      {"kms_p2p_gossip_dropped_total", "IHAVE, IWANT and IDONTWANT dropped because a peer's queue was full",
       seen.dropped_gossip},
      {"kms_p2p_ihave_ids_in_total", "Ids that peers announced (IHAVE)", seen.ihave_in},
      {"kms_p2p_ihave_ids_ignored_total", "Announced ids beyond a limit or without room", seen.ihave_ignored},
      {"kms_p2p_ihave_ids_out_total", "Ids announced to peers", seen.ihave_out},
      {"kms_p2p_iwant_ids_in_total", "Ids that peers asked for (IWANT)", seen.iwant_in},
      {"kms_p2p_iwant_ids_ignored_total", "Ids asked for and not answered", seen.iwant_ignored},
      {"kms_p2p_iwant_ids_out_total", "Ids asked of peers", seen.iwant_out},
      {"kms_p2p_idontwant_ids_in_total", "Ids that peers declined (IDONTWANT)", seen.idontwant_in},
      {"kms_p2p_idontwant_ids_out_total", "Ids declined", seen.idontwant_out},
      {"kms_p2p_grafts_in_total", "GRAFTs received", seen.grafts_in},
      {"kms_p2p_grafts_out_total", "GRAFTs sent", seen.grafts_out},
      {"kms_p2p_grafts_in_backoff_total", "GRAFTs of peers that had been told to wait", seen.grafts_in_backoff},
      {"kms_p2p_prunes_in_total", "PRUNEs received", seen.prunes_in},
      {"kms_p2p_prunes_out_total", "PRUNEs sent", seen.prunes_out},
      {"kms_p2p_promises_broken_total", "Announced messages that did not come in time", seen.broken_promises},
      {"kms_p2p_promises_redeemed_total", "Of these, those that came late", seen.redeemed_promises},
      {"kms_p2p_catch_up_looks_total", "Cached messages looked at to tell peers what they missed", seen.caught_up},
  });
  text.family("kms_p2p_messages_refused_total", "counter", "Gossip messages not accepted, by reason");
  for (std::size_t i = 0; i < net::kRefusals; ++i) {
    text.value("kms_p2p_messages_refused_total", "reason", net::refusal_text(static_cast<net::Refusal>(i)),
               seen.refused[i]);
  }
  write_by_topic(text, router);
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
