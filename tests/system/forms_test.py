#!/usr/bin/env python3
"""Forms B and C at real nodes (docs/API.md, POST /v1/delegations): what the client gets opens, at whatever node it is
fetched, and nonces hold over kill -9."""
import json
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time
import unittest

import client
import curve
import delegation
import hashing
import rsa
from network import Network, wait_until


ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Signed:
    """One v1 request; the secret is k * public key."""

    def __init__(self, network, form, nonce=None):
        key = network.key(1)
        self.public_key = client.point(key["publicKey"])
        self.k = 1 + secrets.randbelow(curve.Q - 1)
        self.p = 1 + secrets.randbelow(curve.Q - 1)
        self.expected = curve.mul(self.k, self.public_key)
        self.nonce = nonce or secrets.token_bytes(32)
        deadline = int(time.time()) + 600
        network_id = bytes.fromhex(client.fetch(network.port(1), "/v1/network")["networkId"][2:])
        key_id = bytes.fromhex(key["keyId"][2:])
        target = curve.enc(curve.mul(self.p, curve.G)) if form == "C" else rsa.spki()
        named = target if form == "C" else hashing.sha256(target)
        K = curve.mul(self.k, curve.G)
        digest = delegation.v1_request_digest(client.CHAIN_ID, network_id, key_id, {"B": 2, "C": 3}[form], bytes(20), K,
                                              2 if form == "C" else 1, named, self.nonce, deadline)
        self.body = {"networkId": "0x" + network_id.hex(), "keyId": "0x" + key_id.hex(), "form": form,
                     "ephemeralPubKey": "0x" + curve.enc(K).hex(), "target": "0x" + target.hex(),
                     "nonce": "0x" + self.nonce.hex(), "deadline": deadline,
                     "signature": "0x" + hashing.ecdsa_sign(network.gateway_secret, digest).hex()}

    def opens_c(self, result):
        shared = curve.sub(client.point(result["w"]), curve.mul(self.p, client.point(result["u"])))
        return shared == self.expected

    def opens_b(self, result):
        partials = {}
        for each in result["partials"]:
            label = hashing.tagged("KMS1/oaep", bytes.fromhex(result["id"][2:]), hashing.u32(result["epoch"]),
                                   bytes.fromhex(result["transcript"][2:]), hashing.u16(each["index"]))
            plain = rsa.decrypt(bytes.fromhex(each["ciphertext"][2:]), label)
            partials[each["index"]] = curve.dec(plain[7:40])
        return len(partials) == 3 and client.interpolate(partials) == self.expected


def send(port, *requests):
    body = json.dumps({"requests": [each.body for each in requests]})
    return client.ask(port, "/v1/delegations", "POST", body, {"Content-Type": "application/json"})


class Forms(unittest.TestCase):
    def good(self, answer, count=1):
        self.assertEqual(answer.status, 200, answer)
        results = answer.json["results"]
        self.assertEqual([each["status"] for each in results], [200] * count, answer)
        return results

    def test_results_open_everywhere_and_nonces_hold_over_kill_9(self):
        with Network("forms") as network:
            network.start()
            network.wait_ready()
            c, b = Signed(network, "C"), Signed(network, "B")
            result = self.good(send(network.port(1), c))[0]
            self.assertTrue(c.opens_c(result), result)
            self.assertEqual(result["couldLearn"], [])
            self.assertTrue(b.opens_b(self.good(send(network.port(2), b))[0]))
            self.fetched_elsewhere(network, c, result["id"])
            many = [Signed(network, "C") for _ in range(8)]
            for one, each in zip(many, self.good(send(network.port(3), *many), 8)):
                self.assertTrue(one.opens_c(each), each)
            self.assertTrue(c.opens_c(self.good(send(network.port(4), c))[0]))
            self.pasted_example_works(network)
            self.refuses_another_under(network, c.nonce)
            for index in network.running():
                network.end(index)
            network.start()
            network.wait_ready()
            self.refuses_another_under(network, c.nonce)
            self.assertTrue(c.opens_c(self.good(send(network.port(5), c))[0]))
            network.end(2, 4)
            last = Signed(network, "C")
            self.assertTrue(last.opens_c(self.good(send(network.port(1), last))[0]))

    def fetched_elsewhere(self, network, request, name):
        for index in network.running():
            found = wait_until(lambda: (lambda said: said.status == 200 and said)(
                client.ask(network.port(index), f"/v1/delegations/{name}")), f"the result at node-{index}", 5)
            self.assertTrue(request.opens_c(found.json), found)
        more = lambda bad: client.ask(network.port(1), f"/v1/delegations/{name}/more", "POST", json.dumps({"bad": bad}),
                                      {"Content-Type": "application/json"}).status
        self.assertEqual(more([len(network.running()) + 1]), 400)
        self.assertEqual(more([2]), 200)
        self.assertEqual(client.fetch(network.port(1), "/v1/delegations"), {"blame": []})

    def pasted_example_works(self, network):
        """That of docs/API.md, with a testnet.json of this network."""
        lines = (ROOT / "docs/API.md").read_text().splitlines()
        first = lines.index("    cat > /tmp/v1_request.py <<'END'") + 1
        script = "\n".join(line[4:] for line in lines[first:lines.index("    END", first)])
        key = network.key(1)
        described = {"nodes": [{"http": f"http://127.0.0.1:{network.port(index)}"} for index in network.running()],
                     "keys": [{field: key[field] for field in ("keyId", "chainId", "publicKey", "epoch")}],
                     "gateway": {"privateKey": "0x" + network.gateway_secret.to_bytes(32, "big").hex()}}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json.dumps(described))
            file.flush()
            ended = subprocess.run([sys.executable, "-c", script, file.name], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(ended.returncode, 0, ended.stderr)

    def refuses_another_under(self, network, nonce):
        answer = send(network.port(1), Signed(network, "C", nonce))
        self.assertEqual(answer.json["results"][0]["status"], 409, answer)


if __name__ == "__main__":
    unittest.main()
