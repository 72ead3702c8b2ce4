"""secp256k1 in plain Python: slow, variable time, for vectors only. Infinity is None."""
import hashlib

P = 2**256 - 2**32 - 977
Q = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
INFINITY = None


class Refused(Exception):
    """A check of the protocol said no; the text names it."""


def _double(p):
    x, y, z = p
    if z == 0 or y == 0:
        return (0, 1, 0)
    a, b = x * x % P, y * y % P
    c = b * b % P
    d = 2 * ((x + b) * (x + b) - a - c) % P
    e = 3 * a % P
    x3 = (e * e - 2 * d) % P
    return (x3, (e * (d - x3) - 8 * c) % P, 2 * y * z % P)


def _add_affine(p, q):
    """Jacobian p plus affine q."""
    x1, y1, z1 = p
    if z1 == 0:
        return (q[0], q[1], 1)
    zz = z1 * z1 % P
    h = (q[0] * zz - x1) % P
    r = (q[1] * zz * z1 - y1) % P
    if h == 0:
        return _double(p) if r == 0 else (0, 1, 0)
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return (x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P)


def _affine(p):
    if p[2] == 0:
        return None
    i = pow(p[2], -1, P)
    return (p[0] * i * i % P, p[1] * i * i * i % P)


def mul(k, p):
    k %= Q
    if p is None or k == 0:
        return None
    out = (0, 1, 0)
    for bit in bin(k)[2:]:
        out = _double(out)
        if bit == "1":
            out = _add_affine(out, p)
    return _affine(out)


def add(*points):
    out = (0, 1, 0)
    for p in points:
        if p is not None:
            out = _add_affine(out, p)
    return _affine(out)


def neg(p):
    return None if p is None else (p[0], P - p[1])


def sub(p, q):
    return add(p, neg(q))


def lift_x(x, odd):
    if x >= P:
        raise Refused("x is not a field element")
    y = pow(x**3 + 7, (P + 1) // 4, P)
    if y * y % P != (x**3 + 7) % P:
        raise Refused("not on the curve")
    return (x, y if y & 1 == odd else P - y)


def enc(p):
    """33 bytes compressed; infinity is 33 zero bytes."""
    return bytes(33) if p is None else bytes([2 + (p[1] & 1)]) + p[0].to_bytes(32, "big")


def uncompressed(p):
    return b"\x04" + p[0].to_bytes(32, "big") + p[1].to_bytes(32, "big")


def dec(raw, infinity_ok=False):
    if len(raw) != 33:
        raise Refused("a point has 33 bytes")
    if infinity_ok and raw == bytes(33):
        return None
    if raw[0] not in (2, 3):
        raise Refused("a point starts with 02 or 03")
    return lift_x(int.from_bytes(raw[1:], "big"), raw[0] & 1)


def sc(x):
    """A scalar as 32 bytes."""
    return (x % Q).to_bytes(32, "big")


def dec_scalar(raw, zero_ok=True):
    if len(raw) != 32:
        raise Refused("a scalar has 32 bytes")
    x = int.from_bytes(raw, "big")
    if x >= Q:
        raise Refused("scalar not below the group order")
    if x == 0 and not zero_ok:
        raise Refused("zero scalar")
    return x


H = lift_x(int.from_bytes(hashlib.sha256(uncompressed(G)).digest(), "big"), 0)
