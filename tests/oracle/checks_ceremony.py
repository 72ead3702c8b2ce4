"""Ceremony vectors checked from the text of the files."""
import json
import pathlib

import chain as chains
import kms_oracle as k
import make_vectors
import reading as r
from checks_published import same
from curve import G, H, Q, Refused, add, enc, mul, sc
from hashing import tagged, u16, u32
from proofs import dleq_verify


def load(name):
    return json.loads((make_vectors.FOLDER / (name + ".json")).read_text())


def refused(check, *arguments):
    try:
        check(*arguments)
    except Refused as reason:
        return str(reason)
    raise AssertionError("accepted")


def check_files_are_what_the_oracle_makes(_):
    made = {name + ".json": make_vectors.rendered(value) for name, value in make_vectors.build().items()}
    same(sorted(p.name for p in make_vectors.FOLDER.glob("*.json") if p.name in made), sorted(made))
    for name, text in made.items():
        if (make_vectors.FOLDER / name).read_text() != text:
            raise AssertionError(name + " differs: run make_vectors.py")


def check_tags_of_the_page_and_of_the_vectors_are_the_same(_):
    """Every tag of docs/TRANSCRIPTS.md has an example, and no example has a tag that the page does not name."""
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "TRANSCRIPTS.md").read_text()
    named, section = set(), ""
    for line in page.splitlines():
        section = line if line.startswith("## ") else section
        if line.startswith("| `"):
            for name in line.split("|")[1].split("`")[1::2]:
                if name.startswith("KMS1/"):
                    named.add(name)
                elif section.startswith("## 6") and "<" not in name:
                    named.add("KMS1/sig/" + name)
    seen = {t["tag"] for t in load("transcripts")["transcripts"]}
    schnorr = {"KMS1/" + x + "/nonce" for x in ("prekeypok", "repairpok", "deltapok", "sigmapok", "ephpok")}
    same(sorted(seen - named - schnorr), [])
    same(sorted((named | schnorr) - seen), [])


def check_every_field_of_every_transcript_is_bound(_):
    for row in load("transcripts")["transcripts"]:
        items = [bytes.fromhex(x) for x in row["items"]]
        same(tagged(row["tag"], *items).hex(), row["hash"])
        same(len({row["hash"], *row["altered"]}), len(items) + 1)


def base(row):
    return r.point(row["base"])


def check_deals(_):
    for row in load("deal")["deals"]:
        deal, J = r.deal(row), base(row)
        tables = [{row["dealer"]: mul(r.scalar(s), G)} for s in row["old_shares"]] or None
        same(k.check_deal(deal, deal["sid"], J, row["n"], row["t"], row["m"], [1, 2, 3, 4], row["absent"], tables).hex(), row["dh"])
        for kappa, polynomial in enumerate(row["secret"]["coefficients"], 1):
            polynomial = [r.scalar(a) for a in polynomial]
            same([mul(a, J) for a in polynomial], deal["keys"][kappa - 1]["C"])
            for i in range(1, row["n"] + 1):
                if i in row["absent"]:
                    same(deal["keys"][kappa - 1]["c"][i - 1], 0)
                    continue
                b = r.scalar(row["prekey_secrets"][i - 1])
                x = k.open_share(deal, kappa, i, mul(b, deal["E"]), mul(b, G))
                same(x, k.evaluate(polynomial, i))
                assert k.share_fits(deal["keys"][kappa - 1]["C"], J, i, x)
    ordinary, resampled = [load("deal")["deals"][x] for x in (0, 3)]
    for zeros in resampled["pretended_zeros"]:  # the counter item is the only difference
        again = tagged("KMS1/coef", r.raw(resampled["secret"]["seed"]), r.raw(resampled["sid"]), u16(2), u32(1), u16(zeros["k"]), bytes(32), u32(zeros["count"]))
        same(int.from_bytes(again, "big") % Q, r.scalar(resampled["secret"]["coefficients"][0][zeros["k"]]))
    same(ordinary["pretended_zeros"], [])


def check_reshare_deal_with_another_constant_is_refused(_):
    row = load("deal")["deals"][4]
    deal = r.deal(row)
    refused(k.check_deal, deal, deal["sid"], G, 4, 3, 2, [2], (), [{2: mul(5, G)}, {2: mul(6, G)}])
    refused(k.check_deal, deal, deal["sid"], H, 4, 3, 2, [2])


def check_complaints(_):
    row = load("complaint")
    deal, receivers = r.deal(row["deal"]), [mul(r.scalar(b), G) for b in row["prekey_secrets"]]
    k.check_deal(deal, deal["sid"], H, 4, 3, 2, [2])
    for one in row["valid"]:
        k.check_complaint(r.complaint(one["complaint"]), deal, receivers, H)
    for one in row["invalid"]:
        same(refused(k.check_complaint, r.complaint(one["complaint"]), deal, receivers, H), one["reason"])


