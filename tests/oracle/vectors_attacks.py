"""What must be refused: DLEQ forgeries against weaker challenges, copied ephemerals, and each transcript field altered."""
import copy

import kms_oracle as k
from curve import G, H, Q, add, enc, mul, sc, sub
from hashing import derive, ecdsa_sign, h2s, items, sha256, tagged, u8, u16, u32, u64
from proofs import _bip340, dleq_prove, dleq_verify
from scenario import LABELS, fixed, fixed_scalar
from show import show, show_deal
from vectors_basic import refusal


def forgeries():
    """Each proof convinces a verifier whose challenge leaves out what `omits` names, for a false statement."""
    out, m = [], fixed("forgery/m")
    a, k1, k2 = (fixed_scalar(f"forgery/{x}") for x in ("a", "k1", "k2"))
    honest_b = mul(fixed_scalar("forgery/b"), G)
    for omits in ("A", "B", "C", "generator"):
        A, B, C, generator = mul(a, G), honest_b, mul(fixed_scalar("forgery/c"), G), G
        if omits == "A":
            C = mul(a, B)
        r1, r2 = mul(k1, G), mul(k2, B)
        parts = {"A": A, "B": B, "C": C, "generator": generator}

        def challenge():
            kept = [enc(parts[x]) for x in ("A", "B", "C", "generator") if x != omits]
            return _bip340("BIP0374/challenge", b"".join(kept) + enc(r1) + enc(r2) + m)
        if omits == "A":    # r2 = k2 B, s = k2 + e a fits (B, C); A is chosen last
            e = int.from_bytes(challenge(), "big") % Q
            s = (k2 + e * a) % Q
            A = mul(pow(e, -1, Q), sub(mul(s, G), r1))
        elif omits == "C":  # s fits (G, A); C is chosen last
            e = int.from_bytes(challenge(), "big") % Q
            s = (k1 + e * a) % Q
            C = mul(pow(e, -1, Q), sub(mul(s, B), r2))
        elif omits == "B":  # B = (r2 + e C) / s
            r2 = mul(k2, G)
            e = int.from_bytes(challenge(), "big") % Q
            s = (k1 + e * a) % Q
            B = mul(pow(s, -1, Q), add(r2, mul(e, C)))
        else:               # s fits (B, C); the generator is chosen last
            C = mul(a, B)
            e = int.from_bytes(challenge(), "big") % Q
            s = (k2 + e * a) % Q
            A = mul(fixed_scalar("forgery/other"), G)
            parts["A"] = A
            e = int.from_bytes(challenge(), "big") % Q
            s = (k2 + e * a) % Q
            generator = mul(pow(s, -1, Q), add(r1, mul(e, A)))
        parts.update(A=A, B=B, C=C, generator=generator)
        proof = challenge() + sc(s)
        assert sub(mul(s, generator), mul(e, A)) == r1 and sub(mul(s, B), mul(e, C)) == r2  # the weak verifier is convinced
        reason = refusal(dleq_verify, A, B, C, proof, m, generator)
        assert reason
        out.append(show({"omits": omits, **{n: p for n, p in parts.items()}, "m": m, "proof": proof, "reason": reason}))
    B, r, proof = honest_b, fixed("forgery/r"), None
    proof = dleq_prove(a, B, r, m)
    variants = [("challenge cut to 128 bits", bytes(16) + proof[16:32] + proof[32:]), ("48 bytes", proof[16:]),
                ("s + q_c where it fits, else all ones", proof[:32] + b"\xff" * 32), ("another bit of e", bytes([proof[0] ^ 1]) + proof[1:])]
    for name, altered in variants:
        assert refusal(dleq_verify, mul(a, G), B, mul(a, B), altered, m)
        out.append(show({"omits": name, "A": mul(a, G), "B": B, "C": mul(a, B), "generator": G, "m": m, "proof": altered, "reason": refusal(dleq_verify, mul(a, G), B, mul(a, B), altered, m)}))
    return {"honest": show({"a": sc(a), "A": mul(a, G), "B": B, "C": mul(a, B), "generator": G, "m": m, "r": r, "proof": proof}), "refused": out}


