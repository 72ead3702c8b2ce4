#include "tests/sim/program/service_draw.h"

#include <algorithm>

#include "base/assert.h"
#include "tests/sim/program/controls.h"

namespace kms::sim {
namespace {

constexpr Duration kKeyMade = 5s;         // by then, in calm weather
constexpr std::uint16_t kMembersMax = 9;  // keys are made by whole nodes: larger committees cost seconds

Weather draw_bad_weather(Random& random) {
  Weather storm;
  storm.latency_max = std::chrono::milliseconds(60 + random.below(900));
  storm.loss_per_mille = 50 * random.below(6);
  storm.repeat_per_mille = 100 * random.below(3);
  storm.straggle_per_mille = 50 * random.below(3);
  storm.crash_per_mille = 20 * random.below(3);
  storm.is_split = random.below(4) == 0;
  return storm;
}

class ServiceDrawer {
 public:
  ServiceDrawer(const Mode& mode, std::uint64_t seed) : mode_(mode), random_(seed ^ 0x73657276ULL) {
    draw_.seed = seed;
  }

  ServiceDraw draw() {
    const auto largest = std::min(mode_.members_max, kMembersMax);
    const auto smallest = std::min(mode_.members_min, largest);
    const std::uint64_t spread = largest - smallest + 1U;
    draw_.members = static_cast<std::uint16_t>(smallest + std::min(random_.below(spread), random_.below(spread)));
    const auto majority = static_cast<std::uint16_t>(draw_.members / 2 + 1);
    const auto low = static_cast<std::uint16_t>(std::max(2, (draw_.members - 1) / 3 + 1));
    draw_.threshold = random_.below(3) == 0 ? low : majority;
    draw_.keys = random_.below(3) == 0 ? 2 : 1;
    draw_traitors();
    draw_weather();
    const std::uint64_t errands = 4 + random_.below(7);
    for (std::uint64_t i = 0; i < errands; ++i) draw_.errands.push_back(draw_errand());
    return std::move(draw_);
  }

 private:
  void draw_traitors() {
    if (mode_.attack == "none") return;
    const auto* attack = find_attack(mode_.attack);
    // Of an attack alone as many as may be, else often fewer.
    const std::size_t most = std::min<std::size_t>(draw_.threshold - 1U, draw_.members - draw_.threshold);
    const std::size_t count = attack != nullptr && random_.below(4) != 0 ? most : random_.below(most + 1);
    if (attack != nullptr && attack->wants == Attack::Wants::epochs) draw_.refresh_every = 20s;
    if (attack != nullptr && attack->wants == Attack::Wants::two_keys) draw_.keys = 2;
    while (draw_.traitors.size() < std::max<std::size_t>(count, attack == nullptr ? 0 : 1)) {
      const auto& list = delegation_attacks();
      const auto& drawn = attack != nullptr ? *attack : list[random_.below(list.size())];
      const std::size_t place = 1 + random_.below(draw_.members);
      const bool is_unlisted = random_.below(drawn.wants == Attack::Wants::unlisted ? 2 : 8) == 0;
      if (is_unlisted && draw_.unlisted.size() + 1 < draw_.members) draw_.unlisted.insert(place);
      draw_.traitors.emplace(place, &drawn);
    }
  }

  void draw_weather() {
    draw_.storm_from = kKeyMade;
    draw_.calm_from = kKeyMade;
    draw_.relays_whispers = random_.below(4) != 0;
    if (random_.below(12) == 0) draw_.refresh_every = 20s;
    for (std::size_t place = 1; place <= draw_.members; ++place) {
      // Calendars differ by less than a request may be off.
      if (random_.below(8) == 0)
        draw_.clocks[place] = {1000, static_cast<std::int64_t>(random_.below(20'000)) - 10'000};
    }
    if (random_.below(5) < 2) return;
    draw_.storm = draw_bad_weather(random_);
    draw_.calm_from += std::chrono::seconds(2 + random_.below(12));
    const std::uint64_t falls = random_.below(3);
    for (std::uint64_t i = 0; i < falls; ++i) {
      draw_.falls.push_back(
          {1 + random_.below(draw_.members), kKeyMade + std::chrono::milliseconds(random_.below(9000))});
    }
    std::sort(draw_.falls.begin(), draw_.falls.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    draw_.rewinds_entropy = random_.below(3) == 0;
    if (random_.below(4) == 0) {
      draw_.absence = Schedule::Absence{1 + random_.below(draw_.members), kKeyMade, draw_.calm_from};
    }
  }

  ErrandDraw draw_errand() {
    ErrandDraw out;
    out.way = static_cast<Way>(random_.below(4));
    out.key = random_.below(draw_.keys);
    for (std::size_t place = 1; place <= draw_.members; ++place) out.places.push_back(place);
    for (std::size_t i = out.places.size(); i > 1; --i) std::swap(out.places[i - 1], out.places[random_.below(i)]);
    std::uint64_t after_ms = 100 + random_.below(draw_.refresh_every ? 25'000 : 8'000);
    // Half of them while the shares are refreshed.
    if (draw_.refresh_every && after_ms % 2 == 1) after_ms = 14'500 + after_ms % 3000;
    out.begins = kKeyMade + std::chrono::milliseconds(after_ms);
    return out;
  }

  const Mode& mode_;
  Random random_;
  ServiceDraw draw_;
};

}  // namespace

bool ServiceDraw::is_fair() const {
  return storm.loss_per_mille == 0 && storm.crash_per_mille == 0 && !storm.is_split && storm.latency_max <= 60ms &&
         storm.straggle_per_mille == 0 && !absence && falls.empty() && relays_whispers;
}

ServiceDraw draw_service(const Mode& mode, std::uint64_t seed) {
  return ServiceDrawer(mode, seed).draw();
}

}  // namespace kms::sim
