"""Gateway and user in one, from the written interface (docs/API.md) and the oracle's curve, Keccak and EIP-712: nothing is
shared with the node under test."""
import http.client
import json
import pathlib
import secrets
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "oracle"))
import curve  # noqa: E402
import delegation  # noqa: E402
import hashing  # noqa: E402
import rsa  # noqa: E402

CHAIN_ID = 31337


class Wrong(AssertionError):
    """An answer that is not what the interface promises."""


def address_of(point):
    return "0x" + hashing.keccak256(curve.uncompressed(point)[1:])[-20:].hex()


def address_of_key(secret):
    return address_of(curve.mul(secret, curve.G))


class Answer:
    def __init__(self, status, headers, body, seconds):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r} after {self.seconds:.2f} s"


def ask(port, path, method="GET", body=None, headers=None, timeout=10.0):
    """One request on a connection of its own; OSError if nobody answers."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text,
                      time.monotonic() - began)
    except http.client.HTTPException as problem:
        raise ConnectionError(f"port {port}: {problem!r}") from problem
    finally:
        connection.close()


def fetch(port, path):
    """The JSON of a route that must answer 200."""
    answer = ask(port, path)
    if answer.status != 200:
        raise Wrong(f"GET {path} at port {port}: {answer}")
    return answer.json


class Request:
    """One authorised delegation request for a fresh K = k G; expects x(k * public key)."""

    def __init__(self, public_key, gateway_secret, chain_id=CHAIN_ID):
        k = 1 + secrets.randbelow(curve.Q - 1)
        self.chain_id = chain_id
        self.expected = curve.mul(k, public_key)[0].to_bytes(32, "big")
        self.body = {"ephemeralPubKey": "0x" + curve.enc(curve.mul(k, curve.G)).hex(),
                     "targetPubKey": "0x" + rsa.spki().hex()}
        digest = delegation.v0_request_digest(chain_id, self.body["ephemeralPubKey"], self.body["targetPubKey"])
        self.token = "0x" + hashing.ecdsa_sign(gateway_secret, digest).hex()

    def path(self, salt):
        return f"/v0/delegate?chain_id={self.chain_id}&salt=0x{salt.hex()}"

    def headers(self):
        return {"Content-Type": "application/json", "Authorization": "Bearer " + self.token}

    def send(self, port, salt=None, timeout=10.0):
        salt = secrets.token_bytes(32) if salt is None else salt
        answer = ask(port, self.path(salt), "POST", json.dumps(self.body), self.headers(), timeout)
        answer.salt = salt
        return answer

    def check(self, answer, signer):
        """The encrypted secret, after everything that must hold of it did."""
        if answer.status != 200:
            raise Wrong(f"a valid delegation was answered {answer}")
        encrypted, proof = answer.json["encryptedSharedSecret"], answer.json["proof"]
        if encrypted != encrypted.lower() or len(encrypted) != 2 + 2 * rsa.BYTES or len(proof) != 2 + 130:
            raise Wrong(f"shape of the answer: {answer}")
        digest = delegation.v0_response_digest(self.chain_id, answer.salt, encrypted)
        who = address_of(hashing.ecdsa_recover(digest, bytes.fromhex(proof[2:])))
        if who != signer.lower():
            raise Wrong(f"the proof is signed by {who}, not {signer}")
        if rsa.decrypt(bytes.fromhex(encrypted[2:])) != self.expected:
            raise Wrong("the shared secret is not x(k * public key)")
        return encrypted


def point(hexadecimal):
    return curve.dec(bytes.fromhex(hexadecimal[2:]))


def interpolate(shares):
    """The point at 0 of {position: S_i}."""
    total = None
    for i, share in shares.items():
        weight = 1
        for j in shares:
            if j != i:
                weight = weight * j * pow(j - i, -1, curve.Q) % curve.Q
        total = curve.add(total, curve.mul(weight, share))
    return total
