#!/usr/bin/env python3
"""A node whose data folder was put back to an older state while an epoch was being made: it may have voted, for all it knows."""
import shutil
import time
import unittest

import client
from network import wait_until
from orders import Orders


class StaleDisk(unittest.TestCase):
    def newest(self, network, index):
        return client.fetch(network.port(index), "/v1/ceremonies")["ceremonies"][0]

    def put_back(self, network, index, backup):
        network.end(index)
        data = network.folder.node(index) / "data"
        shutil.rmtree(data)
        shutil.copytree(backup, data)
        network.start(index)
        wait_until(lambda: network.ready(index), f"node-{index} answering", 30)

    def test_it_does_not_vote_in_the_slot_that_was_open_even_if_its_vote_is_the_one_that_lacks(self):
        with Orders("stale-vote", nodes=7, threshold=4) as network:  # a decision needs six
            network.start()
            network.wait_ready()
            network.end(4, 7)
            backup = network.path / "backup"
            shutil.copytree(network.folder.node(4) / "data", backup,
                            ignore=shutil.ignore_patterns("admin.sock", "store.lock"))
            network.start(4)
            wait_until(lambda: network.ready(4).status == 200, "node-4 back", 30)
            network.kmsctl("refresh", *network.sockets([1, 2, 3, 4, 5]))

            def has_heard_all():
                plans = client.fetch(network.port(6), "/v1/ceremonies")["approvals"]
                return len(plans) == 1 and len(plans[0]["by"]) == 5
            wait_until(has_heard_all, "five approvals at node-6", 20)
            self.put_back(network, 4, backup)
            self.assertIn("data folder is older", network.log(4))
            network.kmsctl("refresh", *network.sockets([6]))  # the sixth: node-4's was heard before its loss
            wait_until(lambda: self.newest(network, 1)["phase"] in ("idle", "collect"), "the slot being open", 30)
            time.sleep(8)
            self.assertEqual([network.epoch(index) for index in range(1, 7)], [0] * 6, "with node-4's vote it were decided")
            awaited = {text.split()[0] for text in self.newest(network, 1)["awaited"]}
            self.assertIn("node-7", awaited)
            self.assertIn("keeps out", network.kmsctl("refresh", *network.sockets([4]), fails=True))
            for index in range(1, 7):
                wait_until(lambda: network.delegate(index), f"node-{index} serving the old epoch", 10)
            began = time.monotonic()
            network.start(7)
            wait_until(lambda: network.ready(7), "node-7 answering", 30)
            network.kmsctl("refresh", *network.sockets([7]))  # a member takes part once its operator has said so
            for index in network.members:
                def has_share():
                    newest = self.newest(network, index)
                    return newest["epoch"] == 1 and newest["phase"] == "released"
                wait_until(has_share, f"node-{index} with a share of epoch 1", 200)
            print(f"all seven have their shares {time.monotonic() - began:.2f} s after node-7's launch", flush=True)
            for index in network.members:
                wait_until(lambda: network.delegate(index), f"a delegation at node-{index}", 10)
                self.assertNotIn("; evidence 0x", network.log(index))


if __name__ == "__main__":
    unittest.main(verbosity=2)
