"""How values stand in the vector files: bytes and points as lower-case hex, scalars as 32-byte hex, small integers as numbers."""
import kms_oracle as k
from curve import Q, enc, sc


def show(x):
    if isinstance(x, bytes):
        return x.hex()
    if isinstance(x, dict):
        return {str(name): show(v) for name, v in x.items()}
    if isinstance(x, list):
        return [show(v) for v in x]
    if isinstance(x, tuple) and len(x) == 2 and all(isinstance(v, int) and v > 2**64 for v in x):
        return enc(x).hex()
    if isinstance(x, int) and not isinstance(x, bool) and x >= 2**53:
        return sc(x).hex()
    return x


def show_list(dealers):
    return [{"dealer": j, "deal_hash": dh.hex()} for j, dh in dealers]


def show_certificate(c):
    return show({**c, "votes": [{"index": i, "sig": s} for i, s in c["votes"]], "id": k.certificate_id(c)})


def show_deal(deal, seed=None, receivers=None):
    """Public fields as sent, then what makes and checks them."""
    out = {"sid": deal["sid"], "dealer": deal["dealer"], "E": deal["E"],
           "keys": [{"C": key["C"], "c": [sc(x) for x in key["c"]]} for key in deal["keys"]],
           "c": sc(deal["c"]), "z_a": [sc(x) for x in deal["z_a"]], "z_e": sc(deal["z_e"]), "core": deal["core"], "dh": deal["dh"]}
    secret = deal["secret"]
    out["secret"] = {"seed": seed or deal["seed"], "coefficients": [[sc(a) for a in p] for p in secret["polynomials"]], "e": sc(secret["e"]),
                     "pads": [[sc(x) for x in row] for row in secret["pads"]], "alphas": [sc(x) for x in secret["alphas"]], "beta": sc(secret["beta"])}
    if receivers:
        out["receivers"] = [enc(b) for b in receivers]
    return show(out)


def show_header(header):
    return show({name: header[name] for name in k.HEADER_FIELDS})


def show_committee(committee):
    return {"t": committee.t, "n": committee.n, "f": committee.f, "q": committee.q, "hash": committee.hash.hex(),
            "members": [{"index": i, "node_id": m.node_id.hex(), "sig_pk": enc(m.sig_pk).hex(), "address": m.address.hex(),
                         "node_key": sc(m.secret).hex(), "node_secret": m.node_secret.hex()} for i, m in enumerate(committee.members, 1)]}


def show_complaint(c):
    return show({**c, "Z": enc(c["Z"])})


def show_table(table):
    return show({"S": table["S"], "members": [enc(p) for p in table["members"].values()] if isinstance(table["members"], dict) else [enc(p) for p in table["members"]]})
