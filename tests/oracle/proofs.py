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


def reencryption_challenge(context, K, P, S, U, W, A1, A2, A3):
    """`context`: the items key_id, e, T, i, rh."""
    return h2s("KMS1/reenc", *context, *[enc(point) for point in (K, P, S, U, W, A1, A2, A3)])


def reencrypt(s, context, K, P, rands):
    """(U, W, c, z_s, z_r) and the secrets behind them; three times 32 random bytes."""
    r = derive("KMS1/reencr", sc(s), rands[0], *context, enc(K), enc(P))
    U, W = mul(r, G), add(mul(s, K), mul(r, P))
    statement = (sc(s), sc(r)), (*context, enc(K), enc(P), enc(U), enc(W))
    a = derive("KMS1/reenca", *statement[0], rands[1], *statement[1])
    b = derive("KMS1/reencb", *statement[0], rands[2], *statement[1])
    c = reencryption_challenge(context, K, P, mul(s, G), U, W, mul(a, G), mul(b, G), add(mul(a, K), mul(b, P)))
    return (U, W, c, (a + c * s) % Q, (b + c * r) % Q), (r, a, b)


def reencryption_verify(context, K, P, S, U, W, c, z_s, z_r):
    A1, A2 = sub(mul(z_s, G), mul(c, S)), sub(mul(z_r, G), mul(c, U))
    A3 = sub(add(mul(z_s, K), mul(z_r, P)), mul(c, W))
    if None in (A1, A2, A3) or c == 0 or reencryption_challenge(context, K, P, S, U, W, A1, A2, A3) != c:
        raise Refused("the re-encryption does not hold")
