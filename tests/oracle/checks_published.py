"""The oracle's primitives against values published by others."""
import csv

import aes_gcm
import kms_oracle as k
from curve import G, H, Q, Refused, dec, enc, mul
from hashing import ecdsa_recover, ecdsa_sign, hkdf, keccak256, sha256, tagged
from proofs import dleq_prove, dleq_verify


def same(a, b):
    if a != b:
        raise AssertionError(f"{a} is not {b}")


def check_tagged_hash_anchors_of_the_protocol(_):
    same(tagged("KMS1/test").hex(), "c08aff0e49221d4ca11a86255f5d61aebc6f37b2acdafc9f776441ab2b04a244")
    same(tagged("KMS1/test", b"", b"abc").hex(), "97c00150e5ac5b4e3f70e2cc5f27c090015c60b27054be8b257e5894909addb2")
    same(tagged("KMS1/test", b"a", b"bc").hex(), "70b4f007a3017cd3ec1dd0e850c97548ab73799decaf17f50fdc2c10620d54c4")


def check_second_generator_is_bip341s_point(_):
    same(enc(H).hex(), "0250929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0")


def check_keccak_of_empty_and_abc(_):
    same(keccak256(b"").hex(), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
    same(keccak256(b"abc").hex(), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")


def check_curve_arithmetic(_):
    same(enc(mul(2, G)).hex(), "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5")
    same(enc(mul(Q - 1, G)).hex(), "0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    same(mul(Q, G), None)
    key = 0xC43D85348F58410C27DDF71808E440EA70BC64AF3F7D488BE9171DBAB2CE042A
    same(enc(mul(key, G)).hex(), "03902284a6bd5198b4a32ef2319fc3ae37ea166aff0320eaa8addb0182ee80381e")


def check_ethereum_address_of_a_node_key(_):
    wallet = 0x0BB3D9BB5BE6D9C62FF1F519DB4AE37EC8234BAE14EF98B50D438E9BC3F9BB5B
    same(k.node_id(mul(wallet, G))[12:].hex(), "d986f153ddfc363beecd4049bd58bb3d6ebe4f5a")


def check_rfc6979_signature(_):
    digest = sha256(b"Satoshi Nakamoto")
    signature = ecdsa_sign(1, digest)
    same(signature[:64].hex(), "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5")
    same(ecdsa_recover(digest, signature), G)


def check_hkdf_of_rfc5869(_):
    okm = hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    same(okm.hex(), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


def check_aes_256_gcm_of_nist(_):
    same(aes_gcm.seal(bytes(32), bytes(12), b"", b"").hex(), "530f8afbc74536b9a963b4f1c4cb738b")
    same(aes_gcm.seal(bytes(32), bytes(12), b"", bytes(16)).hex(), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    text = bytes.fromhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = aes_gcm.seal(key, bytes.fromhex("cafebabefacedbaddecaf888"), aad, text)
    same(sealed[-16:].hex(), "76fc6ece0f4e1768cddf8853bb2d551b")
    same(aes_gcm.unseal(key, bytes.fromhex("cafebabefacedbaddecaf888"), aad, sealed), text)


def check_eip712_type_hashes_of_nox_kms(_):
    for text, wanted in (
            (b"EIP712Domain(string name,string version,uint256 chainId)", "c2f8787176b8ac6bf7215b4adcc1e069bf4ab82d9ab1df05a57a91d425935b6e"),
            (b"EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)", "a604fff5a27d5951f334ccda7abff3286a8af29caeeb196a6f2b40a1dce7612b"),
            (b"DelegateAuthorization(string ephemeralPubKey,string targetPubKey)", "49a1e1eaf70b3d754bba9bf8763124010c67c1e2352abd3901fe6e3eb3bc40e4"),
            (b"DelegateResponseProof(string encryptedSharedSecret)", "d6e647a028af1512fb0d9d53037bbf74f1adbacf0fd92f91e039e285544cd399")):
        same(keccak256(text).hex(), wanted)


def maybe_point(text):
    return None if text == "INFINITY" else dec(bytes.fromhex(text))


def check_bip374(shared):
    folder = shared / "vectors"
    if not (folder / "bip374_verify_proof.csv").exists():
        return f"no BIP-374 vectors in {folder}"
    for row in csv.DictReader((folder / "bip374_generate_proof.csv").open()):
        try:
            proof = dleq_prove(int(row["scalar_a"], 16), maybe_point(row["point_B"]), bytes.fromhex(row["auxrand_r"]),
                               bytes.fromhex(row["message"]), dec(bytes.fromhex(row["point_G"]))).hex()
        except Refused:
            proof = "INVALID"
        same(proof, row["result_proof"])
    for row in csv.DictReader((folder / "bip374_verify_proof.csv").open()):
        points = [maybe_point(row["point_" + x]) for x in "ABC"]
        try:
            dleq_verify(*points, bytes.fromhex(row["proof"]), bytes.fromhex(row["message"]), dec(bytes.fromhex(row["point_G"])))
            verdict = "TRUE"
        except Refused:
            verdict = "FALSE"
        same(verdict, row["result_success"])
    return None


def check_eip712_digests_that_viem_makes(_):
    """Made once with viem 2.57.20: the gateway key of the public local stack, chain 31337."""
    key = 0x7D9D57F334CBF385B4A5EC1BE108F25FC1668B0EAE639249BB51AAAE85E61022
    same(k.node_id(mul(key, G))[12:].hex(), "e1a6b1de3abf04e7fa5355373880350dc3004d0e")
    ephemeral = "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    target = "0x30820122300d06092a864886f70d01010105000382010f003082010a0282010100" + "c3" * 256 + "0203010001"
    request = k.v0_request_digest(31337, ephemeral, target)
    same(request.hex(), "de1bf50a7ad6738785ba35a43cf11665b7901050790da47b475203ced70f0ec8")
    same(ecdsa_sign(key, request).hex(), "747ad6ec8a9eb9587adcc7c93af936556ceb190f6d7aba47e21b4847e77fa68e51b819de41c56b35739d3945f1cf2a1e1c91f6bcc2b31d03886f93455ea022671c")
    response = k.v0_response_digest(31337, b"\x5a" * 32, "0x" + "a5" * 256)
    same(response.hex(), "ee88b3200e86c46535acaf9b263b77e98ae1818fb3a6e3b4e81cb61b6f52755c")
    same(ecdsa_sign(key, response).hex(), "2d3b7de1e6f0a2aa4f570e12ec212e79ac446f913d59712e8495ccd59e639f5b3acf8d436ef6fe87ea7b21f513f2ea99507accc0f38895fec2ad6ba90f8612fe1b")
