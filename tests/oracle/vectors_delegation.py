"""Form A: partials with proofs, their combination, the deployed HKDF key, two sealed partials; rank order."""
import kms_oracle as k
from aes_gcm import seal
from curve import G, Q, add, enc, mul, neg, sc, sub
from hashing import ecdsa_sign, hkdf, items, sha256, u16, u32, tagged
from proofs import dleq_prove, dleq_verify, reencrypt, reencryption_verify
from scenario import fixed, fixed_scalar
from show import show


def partial_a(world):
    epoch, committee, key = world.reshare, world.second, world.reshare.tables[0]
    entry, reply_secret = committee.at(2), fixed_scalar("partial/reply-key")
    reply_key = mul(reply_secret, G)
    cases = []
    ephemeral = fixed_scalar("partial/ephemeral")
    for name, K in (("K", mul(ephemeral, G)), ("-K", neg(mul(ephemeral, G)))):
        auth = k.v0_request_digest(31337, "0x" + enc(K).hex(), "0x" + fixed("partial/spki").hex())
        rh = k.request_hash(world.network, key["key_id"], 1, K, 1, sha256(fixed("partial/spki")), fixed("partial/requester")[:20], auth, bytes(32), 0)
        cases.append(one_request(world, epoch, key, entry, reply_key, name, K, rh, auth))
    return {"network_id": world.network.hex(), "key_id": key["key_id"].hex(), "epoch": epoch.epoch, "T": epoch.T.hex(), "n": committee.n, "t": committee.t,
            "S": show(key["S"]), "S_i": [show(p) for p in key["members"].values()], "shares": [sc(s).hex() for s in epoch.shares[0].values()],
            "entry_id": entry.node_id.hex(), "reply_secret": sc(reply_secret).hex(), "reply_key": show(reply_key), "ephemeral": sc(ephemeral).hex(),
            "spki": fixed("partial/spki").hex(), "spki_note": "32 fixed bytes in place of an SPKI", "requester": fixed("partial/requester")[:20].hex(), "requests": cases}


def one_request(world, epoch, key, entry, reply_key, name, K, rh, auth):
    partials, issued_at = [], 1_800_000_000
    for i in range(1, world.second.n + 1):
        s, D = epoch.shares[0][i], mul(epoch.shares[0][i], K)
        context = k.partial_context(key["key_id"], epoch.epoch, epoch.T, i, rh, 1, entry.node_id, enc(reply_key))
        rand = fixed(f"partial/{name}/{i}")
        proof = dleq_prove(s, K, rand, context)
        dleq_verify(key["members"][i], K, D, proof, context)
        partials.append({"index": i, "D": D, "context": context, "rand": rand, "proof": proof, "sealed": sealed(world, epoch, entry, reply_key, rh, i, D, proof, name)})
    combined = {}
    for indices in ([1, 2, 3], [2, 4, 5]):
        weights = k.lagrange(indices)
        combined[str(indices)] = add(*[mul(weights[i], partials[i - 1]["D"]) for i in indices])
    sK = combined["[1, 2, 3]"]
    assert sK == combined["[2, 4, 5]"] == mul(fixed_scalar("partial/ephemeral"), key["S"] if name == "K" else neg(key["S"]))
    x = sK[0].to_bytes(32, "big")
    aes_key, iv, text = hkdf(x, b"", b"ECIES:AES_GCM:v1", 32), fixed("partial/iv")[:12], b"a threshold secret"
    digest = k.entry_digest(world.network, rh, 1, entry.node_id, reply_key, epoch.epoch, epoch.T, issued_at)
    return show({"case": name, "K": K, "auth_digest": auth, "rh": rh, "issued_at": issued_at, "entry_digest": digest, "entry_sig": ecdsa_sign(entry.secret, digest),
                 "rank": k.rank_order(rh, list(epoch.shares[0])), "partials": partials, "combined_from": [[1, 2, 3], [2, 4, 5]], "sK": sK, "x": x,
                 "hkdf_key": aes_key, "iv": iv, "plaintext": text, "ciphertext": seal(aes_key, iv, b"", text)})


