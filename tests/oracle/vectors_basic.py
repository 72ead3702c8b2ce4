"""Vectors that need no ceremony: encoding, points, Lagrange, thresholds, EIP-712, ephpok."""
import kms_oracle as k
from curve import G, H, P, Q, Refused, dec, dec_scalar, enc, mul, neg, sc, uncompressed
from hashing import ecdsa_sign, hkdf, items, keccak256, sha256, tagged, u16, u32
from proofs import schnorr_prove
from scenario import LABELS, NETWORK_NAME, fixed, fixed_scalar
from show import show


def anchors():
    examples = [[], [b"", b"abc"], [b"a", b"bc"]]
    return {
        "note_fields": "hash: H_\"KMS1/test\" of items; scalar: the same mod q_c; list: a list of (u16, 32 bytes) as items",
        "hash": [{"items": show(x), "hash": tagged("KMS1/test", *x).hex(), "scalar": sc(int.from_bytes(tagged("KMS1/test", *x), "big")).hex()} for x in examples],
        "list": {"elements": [{"position": 1, "hash": "11" * 32}, {"position": 3, "hash": "22" * 32}],
                 "items": show(items((u16(1), b"\x11" * 32), (u16(3), b"\x22" * 32))), "empty_items": show(items())},
        "G": show(G), "H": show(H), "H_preimage": uncompressed(G).hex(),
        "keccak256": [{"message": m.hex(), "hash": keccak256(m).hex()} for m in (b"", b"abc", bytes(135), bytes(136), bytes(137))],
        "ecdsa": [{"secret": sc(x).hex(), "digest": d.hex(), "sig": ecdsa_sign(x, d).hex(), "node_id": k.node_id(mul(x, G)).hex()}
                  for x, d in ((1, sha256(b"Satoshi Nakamoto")), (Q - 1, sha256(b"All those moments")), (fixed_scalar("ecdsa"), fixed("ecdsa-digest")))],
        "hkdf": [{"ikm": fixed("hkdf").hex(), "salt": "", "info": b"ECIES:AES_GCM:v1".hex(), "okm": hkdf(fixed("hkdf"), b"", b"ECIES:AES_GCM:v1", 32).hex()}]}


def lagrange():
    cases = []
    for indices, x in (([1, 2, 3], 0), ([1, 2, 3], 4), ([1, 2, 4], 3), ([2, 5, 9, 64], 0), ([2, 5, 9, 64], 7), (list(range(1, 66)), 0), (list(range(1, 66)), 100), ([7], 0)):
        weights = k.lagrange(indices, x)
        cases.append({"indices": indices, "x": x, "lambda": [sc(weights[j]).hex() for j in indices]})
    return {"cases": cases}


def refusal(check, *arguments):
    try:
        check(*arguments)
    except Refused as reason:
        return str(reason)
    return None


def curve():
    point = mul(fixed_scalar("curve"), G)
    x = point[0].to_bytes(32, "big")
    off = next(v for v in range(1, 100) if refusal(dec, b"\x02" + v.to_bytes(32, "big")))
    points = {
        "good, even or odd": enc(point), "good, negated": enc(neg(point)), "generator": enc(G), "second generator": enc(H),
        "off the curve": b"\x02" + off.to_bytes(32, "big"), "infinity": bytes(33), "x = p": b"\x02" + P.to_bytes(32, "big"),
        "x = p + 1 (would be x = 1 reduced)": b"\x02" + (P + 1).to_bytes(32, "big"), "x = 2^256 - 1": b"\x03" + b"\xff" * 32,
        "uncompressed": uncompressed(point), "hybrid even": b"\x06" + uncompressed(point)[1:], "hybrid odd": b"\x07" + uncompressed(point)[1:],
        "prefix 00": b"\x00" + x, "prefix 04": b"\x04" + x, "prefix 05": b"\x05" + x, "32 bytes": x, "34 bytes": enc(point) + b"\x00", "empty": b""}
    scalars = {"one": sc(1), "q_c - 1": (Q - 1).to_bytes(32, "big"), "zero": bytes(32), "q_c": Q.to_bytes(32, "big"),
               "q_c + 1": (Q + 1).to_bytes(32, "big"), "2^256 - 1": b"\xff" * 32, "31 bytes": bytes(31), "33 bytes": bytes(33)}
    a2, a0, i = fixed_scalar("horner/2"), fixed_scalar("horner/0"), 5
    middle = [a0, -a2 * i % Q, a2]
    root_at_2 = [-(2 * fixed_scalar("root/1") + 4 * fixed_scalar("root/2")) % Q, fixed_scalar("root/1"), fixed_scalar("root/2")]
    members = [mul(k.evaluate(root_at_2, i), G) for i in range(1, 5)]
    S = mul(root_at_2[0], G)
    key, T = fixed("curve/key_id"), fixed("curve/T")
    return {
        "points": [{"case": name, "bytes": raw.hex(), "ok": refusal(dec, raw) is None} for name, raw in points.items()],
        "scalars": [{"case": name, "bytes": raw.hex(), "ok": refusal(dec_scalar, raw) is None, "ok_as_key": refusal(dec_scalar, raw, False) is None}
                    for name, raw in scalars.items()],
        "horner": [{"case": "C_2 * 5 + C_1 is infinity", "x": i, "coefficients": [sc(a).hex() for a in middle],
                    "commitments": [enc(mul(a, G)).hex() for a in middle], "value": enc(k.evaluate_points([mul(a, G) for a in middle], i)).hex()},
                   {"case": "the value at 2 is infinity", "x": 2, "coefficients": [sc(a).hex() for a in root_at_2],
                    "commitments": [enc(mul(a, G)).hex() for a in root_at_2], "value": enc(members[1]).hex()}],
        "table_with_infinity": {"key_id": key.hex(), "epoch": 0, "branch": 0, "T": T.hex(), "n": 4, "t": 3, "S": show(S),
                                "members": [enc(p).hex() for p in members], "table_hash": k.table_hash(key, 0, 0, T, 4, 3, S, members).hex()}}


