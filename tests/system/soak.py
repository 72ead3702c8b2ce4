#!/usr/bin/env python3
"""Reshares back to back over real processes: each to other members and another threshold, while nodes are killed with SIGKILL
and started again and clients ask for delegations without a pause. It ends with status 1 if the public key changed, if a
delegation failed or was wrong at a client (which asks the next node when one does not answer), if a reshare did not end, if
an honest node was blamed, or if a share of an erased epoch is left on a disk.

    tests/system/soak.py [--reshares 100] [--seed N] [--bin build/release/bin] [--json]

The same seed draws the same committees and the same kills; when exactly they hit is up to the machine. Old epochs answer for
2 s here instead of 10 minutes (`delegation.grace`), so that their shares are erased while later reshares run.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHAPES = [(4, 2), (5, 2), (5, 3), (6, 3), (6, 4), (7, 3), (7, 4)]  # members, threshold: one may always be away
POOL = 8
GRACE_SECONDS = 2
RESHARE_SECONDS = 90


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reshares", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--clients", type=int, default=2, help="how many ask at the same time (default 2)")
    parser.add_argument("--patience", type=float, default=20, metavar="S",
                        help="a client asks node after node so long before it calls a delegation failed (default 20)")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--json", action="store_true", help="the summary as JSON, progress on stderr")
    return parser.parse_args()


class Clients:
    """Delegations one after the other in each thread until the block ends. A client knows the members that are and those to
    come, asks one of them and, if that does not answer, the next."""

    def __init__(self, network, listed, count, seed, patience):
        self.network, self.listed, self.is_over, self.patience = network, listed, False, patience
        self.public_key = network.public_key(1)
        self.lock = threading.Lock()
        self.right, self.wrong, self.failed, self.slowest = 0, [], [], 0.0
        self.passed_over = collections.Counter()
        self.threads = [threading.Thread(target=self.run, args=(random.Random(seed + i),)) for i in range(count)]

    def run(self, draws):
        while not self.is_over:
            request = client.Request(self.public_key, self.network.gateway_secret)
            began = time.monotonic()
            answer, tried = None, []
            while answer is None and time.monotonic() - began < self.patience:
                nodes = list(self.listed())
                for index in draws.sample(nodes, len(nodes)):
                    answer = self.ask(index, request, tried)
                    if answer:
                        break
                else:
                    time.sleep(0.05)
            self.note(request, answer, time.monotonic() - began, tried)

    def ask(self, index, request, tried):
        """An answer with status 200, or None."""
        try:
            answer = request.send(self.network.port(index), timeout=4)
        except OSError as problem:
            tried.append((index, type(problem).__name__))
            return None
        if answer.status == 200:
            return answer
        tried.append((index, str(answer.status)))
        return None

    def note(self, request, answer, seconds, tried):
        problem = None
        try:
            if answer:
                request.check(answer, self.network.signer)
        except Exception as found:  # noqa: BLE001: whatever is wrong with an answer is a finding
            problem = repr(found)
        with self.lock:
            self.slowest = max(self.slowest, seconds)
            self.passed_over.update(why for _, why in tried)
            if answer is None:
                self.failed.append(f"{time.strftime('%X')}: {tried[-12:]}")
            elif problem:
                self.wrong.append(problem)
            else:
                self.right += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, problem, trace):
        self.is_over = True
        for thread in self.threads:
            thread.join(self.patience + 40)


class Disks:
    """Boxes of shares and of the keys that seal them, as found on disks of nodes that were killed: by slot."""

    def __init__(self, folder_of):
        self.folder_of = folder_of
        self.boxes = collections.defaultdict(set)  # (node, slot) -> bytes
        self.most_shares = 0

    def look(self, index):
        """Of a node that does not run: a copy is opened, since to open a store is to change it."""
        with tempfile.TemporaryDirectory() as folder:
            for file in ("store.db", "store.db-wal"):
                if (self.folder_of(index) / file).exists():
                    shutil.copy(self.folder_of(index) / file, folder)
            with contextlib.closing(sqlite3.connect(pathlib.Path(folder) / "store.db")) as store:
                shares = store.execute("SELECT key, value FROM records WHERE key LIKE 'slot/%/share'").fetchall()
                keys = store.execute("SELECT name, box FROM keks WHERE name LIKE 'slot/%/epoch'").fetchall()
        for key, box in shares + keys:
            self.boxes[index, key.split("/")[1]].add(bytes(box))
        self.most_shares = max(self.most_shares, len(shares))
        return sorted({key.split("/")[1] for key, _ in shares + keys})

    def left(self, current):
        """Names of slots other than `current` that a store still has something of, or whose boxes stand anywhere in its
        bytes; and how many boxes were looked for."""
        bad, sought = [], 0
        for index in sorted({index for index, _ in self.boxes} | set(range(1, POOL + 1))):
            bad += [f"node-{index}: {slot} in its store" for slot in self.look(index) if slot != current]
            raw = b"".join(file.read_bytes() for file in sorted(self.folder_of(index).glob("store.db*")))
            for (owner, slot), boxes in self.boxes.items():
                if owner != index or slot == current:
                    continue
                sought += len(boxes)
                bad += [f"node-{index}: bytes of {slot} in its files" for box in boxes if box in raw]
        return bad, sought


class Soak:
    def __init__(self, network, options, say):
        self.network, self.options, self.say = network, options, say
        self.draws = random.Random(options.seed)
        self.committee, self.threshold, self.epoch = list(range(1, 6)), 3, 0
        self.coming = []
        self.disks = Disks(lambda index: network.folder.node(index) / "data")
        self.kills, self.restart_seconds, self.reshare_seconds = 0, [], []
        self.key = network.key(1)["publicKey"]
        self.moved = []  # what happened in the reshare that runs

    def listed(self):
        return sorted(set(self.committee) | set(self.coming))

    def order(self, file, index, deadline):
        """Until the node has it: also one that is being restarted, and not where the others have decided already."""
        body = {"file": file.read_text(), "notAfter": self.not_after}
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, ValueError, client.Wrong):
                answer = self.network.order(index, "approve", body)
                if answer.status == 200 or self.network.epoch(index) > self.epoch:
                    return
                self.refusal = f"node-{index}: {answer}"
            time.sleep(0.1)

    def strike(self, victims, pause, down):
        time.sleep(pause)
        self.network.end(*victims)
        for index in victims:
            self.disks.look(index)
        self.kills += len(victims)
        time.sleep(down)
        began = time.monotonic()
        self.network.start(*victims)
        for index in victims:
            wait_until(lambda: self.network.ready(index), f"an answer of node-{index} after its restart", 30, pause=0.02)
            self.restart_seconds.append(time.monotonic() - began)

    def strikes(self, everybody):
        """One or two after the other; two at once where both committees stand that."""
        def spare(n, t):
            return min((n - 1) // 3, (n - t) // 2)
        at_once = min(spare(len(self.committee), self.threshold), spare(len(self.coming), self.next_threshold))
        for _ in range(self.draws.choice([0, 1, 1, 2])):
            victims = self.draws.sample(everybody, self.draws.randint(1, at_once))
            yield victims, self.draws.uniform(0, 0.7), self.draws.uniform(0, 1.5)

    def is_there(self, index):
        said = client.fetch(self.network.port(index), "/v1/ceremonies")
        first = said["ceremonies"][0] if said["ceremonies"] else {}
        return said["epoch"] == self.epoch + 1 and first["epoch"] == said["epoch"] and first["phase"] == "released"

    def reshare(self):
        n, self.next_threshold = self.draws.choice([shape for shape in SHAPES if shape != (len(self.committee), self.threshold)])
        self.coming = sorted(self.draws.sample(range(1, POOL + 1), n))
        everybody = self.listed()
        strikes = list(self.strikes(everybody))
        file = self.network.file_for(self.epoch + 1, self.coming, self.next_threshold, self.next_threshold < self.threshold)
        began = time.monotonic()
        self.not_after, self.refusal = int(time.time()) + 3600, ""
        orders = [threading.Thread(target=self.order, args=(file, index, began + RESHARE_SECONDS)) for index in everybody]
        for thread in orders:
            thread.start()
        for strike in strikes:
            self.strike(*strike)
        for index in self.coming:
            wait_until(lambda: self.is_there(index), f"node-{index} with a share of epoch {self.epoch + 1} {self.refusal}",
                       RESHARE_SECONDS, pause=0.03)
            wait_until(lambda: self.network.ready(index).status == 200, f"node-{index} ready", 30, pause=0.03)
        for thread in orders:
            thread.join()
        self.reshare_seconds.append(time.monotonic() - began)
        self.check(file)
        self.moved = [f"node-{index}" for victims, _, _ in strikes for index in victims]

    def check(self, file):
        self.epoch += 1
        for index in self.coming:
            now = self.network.key(index)
            found = (now["publicKey"], now["epoch"], now["threshold"], len(now["members"]))
            if found != (self.key, self.epoch, self.next_threshold, len(self.coming)):
                raise AssertionError(f"node-{index} serves {found} after {file}, not {self.key}")
        before = f"{self.threshold} of {len(self.committee)}"
        self.committee, self.threshold, self.coming = self.coming, self.next_threshold, []
        self.path = f"{before} -> {self.threshold} of {len(self.committee)}"

    def run(self):
        began = time.monotonic()
        with Clients(self.network, self.listed, self.options.clients, self.options.seed,
                     self.options.patience) as clients:
            for number in range(1, self.options.reshares + 1):
                self.reshare()
                killed = " killed " + " ".join(self.moved) if self.moved else ""
                self.say(f"{number:4}/{self.options.reshares}  {self.path}  {self.reshare_seconds[-1]:5.1f} s  "
                         f"{clients.right} right, {len(clients.wrong)} wrong, {len(clients.failed)} failed{killed}")
                if clients.wrong or clients.failed:
                    break
        left, sought = self.look_for_shares()
        blamed = [index for index in range(1, POOL + 1) if "; evidence 0x" in self.network.log(index)]
        return {"reshares": len(self.reshare_seconds), "seed": self.options.seed, "kills": self.kills,
                "seconds": round(time.monotonic() - began, 1),
                "reshareMedianSeconds": round(statistics.median(self.reshare_seconds), 2),
                "reshareSlowestSeconds": round(max(self.reshare_seconds), 2),
                "restartSlowestSeconds": round(max(self.restart_seconds, default=0), 2),
                "publicKey": self.key, "publicKeyChanged": False,
                "delegations": clients.right, "failed": clients.failed, "wrong": clients.wrong,
                "passedOver": dict(clients.passed_over), "delegationSlowestSeconds": round(clients.slowest, 2),
                "mostSharesOnADisk": self.disks.most_shares, "boxesSought": sought, "boxesLeft": left, "blamed": blamed}

    def look_for_shares(self):
        """All epochs but the one in charge are over and erased; then nothing of them is on any disk."""
        current = client.fetch(self.network.port(self.committee[0]), "/v1/ceremonies")["ceremonies"][0]["id"][2:]
        for index in range(1, POOL + 1):
            wait_until(lambda: self.network.epoch(index) == self.epoch and self.network.has_erased(index),
                       f"erasure at node-{index}", GRACE_SECONDS + 30)
        self.network.end(*range(1, POOL + 1), number=signal.SIGTERM)
        left, sought = self.disks.left(current)
        for index in self.committee:
            if current not in self.disks.look(index):
                left.append(f"node-{index} has no share of the epoch in charge")
        return left, sought


def soak(options, say):
    """The summary; raises if a reshare does not end or the key changes."""
    with Pool("soak") as network:
        network.start()
        network.wait_ready()
        network.add_nodes(POOL)
        network.sockets(range(1, POOL + 1))
        return Soak(network, options, say).run()


def load_network(bin_folder=None):
    """Names of network.py and orders.py, which look for the programs when they are imported."""
    if bin_folder:
        os.environ["KMS_BIN_DIR"] = str(bin_folder.resolve())
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    global client, wait_until, Pool
    import client
    from network import layout, wait_until
    from orders import Orders

    class Pool(Orders):
        """A network whose committee may be any of its nodes."""

        def start(self, *indices):
            super().start(*indices, environment={"KMS_DELEGATION__GRACE": f"{GRACE_SECONDS}s"})

        def order(self, index, what, body):
            socket.setdefaulttimeout(10)
            return super().order(index, what, body)

        def file_for(self, epoch, indices, threshold, lowers):
            file = self.folder.next_network(epoch)
            plan = layout.Plan(len(indices), threshold, self.plan.base_port)
            file.write_text(layout.later_network_text(self.folder, plan, [self.identities[i - 1] for i in indices], epoch,
                                                      lowers, indices))
            return file


def is_clean(summary):
    return not (summary["failed"] or summary["wrong"] or summary["boxesLeft"] or summary["blamed"])


def main():
    options = arguments()
    if not (options.bin / "kms-node").exists():
        raise SystemExit(f"{options.bin}/kms-node does not exist; build it, or name the folder with --bin")
    load_network(options.bin)

    def say(line):
        print(line, file=sys.stderr if options.json else sys.stdout, flush=True)
    say(f"seed {options.seed}")
    summary = soak(options, say)
    if options.json:
        print(json.dumps(summary, indent=1))
    else:
        print()
        for name, value in summary.items():
            print(f"{name:26} {json.dumps(value)}")
        print("\nclean" if is_clean(summary) else "\nNOT clean")
    return 0 if is_clean(summary) else 1


if __name__ == "__main__":
    sys.exit(main())
