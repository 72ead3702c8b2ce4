#!/usr/bin/env python3
"""A client written by others, $KMS_SHARED/client-js (or client-js beside the checkout), against every node of a network and a
solo node: all of its 61 checks. Skipped, with the reason, where it, Node or its npm packages are not to be had."""
import json
import shutil
import subprocess
import sys
import unittest

import solo
from network import BUILD, SHARED, Network

CHECKS = 61
SKIPPED = 77  # what ctest takes for a skip
SOURCE = SHARED / "client-js"
COPY = BUILD / "client-js"


def obstacle():
    """Why the client cannot run; installs its packages once, in a copy under the build folder."""
    if not (SOURCE / "delegate.mjs").exists():
        return f"{SOURCE} does not exist; KMS_SHARED names the folder with client-js"
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return "node or npm is not installed"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < 18:
        return f"node {version} is older than 18"
    COPY.mkdir(parents=True, exist_ok=True)
    is_same = all((COPY / name).exists() and (COPY / name).read_bytes() == (SOURCE / name).read_bytes()
                  for name in ("package.json", "package-lock.json"))
    for name in ("delegate.mjs", "package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, COPY)
    if not is_same or not (COPY / "installed").exists():
        (COPY / "installed").unlink(missing_ok=True)
        made = subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=COPY, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if made.returncode != 0:
            return f"npm ci failed:\n{made.stdout[-2000:]}"
        (COPY / "installed").touch()
    return None


def summary(port, gateway_key, public_key, signer):
    command = ["node", "delegate.mjs", "--quiet", "--url", f"http://127.0.0.1:{port}", "--gateway-key", gateway_key,
               "--kms-pubkey", public_key, "--kms-signer", signer, "--count", "20", "--concurrency", "4"]
    done = subprocess.run(command, cwd=COPY, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"{' '.join(command)} exited with {done.returncode}: {done.stderr[-3000:]}") from None


class ClientJs(unittest.TestCase):
    def check(self, where, result):
        self.assertEqual(result["failed"], [], where)
        self.assertEqual(result["checks"], {"total": CHECKS, "passed": CHECKS}, where)
        figures = result["delegations"]
        print(f"{where}: {CHECKS} of {CHECKS}; {figures['count']} delegations, 4 at once: {figures['perSecond']} /s, "
              f"p50 {figures['latencyMs']['p50']} ms", flush=True)

    def test_all_checks_hold_at_each_of_five_nodes(self):
        with Network("client-js") as network:
            network.start()
            network.wait_ready()
            public_key = network.keys(1)[0]["publicKey"]
            for index in network.members:
                self.check(f"node-{index}", summary(network.port(index), network.folder.gateway_key.read_text().strip(),
                                                    public_key, network.signer))

    def test_all_checks_hold_at_a_solo_node(self):
        with solo.Solo("client-js-solo") as node:
            node.start(solo.imported_environment(node.port))
            node.wait_ready()
            self.check("solo", summary(node.port, solo.GATEWAY_KEY, solo.PUBLIC_KEY, solo.WALLET))


if __name__ == "__main__":
    reason = obstacle()
    if reason:
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