def dleq_uses(world):
    """One proof for each context of docs/TRANSCRIPTS.md section 5, over free-standing fixed values."""
    key, sid, T, rid, rh, entry, r = example("key", "sid", "T", "rid", "rh", "entry", "r")
    dh, a, B, reply = fixed("example/hash"), fixed_scalar("dleq/a"), mul(fixed_scalar("dleq/b"), G), mul(fixed_scalar("dleq/reply"), G)
    share = (key, u32(3), u32(1), T, u16(2))
    uses = (("ACTIVE after a DKG", H, G, "KMS1/active", share), ("ACTIVE after a reshare", G, G, "KMS1/active", share), ("import", G, G, "KMS1/import", (key, sid)),
            ("complaint", G, B, "KMS1/complaint", (sid, u16(1), u16(2), dh)), ("delta complaint", G, B, "KMS1/deltacomplaint", (rid, u16(1), u16(3), dh)),
            ("sigma complaint", G, B, "KMS1/sigmacomplaint", (rid, u16(3), dh)),
            ("partial A", G, B, "KMS1/partial", (key, u32(3), T, u16(2), rh, u8(1), entry, enc(reply))),
            ("partial B", G, B, "KMS1/partial", (key, u32(3), T, u16(2), rh, u8(2), bytes(32), bytes(33))),
            ("live head", G, G, "KMS1/head", (key, u32(3), T, u16(2), fixed("example/challenge"))))
    out = []
    for use, generator, base, tag, fields in uses:
        m = tagged(tag, *fields)
        proof = dleq_prove(a, base, r, m, generator)
        dleq_verify(mul(a, generator), base, mul(a, base), proof, m, generator)
        out.append(show({"use": use, "tag": tag, "items": list(fields), "m": m, "a": sc(a), "generator": generator, "B": base,
                         "A": mul(a, generator), "C": mul(a, base), "r": r, "proof": proof}))
    return {"uses": out}


def copied(world):
    """Deals of dealer 3 that reuse the E of dealer 2 in the DKG, with garbage or copied contents."""
    d = world.dkg
    victim, own = d.deals[1], d.deals[2]
    check = lambda deal: refusal(k.check_deal, deal, d.sid, H, 4, 3, d.m, [1, 2, 3, 4])
    out = []

    def refused(case, deal):
        deal = {**deal, "core": k.core_hash(d.sid, deal["dealer"], deal["E"], deal["keys"])}
        deal["dh"] = k.deal_hash(deal["core"], deal["c"], deal["z_a"], deal["z_e"])
        reason = check(deal)
        assert reason, case
        shown = show_deal(deal)
        del shown["secret"]
        out.append({"case": case, "reason": reason, "deal": shown})
    refused("own Deal with the copied E", {**own, "E": victim["E"]})
    s = own["secret"]
    core = k.core_hash(d.sid, 3, victim["E"], own["keys"])
    constants = [key["C"][0] for key in own["keys"]]
    c = k.deal_challenge(core, H, constants, victim["E"], [mul(x, H) for x in s["alphas"]], mul(s["beta"], G))
    z_a = [(x + c * a[0]) % Q for x, a in zip(s["alphas"], s["polynomials"])]
    refused("proof made anew for a_0, response for e guessed", {**own, "E": victim["E"], "c": c, "z_a": z_a, "z_e": (s["beta"] + c * s["e"]) % Q})
    refused("response for e taken from the victim", {**own, "E": victim["E"], "c": c, "z_a": z_a, "z_e": victim["z_e"]})
    refused("the victim's whole Deal under another dealer", {**victim, "dealer": 3})
    keys = copy.deepcopy(own["keys"])
    keys[0]["C"] = victim["keys"][0]["C"]
    refused("the victim's commitments in the own Deal", {**own, "keys": keys})
    for case, change in (("one ciphertext altered", lambda x: x["keys"][0]["c"].__setitem__(1, 7)), ("one commitment too many", lambda x: x["keys"][0]["C"].append(G)),
                         ("one ciphertext too few", lambda x: x["keys"][1]["c"].pop()), ("z_e altered", lambda x: x.__setitem__("z_e", (x["z_e"] + 1) % Q)),
                         ("dealer altered", lambda x: x.__setitem__("dealer", 1))):
        altered = copy.deepcopy(own)
        change(altered)
        refused(case, altered)
    return {"sid": d.sid.hex(), "n": 4, "t": 3, "m": d.m, "base": enc(H).hex(), "refused": out}


def example(*names):
    return [fixed("example/" + name) for name in names]


