"""A network whose operators give orders, and a client that asks for delegations meanwhile."""
import contextlib
import http.client
import json
import socket
import sqlite3
import subprocess
import threading

import client
from network import BIN, ROOT, Network, layout, start, wait_until

GRACE_SECONDS = 3
ENVIRONMENT = {"KMS_DELEGATION__GRACE": f"{GRACE_SECONDS}s"}


class Orders(Network):
    """A network whose committee may change: `plan` is that of the epoch in charge, `identities` are of all nodes."""

    def __init__(self, name, nodes=5, threshold=3, room=0, rules=""):
        super().__init__(name, nodes, threshold)
        if rules:
            text = self.folder.network.read_text()
            self.folder.network.write_text(text.replace("threshold =", rules + "\nthreshold =", 1))
        self.socket_of = lambda index: self.folder.node(index) / "data/admin.sock"

    def start(self, *indices, environment=None):
        super().start(*indices, environment={**ENVIRONMENT, **(environment or {})})

    def kmsctl(self, *arguments, fails=False):
        done = subprocess.run([BIN / "kmsctl", *map(str, arguments)], capture_output=True, text=True, timeout=120)
        if (done.returncode != 0) != fails:
            raise AssertionError(f"kmsctl {arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def order(self, index, what, body):
        """As curl --unix-socket sends it."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.socket_of(index)))
        with contextlib.closing(connection):
            connection.request("POST", f"/v1/admin/{what}", json.dumps(body))
            answer = connection.getresponse()
            return client.Answer(answer.status, {}, answer.read(), 0.0)

    def sockets(self, indices):
        for index in indices:
            wait_until(self.socket_of(index).is_socket, f"the admin socket of node-{index}", 20)
        return [text for index in indices for text in ("--socket", self.socket_of(index))]

    def epoch(self, index):
        return client.fetch(self.port(index), "/v1/ceremonies")["epoch"]

    def add_nodes(self, nodes):
        """Keys, files and processes of nodes that no committee has yet."""
        plan = layout.Plan(nodes, min(self.plan.threshold, nodes), self.plan.base_port)
        options = type("Options", (), {"root": ROOT, "bin": BIN})
        for index in range(len(self.identities) + 1, nodes + 1):
            self.identities.append(start.make_identity(options, self.folder, index, joins=True))
        self.folder.peers.write_text(layout.peers_text(plan, self.identities))
        self.members = range(1, len(self.identities) + 1)
        for index in self.members:
            layout.write_node(plan, self.folder, index)
            if f"node-{index}" not in self.processes:
                self.start(index)

    def next_file(self, nodes, threshold, epoch):
        plan = layout.Plan(nodes, threshold, self.plan.base_port)
        file = self.folder.next_network(epoch)
        file.write_text(layout.later_network_text(self.folder, plan, self.identities[:nodes], epoch,
                                                  threshold < self.plan.threshold))
        self.plan = plan
        return file

    def has_erased(self, index):
        """Every epoch but the one in charge; those in which the node has no part are not among its ceremonies."""
        said = client.fetch(self.port(index), "/v1/ceremonies")
        return all(each["phase"] == "erased" for each in said["ceremonies"] if each["epoch"] != said["epoch"])

    def stored(self, index, pattern):
        """Names of records and key-encryption keys on the disk of a node that does not run."""
        path = f"file:{self.folder.node(index) / 'data/store.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True)) as store:
            found = store.execute("SELECT key FROM records WHERE key LIKE ? UNION SELECT name FROM keks WHERE name LIKE ?",
                                  (pattern, pattern)).fetchall()
        return [row[0] for row in found]


class Load:
    """Delegations one after the other, at one node after the other, until the block ends; none may fail."""

    def __init__(self, network, entries):
        self.network, self.entries = network, list(entries)
        self.done, self.failed, self.is_over = 0, [], False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over:
            index = self.entries[self.done % len(self.entries)]
            try:
                self.network.delegate(index, self.network.request(index))
            except Exception as problem:  # noqa: BLE001: whatever it is, it is the test's finding
                self.failed.append(f"node-{index}: {problem!r}")
            self.done += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, problem, trace):
        self.is_over = True
        self.thread.join(30)
        if kind is None and (self.failed or self.done == 0):
            raise AssertionError(f"{len(self.failed)} of {self.done} delegations failed: {self.failed[:3]}")
