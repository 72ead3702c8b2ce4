// Memory that holds secrets: move-only, wiped when done, without ==, << or a way into a string.
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/entropy.h"

namespace kms::crypto {

// Overwrites with zeros in a way the compiler keeps (OPENSSL_cleanse).
void wipe(MutableByteView bytes);

// Wipes a plain value when the scope ends: for points that are secrets (a partial, s*K) while libsecp256k1 needs them
// as points. Copies that the arithmetic made on its stack are beyond its reach.
template <class T>
class WipeAtExit {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  explicit WipeAtExit(T& value) : values_(&value), count_(1) {}
  // The elements must stay where they are.
  explicit WipeAtExit(std::vector<T>& values) : values_(values.data()), count_(values.size()) {}
  WipeAtExit(const WipeAtExit&) = delete;
  WipeAtExit& operator=(const WipeAtExit&) = delete;
  ~WipeAtExit() { wipe({reinterpret_cast<std::uint8_t*>(values_), count_ * sizeof(T)}); }

 private:
  T* values_;
  std::size_t count_;
};

// N secret bytes in place. A moved-from Secret is wiped.
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(ByteArray<N>&& bytes) : bytes_(bytes) { wipe(bytes); }
  static Secret copy_of(ByteView bytes);  // bytes.size() == N
  static Secret random(Entropy& entropy);
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_); }

  // The only exits; greppable.
  const ByteArray<N>& expose() const { return bytes_; }
  ByteArray<N>& expose_mutable() { return bytes_; }
  Secret clone() const { return copy_of(bytes_); }

 private:
  ByteArray<N> bytes_{};
};

// Secret bytes on the heap, for sizes known at run time. Never grows in place (a reallocation would leave a copy).
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  explicit SecretBytes(Bytes&& bytes) : bytes_(std::move(bytes)) {}
  static SecretBytes copy_of(ByteView bytes) { return SecretBytes(to_bytes(bytes)); }
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(bytes_); }

  std::size_t size() const { return bytes_.size(); }
  ByteView expose() const { return bytes_; }
  MutableByteView expose_mutable() { return bytes_; }
  SecretBytes clone() const { return copy_of(bytes_); }

 private:
  Bytes bytes_;
};

// Constant-time equality of equally long inputs; different lengths are unequal.
bool equal_constant_time(ByteView a, ByteView b);

template <std::size_t N>
Secret<N> Secret<N>::copy_of(ByteView bytes) {
  Secret out;
  std::memcpy(out.bytes_.data(), bytes.data(), N);
  return out;
}

template <std::size_t N>
Secret<N> Secret<N>::random(Entropy& entropy) {
  Secret out;
  entropy.fill(out.bytes_);
  return out;
}

template <std::size_t N>
Secret<N>& Secret<N>::operator=(Secret&& other) noexcept {
  if (this != &other) {
    bytes_ = other.bytes_;
    wipe(other.bytes_);
  }
  return *this;
}

}  // namespace kms::crypto
