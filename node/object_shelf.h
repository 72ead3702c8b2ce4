// Large objects that this node announces by their ids instead of gossiping them, and the check of those that others
// send under an id (PROTOCOL.md 6, "Large objects").
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "dkg/envelope.h"
#include "node/terms.h"

namespace kms::node {

// Own objects, to be served to whoever asks. At most `objects_max` and `bytes_max`; the oldest make room.
class ObjectShelf {
 public:
  ObjectShelf(std::size_t objects_max, std::size_t bytes_max) : objects_max_(objects_max), bytes_max_(bytes_max) {}

  void put(const dkg::ObjectId& id, Bytes object);
  const Bytes* find(const dkg::ObjectId& id) const;
  std::size_t size() const { return objects_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t objects_max_, bytes_max_;
  std::map<dkg::ObjectId, Bytes> objects_;
  std::deque<dkg::ObjectId> order_;  // oldest first
  std::size_t bytes_ = 0;
};

// The id under which the envelope is announced, if it is an object that goes over a stream when it is large: Deals,
// certificates and EpochChains.
std::optional<dkg::ObjectId> streamed_object_id(const dkg::Envelope& envelope);

// The envelope in `bytes` if it is what `id` names: of this network, well-formed, under that id (or, a Value, under its
// T), signed by its sender where its type is signed, wrapped by `from` where it is not.
std::optional<dkg::Envelope> named_object(const dkg::ObjectId& id, ByteView bytes, const dkg::NetworkId& network,
                                          const std::map<dkg::NodeId, KnownNode>& members, const dkg::NodeId& from);

}  // namespace kms::node
