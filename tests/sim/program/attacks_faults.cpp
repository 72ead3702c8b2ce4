// Traitors that break down rather than lie, and those to whom the world does something.
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using dkg::MessageType;
using Evidence = Attack::Evidence;

// Falls silent at some moment, for good.
class Mute final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (left_ == 0) return;
    if (!begun_) {
      begun_ = true;
      left_ = 1 + scene.random.below(30);
    }
    --left_;
    scene.say(envelope);
  }
  bool begun_ = false;
  std::uint64_t left_ = 1;
};

}  // namespace

std::vector<Attack> fault_attacks() {
  return {
      {0, "mute", "falls silent at some moment and stays so", Evidence::none, behaving<Mute>},
      {27, "disk-rollback", "crashes and comes back with an old image of its disk", Evidence::none, nullptr,
       Attack::Only::any, Attack::Fault::rollback},
      {28, "clock-skew", "timers a hundred times too fast or slow, a calendar that is years off", Evidence::none,
       nullptr, Attack::Only::any, Attack::Fault::clock},
  };
}

}  // namespace kms::sim
