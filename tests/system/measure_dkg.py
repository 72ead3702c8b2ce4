#!/usr/bin/env python3
"""How long real processes on this machine take to make a key: from the order, when all are up and connected, and from their
launch, when the key is made by itself. Both end when the slowest node has its share and the key is released.

    tests/system/measure_dkg.py [--nodes 5] [--threshold 3] [--runs 3] [--bin build/release/bin] [--json]
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=5)
    parser.add_argument("--threshold", type=int, help="default: more than half")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.threshold = options.threshold or options.nodes // 2 + 1
    return options


def moments(network, text):
    """When each node's log first said so."""
    out = []
    for index in network.members:
        [stamp] = re.findall(rf"^(\S+ \S+) \w+ +{re.escape(text)}", network.log(index), re.M)[:1]
        out.append(datetime.datetime.fromisoformat(stamp))
    return out


def from_order(options):
    with Orders("dkg-order", options.nodes, options.threshold, rules='genesis = "manual"') as network:
        network.start()
        network.sockets(network.members)

        def all_connected():
            said = [client.fetch(network.port(index), "/v1/ceremonies")["ceremonies"][0] for index in network.members]
            return all(each["have"] == options.nodes and not each["awaited"] for each in said)
        wait_until(all_connected, "all nodes connected to all", 60)
        with concurrent.futures.ThreadPoolExecutor(options.nodes) as pool:
            answers = list(pool.map(lambda index: network.order(index, "start", {}), network.members))
        if any(answer.status != 200 for answer in answers):
            raise SystemExit(f"an order to start was refused: {answers}")
        network.wait_ready()
        began = min(moments(network, "admin: order start accepted"))
        return (max(moments(network, "ceremony: released")) - began).total_seconds()


def from_launch(options):
    with Orders("dkg-launch", options.nodes, options.threshold) as network:
        began = datetime.datetime.now()
        network.start()
        network.wait_ready()
        up = max(moments(network, "http on")) - began
        released = max(moments(network, "ceremony: released")) - began
        return up.total_seconds(), released.total_seconds()


def main():
    global Orders, client, wait_until
    options = arguments()
    if not (options.bin / "kms-node").exists():
        raise SystemExit(f"{options.bin}/kms-node does not exist; build it, or name the folder with --bin")
    os.environ["KMS_BIN_DIR"] = str(options.bin.resolve())
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    import client
    from network import wait_until
    from orders import Orders
    load = os.getloadavg()[0]
    ordered = [from_order(options) for _ in range(options.runs)]
    launched = [from_launch(options) for _ in range(options.runs)]
    rows = {"from the order, all processes ready": ordered,
            "from launch": [released for _, released in launched],
            "of which until the last process listens": [up for up, _ in launched]}
    if options.json:
        print(json.dumps({"nodes": options.nodes, "threshold": options.threshold, "load": load, **rows}, indent=1))
        return
    print(f"\nkey of {options.threshold} of {options.nodes}, {os.cpu_count()} cores, load before {load:.1f}, {options.bin}\n")
    print(f"| {'seconds until the slowest node has released the key':51} | {'best':>6} | {'median':>6} | {'worst':>6} |")
    print(f"|{'-' * 53}|{'-' * 8}|{'-' * 8}|{'-' * 8}|")
    for what, values in rows.items():
        print(f"| {what:51} | {min(values):6.2f} | {statistics.median(values):6.2f} | {max(values):6.2f} |")


if __name__ == "__main__":
    main()
