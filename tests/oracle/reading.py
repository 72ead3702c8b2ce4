"""Vector files back into the oracle's values."""
import kms_oracle as k
from curve import dec, dec_scalar


def raw(text):
    return bytes.fromhex(text)


def point(text):
    return dec(raw(text), infinity_ok=True)


def scalar(text):
    return dec_scalar(raw(text))


class PublicNode:
    def __init__(self, row):
        self.sig_pk, self.node_id = point(row["sig_pk"]), raw(row["node_id"])
        assert k.node_id(self.sig_pk) == self.node_id


def committee(row):
    out = k.Committee([PublicNode(m) for m in row["members"]], row["t"])
    assert out.hash.hex() == row["hash"] and [m.node_id.hex() for m in out.members] == [m["node_id"] for m in row["members"]]
    return out


def header(row):
    out = {}
    for name in k.HEADER_FIELDS:
        v = row[name]
        if name == "new":
            out[name] = [{x: raw(y) for x, y in m.items()} for m in v]
        elif name == "approvals":
            out[name] = [{"index": a["index"], "sig": raw(a["sig"])} for a in v]
        elif name == "labels":
            out[name] = [raw(x) for x in v]
        else:
            out[name] = raw(v) if isinstance(v, str) else v
    return out


def certificate(row):
    if row is None:
        return None
    out = {x: raw(y) if isinstance(y, str) else y for x, y in row.items() if x not in ("votes", "id")}
    out["votes"] = [(v["index"], raw(v["sig"])) for v in row["votes"]]
    assert k.certificate_id(out).hex() == row["id"]
    return out


def dealers(rows):
    return [(r["dealer"], raw(r["deal_hash"])) for r in rows]


def deal(row):
    keys = [{"C": [point(c) for c in key["C"]], "c": [scalar(c) for c in key["c"]]} for key in row["keys"]]
    return {"sid": raw(row["sid"]), "dealer": row["dealer"], "E": point(row["E"]), "keys": keys, "c": scalar(row["c"]),
            "z_a": [scalar(z) for z in row["z_a"]], "z_e": scalar(row["z_e"]), "core": raw(row["core"]), "dh": raw(row["dh"])}


def table(row):
    return {"S": point(row["S"]), "members": [point(p) for p in row["members"]]}


def complaint(row):
    return {x: (raw(y) if isinstance(y, str) and x != "Z" else y) for x, y in row.items()} | {"Z": point(row["Z"])}


def link(row):
    return {"branch": row["branch"], "header": header(row["header"]), "list": dealers(row["list"]), "final": certificate(row["final"]),
            "activation": certificate(row["activation"]), "fate": certificate(row["fate"]), "voids": [certificate(v) for v in row["voids"]],
            "tables": [table(t) for t in row["tables"]]}
