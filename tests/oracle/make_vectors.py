#!/usr/bin/env python3
"""Writes tests/vectors/*.json, the same bytes each time: python3 tests/oracle/make_vectors.py [FOLDER]"""
import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import hashing
import vectors_attacks as attacks
import vectors_basic as basic
import vectors_ceremony as ceremony
import vectors_delegation as delegation
import vectors_repair as repair
from scenario import World

FOLDER = pathlib.Path(__file__).parent.parent / "vectors"
NOTE = ("Made by tests/oracle/make_vectors.py, an independent Python reading of docs/TRANSCRIPTS.md. Every \"random\" 32 bytes named N is "
        "SHA-256(\"kms-oracle/\" + N); those used stand in the file. All keys are public test keys. ")


def build():
    """{file name: object}"""
    hashing.RECORDED = {}
    world = World()
    refresh = world.refresh()
    files = {
        "anchors": ("Encoding, Keccak-256, ECDSA and HKDF anchors.", basic.anchors()),
        "identifiers": ("Identifiers of the oracle network.", basic.identifiers(world)),
        "lagrange": ("Lagrange coefficients lambda_j(x) over index sets, mod q_c.", basic.lagrange()),
        "deal": ("Free-standing Deals from fixed seeds, secrets included.", ceremony.deals()),
        "complaint": ("A Deal with two wrong ciphertexts; valid and invalid complaints on it.", ceremony.complaints()),
        "dkg": ("A whole DKG, n = 4, t = 3, two keys.", ceremony.dkg(world)),
        "reshare": ("The key set of dkg.json moved to n = 5, t = 3 by dealers 1, 2, 4.", ceremony.reshare(world)),
        "chain": ("EpochChain: the DKG, the reshare, and a refresh in branch 1 after branch 0 was voided.", ceremony.chain(world, refresh)),
        "import": ("An imported key: committee of one, epoch 0.", ceremony.imported(world)),
        "prekeys": ("PreKeyAnnounce of both series.", ceremony.prekeys(world)),
        "headers": ("The header of reshare.json accepted, and refused after one alteration per check.", ceremony.headers(world)),
        "certificates": ("Certificates of the DKG, accepted and refused.", ceremony.certificates(world)),
        "partial_a": ("Form A over the epoch of reshare.json, key 1: K and -K under one reply key.", delegation.partial_a(world)),
        "partial_c": ("Form C over the epoch of reshare.json, key 1: K re-encrypted to a point P.", delegation.partial_c(world)),
        "rank": ("Responder ranking.", delegation.rank()),
        "forgeries": ("DLEQ proofs that weaker challenges would accept.", attacks.forgeries()),
        "dleq": ("One BIP-374 proof for each context.", attacks.dleq_uses(world)),
        "copied_deals": ("Deals with a copied E or altered fields, over the DKG of dkg.json.", attacks.copied(world)),
        "curve": ("Points, scalars, Horner with infinity, a table with an infinity entry.", basic.curve()),
        "thresholds": ("f, q and q_em for every n <= 128 and every t.", basic.thresholds()),
        "ephpok": ("Label-bound proof of knowledge of an ephemeral key.", basic.ephpok(world)),
        "eip712": ("EIP-712 digests and request hashes, v0 and v1.", basic.eip712(world)),
    }
    attacks.remaining_tags(world)
    recorded, hashing.RECORDED = hashing.RECORDED, None
    recorded.pop("KMS1/test")
    files["repair"] = ("Shares of position 2 of dkg.json given again by 1, 3 and 4.", repair.repaired(world))
    files["transcripts"] = ("One example of every tag, item by item.", attacks.transcripts(recorded))
    return {name: {"note": NOTE + note, **body} for name, (note, body) in files.items()}


def rendered(value):
    if "rows" in value:  # one row a line
        rows = ",\n".join(json.dumps(r, separators=(",", ":")) for r in value["rows"])
        head = json.dumps({x: y for x, y in value.items() if x != "rows"}, indent=1)
        return head[:-2] + ',\n "rows": [\n' + rows + "\n ]\n}\n"
    return json.dumps(value, indent=1) + "\n"


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in build().items():
        text = rendered(value)
        assert len(text) < 200_000, (name, len(text))
        (folder / (name + ".json")).write_text(text)


if __name__ == "__main__":
    main()
