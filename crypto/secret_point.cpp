#include "crypto/secret_point.h"

#include <secp256k1.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/declassify.h"

namespace kms::crypto {
namespace {

const secp256k1_pubkey* view(const Secret<64>& raw) {
  return reinterpret_cast<const secp256k1_pubkey*>(raw.expose().data());
}

secp256k1_pubkey* view(Secret<64>& raw) {
  return reinterpret_cast<secp256k1_pubkey*>(raw.expose_mutable().data());
}

// False for infinity.
bool add(Secret<64>& sum, const Secret<64>& a, const Secret<64>& b) {
  const secp256k1_pubkey* both[] = {view(a), view(b)};
  return secp256k1_ec_pubkey_combine(context(), view(sum), both, 2) == 1;
}

}  // namespace

SecretPoint SecretPoint::product(const SecretScalar& scalar, const Point& point) {
  Secret<65> encoded;
  encoded.expose_mutable()[0] = 4;
  const Secret<64> coordinates = multiply_to_coordinates(scalar, point);
  std::memcpy(encoded.expose_mutable().data() + 1, coordinates.expose().data(), 64);
  // What follows asks of coordinates only whether they are zero, below the field's prime and on the curve, and adds
  // without branches: valgrind, which cannot tell these questions from others, stops looking here.
  declassify(encoded.expose().data(), 65);
  SecretPoint out;
  KMS_ASSERT(secp256k1_ec_pubkey_parse(context(), view(out.raw_), encoded.expose().data(), 65) == 1);
  return out;
}

SecretPoint SecretPoint::copy_of(const Point& point) {
  SecretPoint out;
  out.raw_ = Secret<64>::copy_of(point.raw());
  return out;
}

SecretPoint SecretPoint::operator-() const {
  SecretPoint out;
  out.raw_ = raw_.clone();
  KMS_ASSERT(secp256k1_ec_pubkey_negate(context(), view(out.raw_)) == 1);
  return out;
}

Element SecretPoint::publish_sum(const SecretPoint& other) const {
  Secret<64> sum;
  if (!add(sum, raw_, other.raw_)) return {};
  return Point::from_raw(sum.expose());
}

Result<Secret<32>> SecretPoint::x_of_sum(const SecretPoint& other) const {
  Secret<64> sum;
  if (!add(sum, raw_, other.raw_)) return error("the sum is infinity");
  Secret<33> encoded;
  std::size_t size = 33;
  KMS_ASSERT(secp256k1_ec_pubkey_serialize(context(), encoded.expose_mutable().data(), &size, view(sum),
                                           SECP256K1_EC_COMPRESSED) == 1);
  return Secret<32>::copy_of(ByteView(encoded.expose()).subspan(1));
}

}  // namespace kms::crypto
