"""What a testnet folder holds, and the text of every file in it that is not a key:

    settings.json       what the network was made with; its presence marks the folder as ours
    network.toml        the members and the rules, the same for every node; network-E.toml: of a later epoch
    peers.txt           where each node can be dialled
    gateway.key         private key of the one gateway that may ask, hex; a test network, so it lies in the open
    response-wallet.key the key that signs the answers of all nodes, hex; .json beside both: what is public of them
    node-N/             node.toml, passphrase, node.key (sealed), identity.json, classes.txt (whom testnet/chaos cuts off),
                        data/, node.log
    processes.json      the running processes; testnet.json: the network as tests and tools read it
"""
import json
import os
import pathlib
import secrets

CHAIN_ID = 31337
NODES_MAX = 99


class Folder:
    def __init__(self, path):
        self.path = pathlib.Path(os.path.abspath(path))
        self.settings = self.path / "settings.json"
        self.network = self.path / "network.toml"
        self.peers = self.path / "peers.txt"
        self.gateway_key = self.path / "gateway.key"
        self.wallet_key = self.path / "response-wallet.key"
        self.processes = self.path / "processes.json"
        self.description = self.path / "testnet.json"

    def next_network(self, epoch):
        return self.path / f"network-{epoch}.toml"

    def node(self, index):
        return self.path / f"node-{index}"

    def log(self, index):
        return self.node(index) / "node.log"


def classes_file(folder, index):
    return folder.node(index) / "classes.txt"


class Plan:
    """Size, threshold and ports of one testnet."""

    def __init__(self, nodes, threshold, base_port):
        self.nodes, self.threshold, self.base_port = nodes, threshold, base_port

    def problem(self):
        if not 1 <= self.nodes <= NODES_MAX:
            return f"--nodes {self.nodes}: must be 1 to {NODES_MAX}"
        lowest = 1 if self.nodes == 1 else 2
        if not lowest <= self.threshold <= self.nodes:
            return f"--threshold {self.threshold}: must be {lowest} to {self.nodes} for {self.nodes} nodes"
        if not 1024 <= self.base_port <= 65535 - 100 - NODES_MAX:
            return f"--base-port {self.base_port}: must be 1024 to {65535 - 100 - NODES_MAX}"
        return None

    def tolerated_faults(self):
        return min((self.nodes - 1) // 3, (self.nodes - self.threshold) // 2)

    def p2p_port(self, index):
        return self.base_port + index

    def http_port(self, index):
        return self.base_port + 100 + index

    def http(self, index):
        return f"http://127.0.0.1:{self.http_port(index)}"

    def multiaddr(self, index):
        return f"/ip4/127.0.0.1/tcp/{self.p2p_port(index)}"

    def as_settings(self):
        return {"nodes": self.nodes, "threshold": self.threshold, "basePort": self.base_port}


def write_private(path, text):
    """Mode 0600 from the start, complete or absent, never over an existing file."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    os.link(fresh, path)
    fresh.unlink()


def network_text(plan, identities, gateway_address):
    lines = [f'name = "testnet-{secrets.token_hex(3)}"', f'creation_nonce = "0x{secrets.token_hex(32)}"',
             f"threshold = {plan.threshold}"]
    if plan.tolerated_faults() == 0 and plan.nodes > 1:
        lines.append("accept_f0 = true  # so small a network survives no fault during a ceremony")
    for index, identity in enumerate(identities, 1):
        lines += ["", "[[member]]", f'name = "node-{index}"', f'key = "{identity["publicKey"]}"',
                  f'addresses = ["{plan.multiaddr(index)}"]']
    lines += ["", "[[chain]]", f"id = {CHAIN_ID}", f'gateway = "{gateway_address}"']
    return "\n".join(lines) + "\n"


def later_network_text(folder, plan, identities, epoch, lowers, indices=None):
    """The file of a later epoch: name, creation_nonce and chains are those of network.toml. `indices`: of the nodes that
    `identities` are of, if those are not 1, 2, .."""
    head, _, rest = folder.network.read_text().partition("[[member]]")
    kept = [line for line in head.splitlines() if line.startswith(("name", "creation_nonce", "refresh_every",
                                                                   "repair_approval"))]
    lines = kept + [f"epoch = {epoch}", f"threshold = {plan.threshold}"]
    if lowers:
        lines.append("allow_lower_threshold = true")
    if plan.tolerated_faults() == 0 and plan.nodes > 1:
        lines.append("accept_f0 = true  # so small a network survives no fault during a ceremony")
    for index, identity in zip(indices or range(1, len(identities) + 1), identities):
        lines += ["", "[[member]]", f'name = "node-{index}"', f'key = "{identity["publicKey"]}"',
                  f'addresses = ["{plan.multiaddr(index)}"]']
    chains = rest[rest.index("[[chain]]"):]
    return "\n".join(lines) + "\n\n" + chains


def peers_text(plan, identities):
    return "".join(f'{plan.multiaddr(index)}/p2p/{identity["peerId"]}\n'
                   for index, identity in enumerate(identities, 1))


def node_text(plan, folder, index):
    quoted = json.dumps  # a JSON string of printable text is a TOML string
    here = folder.node(index)
    return f"""data_dir = {quoted(str(here / "data"))}

[network]
file = {quoted(str(folder.network))}

[keystore]
node_key_file = {quoted(str(here / "node.key"))}
passphrase_file = {quoted(str(here / "passphrase"))}

[p2p]
listen = ["{plan.multiaddr(index)}"]
peers_file = {quoted(str(folder.peers))}
classes_file = {quoted(str(classes_file(folder, index)))}

[http]
listen = "127.0.0.1:{plan.http_port(index)}"

[delegation]
response_wallet_file = {quoted(str(folder.wallet_key))}
"""


def write_node(plan, folder, index):
    """Its folders and files beside the keys; what it has stays."""
    (folder.node(index) / "data").mkdir(mode=0o700, exist_ok=True)
    classes_file(folder, index).touch()
    (folder.node(index) / "node.toml").write_text(node_text(plan, folder, index))


def description(plan, folder, identities, pids, keys, gateway_address, signer_address, name):
    """testnet.json."""
    nodes = []
    for index, identity in enumerate(identities, 1):
        nodes.append({"index": index, "peerId": identity["peerId"], "address": identity["address"],
                      "http": plan.http(index), "p2p": f'{plan.multiaddr(index)}/p2p/{identity["peerId"]}',
                      "pid": pids.get(f"node-{index}"), "dir": str(folder.node(index)),
                      "log": str(folder.log(index))})
    return {"network": name, "threshold": plan.threshold, "nodes": nodes,
            "keys": [{field: key[field] for field in ("keyId", "chainId", "publicKey", "epoch")} for key in keys],
            "gateway": {"address": gateway_address, "privateKey": folder.gateway_key.read_text().strip()},
            "signer": {"address": signer_address}}


def write_description(folder, content):
    """Readable by its owner only: it holds the gateway's key."""
    fresh = folder.description.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(content, indent=2) + "\n")
    fresh.replace(folder.description)
