#!/usr/bin/env python3
"""Operators' orders at real nodes: refresh, other committees, repair of a lost share. The public key never changes."""
import json
import os
import shutil
import signal
import time
import unittest

import client
from network import ROOT, wait_until
from orders import GRACE_SECONDS, Load, Orders


class ChangedCommittee(unittest.TestCase):
    def step(self, network, nodes, threshold, everybody):
        epoch = network.epoch(1) + 1
        key = network.key(1)["publicKey"]
        with Load(network, range(1, min(nodes, network.plan.nodes) + 1)):
            network.kmsctl("reshare", "--wait", 60, network.next_file(nodes, threshold, epoch),
                           *network.sockets(everybody))
            for index in range(1, nodes + 1):
                wait_until(lambda: network.ready(index).status == 200, f"node-{index} ready", 20)
            time.sleep(1)
        for index in range(1, nodes + 1):
            now = network.key(index)
            self.assertEqual((now["publicKey"], now["epoch"], now["threshold"], len(now["members"])),
                             (key, epoch, threshold, nodes), f"node-{index}")
            network.delegate(index)
        return epoch

    def test_from_five_to_seven_to_four_with_one_public_key_and_no_failed_delegation(self):
        with Orders("committees") as network:
            network.start()
            network.wait_ready()
            first = network.key(1)["publicKey"]
            network.add_nodes(7)
            self.step(network, 7, 4, range(1, 8))
            self.step(network, 4, 2, range(1, 8))
            self.assertEqual(network.key(1)["publicKey"], first)
            network.kmsctl("refresh", "--wait", 60, *network.sockets(range(1, 5)))
            self.assertEqual(network.key(1)["publicKey"], first)
            for index in range(1, 5):
                network.delegate(index)
            # What is superseded is gone after the grace period, also at those that left.
            current = client.fetch(network.port(1), "/v1/ceremonies")["ceremonies"][0]["id"][2:]
            for index in range(1, 8):
                wait_until(lambda: network.has_erased(index), f"erasure at node-{index}", GRACE_SECONDS + 15)
            self.assertEqual(network.ready(7).status, 503)
            network.end(*network.members, number=signal.SIGTERM)
            for index in range(1, 8):
                held = network.stored(index, "slot/%/share") + network.stored(index, "slot/%/epoch")
                self.assertEqual(sorted(held), [f"slot/{current}/epoch", f"slot/{current}/share"] if index < 5 else [],
                                 f"shares and their keys on the disk of node-{index}")
                self.assertNotIn("blame", network.log(index))

    def test_no_quorum_no_change_and_the_nodes_say_who_approved(self):
        with Orders("quorum") as network:
            network.start()
            network.wait_ready()
            file = network.next_file(5, 2, 1)
            network.kmsctl("approve", file, *network.sockets([1, 2, 3]))
            time.sleep(2)
            self.assertEqual([network.epoch(index) for index in network.members], [0] * 5)

            def pending():
                plans = client.fetch(network.port(5), "/v1/ceremonies")["approvals"]
                return len(plans) == 1 and len(plans[0]["by"]) == 3 and plans[0]["epoch"] == 1
            wait_until(pending, "node-5 naming the three approvals", 15)
            text = network.kmsctl("refresh", *network.sockets([1]), fails=True)
            self.assertIn("has approved a file for epoch 1", text)
            network.kmsctl("approve", file, *network.sockets([4]))
            for index in network.members:  # node-5's operator said nothing: it follows what the others decided
                wait_until(lambda: network.epoch(index) == 1, f"node-{index} in epoch 1", 60)
                wait_until(lambda: network.ready(index).status == 200, f"node-{index} ready", 20)
                network.delegate(index)

    def test_a_new_member_whose_operator_comes_late_is_given_its_share(self):
        with Orders("late") as network:
            network.start()
            network.wait_ready()
            network.add_nodes(6)
            file = network.next_file(6, 3, 1)
            network.kmsctl("approve", file, *network.sockets([1, 2, 3, 4, 5]))
            for index in range(1, 7):
                wait_until(lambda: network.epoch(index) == 1, f"node-{index} in epoch 1", 60)
            time.sleep(2)
            self.assertEqual(network.ready(6).status, 503)
            self.assertEqual(client.fetch(network.port(6), "/v1/ceremonies")["ceremonies"], [])
            network.kmsctl("approve", file, *network.sockets([6]))
            for _ in range(2):  # also after a restart
                wait_until(lambda: client.fetch(network.port(6), "/v1/ceremonies")["ceremonies"][0]["phase"] == "released",
                           "the share of node-6", 30)
                wait_until(lambda: network.ready(6).status == 200, "node-6 ready", 20)
                network.delegate(6)
                network.end(6)
                network.start(6)

    def test_an_approval_that_is_over_gives_way(self):
        with Orders("expiry") as network:
            network.start()
            network.wait_ready()
            file = network.next_file(5, 2, 1)
            for index in (1, 2):
                answer = network.order(index, "approve", {"file": file.read_text(), "notAfter": int(time.time()) + 3})
                self.assertEqual(answer.status, 200, answer)
            text = network.kmsctl("refresh", *network.sockets([1]), fails=True)
            self.assertIn("has approved a file for epoch 1", text)

            def refresh_is_accepted():
                return all(network.order(index, "refresh", {}).status == 200 for index in (1, 2))
            wait_until(refresh_is_accepted, "the approvals being over", 30, pause=1)
            network.kmsctl("refresh", "--wait", 60, *network.sockets([3, 4, 5]))
            text = network.kmsctl("approve", file, *network.sockets([1]), fails=True)
            self.assertIn("write epoch = 2", text)

    def test_the_documented_shapes_are_the_real_ones(self):
        text = (ROOT / "docs/API.md").read_text().split("## GET /v1/ceremonies\n")[1]
        documented = json.loads(text[:text.index("\n`epoch` is")])
        with Orders("shapes", nodes=1, threshold=1) as network:
            network.start()
            network.wait_ready()
            real = client.fetch(network.port(1), "/v1/ceremonies")
            self.assertEqual(set(documented), set(real))
            self.assertEqual(set(documented["ceremonies"][0]), set(real["ceremonies"][0]))
            one = client.fetch(network.port(1), "/v1/ceremonies/" + real["ceremonies"][0]["id"])
            self.assertEqual(set(one) - set(real["ceremonies"][0]), {"events"})
            self.assertEqual(set(one["events"][0]), {"at", "member", "text"})
            self.assertEqual(client.ask(network.port(1), "/v1/ceremonies/0x00").status, 404)

    def test_a_wrong_file_is_refused_with_the_reason(self):
        with Orders("wrong") as network:
            network.start()
            network.wait_ready()
            file = network.next_file(5, 4, 1)
            good = file.read_text()
            for change, reason in [(("epoch = 1", "epoch = 3"), "write epoch = 1"),
                                   (('name = "testnet', 'name = "other'), "another network"),
                                   (("id = 31337", "id = 31338"), "never change"),
                                   (("threshold = 4", "threshold = 2"), "allow_lower_threshold = true"),
                                   (("threshold = 4", "threshold = 9"), "threshold")]:
                file.write_text(good.replace(*change, 1))
                self.assertIn(reason, network.kmsctl("approve", file, *network.sockets([1]), fails=True))
            file.write_text(good)
            network.kmsctl("approve", file, *network.sockets([1]))
            file.write_text(good + "# changed\n")
            self.assertIn("one file per epoch", network.kmsctl("approve", file, *network.sockets([1]), fails=True))
            answer = client.ask(network.port(1), "/v1/admin/refresh", "POST", "{}")
            self.assertEqual(answer.status, 404)
            self.assertEqual(oct(os.stat(network.socket_of(1)).st_mode & 0o777), "0o600")