def check_copied_deals_are_refused(_):
    row = load("copied_deals")
    for one in row["refused"]:
        deal = r.deal(one["deal"])
        same(refused(k.check_deal, deal, r.raw(row["sid"]), H, 4, 3, row["m"], [1, 2, 3, 4]), one["reason"])


def ceremony(row, old=None, tables=None):
    """Everything that an observer with the public part of the file can check; returns (committee, record, tables)."""
    network, new = r.raw(row["network_id"]), r.committee(row["committee"])
    header = r.header(row["header"])
    record = (r.raw(row["old"]["T_e"]), r.raw(row["old"]["root_e"])) if old else None
    k.check_header(network, header, old, new, header["initiator"], record)
    deciders, J, slot, sid = old or new, G if old else H, r.raw(row["slot"]), k.sid_of(header)
    same(sid.hex(), row["sid"])
    same(k.slot_id(header["ks_id"], row["epoch"], row["branch"]), slot)
    deals = [r.deal(d) for d in row["deals"]]
    maps = [{i: p for i, p in enumerate(t["members"], 1)} for t in tables] if tables else None
    listed = [(d["dealer"], k.check_deal(d, sid, J, new.n, new.t, len(header["labels"]), range(1, deciders.n + 1), (), maps)) for d in deals]
    same(listed, r.dealers(row["list"]))
    T = k.transcript_hash(sid, listed)
    same(T.hex(), row["T"])
    same(k.value_hash(slot, sid, T, listed).hex(), row["value"])
    root = keys_hold(row, old, new, deals, header, T, J, slot, tables)
    for name, quorum, members in (("candidate", new.q, new), ("notar", deciders.q, deciders), ("final", deciders.q, deciders), ("activation", new.q, new)):
        certificate = r.certificate(row["certificates"][name])
        k.check_certificate(network, certificate, members, quorum, slot, listed)
        if name == "activation":
            same((certificate["T"], certificate["value_hash"]), (T, root))
    for one in row["signatures"]:
        of = deciders if one["type"] in ("approve", "header", "deal", "candidate", "proposal", "vote") else new
        same(of.at(one["signer"]).node_id.hex(), one["sender"])
        k.check_signature(of.at(one["signer"]).sig_pk, r.raw(one["digest"]), r.raw(one["sig"]))
    return new, (T, root), [{"S": r.point(x["S"]), "members": [r.point(p) for p in x["S_i"]]} for x in row["keys"]]


def keys_hold(row, old, new, deals, header, T, J, slot, tables):
    weights = k.lagrange([d["dealer"] for d in deals]) if old else {d["dealer"]: 1 for d in deals}
    tabs = []
    for kappa, key in enumerate(row["keys"], 1):
        combined = k.combine_commitments(deals, kappa, weights)
        same([enc(c).hex() for c in combined], key["commitments"])
        shares, S_i, S = {i: r.scalar(s) for i, s in enumerate(key["shares"], 1)}, [r.point(p) for p in key["S_i"]], r.point(key["S"])
        for i in range(1, new.n + 1):
            same(enc(k.evaluate_points(combined, i)).hex(), key["V"][i - 1])
            same(mul(shares[i], J), r.point(key["V"][i - 1]))
            same(mul(shares[i], G), S_i[i - 1])
        for chosen in (range(1, new.t + 1), range(new.n - new.t + 1, new.n + 1)):
            same(mul(k.interpolate({i: shares[i] for i in chosen}), G), S)
        chains.check_table(S, S_i, new.t)
        if tables:
            same(S, tables[kappa - 1]["S"])
        same(k.key_id(header["ks_id"], kappa, header["labels"][kappa - 1]).hex(), key["key_id"])
        tabs.append(k.table_hash(r.raw(key["key_id"]), row["epoch"], row["branch"], T, new.n, new.t, S, S_i))
        same(tabs[-1].hex(), key["table"])
        for active in row["actives"]:
            mine, i = active["keys"][kappa - 1], active["index"]
            context = k.active_context(r.raw(key["key_id"]), row["epoch"], row["branch"], T, i)
            dleq_verify(r.point(key["V"][i - 1]), G, r.point(mine["S_i"]), r.raw(mine["proof"]), context, J)
            refused(dleq_verify, r.point(key["V"][i - 1]), G, r.point(mine["S_i"]), r.raw(mine["proof"]), k.active_context(r.raw(key["key_id"]), row["epoch"], row["branch"], T, i + 1), J)
    root = k.root_hash(slot, tabs)
    same(root.hex(), row["root"])
    return root


