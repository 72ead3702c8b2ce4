"""A network of real kms-node processes in a folder of its own, gone when the `with` block ends; the ends of the nodes' logs are
printed when it ends by an exception."""
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "testnet"))
import client  # noqa: E402
import layout  # noqa: E402
import processes  # noqa: E402
import start  # noqa: E402

BIN = pathlib.Path(os.environ.get("KMS_BIN_DIR", ROOT / "build/release/bin")).resolve()
BUILD = pathlib.Path(os.environ.get("KMS_BUILD_DIR", ROOT / "build/release"))
SHARED = pathlib.Path(os.environ.get("KMS_SHARED", ROOT.parent / "shared"))
for name in [name for name in os.environ if name.startswith(("KMS_", "NOX_KMS_"))]:
    del os.environ[name]  # to a node they are settings

KEY_SECONDS = 60  # for five nodes on a busy machine; the goal itself is measured by ./measure
LOG_LINES = 40


class Late(AssertionError):
    """Something did not happen in time."""


def wait_until(question, what, seconds, pause=0.05):
    """Asks until the answer is not false, and returns it. Nobody answering counts as false."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = question()
            if last:
                return last
        except (OSError, ValueError, client.Wrong) as problem:
            last = problem
        if time.monotonic() > deadline:
            raise Late(f"{what}: not within {seconds:g} s; the last answer was {last!r}")
        time.sleep(pause)


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_base_port(nodes):
    """Below the ephemeral ports, so that no outgoing connection takes one of them."""
    for _ in range(200):
        base = random.randrange(10000, 32000)
        if all(_is_free(base + i) and _is_free(base + 100 + i) for i in range(1, nodes + 1)):
            return base
    raise AssertionError("no free ports between 10000 and 32000")


def free_port():
    return free_base_port(1) + 1


class Scratch:
    """A temporary folder and processes in it: everything ends with the `with` block, whatever happens."""

    def __init__(self, name):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"kms-{name}-"))
        self.path.chmod(0o700)
        self.processes = {}

    def __enter__(self):
        return self

    def run(self, name, command, log, folder, environment=None):
        """Like processes.Process.start, with variables added to the environment."""
        before = dict(os.environ)
        os.environ.update(environment or {})
        try:
            process = processes.Process.start(name, command, log, folder)
        finally:
            os.environ.clear()
            os.environ.update(before)
        self.processes[name] = process
        return process

    def kill(self, name, number=signal.SIGKILL):
        process = self.processes[name]
        process.signal(number)
        try:
            return process.child.wait(10)
        except subprocess.TimeoutExpired:
            process.signal(signal.SIGKILL)
            process.child.wait(10)
            raise Late(f"{name} did not end within 10 s of {signal.Signals(number).name}") from None

    def __exit__(self, kind, problem, trace):
        running = [name for name, process in self.processes.items() if process.is_running()]
        for name in running:
            self.kill(name)
        if kind is not None and kind is not KeyboardInterrupt:
            for name, process in self.processes.items():
                state = "was running" if name in running else process.ending()
                print(f"---- {name} {state}; the end of its log:\n"
                      f"{processes.tail(process.record['log'], LOG_LINES)}", file=sys.stderr)
        if os.environ.get("SYSTEM_TEST_KEEP"):
            print(f"kept: {self.path}", file=sys.stderr)
        else:
            shutil.rmtree(self.path, ignore_errors=True)


class Network(Scratch):
    """Members 1..n as testnet/up lays them out. Nothing runs before start()."""

    def __init__(self, name, nodes=5, threshold=3):
        super().__init__(name)
        try:
            self.plan = layout.Plan(nodes, threshold, free_base_port(nodes))
            self.folder = layout.Folder(self.path / "run")
            options = types.SimpleNamespace(root=ROOT, bin=BIN)
            self.identities, self.gateway, self.signer = start.make_folder(options, self.plan, self.folder)
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            raise
        self.gateway_secret = int(self.folder.gateway_key.read_text(), 16)
        self.members = range(1, nodes + 1)

    def start(self, *indices, environment=None):
        for index in indices or self.members:
            self.run(f"node-{index}", [BIN / "kms-node", "--config", self.folder.node(index) / "node.toml"],
                     self.folder.log(index), self.folder.node(index), environment)

    def end(self, *indices, number=signal.SIGKILL):
        return [self.kill(f"node-{index}", number) for index in indices]

    def running(self):
        return [index for index in self.members
                if f"node-{index}" in self.processes and self.processes[f"node-{index}"].is_running()]

    def port(self, index):
        return self.plan.http_port(index)

    def log(self, index):
        return self.folder.log(index).read_text()

    def resident_bytes(self, index):
        """The resident set that the kernel counts."""
        status = pathlib.Path(f"/proc/{self.processes[f'node-{index}'].pid}/status").read_text()
        return 1024 * int(status.split("VmRSS:")[1].split()[0])

    def ready(self, index):
        return client.ask(self.port(index), "/ready")

    def wait_ready(self, *indices, seconds=KEY_SECONDS):
        for index in indices or self.running():
            def is_ready():
                if not self.processes[f"node-{index}"].is_running():
                    raise Late(f"node-{index} {self.processes[f'node-{index}'].ending()}")
                answer = self.ready(index)
                if answer.status != 200:
                    raise client.Wrong(repr(answer))
                return True
            wait_until(is_ready, f"/ready of node-{index}", seconds)

    def metric_text(self, index):
        body = client.ask(self.port(index), "/metrics").body
        return body.decode() if isinstance(body, bytes) else body

    def keys(self, index):
        return client.fetch(self.port(index), "/v1/keys")["keys"]

    def key(self, index):
        """All that a node says about the one key."""
        [summary] = self.keys(index)
        return client.fetch(self.port(index), "/v1/keys/" + summary["keyId"])

    def public_key(self, index):
        return client.point(client.fetch(self.port(index), f"/v0/public-key?chain_id={client.CHAIN_ID}")["publicKey"])

    def request(self, index=None):
        return client.Request(self.public_key(index or self.running()[0]), self.gateway_secret)

    def delegate(self, index, request=None, timeout=10.0):
        """A valid delegation at one node, checked to the last byte."""
        request = request or self.request(index)
        return request.check(request.send(self.port(index), timeout=timeout), self.signer)
