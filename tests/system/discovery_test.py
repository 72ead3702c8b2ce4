#!/usr/bin/env python3
"""Nodes that are told one address of one member each, in a network whose file names no addresses."""
import json
import re
import time
import unittest

import client
from network import BIN, Network, free_port, wait_until

MEET_SECONDS = 30


class Sparse(Network):
    """Node i knows only node `knows[i]`."""

    def __init__(self, name, knows, nodes=5, threshold=3):
        super().__init__(name, nodes, threshold)
        text = self.folder.network.read_text()
        self.folder.network.write_text(re.sub(r"(?m)^addresses = .*\n", "", text))
        self.folder.peers.unlink()
        for index in self.members:
            self.tell(index, knows[index])

    def address(self, index):
        return f'{self.plan.multiaddr(index)}/p2p/{self.identities[index - 1]["peerId"]}'

    def settings(self, index):
        return self.folder.node(index) / "node.toml"

    def tell(self, index, other):
        """From its next start the node knows this one and nobody else."""
        text = self.settings(index).read_text()
        text = re.sub(r"(?m)^peers(_file)? = .*$", f"peers = [{json.dumps(self.address(other))}]", text)
        self.settings(index).write_text(text)

    def move(self, index, port):
        text = self.settings(index).read_text()
        text = re.sub(r'(?m)^listen = \["/ip4.*$', f'listen = ["/ip4/127.0.0.1/tcp/{port}"]', text)
        self.settings(index).write_text(text)

    def missing(self, index):
        """Names of members without a connection to this one."""
        for line in client.ask(self.port(index), "/metrics").body.decode().splitlines():
            if line.startswith("kms_p2p_members_missing "):
                return int(float(line.split()[1]))
        raise AssertionError("no metric kms_p2p_members_missing")

    def wait_all_meet(self, *indices, but=0, seconds=MEET_SECONDS):
        for index in indices or self.running():
            wait_until(lambda: self.missing(index) == but, f"node-{index} missing {but}", seconds)


class Discovery(unittest.TestCase):
    def test_a_ring_closes_and_makes_a_key(self):
        with Sparse("ring", {1: 2, 2: 3, 3: 4, 4: 5, 5: 1}) as network:
            network.start()
            network.wait_all_meet()
            network.wait_ready()
            network.delegate(1)
            network.delegate(4)

    def test_a_node_with_one_address_on_the_command_line_finds_all(self):
        with Sparse("flag", {1: 2, 2: 1, 3: 1, 4: 1, 5: 1}) as network:
            network.start(1, 2, 3, 4)
            network.wait_all_meet(but=1)
            settings = network.settings(5)
            settings.write_text(re.sub(r"(?m)^peers = .*\n", "", settings.read_text()))
            network.run("node-5", [BIN / "kms-node", "--config", settings, "--peer", network.address(3)],
                        network.folder.log(5), network.folder.node(5))
            network.wait_all_meet()
            network.wait_ready()

    def test_a_node_that_moves_is_found_and_records_outlive_a_restart(self):
        with Sparse("move", {1: 2, 2: 1, 3: 1, 4: 1, 5: 1}) as network:
            network.start()
            network.wait_all_meet()
            network.wait_ready()
            network.end(5)
            network.wait_all_meet(1, 2, 3, 4, but=1)
            network.move(5, free_port())
            network.tell(5, 2)  # it may know others from its store, whose addresses still hold
            network.start(5)
            network.wait_all_meet()
            network.delegate(5)
            # Node 3 was told the address of node 1 only, which is away now: it goes by what it kept.
            time.sleep(6)  # records are saved within five seconds
            network.end(1, 3)
            network.start(3)
            network.wait_all_meet(3, but=1)
            network.wait_ready(3)
            network.delegate(3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
