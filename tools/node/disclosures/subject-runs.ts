// Whose consent counts for a meter, as the access contract's state says: the days of one subject.

import { decodeValue, type Value } from "../../../src/wire/value.js";
import { contractState } from "../chain/tables/contract-state.js";
import { stateKey } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import type { Run } from "./erased-days.js";

/** Runs of days of which the participant is the meter's subject; both by their ids as hex. Throws STORE_CORRUPT. */
export function subjectRuns(store: StoreReader, chain: number, meter: string, participant: string): Run[] {
  const bytes = store.get(contractState, stateKey(chain, `access/subject/${meter}`));
  const rows = bytes === undefined ? [] : decodeValue(bytes);
  return Array.isArray(rows) ? rows.flatMap((row: Value) => runIn(row, participant)) : [];
}

/** A contract of that name may have put anything there. */
function runIn(row: Value, participant: string): Run[] {
  const [subject, from, until] = Array.isArray(row) ? (row as readonly Value[]) : [];
  const isRun = typeof from === "number" && typeof until === "number";
  return isRun && subject === participant ? [{ from, until }] : [];
}
