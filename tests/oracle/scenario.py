"""The one network that the vectors tell about: DKG 4,3 -> reshare 5,3 -> refresh, with one voided branch."""
import hashlib

import kms_oracle as k
from curve import G, H, Q, Refused, add, enc, mul, sc
from hashing import ecdsa_sign
from proofs import dleq_prove, dleq_verify

NETWORK_NAME = "oracle"
LABELS = [k.label(31337, bytes.fromhex("e7f1725e7734ce288f8367e1bb143e90bb3f0512")), k.label(421614)]
NOT_AFTER = 2_000_000_000


def fixed(name):
    """The stand-in for 32 random bytes."""
    return hashlib.sha256(b"kms-oracle/" + name.encode()).digest()


def fixed_scalar(name):
    return int.from_bytes(fixed(name), "big") % Q


def node(number):
    return k.Node(fixed_scalar(f"node/{number}"), fixed(f"node-secret/{number}"))


class Epoch:
    """One slot from its prekeys to its certificates; `old` is the epoch before, None for the DKG."""

    def __init__(self, network, keyset, committee, name, old=None, kind=k.DKG, branch=0, void_cert=k.ZERO32, dealers=None, absent=(),
                 approvals=True, file=b"oracle network file, epoch 0\n"):
        self.network, self.keyset, self.committee, self.name, self.old, self.kind = network, keyset, committee, name, old, kind
        self.epoch, self.branch, self.attempt = (old.epoch + 1 if old else 0), branch, 0
        self.slot = k.slot_id(keyset, self.epoch, branch)
        self.deciders = old.committee if old else committee
        self.base = k.BASE_G if old else k.BASE_H
        self.J = G if old else H
        self.m = len(LABELS)
        self.file_hash = k.file_hash(file)
        self.absent = list(absent)
        self.make_prekeys()
        self.make_header(void_cert, approvals)
        self.make_deals(dealers or list(range(1, self.deciders.n + 1)))
        self.combine()
        self.prove()
        self.certify()

    def make_prekeys(self):
        self.prekeys = {}
        for i in range(1, self.committee.n + 1):
            if i not in self.absent:
                member = f"{self.name}/{i}"
                self.prekeys[i] = k.make_prekey(self.network, self.committee.at(i), 0, self.keyset, self.epoch, self.branch, self.attempt,
                                                fixed_scalar(f"prekey/{member}"), fixed(f"prekeypok-rand/{member}"))
        self.receivers = [self.prekeys[i]["B"] if i in self.prekeys else None for i in range(1, self.committee.n + 1)]

    def make_header(self, void_cert, approvals):
        old, new = self.old, self.committee
        root_e = old.root if old else k.ZERO32
        signed = []
        self.approve_digest = k.approve_digest(self.network, self.keyset, self.epoch, self.branch, root_e, new.hash, new.t, self.file_hash, NOT_AFTER)
        if old and approvals:
            signed = [{"index": i, "sig": ecdsa_sign(old.committee.at(i).secret, self.approve_digest)} for i in range(1, old.committee.q + 1)]
        self.header = {
            "kind": self.kind, "origin": k.GENERATED, "decider": k.SIMPLEX, "emergency": 0, "ks_id": self.keyset, "labels": LABELS,
            "epoch": self.epoch, "branch": self.branch, "void_cert": void_cert, "attempt": self.attempt,
            "initiator": k.lead(self.slot, self.attempt, self.deciders), "old_committee_hash": old.committee.hash if old else k.ZERO32,
            "n": old.committee.n if old else 0, "t": old.committee.t if old else 0, "T_e": old.T if old else k.ZERO32, "root_e": root_e,
            "new": k.header_members(new, self.prekeys), "absent": self.absent, "t_new": new.t, "base": self.base,
            "file_hash": self.file_hash if approvals or not old else k.ZERO32, "not_after": NOT_AFTER, "approvals": signed, "registry_ref": b""}
        k.check_header(self.network, self.header, old.committee if old else None, new, self.header["initiator"], (old.T, old.root) if old else None)
        self.sid = k.sid_of(self.header)

    def make_deals(self, dealers):
        self.deals, tables = [], ([t["members"] for t in self.old.tables] if self.old else None)
        for j in dealers:
            seed = k.deal_seed(fixed(f"deal-rand/{self.name}/{j}"), self.deciders.at(j).node_secret, self.sid)
            old = [self.old.shares[kappa][j] for kappa in range(self.m)] if self.old else None
            deal = k.make_deal(self.sid, j, seed, self.J, self.committee.t, self.receivers, self.m, old)
            deal["seed"] = seed
            dh = k.check_deal(deal, self.sid, self.J, self.committee.n, self.committee.t, self.m, dealers, self.absent, tables)
            assert dh == deal["dh"]
            self.deals.append(deal)
        self.dealers = [(d["dealer"], d["dh"]) for d in self.deals]
        self.T = k.transcript_hash(self.sid, self.dealers)

    def combine(self):
        """Shares from the pads that each receiver computes with its own prekey; absent members get theirs as if repaired."""
        positions = range(1, self.committee.n + 1)
        weights = k.lagrange([j for j, _ in self.dealers]) if self.old else {j: 1 for j, _ in self.dealers}
        self.shares, self.V, self.tables = [], [], []
        for kappa in range(1, self.m + 1):
            combined = k.combine_commitments(self.deals, kappa, weights)
            shares = {}
            for i in positions:
                parts = {}
                for deal in self.deals:
                    if i in self.prekeys:
                        x = k.open_share(deal, kappa, i, mul(self.prekeys[i]["b"], deal["E"]), self.prekeys[i]["B"])
                        assert k.share_fits(deal["keys"][kappa - 1]["C"], self.J, i, x)
                    else:
                        x = k.evaluate(deal["secret"]["polynomials"][kappa - 1], i)
                    parts[deal["dealer"]] = x
                shares[i] = sum(weights[j] * x for j, x in parts.items()) % Q
            V = {i: k.evaluate_points(combined, i) for i in positions}
            assert all(mul(shares[i], self.J) == V[i] for i in positions)
            S_i = {i: mul(shares[i], G) for i in positions}
            S = k.interpolate_points({i: S_i[i] for i in range(1, self.committee.t + 1)})
            assert S == mul(k.interpolate(shares), G)
            if self.old:
                assert combined[0] == S == self.old.tables[kappa - 1]["S"]
            key = k.key_id(self.keyset, kappa, LABELS[kappa - 1])
            tab = k.table_hash(key, self.epoch, self.branch, self.T, self.committee.n, self.committee.t, S, [S_i[i] for i in positions])
            self.shares.append(shares)
            self.V.append(V)
            self.tables.append({"key_id": key, "S": S, "members": S_i, "tab": tab, "combined": combined})
        self.root = k.root_hash(self.slot, [t["tab"] for t in self.tables])

    def prove(self):
        self.actives = []
        for i in range(1, self.committee.n + 1):
            keys = []
            for kappa, table in enumerate(self.tables):
                context = k.active_context(table["key_id"], self.epoch, self.branch, self.T, i)
                proof = dleq_prove(self.shares[kappa][i], G, fixed(f"active-rand/{self.name}/{i}/{kappa + 1}"), context, self.J)
                A = self.V[kappa][i] if self.old is None else table["members"][i]
                dleq_verify(A, G, table["members"][i], proof, context, self.J)
                keys.append({"S_i": table["members"][i], "context": context, "proof": proof})
            self.actives.append({"index": i, "keys": keys})

    def certify(self):
        """Certificates by exactly a quorum; FINAL in view 1."""
        q_new, q_old = range(1, self.committee.q + 1), range(1, self.deciders.q + 1)
        ready = [i for i in range(1, self.committee.n + 1) if i not in self.absent][:self.committee.q]
        self.value = k.value_hash(self.slot, self.sid, self.T, self.dealers)
        make = k.make_certificate
        self.candidate = make(self.network, self.committee, ready, k.CANDIDATE, 0, self.slot, self.sid, self.T, 0, k.ZERO32)
        self.notar = make(self.network, self.deciders, q_old, k.NOTAR, k.SLOT, self.slot, k.ZERO32, k.ZERO32, 1, self.value)
        self.final = make(self.network, self.deciders, q_old, k.FINAL, k.SLOT, self.slot, self.sid, self.T, 1, self.value)
        self.activation = make(self.network, self.committee, q_new, k.ACTIVATION, 0, self.slot, k.ZERO32, self.T, 0, self.root)

    def settle(self, fate):
        """FinalCert(fate) of the old committee, and the approvals behind a VOID."""
        q_old = range(1, self.deciders.q + 1)
        value = k.fate_hash(self.slot, self.sid, self.T, fate)
        if fate == k.VOID:
            self.void_approvals = k.make_certificate(self.network, self.deciders, q_old, k.VOID_APPROVALS, k.FATE, self.slot, self.sid, self.T, 0, k.ZERO32)
        return k.make_certificate(self.network, self.deciders, q_old, k.FINAL, k.FATE, self.slot, self.sid, self.T, 1, value)


