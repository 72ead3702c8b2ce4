#include "crypto/point.h"

#include <secp256k1_ecdh.h>
#include <secp256k1_recovery.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/declassify.h"

namespace kms::crypto {
namespace {

static_assert(sizeof(secp256k1_pubkey) == 64);

const secp256k1_pubkey* view(const ByteArray<64>& raw) {
  return reinterpret_cast<const secp256k1_pubkey*>(raw.data());
}

const secp256k1_pubkey* view(const Point& point) {
  return view(point.raw());
}

secp256k1_pubkey* view(ByteArray<64>& raw) {
  return reinterpret_cast<secp256k1_pubkey*>(raw.data());
}

template <std::size_t N>
ByteArray<N> serialize(const Point& point, unsigned flags) {
  ByteArray<N> out;
  std::size_t size = N;
  KMS_ASSERT(secp256k1_ec_pubkey_serialize(context(), out.data(), &size, view(point), flags) == 1 && size == N);
  return out;
}

Point fixed(ByteView bytes33) {
  auto parsed = Point::parse(bytes33);
  KMS_ASSERT(parsed.has_value());
  return *parsed;
}

// secp256k1_ecdh's hash function that hashes nothing: x || y.
int copy_coordinates(unsigned char* output, const unsigned char* x32, const unsigned char* y32, void*) {
  std::memcpy(output, x32, 32);
  std::memcpy(output + 32, y32, 32);
  return 1;
}

Element multiply_finite(const Scalar& scalar, const Point& point) {
  if (scalar.is_zero()) return {};
  if (point == Point::generator()) return multiply_generator(scalar);
  ByteArray<64> raw = point.raw();
  KMS_ASSERT(secp256k1_ec_pubkey_tweak_mul(context(), view(raw), scalar.bytes().data()) == 1);
  return Point::from_raw(raw);
}

// Recovering the key of an ECDSA signature computes r^-1 (s R - m G). With R = X, r = x(X) mod q, s = r v and m = -r u
// that is uG + vX in one double multiplication. Nothing when the library has no such signature (s = 0) or no such key
// (the sum is infinity).
std::optional<Point> recover_sum(const Scalar& u, const Scalar& v, const Point& x) {
  auto encoded = x.bytes();
  Hash32 x_bytes = to_array<32>(ByteView(encoded).subspan(1));
  Scalar r = Scalar::reduce(x_bytes);
  int recovery_id = (encoded[0] & 1) | (r.bytes() == x_bytes ? 0 : 2);
  Scalar s = r * v;
  Hash32 m = (-(r * u)).bytes();
  ByteArray<64> compact;
  std::memcpy(compact.data(), r.bytes().data(), 32);
  std::memcpy(compact.data() + 32, s.bytes().data(), 32);
  secp256k1_ecdsa_recoverable_signature signature;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &signature, compact.data(), recovery_id) != 1) {
    return std::nullopt;
  }
  ByteArray<64> raw;
  if (secp256k1_ecdsa_recover(context(), view(raw), &signature, m.data()) != 1) return std::nullopt;
  return Point::from_raw(raw);
}

}  // namespace

Result<Point> Point::parse(ByteView bytes33) {
  if (bytes33.size() != 33) return error("a point has 33 bytes (compressed), not " + std::to_string(bytes33.size()));
  return parse_sec1(bytes33);
}

Result<Point> Point::parse_sec1(ByteView bytes) {
  bool is_compressed = bytes.size() == 33 && (bytes[0] == 2 || bytes[0] == 3);
  bool is_uncompressed = bytes.size() == 65 && bytes[0] == 4;
  if (!is_compressed && !is_uncompressed) {
    return error("a point starts with 02 or 03 and has 33 bytes, or with 04 and has 65");
  }
  Point out;
  if (secp256k1_ec_pubkey_parse(context(), view(out.raw_), bytes.data(), bytes.size()) != 1) {
    return error(to_hex(bytes.first(33)) + " is not a point of secp256k1");
  }
  return out;
}

const Point& Point::generator() {
  static const Point g = fixed(ByteArray<33>{0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0,
                                             0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d,
                                             0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98});
  return g;
}

const Point& Point::second_generator() {
  static const Point h = fixed(ByteArray<33>{0x02, 0x50, 0x92, 0x9b, 0x74, 0xc1, 0xa0, 0x49, 0x54, 0xb7, 0x8b,
                                             0x4b, 0x60, 0x35, 0xe9, 0x7a, 0x5e, 0x07, 0x8a, 0x5a, 0x0f, 0x28,
                                             0xec, 0x96, 0xd5, 0x47, 0xbf, 0xee, 0x9a, 0xce, 0x80, 0x3a, 0xc0});
  return h;
}

ByteArray<33> Point::bytes() const {
  return serialize<33>(*this, SECP256K1_EC_COMPRESSED);
}

