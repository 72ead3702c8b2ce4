"""testnet/up after the build: makes the folder's keys and files, starts the nodes, waits for the key, shows what is."""
import argparse
import concurrent.futures
import fcntl
import json
import os
import pathlib
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time

import layout
import processes
import watch

EPILOG = """The folder keeps keys and shares: a second up starts what is not running and continues the same network.
testnet/down [--dir D] stops it, testnet/down --erase also deletes the folder."""


class Failure(Exception):
    pass


def parse_arguments():
    parser = argparse.ArgumentParser(prog="testnet/up", epilog=EPILOG, description="Installs what the machine lacks "
                                     "(Debian packages), builds, starts a network of nodes on 127.0.0.1, waits until "
                                     "they have generated their key, and prints how to use it.")
    parser.add_argument("--root", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--bin", type=pathlib.Path, help=argparse.SUPPRESS)  # tests run what they were built with
    parser.add_argument("--nodes", type=int, help="how many (default 5)")
    parser.add_argument("--threshold", type=int, help="how many of them a delegation needs (default 3, or all if fewer)")
    parser.add_argument("--dir", type=pathlib.Path, help="where keys, shares and logs go (default: testnet/run)")
    parser.add_argument("--base-port", type=int,
                        help="node i listens on base + i for peers and on base + 100 + i for HTTP (default 9000)")
    parser.add_argument("--chain", choices=["none", "anvil"], default="none", help="anvil is not available yet")
    parser.add_argument("--detach", action="store_true", help="return once the key is there; the nodes go on")
    parser.add_argument("--wait", type=float, default=60.0, metavar="S", help="seconds to wait for the key (default 60)")
    options = parser.parse_args()
    options.bin = options.bin or options.root / "build/release/bin"
    if options.chain == "anvil":
        parser.error("--chain anvil: the on-chain registry is not built yet; use --chain none, where network.toml "
                     "names the members")
    return parser, options


def plan_of(parser, options, folder):
    """From the arguments, or from the folder if a network is there; a contradiction is an error."""
    old = json.loads(folder.settings.read_text()) if folder.settings.exists() else {}
    if not old and folder.path.exists() and any(folder.path.iterdir()):
        parser.error(f"{folder.path} is not empty and not a testnet; choose another --dir")
    nodes = options.nodes if options.nodes is not None else old.get("nodes", 5)
    threshold = options.threshold if options.threshold is not None else old.get("threshold", min(3, nodes))
    base_port = options.base_port if options.base_port is not None else old.get("basePort", 9000)
    plan = layout.Plan(nodes, threshold, base_port)
    if plan.problem():
        parser.error(plan.problem())
    for name, value in plan.as_settings().items():
        if old and old[name] != value:
            parser.error(f"{folder.path} holds a network with {name} = {old[name]}, not {value}; testnet/down --dir "
                         f"{folder.path} --erase deletes it, or choose another --dir")
    return plan


def check_ports(plan, folder):
    running = {each.name for each in processes.load(folder.processes) if each.is_running()}
    for index in range(1, plan.nodes + 1):
        if f"node-{index}" in running:
            continue
        for port in (plan.p2p_port(index), plan.http_port(index)):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as problem:
                    raise Failure(f"port {port} of node-{index} cannot be used ({problem.strerror}); nothing was "
                                  "started. Choose other ports with --base-port, or see who has it: "
                                  f"ss -ltnp 'sport = :{port}'")


def keygen(options, *arguments):
    """What kmsctl keygen says about the key it made."""
    made = subprocess.run([options.bin / "kmsctl", "keygen", *arguments, "--json"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if made.returncode != 0:
        raise Failure(f"kmsctl keygen {' '.join(map(str, arguments))} failed: {(made.stderr or made.stdout).strip()}")
    return json.loads(made.stdout)


def make_once(folder, public, secret, make, joins=False):
    """What is public of a key, kept beside it, so that a later start finds the same key."""
    if public.exists():
        return json.loads(public.read_text())
    if folder.network.exists() and not joins:
        raise Failure(f"{public} is gone, but the network was made with its key; testnet/down --dir {folder.path} "
                      "--erase deletes the network")
    secret.unlink(missing_ok=True)  # of a start that was interrupted before anything relied on it
    made = make()
    public.write_text(json.dumps(made) + "\n")
    return made


def make_identity(options, folder, index, joins=False):
    """A sealed node key and what is public of it."""
    here = folder.node(index)
    here.mkdir(mode=0o700, exist_ok=True)
    passphrase = here / "passphrase"
    if not passphrase.exists():
        layout.write_private(passphrase, secrets.token_hex(24) + "\n")
    return make_once(folder, here / "identity.json", here / "node.key",
                     lambda: keygen(options, "--out", here, "--passphrase-file", passphrase), joins)


def make_wallet(options, folder, path):
    """Its address; the key stands in hex in `path`."""
    return make_once(folder, path.with_suffix(".json"), path,
                     lambda: keygen(options, "wallet", "--out", path))["address"]


def make_folder(options, plan, folder):
    """Creates what is not there yet; keys, network.toml and shares of an earlier start stay."""
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not folder.settings.exists():
        folder.settings.write_text(json.dumps(plan.as_settings()) + "\n")
    with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # 64 MiB of Argon2id each
        identities = list(pool.map(lambda index: make_identity(options, folder, index), range(1, plan.nodes + 1)))
    gateway = make_wallet(options, folder, folder.gateway_key)
    signer = make_wallet(options, folder, folder.wallet_key)
    if not folder.network.exists():
        fresh = folder.network.with_suffix(".new")
        fresh.write_text(layout.network_text(plan, identities, gateway))
        fresh.replace(folder.network)
    folder.peers.write_text(layout.peers_text(plan, identities))
    for index in range(1, plan.nodes + 1):
        layout.write_node(plan, folder, index)
    return identities, gateway, signer


def start_nodes(options, plan, folder):
    """All that are not running already; recorded one by one, so that an interruption leaves none unknown."""
    nodes = {each.name: each for each in processes.load(folder.processes) if each.is_running()}
    for index in range(1, plan.nodes + 1):
        name = f"node-{index}"
        if name not in nodes:
            command = [options.bin / "kms-node", "--config", folder.node(index) / "node.toml"]
            nodes[name] = processes.Process.start(name, command, folder.log(index), folder.node(index))
            processes.save(folder.processes, list(nodes.values()))
    return [nodes[f"node-{index}"] for index in range(1, plan.nodes + 1)]


def shown(path):
    """As short as it stays pasteable."""
    relative = os.path.relpath(path)
    return shlex.quote(relative if len(relative) < len(str(path)) else str(path))


def describe(options, plan, folder, identities, gateway, signer, nodes, state):
    name = folder.network.read_text().split('"')[1]
    layout.write_description(folder, layout.description(
        plan, folder, identities, {each.name: each.pid for each in nodes}, state.keys, gateway, signer, name))
    print()
    print(f"{'node':8} {'HTTP':24} {'p2p':8} {'pid':>8}  {'state':12} PeerId")
    for index, (identity, node) in enumerate(zip(identities, nodes), 1):
        print(f"{node.name:8} {plan.http(index):24} {'tcp/' + str(plan.p2p_port(index)):8} {node.pid:>8}  "
              f"{state.word(index):12} {identity['peerId']}")
    print()
    for key in state.keys:
        print(f"key      {key['publicKey']}\n         chain {key['chainId']}, epoch {key['epoch']}, "
              f"{plan.threshold} of {plan.nodes}")
    print(f"files    {folder.path}\n")
    kmsctl = shown(options.bin / "kmsctl")
    print("Encrypt a text, have it delegated by the network and decrypt it:\n")
    print(f"  {kmsctl} demo --testnet {shown(folder.description)} 'hello'\n", flush=True)


def main():
    parser, options = parse_arguments()
    folder = layout.Folder(options.dir or options.root / "testnet" / "run")
    plan = plan_of(parser, options, folder)
    check_ports(plan, folder)
    if options.check:
        return 0
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder.path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure(f"another testnet/up works in {folder.path}")

    # From here on a signal becomes an exception, so that no node is left behind unrecorded.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    nodes = []
    try:
        began = time.monotonic()
        identities, gateway, signer = make_folder(options, plan, folder)
        print(f"-- keys and files of {plan.nodes} nodes: {time.monotonic() - began:.1f} s", flush=True)
        nodes = start_nodes(options, plan, folder)
        state = watch.wait_for_key(plan, nodes, options.wait)
        describe(options, plan, folder, identities, gateway, signer, nodes, state)
        if options.detach:
            print(f"The nodes go on; stop them with: {shown(options.root / 'testnet/down')}"
                  + ("" if options.dir is None else f" --dir {shown(folder.path)}"))
            return 0
        print("Ctrl-C stops all nodes. Changes from here on:", flush=True)
        os.close(lock)  # another up may start again what was ended
        lock = None
        watch.follow(plan, lambda: recorded(folder, nodes), state)
        print("no node runs any more", flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nstopping", flush=True)
        return end(folder, processes.load(folder.processes))
    except (watch.NoKey, Failure, OSError):
        end(folder, [each for each in nodes if each.child is not None])
        raise
    finally:
        if lock is not None:
            os.close(lock)


def recorded(folder, started):
    """The node processes as the folder names them now; those we started know how they end."""
    now = {each.name: each for each in processes.load(folder.processes)}
    for each in started:
        if now.setdefault(each.name, each).pid == each.pid:
            now[each.name] = each
    return [now[each.name] for each in started]


def end(folder, nodes):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    survivors = processes.stop(nodes)
    for process in survivors:
        print(f"testnet/up: {process.name} (pid {process.pid}) could not be stopped", file=sys.stderr)
    processes.save(folder.processes, [each for each in processes.load(folder.processes) if each.is_running()])
    return 1 if survivors else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, watch.NoKey, OSError) as problem:
        sys.exit(f"testnet/up: {problem}")
