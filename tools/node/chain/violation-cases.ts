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

/** What has become of a violation. */
export type CaseStateOf = (found: FoundViolation) => CaseState;

/**
 * The state of a violation's case; without one open, or lapsed where the contract was told of it and keeps nothing any more. What many
 * violations share is read once: one is made for each page.
 */
export function caseStatesIn(store: StoreReader): CaseStateOf {
  let told: { readonly heights: Value | undefined } | undefined;
  const saidOf = new Map<string, ReadonlySet<Value | undefined>>();
  return ({ violation, ...place }) => {
    const name = violationName(place);
    const kept = keptAt(store, `case/${name}`);
    if (kept !== undefined) return caseStates.find((known) => known === fieldOf(kept, "state")) ?? "open";
    told ??= { heights: keptAt(store, "kept/told") };
    const toldUpTo = fieldOf(told.heights, String(place.service));
    if (typeof toldUpTo !== "number" || place.height > toldUpTo) return "open";
    const subject = toHex(subjectOf(violation));
    const said = saidOf.get(subject) ?? namesIn(keptAt(store, `said/${subject}`));
    saidOf.set(subject, said);
    return said.has(name) ? "open" : "lapsed";
  };
}

/** Of the violations that the contract keeps of a subject. */
function namesIn(rows: Value | undefined): ReadonlySet<Value | undefined> {
  return new Set(Array.isArray(rows) ? rows.map((row: Value) => (Array.isArray(row) ? row[0] : undefined)) : []);
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
export function listedView(stateOf: CaseStateOf, found: FoundViolation): ListedViolation {
  return { ...violationView(found), state: stateOf(found) };
}

/** The same with what proves it. */
export function shownView(store: StoreReader, found: FoundViolation): ViolationShown {
  return { ...listedView(caseStatesIn(store), found), detail: violationDetail(found.violation) };
}
