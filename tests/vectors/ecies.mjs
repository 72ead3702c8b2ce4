// Writes ecies.json with Node's WebCrypto (HKDF, AES-GCM) and node:crypto's ECDH: none of it is our code.
//   node tests/vectors/ecies.mjs > tests/vectors/ecies.json
import { createECDH, createHash, webcrypto } from 'node:crypto';

const subtle = webcrypto.subtle;
const bytes = (text, size) => createHash('sha256').update(text).digest().subarray(0, size);

async function vector(name, plaintext) {
  const owner = createECDH('secp256k1');
  owner.setPrivateKey(bytes(`owner ${name}`, 32));
  const ephemeral = createECDH('secp256k1');
  ephemeral.setPrivateKey(bytes(`ephemeral ${name}`, 32));
  const shared = ephemeral.computeSecret(owner.getPublicKey());
  const ikm = await subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  const key = await subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: new TextEncoder().encode('ECIES:AES_GCM:v1') },
    ikm, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const nonce = bytes(`nonce ${name}`, 12);
  const sealed = await subtle.encrypt({ name: 'AES-GCM', iv: nonce, tagLength: 128 }, key, plaintext);
  const hex = (b) => Buffer.from(b).toString('hex');
  return {
    name, privateKey: hex(owner.getPrivateKey()), publicKey: hex(owner.getPublicKey(null, 'compressed')),
    ephemeralPrivateKey: hex(ephemeral.getPrivateKey()), ephemeral: hex(ephemeral.getPublicKey(null, 'compressed')),
    shared: hex(shared), nonce: hex(nonce), plaintext: hex(plaintext), sealed: hex(sealed),
  };
}

const cases = [];
for (const [name, text] of [['empty', ''], ['word', 'secret'], ['block', 'x'.repeat(32)], ['long', 'kms '.repeat(100)]]) {
  cases.push(await vector(name, Buffer.from(text)));
}
console.log(JSON.stringify({ 'made by': 'tests/vectors/ecies.mjs', cases }, null, 1));
