// What nodes send each other about a chain: kind (1 byte), chain (2 bytes, big-endian), payload.

import { BATCH_NUMBER_MAX } from "../../../src/wire/bounds.js";
import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { asArray, asBytes, asHeight, asUint } from "../../../src/wire/shape.js";
import type { Acknowledgement } from "../../ledger/compose.js";
import { readAcknowledgements } from "../../ledger/proposal.js";

const kinds = [
  "consensus",
  "batch",
  "acknowledge",
  "accepted",
  "needBatch",
  "needBlocks",
  "block",
  "needBody",
  "body",
  "order",
] as const;
export type FrameKind = (typeof kinds)[number];

export interface Frame {
  readonly kind: FrameKind;
  readonly chain: number;
  readonly payload: Uint8Array;
}

export function encodeFrame(kind: FrameKind, chain: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + 3);
  bytes[0] = kinds.indexOf(kind) + 1;
  bytes[1] = chain >> 8;
  bytes[2] = chain & 0xff;
  bytes.set(payload, 3);
  return bytes;
}

/** Undefined where the bytes are no frame of this version. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  const kind = bytes.length < 3 ? undefined : kinds[bytes[0]! - 1];
  if (kind === undefined) return undefined;
  return { kind, chain: (bytes[1]! << 8) | bytes[2]!, payload: bytes.subarray(3) };
}

/** Names a temporary block. */
export interface BatchName {
  readonly origin: Uint8Array;
  readonly number: number;
  readonly id: Uint8Array;
}

/** A temporary block's name with what nodes say of it. */
export interface BatchNote extends BatchName {
  readonly acknowledgements: readonly Acknowledgement[];
}

/** `acknowledge`: one node's; `accepted`: a quorum's; `needBatch`: none. */
export function encodeBatchNote(name: BatchName, acknowledgements: readonly Acknowledgement[]): Uint8Array {
  return encodeCbor([
    name.origin,
    name.number,
    name.id,
    acknowledgements.map(({ node, signature }) => [node, signature]),
  ]);
}

export function decodeBatchNote(bytes: Uint8Array): BatchNote {
  const [origin, number, id, acknowledgements] = asArray(
    decodeCbor(bytes, { size: 65_536, items: 2_048 }),
    "batch note",
    4,
  );
  return {
    origin: asBytes(origin, "batch note origin", 8),
    number: asUint(number, "batch note number", BATCH_NUMBER_MAX),
    id: asBytes(id, "batch note id", 32),
    acknowledgements: readAcknowledgements(acknowledgements),
  };
}

/** `needBlocks`: the heights from `from` on, as many as the sender sees fit. */
export function encodeNeedBlocks(from: number): Uint8Array {
  return encodeCbor([from]);
}

export function decodeNeedBlocks(bytes: Uint8Array): number {
  const [from] = asArray(decodeCbor(bytes, { size: 32, items: 4 }), "block request", 1);
  return asHeight(from, "block request height");
}
