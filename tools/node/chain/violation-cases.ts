// What has become of violations, as the contract `cases` on the contracts chain keeps it (tools/market/cases).

import { toHex } from "../../../src/wire/bytes.js";
import { decodeValue, type Value } from "../../../src/wire/value.js";
import { violationDetail } from "../../contracts/told-violation.js";
import { CONTRACTS_SERVICE } from "../../ledger/governance.js";
import { type FoundViolation, violationName, violationView } from "../../ledger/violation-place.js";
import { subjectOf } from "../../ledger/violations.js";
import { type CaseState, caseStates, type ListedViolation, type ViolationShown } from "../../routes/violations.js";
import { stateKey } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { contractState } from "./tables/contract-state.js";

/** The state of a violation's case; without one open, or lapsed where the contract was told of it and keeps nothing any more. */
export function caseStateOf(store: StoreReader, { violation, ...place }: FoundViolation): CaseState {
  const name = violationName(place);
  const kept = keptAt(store, `case/${name}`);
  if (kept !== undefined) return caseStates.find((known) => known === fieldOf(kept, "state")) ?? "open";
  const toldUpTo = fieldOf(keptAt(store, "kept/told"), String(place.service));
  if (typeof toldUpTo !== "number" || place.height > toldUpTo) return "open";
  const rows = keptAt(store, `said/${toHex(subjectOf(violation))}`);
  const isKept = Array.isArray(rows) && rows.some((row: Value) => Array.isArray(row) && row[0] === name);
  return isKept ? "open" : "lapsed";
}

function keptAt(store: StoreReader, key: string): Value | undefined {
  const bytes = store.get(contractState, stateKey(CONTRACTS_SERVICE, `cases/${key}`));
  return bytes === undefined ? undefined : decodeValue(bytes);
}

function fieldOf(value: Value | undefined, name: string): Value | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as { readonly [name: string]: Value })[name] : undefined;
}

/** One as lists and questions show it. */
export function listedView(store: StoreReader, found: FoundViolation): ListedViolation {
  return { ...violationView(found), state: caseStateOf(store, found) };
}

/** The same with what proves it. */
export function shownView(store: StoreReader, found: FoundViolation): ViolationShown {
  return { ...listedView(store, found), detail: violationDetail(found.violation) };
}
