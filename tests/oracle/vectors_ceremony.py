"""Vectors of prekeys, headers, Deals, complaints, a whole DKG, reshare and chain."""
import copy

import kms_oracle as k
from chain import check_chain, link
from curve import G, H, Q, Refused, enc, mul, neg, sc
from hashing import ecdsa_sign
from scenario import NOT_AFTER, fixed, fixed_scalar
from show import show, show_certificate, show_committee, show_complaint, show_deal, show_header, show_list, show_table
from vectors_basic import refusal


def deals():
    """Free-standing Deals: sid, prekeys and seeds are fixed bytes."""
    out = []
    sid = fixed("deal/sid")
    prekeys = [fixed_scalar(f"deal/prekey/{i}") for i in range(1, 5)]
    cases = [("n=4, t=3, one key, base H", 3, 1, H, (), None, {}), ("n=4, t=3, two keys, base H", 3, 2, H, (), None, {}),
             ("n=4, t=2, receiver 3 absent, base H", 2, 1, H, (3,), None, {}),
             ("n=4, t=3, as if the first hash of coefficient 1 and two of coefficient 2 were zero", 3, 1, H, (), None, {(1, 1): 1, (1, 2): 2}),
             ("n=4, t=3, reshare of two keys, base G", 3, 2, G, (), [fixed_scalar("deal/s/1"), fixed_scalar("deal/s/2")], {})]
    for name, t, m, J, absent, shares, rejected in cases:
        receivers = [None if i in absent else mul(prekeys[i - 1], G) for i in range(1, 5)]
        rand, node_secret = fixed("deal/rand/" + name), fixed("deal/node-secret")
        deal = k.make_deal(sid, 2, k.deal_seed(rand, node_secret, sid), J, t, receivers, m, shares, rejected)
        tables = [{2: mul(s, G)} for s in shares] if shares else None
        assert k.check_deal(deal, sid, J, 4, t, m, [1, 2, 3, 4], absent, tables) == deal["dh"]
        out.append({"case": name, "n": 4, "t": t, "m": m, "base": enc(J).hex(), "absent": list(absent), "rand": rand.hex(), "node_secret": node_secret.hex(),
                    "old_shares": [sc(s).hex() for s in shares or []], "pretended_zeros": [{"kappa": a, "k": b, "count": c} for (a, b), c in rejected.items()],
                    "prekey_secrets": [sc(b).hex() for b in prekeys], **show_deal(deal, k.deal_seed(rand, node_secret, sid), receivers)})
    return {"deals": out}


def complaints():
    """One Deal whose ciphertexts to receiver 3 (key 2) and to 4 (key 1) are wrong."""
    sid, t, m = fixed("complaint/sid"), 3, 2
    prekeys = [fixed_scalar(f"complaint/prekey/{i}") for i in range(1, 5)]
    receivers = [mul(b, G) for b in prekeys]
    deal = corrupted_deal(sid, t, m, receivers)
    good = k.make_complaint(deal, 3, 2, prekeys[2], fixed("complaint/rand"))
    another = k.make_complaint(deal, 4, 1, prekeys[3], fixed("complaint/rand/4"))
    bad = []

    def add_bad(case, complaint):
        reason = refusal(k.check_complaint, complaint, deal, receivers, H)
        assert reason, case
        bad.append({"case": case, "reason": reason, "complaint": show_complaint(complaint)})
    add_bad("the share is good (receiver 1)", k.make_complaint(deal, 1, 1, prekeys[0], fixed("complaint/rand/1")))
    add_bad("the share of that key is good (receiver 3, key 1)", k.make_complaint(deal, 3, 1, prekeys[2], fixed("complaint/rand/3")))
    add_bad("Z altered", {**good, "Z": neg(good["Z"])})
    add_bad("another receiver's proof", {**good, "receiver": 2})
    add_bad("proof altered", {**good, "proof": good["proof"][:63] + bytes([good["proof"][63] ^ 1])})
    add_bad("another deal hash", {**good, "deal_hash": fixed("complaint/other")})
    add_bad("made with another secret", {**k.make_complaint(deal, 3, 2, fixed_scalar("complaint/liar"), fixed("complaint/rand"))})
    for c in (good, another):
        assert refusal(k.check_complaint, c, deal, receivers, H) is None
    return {"n": 4, "t": t, "m": m, "base": enc(H).hex(), "prekey_secrets": [sc(b).hex() for b in prekeys], "deal": show_deal(deal, fixed("complaint/seed"), receivers),
            "valid": [{"rand": fixed(r).hex(), "context": k.complaint_context(sid, c["dealer"], c["receiver"], c["deal_hash"]).hex(), "complaint": show_complaint(c)}
                      for r, c in (("complaint/rand", good), ("complaint/rand/4", another))], "invalid": bad}


