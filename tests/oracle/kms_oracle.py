"""The threshold protocol of docs/TRANSCRIPTS.md in plain Python, independent of the C++.

Everything here is a function of its arguments: "random" bytes are parameters. Points are (x, y) or None for infinity,
scalars are ints, hashes and encodings are bytes, positions count from 1. Checks raise Refused with a reason.
"""
from certificates import *
from curve import G, Q, add, dec, enc, mul, sc, sub
from delegation import *
from hashing import derive, ecdsa_sign, h2s, items, tagged, u8, u16, u32, u64
from identifiers import *
from names import *
from polynomials import *
from proofs import dleq_prove, dleq_verify, schnorr_prove, schnorr_verify

# ---- prekeys

def prekey_statement(network, node, series, keyset, epoch, branch, number, B):
    return (network, node, u8(series), keyset, u32(epoch), u32(branch), u32(number), enc(B))


def prekey_digest(series, keyset, epoch, branch, number, B):
    return tagged("KMS1/sig/prekey", u8(series), keyset, u32(epoch), u32(branch), u32(number), enc(B))


def make_prekey(network, node, series, keyset, epoch, branch, number, b, rand):
    B = mul(b, G)
    pok = schnorr_prove("KMS1/prekeypok", b, rand, prekey_statement(network, node.node_id, series, keyset, epoch, branch, number, B))
    psig = ecdsa_sign(node.secret, prekey_digest(series, keyset, epoch, branch, number, B))
    return {"b": b, "B": B, "pok": pok, "psig": psig}


def check_prekey(network, node_identity, sig_pk, series, keyset, epoch, branch, number, entry):
    statement = prekey_statement(network, node_identity, series, keyset, epoch, branch, number, entry["B"])
    schnorr_verify("KMS1/prekeypok", entry["B"], entry["pok"], statement)
    check_signature(sig_pk, prekey_digest(series, keyset, epoch, branch, number, entry["B"]), entry["psig"])


def announcement_digest(network, node, series, keyset, epoch, branch, first, entries):
    listed = items(*[(enc(e["B"]), e["pok"], e["psig"]) for e in entries])
    return digest("prekeys", network, node.node_id, u8(series), keyset, u32(epoch), u32(branch), u32(first), *listed)


# ---- header

HEADER_FIELDS = ("kind", "origin", "decider", "emergency", "ks_id", "labels", "epoch", "branch", "void_cert", "attempt",
                 "initiator", "old_committee_hash", "n", "t", "T_e", "root_e", "new", "absent", "t_new", "base",
                 "file_hash", "not_after", "approvals", "registry_ref")


def header_items(h):
    members = items(*[(m["node"], m["sig_pk"], m["B"], m["pok"], m["psig"]) for m in h["new"]])
    return [
        u8(h["kind"]), u8(h["origin"]), u8(h["decider"]), u8(h["emergency"]), h["ks_id"], *items(*h["labels"]),
        u32(h["epoch"]), u32(h["branch"]), h["void_cert"], u32(h["attempt"]), u16(h["initiator"]),
        h["old_committee_hash"], u16(h["n"]), u16(h["t"]), h["T_e"], h["root_e"], *members,
        *items(*[u16(i) for i in h["absent"]]), u16(h["t_new"]), u8(h["base"]), h["file_hash"], u64(h["not_after"]),
        *items(*[(u16(a["index"]), a["sig"]) for a in h["approvals"]]), h["registry_ref"]]


def sid_of(header):
    return tagged("KMS1/sid", *header_items(header))


def header_members(committee, prekeys):
    """prekeys: {position: prekey}; a position that is missing is absent."""
    out = []
    for i in range(1, committee.n + 1):
        p = prekeys.get(i)
        out.append({"node": committee.at(i).node_id, "sig_pk": enc(committee.at(i).sig_pk), "B": enc(p["B"]) if p else bytes(33),
                    "pok": p["pok"] if p else b"", "psig": p["psig"] if p else b""})
    return out


def approve_digest(network, keyset, epoch, branch, root_e, committee_hash, t_new, file, not_after):
    return tagged("KMS1/sig/approve", network, keyset, u32(epoch), u32(branch), root_e, committee_hash, u16(t_new), file, u64(not_after))


