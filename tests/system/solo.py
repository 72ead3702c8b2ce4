"""A node alone, configured by the environment of nox-kms."""
import os
import subprocess

import client
from network import BIN, Scratch, free_port, wait_until

# Published test keys of iExec's local stack.
ECC_KEY = "0xc43d85348f58410c27ddf71808e440ea70bc64af3f7d488be9171dbab2ce042a"
PUBLIC_KEY = "0x03902284a6bd5198b4a32ef2319fc3ae37ea166aff0320eaa8addb0182ee80381e"
WALLET_KEY = "0x0bb3d9bb5be6d9c62ff1f519db4ae37ec8234bae14ef98b50d438e9bc3f9bb5b"
WALLET = "0xd986f153ddfc363beecd4049bd58bb3d6ebe4f5a"
GATEWAY_KEY = "0x7d9d57f334cbf385b4a5ec1be108f25fc1668b0eae639249bb51aaae85e61022"
GATEWAY = "0xE1a6B1De3AbF04e7FA5355373880350Dc3004D0e"
CONTRACT = "0x24ef36ec5b626d7dcd09a98f3083c2758f0f77bf"


def imported_environment(port):
    """What a nox-kms of the local stack is started with, and the gateway that it would have read from the chain."""
    return {"NOX_KMS_SERVER__PORT": str(port), "NOX_KMS_WALLET_KEY": WALLET_KEY,
            f"NOX_KMS_CHAINS__{client.CHAIN_ID}__ECC_KEY": ECC_KEY,
            f"NOX_KMS_CHAINS__{client.CHAIN_ID}__RPC_URL": "http://127.0.0.1:8545",
            f"NOX_KMS_CHAINS__{client.CHAIN_ID}__NOX_COMPUTE_CONTRACT_ADDRESS": CONTRACT,
            f"KMS_GATEWAY__{client.CHAIN_ID}": GATEWAY}


class Solo(Scratch):
    def __init__(self, name):
        super().__init__(name)
        self.port = free_port()
        self.work = self.path / "work"
        self.work.mkdir(mode=0o700)
        self.log = self.path / "solo.log"
        self.gateway_secret = int(GATEWAY_KEY, 16)

    def start(self, environment, *arguments, limits="true"):
        """`limits`: what a shell runs before, for example ulimit -n 200."""
        command = ["sh", "-c", limits + '; exec "$@"', "sh", BIN / "kms-node", "--solo", *arguments]
        self.run("solo", command, self.log, self.work, environment)

    def wait_ready(self):
        def is_ready():
            assert self.processes["solo"].is_running(), self.processes["solo"].ending()
            return client.ask(self.port, "/ready").status == 200
        wait_until(is_ready, "/ready of the solo node", 30)

    def public_key(self):
        return client.fetch(self.port, f"/v0/public-key?chain_id={client.CHAIN_ID}")["publicKey"]

    def delegate(self, signer):
        request = client.Request(client.point(self.public_key()), self.gateway_secret)
        return request.check(request.send(self.port), signer)


def refused(arguments, environment=None, folder=None, seconds=30):
    """Exit status and everything printed by a kms-node that must not start."""
    done = subprocess.run([BIN / "kms-node", *map(str, arguments)], env=dict(os.environ) | (environment or {}),
                          cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=seconds)
    return done.returncode, done.stdout
