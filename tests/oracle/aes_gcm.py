"""AES-256-GCM with a 12-byte nonce, for the sealed partials of form A."""


def _gf8(a, b):
    out = 0
    while b:
        if b & 1:
            out ^= a
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return out


def _sbox():
    out = []
    for x in range(256):
        inverse = next((y for y in range(1, 256) if _gf8(x, y) == 1), 0)
        s = 0x63
        for shift in range(5):
            s ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
        out.append(s)
    return out


_S = _sbox()


def _expand(key):
    words, rcon = [list(key[4 * i:4 * i + 4]) for i in range(8)], 1
    for i in range(8, 60):
        w = list(words[i - 1])
        if i % 8 == 0:
            w = [_S[b] for b in w[1:] + w[:1]]
            w[0] ^= rcon
            rcon = _gf8(rcon, 2)
        elif i % 8 == 4:
            w = [_S[b] for b in w]
        words.append([a ^ b for a, b in zip(words[i - 8], w)])
    return [sum(words[4 * r:4 * r + 4], []) for r in range(15)]


def _block(keys, block):
    s = [a ^ b for a, b in zip(block, keys[0])]
    for r in range(1, 15):
        s = [_S[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if r < 14:
            mixed = []
            for c in range(4):
                a = s[4 * c:4 * c + 4]
                mixed += [_gf8(a[i], 2) ^ _gf8(a[(i + 1) % 4], 3) ^ a[(i + 2) % 4] ^ a[(i + 3) % 4] for i in range(4)]
            s = mixed
        s = [a ^ b for a, b in zip(s, keys[r])]
    return bytes(s)


def _ghash(h, message):
    y = 0
    for at in range(0, len(message), 16):
        y ^= int.from_bytes(message[at:at + 16], "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                z ^= v
            v = (v >> 1) ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y


def _padded(x):
    return x + bytes(-len(x) % 16)


def seal(key, iv, aad, plaintext):
    """Ciphertext followed by the 16-byte tag."""
    keys = _expand(key)
    out = b""
    for i in range(0, len(plaintext), 16):
        stream = _block(keys, iv + (2 + i // 16).to_bytes(4, "big"))
        out += bytes(a ^ b for a, b in zip(plaintext[i:i + 16], stream))
    h = int.from_bytes(_block(keys, bytes(16)), "big")
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(out)).to_bytes(8, "big")
    tag = _ghash(h, _padded(aad) + _padded(out) + lengths)
    return out + bytes(a ^ b for a, b in zip(tag.to_bytes(16, "big"), _block(keys, iv + b"\x00\x00\x00\x01")))


def unseal(key, iv, aad, sealed):
    keys = _expand(key)
    plaintext = b""
    for i in range(0, len(sealed) - 16, 16):
        stream = _block(keys, iv + (2 + i // 16).to_bytes(4, "big"))
        plaintext += bytes(a ^ b for a, b in zip(sealed[:-16][i:i + 16], stream))
    return plaintext if seal(key, iv, aad, plaintext) == sealed else None
