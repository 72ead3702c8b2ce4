// What a machine of dkg/ asks of its driver, and what it reads back after a restart (ARCHITECTURE.md, "The idea").
// A machine is synchronous and deterministic: (input, now) -> Effects. The driver applies them from top to bottom:
// `save` is durable before anything of `send` leaves, so that a node never contradicts what others may have heard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "dkg/envelope.h"

namespace kms::dkg {

// Keys are printable ASCII without spaces, '/'-separated, at most 200 bytes, and start with the slot.
struct Put {
  std::string key;
  Bytes value;  // at most 1 MiB, nothing secret
};
// A secret, stored only as a box under the named key-encryption key, which is made (random, itself sealed by the node)
// when it is first named. The box is bound to `key`.
struct Seal {
  std::string key;
  std::string kek;
  crypto::SecretBytes value;
};
// Removes a Put or Seal; removing what is not there is fine.
struct Erase {
  std::string key;
};
// Makes everything sealed under it unreadable for ever, in backups too (PROTOCOL.md 4.9). Idempotent.
struct DestroyKek {
  std::string kek;
};
using Write = std::variant<Put, Seal, Erase, DestroyKek>;

// All or nothing, in this order.
struct Checkpoint {
  std::vector<Write> writes;
  bool empty() const { return writes.empty(); }
};

// An envelope for the ceremony topic. The machine has already taken its own message in; feeding it back is harmless.
struct Outgoing {
  Envelope envelope;
};

// For operators: logs, /v1/events, kmsctl status. Never decides anything.
struct Event {
  enum class Kind : std::uint8_t {
    phase,         // the slot reached another phase
    attempt,       // own attempt number rose
    view,          // the agreement entered another view
    progress,      // a count moved: announcements, Deals, READYs, CONFIRMs
    blame,         // transferable evidence against `culprit` is in `evidence` (a Blame or Equivocation body)
    misbehaviour,  // seen by this node only, nothing to show to others
    parameters,    // a peer runs the slot with other parameters: a configuration error, never blame
  };
  Kind kind = Kind::progress;
  std::string text;           // one sentence
  std::uint16_t culprit = 0;  // position in O and N together (Ceremony::everybody), 0 = nobody
  Bytes evidence;
  std::uint16_t victim = 0;  // whom it was done to, a place as `culprit`; 0 = nobody in particular
};

struct Effects {
  Checkpoint save;
  std::vector<Outgoing> send;
  std::vector<Event> report;
  bool empty() const { return save.empty() && send.empty() && report.empty(); }
};

// What earlier Checkpoints left behind. Read only while a machine is restored.
class Records {
 public:
  virtual ~Records() = default;
  virtual std::optional<Bytes> find(std::string_view key) const = 0;
  // A sealed record. An error when it is missing, its key-encryption key is destroyed, or the box is damaged.
  virtual Result<crypto::SecretBytes> open(std::string_view key) const = 0;
  // Keys of Puts and Seals that start with `prefix`, in byte order.
  virtual std::vector<std::string> list(std::string_view prefix) const = 0;
};

}  // namespace kms::dkg
