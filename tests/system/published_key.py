"""What a node publishes of a key (GET /v1/keys/{keyId}) against the network file, by the oracle: who the members are, that a
quorum of them decided on these Deals and confirmed this table. Nothing a node says is believed without a signature."""
import tomllib

import client  # finds the oracle
import chain
import kms_oracle as oracle


class Fields:
    """A Protobuf message as {field number: [values in order]}; wire types 0 and 2, all that our messages use."""

    def __init__(self, raw):
        self.fields, at = {}, 0
        while at < len(raw):
            tag, at = self._varint(raw, at)
            value, at = self._varint(raw, at)
            if tag & 7 == 2:
                assert at + value <= len(raw), "cut short"
                value, at = raw[at:at + value], at + value
            else:
                assert tag & 7 == 0, f"wire type {tag & 7}"
            self.fields.setdefault(tag >> 3, []).append(value)

    @staticmethod
    def _varint(raw, at):
        out = shift = 0
        while True:
            byte, at = raw[at], at + 1
            out |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return out, at

    def number(self, field):
        return self.fields.get(field, [0])[0]

    def bytes(self, field, absent=b""):
        return self.fields.get(field, [absent])[0]

    def each(self, field):
        return self.fields.get(field, [])

    def packed(self, field):
        out = []
        for value in self.each(field):
            if isinstance(value, int):
                out.append(value)
                continue
            at = 0
            while at < len(value):
                number, at = self._varint(value, at)
                out.append(number)
        return out


def header(raw):
    """proto/kms.proto, CeremonyHeader, as the oracle's dictionary."""
    message, zero = Fields(raw), oracle.ZERO32
    members = []
    for each in map(Fields, message.each(18)):
        members.append({"node": each.bytes(1), "sig_pk": each.bytes(2), "B": each.bytes(3, bytes(33)), "pok": each.bytes(4),
                        "psig": each.bytes(5)})
    return {"kind": message.number(1), "origin": message.number(2), "decider": message.number(3),
            "emergency": message.number(4), "ks_id": message.bytes(5), "labels": message.each(7), "epoch": message.number(8),
            "branch": message.number(9), "void_cert": message.bytes(10, zero), "attempt": message.number(11),
            "initiator": message.number(12), "old_committee_hash": message.bytes(13, zero), "n": message.number(14),
            "t": message.number(15), "T_e": message.bytes(16, zero), "root_e": message.bytes(17, zero), "new": members,
            "absent": message.packed(19), "t_new": message.number(20), "base": message.number(21),
            "file_hash": message.bytes(22), "not_after": message.number(23), "approvals": [],
            "registry_ref": message.bytes(25)}


def certificate(raw):
    message, zero = Fields(raw), oracle.ZERO32
    votes = [(vote.number(1), vote.bytes(2)) for vote in map(Fields, message.each(8))]
    return oracle.certificate(message.number(1), message.number(2), message.bytes(3), message.bytes(4, zero),
                              message.bytes(5, zero), message.number(6), message.bytes(7, zero), votes,
                              message.bytes(9, zero))


def unhex(text):
    assert text.startswith("0x") and text == text.lower()
    return bytes.fromhex(text[2:])


class Member:
    def __init__(self, key):
        self.sig_pk = client.point(key)
        self.node_id = oracle.node_id(self.sig_pk)


def check(network_file, key):
    """Raises if anything does not hold; returns the positions absent from the ceremony."""
    raw = network_file.read_bytes()
    file = tomllib.loads(raw.decode())
    network = oracle.network_id(file["name"], unhex(file["creation_nonce"]))
    committee = oracle.Committee([Member(member["key"]) for member in file["member"]], file["threshold"])
    label = oracle.label(key["chainId"], unhex(key["contract"]))
    key_set = oracle.ks_id(network, unhex(file["creation_nonce"]), committee.hash, committee.t, [label])
    assert unhex(key["keyId"]) == oracle.key_id(key_set, 1, label), "keyId"

    assert [member["index"] for member in key["members"]] == list(range(1, committee.n + 1))
    for member in key["members"]:
        expected = committee.at(member["index"])
        assert unhex(member["nodeId"]) == expected.node_id and client.point(member["nodeKey"]) == expected.sig_pk
        assert unhex(member["address"]) == expected.node_id[12:], "address"

    certificates = key["certificates"]
    decided = header(unhex(certificates["header"]))
    assert decided["ks_id"] == key_set and decided["file_hash"] == oracle.file_hash(raw), "another network file"
    dealers = [(deal["dealer"], unhex(deal["deal"])) for deal in certificates["deals"]]
    table = {"S": client.point(key["publicKey"]), "members": [client.point(member["publicShare"]) for member in key["members"]]}
    link = {"branch": 0, "header": decided, "list": dealers, "final": certificate(unhex(certificates["final"])),
            "activation": certificate(unhex(certificates["activation"])), "fate": None, "voids": [], "tables": [table]}
    transcript, _ = chain.check_chain(network, [link], [committee])
    assert transcript == unhex(key["transcript"]), "transcript"
    return decided["absent"]
