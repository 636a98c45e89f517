// What a participant has signed for one service and has no receipt of, with the number and link of the next operation. Pure. As a file it
// is [1, next number, hash of the operation before, [* operation]] behind the SHA-256 of that.

import { SEQ_MAX } from "../../../src/wire/bounds.js";
import { concatBytes, equalBytes } from "../../../src/wire/bytes.js";
import { decodeCborViews, encodeCbor } from "../../../src/wire/cbor.js";
import { WireError } from "../../../src/wire/error.js";
import { HASH_BYTES, sha256 } from "../../../src/wire/hash.js";
import { OPERATION_BYTES_MAX, parseOperation } from "../../../src/wire/operation.js";
import { asArray, asBytes, asList, asUint } from "../../../src/wire/shape.js";

/** Operations that may wait for their receipts: nodes close gaps at 1,024 numbers, and all of them are written anew with each. */
export const WAITING_MAX = 64;
const FORMAT_VERSION = 1;
export const OUTBOX_BYTES_MAX = WAITING_MAX * (OPERATION_BYTES_MAX + 8) + 128;

export interface Outbox {
  /** number of the next operation */
  readonly next: number;
  /** hash of the operation before it; empty where there is none */
  readonly previous: Uint8Array;
  /** signed, with their disclosures, in the order of their numbers */
  readonly waiting: readonly Waiting[];
}

export interface Waiting {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

export const emptyOutbox: Outbox = { next: 0, previous: new Uint8Array(0), waiting: [] };

/** With the operation that was signed as the next one. Throws a WireError where it is another. */
export function append(outbox: Outbox, bytes: Uint8Array): Outbox {
  const { claims, hash } = parseOperation(bytes);
  const isNext = claims.seq === outbox.next && equalBytes(claims.previous, outbox.previous);
  if (!isNext) throw new WireError("shape", `operation ${claims.seq} is not the next one, ${outbox.next}`);
  if (outbox.waiting.length === WAITING_MAX) throw new WireError("limit", `${WAITING_MAX} operations wait already`);
  return { next: claims.seq + 1, previous: hash, waiting: [...outbox.waiting, { seq: claims.seq, hash, bytes }] };
}

/** Without the operation of this number, which is sealed. */
export function settle(outbox: Outbox, seq: number): Outbox {
  return { ...outbox, waiting: outbox.waiting.filter((waiting) => waiting.seq !== seq) };
}

export function encodeOutbox({ next, previous, waiting }: Outbox): Uint8Array {
  const content = encodeCbor([FORMAT_VERSION, next, previous, waiting.map(({ bytes }) => bytes)]);
  return concatBytes(sha256(content), content);
}

/** Throws a WireError where a byte is not as it was written. */
export function decodeOutbox(bytes: Uint8Array): Outbox {
  const content = bytes.subarray(HASH_BYTES);
  if (!equalBytes(sha256(content), bytes.subarray(0, HASH_BYTES))) throw new WireError("unproven", "it is damaged");
  const [version, next, previous, waiting] = asArray(
    decodeCborViews(content, { size: OUTBOX_BYTES_MAX, items: 2 * WAITING_MAX }),
    "outbox",
    4,
  );
  if (version !== FORMAT_VERSION) throw new WireError("unsupported", `version ${String(version)} is not supported`);
  return {
    next: asUint(next, "outbox next number", SEQ_MAX + 1),
    previous: asBytes(previous, "outbox previous hash"),
    waiting: asList(waiting, "outbox operations", WAITING_MAX).map((item) => {
      const operation = asBytes(item, "outbox operation");
      const { claims, hash } = parseOperation(operation);
      return { seq: claims.seq, hash, bytes: operation };
    }),
  };
}
