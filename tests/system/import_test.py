#!/usr/bin/env python3
"""The key of a single-node KMS becomes a network's: imported, reshared to three nodes and to five, under one public key."""
import base64
import contextlib
import os
import signal
import subprocess
import unittest

import client
import curve
import keystore
import solo
from network import BIN, wait_until
from orders import GRACE_SECONDS, Load, Orders

SECRET = int(solo.ECC_KEY, 16)
ORDER = "0x" + curve.Q.to_bytes(32, "big").hex()


def encodings(secret):
    """As the key could stand in a file by mistake."""
    yield secret
    yield secret[::-1]
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield base64.b64encode(secret).rstrip(b"=")[:-1]


class Import(Orders):
    """One node whose network file names the key that is to be imported."""

    def __init__(self, name, public_key=solo.PUBLIC_KEY):
        super().__init__(name, nodes=1, threshold=1, rules='genesis = "import"')
        with open(self.folder.network, "a", encoding="ascii") as file:
            file.write(f'public_key = "{public_key}"\n')
        self.secret_file = self.path / "ecc-key"
        self.write_secret(solo.ECC_KEY + "\n")

    def write_secret(self, text, mode=0o600):
        self.secret_file.write_text(text)
        self.secret_file.chmod(mode)

    def take_over(self, *keys, stdin=b"", environment=None):
        """Exit status and everything that kms-node import says."""
        here = self.folder.node(1)
        command = [BIN / "kms-node", "import", "--config", here / "node.toml"]
        for key in keys:
            command += ["--key", str(key)]
        done = subprocess.run(command, env=dict(os.environ) | (environment or {}), cwd=here, input=stdin, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode()

    def sealed(self, index):
        """Everything that a stopped node can open on its disk."""
        here = self.folder.node(index)
        node = keystore.NodeKey(here / "node.key", (here / "passphrase").read_bytes().strip())
        return keystore.Store(here / "data", node.store_key)

    def search(self, *more):
        """Where the key lies in the open: in files but its own, or in `more` texts."""
        places = {"what was said": "\n".join(more).encode()}
        for path in self.path.rglob("*"):
            if path.is_file() and path != self.secret_file:
                places[path] = path.read_bytes()
        secret = curve.sc(SECRET)
        return [where for where, content in places.items() if any(each in content for each in encodings(secret))]


class Imported(unittest.TestCase):
    def reshare(self, network, nodes, threshold, everybody):
        epoch = network.epoch(1) + 1
        network.add_nodes(max(nodes, len(network.identities)))
        with Load(network, [1]):
            network.kmsctl("reshare", "--wait", 90, network.next_file(nodes, threshold, epoch),
                           *network.sockets(everybody))
            for index in range(1, nodes + 1):
                wait_until(lambda: network.ready(index).status == 200, f"node-{index} ready", 30)
        for index in range(1, nodes + 1):
            key = network.key(index)
            self.assertEqual((key["publicKey"], key["origin"], key["epoch"], key["threshold"], len(key["members"])),
                             (solo.PUBLIC_KEY, "imported", epoch, threshold, nodes), f"node-{index}")
            network.delegate(index)
            self.assertRegex(network.log(index), "imported and is no threshold key")

    def test_a_known_key_is_taken_over_and_reshared_to_three_and_to_five(self):
        with Import("import") as network:
            with self.started(network):
                self.assertIn("waiting for the import", network.ready(1).body.decode())
                self.assertIn("kms-node import", network.kmsctl("start", *network.sockets([1]), fails=True))
                code, said = network.take_over(network.secret_file)
                self.assertEqual(code, 1, said)
                self.assertRegex(said, "in use|used by|another process|holds")
            code, said = network.take_over(network.secret_file)
            self.assertEqual(code, 0, said)
            self.assertIn(solo.PUBLIC_KEY, said)
            self.assertIn("no threshold key", said)
            sealed = network.sealed(1).sealed
            [share] = [value for name, value in sealed.items() if name.endswith("/share")]
            self.assertEqual(share, curve.sc(SECRET), "the test looks for the right bytes")
            network.start()
            network.wait_ready()
            key = network.key(1)
            self.assertEqual((key["publicKey"], key["origin"], key["epoch"], key["threshold"]),
                             (solo.PUBLIC_KEY, "imported", 0, 1))
            network.delegate(1)
            text = network.kmsctl("keys", "--node", f"http://127.0.0.1:{network.port(1)}")
            self.assertRegex(text, "imported")
            self.assertIn("held whole by somebody", text)
            text += network.kmsctl("status", "--node", f"http://127.0.0.1:{network.port(1)}")
            self.assertIn(f"key of chain {client.CHAIN_ID} was imported", text)
            self.assertIn("no shares to refresh", network.kmsctl("refresh", *network.sockets([1]), fails=True))
            first = client.fetch(network.port(1), "/v1/ceremonies")["ceremonies"][0]["id"][2:]
            self.reshare(network, 3, 2, range(1, 4))
            wait_until(lambda: network.has_erased(1), "erasure of the whole key at node-1", GRACE_SECONDS + 15)
            network.end(1, number=signal.SIGTERM)
            self.check_key_is_gone(network, first)
            code, again = network.take_over(network.secret_file)
            self.assertEqual(code, 1, again)
            self.assertIn("imported its key already", again)
            network.delegate(2)  # two of three without the node that had it
            network.start(1)
            network.wait_ready(1)
            self.reshare(network, 5, 3, range(1, 6))
            network.kmsctl("refresh", "--wait", 60, *network.sockets(range(1, 6)))
            for index in range(1, 6):
                network.delegate(index)
                self.assertEqual(network.key(index)["origin"], "imported")
            network.end(*network.members, number=signal.SIGTERM)
            self.assertEqual(network.search(said, again, text), [])

    def check_key_is_gone(self, network, first):
        """From the disk of node-1, which does not run: the record, the key that opened it, and every copy."""
        self.assertEqual(network.stored(1, f"slot/{first}/share") + network.stored(1, f"slot/{first}/epoch"), [])
        store = network.sealed(1)
        secret = curve.sc(SECRET)
        for name, value in list(store.sealed.items()) + list(store.keks.items()) + list(store.plain.items()):
            self.assertNotIn(secret, value, name)
        self.assertEqual(network.search(), [])

    @contextlib.contextmanager
    def started(self, network):
        network.start()
        wait_until(lambda: network.ready(1).status == 503, "node-1 answering", 20)
        yield
        network.end(1, number=signal.SIGTERM)

    def test_the_environment_of_a_nox_kms_and_stdin_do_as_well(self):
        variable = f"NOX_KMS_CHAINS__{client.CHAIN_ID}__ECC_KEY"
        for name, arguments in [("environment", {"environment": {variable: solo.ECC_KEY}}),
                                ("file", {"environment": None}), ("stdin", {"stdin": solo.ECC_KEY[2:].encode()})]:
            with self.subTest(name), Import(f"import-{name}") as network:
                if name == "file":
                    arguments["environment"] = {variable + "_FILE": str(network.secret_file)}
                keys = [f"{client.CHAIN_ID}=-"] if name == "stdin" else []
                code, said = network.take_over(*keys, **arguments)
                self.assertEqual(code, 0, said)
                self.assertEqual(network.search(said), [])
                network.start()
                network.wait_ready()
                self.assertEqual(network.key(1)["origin"], "imported")
                network.delegate(1)

    def test_what_is_no_key_is_refused_with_the_reason_and_changes_nothing(self):
        with Import("import-bad") as network:
            for text, mode, reason in [("0x" + "00" * 32, 0o600, "zero"), (ORDER, 0o600, "not below the order"),
                                       (solo.ECC_KEY[:-2], 0o600, "found 62 characters"),
                                       (solo.ECC_KEY[:-1] + "g", 0o600, "another character"),
                                       (solo.ECC_KEY, 0o640, "chmod 600"),
                                       ("0x" + "42" * 32, 0o600, "the network file names " + solo.PUBLIC_KEY)]:
                network.write_secret(text, mode)
                code, said = network.take_over(network.secret_file)
                self.assertEqual(code, 1, said)
                self.assertIn(reason, said)
                self.assertNotIn(text[4:40], said)
            code, said = network.take_over()
            self.assertEqual(code, 1, said)
            self.assertIn("is not given", said)
            network.write_secret(solo.ECC_KEY)
            plain = network.folder.network.read_text()
            network.folder.network.write_text(plain.replace('genesis = "import"\n', ""))
            code, said = network.take_over(network.secret_file)
            self.assertEqual(code, 1, said)
            self.assertIn('write genesis = "import"', said)
            network.folder.network.write_text(plain)
            code, said = network.take_over(network.secret_file)
            self.assertEqual(code, 0, said)

    def test_a_joiner_whose_file_names_another_key_does_not_take_the_imported_one(self):
        with Import("import-pin") as network:
            self.assertEqual(network.take_over(network.secret_file)[0], 0)
            network.start()
            network.wait_ready()
            other = "0x" + curve.enc(curve.mul(7, curve.G)).hex()
            good = network.folder.network.read_text()
            network.folder.network.write_text(good.replace(solo.PUBLIC_KEY, other))
            network.add_nodes(2)  # the second one reads this file
            wait_until(lambda: network.ready(2).status == 503, "node-2 answering", 20)
            network.folder.network.write_text(good)
            network.kmsctl("approve", network.next_file(2, 2, 1), *network.sockets([1, 2]))
            wait_until(lambda: "epoch 0 is refused" in network.log(2), "the refusal in the log of node-2", 30)
            self.assertEqual(client.fetch(network.port(2), "/v1/keys")["keys"], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