def check_dkg_and_reshare(_):
    dkg, reshare = load("dkg"), load("reshare")
    first, record, tables = ceremony(dkg)
    same([record[0].hex(), record[1].hex()], [reshare["old"]["T_e"], reshare["old"]["root_e"]])
    ceremony(reshare, first, tables)
    same([x["secret"] for x in dkg["keys"]], [x["secret"] for x in reshare["keys"]])
    fate = r.certificate(reshare["fate"])
    k.check_certificate(r.raw(reshare["network_id"]), fate, first, first.q, r.raw(reshare["slot"]))


def check_chain(_):
    row = load("chain")
    committees, links = [r.committee(c) for c in row["committees"]], [r.link(x) for x in row["links"]]
    head = chains.check_chain(r.raw(row["network_id"]), links, committees)
    same([x.hex() for x in head], [row["head"]["T"], row["head"]["root"]])
    refused(chains.check_chain, r.raw(row["network_id"]), [links[0], {**links[1], "fate": None}, links[2]], committees)
    voided = row["voided_branch"]
    same(links[2]["header"]["void_cert"].hex(), voided["fate"]["id"])
    old = committees[1]
    k.check_certificate(r.raw(row["network_id"]), r.certificate(voided["void_approvals"]), old, old.q, r.raw(voided["slot"]))


def check_headers(_):
    row = load("headers")
    old, new, network = r.committee(row["old"]["committee"]), r.committee(row["new"]), r.raw(row["network_id"])
    record = (r.raw(row["old"]["T_e"]), r.raw(row["old"]["root_e"]))
    for one in row["accepted"]:
        header = r.header(one["header"])
        k.check_header(network, header, old, new, header["initiator"], record)
        same(k.sid_of(header).hex(), one["sid"])
    sids = [one["sid"] for one in row["accepted"]]
    for one in row["refused"]:
        same(refused(k.check_header, network, r.header(one["header"]), old, new, one["signer"], record), one["reason"])
        sids.append(one["sid"])
    same(len(set(sids)), len(sids) - 1)  # only "signed by another member" leaves the header as it was


def check_prekeys(_):
    row = load("prekeys")
    network, sender, sig_pk = r.raw(row["network_id"]), r.raw(row["node_id"]), r.point(row["sig_pk"])
    for one in row["announcements"]:
        keyset, entries = r.raw(one["ks_id"]), [{"B": r.point(e["B"]), "pok": r.raw(e["pok"]), "psig": r.raw(e["psig"])} for e in one["entries"]]
        for x, entry in enumerate(entries):
            where = (one["series"], keyset, one["epoch"], one["branch"])
            k.check_prekey(network, sender, sig_pk, *where, one["first"] + x, entry)
            refused(k.check_prekey, network, sender, sig_pk, *where, one["first"] + x + 1, entry)
            refused(k.check_prekey, network, sender, sig_pk, 1 - one["series"], keyset, one["epoch"], one["branch"], one["first"] + x, entry)
        node = r.PublicNode(row)
        digest = k.announcement_digest(network, node, one["series"], keyset, one["epoch"], one["branch"], one["first"], entries)
        k.check_signature(sig_pk, digest, r.raw(one["sig"]))


def check_certificates(_):
    row = load("certificates")
    network, committee, slot, listed = r.raw(row["network_id"]), r.committee(row["committee"]), r.raw(row["slot"]), r.dealers(row["list"])
    for one in row["accepted"]:
        k.check_certificate(network, r.certificate(one["certificate"]), committee, row["quorum"], slot, listed)
    for one in row["refused"]:
        same(refused(k.check_certificate, network, r.certificate(one["certificate"]), committee, row["quorum"], slot, listed), one["reason"])


def check_import(_):
    row = load("import")
    network, owner, header, slot, T = r.raw(row["network_id"]), r.committee(row["committee"]), r.header(row["header"]), r.raw(row["slot"]), r.raw(row["T"])
    sid, S = k.sid_of(header), r.point(row["S"])
    same(T, tagged("KMS1/T", sid, u32(0)))
    same(S, mul(r.scalar(row["secret"]), G))
    dleq_verify(S, G, S, r.raw(row["proof"]), tagged("KMS1/import", r.raw(row["key_id"]), sid))
    same(k.root_hash(slot, [k.table_hash(r.raw(row["key_id"]), 0, 0, T, 1, 1, S, [S])]).hex(), row["root"])
    for name in ("final", "activation"):
        k.check_certificate(network, r.certificate(row[name]), owner, owner.q, slot, [])
