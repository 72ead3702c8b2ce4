// The seeded driver: n machines over virtual time, a network that delays, loses, repeats, reorders and splits, and
// crashes between deciding, storing and sending. The same seed gives the same run. What the machines are is not known
// here: they take and give opaque messages, so that the world can drive a Ceremony today and a whole node later.
#pragma once

#include <functional>
#include <memory>
#include <queue>
#include <set>

#include "base/time.h"
#include "tests/sim/disk.h"
#include "tests/sim/random.h"

namespace kms::sim {

// For one member alone: what only a liar does.
struct Whisper {
  std::size_t to = 0;
  Bytes message;
};

// What a machine asks for: `save` is durable before anything of `send` leaves.
struct Output {
  dkg::Checkpoint save;
  std::vector<Bytes> send;  // to everybody
  std::vector<Whisper> whispers = {};
};

class Machine {
 public:
  virtual ~Machine() = default;
  virtual Output receive(const Bytes& message, Now now) = 0;
  virtual Output tick(Now now) = 0;
  virtual std::optional<Instant> wakes_at() const = 0;
  // The members it is connected to, by number from 1.
  virtual Output connected(const std::set<std::size_t>& members, Now now) = 0;
};

// Makes machine `member` (from 1) from what its disk holds.
using Boot = std::function<std::unique_ptr<Machine>(std::size_t member, const Disk& disk, Now now)>;
// Sees everything that left a member, in order.
using Observer = std::function<void(std::size_t member, const Bytes& message)>;

struct Weather {
  Duration latency_min = 5ms;
  Duration latency_max = 60ms;
  std::uint64_t loss_per_mille = 0;
  std::uint64_t repeat_per_mille = 0;
  std::uint64_t straggle_per_mille = 0;  // arrives up to four seconds late
  std::uint64_t crash_per_mille = 0;     // at each persist boundary
  bool is_split = false;                 // halves that change every four seconds
};

// A member's own clocks against the world's: its timers run `rate_per_mille` / 1000 as fast, its calendar is off.
struct MemberClock {
  std::int64_t rate_per_mille = 1000;
  std::int64_t unix_offset_ms = 0;
};

// What happens, for whoever writes a trace of it.
struct Step {
  enum class Kind : std::uint8_t { deliver, timer, boot, crash, save };
  Kind kind;
  Instant at;
  std::size_t from = 0;
  std::size_t to = 0;              // the member it happens to
  const Bytes* message = nullptr;  // deliver
  std::uint64_t fingerprint = 0;   // deliver: of the message
};
using Tracer = std::function<void(const Step&)>;

struct Schedule {
  std::size_t members = 4;
  Weather storm;  // from `storm_from` until `calm_from`
  Duration storm_from = 0s;
  Duration calm_from = 0s;  // GST: from then on the default Weather
  Duration end = 600s;
  Duration reboot = 800ms;                 // after a crash
  std::map<std::size_t, Duration> starts;  // members that start later than at 0; beyond `end`: never
  // Crashes at this persist boundary (counted over all members); `stays_down` or comes back after `reboot`.
  struct Crash {
    std::uint64_t boundary = 0;
    bool stays_down = false;
  };
  std::optional<Crash> crash = {};
  std::map<std::size_t, MemberClock> clocks = {};  // members whose clocks differ from the world's
  // Members that also crash in calm weather and then come back with an old image of their disk.
  std::set<std::size_t> rolled_back = {};
  // What is whispered reaches the others later, as gossip would carry it on.
  bool relays_whispers = false;
  // Cut off from everybody for that time.
  struct Absence {
    std::size_t member = 0;
    Duration from{};
    Duration until{};
  };
  std::vector<Absence> absences = {};
  // Goes down at that time, whatever it is doing, and comes back after `reboot`.
  struct Fall {
    std::size_t member = 0;
    Duration at{};
  };
  std::vector<Fall> falls = {};              // in the order of their times
  std::int64_t unix_ms = 1'700'000'000'000;  // at the world's beginning
};

class World {
 public:
  World(Schedule schedule, std::uint64_t seed, Boot boot, Observer observer = {});
  // Runs until `is_over` or the schedule's end.
  void run(const std::function<bool()>& is_over);
  void watch(Observer observer) { observer_ = std::move(observer); }
  void trace(Tracer tracer) { tracer_ = std::move(tracer); }
  // Before the first run: what the member's disk holds.
  void set_disk(std::size_t member, Disk disk) { nodes_[member - 1].disk = std::move(disk); }
  // Everybody goes down at once, before anything else happens, and comes back after Schedule::reboot.
  void crash_all() { crashes_all_ = true; }

  Now now() const { return {now_, schedule_.unix_ms + now_.time_since_epoch() / 1ms}; }
  // As that member's clocks show it.
  Now now(std::size_t member) const;
  // nullptr while a member is down.
  Machine* machine(std::size_t member) { return nodes_[member - 1].machine.get(); }
  const Disk& disk(std::size_t member) const { return nodes_[member - 1].disk; }
  std::uint64_t boundaries() const { return boundaries_; }
  std::uint64_t delivered() const { return delivered_; }
  // Messages delivered, timers that fired, starts and crashes.
  std::uint64_t events() const { return events_; }
  // The member that the scheduled crash hit, 0 if it never came to it.
  std::size_t victim() const { return victim_; }

 private:
  struct Node {
    std::unique_ptr<Machine> machine;
    Disk disk;
    Instant boots_at{};
    Disk image;  // of a member that is rolled back
    int rollbacks = 0;
  };
  struct Packet {
    Instant at;
    std::uint64_t order;
    std::size_t from;
    std::size_t to;
    std::shared_ptr<const Bytes> message;
    std::uint64_t fingerprint;
    bool operator>(const Packet& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };

  const Weather& weather() const {
    const Duration since = now_.time_since_epoch();
    return since >= schedule_.storm_from && since < schedule_.calm_from ? schedule_.storm : calm_;
  }
  void fall_due();
  bool is_apart(std::size_t a, std::size_t b) const;
  void boot(std::size_t member);
  void crash(std::size_t member, bool stays_down);
  bool survives(std::size_t member);
  void apply(std::size_t member, Output output);
  struct Letter {
    std::shared_ptr<const Bytes> message;
    std::uint64_t fingerprint;
  };
  Letter letter(Bytes message) const;
  void post(std::size_t from, std::size_t to, const Letter& letter, Duration held = {});
  void whisper(std::size_t from, Whisper whisper);
  void keep_image(std::size_t member);
  void note(Step::Kind kind, std::size_t to, const Packet* packet = nullptr);
  std::optional<Instant> wake_of(std::size_t member) const;
  void meet();
  Instant next_instant() const;

  Schedule schedule_;
  Weather calm_;
  Random random_;
  Boot boot_;
  Observer observer_;
  Tracer tracer_;
  bool crashes_all_ = false;
  Instant now_{};
  std::vector<Node> nodes_;
  std::priority_queue<Packet, std::vector<Packet>, std::greater<>> packets_;
  std::uint64_t order_ = 0;
  std::uint64_t boundaries_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t events_ = 0;
  std::size_t victim_ = 0;
  std::size_t fallen_ = 0;  // of Schedule::falls
};

}  // namespace kms::sim
