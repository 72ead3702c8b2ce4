"""BIP-374 with any generator, and the Schnorr proofs of knowledge of docs/TRANSCRIPTS.md section 4."""
from curve import G, Q, Refused, add, dec_scalar, enc, mul, neg, sc, sub
from hashing import derive, h2s, sha256, xor


def _bip340(tag, message):
    t = sha256(tag.encode())
    return sha256(t + t + message)


def _dleq_challenge(a_point, b_point, c_point, r1, r2, m, generator):
    parts = [a_point, b_point, c_point, generator, r1, r2]
    return _bip340("BIP0374/challenge", b"".join(enc(p) for p in parts) + m)


def dleq_prove(a, b_point, r, m, generator=G):
    if not 0 < a < Q or b_point is None:
        raise Refused("a is zero or B is infinity")
    a_point, c_point = mul(a, generator), mul(a, b_point)
    t = xor(sc(a), _bip340("BIP0374/aux", r))
    k = int.from_bytes(_bip340("BIP0374/nonce", t + enc(a_point) + enc(c_point) + m), "big") % Q
    if k == 0:
        raise Refused("nonce is zero")
    e = _dleq_challenge(a_point, b_point, c_point, mul(k, generator), mul(k, b_point), m, generator)
    return e + sc(k + int.from_bytes(e, "big") * a)


def dleq_verify(a_point, b_point, c_point, proof, m, generator=G):
    if None in (a_point, b_point, c_point, generator):
        raise Refused("DLEQ statement with infinity")
    if len(proof) != 64:
        raise Refused("a DLEQ proof has 64 bytes")
    e, s = int.from_bytes(proof[:32], "big"), dec_scalar(proof[32:])
    r1 = sub(mul(s, generator), mul(e, a_point))
    r2 = sub(mul(s, b_point), mul(e, c_point))
    if r1 is None or r2 is None:
        raise Refused("DLEQ commitment is infinity")
    if _dleq_challenge(a_point, b_point, c_point, r1, r2, m, generator) != proof[:32]:
        raise Refused("DLEQ proof does not hold")


def schnorr_prove(tag, x, rand, statement):
    """Proof of log_G; statement = every challenge item before A."""
    k = derive(tag + "/nonce", sc(x), rand, *statement)
    c = h2s(tag, *statement, enc(mul(k, G)))
    return sc(c) + sc(k + c * x)


def schnorr_verify(tag, x_point, proof, statement):
    if len(proof) != 64:
        raise Refused("a Schnorr proof has 64 bytes")
    c, z = dec_scalar(proof[:32]), dec_scalar(proof[32:])
    commitment = add(mul(z, G), neg(mul(c, x_point)))
    if x_point is None or commitment is None or h2s(tag, *statement, enc(commitment)) != c:
        raise Refused(tag + " does not hold")
