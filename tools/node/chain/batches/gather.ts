// The original node's part, pure: admitted records wait for company and are cut into temporary blocks.

import { BATCH_BYTES_MAX } from "../../../../src/wire/batch.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import type { ExecutionRecord } from "../../../ledger/record-scan.js";
import { BLOCK_OPERATIONS_MAX } from "../../../ledger/run-plan.js";

/** Records that wait to be sealed, in temporary blocks or not; beyond that the node leaves what it gets unacknowledged. */
export const WAITING_RECORDS_MAX = 50_000;
/** Bytes of those records. An operation is as large as two hundred readings. */
export const WAITING_BYTES_MAX = 268_435_456;
/** Of records in a temporary block: the credential of each may come with it, orders and evidence beside them. */
const CUT_BYTES = BATCH_BYTES_MAX / 2;

export interface Gather {
  /** What is known of a record with this number of the meter, by its id as hex, that is not sealed yet. */
  waiting(meter: string, seq: number, hash: Uint8Array): "none" | "same" | "other";
  isWaiting(meter: string, seq: number): boolean;
  /** Records of the meter that are not sealed yet. */
  waitingOf(meter: string): number;
  /** Whether there is room for another record. */
  readonly hasRoom: boolean;
  readonly pending: number;
  /**
   * A durable record; true where a temporary block is full now. One that waits already is none the more for it: what was taken back, and
   * came again meanwhile, would stand twice in one temporary block, which nobody takes.
   */
  add(record: ExecutionRecord): boolean;
  /** Operations that a block has left out: before all that waits. */
  putBack(operations: readonly ExecutionRecord[]): void;
  /** A record that is in a temporary block already. */
  note(record: ExecutionRecord): void;
  /**
   * The next temporary block's records, beside so many bytes of orders and evidence; none where nothing waits. Participants take turns:
   * who signs many operations is not before others with all of them.
   */
  cut(notices_bytes: number): ExecutionRecord[];
  /** The record is sealed, here or by another node. */
  forget(meter: string, seq: number): void;
}

export function createGather(recordsMax: number): Gather {
  let pending: ExecutionRecord[] = [];
  let bytes = 0;
  /** meter and number of each of them */
  const pendingNames = new Set<string>();
  /** records that are admitted and not sealed, by meter and number */
  const unsealed = new Map<string, Map<number, ExecutionRecord>>();
  let unsealedCount = 0;
  let unsealed_bytes = 0;

  const forget = (meter: string, seq: number) => {
    const ofMeter = unsealed.get(meter);
    const known = ofMeter?.get(seq);
    if (ofMeter === undefined || known === undefined) return;
    ofMeter.delete(seq);
    unsealedCount -= 1;
    unsealed_bytes -= known.bytes.length;
    if (ofMeter.size === 0) unsealed.delete(meter);
  };

  const note = (record: ExecutionRecord) => {
    forget(record.meter, record.seq);
    const ofMeter = unsealed.get(record.meter) ?? new Map<number, ExecutionRecord>();
    unsealedCount += 1;
    unsealed_bytes += record.bytes.length;
    unsealed.set(record.meter, ofMeter.set(record.seq, record));
  };

  return {
    note,
    waiting(meter, seq, hash) {
      const known = unsealed.get(meter)?.get(seq);
      return known === undefined ? "none" : equalBytes(known.hash, hash) ? "same" : "other";
    },
    isWaiting: (meter, seq) => unsealed.get(meter)?.has(seq) ?? false,
    waitingOf: (meter) => unsealed.get(meter)?.size ?? 0,
    get hasRoom() {
      return unsealedCount < WAITING_RECORDS_MAX && unsealed_bytes < WAITING_BYTES_MAX;
    },
    get pending() {
      return pending.length;
    },
    add(record) {
      const name = nameOf(record);
      const isThere = pendingNames.has(name) && pending.some(({ hash }) => equalBytes(hash, record.hash));
      if (!isThere) {
        pending.push(record);
        pendingNames.add(name);
        bytes += record.bytes.length;
      }
      note(record);
      return pending.length >= recordsMax || bytes >= CUT_BYTES;
    },
    putBack(operations) {
      // One may come of two temporary blocks.
      const distinct = new Map(operations.map((record) => [toHex(record.hash), record]));
      const back = [...distinct.values()].filter((record) => !pendingNames.has(nameOf(record)));
      pending = [...back, ...pending];
      for (const record of back) {
        pendingNames.add(nameOf(record));
        bytes += record.bytes.length;
        note(record);
      }
    },
    cut(notices_bytes) {
      pending = inTurn(pending);
      let taken = 0;
      let operations = 0;
      let size = 0;
      while (taken < pending.length && taken < recordsMax) {
        const { type, bytes: own } = pending[taken]!;
        if (type !== undefined && operations === BLOCK_OPERATIONS_MAX) break;
        if (size + own.length + notices_bytes > CUT_BYTES) break;
        if (type !== undefined) operations += 1;
        size += own.length;
        taken += 1;
      }
      const records = pending.slice(0, taken);
      pending = pending.slice(taken);
      for (const record of records) pendingNames.delete(nameOf(record));
      // Two of one number prove a fork: the other one may still wait.
      if (pendingNames.size < pending.length) for (const record of pending) pendingNames.add(nameOf(record));
      bytes -= size;
      return records;
    },
    forget,
  };
}

/** The records with their operations in turns of who signed them; each one's keep their order, and readings their places. */
function inTurn(records: ExecutionRecord[]): ExecutionRecord[] {
  const operations = records.filter(({ type }) => type !== undefined);
  if (operations.length < 2) return records;
  const counts = new Map<string, number>();
  const turns: ExecutionRecord[][] = [];
  for (const operation of operations) {
    const turn = counts.get(operation.meter) ?? 0;
    counts.set(operation.meter, turn + 1);
    const others = turns[turn];
    if (others === undefined) turns.push([operation]);
    else others.push(operation);
  }
  const ordered = turns.flat().values();
  return records.map((record) => (record.type === undefined ? record : ordered.next().value!));
}

function nameOf({ meter, seq }: ExecutionRecord): string {
  return `${meter}/${seq}`;
}
