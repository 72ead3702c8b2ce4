"""Nodes, committees, identifiers and the digest of a node signature (docs/TRANSCRIPTS.md sections 2 and 6)."""
from curve import G, enc, mul
from hashing import ecdsa_recover, items, keccak256, tagged, u8, u16, u32, u64
from names import *
from polynomials import thresholds


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
