#!/usr/bin/env python3
"""A 3-of-5 network on this machine that is asked five times as much as it can answer: what it answers meanwhile beside its
peak, with which statuses, how much memory its nodes have, and how soon it is back to normal. Ends with 1 if goodput falls
below 90% of the peak, if anything but 200 and 429 is answered, if memory grows by more than 20% between the tenth second and
the end, or if the network is not back at 90% of its peak in the 5 s after the overload.

    tests/system/measure_overload.py [--times 5] [--seconds 60] [--clients 2400] [--bin build/release/bin] [--json]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, default=5, help="the peak (default 5)")
    parser.add_argument("--seconds", type=int, default=60, help="of overload (default 60)")
    parser.add_argument("--clients", type=int, default=2400, help="connections meanwhile (default 2400)")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--json", action="store_true", help="the summary as JSON, progress on stderr")
    return parser.parse_args()


def resident_bytes(pids):
    pages = sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE")


def load(options, testnet, *more):
    done = subprocess.run([options.bin / "kms-bench", "load", "--testnet", testnet, "--json", *map(str, more)],
                          capture_output=True, text=True)
    if not done.stdout.strip():
        sys.exit(f"kms-bench load: {done.stderr.strip()}")
    return json.loads(done.stdout)


def measure(options, testnet, say):
    pids = [node["pid"] for node in json.loads(testnet.read_text())["nodes"]]
    peak = load(options, testnet, "--clients", 256, "--seconds", 10, "--warm-up", 3)
    say(f"peak {peak['requestsPerSecond']:.0f} /s")
    memory, is_over = [], False

    def watch():
        while not is_over:
            memory.append(resident_bytes(pids))
            time.sleep(1)
    watcher = threading.Thread(target=watch)
    watcher.start()
    rate = options.times * peak["requestsPerSecond"]
    over = load(options, testnet, "--clients", options.clients, "--rate", rate, "--seconds", options.seconds, "--warm-up", 1)
    is_over = True
    watcher.join()
    say(f"asked {rate:.0f} /s: answered {over['requestsPerSecond']:.0f} /s, refused {over['refused'] / over['seconds']:.0f} /s")
    after = load(options, testnet, "--clients", 256, "--seconds", 5, "--warm-up", 0)
    say(f"afterwards {after['requestsPerSecond']:.0f} /s")
    settled = memory[min(10, len(memory) - 1)]
    summary = {
        "peakPerSecond": peak["requestsPerSecond"], "askedPerSecond": rate, "answeredPerSecond": over["requestsPerSecond"],
        "goodput": over["requestsPerSecond"] / peak["requestsPerSecond"], "refused": over["refused"],
        "failed": over["failed"], "statuses": over["statuses"], "failures": over["failures"], "p99Ms": over["p99Ms"],
        "refusedP99Ms": over["refusedP99Ms"], "wrong": over["wrong"],
        "memoryBytes": {"tenthSecond": settled, "most": max(memory), "end": memory[-1]},
        "memoryGrowth": max(memory[10:] or memory) / settled,
        "recovery": after["requestsPerSecond"] / peak["requestsPerSecond"], "failedAfterwards": after["failed"]}
    summary["holds"] = (summary["goodput"] >= 0.9 and set(over["statuses"]) <= {"200", "429"} and not over["failed"]
                        and not over["wrong"] and summary["memoryGrowth"] <= 1.2 and summary["recovery"] >= 0.9
                        and not after["failed"])
    return summary


def main():
    options = arguments()
    out = sys.stderr if options.json else sys.stdout

    def say(text):
        print(text, file=out, flush=True)
    with tempfile.TemporaryDirectory(prefix="kms-overload-") as place:
        folder = pathlib.Path(place) / "net"
        script = [sys.executable, ROOT / "testnet/start.py", "--root", ROOT, "--dir", folder, "--bin", options.bin,
                  "--base-port", "23000", "--detach"]
        started = subprocess.run(script, capture_output=True, text=True)
        if started.returncode != 0:
            sys.exit(started.stdout + started.stderr)
        try:
            summary = measure(options, folder / "testnet.json", say)
        finally:
            subprocess.run([ROOT / "testnet/down", "--dir", folder], stdout=subprocess.DEVNULL)
    if options.json:
        print(json.dumps(summary))
    else:
        for name, value in summary.items():
            print(f"{name:20} {value if not isinstance(value, float) else round(value, 3)}")
    return 0 if summary["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
