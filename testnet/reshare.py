"""testnet/reshare: another committee for a running test network, as its operators would order it."""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import layout
import processes
import start
import watch


class Failure(Exception):
    pass


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="testnet/reshare", description="Moves the key of a network that testnet/up started to nodes 1..N with "
        "threshold T: makes and starts the nodes that are new, writes the network file of the next epoch, approves it "
        "at every node, waits, and checks that the public key stayed the same. Nodes that leave answer through the "
        "grace period (10 minutes), then erase their shares; they go on running until testnet/down.")
    parser.add_argument("--root", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--bin", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--nodes", type=int, required=True, help="members of the new committee: nodes 1 to N")
    parser.add_argument("--threshold", type=int, help="how many a delegation needs then (default: more than half)")
    parser.add_argument("--dir", type=pathlib.Path, help="the testnet's folder (default: testnet/run)")
    parser.add_argument("--wait", type=int, default=120, metavar="S", help="seconds to wait (default 120)")
    options = parser.parse_args()
    options.bin = options.bin or options.root / "build/release/bin"
    return parser, options


def load(parser, options, folder):
    """Plans of the committee that is and of the one to be."""
    if not folder.settings.exists():
        parser.error(f"there is no testnet in {folder.path}; testnet/up makes one")
    old = json.loads(folder.settings.read_text())
    before = layout.Plan(old["nodes"], old["threshold"], old["basePort"])
    threshold = options.threshold if options.threshold is not None else options.nodes // 2 + 1
    after = layout.Plan(options.nodes, threshold, old["basePort"])
    if after.problem():
        parser.error(after.problem())
    running = {each.name for each in processes.load(folder.processes) if each.is_running()}
    away = [f"node-{index}" for index in range(1, before.nodes + 1) if f"node-{index}" not in running]
    if away:
        print(f"-- not running: {', '.join(away)}; a quorum of the members in charge must approve")
    return before, after, running


def public_key(port):
    status, body = watch.ask(port, "/v1/keys")
    keys = body.get("keys", []) if status == 200 else []
    if not keys:
        raise Failure(f"the node at port {port} serves no key" + ("" if status else f": {body}"))
    return keys[0]


def start_missing(options, folder, plan):
    """Makes and starts those of nodes 1..n that are not there. They follow the network until they are members."""
    identities = [start.make_identity(options, folder, index, joins=True) for index in range(1, plan.nodes + 1)]
    folder.peers.write_text(layout.peers_text(plan, identities))
    for index in range(1, plan.nodes + 1):
        layout.write_node(plan, folder, index)
    nodes = {each.name: each for each in processes.load(folder.processes) if each.is_running()}
    for index in range(1, plan.nodes + 1):
        name = f"node-{index}"
        if name in nodes:
            continue
        print(f"-- starting {name}", flush=True)
        command = [options.bin / "kms-node", "--config", folder.node(index) / "node.toml"]
        nodes[name] = processes.Process.start(name, command, folder.log(index), folder.node(index))
        processes.save(folder.processes, list(nodes.values()))
    return identities, nodes


def wait_for_sockets(folder, indices):
    deadline = time.monotonic() + 20
    for index in indices:
        socket = folder.node(index) / "data/admin.sock"
        while not socket.is_socket():
            if time.monotonic() > deadline:
                raise Failure(f"node-{index} did not open {socket}; its log ends with:\n"
                              f"{processes.tail(folder.log(index))}")
            time.sleep(0.05)


def order(options, folder, file, indices):
    command = [options.bin / "kmsctl", "reshare", "--wait", str(options.wait), str(file)]
    for index in indices:
        command += ["--socket", str(folder.node(index) / "data/admin.sock")]
    if subprocess.run(command).returncode != 0:
        raise Failure("the network did not get there; kmsctl ceremonies --testnet "
                      f"{folder.description} shows where it stands")


def check(plan, key):
    """Every node of the new committee serves the same public key in the new epoch."""
    deadline = time.monotonic() + 20
    for index in range(1, plan.nodes + 1):
        while True:
            status, body = watch.ask(plan.http_port(index), "/ready")
            if status == 200:
                break
            if time.monotonic() > deadline:
                raise Failure(f"node-{index} is not ready: {body}")
            time.sleep(0.1)
        now = public_key(plan.http_port(index))
        if now["publicKey"] != key["publicKey"]:
            raise Failure(f"node-{index} serves {now['publicKey']}, not {key['publicKey']}")
        if now["threshold"] != plan.threshold or now["memberCount"] != plan.nodes:
            raise Failure(f"node-{index} serves {now['threshold']} of {now['memberCount']}")
    return now


def main():
    parser, options = parse_arguments()
    folder = layout.Folder(options.dir or options.root / "testnet" / "run")
    before, after, running = load(parser, options, folder)
    speaker = next((index for index in range(1, before.nodes + 1) if f"node-{index}" in running), None)
    if speaker is None:
        raise Failure("no node runs; testnet/up starts them")
    key = public_key(before.http_port(speaker))
    began = time.monotonic()
    identities, nodes = start_missing(options, folder, after)
    epoch = key["epoch"] + 1
    file = folder.next_network(epoch)
    file.write_text(layout.later_network_text(folder, after, identities, epoch, after.threshold < before.threshold))
    everybody = [index for index in range(1, max(before.nodes, after.nodes) + 1)
                 if f"node-{index}" in running or index <= after.nodes]
    wait_for_sockets(folder, everybody)
    print(f"-- from {before.threshold} of {before.nodes} to {after.threshold} of {after.nodes}: {file}", flush=True)
    order(options, folder, file, everybody)
    now = check(after, key)
    gateway = json.loads(folder.gateway_key.with_suffix(".json").read_text())["address"]
    signer = json.loads(folder.wallet_key.with_suffix(".json").read_text())["address"]
    pids = {each.name: each.pid for each in nodes.values()}
    name = folder.network.read_text().split('"')[1]
    layout.write_description(folder, layout.description(after, folder, identities, pids, [now], gateway, signer, name))
    folder.settings.write_text(json.dumps(after.as_settings()) + "\n")
    print(f"-- all {after.nodes} nodes ready in epoch {now['epoch']}: {time.monotonic() - began:.1f} s")
    print(f"key      {now['publicKey']} (as before)\n         chain {now['chainId']}, epoch {now['epoch']}, "
          f"{after.threshold} of {after.nodes}")
    left = [index for index in range(after.nodes + 1, before.nodes + 1) if f"node-{index}" in running]
    if left:
        print("leaving  " + ", ".join(f"node-{index}" for index in left)
              + ": they answer for 10 more minutes, then erase their shares")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, start.Failure, OSError) as problem:
        sys.exit(f"testnet/reshare: {problem}")
