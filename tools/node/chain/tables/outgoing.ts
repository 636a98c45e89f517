// Table `outgoing`: where the messages of a chain to another stand, a row a message. It follows from the chain, so a repair leaves it to
// the replay. What is known here to be taken goes.

import { chainIn, type OutgoingKey, outgoingKey, outgoingRange, targetIn } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import { asBuffer, sha256Checksum, type Table } from "../../store/table.js";

/** Where a message stands. */
export interface OutgoingPlace {
  readonly height: number;
  /** among the leaves behind the records, from 0 */
  readonly index: number;
}

const HEIGHT_BYTES = 5;
const INDEX_BYTES = 2;
/** Rows that are let go of at a time. */
const GONE_MAX = 256;

export const outgoing: Table<OutgoingKey, OutgoingPlace> = {
  name: "outgoing",
  describe: (key) => `a message of chain ${chainIn(key)} to chain ${targetIn(key)}`,
  encode({ height, index }) {
    const row = Buffer.allocUnsafe(HEIGHT_BYTES + INDEX_BYTES);
    row.writeUIntBE(height, 0, HEIGHT_BYTES);
    row.writeUInt16BE(index, HEIGHT_BYTES);
    return row;
  },
  decode(content) {
    const row = asBuffer(content);
    if (row.length !== HEIGHT_BYTES + INDEX_BYTES) throw new Error(`outgoing row has ${row.length} bytes`);
    return { height: row.readUIntBE(0, HEIGHT_BYTES), index: row.readUInt16BE(HEIGHT_BYTES) };
  },
  checksum: sha256Checksum,
};

/** Where the message with this number stands; undefined where it is not known here. */
export function outgoingPlace(store: StoreReader, chain: number, to: { service: number; number: number }) {
  return store.get(outgoing, outgoingKey(chain, to.service, to.number));
}

/** Keys of messages before this number, some of them. */
export function takenBefore(store: StoreReader, chain: number, target: number, number: number): OutgoingKey[] {
  const range = { ...outgoingRange(chain, target), end: outgoingKey(chain, target, number), limit: GONE_MAX };
  return store.range(outgoing, range).map(({ key }) => key);
}