def corrupted_deal(sid, t, m, receivers):
    """A Deal with a valid AND-proof over two wrong ciphertexts."""
    deal = k.make_deal(sid, 2, fixed("complaint/seed"), H, t, receivers, m)
    keys = copy.deepcopy(deal["keys"])
    keys[1]["c"][2] = (keys[1]["c"][2] + 1) % Q
    keys[0]["c"][3] = (keys[0]["c"][3] + 5) % Q
    s, core = deal["secret"], k.core_hash(sid, 2, deal["E"], keys)
    firsts = [a[0] for a in s["polynomials"]]
    c = k.deal_challenge(core, H, [mul(a, H) for a in firsts], deal["E"], [mul(a, H) for a in s["alphas"]], mul(s["beta"], G))
    z_a, z_e = [(x + c * a) % Q for x, a in zip(s["alphas"], firsts)], (s["beta"] + c * s["e"]) % Q
    deal.update(keys=keys, core=core, c=c, z_a=z_a, z_e=z_e, dh=k.deal_hash(core, c, z_a, z_e))
    k.check_deal(deal, sid, H, 4, t, m, [1, 2, 3, 4])
    return deal


def signatures(epoch):
    """One of each node signature of a ceremony, by the member that would send it."""
    network, slot, sid, T = epoch.network, epoch.slot, epoch.sid, epoch.T
    out = []

    def signed(kind, committee, i, digest):
        node = committee.at(i)
        out.append({"type": kind, "signer": i, "sender": node.node_id.hex(), "digest": digest.hex(), "sig": ecdsa_sign(node.secret, digest).hex()})

    def by(kind, committee, i, *fields):
        signed(kind, committee, i, k.digest(kind, network, committee.at(i).node_id, *fields))
    new, deciders = epoch.committee, epoch.deciders
    leader = k.lead(slot, 1, deciders)
    signed("approve", deciders, 1, epoch.approve_digest)
    by("header", deciders, epoch.header["initiator"], sid)
    for deal in epoch.deals:
        by("deal", deciders, deal["dealer"], sid, k.u16(deal["dealer"]), deal["dh"])
    by("candidate", deciders, leader, slot, sid, k.u32(1), k.u32(0), *k.list_items(epoch.dealers))
    by("ready", new, 1, slot, sid, T, k.u16(1))
    by("proposal", deciders, leader, k.u8(k.SLOT), slot, k.u32(1), sid, T, *k.list_items(epoch.dealers), k.u8(0), k.certificate_id(epoch.candidate), k.u32(0), k.ZERO32, *k.items())
    for kind, value in ((k.NOTARIZE, epoch.value), (k.NULLIFY, k.ZERO32), (k.FINALIZE, epoch.value)):
        by("vote", deciders, 1, k.u8(k.SLOT), slot, k.u32(1), k.u8(kind), value)
    for a in epoch.actives:
        by("active", new, a["index"], slot, T, k.u16(a["index"]), *k.items(*[(enc(x["S_i"]), x["proof"]) for x in a["keys"]]))
    by("confirm", new, 1, slot, T, epoch.root, k.u16(1))
    return out


