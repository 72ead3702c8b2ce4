// What dealers can do wrong.
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using dkg::MessageType;
using Evidence = Attack::Evidence;

// Every own Deal is another one, made once per sid.
class DealTwist : public Behaviour {
 public:
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::deal) return scene.say(envelope);
    const auto deal = dkg::Deal::parse(envelope.body);
    const auto* header = deal ? scene.header(deal->sid) : nullptr;
    if (header == nullptr) return scene.say(envelope);
    const auto known = made_.find(deal->sid);
    if (known == made_.end()) {
      made_[deal->sid] = twist(scene, *header, *deal);
    }
    publish(scene, made_.at(deal->sid));
  }

 protected:
  virtual std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal& honest) = 0;
  virtual void publish(Scene& scene, const std::vector<dkg::Deal>& deals) {
    for (const auto& deal : deals) scene.say(scene.sign(deal));
  }

 private:
  std::map<dkg::Sid, std::vector<dkg::Deal>> made_;
};

class WrongShare final : public DealTwist {
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal&) override {
    const auto targets = scene.targets(header);
    if (targets.empty()) return {forge_deal(scene, header, {})};
    scene.confess();
    return {forge_deal(scene, header, {.garbled = {targets[scene.random.below(targets.size())]}})};
  }
};

}  // namespace

std::vector<Attack> deal_attacks() {
  return {
      {1, "wrong-share", "deals a wrong share to one receiver", Evidence::transferable, behaving<WrongShare>},
  };
}

}  // namespace kms::sim
