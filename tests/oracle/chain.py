"""Links and the EpochChain of 4.7: what a joiner checks, over the dictionaries that the vectors show."""
import kms_oracle as k
from curve import Refused, sc
from kms_oracle import need


def link(epoch, fate=None, voids=()):
    return {"branch": epoch.branch, "header": epoch.header, "list": epoch.dealers, "final": epoch.final, "activation": epoch.activation,
            "fate": fate, "voids": list(voids), "tables": [{"S": t["S"], "members": list(t["members"].values())} for t in epoch.tables]}


def check_table(S, members, t):
    """Degree < t': entries and S lie on one polynomial in the exponent."""
    basis = {i: members[i - 1] for i in range(1, t + 1)}
    need(k.interpolate_points(basis) == S, "S is not the table's value at 0")
    for i in range(t + 1, len(members) + 1):
        need(k.interpolate_points(basis, i) == members[i - 1], "the table's degree is too high")


def check_chain(network, links, committees):
    """committees: one per link. Returns (T, root) of the head."""
    record, last = None, None
    for e, (one, new) in enumerate(zip(links, committees)):
        header, old = one["header"], committees[e - 1] if e else None
        need(header["epoch"] == e and header["branch"] == one["branch"], "epochs not consecutive")
        k.check_header(network, header, old, new, header["initiator"], record)
        deciders = old or new
        slot, sid = k.slot_id(header["ks_id"], e, one["branch"]), k.sid_of(header)
        T = k.transcript_hash(sid, one["list"])
        need(one["final"]["kind"] == k.FINAL and one["final"]["instance"] == k.SLOT, "final of another kind")
        need((one["final"]["sid"], one["final"]["T"]) == (sid, T), "final names another T")
        k.check_certificate(network, one["final"], deciders, deciders.q, slot, one["list"])
        tabs = []
        for kappa, table in enumerate(one["tables"], 1):
            check_table(table["S"], table["members"], new.t)
            need(last is None or last[kappa - 1]["S"] == table["S"], "the key changed")
            key = k.key_id(header["ks_id"], kappa, header["labels"][kappa - 1])
            tabs.append(k.table_hash(key, e, one["branch"], T, new.n, new.t, table["S"], table["members"]))
        root = k.root_hash(slot, tabs)
        need(one["activation"]["kind"] == k.ACTIVATION and (one["activation"]["T"], one["activation"]["value_hash"]) == (T, root), "activation of another root")
        k.check_certificate(network, one["activation"], new, new.q, slot)
        check_fates(network, one, deciders, header, slot, sid, T)
        record, last = (T, root), one["tables"]
    return record


def check_fates(network, one, deciders, header, slot, sid, T):
    if header["epoch"] == 0:
        need(one["fate"] is None and not one["voids"], "epoch 0 has no fate")
        return
    need(one["fate"] is not None and one["fate"]["value_hash"] == k.fate_hash(slot, sid, T, k.RELEASE), "not released")
    k.check_certificate(network, one["fate"], deciders, deciders.q, slot)
    need(len(one["voids"]) == one["branch"], "a void for each earlier branch")
    for b, void in enumerate(one["voids"]):
        earlier = k.slot_id(header["ks_id"], header["epoch"], b)
        need(void["kind"] == k.FINAL and void["instance"] == k.FATE, "void of another kind")
        need(void["value_hash"] == k.fate_hash(earlier, void["sid"], void["T"], k.VOID), "not a void")
        k.check_certificate(network, void, deciders, deciders.q, earlier)
    if one["branch"]:
        need(header["void_cert"] == k.certificate_id(one["voids"][-1]), "void_cert names another certificate")
