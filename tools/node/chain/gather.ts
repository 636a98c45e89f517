// The original node's part, pure: admitted records wait for company and are cut into temporary blocks.

import { BATCH_BYTES_MAX } from "../../../src/wire/batch.js";
import { toHex } from "../../../src/wire/bytes.js";
import type { Record } from "../../../src/wire/record.js";

/** Records that wait to be sealed, in temporary blocks or not; beyond that the node leaves what it gets unacknowledged. */
export const WAITING_RECORDS_MAX = 50_000;
/** Leaves room in a temporary block for credentials and heads. */
const CUT_BYTES = BATCH_BYTES_MAX / 2;

export interface Gather {
  /** What is known of a record with this number that is not sealed yet. */
  waiting(record: Record): "none" | "same" | "other";
  isWaiting(kid: Uint8Array, seq: number): boolean;
  /** Whether there is room for another record. */
  readonly hasRoom: boolean;
  readonly pending: number;
  /** A durable record; true where a temporary block is full now. */
  add(record: Record): boolean;
  /** A record that is in a temporary block already. */
  note(record: Record): void;
  /** The next temporary block's records; none where nothing waits. */
  cut(): Record[];
  /** The record is sealed, here or by another node. */
  forget(kid: Uint8Array, seq: number): void;
}

export function createGather(recordsMax: number): Gather {
  let pending: Record[] = [];
  let bytes = 0;
  /** hashes of records that are admitted and not sealed, by meter and number */
  const unsealed = new Map<string, string>();

  const note = (record: Record) => unsealed.set(keyOf(record.kid, record.claims.seq), toHex(record.hash));

  return {
    note,
    waiting(record) {
      const known = unsealed.get(keyOf(record.kid, record.claims.seq));
      return known === undefined ? "none" : known === toHex(record.hash) ? "same" : "other";
    },
    isWaiting: (kid, seq) => unsealed.has(keyOf(kid, seq)),
    get hasRoom() {
      return unsealed.size < WAITING_RECORDS_MAX;
    },
    get pending() {
      return pending.length;
    },
    add(record) {
      pending.push(record);
      bytes += record.stripped.length;
      note(record);
      return pending.length >= recordsMax || bytes >= CUT_BYTES;
    },
    cut() {
      let taken = 0;
      let size = 0;
      while (taken < pending.length && taken < recordsMax && size < CUT_BYTES) {
        size += pending[taken]!.stripped.length;
        taken += 1;
      }
      const records = pending.slice(0, taken);
      pending = pending.slice(taken);
      bytes -= size;
      return records;
    },
    forget(kid, seq) {
      unsealed.delete(keyOf(kid, seq));
    },
  };
}

function keyOf(kid: Uint8Array, seq: number): string {
  return `${toHex(kid)}/${seq}`;
}
