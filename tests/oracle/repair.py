"""Repair of one share by t others (docs/TRANSCRIPTS.md section 8): requests, deltas, sigmas and complaints."""
from curve import G, Q, add, enc, mul, sc
from hashing import derive, h2s, items, tagged, u16, u32, u64
from names import need
from polynomials import lagrange
from proofs import dleq_prove, dleq_verify, schnorr_prove, schnorr_verify


def target_statement(network, r):
    return (network, r["ks_id"], u32(r["epoch"]), r["T"], u16(r["index"]), r["nonce"], enc(r["Y"]))


def rid_of(r):
    givers = items(*[(u16(g["index"]), u32(g["prekey"]), enc(g["B"])) for g in r["givers"]])
    ticket = items(*[(u16(a["index"]), u64(a["not_after"]), a["sig"]) for a in r["ticket"]])
    return tagged("KMS1/rid", r["ks_id"], u32(r["epoch"]), u32(r["branch"]), r["T"], u16(r["index"]), enc(r["Y"]), r["pok"], *givers,
                  r["nonce"], u64(r["expiry"]), *ticket)


def make_request(network, fields, y, rand):
    """fields: everything but Y and pok."""
    r = {**fields, "Y": mul(y, G)}
    return {**r, "pok": schnorr_prove("KMS1/repairpok", y, rand, target_statement(network, r))}


def check_request(network, r):
    schnorr_verify("KMS1/repairpok", r["Y"], r["pok"], target_statement(network, r))


def indices(r):
    return [g["index"] for g in r["givers"]]


def rows(delta):
    out = []
    for key in delta["keys"]:
        out += items(*[enc(p) for p in key["C"]]) + items(*[sc(c) for c in key["c"]])
    return out


def delta_statement(delta):
    return (delta["rid"], u16(delta["giver"]), enc(delta["E"]), *rows(delta))


def delta_pad(rid, kappa, k, l, E, B, Z):
    return h2s("KMS1/deltapad", rid, u32(kappa), u16(k), u16(l), enc(E), enc(B), enc(Z))


def delta_hash(delta):
    return tagged("KMS1/delta-id", *delta_statement(delta), delta["pok"])


def make_delta(r, k, shares, seed, rand):
    """shares: s_{kappa,k} of every key."""
    rid, weight = rid_of(r), lagrange(indices(r), r["index"])[k]
    eps = derive("KMS1/eph", seed, rid, u16(k))
    E, keys, parts = mul(eps, G), [], []
    for kappa, share in enumerate(shares, 1):
        d = [derive("KMS1/delta", seed, rid, u32(kappa), u16(k), u16(l), sc(share)) for l in indices(r)[:-1]]
        d.append((weight * share - sum(d)) % Q)
        c = [(x + delta_pad(rid, kappa, k, g["index"], E, g["B"], mul(eps, g["B"]))) % Q for x, g in zip(d, r["givers"])]
        keys.append({"C": [mul(x, G) for x in d], "c": c})
        parts.append(d)
    delta = {"rid": rid, "giver": k, "keys": keys, "E": E}
    delta["pok"] = schnorr_prove("KMS1/deltapok", eps, rand, delta_statement(delta))
    return {**delta, "dhash": delta_hash(delta), "eps": eps, "parts": parts}


def check_delta(r, delta, tables):
    """tables: per key {k: S_k}."""
    need(delta["rid"] == rid_of(r) and delta["giver"] in indices(r), "another session")
    need(all(len(key["C"]) == len(key["c"]) == len(r["givers"]) for key in delta["keys"]), "wrong counts")
    schnorr_verify("KMS1/deltapok", delta["E"], delta["pok"], delta_statement(delta))
    weight = lagrange(indices(r), r["index"])[delta["giver"]]
    for key, table in zip(delta["keys"], tables):
        need(add(*key["C"]) == mul(weight, table[delta["giver"]]), "the parts do not add up")


def open_delta(r, delta, l, b):
    """Giver l's parts, each with whether it fits."""
    place = indices(r).index(l)
    out = []
    for kappa, key in enumerate(delta["keys"], 1):
        d = (key["c"][place] - delta_pad(delta["rid"], kappa, delta["giver"], l, delta["E"], mul(b, G), mul(b, delta["E"]))) % Q
        out.append((d, mul(d, G) == key["C"][place]))
    return out


def sigma_statement(r, sigma):
    return (sigma["rid"], u16(sigma["giver"]), enc(sigma["E"]), *items(*sigma["deltas"]), *items(*[sc(c) for c in sigma["c"]]), enc(r["Y"]))


def sigma_pad(rid, kappa, l, E, Y, Z):
    return h2s("KMS1/sigmapad", rid, u32(kappa), u16(l), enc(E), enc(Y), enc(Z))


def sigma_hash(sigma):
    return tagged("KMS1/sigma-id", sigma["rid"], u16(sigma["giver"]), enc(sigma["E"]), *items(*sigma["deltas"]),
                  *items(*[sc(c) for c in sigma["c"]]), sigma["pok"])


def make_sigma(r, l, dhashes, sums, seed, rand):
    rid = rid_of(r)
    e = derive("KMS1/sigmaeph", seed, rid, u16(l))
    E = mul(e, G)
    c = [(s + sigma_pad(rid, kappa, l, E, r["Y"], mul(e, r["Y"]))) % Q for kappa, s in enumerate(sums, 1)]
    sigma = {"rid": rid, "giver": l, "E": E, "c": c, "deltas": list(dhashes)}
    sigma["pok"] = schnorr_prove("KMS1/sigmapok", e, rand, sigma_statement(r, sigma))
    return {**sigma, "shash": sigma_hash(sigma), "e": e, "sums": sums}


def check_sigma(r, sigma):
    need(sigma["rid"] == rid_of(r) and sigma["giver"] in indices(r), "another session")
    need(len(sigma["deltas"]) == len(r["givers"]), "a sum of another number of deltas")
    schnorr_verify("KMS1/sigmapok", sigma["E"], sigma["pok"], sigma_statement(r, sigma))


def open_sigma(r, sigma, deltas, y):
    """The sums, each with whether it fits the commitments of its column."""
    need(sigma["deltas"] == [d["dhash"] for d in deltas], "a sum of other deltas")
    place, out = indices(r).index(sigma["giver"]), []
    for kappa, c in enumerate(sigma["c"], 1):
        s = (c - sigma_pad(sigma["rid"], kappa, sigma["giver"], sigma["E"], r["Y"], mul(y, sigma["E"]))) % Q
        out.append((s, mul(s, G) == add(*[d["keys"][kappa - 1]["C"][place] for d in deltas])))
    return out


def delta_context(delta, accuser):
    return tagged("KMS1/deltacomplaint", delta["rid"], u16(delta["giver"]), u16(accuser), delta["dhash"])


def sigma_context(sigma):
    return tagged("KMS1/sigmacomplaint", sigma["rid"], u16(sigma["giver"]), sigma["shash"])


def complain(kind, rid, giver, accuser, object_hash, kappa, secret, E, context, rand):
    proof = dleq_prove(secret, E, rand, context)
    dleq_verify(mul(secret, G), E, mul(secret, E), proof, context)
    return {"kind": kind, "rid": rid, "giver": giver, "accuser": accuser, "object_hash": object_hash, "key_index": kappa,
            "Z": enc(mul(secret, E)), "proof": proof}
