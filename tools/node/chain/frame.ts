// What nodes send each other: kind (1 byte), chain (2 bytes, big-endian), payload. The kinds of a chain are here; a part of a node has
// its own (part.ts).

import {
  type Acknowledgement,
  acknowledgementsFromArray,
  acknowledgementsToArray,
  type BatchName,
} from "../../../src/wire/batch.js";
import { BATCH_NUMBER_MAX } from "../../../src/wire/bounds.js";
import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { asArray, asBytes, asHeight, asUint } from "../../../src/wire/shape.js";

/** Kinds of frames that chains take, by their first byte. Parts of a node have others (part.ts). */
const frameBytes = {
  consensus: 1,
  batch: 2,
  acknowledge: 3,
  accepted: 4,
  needBatch: 5,
  needBlocks: 6,
  block: 7,
  needBody: 8,
  body: 9,
  disclosures: 12,
} as const;
export type FrameKind = keyof typeof frameBytes;
export const frameKinds = Object.keys(frameBytes) as readonly FrameKind[];
const kindsByByte = new Map<number, FrameKind>(frameKinds.map((kind) => [frameBytes[kind], kind]));

const HEAD_BYTES = 3;

export interface Frame {
  readonly kind: FrameKind;
  readonly chain: number;
  readonly payload: Uint8Array;
}

export function encodeFrame(kind: FrameKind, chain: number, payload: Uint8Array): Uint8Array {
  return frameOf(frameByte(kind), chain, payload);
}

export function frameByte(kind: FrameKind): number {
  return frameBytes[kind];
}

/** Of whatever kind. */
export function frameOf(byte: number, chain: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + HEAD_BYTES);
  bytes[0] = byte;
  bytes[1] = chain >> 8;
  bytes[2] = chain & 0xff;
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** The first byte of a frame of whatever kind; undefined where the bytes are none. */
export function byteOf(frame: Uint8Array): number | undefined {
  return frame.length < HEAD_BYTES ? undefined : frame[0];
}

export function chainOf(frame: Uint8Array): number {
  return (frame[1]! << 8) | frame[2]!;
}

export function payloadOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(HEAD_BYTES);
}

/** Undefined where the bytes are no frame that a chain takes. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  const kind = kindsByByte.get(byteOf(bytes) ?? 0);
  return kind === undefined ? undefined : { kind, chain: chainOf(bytes), payload: payloadOf(bytes) };
}

/** A temporary block's name with what nodes say of it. */
export interface BatchNote extends BatchName {
  readonly acknowledgements: readonly Acknowledgement[];
}

/** `acknowledge`: one node's; `accepted`: a quorum's; `needBatch`: none. */
export function encodeBatchNote(name: BatchName, acknowledgements: readonly Acknowledgement[]): Uint8Array {
  return encodeCbor([name.origin, name.number, name.id, acknowledgementsToArray(acknowledgements)]);
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
    acknowledgements: acknowledgementsFromArray(acknowledgements, "batch note"),
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
