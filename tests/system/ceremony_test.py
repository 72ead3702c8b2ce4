#!/usr/bin/env python3
"""Five processes make a key that nobody holds, and answer with it."""
import itertools
import unittest

import client
import published_key
from network import Network


def shown(key):
    """What all nodes must say alike: of certificates, each may hold the signatures of another quorum."""
    out = {name: value for name, value in key.items() if name != "certificates"}
    return out | {name: key["certificates"][name] for name in ("header", "deals")}


class Ceremony(unittest.TestCase):
    def test_five_nodes_agree_on_one_key_and_each_answers_for_it(self):
        with Network("ceremony") as network:
            network.start()
            network.wait_ready()
            self.check_agreement(network)
            self.check_delegations(network)
            self.check_repetition(network)
            for index in network.members:
                self.assertNotIn("blame", network.log(index))

    def check_agreement(self, network):
        keys = [network.key(index) for index in network.members]
        first = keys[0]
        self.assertEqual((first["threshold"], first["memberCount"], first["epoch"], first["origin"]),
                         (3, 5, 0, "generated"))
        for index, key in zip(network.members, keys):
            absent = published_key.check(network.folder.network, key)
            self.assertEqual(absent, [], f"node-{index}")
            self.assertEqual(shown(key), shown(first), f"node-{index}")
            self.assertEqual(client.point(key["publicKey"]), network.public_key(index))
        shares = {member["index"]: client.point(member["publicShare"]) for member in first["members"]}
        self.assertEqual(sorted(shares), [1, 2, 3, 4, 5])
        self.assertEqual(len(set(shares.values())), 5)
        for some in itertools.combinations(shares, 3):
            self.assertEqual(client.interpolate({i: shares[i] for i in some}), client.point(first["publicKey"]), some)
        for some in itertools.combinations(shares, 2):
            self.assertNotEqual(client.interpolate({i: shares[i] for i in some}), client.point(first["publicKey"]), some)

    def check_delegations(self, network):
        for index in network.members:
            network.delegate(index)

    def check_repetition(self, network):
        request = network.request(1)
        seen = [network.delegate(index, request) for index in (1, 1, 2, 5)]
        self.assertEqual(len(set(seen)), len(seen), "the same ciphertext twice: OAEP without randomness")


if __name__ == "__main__":
    unittest.main(verbosity=2)
