#!/usr/bin/env python3
"""A network that has lost its quorum for ever, healed by its operators; the public key never changes."""
import shutil
import signal
import time
import unittest

import client
from network import wait_until
from orders import GRACE_SECONDS, Orders, layout


def emergency(network, index):
    return client.fetch(network.port(index), "/v1/ceremonies")["emergency"]


def file_of(network, members, threshold, epoch):
    """The network file of the next epoch for these nodes."""
    plan = layout.Plan(len(members), threshold, network.plan.base_port)
    file = network.folder.next_network(epoch)
    file.write_text(layout.later_network_text(network.folder, plan, [network.identities[i - 1] for i in members], epoch,
                                              False, members))
    return file


class Emergency(unittest.TestCase):
    def lose_one(self, network):
        """2 of 3, and node-3 is gone with its disk."""
        network.start()
        network.wait_ready()
        network.end(3)
        shutil.rmtree(network.folder.node(3))
        return network.key(1)["publicKey"]

    def add_fourth(self, network):
        """add_nodes writes the settings of all nodes: the folder of the lost one is there for a moment."""
        network.folder.node(3).mkdir()
        network.add_nodes(4)
        shutil.rmtree(network.folder.node(3))

    def check_healed(self, network, public_key, members):
        for index in members:
            wait_until(lambda: network.epoch(index) == 1, f"node-{index} in epoch 1", 30)
            wait_until(lambda: network.ready(index).status == 200, f"node-{index} ready", 30)
            now = network.key(index)
            self.assertEqual((now["publicKey"], now["epoch"], len(now["members"])), (public_key, 1, len(members)))
            network.delegate(index)
        for index in (1, 2):
            wait_until(lambda: network.has_erased(index), f"erasure at node-{index}", GRACE_SECONDS + 20)
        current = client.fetch(network.port(1), "/v1/ceremonies")["ceremonies"][0]["id"][2:]
        for index in members:
            network.end(index, number=signal.SIGTERM)
            held = network.stored(index, "slot/%/share") + network.stored(index, "slot/%/epoch")
            self.assertEqual(sorted(held), [f"slot/{current}/epoch", f"slot/{current}/share"], f"disk of node-{index}")
            self.assertNotIn("blame", network.log(index))
            network.start(index)
        for index in members:  # and after a restart
            wait_until(lambda: network.ready(index).status == 200, f"node-{index} ready again", 30)
            network.delegate(index)

    def test_two_of_three_with_a_fresh_third(self):
        with Orders("emergency", nodes=3, threshold=2) as network:
            key = self.lose_one(network)
            self.add_fourth(network)
            file = file_of(network, [1, 2, 4], 2, 1)
            sockets = network.sockets([1, 2])
            text = network.kmsctl("reshare", "--wait", 3, file, *sockets, *network.sockets([4]), fails=True)
            self.assertIn("not done within", text)
            self.assertEqual(network.epoch(1), 0, "approvals alone are too few")
            self.assertIn("--yes", network.kmsctl("reshare", "--emergency", file, *sockets, fails=True))
            said = emergency(network, 1)
            self.assertEqual((said["quorum"], said["safeBelow"], said["ordered"]), (2, 1, False))
            text = network.kmsctl("reshare", "--emergency", "--yes", "--wait", 90, file, *sockets,
                                  *network.sockets([4]))
            self.assertIn("naming the dealing 0x", text)
            self.check_healed(network, key, [1, 2, 4])

    def test_two_of_three_go_on_as_two_of_two(self):
        with Orders("pair", nodes=3, threshold=2) as network:
            key = self.lose_one(network)
            file = file_of(network, [1, 2], 2, 1)
            # One operator after the other, each at its own node, as it is in life.
            answer = network.order(1, "emergency", {"file": file.read_text()})
            self.assertEqual(answer.status, 409)
            self.assertIn("fewer than 1", answer.json["error"])
            self.assertEqual(network.order(1, "emergency", {"file": file.read_text(), "safeBelow": 1}).status, 200)
            time.sleep(2)
            self.assertEqual(emergency(network, 1)["choices"], [], "one operator of two is none")
            self.assertEqual(network.order(2, "emergency", {"file": file.read_text(), "safeBelow": 1}).status, 200)
            choices = wait_until(lambda: emergency(network, 1)["choices"], "the dealing", 60)
            self.assertEqual(len(choices), 1)
            wait_until(lambda: emergency(network, 2)["choices"], "the dealing at node-2", 10)
            named = choices[0]["transcript"]
            wrong = network.order(1, "emergency", {"transcript": "0x" + "11" * 32})
            self.assertEqual(wrong.status, 409)
            self.assertIn("no certificate", wrong.json["error"])
            self.assertEqual(network.order(1, "emergency", {"transcript": named}).status, 200)
            time.sleep(2)
            self.assertEqual(network.epoch(1), 0)
            network.end(1)  # what it has signed binds it after a restart, too
            network.start(1)
            wait_until(lambda: emergency(network, 1)["signed"] == named, "node-1 remembering what it signed", 20)
            self.assertEqual(network.order(2, "emergency", {"transcript": named}).status, 200)
            self.check_healed(network, key, [1, 2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
