// Erasures that the access contract has sealed, as they stand in a chain's state: which days of which meters nobody keeps.

import { fromHex } from "../../../src/wire/bytes.js";
import { decodeValue, type Value } from "../../../src/wire/value.js";
import { contractState } from "../chain/tables/contract-state.js";
import { prefixRange, stateKey, stateKeyIn } from "../store/keys.js";
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

/** Ids as hex of the chain's meters of which days are erased. Throws STORE_CORRUPT. */
export function erasedMeters(store: StoreReader, chain: number): string[] {
  return store.range(contractState, prefixRange(chain, PREFIX)).map(({ key }) => stateKeyIn(key).slice(PREFIX.length));
}

/** Erased days of a meter, by its id as hex. Throws STORE_CORRUPT. */
export function erasedDaysOf(store: StoreReader, chain: number, meter: string): ErasedDays[] {
  const id = fromHex(meter);
  const bytes = store.get(contractState, stateKey(chain, PREFIX + meter));
  if (bytes === undefined || id?.length !== 8) return [];
  const rows = decodeValue(bytes);
  return Array.isArray(rows) ? rows.flatMap((row: Value) => daysIn(row, { chain, meter: id })) : [];
}

/** A contract of that name may have put anything there. */
function daysIn(row: Value, of: Pick<ErasedDays, "chain" | "meter">): ErasedDays[] {
  const [from, until, name] = Array.isArray(row) ? (row as readonly Value[]) : [];
  const isSound = typeof from === "number" && typeof until === "number" && typeof name === "string";
  return isSound && 0 <= from && from < until ? [{ ...of, from, until, name }] : [];
}