def remaining_tags(world):
    """One call for each tag that the ceremonies and form A above do not reach; values are fixed bytes."""
    network, keyset, rh, T, rid, key, auth = example("network", "keyset", "rh", "T", "rid", "key", "auth")
    seed, rand, slot, sid, nonce, h32 = example("seed", "rand", "slot", "sid", "nonce", "hash")
    points = [enc(mul(fixed_scalar(f"example/point/{i}"), G)) for i in range(12)]
    scalars = [sc(fixed_scalar(f"example/scalar/{i}")) for i in range(8)]
    sender, proof, sig = world.first.at(1).node_id, b"".join(example("p1", "p2")), ecdsa_sign(world.first.at(1).secret, h32)
    K, P, S_i, U, W, A1, A2, A3, Y, E, A, B = points
    two_keys = lambda: items(*points[:3]) + items(*scalars[:3]) + items(*points[3:6]) + items(*scalars[3:6])
    sigmas = items(*scalars[:2])
    where = (u32(1), T, u16(2))
    tagged("KMS1/import", key, sid)
    tagged("KMS1/head", key, *where, nonce)
    tagged("KMS1/deltacomplaint", rid, u16(1), u16(3), h32)
    tagged("KMS1/sigmacomplaint", rid, u16(3), h32)
    tagged("KMS1/oaep", rh, *where)
    derive("KMS1/reencr", scalars[0], rand, key, *where, rh, K, P)
    for tag in ("KMS1/reenca", "KMS1/reencb"):
        derive(tag, scalars[0], scalars[1], rand, key, *where, rh, K, P, U, W)
    h2s("KMS1/reenc", key, *where, rh, K, P, S_i, U, W, A1, A2, A3)
    tagged("KMS1/bundle", rh, u32(1), T, *items((u16(2), U, W, *scalars[:3]), (u16(3), W, U, *scalars[3:6])))
    request = [keyset, u32(1), T, u16(2), nonce, Y]
    h2s("KMS1/repairpok", network, *request, A)
    derive("KMS1/repairpok/nonce", scalars[0], rand, network, *request)
    helpers = items((u16(1), u32(4), points[0]), (u16(3), u32(5), points[1]))
    tagged("KMS1/rid", keyset, u32(1), u32(0), T, u16(2), Y, proof, *helpers, nonce, u64(1_800_000_000), *items((u16(1), u64(1_900_000_000), sig)))
    derive("KMS1/delta", seed, rid, u32(1), u16(1), u16(3), scalars[0])
    h2s("KMS1/deltapad", rid, u32(1), u16(1), u16(3), E, B, A)
    h2s("KMS1/deltapok", rid, u16(1), E, *two_keys(), A)
    derive("KMS1/deltapok/nonce", scalars[0], rand, rid, u16(1), E, *two_keys())
    tagged("KMS1/delta-id", rid, u16(1), E, *two_keys(), proof)
    derive("KMS1/sigmaeph", seed, rid, u16(3))
    h2s("KMS1/sigmapad", rid, u32(1), u16(3), E, Y, A)
    summed = items(h32, nonce)
    h2s("KMS1/sigmapok", rid, u16(3), E, *summed, *sigmas, Y, A)
    derive("KMS1/sigmapok/nonce", scalars[0], rand, rid, u16(3), E, *summed, *sigmas, Y)
    tagged("KMS1/sigma-id", rid, u16(3), E, *summed, *sigmas, proof)
    tagged("KMS1/sig/approve-repair", network, keyset, u32(1), T, u16(2), u64(1_900_000_000))
    tagged("KMS1/sig/partialB", rh, *where, h32)
    complaint = (sid, u16(2), u16(3), h32, u32(1), B, proof)
    listed = items((u16(1), h32), (u16(2), nonce))
    for kind, fields in (
            ("header", (sid,)), ("deal", (sid, u16(2), h32)), ("complaint", complaint), ("candidate", (slot, sid, u32(1), u32(0), *listed)),
            ("proposal", (u8(1), slot, u32(3), sid, T, *listed, u8(0), h32, u32(1), rand, *items(seed, nonce))),
            ("active", (slot, T, u16(2), *items((S_i, proof), (U, proof)))), ("emergency", (slot, sid, T, u16(2))), ("erased", (slot, T)), ("repair-request", (rid,)),
            ("repair-delta", (rid, u16(1), h32)), ("repair-sigma", (rid, u16(3), h32)),
            ("repair-complaint", (u8(1), rid, u16(1), u16(3), h32, u32(1), B, proof)), ("blame", (u8(1), *items(h32, nonce)))):
        k.digest(kind, network, sender, *fields)


def altered_item(item):
    """The last bit flipped; an empty item becomes 00."""
    return item[:-1] + bytes([item[-1] ^ 1]) if item else b"\x00"


def transcripts(recorded):
    """recorded: {tag: items}. The hash, and the hash after each single item is altered."""
    out = []
    for tag in sorted(recorded):
        row, seen = recorded[tag], {tagged(tag, *recorded[tag])}
        altered = [tagged(tag, *row[:i], altered_item(x), *row[i + 1:]) for i, x in enumerate(row)]
        seen.update(altered)
        assert len(seen) == len(row) + 1
        out.append({"tag": tag, "items": [x.hex() for x in row], "hash": tagged(tag, *row).hex(), "altered": [x.hex() for x in altered]})
    return {"note_fields": "altered[i]: the hash after the last bit of items[i] is flipped (an empty item becomes 00)", "transcripts": out}
