"""Writes rsa_oaep.json: RSA-OAEP with SHA-256 and MGF1-SHA-256, fixed seed, in plain Python (RFC 8017, 7.1.1).

    python3 tests/vectors/rsa_oaep.py > tests/vectors/rsa_oaep.json

The keys come from a seeded generator, so that a second run writes the same file.
"""
import hashlib
import json
import random

rng = random.Random(20240101)


def is_prime(n):
    if any(n % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(20):
        x = pow(rng.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(bits, e):
    while True:
        p = rng.getrandbits(bits) | (3 << (bits - 2)) | 1
        if (p - 1) % e and is_prime(p):
            return p


def der(tag, content):
    n = len(content)
    if n < 128:
        length = bytes([n])
    else:
        octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + length + content


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def spki(n, e):
    algorithm = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return der(0x30, algorithm + der(3, b"\0" + der(0x30, integer(n) + integer(e))))


def mgf1(seed, size):
    out = b""
    for i in range(-(-size // 32)):
        out += hashlib.sha256(seed + i.to_bytes(4, "big")).digest()
    return out[:size]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def oaep(n, e, message, label, seed):
    k = (n.bit_length() + 7) // 8
    db = hashlib.sha256(label).digest() + bytes(k - 66 - len(message)) + b"\1" + message
    masked_db = xor(db, mgf1(seed, len(db)))
    masked_seed = xor(seed, mgf1(masked_db, 32))
    return pow(int.from_bytes(b"\0" + masked_seed + masked_db, "big"), e, n).to_bytes(k, "big")


cases = []
for bits, e in ((2048, 65537), (3072, 65537), (4096, 65537), (2048, 0xFFFFFFFFFFFFFFC5), (2049, 65539)):
    p, q = prime(bits // 2, e), prime(bits - bits // 2, e)
    while (p * q).bit_length() != bits:
        q = prime(bits - bits // 2, e)
    n = p * q
    k = (bits + 7) // 8
    for message, label in ((bytes(range(32)), b""), (rng.randbytes(104), rng.randbytes(32)), (b"", b"x"),
                           (rng.randbytes(k - 66), b"full")):
        seed = rng.randbytes(32)
        cases.append({"bits": bits, "spki": spki(n, e).hex(), "message": message.hex(), "label": label.hex(),
                      "seed": seed.hex(), "ciphertext": oaep(n, e, message, label, seed).hex()})
print(json.dumps({"made by": "tests/vectors/rsa_oaep.py", "cases": cases}, indent=1))
