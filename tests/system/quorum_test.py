#!/usr/bin/env python3
"""Nodes that are killed, with SIGKILL, and come back."""
import time
import unittest

import client
from network import Network, wait_until


class Quorum(unittest.TestCase):
    def test_a_3_of_5_network_outlives_two_kills_refuses_after_three_and_returns_with_one_restart(self):
        with Network("quorum") as network:
            network.start()
            network.wait_ready()
            before = network.key(1)
            network.end(2, 4)
            for index in (1, 3, 5):
                for _ in range(3):
                    network.delegate(index)
            network.end(5)
            self.check_refusal(network)
            restarted = time.monotonic()
            network.start(5)
            self.check_service(network, restarted, before)
            network.start(2, 4)
            network.wait_ready()
            for index in network.members:
                network.delegate(index)
                self.check_same_key(network, index, before)

    def check_refusal(self, network):
        request = network.request(1)
        for index in (1, 3):
            answer = request.send(network.port(index))
            self.assertEqual(answer.status, 503, answer)
            self.assertLess(answer.seconds, 3.0)
            self.assertTrue(answer.json["error"].startswith("Unavailable: "), answer)
            self.assertIn("application/json", answer.headers["content-type"])
            ready = wait_until(lambda: (lambda said: said.status == 503 and said)(network.ready(index)),
                               f"node-{index} noticing", 3)
            missing = ready.json["missing"]
            self.assertEqual(sorted(text.split()[0] for text in missing), ["node-2", "node-4", "node-5"], ready)
            self.assertIn("2 of the 3 shares", " ".join(ready.json["reasons"]))
            again = request.send(network.port(index))
            self.assertEqual(again.status, 503, again)
            self.assertLess(again.seconds, 3.0)

    def check_service(self, network, restarted, before):
        """Three members are up: an answer needs the share of the one that came back."""
        for index in (5, 1, 3):
            request = client.Request(client.point(before["publicKey"]), network.gateway_secret)

            def answered():
                answer = request.send(network.port(index), timeout=3)
                return answer.status == 200 and answer
            answer = wait_until(answered, f"service at node-{index}", 5 - (time.monotonic() - restarted))
            request.check(answer, network.signer)
        self.assertLess(time.monotonic() - restarted, 5.0)
        self.check_same_key(network, 5, before)

    def check_same_key(self, network, index, before):
        now = network.key(index)
        for field in ("publicKey", "transcript", "members", "epoch"):
            self.assertEqual(now[field], before[field], f"{field} of node-{index}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
