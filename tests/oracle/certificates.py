"""Certificates: what each kind holds, its id, how it is made and checked (docs/TRANSCRIPTS.md section 6)."""
from hashing import ecdsa_sign, tagged, u8, u16, u32
from identifiers import check_signature, digest, fate_hash, value_hash
from names import *


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


def void_digest(network, slot, sid, T):
    return tagged("KMS1/sig/void", network, slot, sid, T)


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
