"""testnet/chaos: what can happen to the nodes of a running test network, made to happen."""
import argparse
import collections
import contextlib
import fcntl
import json
import os
import pathlib
import random
import signal
import sys
import time

import layout
import processes
import watch

EPILOG = """examples:
  testnet/chaos kill node-2 node-4           then: testnet/chaos start node-2 node-4
  testnet/chaos pause node-3                 then: testnet/chaos resume node-3
  testnet/chaos slow node-3 --percent 90 --for 30
  testnet/chaos partition node-1,node-2      the others are the second group; then: testnet/chaos heal
  testnet/chaos random --every 1 --for 120   kills a node every second and starts it again a second later"""
SLICE_SECONDS = 0.2
READY_SECONDS = 30


class Failure(Exception):
    pass


def parse_arguments():
    parser = argparse.ArgumentParser(prog="testnet/chaos", epilog=EPILOG, description="Disturbs a network that testnet/up "
                                     "started. No privileges are needed: nodes get signals, and a partition is a list "
                                     "of peers that a node denies (its classes file, read again on SIGHUP).",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--dir", type=pathlib.Path, help="the testnet's folder (default: testnet/run)")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in {"kill": "SIGKILL: what was not durable is lost", "start": "start nodes that are down",
                       "pause": "stop nodes where they are (SIGSTOP)", "resume": "let paused nodes go on"}.items():
        actions.add_parser(name, help=text).add_argument("nodes", nargs="+", metavar="NODE", help="node-N or N")
    slow = actions.add_parser("slow", help="let nodes run only a part of the time")
    slow.add_argument("nodes", nargs="+", metavar="NODE")
    slow.add_argument("--percent", type=int, default=90, help="of the time that they stand still, 1 to 99 (default 90)")
    slow.add_argument("--for", dest="seconds", type=float, default=30, metavar="S", help="how long (default 30)")
    part = actions.add_parser("partition", help="let groups of nodes not hear each other")
    part.add_argument("groups", nargs="+", metavar="NODE,NODE..", help="a group; nodes in none are one more group")
    actions.add_parser("heal", help="end the partition, resume what is paused, start what is down")
    actions.add_parser("status", help="which nodes run, are paused, are down, and which deny which")
    some = actions.add_parser("random", help="one mishap after the other, each mended when the next one comes")
    some.add_argument("--every", type=float, default=1, metavar="S", help="seconds between two (default 1)")
    some.add_argument("--for", dest="seconds", type=float, default=60, metavar="S", help="how long (default 60)")
    some.add_argument("--kinds", default="kill", help="kill, pause, partition, joined by commas (default kill)")
    some.add_argument("--seed", type=int, help="the same seed draws the same mishaps (default: a fresh one)")
    return parser, parser.parse_args()


