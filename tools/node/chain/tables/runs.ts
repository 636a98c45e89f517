// Table `index`: where records are sealed, and which. A row has leaves and hashes of a run of consecutive numbers that one block seals
// of a meter; a meter has few runs in a block. The key ends with the first number. With the hashes a fork is told without its block.

import { toHex } from "../../../../src/wire/bytes.js";
import { idIn, idKey, type NumberKey, numberIn, numberKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import { asBuffer, crc32Checksum, type Table } from "../../store/table.js";

/** Consecutive sequence numbers of a meter that one block seals. */
export interface SealedRun {
  readonly height: number;
  /** of each number from the key's on */
  readonly records: readonly SealedRecord[];
}

export interface SealedRecord {
  readonly leaf: number;
  /** SHA-256 of the record, 32 bytes */
  readonly hash: Uint8Array;
}

/** Where a record is sealed, and which. */
export interface Location extends SealedRecord {
  readonly height: number;
}

const HEIGHT_BYTES = 5;
const LEAF_BYTES = 3;
const HASH_BYTES = 32;
const RECORD_BYTES = LEAF_BYTES + HASH_BYTES;
/** Above every sequence number. */
const NUMBER_END = 2 ** 53;

/** A row: height (5), then for each number from that of the key on its leaf (3) and hash (32). It is read by `locationIn`. */
export const index: Table<NumberKey, Uint8Array, SealedRun> = {
  name: "index",
  describe: (key) => `index of meter ${toHex(idIn(key))}`,
  encode({ height, records }) {
    const row = Buffer.allocUnsafe(HEIGHT_BYTES + RECORD_BYTES * records.length);
    row.writeUIntBE(height, 0, HEIGHT_BYTES);
    for (const [place, { leaf, hash }] of records.entries()) {
      const at = HEIGHT_BYTES + RECORD_BYTES * place;
      row.writeUIntBE(leaf, at, LEAF_BYTES);
      row.set(hash, at + LEAF_BYTES);
    }
    return row;
  },
  decode(content) {
    const count = recordsIn(content);
    if (!Number.isInteger(count) || count < 1) throw new Error(`index row has ${content.length} bytes`);
    return content;
  },
  checksum: crc32Checksum,
};

/** A row of the index with the number that it begins at. */
export interface IndexedRun {
  readonly first: number;
  /** of the numbers from `first` on, as `locationIn` reads them */
  readonly content: Uint8Array;
}

/** Where the record is sealed; undefined where it is not. */
export function locationOf(store: StoreReader, chain: number, kid: Uint8Array, seq: number): Location | undefined {
  const run = runBelow(store, chain, kid, seq);
  return run === undefined ? undefined : locationIn(run.content, seq - run.first);
}

/** The run that has the number, or else the next one behind it; undefined where nothing is sealed from the number on. */
export function runFrom(store: StoreReader, chain: number, kid: Uint8Array, seq: number): IndexedRun | undefined {
  const below = runBelow(store, chain, kid, seq);
  if (below !== undefined && seq < below.first + recordsIn(below.content)) return below;
  const behind = { start: numberKey(chain, kid, seq), end: numberKey(chain, kid, NUMBER_END), limit: 1 };
  return runIn(store.range(index, behind));
}

/** Runs do not overlap: a number is sealed once. The one that begins last at or before it has it, or none. */
function runBelow(store: StoreReader, chain: number, kid: Uint8Array, seq: number): IndexedRun | undefined {
  return runIn(
    store.range(index, { start: numberKey(chain, kid, seq), end: idKey(chain, kid), reverse: true, limit: 1 }),
  );
}

function runIn(rows: Iterable<{ readonly key: NumberKey; readonly row: Uint8Array }>): IndexedRun | undefined {
  const [run] = rows;
  return run === undefined ? undefined : { first: numberIn(run.key), content: run.row };
}

/** Where the number so far behind the row's is sealed; undefined where the run ends before it. */
export function locationIn(content: Uint8Array, behind: number): Location | undefined {
  if (behind >= recordsIn(content)) return undefined;
  const row = asBuffer(content);
  const at = HEIGHT_BYTES + RECORD_BYTES * behind;
  return {
    height: row.readUIntBE(0, HEIGHT_BYTES),
    leaf: row.readUIntBE(at, LEAF_BYTES),
    hash: new Uint8Array(content.subarray(at + LEAF_BYTES, at + RECORD_BYTES)),
  };
}

/** How many numbers the run has. */
export function recordsIn(content: Uint8Array): number {
  return (content.length - HEIGHT_BYTES) / RECORD_BYTES;
}
