"""RSA-OAEP with SHA-256 and MGF1-SHA-256 and the SPKI of a public key, in plain integers: slow, for tests only."""
import hashlib

from rsa_test_key import D, E, N, P, Q

BYTES = 256


class Undecryptable(Exception):
    pass


def _der(tag, content):
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def _der_integer(x):
    return _der(2, x.to_bytes(x.bit_length() // 8 + 1, "big"))


def spki():
    """The public half as SubjectPublicKeyInfo: rsaEncryption with NULL parameters."""
    algorithm = _der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return _der(0x30, algorithm + _der(3, b"\x00" + _der(0x30, _der_integer(N) + _der_integer(E))))


def _mask(seed, size):
    out = b""
    for counter in range((size + 31) // 32):
        out += hashlib.sha256(seed + counter.to_bytes(4, "big")).digest()
    return out[:size]


def _xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def decrypt(ciphertext, label=b""):
    """RFC 8017, 7.1.2."""
    if len(ciphertext) != BYTES:
        raise Undecryptable(f"{len(ciphertext)} bytes, not {BYTES}")
    c = int.from_bytes(ciphertext, "big")
    if c >= N:
        raise Undecryptable("not below the modulus")
    m_p, m_q = pow(c, D % (P - 1), P), pow(c, D % (Q - 1), Q)
    message = (m_q + (m_p - m_q) * pow(Q, -1, P) % P * Q).to_bytes(BYTES, "big")
    seed = _xor(message[1:33], _mask(message[33:], 32))
    block = _xor(message[33:], _mask(seed, BYTES - 33))
    padding, separator, secret = block[32:].partition(b"\x01")
    if message[0] != 0 or block[:32] != hashlib.sha256(label).digest() or padding.strip(b"\x00") or not separator:
        raise Undecryptable("the padding is not OAEP with SHA-256")
    return secret