class Testnet:
    def __init__(self, parser, path):
        self.folder = layout.Folder(path)
        if not self.folder.settings.exists():
            parser.error(f"there is no testnet in {self.folder.path}; testnet/up makes one")
        settings = json.loads(self.folder.settings.read_text())
        self.plan = layout.Plan(settings["nodes"], settings["threshold"], settings["basePort"])

    @contextlib.contextmanager
    def locked(self):
        """One at a time changes processes.json."""
        lock = os.open(self.folder.path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def processes(self):
        return {each.name: each for each in processes.load(self.folder.processes)}

    def named(self, names):
        """Node numbers, in the order given."""
        out = []
        for name in names:
            number = name.removeprefix("node-")
            if not number.isdigit() or not self.folder.node(int(number)).is_dir():
                raise Failure(f"there is no node \"{name}\" in {self.folder.path}; give node-1 to node-{self.plan.nodes}")
            out.append(int(number))
        return out

    def state(self, index):
        process = self.processes().get(f"node-{index}")
        if process is None or not process.is_running():
            return "down"
        return "paused" if processes.is_paused(process.pid) else "running"

    def signal(self, index, number):
        process = self.processes().get(f"node-{index}")
        if process is None or not process.is_running():
            raise Failure(f"node-{index} is down; testnet/chaos start node-{index} starts it")
        process.signal(number)
        if process.is_foreign:
            raise Failure(f"node-{index} belongs to another user")
        return process

    def kill(self, index):
        process = self.signal(index, signal.SIGKILL)
        while process.is_running():
            time.sleep(0.005)

    def start(self, index):
        """With the command that it was started with before."""
        with self.locked():
            nodes = self.processes()
            name = f"node-{index}"
            if name in nodes and nodes[name].is_running():
                return
            if name not in nodes:
                raise Failure(f"{name} was never started, or stopped by testnet/down; testnet/up starts it")
            record = nodes[name].record
            nodes[name] = processes.Process.start(name, record["command"], record["log"], self.folder.node(index))
            processes.save(self.folder.processes, list(nodes.values()))

    def pause(self, index):
        self.signal(index, signal.SIGSTOP)

    def resume(self, index):
        self.signal(index, signal.SIGCONT)

    def peer_id(self, index):
        return json.loads((self.folder.node(index) / "identity.json").read_text())["peerId"]

    def deny(self, index, others):
        """`others`: all whom it is not to hear. Read at once if it runs, else at its start."""
        file = layout.classes_file(self.folder, index)
        text = "".join(f"denied {self.peer_id(other)}\n" for other in others)
        if file.exists() and file.read_text() == text:
            return
        fresh = file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(file)
        if self.state(index) == "down":
            return
        deadline = time.monotonic() + READY_SECONDS
        while not processes.heeds(self.processes()[f"node-{index}"].pid, signal.SIGHUP):
            if time.monotonic() > deadline:
                raise Failure(f"node-{index} does not heed SIGHUP; is it a kms-node?")
            time.sleep(0.01)
        self.signal(index, signal.SIGHUP)

    def denied(self, index):
        file = layout.classes_file(self.folder, index)
        words = file.read_text().split() if file.exists() else []
        return [other for other in range(1, self.plan.nodes + 1) if self.peer_id(other) in words]

    def partition(self, groups):
        everybody = set(range(1, self.plan.nodes + 1))
        for index in everybody:
            own = next((group for group in groups if index in group), {index})
            self.deny(index, sorted(everybody - set(own)))

    def heal(self):
        for index in range(1, self.plan.nodes + 1):
            if self.state(index) == "paused":
                self.resume(index)
            self.deny(index, [])
            self.start(index)

    def wait_ready(self):
        began = time.monotonic()
        waiting = set(range(1, self.plan.nodes + 1))
        while waiting:
            if time.monotonic() - began > READY_SECONDS:
                raise Failure("not ready again: " + ", ".join(f"node-{index}" for index in sorted(waiting)))
            waiting = {index for index in waiting if watch.ask(self.plan.http_port(index), "/ready")[0] != 200}
            time.sleep(0.05)
        return time.monotonic() - began


def groups_of(testnet, texts):
    groups = [testnet.named(text.split(",")) for text in texts]
    counts = collections.Counter(index for group in groups for index in group)
    for index, count in counts.items():
        if count > 1:
            raise Failure(f"node-{index} stands in two groups")
    rest = [index for index in range(1, testnet.plan.nodes + 1) if index not in counts]
    return groups + [rest] if rest else groups


def slow(testnet, indices, percent, seconds):
    if not 1 <= percent <= 99:
        raise Failure(f"--percent {percent}: must be 1 to 99")
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            for index in indices:
                testnet.pause(index)
            time.sleep(SLICE_SECONDS * percent / 100)
            for index in indices:
                testnet.resume(index)
            time.sleep(SLICE_SECONDS * (100 - percent) / 100)
    finally:
        for index in indices:
            if testnet.state(index) == "paused":
                testnet.resume(index)


def mishap(testnet, kind, draws):
    """Makes one happen, to the end of the next turn: gives what mends it, in words and as a call."""
    index = draws.randrange(1, testnet.plan.nodes + 1)
    if kind == "partition":
        # Never so that no side has a quorum of shares left.
        size = draws.randint(1, max(1, testnet.plan.nodes - testnet.plan.threshold))
        alone = sorted(draws.sample(range(1, testnet.plan.nodes + 1), size))
        testnet.partition(groups_of(testnet, [",".join(map(str, alone))]))
        return f"cut off {', '.join(f'node-{each}' for each in alone)}", lambda: testnet.partition(
            [list(range(1, testnet.plan.nodes + 1))])
    if kind == "pause":
        testnet.pause(index)
        return f"paused node-{index}", lambda: testnet.resume(index)
    testnet.kill(index)
    return f"killed node-{index}", lambda: testnet.start(index)


def disturb(testnet, options):
    kinds = options.kinds.split(",")
    for kind in kinds:
        if kind not in ("kill", "pause", "partition"):
            raise Failure(f"--kinds {kind}: must be of kill, pause and partition")
    if testnet.plan.nodes <= testnet.plan.threshold:
        raise Failure(f"{testnet.plan.threshold} of {testnet.plan.nodes} cannot spare a node; use a smaller --threshold")
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    print(f"-- seed {seed}", flush=True)
    draws, counts, mend = random.Random(seed), collections.Counter(), lambda: None
    began = time.monotonic()
    try:
        turn = 0
        while time.monotonic() - began < options.seconds:
            mend()
            kind = draws.choice(kinds)
            text, mend = mishap(testnet, kind, draws)
            counts[kind] += 1
            turn += 1
            print(f"{time.monotonic() - began:7.1f} s  {text}", flush=True)
            time.sleep(max(0.0, began + turn * options.every - time.monotonic()))
    finally:
        testnet.heal()
    print(f"-- {', '.join(f'{count} x {kind}' for kind, count in sorted(counts.items()))} in {options.seconds:g} s; all "
          f"{testnet.plan.nodes} nodes ready again after {testnet.wait_ready():.1f} s")


def show(testnet):
    for index in range(1, testnet.plan.nodes + 1):
        denied = ", ".join(f"node-{other}" for other in testnet.denied(index))
        print(f"node-{index:<4} {testnet.state(index):8}" + (f" denies {denied}" if denied else ""))


def main():
    parser, options = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    testnet = Testnet(parser, options.dir or options.root / "testnet" / "run")
    if options.action in ("kill", "start", "pause", "resume"):
        for index in testnet.named(options.nodes):
            getattr(testnet, options.action)(index)
    elif options.action == "slow":
        slow(testnet, testnet.named(options.nodes), options.percent, options.seconds)
    elif options.action == "partition":
        testnet.partition(groups_of(testnet, options.groups))
    elif options.action == "heal":
        testnet.heal()
    elif options.action == "random":
        disturb(testnet, options)
        return 0
    show(testnet)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError) as problem:
        sys.exit(f"testnet/chaos: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
