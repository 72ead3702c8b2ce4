// Prints eip712_viem_v1.json with viem's EIP-712: node eip712_viem_v1.mjs, where `npm install viem` was run.
import { hashTypedData, keccak256, toHex } from 'viem'

const word = (name) => keccak256(toHex(name))
const types = { DelegationAuthorization: [
  { name: 'networkId', type: 'bytes32' }, { name: 'keyId', type: 'bytes32' }, { name: 'form', type: 'uint8' },
  { name: 'entry', type: 'address' }, { name: 'K', type: 'bytes' }, { name: 'targetKind', type: 'uint8' },
  { name: 'target', type: 'bytes' }, { name: 'nonce', type: 'bytes32' }, { name: 'deadline', type: 'uint64' } ] }
const generator = '0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const zero = '0x0000000000000000000000000000000000000000'
const messages = [
  { form: 1, entry: '0xe1a6b1de3abf04e7fa5355373880350dc3004d0e', targetKind: 1, target: word('spki'), deadline: 1 },
  { form: 2, entry: zero, targetKind: 1, target: word('other spki'), deadline: 1800000000 },
  { form: 3, entry: zero, targetKind: 2, target: generator, deadline: 9007199254740991 },
]
console.log(JSON.stringify(messages.map((each) => {
  const message = { networkId: word('network'), keyId: word('key'), K: generator, nonce: word('nonce'), ...each }
  const chainId = 421614
  const digest = hashTypedData({ domain: { name: 'KmsDelegation', version: '1', chainId }, types,
    primaryType: 'DelegationAuthorization', message: { ...message, deadline: BigInt(message.deadline) } })
  return { chainId, message, digest }
}), null, 1))
