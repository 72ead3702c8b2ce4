#!/usr/bin/env python3
"""What lies on disk after a ceremony and some service, read with the passphrases and then searched without them."""
import base64
import itertools
import signal
import stat
import unittest

import client
import curve
import keystore
import polynomials
from network import Network

ROUTES = ["/", "/health", "/ready", "/metrics", "/v1/keys", "/v1/network", "/v0/public-key?chain_id=31337"]


def encodings(secret):
    """As it could stand in a file by mistake."""
    yield secret
    yield secret[::-1]
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield base64.b64encode(secret).rstrip(b"=")[:-1]  # the last digit depends on what follows


def secret_parts(value):
    """The 32-byte parts of a record that are worth a search: counters and zeros are not."""
    parts = [value[at:at + 32] for at in range(0, len(value), 32)]
    return [part for part in parts if len(part) >= 16 and len(set(part)) > 8]


class Secrets(unittest.TestCase):
    def test_shares_recombine_only_here_and_no_secret_lies_in_the_open(self):
        with Network("secrets") as network:
            network.start()
            network.wait_ready()
            for index in network.members:
                network.delegate(index)
            key = network.key(1)
            spoken = b"".join(client.ask(network.port(index), route).body for index in network.members
                              for route in ROUTES + ["/v1/keys/" + key["keyId"]])
            limits = [self.limits(network, index) for index in network.members]
            self.assertEqual(network.end(*network.members, number=signal.SIGTERM), [0] * 5)
            for index, text in zip(network.members, limits):
                if "built with a sanitizer" in network.log(index):
                    continue
                self.assertRegex(text, r"Max core file size +0 +0 ")
            secrets = self.open_all(network, key)
            self.check_modes(network)
            self.search(network, secrets, spoken)

    def limits(self, network, index):
        with open(f"/proc/{network.processes[f'node-{index}'].pid}/limits", encoding="ascii") as file:
            return file.read()

    def open_all(self, network, key):
        """{what: bytes} of everything secret in all nodes; checks on the way that the shares are those of the table."""
        secrets, shares = {"response wallet": bytes.fromhex(network.folder.wallet_key.read_text().strip()[2:])}, {}
        position = {member["nodeKey"]: member["index"] for member in key["members"]}
        for index in network.members:
            here = network.folder.node(index)
            passphrase = (here / "passphrase").read_bytes().strip()
            node = keystore.NodeKey(here / "node.key", passphrase)
            store = keystore.Store(here / "data", node.store_key)
            at = position["0x" + node.public_key.hex()]
            [shares[at]] = [int.from_bytes(value, "big") for name, value in store.sealed.items() if name.endswith("/share")]
            secrets |= {f"node-{index} passphrase": passphrase, f"node-{index} key": node.secret,
                        f"node-{index} node secret": node.node_secret, f"node-{index} store key": node.store_key}
            secrets |= {f"node-{index} kek {name}": value for name, value in store.keks.items()}
            secrets |= {f"node-{index} {name} part {at}": part for name, value in store.sealed.items()
                        for at, part in enumerate(secret_parts(value))}
        for member in key["members"]:
            self.assertEqual(curve.mul(shares[member["index"]], curve.G), client.point(member["publicShare"]))
        whole = {polynomials.interpolate({i: shares[i] for i in some}) for some in itertools.combinations(shares, 3)}
        self.assertEqual(len(whole), 1)
        [secret] = whole
        self.assertEqual(curve.mul(secret, curve.G), client.point(key["publicKey"]))
        self.check_two_tell_nothing(shares, secret)
        return secrets | {"the network's key": curve.sc(secret)}

    def check_two_tell_nothing(self, shares, secret):
        """For every pair of shares and every would-be key there is a polynomial of degree 2 through all three."""
        for i, j in itertools.combinations(shares, 2):
            for guess in (secret, 1, curve.Q - 1, 2**200 + 7):
                third = next(k for k in shares if k not in (i, j))
                fitting = polynomials.interpolate({0: guess, i: shares[i], j: shares[j]}, third)
                through = {i: shares[i], j: shares[j], third: fitting}
                self.assertEqual(polynomials.interpolate(through), guess)
                self.assertEqual(fitting == shares[third], guess == secret)

    def check_modes(self, network):
        for index in network.members:
            here = network.folder.node(index)
            self.assertEqual(stat.S_IMODE((here / "node.key").stat().st_mode), 0o600)
            self.assertEqual(stat.S_IMODE((here / "data").stat().st_mode), 0o700)
            files = [path for path in (here / "data").rglob("*") if path.is_file()]
            self.assertIn(here / "data" / "store.db", files)
            for path in files:
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def search(self, network, secrets, spoken):
        self.assertGreater(len(secrets), 5 * 6, sorted(secrets))
        allowed = {network.folder.wallet_key, network.folder.gateway_key}
        places = {"what the nodes say over HTTP": spoken}
        for path in network.path.rglob("*"):
            if path.is_file() and path not in allowed and path.name != "passphrase":
                places[path] = path.read_bytes()
        self.assertGreater(len(places), 5 * 4)
        for where, content in places.items():
            for what, secret in secrets.items():
                for encoded in encodings(secret):
                    if encoded in content:  # an assertion would print both
                        self.fail(f"{what} lies in {where}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
