// Table `index`: where records are sealed. A row has the leaves of a run of consecutive numbers that one block seals of a meter; a
// meter has few runs in a block. The key ends with the first number.

import { toHex } from "../../../../src/wire/bytes.js";
import { idIn, idKey, type NumberKey, numberIn, numberKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import { asBuffer, sha256Checksum, type Table } from "../../store/table.js";

/** Consecutive sequence numbers of a meter that one block seals. */
export interface SealedRun {
  readonly height: number;
  /** of each number from the key's on */
  readonly leaves: readonly number[];
}

/** Where a record is sealed. */
export interface Location {
  readonly height: number;
  readonly leaf: number;
}

const HEIGHT_BYTES = 5;
const LEAF_BYTES = 3;

/** A row: height (5), then for each number from that of the key on its leaf (3). It is read by `locationIn`. */
export const index: Table<NumberKey, Uint8Array, SealedRun> = {
  name: "index",
  describe: (key) => `index of meter ${toHex(idIn(key))}`,
  encode({ height, leaves }) {
    const row = Buffer.allocUnsafe(HEIGHT_BYTES + LEAF_BYTES * leaves.length);
    row.writeUIntBE(height, 0, HEIGHT_BYTES);
    for (const [at, leaf] of leaves.entries()) row.writeUIntBE(leaf, HEIGHT_BYTES + LEAF_BYTES * at, LEAF_BYTES);
    return row;
  },
  decode(content) {
    const count = leavesIn(content);
    if (!Number.isInteger(count) || count < 1) throw new Error(`index row has ${content.length} bytes`);
    return content;
  },
  checksum: sha256Checksum,
};

/** Where the record is sealed; undefined where it is not. */
export function locationOf(store: StoreReader, chain: number, kid: Uint8Array, seq: number): Location | undefined {
  // Runs do not overlap: a number is sealed once. The one that begins last at or before it has it, or none.
  const below = { start: numberKey(chain, kid, seq), end: idKey(chain, kid), reverse: true, limit: 1 };
  const [run] = store.range(index, below);
  return run === undefined ? undefined : locationIn(run.row, seq - numberIn(run.key));
}

/** Where the number so far behind the row's is sealed; undefined where the run ends before it. */
export function locationIn(content: Uint8Array, behind: number): Location | undefined {
  if (behind >= leavesIn(content)) return undefined;
  const row = asBuffer(content);
  return {
    height: row.readUIntBE(0, HEIGHT_BYTES),
    leaf: row.readUIntBE(HEIGHT_BYTES + LEAF_BYTES * behind, LEAF_BYTES),
  };
}

/** How many numbers the run has. */
export function leavesIn(content: Uint8Array): number {
  return (content.length - HEIGHT_BYTES) / LEAF_BYTES;
}
