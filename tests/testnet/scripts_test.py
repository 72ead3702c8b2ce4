#!/usr/bin/env python3
"""testnet/up and testnet/down as far as they need no built program."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "testnet"))
sys.dont_write_bytecode = True
import layout  # noqa: E402
import processes  # noqa: E402


def up(*arguments):
    return subprocess.run([sys.executable, ROOT / "testnet/start.py", "--root", ROOT, "--check", *arguments],
                          capture_output=True, text=True)


def down(*arguments):
    return subprocess.run([ROOT / "testnet/down", *arguments], capture_output=True, text=True)


class Stopping(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name)

    def start(self, script, name="node-1"):
        process = processes.Process.start(name, ["bash", "-c", script], self.folder / "log", self.folder)
        self.addCleanup(lambda: process.child.poll() is None and process.child.kill() or process.child.wait())
        return process

    def test_a_recorded_process_is_ended_by_sigterm(self):
        process = self.start("sleep 100")
        self.assertEqual(processes.stop([process]), [])
        self.assertIn("SIGTERM", process.ending())

    def test_a_process_that_ignores_sigterm_is_killed(self):
        process = self.start("trap '' TERM; echo ready; while :; do sleep 0.1; done")
        while "ready" not in (self.folder / "log").read_text():
            time.sleep(0.02)
        before, processes.STOP_SECONDS = processes.STOP_SECONDS, 0.5
        self.addCleanup(setattr, processes, "STOP_SECONDS", before)
        forced = []
        self.assertEqual(processes.stop([process], lambda each, how: forced.append(how)), [])
        self.assertEqual(forced, [True])

    def test_a_pid_that_was_used_again_is_left_alone(self):
        process = self.start("sleep 100")
        for field, value in (("startTime", process.record["startTime"] - 1), ("bootId", "another boot")):
            record = dict(process.record, **{field: value})
            path = self.folder / "processes.json"
            path.write_text(json.dumps([record]))
            self.assertEqual(processes.stop(processes.load(path)), [])
            self.assertTrue(process.is_running(), field)

    def test_a_process_that_ended_counts_as_ended_although_nobody_waited_for_it(self):
        process = self.start("exit 0")
        record = processes.Process(process.record)
        deadline = time.monotonic() + 10
        while record.is_running() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertFalse(record.is_running())

    def test_down_stops_what_the_folder_records_and_keeps_the_keys(self):
        folder = layout.Folder(self.folder / "net")
        folder.path.mkdir()
        folder.settings.write_text(json.dumps(layout.Plan(5, 3, 9000).as_settings()))
        process = self.start("sleep 100")
        stranger = self.start("sleep 100", "stranger")
        processes.save(folder.processes, [process])
        done = down("--dir", str(folder.path))
        self.assertEqual((done.returncode, process.is_running(), stranger.is_running()), (0, False, True), done.stderr)
        self.assertIn("node-1", done.stdout)
        self.assertIn("nothing was running", down("--dir", str(folder.path)).stdout)
        self.assertTrue(folder.settings.exists())
        down("--dir", str(folder.path), "--erase")
        self.assertFalse(folder.path.exists())

    def test_down_deletes_no_folder_that_is_not_a_testnet(self):
        (self.folder / "precious").write_text("x")
        self.assertEqual(down("--dir", str(self.folder), "--erase").returncode, 1)
        self.assertTrue((self.folder / "precious").exists())


class Refusing(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name) / "net"

    def refusal(self, *arguments, status=2):
        done = up("--dir", str(self.folder), *arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertFalse(self.folder.exists())
        return done.stderr

    def test_a_taken_port_is_named_before_anything_starts(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            if not 1024 + 102 <= port <= 65000:
                self.skipTest("the system gave a port that no base port leads to")
            self.assertIn(f"port {port} of node-2", self.refusal("--base-port", str(port - 102), status=1))

    def test_the_chain_that_is_not_there_yet_is_refused(self):
        self.assertIn("not built yet", self.refusal("--chain", "anvil"))

    def test_sizes_out_of_bounds_are_refused(self):
        for arguments in (["--nodes", "0"], ["--nodes", "100"], ["--threshold", "6"], ["--threshold", "1"],
                          ["--threshold", "0", "--nodes", "1"], ["--base-port", "80"], ["--base-port", "65400"]):
            self.assertIn(arguments[0], self.refusal(*arguments))

    def test_another_plan_for_an_old_folder_is_refused(self):
        self.folder.mkdir()
        layout.Folder(self.folder).settings.write_text(json.dumps(layout.Plan(5, 3, 9000).as_settings()))
        done = up("--dir", str(self.folder), "--nodes", "4")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nodes = 5, not 4", done.stderr)

    def test_a_folder_of_somebody_else_is_refused(self):
        self.folder.mkdir()
        (self.folder / "precious").write_text("x")
        done = up("--dir", str(self.folder))
        self.assertEqual(done.returncode, 2)
        self.assertIn("not a testnet", done.stderr)


class Files(unittest.TestCase):
    def test_secrets_are_private_and_never_overwritten(self):
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "passphrase"
            layout.write_private(path, "first")
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            self.assertRaises(FileExistsError, layout.write_private, path, "second")
            self.assertEqual(path.read_text(), "first")

    def test_a_network_that_tolerates_no_fault_says_so(self):
        identities = [{"publicKey": "0x02" + "11" * 32, "peerId": "x"}] * 4
        address = "0x" + "22" * 20
        self.assertIn("accept_f0 = true", layout.network_text(layout.Plan(4, 3, 9000), identities, address))
        self.assertNotIn("accept_f0", layout.network_text(layout.Plan(4, 2, 9000), identities, address))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.umask(0o022)
    unittest.main()
