// A key that only one member knows, shown as the network's (PROTOCOL.md 12).
#include "dkg/import.h"
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using Evidence = Attack::Evidence;

struct NothingStored final : dkg::Records {
  std::optional<Bytes> find(std::string_view) const override { return std::nullopt; }
  Result<crypto::SecretBytes> open(std::string_view) const override { return error("no record"); }
  std::vector<std::string> list(std::string_view) const override { return {}; }
};

// Under the identifiers of the slot that is being made: valid but for the pin, which the network file does not have.
class ImportForge final : public Behaviour {
  void wake(Scene& scene) override {
    if (scene.is_decided() || told_ >= 3 || scene.stage.plan().old) return;
    const auto forged = forge(scene);
    if (!forged) return;
    ++told_;
    dkg::EpochChain chain;
    chain.links.push_back(*forged);
    scene.say(scene.sign(forged->header));
    scene.say(scene.sign(chain));
    scene.confess();
  }
  static std::optional<dkg::Link> forge(Scene& scene) {
    const auto& person = scene.stage.person(scene.place);
    auto plan = scene.stage.plan();
    plan.members = dkg::Committee::make({person.key.public_key()}).value();
    plan.threshold = dkg::Threshold::make(1, 1).value();
    std::vector<crypto::SecretScalar> keys;
    plan.imported.clear();
    for (std::size_t key = 0; key < plan.labels.size(); ++key) {
      keys.push_back(crypto::SecretScalar::random(scene.random));
      plan.imported.push_back(crypto::multiply_generator(keys.back()).point());
    }
    auto made = dkg::import_keys(plan, {person.key, person.secret}, keys, NothingStored{}, scene.random);
    if (!made) return std::nullopt;
    auto link = dkg::Link::parse(std::get<dkg::Put>(made->save.writes.back()).value);
    if (!link) return std::nullopt;
    return std::move(*link);
  }
  int told_ = 0;
};

}  // namespace

std::vector<Attack> import_attacks() {
  return {
      {60, "import-forge", "an imported key of its own, with proof and signatures, that no network file names",
       Evidence::local, behaving<ImportForge>},
  };
}

}  // namespace kms::sim
