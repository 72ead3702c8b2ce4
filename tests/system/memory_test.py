#!/usr/bin/env python3
"""What is left of delegated secrets in the memory of nodes: nothing of forms B and C at any time, nothing of form A soon
after. Every node's whole memory is read (memory-scan), for each secret in each form that it could have there."""
import json
import os
import subprocess
import time
import unittest

import client
from forms_test import Signed, send
from network import BIN, Network

PUBLIC = int(os.environ.get("KMS_MEMORY_DELEGATIONS", "300"))  # of forms B and C together
OF_A = max(20, PUBLIC // 10)
BATCH = 50
MASK = (1 << 52) - 1


def shapes(x):
    """Of a coordinate: as bytes of the protocol, as libsecp256k1 stores a point, and as it computes with it."""
    limbs = b"".join((x >> shift & (MASK if shift < 208 else (1 << 48) - 1)).to_bytes(8, "little")
                     for shift in (0, 52, 104, 156, 208))
    return [x.to_bytes(32, "big"), x.to_bytes(32, "little"), limbs]


def scan(pids, texts):
    done = subprocess.run([BIN / "memory-scan", *map(str, pids)], input="".join(text.hex() + "\n" for text in texts),
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr + done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


@unittest.skipUnless(os.geteuid() == 0, "nodes are not to be read by their own user: this needs root")
class Memory(unittest.TestCase):
    def test_no_node_keeps_a_delegated_secret(self):
        with Network("memory") as network:
            network.start()
            network.wait_ready()
            pids = [network.processes[name].pid for name in sorted(network.processes)]
            secrets = self.delegate_publicly(network)
            self.scanned(network, pids, secrets, "forms B and C")
            secrets = []
            for number in range(OF_A):
                request = client.Request(network.public_key(1), network.gateway_secret)
                request.check(request.send(network.port(number % 5 + 1)), network.signer)
                secrets.append(int.from_bytes(request.expected, "big"))
            time.sleep(2)
            self.scanned(network, pids, secrets, "form A")

    def delegate_publicly(self, network):
        secrets = []
        for begin in range(0, PUBLIC, BATCH):
            requests = [Signed(network, "BC"[number % 2]) for number in range(begin, begin + BATCH)]
            answer = send(network.port(begin // BATCH % 5 + 1), *requests)
            self.assertEqual([each["status"] for each in answer.json["results"]], [200] * BATCH, answer)
            self.assertTrue(requests[1].opens_c(answer.json["results"][1]))
            secrets += [request.expected[0] for request in requests]
        return secrets

    def scanned(self, network, pids, secrets, what):
        # What every node must have in memory shows that the scan sees it.
        network_id = bytes.fromhex(client.fetch(network.port(1), "/v1/network")["networkId"][2:])
        texts = [network_id] + [shape for x in secrets for shape in shapes(x)]
        own, *nodes = scan([os.getpid(), *pids], texts)
        self.assertEqual(own["found"], list(range(len(texts))), "the scan does not find what this process holds")
        for index, seen in enumerate(nodes, 1):
            self.assertGreater(seen["bytes"], 10_000_000, seen)
            self.assertIn(0, seen["found"], f"node-{index}: the scan does not find what is there")
            self.assertEqual(seen["found"], [0], f"node-{index} holds secrets of {what}: texts {seen['found'][:9]}")


if __name__ == "__main__":
    unittest.main()
