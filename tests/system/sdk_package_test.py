#!/usr/bin/env python3
"""The client library as a stranger gets it: installed into an empty prefix, found by CMake and by pkg-config from a copy of
the example that knows nothing of this tree, and run against a real node."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import client
import solo
from network import BUILD, ROOT


def run(*command, **environment):
    done = subprocess.run([str(each) for each in command], env=dict(os.environ) | environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500)
    assert done.returncode == 0, f"{command}:\n{done.stdout}"
    return done.stdout


def is_sanitized():
    return any(line.startswith("KMS_SANITIZE:") and line.rstrip().partition("=")[2]
               for line in (BUILD / "CMakeCache.txt").read_text().splitlines())


class Package(unittest.TestCase):
    def test_the_example_builds_outside_and_asks_a_real_node(self):
        with solo.Solo("sdk-package") as node:
            node.start(solo.imported_environment(node.port))
            prefix, example = node.path / "prefix", node.path / "example"
            run("cmake", "--install", BUILD, "--component", "sdk", "--prefix", prefix)
            moved = node.path / "moved"  # nothing in the package knows where it was installed
            prefix.rename(moved)
            shutil.copytree(ROOT / "sdk" / "example", example)
            run("cmake", "-S", example, "-B", example / "build", f"-DCMAKE_PREFIX_PATH={moved}")
            run("cmake", "--build", example / "build")
            flags = run("pkg-config", "--cflags", "--libs", "kms", PKG_CONFIG_PATH=str(moved / "lib/pkgconfig"))
            self.assertIn(str(moved), flags)
            self.assertNotIn(str(ROOT), flags)
            targets = (moved / "lib/cmake/kms/kms-targets.cmake").read_text()
            self.assertNotIn(str(ROOT), targets)

            node.wait_ready()
            network, gateway = node.path / "network.json", node.path / "gateway.key"
            network.write_text(json.dumps({
                "nodes": [{"http": "http://127.0.0.1:1"}, {"http": f"http://127.0.0.1:{node.port}"}],
                "keys": [{"chainId": client.CHAIN_ID, "publicKey": node.public_key()}],
                "signer": {"address": solo.WALLET}}))
            gateway.write_text(solo.GATEWAY_KEY + "\n")
            said = run(example / "build" / "ask", network, gateway, "hello from outside")
            self.assertIn("hello from outside\n", said)
            self.assertIn("http://127.0.0.1:1 silent", said)  # the dead one is named

            network.write_text(network.read_text().replace(solo.WALLET, "0x" + "11" * 20))
            refused = subprocess.run([example / "build" / "ask", network, gateway, "x"], capture_output=True, text=True,
                                     timeout=60)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(solo.WALLET, refused.stderr)  # who signed instead


if __name__ == "__main__":
    if is_sanitized():
        print("a package of sanitized libraries links nowhere else")
        sys.exit(77)
    unittest.main(verbosity=2)
