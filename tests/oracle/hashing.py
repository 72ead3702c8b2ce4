"""Hashes, the transcript encoding of docs/TRANSCRIPTS.md section 1, HKDF, and RFC 6979 ECDSA."""
import hashlib
import hmac

from curve import G, P, Q, Refused, add, lift_x, mul, neg, sc


def sha256(x):
    return hashlib.sha256(x).digest()


_ROUND = []
_lfsr = 1
for _ in range(24):
    _c = 0
    for _j in range(7):
        if _lfsr & 1:
            _c |= 1 << ((1 << _j) - 1)
        _lfsr = (_lfsr << 1) ^ (0x171 if _lfsr & 0x80 else 0)
    _ROUND.append(_c)
_M = (1 << 64) - 1


def _rotl(x, n):
    n %= 64
    return ((x << n) | (x >> (64 - n))) & _M


def _keccak_f(a):
    for rc in _ROUND:
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[(x - 1) % 5] ^ _rotl(c[(x + 1) % 5], 1) for x in range(5)]
        a = [[a[x][y] ^ d[x] for y in range(5)] for x in range(5)]
        x, y, current = 1, 0, a[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, a[x][y] = a[x][y], _rotl(current, (t + 1) * (t + 2) // 2)
        a = [[a[x][y] ^ (~a[(x + 1) % 5][y] & _M & a[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        a[0][0] ^= rc
    return a


def keccak256(message):
    rate = 136
    padded = bytearray(message) + b"\x01" + bytes(-(len(message) + 1) % rate)
    padded[-1] |= 0x80
    a = [[0] * 5 for _ in range(5)]
    for at in range(0, len(padded), rate):
        for i in range(rate // 8):
            a[i % 5][i // 5] ^= int.from_bytes(padded[at + 8 * i:at + 8 * i + 8], "little")
        a = _keccak_f(a)
    return b"".join(a[i % 5][i // 5].to_bytes(8, "little") for i in range(4))


def u8(x):
    return x.to_bytes(1, "big")


def u16(x):
    return x.to_bytes(2, "big")


def u32(x):
    return x.to_bytes(4, "big")


def u64(x):
    return x.to_bytes(8, "big")


def lp(x):
    return u32(len(x)) + x


def items(*elements):
    """A list: its u32 count, then each element's fields as items. An element is bytes or a tuple of bytes."""
    out = [u32(len(elements))]
    for e in elements:
        out += [e] if isinstance(e, bytes) else list(e)
    return out


RECORDED = None  # while a dict: tag -> the items of the first call seen


def tagged(tag, *fields):
    if RECORDED is not None:
        RECORDED.setdefault(tag, list(fields))
    t = sha256(tag.encode("ascii"))
    return sha256(t + t + b"".join(lp(x) for x in fields))


def h2s(tag, *fields):
    x = int.from_bytes(tagged(tag, *fields), "big") % Q
    if x == 0:
        raise Refused(tag + " hashed to zero")
    return x


def derive(tag, *fields, rejected=0):
    """A secret scalar; each zero met is answered by a counter item 1, 2, ... `rejected` pretends that so many came first."""
    counter = rejected
    while True:
        more = (u32(counter),) if counter else ()
        x = int.from_bytes(tagged(tag, *fields, *more), "big") % Q  # the newest counter only
        if x:
            return x
        counter += 1


def hkdf(ikm, salt, info, size):
    prk = hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()
    out, block = b"", b""
    for i in range(1, (size + 31) // 32 + 1):
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha256).digest()
        out += block
    return out[:size]


def _rfc6979(secret, digest):
    x = sc(secret) + sc(int.from_bytes(digest, "big"))
    v, k = b"\x01" * 32, bytes(32)

    def mac(key, message):
        return hmac.new(key, message, hashlib.sha256).digest()
    k = mac(k, v + b"\x00" + x)
    v = mac(k, v)
    k = mac(k, v + b"\x01" + x)
    v = mac(k, v)
    while True:
        v = mac(k, v)
        nonce = int.from_bytes(v, "big")
        if 0 < nonce < Q:
            yield nonce
        k = mac(k, v + b"\x00")
        v = mac(k, v)


def ecdsa_sign(secret, digest):
    """r || s || v, v = 27 or 28, low s."""
    for nonce in _rfc6979(secret, digest):
        point = mul(nonce, G)
        r = point[0] % Q
        s = pow(nonce, -1, Q) * (int.from_bytes(digest, "big") + r * secret) % Q
        if r == 0 or s == 0 or point[0] >= Q:
            continue
        odd = point[1] & 1
        if s > Q // 2:
            s, odd = Q - s, odd ^ 1
        return sc(r) + sc(s) + u8(27 + odd)


def ecdsa_recover(digest, signature):
    """The signer's point of a node signature; refuses what section 6 refuses."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise Refused("a signature has 65 bytes and v 27 or 28")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not (0 < r < Q and 0 < s <= Q // 2):
        raise Refused("r or s out of range, or high s")
    point, inverse = lift_x(r, signature[64] - 27), pow(r, -1, Q)
    out = add(mul(s * inverse, point), neg(mul(int.from_bytes(digest, "big") * inverse, G)))
    if out is None:
        raise Refused("recovered infinity")
    return out


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))
