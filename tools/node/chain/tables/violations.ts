// Tables `violations`, `violationIndex` and `violationsListed`: what sealed blocks say against meters, participants and nodes, to be
// found by subject and by time. A row stays when its block is pruned: it has what proves it.

import { HEIGHT_MAX, TIME_MS_MAX } from "../../../../src/wire/bounds.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { asArray, asBytes, asUint } from "../../../../src/wire/shape.js";
import {
  decodeViolation,
  encodeViolation,
  subjectOf,
  type Violation,
  violationKinds,
} from "../../../ledger/violations.js";
import { type ChainKey, chainIn, chainKey, heightIn, type PlaceKey, placeIn, placeKey } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";
import type { Writer } from "../../store/writer.js";

export interface StoredViolation {
  /** UTC, of its block */
  readonly time_ms: number;
  readonly violation: Violation;
}

const rowLimits = { size: 196_608, items: 4 };

/** By chain, height, and place among the violations of the block's results. */
export const violations: Table<PlaceKey, StoredViolation> = {
  name: "violations",
  describe: (key) => `violation ${placeIn(key)} in block ${heightIn(key)} of chain ${chainIn(key)}`,
  encode: ({ time_ms, violation }) => encodeCbor([time_ms, encodeViolation(violation)]),
  decode(content) {
    const [time_ms, violation] = asArray(decodeCbor(content, rowLimits), "violation", 2);
    return {
      time_ms: asUint(time_ms, "violation time", TIME_MS_MAX),
      violation: decodeViolation(asBytes(violation, "violation")),
    };
  },
  checksum: sha256Checksum,
};

/** In the order of time, of all subjects, or of one: `0, time, place key` and `1, subject, time, place key`. The row is its kind. */
export const violationIndex: Table<Buffer, number> = {
  name: "violationIndex",
  describe: (key) => `place of the violation ${key.toString("hex")}`,
  encode: (kind) => Uint8Array.of(kind),
  decode(content) {
    if (content.length !== 1) throw new Error(`a kind has ${content.length} bytes`);
    return content[0]!;
  },
  checksum: sha256Checksum,
};

/** Height up to which blocks that an earlier version has sealed were gone over; ALL_LISTED where none is left. */
export const violationsListed: Table<ChainKey, number> = {
  name: "violationsListed",
  describe: (key) => `how far violations of chain ${chainIn(key)} are listed`,
  encode: (height) => encodeCbor(height),
  decode: (content) => asUint(decodeCbor(content), "listed height", HEIGHT_MAX + 1),
  checksum: sha256Checksum,
};

export const ALL_LISTED = HEIGHT_MAX + 1;

/** What of a block belongs into the list. */
export interface ListedBlock {
  readonly chain: number;
  readonly height: number;
  readonly time_ms: number;
  /** in the order of its results */
  readonly violations: readonly Violation[];
}

/** Puts the rows of a block; the same again where they are there. */
export function listViolations(writer: Writer, { chain, height, time_ms, violations: said }: ListedBlock): void {
  for (const [place, violation] of said.entries()) {
    const key = placeKey(chain, height, place);
    const kind = violationKinds[violation.kind];
    writer.put(violations, key, { time_ms, violation });
    writer.put(violationIndex, indexKey(undefined, time_ms, key), kind);
    writer.put(violationIndex, indexKey(subjectOf(violation), time_ms, key), kind);
  }
  // From its first block on, a chain is listed as it is sealed.
  if (height === 1) writer.put(violationsListed, chainKey(chain), ALL_LISTED);
}

/** Where something of this subject, or of anybody, and this time stands in the index. */
export function indexKey(subject: Uint8Array | undefined, time_ms: number, key: Uint8Array): Buffer {
  const time = Buffer.allocUnsafe(6);
  time.writeUIntBE(time_ms, 0, 6);
  return Buffer.concat([subject === undefined ? Buffer.of(0) : Buffer.concat([Buffer.of(1), subject]), time, key]);
}

const PLACE_BYTES = 11;

/** Time and place of an entry of the index. */
export function indexed(key: Buffer): { readonly time_ms: number; readonly key: PlaceKey } {
  const at = key.length - PLACE_BYTES;
  // A copy: the key is LMDB's until the next read.
  return { time_ms: key.readUIntBE(at - 6, 6), key: Buffer.from(key.subarray(at)) as PlaceKey };
}
