#!/usr/bin/env python3
"""GET /v1/events: what a client sees that watches a node while its network makes a key and loses a member."""
import http.client
import json
import socket
import threading
import time
import unittest

from network import Network, wait_until


class Watcher:
    """Reads the events of a node in a thread of its own: `seen` has (name, document) in the order of arrival."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.connection.request("GET", "/v1/events")
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.seen, self.problem = [], None
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        name = None
        try:
            for line in self.response:
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    name = text[len("event: "):]
                elif text.startswith("data: "):
                    self.seen.append((name, json.loads(text[len("data: "):])))
        except Exception as problem:  # shown by the test, not by the thread
            self.problem = problem

    def leave(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.response.close()

    def last(self, name):
        return next((document for seen, document in reversed(self.seen) if seen == name), None)


class Events(unittest.TestCase):
    def test_a_watcher_sees_the_key_being_made_and_a_member_leave_and_come_back(self):
        with Network("events", nodes=3, threshold=2) as network:
            network.start(1)
            wait_until(lambda: network.ready(1).status == 503, "node-1 answering", 20)
            watcher = Watcher(network.port(1))
            self.assertEqual(watcher.response.status, 200)
            self.assertEqual(watcher.response.headers["content-type"], "text/event-stream")
            wait_until(lambda: {name for name, _ in watcher.seen} == {"ready", "keys", "network", "ceremonies"},
                       "one event of each name", 5)
            self.assertFalse(watcher.last("ready")["ready"])
            self.assertEqual(watcher.last("keys")["keys"], [])
            network.start(2, 3)
            network.wait_ready()
            wait_until(lambda: watcher.last("ready")["ready"] and watcher.last("keys")["keys"], "the key", 5)
            self.assertEqual(watcher.last("keys")["keys"][0]["publicKey"], network.key(1)["publicKey"])
            phases = [document["ceremonies"][0]["phase"] for name, document in watcher.seen if name == "ceremonies"]
            self.assertEqual(phases[-1], "released")
            self.assertGreater(len(phases), 1)

            def connected():
                return {each["name"]: each["connected"] for each in watcher.last("network")["members"]}
            wait_until(lambda: all(connected().values()), "all connected", 10)
            network.end(3)
            wait_until(lambda: not connected()["node-3"], "node-3 gone", 20)
            network.start(3)
            wait_until(lambda: connected()["node-3"], "node-3 back", 20)
            network.end(1)
            watcher.thread.join(5)
            self.assertFalse(watcher.thread.is_alive(), "the stream outlived its node")
            watcher.response.close()

    def test_whoever_comes_later_is_shown_everything_at_once_and_a_node_survives_many_who_leave(self):
        with Network("events-many", nodes=1, threshold=1) as network:
            network.start()
            network.wait_ready()
            for _ in range(200):
                watcher = Watcher(network.port(1))
                self.assertIn(watcher.response.status, (200, 503))
                watcher.leave()
            time.sleep(1.5)
            watcher = Watcher(network.port(1))
            self.assertEqual(watcher.response.status, 200)
            wait_until(lambda: watcher.last("keys") and watcher.last("ceremonies"), "the first events", 3)
            self.assertEqual(watcher.last("keys")["keys"][0]["publicKey"], network.key(1)["publicKey"])
            network.delegate(1)
            watcher.leave()


if __name__ == "__main__":
    unittest.main()
