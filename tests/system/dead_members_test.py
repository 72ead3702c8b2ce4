#!/usr/bin/env python3
"""Ceremonies while members are dead. n = 7, t = 4: f = 1 may be away, a quorum is 6, and three may be dead for the old epoch to
serve on."""
import re
import time
import unittest

import client
from network import wait_until
from orders import Load, Orders

ALIVE = {1: range(1, 7), 2: range(1, 6), 3: range(1, 5)}  # by the number of dead members


class DeadMembers(unittest.TestCase):
    def newest(self, network, index):
        """The ceremony of epoch 1: with a clock there is one of epoch 2 as soon as it is over."""
        return [each for each in client.fetch(network.port(index), "/v1/ceremonies")["ceremonies"] if each["epoch"] < 2][0]

    def check_names(self, network, dead):
        """Every node that is up names exactly the dead ones, and kmsctl prints them."""
        names = [f"node-{index}" for index in range(8 - dead, 8)]
        for index in ALIVE[dead]:
            def names_them():
                ceremony = self.newest(network, index)
                if sorted(text.split()[0] for text in ceremony["awaited"]) != names or ceremony["epoch"] != 1:
                    raise client.Wrong(str(ceremony))
                return True
            wait_until(names_them, f"node-{index} naming {names}", 20)
            said = self.newest(network, index)
            text = network.kmsctl("ceremonies", "--node", f"http://127.0.0.1:{network.port(index)}")
            [row] = [line for line in text.splitlines() if f" {said['kind']} " in line and line.split()[1] == "1"]
            self.assertEqual(sorted(re.findall(r"node-\d+", row)), names, text)
        print(f"{dead} dead, phase {said['phase']}: {said['summary']}; awaited: {', '.join(names)}", flush=True)

    def check_old_epoch_serves(self, network, dead):
        for index in ALIVE[dead]:
            wait_until(lambda: network.delegate(index), f"a delegation at node-{index} with {dead} dead", 10)
            self.assertEqual(network.key(index)["epoch"], 0)

    def check_released(self, network, indices, key):
        for index in indices:
            def has_share():
                newest = self.newest(network, index)
                return newest["epoch"] == 1 and newest["phase"] == "released"
            wait_until(has_share, f"epoch 1 with a share at node-{index}", 150)  # an attempt may take a minute
            self.assertEqual(network.key(index)["publicKey"], key)
            wait_until(lambda: network.delegate(index), f"a delegation at node-{index}", 10)

    def test_with_f_dead_a_refresh_completes(self):
        with Orders("f-dead", nodes=7, threshold=4) as network:
            network.start()
            network.wait_ready()
            key = network.key(1)["publicKey"]
            network.end(7)
            with Load(network, ALIVE[1]):
                began = time.monotonic()
                network.kmsctl("refresh", "--wait", 60, *network.sockets(ALIVE[1]))
                print(f"refreshed with one of seven dead: {time.monotonic() - began:.2f} s after the order", flush=True)
            self.check_released(network, ALIVE[1], key)
            network.start(7)  # it was absent, and is given its share without anybody's approval
            self.check_released(network, [7], key)

    def test_with_more_dead_it_waits_for_those_by_name_and_the_old_epoch_serves_on(self):
        with Orders("more-dead", nodes=7, threshold=4) as network:
            network.start()
            network.wait_ready()
            key = network.key(1)["publicKey"]
            network.end(6, 7)
            network.kmsctl("refresh", *network.sockets(ALIVE[2]))
            self.check_names(network, 2)
            self.check_old_epoch_serves(network, 2)
            network.end(5)
            self.check_names(network, 3)
            self.check_old_epoch_serves(network, 3)
            network.start(5, 6)
            wait_until(lambda: network.ready(6), "node-6 answering", 30)
            network.kmsctl("refresh", *network.sockets([6]))  # the sixth approval
            self.check_released(network, ALIVE[1], key)

    def test_a_refresh_by_the_clock_waits_for_the_dead_too_and_goes_on_when_they_are_back(self):
        with Orders("clock", nodes=7, threshold=4, rules='refresh_every = "1m"') as network:
            network.start()
            network.wait_ready()
            key = network.key(1)["publicKey"]
            network.end(6, 7)
            wait_until(lambda: self.newest(network, 1)["phase"] in ("idle", "collect"), "the clock's refresh", 75, pause=0.5)
            self.check_names(network, 2)
            self.check_old_epoch_serves(network, 2)
            network.end(5)
            self.check_names(network, 3)
            self.check_old_epoch_serves(network, 3)
            network.start(5, 6)
            self.check_released(network, ALIVE[1], key)


if __name__ == "__main__":
    unittest.main(verbosity=2)
