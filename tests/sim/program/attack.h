// What a traitor does (PROTOCOL.md 8, second table), each by its name. A traitor runs an honest member inside and
// twists what that one says; it signs with its own key only.
#pragma once

#include <string_view>

#include "tests/sim/program/epoch_member.h"

namespace kms::sim {

class Scene;
class Trick;

class Behaviour {
 public:
  virtual ~Behaviour() = default;
  // A message that the honest member inside wants to send.
  virtual void send(Scene& scene, const dkg::Envelope& envelope);
  // A message of somebody else, before the member inside gets it.
  virtual void hear(Scene& scene, const dkg::Envelope& envelope);
  // Once per second of virtual time.
  virtual void wake(Scene& scene);
};

struct Attack {
  enum class Evidence : std::uint8_t { none, local, transferable };
  enum class Only : std::uint8_t { any, reshare };
  // What the world does to it; with a cloned random source it stays honest.
  enum class Fault : std::uint8_t { none, rollback, clock, clone };
  int number;  // in PROTOCOL.md 8; 0: ours
  std::string_view name;
  std::string_view what;
  Evidence evidence = Evidence::none;
  std::unique_ptr<Behaviour> (*make)() = nullptr;  // none: an honest member to whom `fault` happens
  Only only = Only::any;
  Fault fault = Fault::none;
  bool is_open = false;  // known to be withstood not always yet: only by its name
  // Of delegations; none: nobody lies. Such an attack has no `make`.
  std::unique_ptr<Trick> (*trick)() = nullptr;
  enum class Wants : std::uint8_t { nothing, two_keys, unlisted, epochs };
  Wants wants = Wants::nothing;
  bool is_alone = false;  // not drawn by "mixed": behind all that are
};

const std::vector<Attack>& attacks();             // on ceremonies
const std::vector<Attack>& delegation_attacks();  // the first is that nobody lies
bool is_of_delegations(std::string_view name);
const Attack* find_attack(std::string_view name);
std::string_view name_of(Attack::Evidence evidence);

}  // namespace kms::sim
