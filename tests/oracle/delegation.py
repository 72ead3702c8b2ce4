"""Transcripts of delegation (docs/TRANSCRIPTS.md section 7) and the EIP-712 digests of requests and answers."""
from curve import enc
from hashing import keccak256, sha256, tagged, u8, u16, u32, u64


def request_hash(network, key, form, K, target_kind, target, requester, auth_digest, nonce, deadline):
    return tagged("KMS1/req", network, key, u8(form), enc(K), u8(target_kind), target, requester, auth_digest, nonce, u64(deadline))


def rank_order(rh, positions):
    return sorted(positions, key=lambda i: tagged("KMS1/rank", rh, u16(i)))


def partial_context(key, epoch, T, i, rh, form, entry_id, reply_key):
    return tagged("KMS1/partial", key, u32(epoch), T, u16(i), rh, u8(form), entry_id, reply_key)


def entry_digest(network, rh, form, entry_id, reply_key, epoch, T, issued_at):
    return tagged("KMS1/sig/entry", network, rh, u8(form), entry_id, enc(reply_key), u32(epoch), T, u64(issued_at))


def seal_salt(node_secret, rand, rh, epoch, T, i, entry_id, reply_key, plaintext):
    return tagged("KMS1/sealsalt", node_secret, rand, rh, u32(epoch), T, u16(i), entry_id, enc(reply_key), plaintext)


def aad_a(network, rh, epoch, T, i, entry_id, reply_key):
    return tagged("KMS1/aadA", network, rh, u32(epoch), T, u16(i), entry_id, enc(reply_key))


def ephpok_statement(key, text, K, ciphertext):
    return (key, text, enc(K), sha256(ciphertext))


# ---- EIP-712

def _word(x):
    return x.to_bytes(32, "big")


def _domain(name, chain_id, salt=None):
    kind = b"EIP712Domain(string name,string version,uint256 chainId" + (b",bytes32 salt)" if salt is not None else b")")
    return keccak256(keccak256(kind) + keccak256(name) + keccak256(b"1") + _word(chain_id) + (salt or b""))


def _eip712(domain, struct):
    return keccak256(b"\x19\x01" + domain + struct)


def v0_request_digest(chain_id, ephemeral, target):
    """The two strings exactly as received."""
    kind = b"DelegateAuthorization(string ephemeralPubKey,string targetPubKey)"
    return _eip712(_domain(b"ProtocolDelegate", chain_id), keccak256(keccak256(kind) + keccak256(ephemeral.encode()) + keccak256(target.encode())))


def v0_response_digest(chain_id, salt, encrypted):
    kind = b"DelegateResponseProof(string encryptedSharedSecret)"
    return _eip712(_domain(b"ProtocolDelegate", chain_id, salt), keccak256(keccak256(kind) + keccak256(encrypted.encode())))


def v1_request_digest(chain_id, network, key, form, entry, K, target_kind, target, nonce, deadline):
    kind = (b"DelegationAuthorization(bytes32 networkId,bytes32 keyId,uint8 form,address entry,bytes K,uint8 targetKind,"
            b"bytes target,bytes32 nonce,uint64 deadline)")
    struct = keccak256(keccak256(kind) + network + key + _word(form) + bytes(12) + entry + keccak256(enc(K)) + _word(target_kind) +
                       keccak256(target) + nonce + _word(deadline))
    return _eip712(_domain(b"KmsDelegation", chain_id), struct)
