#!/usr/bin/env python3
"""Settings, files and keys that cannot work: kms-node ends at once, with status 1 and one line that says where, what and what to
do, and never with a secret in it."""
import os
import re
import socket
import subprocess
import unittest

import client
import solo
from network import BIN, Network, free_port


class BadSettings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(Network("settings"))
        cls.folder = cls.network.folder
        cls.node = cls.folder.node(1)
        cls.settings = (cls.node / "node.toml").read_text()
        cls.passphrase = (cls.node / "passphrase").read_text().strip()

    def refuse(self, *parts, settings=None, arguments=(), environment=None):
        """Starts node 1 so; each part must stand in what it says."""
        file = self.network.path / "tried.toml"
        file.write_text(self.settings if settings is None else settings)
        status, text = solo.refused(["--config", file, *arguments], environment, self.network.path)
        if os.environ.get("SYSTEM_TEST_SHOW"):
            print(text, flush=True)
        self.assertEqual(status, 1, text)
        for part in parts:
            self.assertIn(str(part), text)
        self.assertEqual(len(re.findall(r"^.* error +", text, re.M)), 1, f"one error line:\n{text}")
        self.assertNotIn(self.passphrase, text)
        return text

    def changed(self, old, new):
        self.assertIn(old, self.settings)
        return self.settings.replace(old, new, 1)

    def written(self, name, content):
        path = self.network.path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    # ---- node.toml, environment, command line

    def test_node_toml_that_is_no_toml(self):
        self.refuse("tried.toml:1", settings="data_dir = \n" + self.settings)

    def test_node_toml_that_is_not_there(self):
        status, text = solo.refused(["--config", self.network.path / "no.toml"])
        self.assertEqual(status, 1)
        self.assertIn("no.toml", text)
        self.assertIn("No such file", text)

    def test_node_toml_of_two_megabytes(self):
        self.refuse("tried.toml", "1048576", settings="#" * (2 << 20))

    def test_a_misspelt_key(self):
        self.refuse("tried.toml:", "http.listn", settings=self.changed("[http]\nlisten", "[http]\nlistn"))

    def test_values_of_the_wrong_kind(self):
        self.refuse("tried.toml:", 'http.listen = "here"', "must be HOST:PORT",
                    settings=re.sub(r'listen = "127[^"]*"', 'listen = "here"', self.settings))
        self.refuse("tried.toml:", "http.listen", settings=re.sub(r'listen = "127[^"]*"', "listen = 7", self.settings))
        self.refuse("tried.toml:", "p2p.listen", "/ip4/0.0.0.0/tcp/9001",
                    settings=re.sub(r'listen = \["/ip4[^]]*\]', 'listen = ["/dns/here/tcp/1"]', self.settings))
        self.refuse("compute_threads", "257", settings="compute_threads = 257\n" + self.settings)

    def test_a_secret_in_node_toml(self):
        text = self.refuse("tried.toml:", "KMS_KEYSTORE__PASSPHRASE",
                           settings=self.changed("[keystore]", '[keystore]\npassphrase = "correct horse"'))
        self.assertNotIn("correct horse", text)

    def test_a_misspelt_variable(self):
        self.refuse("KMS_HTP__LISTEN", environment={"KMS_HTP__LISTEN": "127.0.0.1:1"})

    def test_a_variable_out_of_bounds(self):
        self.refuse("KMS_DELEGATION__TIMEOUT", "1ms", environment={"KMS_DELEGATION__TIMEOUT": "1ms"})

    def test_a_wrong_command_line(self):
        status, text = solo.refused(["--confg", "x"])
        self.assertEqual(status, 2, text)
        self.assertIn("--confg", text)

    def test_no_settings_at_all(self):
        status, text = solo.refused([])
        self.assertEqual(status, 1, text)
        for part in ("--network", "--solo"):
            self.assertIn(part, text)

    # ---- network.toml and peers

    def network_file(self, old, new):
        text = self.folder.network.read_text()
        self.assertIn(old, text)
        path = self.written("tried-network.toml", text.replace(old, new, 1))
        return self.changed(str(self.folder.network), str(path))

    def test_network_toml_that_is_no_toml(self):
        self.refuse("tried-network.toml:", settings=self.network_file("threshold = 3", "threshold = "))

    def test_network_toml_that_is_not_there(self):
        self.refuse("gone.toml", "No such file", settings=self.changed(str(self.folder.network), "gone.toml"))

    def test_thresholds_that_do_not_fit(self):
        for bad in ("1", "6", "-1", '"3"', "256"):
            self.refuse("tried-network.toml:", "threshold", settings=self.network_file("threshold = 3", f"threshold = {bad}"))

    def test_network_toml_with_the_same_member_twice(self):
        first, second = (self.network.identities[i]["publicKey"] for i in (0, 1))
        self.refuse("tried-network.toml:", first, "listed twice; remove one", settings=self.network_file(second, first))

    def test_network_toml_with_a_key_that_is_no_point(self):
        bad = "0x02" + "00" * 31 + "05"
        self.refuse("tried-network.toml:", bad, settings=self.network_file(self.network.identities[2]["publicKey"], bad))

    def test_network_toml_with_a_gateway_that_is_no_address(self):
        self.refuse("tried-network.toml:", "gateway", "0x12", settings=self.network_file(self.network.gateway, "0x12"))

    def test_a_peers_file_with_a_bad_line(self):
        good = self.folder.peers.read_text().splitlines()[0]
        for bad in ("127.0.0.1:9001", "/ip4/127.0.0.1/tcp/9001", "/ip4/300.0.0.1/tcp/1/p2p/16Uiu2", "\x00\xff"):
            path = self.written("tried-peers", f"# comment\n{good}\n{bad}\n")
            self.refuse("tried-peers:3", settings=self.changed(str(self.folder.peers), str(path)))

    def test_a_bad_peer_on_the_command_line(self):
        self.refuse("--peer", "nonsense", arguments=["--peer", "nonsense"])
        self.refuse("--peer", "/p2p/<PeerId>", arguments=["--peer", "/ip4/127.0.0.1/tcp/1"])

    # ---- keys and passphrases

    def key_file(self, content):
        path = self.written("tried.key", content)
        return self.changed(str(self.node / "node.key"), str(path))

    def test_key_files_that_are_none(self):
        raw = (self.node / "node.key").read_bytes()
        self.refuse("tried.key", "kmsctl keygen", settings=self.key_file(b"garbage"))
        self.refuse("tried.key", "kmsctl keygen", settings=self.key_file(b""))
        self.refuse("tried.key", "version", settings=self.key_file(b"KMSNODE2" + raw[8:]))
        self.refuse("tried.key", "damaged", settings=self.key_file(raw[:30]))
        self.refuse("tried.key", "cut short", settings=self.key_file(raw[:60]))
        self.refuse("tried.key", "damaged", settings=self.key_file(raw[:-1] + bytes([raw[-1] ^ 1])))
        self.refuse("tried.key", "damaged", settings=self.key_file(raw[:12] + bytes([raw[12] ^ 1]) + raw[13:]))
        self.refuse("tried.key", "4096", settings=self.key_file(raw + bytes(1 << 20)))

    def test_a_key_file_that_asks_for_terabytes(self):
        raw = (self.node / "node.key").read_bytes()
        self.refuse("tried.key", "KiB", settings=self.key_file(raw[:49] + b"\xff\xff\xff\xff" + raw[53:]))

    def test_a_key_file_that_is_not_there(self):
        self.refuse("gone.key", "kmsctl keygen", settings=self.changed(str(self.node / "node.key"), "gone.key"))

    def test_a_wrong_passphrase(self):
        path = self.written("tried-passphrase", "not the passphrase\n")
        text = self.refuse("node.key", "wrong passphrase", settings=self.changed(str(self.node / "passphrase"), str(path)))
        self.assertNotIn("not the passphrase", text)

    def test_passphrase_files_that_are_empty_or_gone(self):
        path = self.written("tried-passphrase", "\n")
        self.refuse("tried-passphrase is empty", settings=self.changed(str(self.node / "passphrase"), str(path)))
        self.refuse("gone-passphrase", settings=self.changed(str(self.node / "passphrase"), "gone-passphrase"))

    def test_a_response_wallet_that_is_no_key(self):
        for bad in ("0x12", "00" * 32, "zz" * 32):
            path = self.written("tried-wallet", bad)
            text = self.refuse("tried-wallet", "32 bytes", settings=self.changed(str(self.folder.wallet_key), str(path)))
            self.assertNotIn(bad, text.replace(str(path), ""))

    # ---- data folder and ports

    def test_a_data_folder_that_is_a_file(self):
        path = self.written("tried-data", "x")
        self.refuse("tried-data", settings=self.changed(str(self.node / "data"), str(path)))

    def test_a_store_that_is_none(self):
        folder = self.network.path / "tried-store"
        folder.mkdir()
        (folder / "store.db").write_bytes(b"garbage" * 1000)
        self.refuse("tried-store/store.db", "backup", settings=self.changed(str(self.node / "data"), str(folder)))
        self.assertEqual((folder / "store.db").read_bytes(), b"garbage" * 1000)

    def test_a_taken_http_port(self):
        with socket.create_server(("127.0.0.1", self.network.port(1))):
            self.refuse(f"127.0.0.1:{self.network.port(1)}", "Address already in use", "http.listen", "ss -ltnp")

    def test_a_taken_p2p_port(self):
        with socket.create_server(("127.0.0.1", self.network.plan.p2p_port(1))):
            self.refuse(self.network.plan.multiaddr(1), "Address already in use", "p2p.listen", "ss -ltnp")

    def test_an_address_of_another_machine(self):
        self.refuse("192.0.2.1", settings=re.sub(r'listen = "127[^"]*"', 'listen = "192.0.2.1:7"', self.settings))


