#include "net/peer_class.h"

namespace kms::net {

std::string_view name_of(PeerClass peer_class) {
  switch (peer_class) {
    case PeerClass::committee:
      return "committee";
    case PeerClass::registered:
      return "registered";
    case PeerClass::light:
      return "light";
    case PeerClass::denied:
      return "denied";
  }
  return "unknown";
}

}  // namespace kms::net
