"""Vectors of a repair: position 2 of the DKG of dkg.json gets its shares from 1, 3 and 4."""
import copy

import kms_oracle as k
import repair
from curve import G, Q, enc, mul, sc
from hashing import ecdsa_sign, tagged, u8, u16, u32
from identifiers import digest
from scenario import fixed, fixed_scalar
from show import show
from vectors_basic import refusal

INDEX, GIVERS = 2, (1, 3, 4)


def shown(message):
    out = {name: value for name, value in message.items() if name not in ("keys", "c", "eps", "parts", "e", "sums")}
    if "keys" in message:
        out["keys"] = [{"C": [enc(p) for p in key["C"]], "c": [sc(c) for c in key["c"]]} for key in message["keys"]]
    if "c" in message:
        out["c"] = [sc(c) for c in message["c"]]
    return show(out)


def signed(world, i, kind, *fields):
    member = world.first.at(i)
    d = digest(kind, world.network, member.node_id, *fields)
    return {"digest": d, "sig": ecdsa_sign(member.secret, d)}


def repaired(world):
    dkg, network = world.dkg, world.network
    secrets = {i: fixed_scalar(f"repair/prekey/{i}") for i in GIVERS}
    prekeys = {i: k.make_prekey(network, world.first.at(i), 1, world.keyset, 0, 0, i + 1, secrets[i], fixed(f"repair/prekeypok/{i}")) for i in GIVERS}
    fields = {"ks_id": world.keyset, "epoch": 0, "branch": 0, "T": dkg.T, "index": INDEX, "nonce": fixed("repair/nonce"), "expiry": 1_800_000_000,
              "givers": [{"index": i, "prekey": i + 1, "B": prekeys[i]["B"]} for i in GIVERS], "ticket": []}
    y = fixed_scalar("repair/y")
    request = repair.make_request(network, fields, y, fixed("repair/pok"))
    repair.check_request(network, request)
    rid, tables = repair.rid_of(request), [t["members"] for t in dkg.tables]
    seeds = {i: k.deal_seed(fixed(f"repair/rand/{i}"), world.first.at(i).node_secret, rid) for i in GIVERS}
    shares = {i: [dkg.shares[kappa][i] for kappa in range(dkg.m)] for i in GIVERS}
    deltas = {i: repair.make_delta(request, i, shares[i], seeds[i], fixed(f"repair/deltapok/{i}")) for i in GIVERS}
    sigmas = {}
    for l in GIVERS:
        opened = [repair.open_delta(request, deltas[j], l, secrets[l]) for j in GIVERS]
        assert all(fits for row in opened for _, fits in row)
        sums = [sum(row[kappa][0] for row in opened) % Q for kappa in range(dkg.m)]
        sigmas[l] = repair.make_sigma(request, l, [deltas[j]["dhash"] for j in GIVERS], sums, seeds[l], fixed(f"repair/sigmapok/{l}"))
    column = list(deltas.values())
    result = [0] * dkg.m
    for l in GIVERS:
        repair.check_delta(request, deltas[l], tables)
        repair.check_sigma(request, sigmas[l])
        for kappa, (s, fits) in enumerate(repair.open_sigma(request, sigmas[l], column, y)):
            assert fits
            result[kappa] = (result[kappa] + s) % Q
    assert result == [dkg.shares[kappa][INDEX] for kappa in range(dkg.m)]

    refused = []

    def refuse(case, kind, message, check):
        reason = refusal(*check)
        assert reason, case
        refused.append({"case": case, "kind": kind, "reason": reason, "message": shown(message)})
    copied = {**sigmas[3], "E": sigmas[1]["E"]}
    refuse("a copied E' with garbage ciphertexts", "sigma", copied, (repair.check_sigma, request, copied))
    relayed = {**sigmas[1], "giver": 3}
    refuse("another giver's whole sigma", "sigma", relayed, (repair.check_sigma, request, relayed))
    fewer = repair.make_sigma(request, 3, sigmas[3]["deltas"][:-1], sigmas[3]["sums"], seeds[3], fixed("repair/sigmapok/3"))
    refuse("a sum of fewer deltas", "sigma", fewer, (repair.check_sigma, request, fewer))
    stolen = {**deltas[3], "E": deltas[1]["E"]}
    refuse("a copied E in a delta", "delta", stolen, (repair.check_delta, request, stolen, tables))
    other = repair.make_delta(request, 3, [s + 1 for s in shares[3]], seeds[3], fixed("repair/deltapok/3"))
    refuse("parts of another share", "delta", other, (repair.check_delta, request, other, tables))

    # Deltas and sigmas that pass every objective check and are wrong inside.
    wrong = copy.deepcopy(deltas[3])
    wrong["keys"][1]["c"][0] = (wrong["keys"][1]["c"][0] + 1) % Q
    wrong["pok"] = repair.schnorr_prove("KMS1/deltapok", wrong["eps"], fixed("repair/deltapok/3"), repair.delta_statement(wrong))
    wrong["dhash"] = repair.delta_hash(wrong)
    repair.check_delta(request, wrong, tables)
    assert [fits for _, fits in repair.open_delta(request, wrong, 1, secrets[1])] == [True, False]
    accusation = repair.complain(1, rid, 3, 1, wrong["dhash"], 2, secrets[1], wrong["E"], repair.delta_context(wrong, 1), fixed("repair/complaint/1"))
    false_sum = repair.make_sigma(request, 4, sigmas[4]["deltas"], [(s + 1) % Q for s in sigmas[4]["sums"]], seeds[4], fixed("repair/sigmapok/4"))
    repair.check_sigma(request, false_sum)
    second = repair.complain(2, rid, 4, INDEX, false_sum["shash"], 1, y, false_sum["E"], repair.sigma_context(false_sum), fixed("repair/complaint/2"))

    def sealed(complaint):
        c = complaint
        return {**signed(world, c["accuser"], "repair-complaint", u8(c["kind"]), rid, u16(c["giver"]), u16(c["accuser"]), c["object_hash"],
                         u32(c["key_index"]), c["Z"], c["proof"]), "complaint": show(c)}
    return show({
        "network_id": network, "index": INDEX, "y": sc(y), "pok_rand": fixed("repair/pok"), "request": show({**request, "Y": enc(request["Y"])}), "rid": rid,
        "request_signature": signed(world, INDEX, "repair-request", rid), "tables": [{"S": t["S"], "members": [enc(p) for p in t["members"].values()]} for t in dkg.tables],
        "givers": [{
            "index": i, "node_secret": world.first.at(i).node_secret, "node_key": sc(world.first.at(i).secret), "prekey_secret": sc(secrets[i]),
            "shares": [sc(s) for s in shares[i]], "rand": fixed(f"repair/rand/{i}"), "seed": seeds[i], "delta_rand": fixed(f"repair/deltapok/{i}"),
            "sigma_rand": fixed(f"repair/sigmapok/{i}"), "parts": [[sc(d) for d in row] for row in deltas[i]["parts"]], "sums": [sc(s) for s in sigmas[i]["sums"]],
            "delta": shown(deltas[i]), "delta_signature": signed(world, i, "repair-delta", rid, u16(i), deltas[i]["dhash"]),
            "sigma": shown(sigmas[i]), "sigma_signature": signed(world, i, "repair-sigma", rid, u16(i), sigmas[i]["shash"])} for i in GIVERS],
        "shares": [sc(s) for s in result], "refused": refused,
        "wrong_delta": {"delta": shown(wrong), "rand": fixed("repair/complaint/1"), **sealed(accusation)},
        "wrong_sigma": {"sigma": shown(false_sum), "rand": fixed("repair/complaint/2"), **sealed(second)}})
