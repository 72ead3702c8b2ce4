#!/usr/bin/env python3
"""testnet/chaos against a network that testnet/up started, while users of the SDK ask it without a pause."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from network import free_base_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("KMS_BIN_DIR", ROOT / "build/release/bin"))
SECONDS = 20
sys.path.insert(0, str(ROOT / "testnet"))
import watch  # noqa: E402


class Chaos(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="kms-chaos-")
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name) / "net"
        self.base = free_base_port(5)
        self.addCleanup(subprocess.run, [ROOT / "testnet/down", "--dir", self.folder], stdout=subprocess.DEVNULL)
        self.run_script("start.py", "--bin", BIN, "--base-port", str(self.base), "--detach")

    def run_script(self, script, *arguments):
        done = subprocess.run([sys.executable, ROOT / "testnet" / script, "--root", ROOT, "--dir", self.folder, *arguments],
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def chaos(self, *arguments):
        return self.run_script("chaos.py", *arguments)

    def is_ready(self, index):
        return watch.ask(self.base + 100 + index, "/ready")[0] == 200

    def client(self, seconds):
        return subprocess.Popen([BIN / "kms-bench", "client", "--testnet", self.folder / "testnet.json", "--clients", "2",
                                 "--seconds", str(seconds), "--json"], stdout=subprocess.PIPE, text=True)

    def test_no_user_of_the_sdk_notices_a_node_that_is_killed_every_second(self):
        user = self.client(SECONDS)
        self.addCleanup(user.stdout.close)
        said = self.chaos("random", "--every", "1", "--for", str(SECONDS - 2), "--seed", "5")
        self.assertIn("x kill", said)
        report = json.loads(user.communicate(timeout=60)[0])
        self.assertEqual((user.returncode, report["failed"], report["wrong"]), (0, 0, 0), report)
        self.assertGreater(report["ok"], SECONDS)
        self.assertGreater(sum(report["passedOver"].values()), 0, "no client ever met a node that was down")

    def test_groups_that_do_not_hear_each_other_refuse_or_serve_by_their_size_and_heal(self):
        self.chaos("partition", "node-1,node-2")
        wait_until(lambda: not self.is_ready(1) and not self.is_ready(2), "the small group noticing", 20)
        wait_until(lambda: all(self.is_ready(index) for index in (3, 4, 5)), "the large group serving", 20)
        said = self.chaos("status")
        self.assertIn("denies node-3, node-4, node-5", said)
        self.chaos("kill", "5")
        self.chaos("pause", "4")
        self.assertRegex(self.chaos("status"), r"node-4 +paused .*\n.*node-5 +down ")
        self.chaos("heal")
        wait_until(lambda: all(self.is_ready(index) for index in range(1, 6)), "all in service again", 30)


if __name__ == "__main__":
    unittest.main()