ByteArray<65> Point::uncompressed() const {
  return serialize<65>(*this, SECP256K1_EC_UNCOMPRESSED);
}

Hash32 Point::x() const {
  auto encoded = bytes();
  const WipeAtExit wiped(encoded);
  return to_array<32>(ByteView(encoded).subspan(1));
}

// libsecp256k1 keeps normalised coordinates, so equal points have equal bytes.
bool Point::operator==(const Point& other) const {
  return raw_ == other.raw_;
}

Point Point::operator-() const {
  Point out = *this;
  KMS_ASSERT(secp256k1_ec_pubkey_negate(context(), view(out.raw_)) == 1);
  return out;
}

Point Point::from_raw(const ByteArray<64>& raw) {
  Point out;
  out.raw_ = raw;
  return out;
}

Result<Element> Element::parse(ByteView bytes33) {
  if (equal(bytes33, ByteArray<33>{})) return Element();
  auto point = Point::parse(bytes33);
  if (!point) return point.error();
  return Element(*point);
}

ByteArray<33> Element::bytes() const {
  return point_ ? point_->bytes() : ByteArray<33>{};
}

Element Element::operator+(const Element& other) const {
  if (is_infinity()) return other;
  if (other.is_infinity()) return *this;
  const secp256k1_pubkey* both[] = {view(*point_), view(*other.point_)};
  ByteArray<64> raw;
  // Fails only for a + (-a).
  if (secp256k1_ec_pubkey_combine(context(), view(raw), both, 2) != 1) return {};
  return Point::from_raw(raw);
}

Element Element::operator-() const {
  if (is_infinity()) return {};
  return -*point_;
}

Element sum(const std::vector<Element>& elements) {
  std::vector<const secp256k1_pubkey*> finite;
  finite.reserve(elements.size());
  for (const auto& element : elements) {
    if (!element.is_infinity()) finite.push_back(view(element.point()));
  }
  if (finite.empty()) return {};
  ByteArray<64> raw;
  if (secp256k1_ec_pubkey_combine(context(), view(raw), finite.data(), finite.size()) != 1) return {};
  return Point::from_raw(raw);
}

Element multiply(const Scalar& scalar, const Element& element) {
  if (element.is_infinity()) return {};
  return multiply_finite(scalar, element.point());
}

Element multiply_generator(const Scalar& scalar) {
  if (scalar.is_zero()) return {};
  ByteArray<64> raw;
  KMS_ASSERT(secp256k1_ec_pubkey_create(context(), view(raw), scalar.bytes().data()) == 1);
  return Point::from_raw(raw);
}

Element multiply_add(const Scalar& g_factor, const Scalar& x_factor, const Point& x) {
  if (!g_factor.is_zero() && !x_factor.is_zero()) {
    auto point = recover_sum(g_factor, x_factor, x);
    if (point) return *point;
  }
  return multiply_generator(g_factor) + multiply_finite(x_factor, x);
}

Element multiply(const SecretScalar& scalar, const Point& point) {
  if (scalar.is_zero()) return {};
  if (point == Point::generator()) return multiply_generator(scalar);
  Secret<64> product = multiply_to_coordinates(scalar, point);
  declassify(product.expose().data(), product.expose().size());
  ByteArray<65> encoded;
  const WipeAtExit wiped(encoded);
  encoded[0] = 4;
  std::memcpy(encoded.data() + 1, product.expose().data(), 64);
  auto parsed = Point::parse_sec1(encoded);
  KMS_ASSERT(parsed.has_value());
  const WipeAtExit wiped_point(*parsed);
  return *parsed;
}

Element multiply_generator(const SecretScalar& scalar) {
  if (scalar.is_zero()) return {};
  ByteArray<64> raw;
  [[maybe_unused]] int unless_zero = secp256k1_ec_pubkey_create(context(), view(raw), scalar.expose().data());
  declassify(raw.data(), raw.size());
  return Point::from_raw(raw);
}

Secret<64> multiply_to_coordinates(const SecretScalar& scalar, const Point& point) {
  KMS_ASSERT(!scalar.is_zero());
  Secret<64> out;
  [[maybe_unused]] int unless_zero = secp256k1_ecdh(context(), out.expose_mutable().data(), view(point),
                                                    scalar.expose().data(), copy_coordinates, nullptr);
  return out;
}

Secret<33> multiply_secretly(const SecretScalar& scalar, const Point& point) {
  Secret<64> product = multiply_to_coordinates(scalar, point);
  Secret<33> out;
  out.expose_mutable()[0] = static_cast<std::uint8_t>(2 | (product.expose()[63] & 1));
  std::memcpy(out.expose_mutable().data() + 1, product.expose().data(), 32);
  return out;
}

Secret<32> ecdh_x(const SecretScalar& scalar, const Point& point) {
  return Secret<32>::copy_of(ByteView(multiply_to_coordinates(scalar, point).expose()).first(32));
}

}  // namespace kms::crypto
