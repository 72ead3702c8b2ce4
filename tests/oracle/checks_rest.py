"""The other vector files, checked from their text."""
import kms_oracle as k
import reading as r
from aes_gcm import unseal
from checks_ceremony import load, refused
from checks_published import same
from curve import G, Q, dec, dec_scalar, enc, mul, neg, sub
from hashing import ecdsa_recover, hkdf, tagged
from proofs import dleq_verify, reencryption_verify, schnorr_verify


def check_anchors(_):
    for one in load("anchors")["ecdsa"]:
        same(enc(ecdsa_recover(r.raw(one["digest"]), r.raw(one["sig"]))), enc(mul(r.scalar(one["secret"]), G)))
        assert int(one["sig"][64:128], 16) <= Q // 2


def check_lagrange(_):
    """The weights reproduce a polynomial of full degree at x."""
    for case in load("lagrange")["cases"]:
        polynomial = [7 + 3 * d for d in range(len(case["indices"]))]
        value = sum(r.scalar(w) * k.evaluate(polynomial, j) for w, j in zip(case["lambda"], case["indices"])) % Q
        same(value, k.evaluate(polynomial, case["x"]))


def check_points_and_scalars(_):
    row = load("curve")
    for one in row["points"]:
        same(one["ok"], one["case"].startswith(("good", "generator", "second")))
        if not one["ok"]:
            refused(dec, r.raw(one["bytes"]))
    for one in row["scalars"]:
        if one["ok_as_key"]:
            dec_scalar(r.raw(one["bytes"]), False)
        else:
            refused(dec_scalar, r.raw(one["bytes"]), False)
    for one in row["horner"]:
        same(enc(mul(k.evaluate([r.scalar(a) for a in one["coefficients"]], one["x"]), G)).hex(), one["value"])
        same(enc(k.evaluate_points([r.point(c) for c in one["commitments"]], one["x"])).hex(), one["value"])
    same(row["horner"][1]["value"], "00" * 33)
    table = row["table_with_infinity"]
    members = [r.point(p) for p in table["members"]]
    same(members[1], None)
    same(k.table_hash(r.raw(table["key_id"]), 0, 0, r.raw(table["T"]), 4, 3, r.point(table["S"]), members).hex(), table["table_hash"])
    same(k.interpolate_points({i: members[i - 1] for i in (1, 2, 4)}), r.point(table["S"]))


def check_thresholds(_):
    published = {(1, 1): (0, 1), (2, 2): (0, 2), (3, 2): (0, 3), (4, 2): (1, 3), (4, 3): (0, 4), (5, 3): (1, 4), (7, 4): (1, 6), (10, 6): (2, 8), (16, 9): (3, 13),
                 (31, 16): (7, 24), (64, 33): (15, 49), (100, 51): (24, 76), (128, 86): (21, 107)}
    rows = load("thresholds")["rows"]
    same(len(rows), 1 + sum(n - 1 for n in range(2, 129)))
    for n, t, f, q, q_em in rows:
        same(published.get((n, t), (f, q)), (f, q))
        same((f, q, q_em), k.thresholds(n, t))
        assert 2 * q - n >= t and q - f >= t and n > 3 * f and q >= t and q_em >= t and 2 * q_em > n


def check_ephpok(_):
    row = load("ephpok")
    key, text, K, ciphertext, pok = r.raw(row["key_id"]), r.raw(row["label"]), r.point(row["K"]), r.raw(row["ciphertext"]), r.raw(row["pok"])
    schnorr_verify("KMS1/ephpok", K, pok, k.ephpok_statement(key, text, K, ciphertext))
    for other in row["refused_for_labels"]:
        refused(schnorr_verify, "KMS1/ephpok", K, pok, k.ephpok_statement(key, r.raw(other), K, ciphertext))
    refused(schnorr_verify, "KMS1/ephpok", neg(K), pok, k.ephpok_statement(key, text, neg(K), ciphertext))
    refused(schnorr_verify, "KMS1/ephpok", K, pok, k.ephpok_statement(key, text, K, b"another"))


def check_forgeries_are_refused(_):
    row = load("forgeries")
    honest = row["honest"]
    dleq_verify(*[r.point(honest[x]) for x in "ABC"], r.raw(honest["proof"]), r.raw(honest["m"]))
    same(len(row["refused"]), 8)
    for one in row["refused"]:
        refused(dleq_verify, *[r.point(one[x]) for x in "ABC"], r.raw(one["proof"]), r.raw(one["m"]), r.point(one["generator"]))


def check_eip712(_):
    row = load("eip712")
    requester = row["requester"]
    for one in row["v0"]:
        digest = k.v0_request_digest(one["chain_id"], one["ephemeralPubKey"], one["targetPubKey"])
        same(digest.hex(), one["digest"])
        same(k.node_id(ecdsa_recover(digest, r.raw(one["sig"])))[12:].hex(), requester)
        refused(ecdsa_recover, digest, r.raw(one["sig_high_s"]))
    same(len({one["rh"] for one in row["v0"]}), len(row["v0"]))
    for one in row["v1"]:
        same(k.node_id(ecdsa_recover(r.raw(one["digest"]), r.raw(one["sig"])))[12:].hex(), requester)


