#!/usr/bin/env python3
"""The two ways to carry the committee's topics: each makes a key, answers at every node and survives a missing member."""
import unittest

from network import Network

MESH = "members' messages travel along a mesh"
STRAIGHT = "members send their messages straight to all"


class Gossip(unittest.TestCase):
    def run_network(self, environment, said):
        with Network("gossip") as network:
            network.start(environment=environment)
            network.wait_ready()
            for index in network.members:
                self.assertIn(said, network.log(index))
                network.delegate(index)
            network.end(5)
            for index in network.running():
                network.delegate(index)

    def test_a_mesh_where_an_operator_wants_one(self):
        self.run_network({"KMS_P2P__GOSSIP": "mesh"}, MESH)

    def test_straight_to_all_in_a_small_committee(self):
        self.run_network({}, STRAIGHT)


if __name__ == "__main__":
    unittest.main()