def ceremony(epoch):
    positions = range(1, epoch.committee.n + 1)
    return {
        "network_id": epoch.network.hex(), "ks_id": epoch.keyset.hex(), "epoch": epoch.epoch, "branch": epoch.branch, "slot": epoch.slot.hex(),
        "committee": show_committee(epoch.committee),
        "prekeys": [show({"index": i, "series": 0, "number": epoch.attempt, "rand": fixed(f"prekeypok-rand/{epoch.name}/{i}"), "b": sc(p["b"]), "B": p["B"],
                          "pok": p["pok"], "psig_digest": k.prekey_digest(0, epoch.keyset, epoch.epoch, epoch.branch, epoch.attempt, p["B"]), "psig": p["psig"]})
                    for i, p in epoch.prekeys.items()],
        "header": show_header(epoch.header), "sid": epoch.sid.hex(), "approve_digest": epoch.approve_digest.hex(),
        "deals": [{"rand": fixed(f"deal-rand/{epoch.name}/{d['dealer']}").hex(), **show_deal(d)} for d in epoch.deals],
        "list": show_list(epoch.dealers), "T": epoch.T.hex(), "value": epoch.value.hex(),
        "keys": [show({"key_id": t["key_id"], "commitments": [enc(c) for c in t["combined"]], "shares": [sc(epoch.shares[x][i]) for i in positions],
                       "V": [enc(epoch.V[x][i]) for i in positions], "S_i": [enc(t["members"][i]) for i in positions], "S": t["S"], "table": t["tab"],
                       "secret": sc(k.interpolate({i: epoch.shares[x][i] for i in range(1, epoch.committee.t + 1)}))})
                 for x, t in enumerate(epoch.tables)],
        "root": epoch.root.hex(),
        "actives": [{"index": a["index"], "keys": [{"S_i": show(x["S_i"]), "rand": fixed(f"active-rand/{epoch.name}/{a['index']}/{n}").hex(),
                                                   "context": x["context"].hex(), "proof": x["proof"].hex()} for n, x in enumerate(a["keys"], 1)]} for a in epoch.actives],
        "signatures": signatures(epoch),
        "certificates": {name: show_certificate(c) for name, c in (("candidate", epoch.candidate), ("notar", epoch.notar), ("final", epoch.final), ("activation", epoch.activation))}}


def dkg(world):
    return ceremony(world.dkg)


def reshare(world):
    return {"old": {"T_e": world.dkg.T.hex(), "root_e": world.dkg.root.hex(), "committee": show_committee(world.first),
                    "tables": [show_table(t) for t in world.dkg.tables], "shares": [[sc(s).hex() for s in row.values()] for row in world.dkg.shares]},
            **ceremony(world.reshare), "fate": show_certificate(world.reshare_fate)}


def show_link(one):
    return {"branch": one["branch"], "header": show_header(one["header"]), "list": show_list(one["list"]), "final": show_certificate(one["final"]),
            "activation": show_certificate(one["activation"]), "fate": show_certificate(one["fate"]) if one["fate"] else None,
            "voids": [show_certificate(v) for v in one["voids"]], "tables": [show_table(t) for t in one["tables"]]}


def chain(world, refresh):
    voided, void, released, fate = refresh
    links = [link(world.dkg), link(world.reshare, world.reshare_fate), link(released, fate, [void])]
    committees = [world.first, world.second, world.second]
    head = check_chain(world.network, links, committees)
    bad = []

    def refused(case, altered):
        reason = refusal(check_chain, world.network, altered, committees)
        assert reason, case
        bad.append({"case": case, "reason": reason})
    refused("epoch 1 without its fate", [links[0], {**links[1], "fate": None}, links[2]])
    refused("epoch 2 without the void of branch 0", links[:2] + [{**links[2], "voids": []}])
    refused("epoch 0 with a fate", [{**links[0], "fate": fate}] + links[1:])
    refused("epoch 1 left out", [links[0], links[2]])
    refused("activation of epoch 0 in epoch 1", [links[0], {**links[1], "activation": links[0]["activation"]}, links[2]])
    refused("VOID in place of RELEASE", links[:2] + [{**links[2], "fate": void}])
    table = dict(links[1]["tables"][0], members=links[1]["tables"][0]["members"][::-1])
    refused("table reversed", [links[0], {**links[1], "tables": [table] + links[1]["tables"][1:]}, links[2]])
    return {"network_id": world.network.hex(), "committees": [show_committee(c) for c in committees], "links": [show_link(x) for x in links],
            "head": {"T": head[0].hex(), "root": head[1].hex()}, "refused": bad,
            "voided_branch": {"slot": voided.slot.hex(), "header": show_header(voided.header), "sid": voided.sid.hex(), "T": voided.T.hex(), "root": voided.root.hex(),
                              "void_digest": k.void_digest(world.network, voided.slot, voided.sid, voided.T).hex(),
                              "void_approvals": show_certificate(voided.void_approvals), "fate": show_certificate(void)}}


