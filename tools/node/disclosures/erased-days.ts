// Erasures that the access contract has sealed, as they stand in a chain's state: which days of which meters nobody keeps.

import { fromHex } from "../../../src/wire/bytes.js";
import { DAY_MAX } from "../../../src/wire/envelope.js";
import { ERASURE_NAME_MAX } from "../../../src/wire/erased.js";
import { decodeValue, type Value } from "../../../src/wire/value.js";
import { contractState } from "../chain/tables/contract-state.js";
import { prefixRange, stateKeyIn } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";

const PREFIX = "access/erased/";

/** Days of a meter on a chain that are erased: the first, and the one behind the last. */
export interface ErasedDays {
  readonly chain: number;
  readonly meter: Uint8Array;
  readonly from: number;
  readonly until: number;
  /** name of the erasure */
  readonly name: string;
}

/** Hex digits of a meter's id; what stands behind them numbers further keys of the same meter. */
const ID_LENGTH = 16;

/** Ids as hex of the chain's meters of which days are erased. Throws STORE_CORRUPT. */
export function erasedMeters(store: StoreReader, chain: number): string[] {
  const rows = store.range(contractState, prefixRange(chain, PREFIX));
  return [...new Set(rows.map(({ key }) => stateKeyIn(key).slice(PREFIX.length, PREFIX.length + ID_LENGTH)))];
}

/** Erased days of a meter, by its id as hex. Throws STORE_CORRUPT. */
export function erasedDaysOf(store: StoreReader, chain: number, meter: string): ErasedDays[] {
  const id = fromHex(meter);
  if (id?.length !== 8) return [];
  return store.range(contractState, prefixRange(chain, PREFIX + meter)).flatMap(({ row }) => {
    const rows = decodeValue(row);
    return Array.isArray(rows) ? rows.flatMap((each: Value) => daysIn(each, { chain, meter: id })) : [];
  });
}

/** A contract of that name may have put anything there: of what no statement could say, nothing is erased. */
function daysIn(row: Value, of: Pick<ErasedDays, "chain" | "meter">): ErasedDays[] {
  const [from, until, name] = Array.isArray(row) ? (row as readonly Value[]) : [];
  const isSound = typeof from === "number" && typeof until === "number" && typeof name === "string";
  if (!isSound || name.length === 0 || name.length > ERASURE_NAME_MAX) return [];
  return 0 <= from && from < until && until <= DAY_MAX + 1 ? [{ ...of, from, until, name }] : [];
}

/** Days from a first one to the one behind the last. */
export interface Run {
  readonly from: number;
  readonly until: number;
}

/** All of those days, ascending, in as few runs as there can be. */
export function mergedRuns(days: readonly Run[]): Run[] {
  const all: Run[] = [];
  for (const { from, until } of [...days].sort((one, other) => one.from - other.from)) {
    const last = all.at(-1);
    if (last !== undefined && from <= last.until) all[all.length - 1] = { ...last, until: Math.max(last.until, until) };
    else all.push({ from, until });
  }
  return all;
}

/** Whether the chain's state says that nobody keeps anything of the meter's day; the meter's id as hex. Throws STORE_CORRUPT. */
export function isErasedDay(store: StoreReader, chain: number, meter: string, day: number): boolean {
  return erasedDaysOf(store, chain, meter).some(({ from, until }) => from <= day && day < until);
}
