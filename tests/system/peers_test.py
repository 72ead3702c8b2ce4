#!/usr/bin/env python3
"""Who is connected to whom: dead links are known in seconds, and operators see why."""
import json
import os
import signal
import subprocess
import time
import unittest

import client
from network import BIN, Network, wait_until


def peers(network, index):
    answer = client.fetch(network.port(index), "/v1/peers")
    return {peer["name"]: peer for peer in answer["peers"]}


class Peers(unittest.TestCase):
    def test_a_stopped_member_is_missed_within_seconds_and_comes_back(self):
        with Network("peers") as network:
            network.start()
            network.wait_ready()
            before = peers(network, 1)
            self.assertEqual(sorted(before), ["node-2", "node-3", "node-4", "node-5"])
            for peer in before.values():
                self.assertTrue(peer["connected"] and peer["pubsub"])
                self.assertEqual(peer["class"], "committee")
                self.assertGreater(peer["bytesIn"], 0)
            stopped = network.processes["node-5"].child.pid
            os.kill(stopped, signal.SIGSTOP)
            try:
                began = time.monotonic()
                wait_until(lambda: not peers(network, 1)["node-5"]["connected"], "node-1 missing node-5", 12)
                print(f"missed after {time.monotonic() - began:.1f} s", flush=True)
                close = peers(network, 1)["node-5"]["lastClose"]
                self.assertIn(close["reason"], ("unresponsive", "remote_closed"))
                missing = network.ready(1).json["missing"]
                self.assertEqual([text.split()[0] for text in missing], ["node-5"])
                network.delegate(1)
                self.check_table(network)
            finally:
                os.kill(stopped, signal.SIGCONT)
            wait_until(lambda: peers(network, 1)["node-5"]["connected"], "node-5 coming back", 30)
            network.wait_ready()

    def check_table(self, network):
        where = ["--node", f"http://127.0.0.1:{network.port(1)}"]
        table = subprocess.run([BIN / "kmsctl", "peers", *where], check=True, capture_output=True, text=True).stdout
        lines = table.splitlines()
        self.assertEqual(lines[0], f"node-1 at {where[1]}: 3 of 4 peers connected")
        self.assertTrue(lines[1].startswith("PEER"))
        self.assertEqual([line.split()[0] for line in lines[2:]], ["node-2", "node-3", "node-4", "node-5"])
        self.assertIn("away: ", lines[5])
        said = json.loads(subprocess.run([BIN / "kmsctl", "peers", "--json", *where], check=True,
                                         capture_output=True).stdout)
        self.assertEqual(len(said["nodes"][0]["peers"]), 4)
        text = network.metric_text(1)
        self.assertIn('kms_p2p_peer_connected{peer="node-5"} 0', text)
        self.assertRegex(text, r'kms_p2p_connections_closed_total\{reason="unresponsive"\} \d')


if __name__ == "__main__":
    unittest.main()