def thresholds():
    """Rows n: for t = 1 (n = 1) or 2..n the triple f, q, q_em."""
    return {"columns": ["n", "t", "f", "q", "q_em"],
            "rows": [[n, t, *k.thresholds(n, t)] for n in range(1, 129) for t in range(1 if n == 1 else 2, n + 1)]}


def identifiers(world):
    d = world.dkg
    return {
        "name": NETWORK_NAME, "creation_nonce": world.creation_nonce.hex(), "network_id": world.network.hex(),
        "labels": [{"kappa": i, "chain_id": int.from_bytes(x[:8], "big"), "contract": x[8:].hex(), "label": x.hex(), "key_id": k.key_id(world.keyset, i, x).hex()}
                   for i, x in enumerate(LABELS, 1)],
        "committee_hash": world.first.hash.hex(), "committee": [{"node_id": m.node_id.hex(), "sig_pk": enc(m.sig_pk).hex()} for m in world.first.members],
        "t": 3, "ks_id": world.keyset.hex(),
        "slots": [{"epoch": e, "branch": b, "slot": k.slot_id(world.keyset, e, b).hex(),
                   "leaders": [k.lead(k.slot_id(world.keyset, e, b), x, world.first) for x in range(6)]} for e, b in ((0, 0), (1, 0), (2, 0), (2, 1))],
        "leaders_note": "leaders: positions 1..4 of lead(slot, x), x = 0..5, in the committee above",
        "file": b"oracle network file, epoch 0\n".hex(), "file_hash": d.file_hash.hex(), "sid": d.sid.hex(),
        "sid_items": show(k.header_items(d.header))}


def ephpok(world):
    key, x, text, ciphertext = world.dkg.tables[0]["key_id"], fixed_scalar("ephpok/k"), b"handle 7", b"a ciphertext"
    K = mul(x, G)
    proof = schnorr_prove("KMS1/ephpok", x, fixed("ephpok/rand"), k.ephpok_statement(key, text, K, ciphertext))
    return {"key_id": key.hex(), "label": text.hex(), "ciphertext": ciphertext.hex(), "ct_hash": sha256(ciphertext).hex(),
            "k": sc(x).hex(), "K": show(K), "rand": fixed("ephpok/rand").hex(), "pok": proof.hex(),
            "refused_for_labels": [b"handle 8".hex(), ""], "refused_for_ct_hash": [sha256(b"another").hex()], "refused_for_K": [show(neg(K))]}


def eip712(world):
    secret = fixed_scalar("eip712/requester")
    requester = k.node_id(mul(secret, G))[12:]
    K = mul(fixed_scalar("eip712/K"), G)
    ephemeral, target = "0x" + enc(K).hex(), "0x3082010a" + fixed("eip712/target").hex()
    network, key, entry = world.network, world.dkg.tables[0]["key_id"], world.first.at(2)
    spki_hash, salt = sha256(bytes.fromhex(target[2:])), fixed("eip712/salt")
    v0 = []
    for chain_id, eph, tgt in ((31337, ephemeral, target), (31337, ephemeral.upper().replace("0X", "0x"), target), (421614, ephemeral, target), (31337, ephemeral[2:], target)):
        d = k.v0_request_digest(chain_id, eph, tgt)
        sig = ecdsa_sign(secret, d)
        high = sig[:32] + (Q - int.from_bytes(sig[32:64], "big")).to_bytes(32, "big") + bytes([55 - sig[64]])
        v0.append({"chain_id": chain_id, "ephemeralPubKey": eph, "targetPubKey": tgt, "digest": d.hex(), "sig": sig.hex(), "sig_high_s": high.hex(),
                   "rh": k.request_hash(network, key, 1, K, 1, spki_hash, requester, d, bytes(32), 0).hex()})
    nonce, deadline = fixed("eip712/nonce"), 1_900_000_000
    v1 = []
    for form, where, kind, to in ((1, entry.address, 1, spki_hash), (2, bytes(20), 1, spki_hash), (3, bytes(20), 2, enc(mul(fixed_scalar("eip712/P"), G)))):
        d = k.v1_request_digest(31337, network, key, form, where, K, kind, to, nonce, deadline)
        v1.append({"chain_id": 31337, "form": form, "entry": where.hex(), "target_kind": kind, "target": to.hex(), "nonce": nonce.hex(), "deadline": deadline,
                   "digest": d.hex(), "sig": ecdsa_sign(secret, d).hex(),
                   "rh": k.request_hash(network, key, form, K, kind, to, requester, d, nonce, deadline).hex()})
    encrypted = "0x" + fixed("eip712/encrypted").hex()
    response = k.v0_response_digest(31337, salt, encrypted)
    return {"network_id": network.hex(), "key_id": key.hex(), "requester_key": sc(secret).hex(), "requester": requester.hex(), "K": show(K), "v0": v0, "v1": v1,
            "v0_target_note": "targetPubKey is a string of hex digits, not a real SPKI: the digest does not look inside; target of rh = SHA-256 of its bytes",
            "v0_response": {"chain_id": 31337, "salt": salt.hex(), "encryptedSharedSecret": encrypted, "digest": response.hex(), "sig": ecdsa_sign(secret, response).hex()}}
