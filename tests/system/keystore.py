"""Opens what a node keeps on disk, given its passphrase: node.key and store.db as their headers describe them
(crypto/keystore.h, crypto/sealing.h, node/io/sqlite_store.h). Argon2id is the system's libargon2; AES-GCM the oracle's."""
import ctypes
import shutil
import sqlite3
import tempfile

import client  # noqa: F401, finds the oracle
import aes_gcm


def _argon2id(passphrase, salt, memory_kib, iterations):
    library, out = ctypes.CDLL("libargon2.so.1"), ctypes.create_string_buffer(32)
    size = ctypes.c_size_t
    status = library.argon2id_hash_raw(ctypes.c_uint32(iterations), ctypes.c_uint32(memory_kib), ctypes.c_uint32(1),
                                       passphrase, size(len(passphrase)), salt, size(len(salt)), out, size(32))
    assert status == 0, f"argon2id: {status}"
    return out.raw


def _open(key, box, context):
    plaintext = aes_gcm.unseal(key, box[:12], context, box[12:])
    assert plaintext is not None, "the box does not open"
    return plaintext


class NodeKey:
    def __init__(self, path, passphrase):
        raw = path.read_bytes()
        assert raw[:8] == b"KMSNODE1" and raw[41:49] == b"KMSSEAL1"
        self.public_key, header = raw[8:41], raw[41:73]
        memory_kib, iterations = int.from_bytes(header[8:12], "big"), int.from_bytes(header[12:16], "big")
        assert (memory_kib, iterations) == (64 * 1024, 3), "another Argon2id cost than documented"
        key = _argon2id(passphrase, header[16:], memory_kib, iterations)
        plaintext = _open(key, raw[73:], header + b"kms node key" + raw[:41])
        self.secret, self.node_secret, self.store_key = plaintext[:32], plaintext[32:64], plaintext[64:]


class Store:
    """Everything sealed in the store of a stopped node: {record: plaintext}, and the key-encryption keys."""

    def __init__(self, data_folder, store_key):
        with tempfile.TemporaryDirectory() as copy:
            for path in data_folder.glob("store.db*"):
                shutil.copy(path, copy)
            database = sqlite3.connect(f"{copy}/store.db")
            keks = dict(database.execute("SELECT name, box FROM keks"))
            records = list(database.execute("SELECT key, kek, value FROM records"))
            database.close()
        self.keks = {name: _open(store_key, box, f"kms store 1\nkek\n{name}".encode()) for name, box in keks.items()}
        self.plain = {key: value for key, kek, value in records if kek is None}
        self.sealed = {key: _open(self.keks[kek], value, f"kms store 1\nrecord\n{key}\n{kek}".encode())
                       for key, kek, value in records if kek is not None}
