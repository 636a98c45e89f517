// Messages as they are carried, of blocks that hold nothing else: sealed by whom a test says.

import { encodeCbor } from "../../src/wire/cbor.js";
import { precommitBytes } from "../../src/wire/certificate.js";
import { entryToArray } from "../../src/wire/entry.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { sha256 } from "../../src/wire/hash.js";
import { encodeHeader, headerHash } from "../../src/wire/header.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { leafHash, merkleLevels, rootOfLevels } from "../../src/wire/merkle.js";
import { encodeCarried } from "../../src/wire/message.js";
import { receiptEncoder } from "../../src/wire/receipt.js";
import { encodeValue, type Value } from "../../src/wire/value.js";

export interface ToldMessage {
  readonly from: number;
  readonly to: number;
  readonly number: number;
  readonly height?: number;
  readonly name?: string;
  readonly body?: Value;
  readonly orderedAt?: number;
  /** bytes of the message that the receipt is of, where it is another one */
  readonly sealed?: Uint8Array;
}

/** What the leaf of a message stands for. */
export function messageItem({ from, to, number, height = 1 + number, name = "told", body = null }: ToldMessage) {
  const place = [from, height, entryToArray({ kind: "operation", leaf: 1 }), 0] as const;
  return encodeCbor(["gs1/message", ...place, "sender", name, encodeValue(body), to, number, 0]);
}

/** The message with its receipt, whose certificate these have signed. */
export function carriedMessage(genesis: Genesis, signers: readonly Signer[], told: ToldMessage): Uint8Array {
  const { from, number, height = 1 + number, orderedAt = 0 } = told;
  const item = messageItem(told);
  const hash = sha256(told.sealed ?? item);
  const tree = merkleLevels([leafHash(Uint8Array.of(0)), leafHash(hash)]);
  const stated = { version: 1, previous: genesis.hash, time_s: 1_700_000_000, target: 0, nonce: 0 };
  const header = encodeHeader({ ...stated, merkleRoot: rootOfLevels(tree) });
  const message = precommitBytes(genesis.hash, from, height, 0, headerHash(header));
  const signatures = signers.map((signer) => ({ node: keyId(signer.key), signature: signer.sign(message) }));
  const block = { network: genesis.network, chain: from, height, header, certificate: { round: 0, signatures } };
  return encodeCarried(item, receiptEncoder(block, tree)(1, hash), orderedAt);
}