def prekeys(world):
    """Announcements of both series by member 1 of the first committee."""
    out, node, network, keyset = [], world.first.at(1), world.network, world.keyset
    for series, epoch, branch, first in ((0, 0, 0, 0), (0, 0, 0, 8), (1, 0, 0, 0)):
        name = f"announce/{series}/{first}"
        entries = [k.make_prekey(network, node, series, keyset, epoch, branch, first + x, fixed_scalar(f"{name}/{x}"), fixed(f"{name}/{x}/rand")) for x in range(8)]
        digest = k.announcement_digest(network, node, series, keyset, epoch, branch, first, entries)
        out.append({"series": series, "ks_id": keyset.hex(), "epoch": epoch, "branch": branch, "first": first, "digest": digest.hex(), "sig": ecdsa_sign(node.secret, digest).hex(),
                    "entries": [show({"number": first + x, "b": sc(e["b"]), "rand": fixed(f"{name}/{x}/rand"), "B": e["B"], "pok": e["pok"],
                                      "psig_digest": k.prekey_digest(series, keyset, epoch, branch, first + x, e["B"]), "psig": e["psig"]}) for x, e in enumerate(entries)]})
    return {"network_id": network.hex(), "node_id": node.node_id.hex(), "sig_pk": enc(node.sig_pk).hex(), "node_key": sc(node.secret).hex(), "announcements": out}


def headers(world):
    """The reshare header, accepted, and one alteration per check that needs no clock."""
    e, old, new = world.reshare, world.dkg, world.second
    record, bad = (old.T, old.root), []

    def refused(check, case, signer=None, epoch_record=record, **changes):
        header = {**e.header, **changes}
        reason = refusal(k.check_header, world.network, header, world.first, new, signer or header["initiator"], epoch_record)
        assert reason and (reason.startswith(check) or not reason[0].isdigit()), (case, reason)
        bad.append({"check": int(check), "case": case, "reason": reason, "signer": signer or header["initiator"], "header": show_header(header), "sid": k.sid_of(header).hex()})
    other = e.header["initiator"] % 4 + 1
    refused("1", "signed by another member", signer=other)
    refused("1", "another initiator", initiator=other)
    refused("1", "another attempt", attempt=1)
    refused("2", "base H", base=k.BASE_H)
    refused("2", "kind DKG", kind=k.DKG)
    refused("2", "void_cert in branch 0", void_cert=fixed("void"))
    refused("3", "t' = 1", t_new=1)
    refused("3", "t' = 6 of 5", t_new=6)
    refused("3", "a refresh of other members", kind=k.REFRESH)
    refused("4", "three approvals", approvals=e.header["approvals"][:3])
    refused("4", "one member twice", approvals=e.header["approvals"][:3] + e.header["approvals"][2:3])
    refused("5", "another T_e", T_e=fixed("T_e"))
    refused("5", "t of the old committee wrong", t=4)
    members = e.header["new"]
    refused("6", "member order", new=members[1:2] + members[:1] + members[2:])
    refused("6", "absent without being listed", new=[{**members[0], "B": bytes(33), "pok": b"", "psig": b""}] + members[1:])
    refused("6", "absent, but with a prekey", absent=[1])
    refused("6", "two absent, f' = 1", absent=[1, 2], new=[{**m, "B": bytes(33), "pok": b"", "psig": b""} for m in members[:2]] + members[2:])
    refused("6", "pok of another member", new=[{**members[0], "pok": members[1]["pok"]}] + members[1:])
    refused("6", "psig of another member", new=[{**members[0], "psig": members[1]["psig"]}] + members[1:])
    absent = {**e.header, "absent": [5], "new": members[:4] + [{**members[4], "B": bytes(33), "pok": b"", "psig": b""}]}
    k.check_header(world.network, absent, world.first, new, absent["initiator"], record)
    return {"old": {"committee": show_committee(world.first), "T_e": old.T.hex(), "root_e": old.root.hex()}, "new": show_committee(new), "network_id": world.network.hex(),
            "accepted": [{"header": show_header(h), "sid": k.sid_of(h).hex()} for h in (e.header, absent)], "refused": bad}