class SecondNode(unittest.TestCase):
    def test_a_second_node_on_a_data_folder_in_use_and_a_store_of_another_key(self):
        with Network("second", 1, 1) as network:
            network.start(1)
            network.wait_ready(1)
            settings = network.folder.node(1) / "node.toml"
            before = network.key(1)
            status, text = solo.refused(["--config", settings], {"KMS_HTTP__LISTEN": f"127.0.0.1:{free_port()}"})
            self.assertEqual(status, 1, text)
            for part in (network.folder.node(1) / "data", f"process {network.processes['node-1'].pid}", "stop that node"):
                self.assertIn(str(part), text)
            network.delegate(1)
            network.end(1)

            other = network.path / "other.toml"
            key = network.path / "key"
            other.write_text(settings.read_text().replace(str(network.folder.node(1) / "node.key"), str(key / "node.key")))
            passphrase = network.folder.node(1) / "passphrase"
            subprocess.run([BIN / "kmsctl", "keygen", "--out", key, "--passphrase-file", passphrase], check=True,
                           capture_output=True)
            status, text = solo.refused(["--config", other])
            self.assertEqual(status, 1, text)
            self.assertIn("store.db belongs to another node key", text)
            network.start(1)
            network.wait_ready(1)
            self.assertEqual(network.key(1), before)
            self.assertEqual(network.delegate(1)[:2], "0x")
            self.assertEqual(client.ask(network.port(1), "/health").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
