#!/usr/bin/env python3
"""Operators say who is denied, and say otherwise again, without a restart."""
import signal
import unittest

import client
from network import Network, wait_until


def peers(network, index):
    return {peer["name"]: peer for peer in client.fetch(network.port(index), "/v1/peers")["peers"]}


class Classes(unittest.TestCase):
    def test_a_denied_peer_is_closed_at_once_and_comes_back_when_it_is_not(self):
        with Network("classes") as network:
            classes = network.path / "classes.txt"
            classes.write_text("# nobody yet\n")
            network.start(1, environment={"KMS_P2P__CLASSES_FILE": str(classes)})
            network.start(2, 3, 4, 5)
            network.wait_ready()
            peer_id = network.identities[4]["peerId"]

            def reload(text, said):
                classes.write_text(text)
                known = network.log(1).count(said)
                network.processes["node-1"].signal(signal.SIGHUP)
                wait_until(lambda: network.log(1).count(said) > known, said, 10)

            reload(f"denied {peer_id}\n", "0 peers light, 1 peers denied")
            wait_until(lambda: not peers(network, 1).get("node-5", {"connected": False})["connected"], "closing", 10)
            self.assertRegex(network.metric_text(1), r'kms_p2p_connections_closed_total\{reason="denied"\} [1-9]')
            self.assertIn("no longer welcome", network.log(1))
            self.assertTrue(peers(network, 2)["node-5"]["connected"], "the others decide for themselves")
            network.delegate(1)

            reload("denied nobody\n", "reload: nothing changed")
            self.assertFalse(peers(network, 1).get("node-5", {"connected": False})["connected"])

            reload("", "0 peers light, 0 peers denied")
            wait_until(lambda: peers(network, 1)["node-5"]["connected"], "node-5 coming back", 60)
            network.wait_ready()
            network.delegate(1)


if __name__ == "__main__":
    unittest.main()