class LostDisk(unittest.TestCase):
    def wipe(self, network, index):
        network.end(index)
        shutil.rmtree(network.folder.node(index) / "data")
        (network.folder.node(index) / "data").mkdir(mode=0o700)
        network.start(index)
        wait_until(lambda: network.epoch(index) == network.epoch(1 if index != 1 else 2), "learning the epoch", 30)

    def has_share(self, network, index):
        return client.fetch(network.port(index), "/v1/ceremonies")["ceremonies"][0]["phase"] == "released"

    def test_a_wiped_node_gets_its_share_back_once_a_quorum_of_operators_approves(self):
        with Orders("wiped") as network:
            network.start()
            network.wait_ready()
            transcript = network.key(1)["transcript"]
            self.wipe(network, 3)
            network.kmsctl("repair", "node-3", *network.sockets([1, 2, 4]))
            time.sleep(3)
            self.assertFalse(self.has_share(network, 3), "three approvals are no quorum of five")
            began = time.monotonic()
            network.kmsctl("repair", "node-3", *network.sockets([5]))
            wait_until(lambda: self.has_share(network, 3), "the repair", 60)
            wait_until(lambda: network.delegate(3), "a delegation at node-3", 60 - (time.monotonic() - began))
            print(f"back in service {time.monotonic() - began:.2f} s after the last approval", flush=True)
            self.assertEqual(network.key(3)["transcript"], transcript)
            network.end(1, 2)  # now its share is needed
            for index in (3, 4, 5):
                wait_until(lambda: network.delegate(index), f"an answer of node-{index}", 10)
                self.assertNotIn("blame", network.log(index))

    def test_without_repair_approval_it_gets_its_share_back_alone(self):
        with Orders("alone", rules="repair_approval = false") as network:
            network.start()
            network.wait_ready()
            began = time.monotonic()
            self.wipe(network, 2)
            wait_until(lambda: self.has_share(network, 2), "the repair", 10 - (time.monotonic() - began))
            wait_until(lambda: network.delegate(2), "a delegation at node-2", 10 - (time.monotonic() - began))
            print(f"back in service {time.monotonic() - began:.2f} s after the loss", flush=True)
            network.end(1, 3)
            for index in (2, 4, 5):
                wait_until(lambda: network.delegate(index), f"an answer of node-{index}", 10)

    def test_a_node_with_an_old_disk_does_not_bring_an_erased_epoch_back(self):
        with Orders("stale") as network:
            network.start()
            network.wait_ready()
            data = network.folder.node(4) / "data"
            network.end(4)
            copy = network.path / "backup"
            shutil.copytree(data, copy, ignore=shutil.ignore_patterns("admin.sock", "store.lock"))
            network.start(4)
            wait_until(lambda: network.ready(4).status == 200, "node-4 back", 20)
            network.kmsctl("refresh", "--wait", 60, *network.sockets(network.members))
            old = [each["id"][2:] for each in client.fetch(network.port(1), "/v1/ceremonies")["ceremonies"]][-1]
            wait_until(lambda: network.has_erased(4), "erasure", GRACE_SECONDS + 15)
            network.end(4, number=signal.SIGTERM)
            self.assertFalse(network.stored(4, f"slot/{old}/share"))
            shutil.rmtree(data)
            shutil.copytree(copy, data)
            self.assertTrue(network.stored(4, f"slot/{old}/share"), "the copy holds the old share")
            network.start(4)
            wait_until(lambda: network.epoch(4) == 1, "node-4 learning that its epoch is over", 20)
            wait_until(lambda: network.has_erased(4), "erasure of the old share at once", 2)
            self.assertFalse(self.has_share(network, 4))
            self.assertIn("data folder is older", network.log(4))
            network.kmsctl("repair", "node-4", *network.sockets([1, 2, 3, 5]))
            wait_until(lambda: self.has_share(network, 4), "the repair", 60)
            network.delegate(4)
            # It may have voted in the slot that comes next, for all it knows: it keeps out, and is given its share.
            self.assertIn("keeps out", network.kmsctl("refresh", *network.sockets([4]), fails=True))
            network.kmsctl("refresh", "--wait", 60, *network.sockets([1, 2, 3, 5]))
            wait_until(lambda: network.epoch(4) == 2 and self.has_share(network, 4), "node-4 in epoch 2", 60)
            network.delegate(4)
            network.kmsctl("refresh", "--wait", 60, *network.sockets(network.members))
            network.end(4, number=signal.SIGTERM)
            self.assertFalse(network.stored(4, f"slot/{old}/share"), "the old share is gone from the old disk, too")


if __name__ == "__main__":
    unittest.main(verbosity=2)
