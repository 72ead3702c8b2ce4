"""What the nodes say about themselves over HTTP, and what of it is worth a line."""
import concurrent.futures
import http.client
import json
import sys
import time

import processes

POLL_SECONDS = 0.1


class NoKey(Exception):
    """The network did not get its key; the text says why and shows the log to read."""


def ask(port, path):
    """Status and JSON body, or (None, reason)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read(1 << 20) or b"{}")
    except (OSError, ValueError, http.client.HTTPException) as problem:
        return None, str(problem)
    finally:
        connection.close()


class State:
    """One look at every node."""

    def __init__(self, plan, nodes):
        self.plan, self.nodes = plan, nodes
        with concurrent.futures.ThreadPoolExecutor(min(16, plan.nodes)) as pool:
            self.answers = list(pool.map(lambda index: ask(plan.http_port(index), "/ready"),
                                         range(1, plan.nodes + 1)))
            self.running = [node.is_running() for node in nodes]
            lists = list(pool.map(lambda index: ask(plan.http_port(index), "/v1/keys"), range(1, plan.nodes + 1)))
        self.lists = [answer.get("keys", []) if status == 200 else [] for status, answer in lists]
        self.keys = max(self.lists, key=lambda keys: [key["epoch"] for key in keys])

    def word(self, index):
        status, _ = self.answers[index - 1]
        if not self.running[index - 1]:
            return "stopped"
        return {200: "ready", 503: "not ready", None: "starting"}.get(status, f"HTTP {status}")

    def reasons(self, index):
        status, body = self.answers[index - 1]
        return "; ".join(body.get("reasons", [])) if status == 503 else ""

    def is_complete(self):
        return all(status == 200 for status, _ in self.answers) and all(
            keys and keys[0]["keyId"] == self.keys[0]["keyId"] for keys in self.lists)

    def progress(self):
        count = [self.word(index) for index in range(1, self.plan.nodes + 1)]
        text = f"{self.plan.nodes - count.count('starting') - count.count('stopped')} of {self.plan.nodes} nodes up"
        status, network = ask(self.plan.http_port(1), "/v1/network")
        phase = network.get("ceremony", {}).get("phase") if status == 200 else None
        return text + (f", ceremony: {phase}" if phase else "") + f", {count.count('ready')} ready"


def wait_for_key(plan, nodes, seconds):
    began, said, last_said = time.monotonic(), "", 0.0
    live = sys.stdout.isatty()
    while True:
        state = State(plan, nodes)
        elapsed = time.monotonic() - began
        if live:
            print("\r\033[K", end="")
        for index, node in enumerate(nodes, 1):
            if not node.is_running():
                raise NoKey(f"{node.name} {node.ending()} before the key was made; what this start began is stopped. The end of "
                            f"{node.record['log']}:\n{processes.tail(node.record['log'])}")
        if state.is_complete():
            print(f"-- key generated and all {plan.nodes} nodes ready: {elapsed:.1f} s", flush=True)
            return state
        text = state.progress()
        if elapsed > seconds:
            raise NoKey(give_up(plan, nodes, state, seconds))
        if live:
            print(f"-- waiting for the key: {text}, {elapsed:.1f} s", end="", flush=True)
        elif text != said and elapsed - last_said >= 1 or elapsed - last_said >= 10:
            said, last_said = text, elapsed
            print(f"-- waiting for the key: {text}, {elapsed:.1f} s", flush=True)
        time.sleep(POLL_SECONDS)


def give_up(plan, nodes, state, seconds):
    lines = [f"no key after {seconds:g} s; what this start began is stopped"]
    for index, node in enumerate(nodes, 1):
        lines.append(f"  {node.name}: {state.word(index)}" +
                     (f" ({state.reasons(index)})" if state.reasons(index) else ""))
    worst = next((index for index in range(1, plan.nodes + 1) if state.word(index) != "ready"), 1)
    log = nodes[worst - 1].record["log"]
    return "\n".join(lines + [f"The end of {log}:", processes.tail(log)])


def follow(plan, current, state):
    """Prints what changes until no node runs; current() lists the processes, one a node."""
    def line(text):
        print(time.strftime("%H:%M:%S ") + text, flush=True)

    while any(state.running):
        time.sleep(1)
        nodes = current()
        new = State(plan, nodes)
        for index, node in enumerate(nodes, 1):
            before, after = state.word(index), new.word(index)
            if before == after and state.reasons(index) == new.reasons(index):
                continue
            if after == "stopped":
                line(f"{node.name} {node.ending()}; log: {node.record['log']}")
            else:
                line(f"{node.name} {after}" + (f": {new.reasons(index)}" if new.reasons(index) else ""))
        if new.keys and new.keys != state.keys:
            for key in new.keys:
                line(f"chain {key['chainId']}: epoch {key['epoch']}, {key['publicKey']}")
        state = new
