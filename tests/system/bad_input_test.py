#!/usr/bin/env python3
"""Strangers at the HTTP and p2p ports of a running network: whatever they send, they get an error or a closed connection, the log
says why, memory stays flat, and the gateway is served all the while."""
import concurrent.futures
import contextlib
import json
import os
import re
import socket
import time
import unittest

import solo
from network import Network, wait_until

LIMITS = {"KMS_HTTP__RECEIVE": "2s", "KMS_HTTP__IDLE": "3s"}
GROWTH_MAX = 20 << 20


def read_all(connection, seconds):
    """Everything until the other side closes; None if it does not within the time."""
    deadline, out = time.monotonic() + seconds, b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        connection.settimeout(left)
        try:
            some = connection.recv(65536)
        except (TimeoutError, socket.timeout):
            return None
        except ConnectionError:
            return out
        if not some:
            return out
        out += some


def send(connection, content):
    """Whether the other side still takes it."""
    try:
        connection.sendall(content)
        return True
    except (ConnectionError, TimeoutError, socket.timeout):
        return False


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(Network("bad-input", 3, 2))
        cls.network.start(environment=LIMITS)
        cls.network.wait_ready()
        for index in (1, 2, 3):
            for _ in range(10):
                cls.network.delegate(index)
        cls.before = cls.network.resident_bytes(1)

    def tearDown(self):
        for index in (1, 2, 3):
            wait_until(lambda: self.network.delegate(index), f"service at node-{index}", 5)
        self.assertNotIn(" error ", self.network.log(1))
        grown = self.network.resident_bytes(1) - self.before
        print(f"[{grown / 1048576:+.1f} MiB] ", end="", flush=True)
        self.assertLess(grown, GROWTH_MAX)

    def http(self):
        return socket.create_connection(("127.0.0.1", self.network.port(1)), 10)

    def p2p(self):
        return socket.create_connection(("127.0.0.1", self.network.plan.p2p_port(1)), 10)

    def answer_to(self, *pieces, seconds=6):
        with self.http() as connection:
            for piece in pieces:
                if not send(connection, piece):
                    break
            answer = read_all(connection, seconds)
            self.assertIsNotNone(answer, f"neither answered nor closed within {seconds} s: {pieces[0][:80]!r}")
            return answer

    def assert_refused(self, status, *pieces):
        answer = self.answer_to(*pieces)
        self.assertRegex(answer[:40], rf"^HTTP/1\.[01] {status} ".encode(), pieces[0][:80])
        wait_until(lambda: f"http: refused a request with {status} from 127.0.0.1" in self.network.log(1),
                   "the reason in the log", 2)

    # ---- HTTP

    def test_http_garbage(self):
        for content in (os.urandom(4096), bytes(10000), b"\r\n" * 5000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET"):
            with self.http() as connection:
                send(connection, content)
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                answer = read_all(connection, 6)
                self.assertIsNotNone(answer, content[:20])
                self.assertRegex(answer[:12], rb"^(HTTP/1\.1 4|$)")
        self.assertRegex(self.network.log(1), r"http: refused a request with 400 from 127\.0\.0\.1:\d+: malformed HTTP request")

    def test_http_requests_that_are_none(self):
        for head in (b"GET /health HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"G\x00T / HTTP/1.1\r\n\r\n",
                     b"POST /v0/delegate HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"POST /v0/delegate HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                     b"POST /v0/delegate HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                     b"POST /v0/delegate HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
                     b"POST /v0/delegate HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
                     b"GET / HTTP/1.1\r\nno colon here\r\n\r\n"):
            answer = self.answer_to(head)
            self.assertRegex(answer[:12], rb"^HTTP/1\.1 4", head)

    def test_http_headers_without_end(self):
        self.assert_refused(431, b"GET / HTTP/1.1\r\n", *[b"x-%d: %s\r\n" % (i, b"y" * 1000) for i in range(64)])
        self.assert_refused(431, b"GET /" + b"a" * (1 << 20))

    def test_http_bodies_beyond_the_limit(self):
        head = b"POST /v0/delegate?chain_id=31337&salt=0x00 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        body = b" " * (3 << 20)
        self.assert_refused(413, head + b"Content-Length: %d\r\n\r\n" % len(body), body)
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        self.assert_refused(413, head + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 48)

    def test_json_that_nests_without_end(self):
        body = b'{"ephemeralPubKey":' + b"[" * 1_000_000
        answer = self.answer_to(b"POST /v0/delegate?chain_id=31337&salt=0x00 HTTP/1.1\r\nConnection: close\r\n"
                                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body), body)
        self.assertRegex(answer[:20], rb"^HTTP/1\.1 400 ")

    def test_large_bodies_at_once_leave_no_memory_behind(self):
        many = "{" + ",".join(f'"k{i}":"{i}"' for i in range(120_000)) + "}"
        for body in (json.dumps({"ephemeralPubKey": "a" * 1_900_000, "targetPubKey": "b"}), many):
            head = (f"POST /v0/delegate?chain_id=31337&salt=0x{'11' * 32} HTTP/1.1\r\nConnection: close\r\n"
                    f"Authorization: Bearer 0x{'11' * 65}\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n").encode()
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                answers = list(pool.map(lambda _: self.answer_to(head, body.encode(), seconds=20), range(60)))
            for answer in answers:
                self.assertRegex(answer[:20], rb"^HTTP/1\.1 (401|422|503) ")
        wait_until(lambda: "http: answered 422 from 127.0.0.1" in self.network.log(1), "the reason in the log", 2)

    def test_http_slow_headers_and_slow_bodies(self):
        for head in (b"GET /health HTTP/1.1\r\nx: ", b"POST /v0/delegate HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"):
            began = time.monotonic()
            with contextlib.ExitStack() as stack:
                slow = [stack.enter_context(self.http()) for _ in range(50)]
                for connection in slow:
                    send(connection, head)
                while time.monotonic() - began < 1.5:  # a byte now and then must not buy more time
                    for connection in slow:
                        send(connection, b"a")
                    self.network.delegate(1)
                answers = [read_all(connection, 3.5) for connection in slow]
            self.assertLess(time.monotonic() - began, 6)
            self.assertEqual(set(answers), {b""})
        self.assertRegex(self.network.log(1), r"http: closed a connection from 127\.0\.0\.1:\d+: a request took too long")

    def test_http_half_open_connections(self):
        with contextlib.ExitStack() as stack:
            silent = [stack.enter_context(self.http()) for _ in range(300)]
            for _ in range(5):
                self.network.delegate(1)
            for connection in silent:
                self.assertEqual(read_all(connection, 8), b"")

    def test_http_more_connections_than_one_address_may_have(self):
        with contextlib.ExitStack() as stack:
            for _ in range(600):
                stack.enter_context(self.http())
            wait_until(lambda: re.search(r"http: refused a connection from 127\.0\.0\.1:\d+: too many", self.network.log(1)),
                       "the reason in the log", 5)
            self.assertEqual(self.network.delegate(2)[:2], "0x")  # the other doors are open

    def test_http_clients_that_leave_before_the_answer(self):
        request = self.network.request(1)
        body = json.dumps(request.body).encode()
        lines = [f"{name}: {value}" for name, value in request.headers().items()]
        head = "\r\n".join([f"POST {request.path(bytes(32))} HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""])
        for _ in range(200):
            with self.http() as connection:
                send(connection, head.encode() + body)

    def test_http_pipelined_requests_are_answered_in_order(self):
        paths = [b"/health", b"/v1/nothing", b"/v0/delegate"] * 20
        requests = [b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths[:-1]]
        requests.append(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % paths[-1])
        statuses = re.findall(rb"HTTP/1\.1 (\d+)", self.answer_to(b"".join(requests)))
        self.assertEqual(statuses, [b"200", b"404", b"405"] * 20)

    def test_http_2000_connections_in_a_row(self):
        for number in range(2000):
            with self.http() as connection:
                if number % 2:
                    send(connection, b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
                    self.assertIn(b'{"status":"ok"}', read_all(connection, 5))

    # ---- p2p

    def assert_closed(self, kind, *pieces, seconds=25):
        with self.p2p() as connection:
            for piece in pieces:
                if not send(connection, piece):
                    break
            self.assertIsNotNone(read_all(connection, seconds), f"still open after {seconds} s: {kind}")

    def test_p2p_garbage(self):
        self.assert_closed("random bytes", os.urandom(65536))
        self.assert_closed("zeros", bytes(65536))
        self.assert_closed("TLS", bytes.fromhex("16030100c8010000c40303") + os.urandom(200) + bytes(65536))
        self.assert_closed("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assert_closed("a token of 2^63 bytes", b"\xff" * 8 + b"\x7f", b"a" * 65536)
        self.assert_closed("a length without end", b"\xff" * 65536)
        self.assert_closed("a token that is longer than announced", b"\x13/multistream/1.0.0!", b"a" * 65536)
        hello = b"\x13/multistream/1.0.0\n"
        self.assert_closed("tokens without end", hello, *[b"\x07/noise!"] * 100)
        self.assert_closed("proposals without end", hello, *[b"\x05/tls\n" * 1000] * 100)
        self.assert_closed("a Noise message of 64 KiB", hello + b"\x07/noise\n", b"\xff\xff" + os.urandom(65535))
        self.assert_closed("a Noise message of nothing", hello + b"\x07/noise\n", b"\x00\x00" * 100)
        wait_until(lambda: re.search(r"p2p: closed a connection \([^)]+\) from /ip4/127\.0\.0\.1/tcp/\d+: .", self.network.log(1)),
                   "the reason in the log", 3)

    def test_p2p_half_open_connections_keep_no_member_out(self):
        with contextlib.ExitStack() as stack:
            silent = [stack.enter_context(self.p2p()) for _ in range(200)]
            for connection in silent[:100]:
                send(connection, b"\x13/multistream/1.0.0\n")
            for _ in range(5):
                self.network.delegate(1)
            self.network.end(2, 3)  # node 1 needs one of them again
            self.network.start(2, environment=LIMITS)
            wait_until(lambda: self.network.ready(1).status == 200, "a member coming back", 30)
            self.network.delegate(1)
            still_open = [connection for connection in silent if read_all(connection, 25) is None]
            self.assertEqual(still_open, [])
        self.network.start(3, environment=LIMITS)
        self.network.wait_ready(seconds=30)

    def test_p2p_1000_connections_in_a_row(self):
        for _ in range(1000):
            with self.p2p() as connection:
                send(connection, b"\x13/multistream/1.0.0\n")


class Descriptors(unittest.TestCase):
    def connect(self, stack, node, count):
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", node.port), 10))

    def test_a_soft_limit_of_open_files_is_raised(self):
        with solo.Solo("descriptors") as node, contextlib.ExitStack() as stack:
            node.start(solo.imported_environment(node.port), limits="ulimit -Sn 100")
            node.wait_ready()
            self.connect(stack, node, 300)
            node.delegate(solo.WALLET)

    def test_at_a_hard_limit_the_node_says_so_and_serves_again_when_connections_end(self):
        with solo.Solo("few-descriptors") as node:
            node.start(solo.imported_environment(node.port) | {"KMS_HTTP__IDLE": "2s"}, limits="ulimit -n 100")
            node.wait_ready()
            self.assertIn("only 100 files and connections may be open at once", node.log.read_text())
            with contextlib.ExitStack() as stack:
                self.connect(stack, node, 300)
                wait_until(lambda: node.delegate(solo.WALLET), "service once the silent ones are closed", 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
