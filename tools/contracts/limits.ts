// What a run of a contract may use and put out. Budget, pages and output stand in the order that installs the contract, within bounds
// of the format (src/wire/contract-order.ts, value.ts); the rest are the same for all.

import { kindShare } from "../ledger/run-plan.js";

export interface Limits {
  /** TURNS_PER_BUDGET turns of the engine are 1 */
  readonly budget: number;
  /** pages of 65,536 bytes that the contract's values may take */
  readonly pages: number;
  /** bytes of what stays of all that a run puts out: keys, encoded values, names and bodies */
  readonly output: number;
}

export const defaultLimits: Limits = { budget: 1_000, pages: 256, output: 65_536 };

/** Turns of the engine: calls of its functions and turns of its loops, which are what any work is made of. */
export const TURNS_PER_BUDGET = 65_536;
export const PAGE_BYTES = 65_536;
/** Bytes of a contract's source, one ES module. */
export const SOURCE_BYTES_MAX = 65_536;
/** Bytes of a key of the state in UTF-8. */
export const KEY_BYTES_MAX = 256;
/** Bytes of one encoded value of the state. */
export const VALUE_BYTES_MAX = 16_384;
/** Prefixes that a contract may declare, of either kind. */
export const PREFIXES_MAX = 32;
/** Reads of the state in a run, each listed key counted. */
export const READS_MAX = 100_000;
/** Keys that a run writes: all that a block has for one kind of entry. */
export const WRITES_MAX = kindShare.writes;
/** Effects, violations, denials and messages of a run together, as many. */
export const EMISSIONS_MAX = kindShare.emissions;
/** Elements of an array that is put out. */
export const LENGTH_MAX = 65_536;