def sealed(world, epoch, entry, reply_key, rh, i, D, proof, name):
    """SealedA: u is one per responder and reply key, so K and -K share U here, as two requests within 60 s do."""
    u, rand = fixed_scalar(f"partial/u/{i}"), fixed(f"partial/salt/{name}/{i}")
    plaintext = enc(D) + proof
    salt = k.seal_salt(world.second.at(i).node_secret, rand, rh, epoch.epoch, epoch.T, i, entry.node_id, reply_key, plaintext)
    U = mul(u, G)
    okm = hkdf(mul(u, reply_key)[0].to_bytes(32, "big"), salt + enc(U) + enc(reply_key), b"KMS1/partialA" + rh, 44)
    aad = k.aad_a(world.network, rh, epoch.epoch, epoch.T, i, entry.node_id, reply_key)
    return {"u": sc(u), "node_secret": world.second.at(i).node_secret, "rand": rand, "U": U, "salt": salt, "okm": okm, "aad": aad,
            "ct": seal(okm[:32], okm[32:], aad, plaintext)}


def partial_c(world):
    epoch, committee, key = world.reshare, world.second, world.reshare.tables[0]
    k_secret, p_secret = fixed_scalar("partial/ephemeral"), fixed_scalar("partial_c/recipient")
    K, P = mul(k_secret, G), mul(p_secret, G)
    auth, nonce = fixed("partial_c/auth"), fixed("partial_c/nonce")
    rh = k.request_hash(world.network, key["key_id"], 3, K, 2, enc(P), fixed("partial/requester")[:20], auth, nonce, 1_800_000_060)
    parts = {}
    for i in epoch.shares[0]:
        rands = [fixed(f"partial_c/{i}/{name}") for name in ("r", "a", "b")]
        sent, (r, a, b) = reencrypt(epoch.shares[0][i], reencryption_context(key, epoch, i, rh), K, P, rands)
        reencryption_verify(reencryption_context(key, epoch, i, rh), K, P, key["members"][i], *sent)
        U, W, c, z_s, z_r = sent
        parts[i] = {"index": i, "rands": rands, "r": sc(r), "a": sc(a), "b": sc(b), "U": U, "W": W, "c": sc(c), "z_s": sc(z_s), "z_r": sc(z_r)}
    combined = [combined_c(parts, p_secret, indices, rh, epoch) for indices in ([1, 2, 3], [2, 4, 5])]
    assert combined[0]["sK"] == combined[1]["sK"] == show(mul(k_secret, key["S"]))
    return {"key_id": key["key_id"].hex(), "epoch": epoch.epoch, "T": epoch.T.hex(), "n": committee.n, "t": committee.t, "S": show(key["S"]),
            "S_i": [show(point) for point in key["members"].values()], "shares": [sc(s).hex() for s in epoch.shares[0].values()],
            "K": show(K), "p": sc(p_secret).hex(), "P": show(P), "rh": rh.hex(), "partials": [show(part) for part in parts.values()], "combined": combined}


def reencryption_context(key, epoch, i, rh):
    return key["key_id"], u32(epoch.epoch), epoch.T, u16(i), rh


def combined_c(parts, p_secret, indices, rh, epoch):
    weights = k.lagrange(indices)
    U, W = (add(*[mul(weights[i], parts[i][name]) for i in indices]) for name in "UW")
    listed = items(*[(u16(i), enc(parts[i]["U"]), enc(parts[i]["W"]), parts[i]["c"], parts[i]["z_s"], parts[i]["z_r"]) for i in indices])
    bundle = tagged("KMS1/bundle", rh, u32(epoch.epoch), epoch.T, *listed)
    return show({"from": indices, "U": U, "W": W, "sK": sub(W, mul(p_secret, U)), "bundle_hash": bundle})


def rank():
    cases = []
    for n in (1, 5, 20):
        rh = fixed(f"rank/{n}")
        cases.append({"rh": rh.hex(), "n": n, "order": k.rank_order(rh, list(range(1, n + 1))),
                      "hashes": [tagged("KMS1/rank", rh, u16(i)).hex() for i in range(1, n + 1)]})
    return {"cases": cases}
