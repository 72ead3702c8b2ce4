"""The threshold protocol of docs/TRANSCRIPTS.md in plain Python, independent of the C++.

Everything here is a function of its arguments: "random" bytes are parameters. Points are (x, y) or None for infinity,
scalars are ints, hashes and encodings are bytes, positions count from 1. Checks raise Refused with a reason.
"""
from curve import G, H, Q, Refused, add, dec, dec_scalar, enc, mul, neg, sc, sub
from hashing import (derive, ecdsa_recover, ecdsa_sign, h2s, items, keccak256, sha256, tagged, u8, u16, u32, u64)
from proofs import dleq_prove, dleq_verify, schnorr_prove, schnorr_verify

DKG, RESHARE, REFRESH, IMPORT = 1, 2, 3, 4
GENERATED, IMPORTED = 1, 2
SIMPLEX = 1
BASE_G, BASE_H = 1, 2
SLOT, FATE = 1, 2
NOTARIZE, NULLIFY, FINALIZE = 1, 2, 3
RELEASE, VOID = 1, 2
CANDIDATE, NOTAR, NULL, FINAL, ACTIVATION, EMERGENCY, VOID_APPROVALS = range(1, 8)
ZERO32 = bytes(32)


def need(condition, reason):
    if not condition:
        raise Refused(reason)


# ---- thresholds and polynomials

