#include "net/host.h"

namespace kms::net {

namespace {

constexpr std::uint32_t kServiceWindow = 1 << 20;
constexpr std::size_t kRaiseAfterBytes =
    kYamuxInitialWindow / 2;  // consumed: when credit is granted for the first time

}  // namespace

const Service* Host::find_service(std::string_view protocol) const {
  const auto at = services_.find(protocol);
  return at == services_.end() ? nullptr : &at->second;
}

void Host::add_service(Service service, Now now) {
  std::string protocol = service.protocol;
  services_.insert_or_assign(std::move(protocol), std::move(service));
  refresh_protocols(now);
  settle(now);
}

Result<StreamKey> Host::open_service(const PeerId& peer, std::string_view protocol, Now now) {
  const Service* service = find_service(protocol);
  if (service == nullptr) return error("no service " + std::string(protocol) + " was added to the host");
  const auto at = neighbours_.find(peer);
  if (at == neighbours_.end()) return error("not connected to peer " + peer.text());
  Link& link = links_.at(preferred_connection(peer, at->second));
  auto key = open(link, {service->protocol}, ServiceStream{service->protocol}, now.instant + service->idle_max, now);
  settle(now);
  if (!key) return error("peer " + peer.text() + " leaves too many of our streams unanswered");
  return *key;
}

bool Host::service_send(StreamKey key, ByteView bytes, Now now) {
  Stream* stream = find_stream(key);
  if (stream == nullptr || stream->finishing || !std::holds_alternative<ServiceStream>(stream->role)) return false;
  ServiceStream& service = std::get<ServiceStream>(stream->role);
  const std::size_t waiting = links_.at(key.connection).queued;
  if (stream->unsent_size() + bytes.size() > options_.service_unsent_max ||
      waiting + bytes.size() > options_.session_bytes_max) {
    service.was_full = true;
    return false;
  }
  stream->deadline = now.instant + find_service(service.protocol)->idle_max;
  queue(links_.at(key.connection), key.stream, bytes);
  settle(now);
  return true;
}

void Host::service_finish(StreamKey key, Now now) {
  Stream* stream = find_stream(key);
  if (stream == nullptr || !std::holds_alternative<ServiceStream>(stream->role)) return;
  finish_after_queue(links_.at(key.connection), key.stream);
  settle(now);
}

void Host::service_reset(StreamKey key, Now now) {
  Stream* stream = find_stream(key);
  if (stream == nullptr || !std::holds_alternative<ServiceStream>(stream->role)) return;
  Link& link = links_.at(key.connection);
  link.connection->reset(key.stream);
  link.streams.erase(key.stream);
  dirty_.insert(link.id);
  settle(now);
}

void Host::service_consumed(StreamKey key, std::size_t size, Now now) {
  Link* link = find_link(key.connection);
  if (link == nullptr || !link->connection) return;
  link->connection->consumed(key.stream, size);
  // A stream that carries more than its first window is worth a larger one.
  if (const auto at = link->streams.find(key.stream); at != link->streams.end()) {
    auto* service = std::get_if<ServiceStream>(&at->second.role);
    if (service != nullptr) service->consumed += size;
    if (service != nullptr && service->consumed >= kRaiseAfterBytes) {
      link->connection->grow_window(key.stream, kServiceWindow);
    }
  }
  dirty_.insert(link->id);
  settle(now);
}

}  // namespace kms::net
