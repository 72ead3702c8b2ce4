#!/usr/bin/env python3
"""--solo: a network of one, in the place of a nox-kms."""
import re
import signal
import unittest

import client
import solo
from network import wait_until


class ImportedKey(unittest.TestCase):
    def test_it_starts_from_the_environment_of_nox_kms_and_leaves_no_file(self):
        with solo.Solo("solo") as node:
            node.start(solo.imported_environment(node.port))
            node.wait_ready()
            self.assertEqual(node.public_key(), solo.PUBLIC_KEY)
            self.assertNotEqual(node.delegate(solo.WALLET), node.delegate(solo.WALLET))
            with open(f"/proc/{node.processes['solo'].pid}/environ", "rb") as file:
                shown = file.read()
            for secret in (solo.ECC_KEY, solo.WALLET_KEY):
                self.assertNotIn(secret[2:].encode(), shown)
            [key] = client.fetch(node.port, "/v1/keys")["keys"]
            self.assertEqual((key["origin"], key["threshold"], key["memberCount"], key["contract"]),
                             ("imported", 1, 1, solo.CONTRACT))
            self.assertEqual(node.kill("solo", signal.SIGTERM), 0)
            self.assertEqual(list(node.work.iterdir()), [])
            for secret in (solo.ECC_KEY, solo.WALLET_KEY):
                self.assertNotIn(secret[2:], node.log.read_text().lower())

    def test_secrets_may_stand_in_files_that_variables_name(self):
        with solo.Solo("solo-files") as node:
            environment = solo.imported_environment(node.port)
            for name in ("NOX_KMS_WALLET_KEY", f"NOX_KMS_CHAINS__{client.CHAIN_ID}__ECC_KEY"):
                file = node.path / name
                file.write_text(environment.pop(name) + "\n")
                environment[name + "_FILE"] = str(file)
            node.start(environment)
            node.wait_ready()
            self.assertEqual(node.public_key(), solo.PUBLIC_KEY)
            node.delegate(solo.WALLET)

    def test_an_rpc_url_without_the_gateway_is_refused_by_name(self):
        environment = solo.imported_environment(1)
        del environment["KMS_GATEWAY__31337"]
        status, text = solo.refused(["--solo"], environment)
        self.assertEqual(status, 1, text)
        for part in ("NOX_KMS_CHAINS__31337__RPC_URL", "KMS_GATEWAY__31337", "gateway()"):
            self.assertIn(part, text)

    def test_a_key_that_is_none_is_refused_without_being_shown(self):
        for bad in ("0x" + "00" * 32, "0x" + "ff" * 32, "0x12", "c43d" * 16 + "zz"):
            environment = solo.imported_environment(1) | {"NOX_KMS_CHAINS__31337__ECC_KEY": bad}
            status, text = solo.refused(["--solo"], environment)
            self.assertEqual(status, 1, text)
            self.assertIn("NOX_KMS_CHAINS__31337__ECC_KEY", text)
            self.assertNotIn(bad, text)


class GeneratedKey(unittest.TestCase):
    def test_it_keeps_its_key_and_signer_over_restarts_and_kills(self):
        with solo.Solo("solo-made") as node:
            environment = {"KMS_HTTP__LISTEN": f"127.0.0.1:{node.port}", "KMS_KEYSTORE__PASSPHRASE": "correct horse 93",
                           f"KMS_GATEWAY__{client.CHAIN_ID}": solo.GATEWAY}
            arguments = ["--data-dir", str(node.work / "data")]
            seen = set()
            for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
                node.start(environment, *arguments)
                node.wait_ready()
                [signer] = set(re.findall(r"answers signed by (0x[0-9a-f]{40})", node.log.read_text()))
                node.delegate(signer)
                [key] = client.fetch(node.port, "/v1/keys")["keys"]
                self.assertEqual(key["origin"], "generated")
                seen.add((key["publicKey"], signer))
                node.kill("solo", number)
            self.assertEqual(len(seen), 1)
            status, text = solo.refused(["--solo", *arguments], environment | {"KMS_KEYSTORE__PASSPHRASE": "another"})
            self.assertEqual(status, 1, text)
            self.assertIn("node.key", text)
            self.assertIn("wrong passphrase", text)
            self.assertNotIn("correct horse", node.log.read_text())


    def test_another_key_than_at_the_last_start_is_named_in_a_warning(self):
        with solo.Solo("solo-changed") as node:
            passphrase = {"KMS_KEYSTORE__PASSPHRASE": "correct horse 93"}
            arguments = ["--data-dir", str(node.work / "data")]
            made = passphrase | {"KMS_HTTP__LISTEN": f"127.0.0.1:{node.port}", f"KMS_GATEWAY__{client.CHAIN_ID}": solo.GATEWAY}
            imported = passphrase | solo.imported_environment(node.port)
            del imported["NOX_KMS_WALLET_KEY"]  # with it, and all keys imported, a node keeps nothing
            keys = []
            for environment in (made, imported, imported, made):
                node.start(environment, *arguments)
                node.wait_ready()
                keys.append(node.public_key()[2:])
                node.kill("solo", signal.SIGTERM)
            self.assertEqual((keys[0], keys[1]), (keys[3], solo.PUBLIC_KEY[2:]))
            warnings = re.findall(r"now 0x(\w+) \((\w+)\), before 0x(\w+)", node.log.read_text())
            self.assertEqual(warnings, [(keys[1], "imported", keys[0]), (keys[0], "generated", keys[1])])


class TwoChains(unittest.TestCase):
    def test_each_chain_has_its_own_key_and_gateway(self):
        with solo.Solo("solo-chains") as node:
            other = "0x" + "11" * 20
            node.start(solo.imported_environment(node.port) | {
                "NOX_KMS_CHAINS__421614__ECC_KEY": "0x" + "42" * 32, "KMS_GATEWAY__421614": other})
            node.wait_ready()
            keys = {key["chainId"]: key["publicKey"] for key in client.fetch(node.port, "/v1/keys")["keys"]}
            self.assertEqual(sorted(keys), [31337, 421614])
            self.assertEqual(keys[31337], solo.PUBLIC_KEY)
            node.delegate(solo.WALLET)
            request = client.Request(client.point(keys[421614]), node.gateway_secret, 421614)
            answer = request.send(node.port)  # signed by the gateway of the other chain
            self.assertEqual(answer.status, 401, answer)
            wait_until(lambda: node.delegate(solo.WALLET), "service", 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