def thresholds(n, t):
    """(f, q, q_em)."""
    f = min((n - 1) // 3, (n - t) // 2)
    return f, n - f, max(t, n // 2 + 1)


def evaluate(coefficients, x):
    out = 0
    for a in reversed(coefficients):
        out = (out * x + a) % Q
    return out


def evaluate_points(commitments, x):
    """Horner from the top; an intermediate infinity is a value."""
    out = None
    for c in reversed(commitments):
        out = add(mul(x, out), c)
    return out


def lagrange(indices, x=0):
    """{j: lambda_j(x)} over the set."""
    out = {}
    for j in indices:
        top = bottom = 1
        for k in indices:
            if k != j:
                top, bottom = top * (x - k) % Q, bottom * (j - k) % Q
        out[j] = top * pow(bottom, -1, Q) % Q
    return out


def interpolate(shares, x=0):
    weights = lagrange(list(shares), x)
    return sum(weights[j] * s for j, s in shares.items()) % Q


def interpolate_points(points, x=0):
    weights = lagrange(list(points), x)
    return add(*[mul(weights[j], p) for j, p in points.items()])


# ---- identifiers

class Node:
    def __init__(self, secret, node_secret=ZERO32):
        self.secret, self.node_secret = secret, node_secret
        self.sig_pk = mul(secret, G)
        self.node_id = node_id(self.sig_pk)

    @property
    def address(self):
        return self.node_id[12:]


def node_id(sig_pk):
    return keccak256(sig_pk[0].to_bytes(32, "big") + sig_pk[1].to_bytes(32, "big"))


class Committee:
    """Members strictly increasing by node_id; position i is members[i - 1]."""

    def __init__(self, nodes, t):
        self.members = sorted(nodes, key=lambda node: node.node_id)
        self.n, self.t = len(nodes), t
        self.f, self.q, self.q_em = thresholds(self.n, t)
        self.hash = tagged("KMS1/committee", *items(*[(m.node_id, enc(m.sig_pk)) for m in self.members]))

    def at(self, position):
        need(1 <= position <= self.n, "no such position")
        return self.members[position - 1]

    def position(self, node):
        return self.members.index(node) + 1


def network_id(name, creation_nonce):
    return tagged("KMS1/network", name.encode(), creation_nonce)


def file_hash(raw):
    return tagged("KMS1/file", raw)


def label(chain_id, contract=bytes(20)):
    return u64(chain_id) + contract


def ks_id(network, creation_nonce, committee_hash, t, labels):
    return tagged("KMS1/ksid", network, creation_nonce, committee_hash, u16(t), *items(*labels))


def key_id(keyset, kappa, key_label):
    return tagged("KMS1/keyid", keyset, u32(kappa), key_label)


def slot_id(keyset, epoch, branch):
    return tagged("KMS1/slot", keyset, u32(epoch), u32(branch))


def lead(slot, x, committee):
    """Position of the leader."""
    return (int.from_bytes(slot, "big") + x) % committee.n + 1


def list_items(dealers):
    """dealers: [(j, dh)] increasing by j."""
    need(all(a[0] < b[0] for a, b in zip(dealers, dealers[1:])), "list not increasing")
    return items(*[(u16(j), dh) for j, dh in dealers])


def transcript_hash(sid, dealers):
    return tagged("KMS1/T", sid, *list_items(dealers))


def value_hash(slot, sid, T, dealers):
    return tagged("KMS1/value", slot, sid, T, *list_items(dealers))


def fate_hash(slot, sid, T, fate):
    return tagged("KMS1/fate", slot, sid, T, u8(fate))


def table_hash(key, epoch, branch, T, n, t, S, members):
    return tagged("KMS1/table", key, u32(epoch), u32(branch), T, u16(n), u16(t), enc(S), *[enc(p) for p in members])


def root_hash(slot, tables):
    return tagged("KMS1/root", slot, *items(*tables))


# ---- node signatures

def digest(kind, network, sender, *fields):
    return tagged("KMS1/sig/" + kind, network, sender, *fields)


def check_signature(sig_pk, message_digest, signature):
    need(ecdsa_recover(message_digest, signature) == sig_pk, "signature of another key")


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


def void_digest(network, slot, sid, T):
    return tagged("KMS1/sig/void", network, slot, sid, T)


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


# ---- certificates

def certificate(kind, instance, slot, sid, T, view, value, votes, emergency_cert=ZERO32):
    return {"kind": kind, "instance": instance, "slot": slot, "sid": sid, "T": T, "view": view, "value_hash": value,
            "votes": votes, "emergency_cert": emergency_cert}


def certificate_id(c):
    return tagged("KMS1/cert", u8(c["kind"]), u8(c["instance"]), c["slot"], c["sid"], c["T"], u32(c["view"]), c["value_hash"], c["emergency_cert"])


def vote_digest(network, sender, instance, slot, view, kind, value):
    return digest("vote", network, sender, u8(instance), slot, u32(view), u8(kind), value)


def ready_digest(network, sender, slot, sid, T, i):
    return digest("ready", network, sender, slot, sid, T, u16(i))


def confirm_digest(network, sender, slot, T, root, i):
    return digest("confirm", network, sender, slot, T, root, u16(i))


def emergency_digest(network, sender, slot, sid, T, i):
    return digest("emergency", network, sender, slot, sid, T, u16(i))


def certified_digest(network, c, sender, i):
    """What member i (node_id sender) signed for certificate c."""
    kind = {NOTAR: NOTARIZE, NULL: NULLIFY, FINAL: FINALIZE}.get(c["kind"])
    if kind:
        return vote_digest(network, sender, c["instance"], c["slot"], c["view"], kind, c["value_hash"])
    if c["kind"] == CANDIDATE:
        return ready_digest(network, sender, c["slot"], c["sid"], c["T"], i)
    if c["kind"] == ACTIVATION:
        return confirm_digest(network, sender, c["slot"], c["T"], c["value_hash"], i)
    if c["kind"] == EMERGENCY:
        return emergency_digest(network, sender, c["slot"], c["sid"], c["T"], i)
    need(c["kind"] == VOID_APPROVALS, "no such certificate kind")
    return void_digest(network, c["slot"], c["sid"], c["T"])


def make_certificate(network, committee, positions, *fields):
    c = certificate(*fields, votes=[])
    for i in positions:
        node = committee.at(i)
        c["votes"].append((i, ecdsa_sign(node.secret, certified_digest(network, c, node.node_id, i))))
    return c


def check_certificate(network, c, committee, quorum, slot, dealers=None):
    """dealers: the list of T, for a FINAL of instance 1."""
    need(c["slot"] == slot, "another slot")
    used = [c["instance"] != 0, c["sid"] != ZERO32, c["T"] != ZERO32, c["view"] != 0, c["value_hash"] != ZERO32]
    wanted = {CANDIDATE: "01100", NOTAR: "10011", NULL: "10010", FINAL: "11111", ACTIVATION: "00101", EMERGENCY: "11100", VOID_APPROVALS: "11100"}
    need(c["kind"] in wanted and used == [x == "1" for x in wanted[c["kind"]]], "fields do not fit the kind")
    need(all(a[0] < b[0] for a, b in zip(c["votes"], c["votes"][1:])), "signers not strictly increasing")
    need(len(c["votes"]) >= quorum, "under quorum")
    for i, signature in c["votes"]:
        check_signature(committee.at(i).sig_pk, certified_digest(network, c, committee.at(i).node_id, i), signature)
    if c["kind"] == FINAL:
        values = [value_hash(slot, c["sid"], c["T"], dealers)] if c["instance"] == SLOT else [fate_hash(slot, c["sid"], c["T"], x) for x in (RELEASE, VOID)]
        need(c["value_hash"] in values, "sid and T do not give the value")


# ---- delegation

def request_hash(network, key, form, K, target_kind, target, requester, auth_digest, nonce, deadline):
    return tagged("KMS1/req", network, key, u8(form), enc(K), u8(target_kind), target, requester, auth_digest, nonce, u64(deadline))


def rank_order(rh, positions):
    return sorted(positions, key=lambda i: tagged("KMS1/rank", rh, u16(i)))


def partial_context(key, epoch, T, i, rh, form, entry_id, reply_key):
    return tagged("KMS1/partial", key, u32(epoch), T, u16(i), rh, u8(form), entry_id, reply_key)


def entry_digest(network, rh, form, entry_id, reply_key, epoch, T, issued_at):
    return tagged("KMS1/sig/entry", network, rh, u8(form), entry_id, enc(reply_key), u32(epoch), T, u64(issued_at))


def seal_salt(node_secret, rand, rh, epoch, T, i, entry_id, reply_key, plaintext):
    return tagged("KMS1/sealsalt", node_secret, rand, rh, u32(epoch), T, u16(i), entry_id, enc(reply_key), plaintext)


def aad_a(network, rh, epoch, T, i, entry_id, reply_key):
    return tagged("KMS1/aadA", network, rh, u32(epoch), T, u16(i), entry_id, enc(reply_key))


def ephpok_statement(key, text, K, ciphertext):
    return (key, text, enc(K), sha256(ciphertext))


# ---- EIP-712

def _word(x):
    return x.to_bytes(32, "big")


def _domain(name, chain_id, salt=None):
    kind = b"EIP712Domain(string name,string version,uint256 chainId" + (b",bytes32 salt)" if salt is not None else b")")
    return keccak256(keccak256(kind) + keccak256(name) + keccak256(b"1") + _word(chain_id) + (salt or b""))


def _eip712(domain, struct):
    return keccak256(b"\x19\x01" + domain + struct)


def v0_request_digest(chain_id, ephemeral, target):
    """The two strings exactly as received."""
    kind = b"DelegateAuthorization(string ephemeralPubKey,string targetPubKey)"
    return _eip712(_domain(b"ProtocolDelegate", chain_id), keccak256(keccak256(kind) + keccak256(ephemeral.encode()) + keccak256(target.encode())))


def v0_response_digest(chain_id, salt, encrypted):
    kind = b"DelegateResponseProof(string encryptedSharedSecret)"
    return _eip712(_domain(b"ProtocolDelegate", chain_id, salt), keccak256(keccak256(kind) + keccak256(encrypted.encode())))


def v1_request_digest(chain_id, network, key, form, entry, K, target_kind, target, nonce, deadline):
    kind = (b"DelegationAuthorization(bytes32 networkId,bytes32 keyId,uint8 form,address entry,bytes K,uint8 targetKind,"
            b"bytes target,bytes32 nonce,uint64 deadline)")
    struct = keccak256(keccak256(kind) + network + key + _word(form) + bytes(12) + entry + keccak256(enc(K)) + _word(target_kind) +
                       keccak256(target) + nonce + _word(deadline))
    return _eip712(_domain(b"KmsDelegation", chain_id), struct)