class World:
    def __init__(self):
        self.creation_nonce = fixed("creation-nonce")
        self.network = k.network_id(NETWORK_NAME, self.creation_nonce)
        self.nodes = {n: node(n) for n in range(1, 7)}
        self.first = k.Committee([self.nodes[n] for n in (1, 2, 3, 4)], 3)
        self.second = k.Committee([self.nodes[n] for n in (2, 3, 4, 5, 6)], 3)
        self.keyset = k.ks_id(self.network, self.creation_nonce, self.first.hash, 3, LABELS)
        self.dkg = Epoch(self.network, self.keyset, self.first, "dkg")
        self.reshare = Epoch(self.network, self.keyset, self.second, "reshare", self.dkg, k.RESHARE, dealers=[1, 2, 4],
                             file=b"oracle network file, epoch 1\n")
        self.reshare_fate = self.reshare.settle(k.RELEASE)

    def refresh(self):
        """Epoch 2: branch 0 with member 5 absent is voided, branch 1 is released."""
        voided = Epoch(self.network, self.keyset, self.second, "refresh/0", self.reshare, k.REFRESH, dealers=[1, 3, 5], absent=[5], approvals=False)
        void = voided.settle(k.VOID)
        released = Epoch(self.network, self.keyset, self.second, "refresh/1", self.reshare, k.REFRESH, branch=1,
                         void_cert=k.certificate_id(void), dealers=[2, 3, 4], approvals=False)
        return voided, void, released, released.settle(k.RELEASE)
