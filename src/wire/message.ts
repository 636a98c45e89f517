// What a contract of one chain tells another chain, as it stands in the sender's block, and as it is carried: with the receipt that
// proves it sealed. Whoever has the genesis and the orders can check it.

import { HEIGHT_MAX, MESSAGE_HOPS_MAX, MESSAGE_NUMBER_MAX } from "./bounds.js";
import { equalBytes } from "./bytes.js";
import { decodeCbor, encodeCbor } from "./cbor.js";
import { type Entry, entryFromArray } from "./entry.js";
import { WireError } from "./error.js";
import { type Genesis, type MemberKey, networkName } from "./genesis.js";
import { sha256 } from "./hash.js";
import { decodeHeader } from "./header.js";
import type { Verify } from "./key.js";
import { decodeReceipt, type Receipt, verifyInclusionOf, verifySealOf } from "./receipt.js";
import { asArray, asBytes, asHeight, asService, asText, asUint } from "./shape.js";

/** Bytes of a message's encoded body. */
export const MESSAGE_BODY_BYTES_MAX = 16_384;
/** Bytes of a message as its leaf stands for it: the body, and what is named around it. */
const MESSAGE_BYTES_MAX = 17_408;
/** Bytes of a message that is carried: with a receipt, and what is around both. A number alone, as a sum would stand in firmware. */
export const CARRIED_BYTES_MAX = 33_824;

/** A message of a sealed block. */
export interface SentMessage {
  /** the chain that it comes from */
  readonly service: number;
  readonly height: number;
  /** whose run has put it out */
  readonly entry: Entry;
  /** null of the rules themselves, which tell what a block holds against somebody */
  readonly contract: string | null;
  readonly name: string;
  /** an encoded value */
  readonly body: Uint8Array;
  /** whose chain it is for */
  readonly to: number;
  /** among those from there to it, from 0 without holes */
  readonly number: number;
  /** how many messages before it led to it */
  readonly hops: number;
}

/** A message with what proves it. */
export interface CarriedMessage {
  readonly message: SentMessage;
  /** UTC seconds of its block */
  readonly time_s: number;
  readonly receipt: Receipt;
  /** contracts height of the order that named the members who sealed it; 0 for a chain's first members of the genesis */
  readonly orderedAt: number;
}

/** Reads what a message's leaf stands for; throws a WireError where it is none. */
export function readMessage(item: Uint8Array): SentMessage {
  const items = asArray(decodeCbor(item, { size: MESSAGE_BYTES_MAX, items: 32 }), "message", 11);
  const [kind, service, height, entry, index, contract, name, body, to, number, hops] = items;
  if (kind !== "gs1/message") throw new WireError("shape", "it is no message of a block");
  asUint(index, "message index", 65_535);
  const said = asBytes(body, "message body");
  if (said.length > MESSAGE_BODY_BYTES_MAX) throw new WireError("limit", `message body has ${said.length} bytes`);
  return {
    service: asService(service, "message chain"),
    height: asHeight(height, "message height"),
    entry: entryFromArray(entry),
    contract: contract === null ? null : networkName(contract, "message contract"),
    name: asText(name, "message name"),
    body: said,
    to: asService(to, "message's service"),
    number: asUint(number, "message number", MESSAGE_NUMBER_MAX),
    hops: asUint(hops, "message hops", MESSAGE_HOPS_MAX),
  };
}

/** A message's bytes with its encoded receipt, as it is carried. */
export function encodeCarried(item: Uint8Array, receipt: Uint8Array, orderedAt: number): Uint8Array {
  return encodeCbor([item, receipt, orderedAt]);
}

/** Reads a carried message; throws a WireError where its receipt is of something else. Signatures are not checked. */
export function decodeCarried(bytes: Uint8Array): CarriedMessage {
  const parts = asArray(decodeCbor(bytes, { size: CARRIED_BYTES_MAX, items: 8 }), "carried message", 3);
  const item = asBytes(parts[0], "message");
  const receipt = decodeReceipt(asBytes(parts[1], "message's receipt"));
  const message = readMessage(item);
  const isOf = receipt.chain === message.service && receipt.height === message.height;
  if (!isOf || !equalBytes(receipt.recordHash, sha256(item))) {
    throw new WireError("unproven", "message comes with the receipt of something else");
  }
  const orderedAt = asUint(parts[2], "message's contracts height", HEIGHT_MAX);
  return { message, time_s: decodeHeader(receipt.header).time_s, receipt, orderedAt };
}

/** Throws a WireError unless a quorum of these members has sealed the message in a chain of this genesis. */
export function verifyCarried(
  { receipt }: CarriedMessage,
  genesis: Genesis,
  members: readonly MemberKey[],
  verify: Verify,
): void {
  verifyInclusionOf(receipt, genesis);
  verifySealOf(receipt, genesis, members, verify);
}