def check_header(network, h, old, new, signer_position, epoch_record=None):
    """The checks 1-4 and 6 of 4.1 that need no clock; old is None in a DKG. epoch_record = (T_e, root_e) for check 5."""
    deciders = old or new
    slot = slot_id(h["ks_id"], h["epoch"], h["branch"])
    need(h["initiator"] == lead(slot, h["attempt"], deciders) == signer_position, "1: not from the leader of the attempt")
    need(h["kind"] in (DKG, RESHARE, REFRESH) and h["decider"] == SIMPLEX and h["origin"] in (1, 2), "2: kind, origin or decider")
    need((h["kind"] == DKG) == (h["epoch"] == 0), "2: kind does not fit the epoch")
    need(h["base"] == (BASE_H if h["kind"] == DKG else BASE_G), "2: base does not fit the kind")
    if h["kind"] == DKG:
        need(h["branch"] == 0 and h["T_e"] == h["root_e"] == h["old_committee_hash"] == ZERO32 and h["n"] == h["t"] == 0, "2: a DKG has no old epoch")
    need((h["void_cert"] == ZERO32) == (h["branch"] == 0), "2: void_cert does not fit the branch")
    need(new.n == len(h["new"]) and (2 <= h["t_new"] <= new.n <= 128 or (h["kind"] == DKG and new.n == h["t_new"] == 1)), "3: t' out of range")
    if h["kind"] == REFRESH:
        need(old.hash == new.hash and h["t_new"] == old.t, "3: a refresh keeps members and t")
    if old:
        need(h["kind"] == REFRESH and not h["approvals"] or len(h["approvals"]) >= old.q, "4: under q approvals")
        need(all(a["index"] < b["index"] for a, b in zip(h["approvals"], h["approvals"][1:])), "4: approvals not increasing")
        wanted = approve_digest(network, h["ks_id"], h["epoch"], h["branch"], h["root_e"], new.hash, h["t_new"], h["file_hash"], h["not_after"])
        for a in h["approvals"]:
            check_signature(old.at(a["index"]).sig_pk, wanted, a["sig"])
        need(h["old_committee_hash"] == old.hash and (h["n"], h["t"]) == (old.n, old.t), "5: another old committee")
        need(epoch_record is None or (h["T_e"], h["root_e"]) == epoch_record, "5: another old epoch")
    need(len(h["absent"]) <= thresholds(new.n, h["t_new"])[0], "6: more than f' absent")
    need(all(a < b for a, b in zip(h["absent"], h["absent"][1:])), "6: absent not increasing")
    for i, m in enumerate(h["new"], 1):
        need(m["node"] == new.at(i).node_id and m["sig_pk"] == enc(new.at(i).sig_pk), "6: another member")
        if i in h["absent"]:
            need(m["B"] == bytes(33) and m["pok"] == m["psig"] == b"", "6: absent entry not empty")
        else:
            entry = {"B": dec(m["B"]), "pok": m["pok"], "psig": m["psig"]}
            check_prekey(network, m["node"], new.at(i).sig_pk, 0, h["ks_id"], h["epoch"], h["branch"], h["attempt"], entry)


# ---- deals

def deal_seed(rand, node_secret, sid):
    return tagged("KMS1/seed", rand, node_secret, sid)


def pad(sid, kappa, j, i, E, B, Z):
    return h2s("KMS1/pad", sid, u32(kappa), u16(j), u16(i), enc(E), enc(B), enc(Z))


def core_hash(sid, j, E, keys):
    fields = []
    for key in keys:
        fields += items(*[enc(c) for c in key["C"]]) + items(*[sc(c) for c in key["c"]])
    return tagged("KMS1/core", sid, u16(j), enc(E), *fields)


def deal_challenge(core, J, constants, E, commitments, commitment_e):
    return h2s("KMS1/dealpok", core, enc(J), *[enc(p) for p in constants], enc(E), *[enc(p) for p in commitments], enc(commitment_e))


def deal_hash(core, c, z_a, z_e):
    return tagged("KMS1/deal", core, sc(c), *items(*[sc(z) for z in z_a]), sc(z_e))


def make_deal(sid, j, seed, J, t, receivers, m, old_shares=None, rejected=None):
    """receivers: B_i in committee order, None for an absent one. old_shares: s_{j,kappa} in a reshare.
    rejected: {(kappa, k): count} pretends that the first `count` hashes of a coefficient were zero."""
    rejected = rejected or {}
    polynomials = []
    for kappa in range(1, m + 1):
        known = sc(old_shares[kappa - 1]) if old_shares else ZERO32
        a = [derive("KMS1/coef", seed, sid, u16(j), u32(kappa), u16(k), known, rejected=rejected.get((kappa, k), 0)) for k in range(t)]
        if old_shares:
            a[0] = old_shares[kappa - 1]
        polynomials.append(a)
    e = derive("KMS1/eph", seed, sid, u16(j))
    E = mul(e, G)
    keys, pads = [], []
    for kappa, a in enumerate(polynomials, 1):
        row = [pad(sid, kappa, j, i, E, B, mul(e, B)) if B else 0 for i, B in enumerate(receivers, 1)]
        c = [(evaluate(a, i) + row[i - 1]) % Q if B else 0 for i, B in enumerate(receivers, 1)]
        keys.append({"C": [mul(x, J) for x in a], "c": c})
        pads.append(row)
    core = core_hash(sid, j, E, keys)
    secrets = [a[0] for a in polynomials]
    alphas = [derive("KMS1/dealnonce", seed, sid, core, u32(kappa), sc(s)) for kappa, s in enumerate(secrets, 1)]
    beta = derive("KMS1/dealnonce", seed, sid, core, u32(0), sc(e))
    c = deal_challenge(core, J, [mul(s, J) for s in secrets], E, [mul(x, J) for x in alphas], mul(beta, G))
    z_a = [(x + c * s) % Q for x, s in zip(alphas, secrets)]
    z_e = (beta + c * e) % Q
    public = {"sid": sid, "dealer": j, "E": E, "keys": keys, "c": c, "z_a": z_a, "z_e": z_e}
    return {**public, "core": core, "dh": deal_hash(core, c, z_a, z_e),
            "secret": {"polynomials": polynomials, "e": e, "pads": pads, "alphas": alphas, "beta": beta}}


