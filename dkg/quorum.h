// Committee size, threshold and what follows from them (PROTOCOL.md 2 and 4.14). f is derived, never configured.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/result.h"

namespace kms::dkg {

// A valid pair: 2 <= t <= n <= 128, or n = t = 1.
class Threshold {
 public:
  static Result<Threshold> make(std::uint32_t members, std::uint32_t needed);

  std::uint16_t n() const { return n_; }
  // Shares needed to use the key; the polynomials have degree t - 1.
  std::uint16_t t() const { return t_; }
  // Faulty members that ceremonies tolerate: min((n-1)/3, (n-t)/2), both rounded down.
  std::uint16_t f() const { return static_cast<std::uint16_t>(std::min((n_ - 1) / 3, (n_ - t_) / 2)); }
  // Signatures that make a certificate: n - f.
  std::uint16_t q() const { return static_cast<std::uint16_t>(n_ - f()); }
  // The same in an emergency reshare: max(t, n/2 + 1).
  std::uint16_t q_em() const { return static_cast<std::uint16_t>(std::max<int>(t_, n_ / 2 + 1)); }
  // An emergency order is safe iff fewer members than this are Byzantine: min(2 q_em - n, q_em - f).
  std::uint16_t emergency_safe_below() const {
    return static_cast<std::uint16_t>(std::min(2 * q_em() - n_, q_em() - f()));
  }
  bool operator==(const Threshold&) const = default;

 private:
  Threshold(std::uint16_t n, std::uint16_t t) : n_(n), t_(t) {}
  std::uint16_t n_;
  std::uint16_t t_;
};

}  // namespace kms::dkg
