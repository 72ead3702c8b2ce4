// Attacks that "mixed" does not draw, so that older seeds keep their meaning.
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

// A member of the epoch that is over signs another history of the slot that replaced it: votes for another dealing, and
// for and against its release.
class PosthumousFork final : public Behaviour {
  void wake(Scene& scene) override {
    if (!scene.stage.is_old(scene.place) || !scene.ceremony().is_released() || ++count_ > 4) return;
    for (const auto instance : {dkg::Instance::slot, dkg::Instance::fate}) {
      for (std::uint32_t view = 1; view <= 3; ++view) {
        dkg::Vote vote;
        vote.instance = instance;
        vote.slot = scene.ceremony().slot();
        vote.view = view;
        scene.random.fill(vote.value.bytes);
        scene.say(scene.sign(vote));
        vote.kind = dkg::VoteKind::finalize;
        scene.say(scene.sign(vote));
      }
    }
  }
  int count_ = 0;
};

}  // namespace

std::vector<Attack> later_attacks() {
  Attack clone{40, "seed-clone", "restarts, each time with the random source as it was at the first start",
               Attack::Evidence::none};
  clone.fault = Attack::Fault::clone;
  clone.is_alone = true;
  Attack fork{52,
              "posthumous-fork",
              "signs another history of the slot that took its epoch's place",
              Attack::Evidence::none,
              behaving<PosthumousFork>,
              Attack::Only::reshare};
  fork.is_alone = true;
  return {clone, fork};
}

}  // namespace kms::sim
