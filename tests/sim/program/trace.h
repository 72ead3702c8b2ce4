// What happened in a run: a digest that two equal runs share, and, if wanted, lines for a reader.
#pragma once

#include <iosfwd>
#include <set>
#include <string>

#include "tests/sim/world.h"

namespace kms::sim {

class Trace {
 public:
  // deliveries: a line for each message that reaches a member; sayings: for each that is said, when it first reaches
  // somebody, without what members repeat to say how far they are.
  enum class Form : std::uint8_t { deliveries, sayings };
  // `lines`: where the readable trace goes; nullptr for the digest alone.
  explicit Trace(std::ostream* lines = nullptr, Form form = Form::deliveries) : lines_(lines), form_(form) {}
  void note(const Step& step);
  void say(Instant at, const std::string& line);
  std::uint64_t digest() const { return digest_; }
  // How messages are called in lines, if not as those of ceremonies.
  void name_with(std::function<std::string(const Bytes&)> namer) { namer_ = std::move(namer); }

 private:
  void mix(std::uint64_t value) {
    digest_ = (digest_ ^ value) * 0x9e3779b97f4a7c15ULL;
    digest_ ^= digest_ >> 29;
  }
  void print(const Step& step);

  std::ostream* lines_;
  std::function<std::string(const Bytes&)> namer_;
  Form form_;
  std::set<Bytes> said_;
  std::uint64_t digest_ = 0x6b6d73;
};

}  // namespace kms::sim