def certificates(world):
    d, network = world.dkg, world.network
    q, slot = world.first.q, d.slot
    make = lambda members, *fields: k.make_certificate(network, world.first, members, *fields)
    final = d.final
    good = [("CANDIDATE", d.candidate), ("NOTAR", d.notar), ("FINAL", final), ("ACTIVATION", d.activation),
            ("NULL", make(range(1, 5), k.NULL, k.SLOT, slot, k.ZERO32, k.ZERO32, 1, k.ZERO32))]
    bad = []

    def refused(case, c, dealers=d.dealers):
        reason = refusal(k.check_certificate, network, c, world.first, q, slot, dealers)
        assert reason, case
        bad.append({"case": case, "reason": reason, "certificate": show_certificate(c)})
    refused("under quorum", {**final, "votes": final["votes"][:q - 1]})
    refused("one signer twice", {**final, "votes": final["votes"][:q - 1] + final["votes"][q - 2:q - 1]})
    refused("signature under another index", {**final, "votes": [(i, final["votes"][i % 4][1]) for i in range(1, 5)]})
    refused("wrong slot", {**final, "slot": k.slot_id(world.keyset, 1, 0)})
    refused("votes of another slot", {**make(range(1, 5), k.FINAL, k.SLOT, k.slot_id(world.keyset, 1, 0), d.sid, d.T, 1, d.value), "slot": slot})
    refused("wrong instance", {**final, "instance": k.FATE})
    refused("another view", {**final, "view": 2})
    refused("Notarize votes as a FINAL", {**final, "votes": d.notar["votes"]})
    refused("T that does not give the value", {**final, "T": fixed("T")})
    refused("another root", {**d.activation, "value_hash": fixed("root")})
    for _, c in good:
        k.check_certificate(network, c, world.first, q, slot, d.dealers)
    return {"network_id": network.hex(), "committee": show_committee(world.first), "quorum": q, "slot": slot.hex(), "list": show_list(d.dealers),
            "accepted": [{"name": n, "digests": [k.certified_digest(network, c, world.first.at(i).node_id, i).hex() for i, _ in c["votes"]], "certificate": show_certificate(c)} for n, c in good],
            "refused": bad}


def imported(world):
    """IMPORT of one key by a committee of one (node 1), epoch 0; its own key set."""
    owner, secret, labels = k.Committee([world.nodes[1]], 1), fixed_scalar("import/secret"), [k.label(31337)]
    network = k.network_id("oracle-import", fixed("import/creation-nonce"))
    keyset = k.ks_id(network, fixed("import/creation-nonce"), owner.hash, 1, labels)
    slot, file_hash = k.slot_id(keyset, 0, 0), k.file_hash(b"oracle network file of an import\n")
    header = {"kind": k.IMPORT, "origin": k.IMPORTED, "decider": k.SIMPLEX, "emergency": 0, "ks_id": keyset, "labels": labels, "epoch": 0, "branch": 0,
              "void_cert": k.ZERO32, "attempt": 0, "initiator": 1, "old_committee_hash": k.ZERO32, "n": 0, "t": 0, "T_e": k.ZERO32, "root_e": k.ZERO32,
              "new": k.header_members(owner, {}), "absent": [], "t_new": 1, "base": k.BASE_G, "file_hash": file_hash, "not_after": NOT_AFTER,
              "approvals": [], "registry_ref": b""}
    sid, key, S = k.sid_of(header), k.key_id(keyset, 1, labels[0]), mul(secret, G)
    T = k.transcript_hash(sid, [])
    table = k.table_hash(key, 0, 0, T, 1, 1, S, [S])
    root, context, rand = k.root_hash(slot, [table]), k.tagged("KMS1/import", key, sid), fixed("import/rand")
    proof = k.dleq_prove(secret, G, rand, context)
    k.dleq_verify(S, G, S, proof, context)
    final = k.make_certificate(network, owner, [1], k.FINAL, k.SLOT, slot, sid, T, 1, k.value_hash(slot, sid, T, []))
    activation = k.make_certificate(network, owner, [1], k.ACTIVATION, 0, slot, k.ZERO32, T, 0, root)
    return show({"network_id": network, "name": "oracle-import", "creation_nonce": fixed("import/creation-nonce"), "ks_id": keyset, "slot": slot,
                 "committee": show_committee(owner), "header": show_header(header), "sid": sid, "list": [], "T": T, "key_id": key, "secret": sc(secret), "S": S,
                 "table": table, "root": root, "rand": rand, "context": context, "proof": proof,
                 "final": show_certificate(final), "activation": show_certificate(activation)})
