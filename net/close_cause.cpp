#include "net/close_cause.h"

namespace kms::net {

std::string_view name_of(CloseReason reason) {
  switch (reason) {
    case CloseReason::requested:
      return "requested";
    case CloseReason::denied:
      return "denied";
    case CloseReason::over_limit:
      return "over_limit";
    case CloseReason::duplicate:
      return "duplicate";
    case CloseReason::upgrade_timeout:
      return "upgrade_timeout";
    case CloseReason::security_failed:
      return "security_failed";
    case CloseReason::muxer_failed:
      return "muxer_failed";
    case CloseReason::protocol_violation:
      return "protocol_violation";
    case CloseReason::unresponsive:
      return "unresponsive";
    case CloseReason::remote_closed:
      return "remote_closed";
    case CloseReason::transport_failed:
      return "transport_failed";
    case CloseReason::dial_failed:
      return "dial_failed";
    case CloseReason::over_budget:
      return "over_budget";
  }
  return "unknown";
}

}  // namespace kms::net