def check_partials_of_form_a(_):
    row = load("partial_a")
    network, key, T, epoch = r.raw(row["network_id"]), r.raw(row["key_id"]), r.raw(row["T"]), row["epoch"]
    entry, reply_secret, reply_key = r.raw(row["entry_id"]), r.scalar(row["reply_secret"]), r.point(row["reply_key"])
    pairs = set()
    for request in row["requests"]:
        K, rh, results = r.point(request["K"]), r.raw(request["rh"]), {}
        for one in request["partials"]:
            i, sealed = one["index"], one["sealed"]
            U, salt = r.point(sealed["U"]), r.raw(sealed["salt"])
            okm = hkdf(mul(reply_secret, U)[0].to_bytes(32, "big"), salt + enc(U) + enc(reply_key), b"KMS1/partialA" + rh, 44)
            pairs.add(okm)
            plaintext = unseal(okm[:32], okm[32:], k.aad_a(network, rh, epoch, T, i, entry, reply_key), r.raw(sealed["ct"]))
            same((plaintext[:33].hex(), plaintext[33:].hex()), (one["D"], one["proof"]))
            same(unseal(okm[:32], okm[32:], k.aad_a(network, rh, epoch, T, i + 1, entry, reply_key), r.raw(sealed["ct"])), None)
            context = k.partial_context(key, epoch, T, i, rh, 1, entry, enc(reply_key))
            S_i, D = r.point(row["S_i"][i - 1]), r.point(one["D"])
            dleq_verify(S_i, K, D, r.raw(one["proof"]), context)
            refused(dleq_verify, S_i, K, neg(D), r.raw(one["proof"]), context)
            refused(dleq_verify, S_i, K, D, r.raw(one["proof"]), k.partial_context(key, epoch, T, i, rh, 2, entry, enc(reply_key)))
            results[i] = D
        for indices in request["combined_from"]:
            same(k.interpolate_points({i: results[i] for i in indices}), r.point(request["sK"]))
        same(hkdf(r.raw(request["x"]), b"", b"ECIES:AES_GCM:v1", 32).hex(), request["hkdf_key"])
        same(unseal(r.raw(request["hkdf_key"]), r.raw(request["iv"]), b"", r.raw(request["ciphertext"])).hex(), request["plaintext"])
    same(len(pairs), 10)  # two requests under one u and reply key never share an AEAD key
    same(row["requests"][0]["x"], row["requests"][1]["x"])  # K and -K
    assert row["requests"][0]["rh"] != row["requests"][1]["rh"]


def check_partials_of_form_c(_):
    row = load("partial_c")
    K, P, p_secret, rh = r.point(row["K"]), r.point(row["P"]), r.scalar(row["p"]), r.raw(row["rh"])
    results = {}
    for one in row["partials"]:
        i, S_i = one["index"], r.point(row["S_i"][one["index"] - 1])
        context = (r.raw(row["key_id"]), row["epoch"].to_bytes(4, "big"), r.raw(row["T"]), i.to_bytes(2, "big"), rh)
        sent = [r.point(one["U"]), r.point(one["W"]), *[r.scalar(one[name]) for name in ("c", "z_s", "z_r")]]
        reencryption_verify(context, K, P, S_i, *sent)
        refused(reencryption_verify, context, K, neg(P), S_i, *sent)
        refused(reencryption_verify, context, neg(K), P, S_i, *sent)
        refused(reencryption_verify, context, K, P, neg(S_i), *sent)
        refused(reencryption_verify, (*context[:4], bytes(32)), K, P, S_i, *sent)
        for x in range(5):
            refused(reencryption_verify, context, K, P, S_i, *[neg(v) if x == y and y < 2 else v + 1 if x == y else v for y, v in enumerate(sent)])
        results[i] = sub(sent[1], mul(p_secret, sent[0]))
        same(results[i], mul(r.scalar(row["shares"][i - 1]), K))
    for one in row["combined"]:
        same(k.interpolate_points({i: results[i] for i in one["from"]}), r.point(one["sK"]))
        same(sub(r.point(one["W"]), mul(p_secret, r.point(one["U"]))), r.point(one["sK"]))
    same(row["combined"][0]["sK"], row["combined"][1]["sK"])


def check_rank(_):
    for case in load("rank")["cases"]:
        same(sorted(range(1, case["n"] + 1), key=lambda i: case["hashes"][i - 1]), case["order"])


def check_dleq_of_each_use(_):
    """Each proof holds, and under no other use's message."""
    uses = load("dleq")["uses"]
    same(len({one["m"] for one in uses}), len(uses) - 1)  # ACTIVE has one context for both bases
    for x, one in enumerate(uses):
        points, generator = [r.point(one[p]) for p in "ABC"], r.point(one["generator"])
        same(tagged(one["tag"], *[r.raw(i) for i in one["items"]]).hex(), one["m"])
        dleq_verify(*points, r.raw(one["proof"]), r.raw(one["m"]), generator)
        other = uses[(x + 2) % len(uses)]["m"]
        refused(dleq_verify, *points, r.raw(one["proof"]), r.raw(other), generator)