def check_deal(deal, sid, J, n, t, m, dealers, absent=(), old_tables=None):
    """The objective checks of 4.3; returns dh. old_tables: per key {j: S_j} in a reshare."""
    need(deal["sid"] == sid, "another sid")
    j = deal["dealer"]
    need(j in dealers, "not a dealer")
    need(len(deal["keys"]) == len(deal["z_a"]) == m, "wrong number of keys")
    for key in deal["keys"]:
        need(len(key["C"]) == t, "not exactly t' commitments")
        need(len(key["c"]) == n, "not exactly n' ciphertexts")
        need(None not in key["C"], "commitment is infinity")
        need(all(0 <= c < Q for c in key["c"]), "ciphertext not a scalar")
    need(all(0 <= x < Q for x in [deal["c"], deal["z_e"], *deal["z_a"]]), "proof not canonical")
    core = core_hash(sid, j, deal["E"], deal["keys"])
    constants = [key["C"][0] for key in deal["keys"]]
    commitments = [sub(mul(z, J), mul(deal["c"], p)) for z, p in zip(deal["z_a"], constants)]
    commitment_e = sub(mul(deal["z_e"], G), mul(deal["c"], deal["E"]))
    need(None not in commitments and commitment_e is not None, "AND-proof commitment is infinity")
    need(deal_challenge(core, J, constants, deal["E"], commitments, commitment_e) == deal["c"], "AND-proof does not hold")
    for kappa, old in enumerate(old_tables or []):
        need(constants[kappa] == old[j], "C_0 is not S_j")
    return deal_hash(core, deal["c"], deal["z_a"], deal["z_e"])


def open_share(deal, kappa, i, Z, B):
    """Receiver i's sub-share of key kappa; not yet checked."""
    return (deal["keys"][kappa - 1]["c"][i - 1] - pad(deal["sid"], kappa, deal["dealer"], i, deal["E"], B, Z)) % Q


def share_fits(commitments, J, i, x):
    return mul(x, J) == evaluate_points(commitments, i)


def complaint_context(sid, j, i, dh):
    return tagged("KMS1/complaint", sid, u16(j), u16(i), dh)


def make_complaint(deal, i, kappa, b, rand):
    context = complaint_context(deal["sid"], deal["dealer"], i, deal["dh"])
    return {"sid": deal["sid"], "dealer": deal["dealer"], "receiver": i, "deal_hash": deal["dh"], "key_index": kappa,
            "Z": mul(b, deal["E"]), "proof": dleq_prove(b, deal["E"], rand, context)}


def complaint_fields(c):
    return [c["sid"], u16(c["dealer"]), u16(c["receiver"]), c["deal_hash"], u32(c["key_index"]), enc(c["Z"]), c["proof"]]


def check_complaint(complaint, deal, receivers, J):
    """Returns if the dealer is convicted, else Refused (which, for a signed complaint, convicts the receiver)."""
    i, kappa = complaint["receiver"], complaint["key_index"]
    need((complaint["sid"], complaint["dealer"], complaint["deal_hash"]) == (deal["sid"], deal["dealer"], deal["dh"]), "another deal")
    need(1 <= i <= len(receivers) and receivers[i - 1] is not None, "no such receiver, or absent")
    need(1 <= kappa <= len(deal["keys"]), "no such key")
    context = complaint_context(deal["sid"], deal["dealer"], i, deal["dh"])
    dleq_verify(receivers[i - 1], deal["E"], complaint["Z"], complaint["proof"], context)
    x = open_share(deal, kappa, i, complaint["Z"], receivers[i - 1])
    need(not share_fits(deal["keys"][kappa - 1]["C"], J, i, x), "the share is good")


# ---- combining, ACTIVE

def combine_commitments(deals, kappa, weights):
    rows = [(weights[d["dealer"]], d["keys"][kappa - 1]["C"]) for d in deals]
    return [add(*[mul(w, row[k]) for w, row in rows]) for k in range(len(rows[0][1]))]


def active_context(key, epoch, branch, T, i):
    return tagged("KMS1/active", key, u32(epoch), u32(branch), T, u16(i))


