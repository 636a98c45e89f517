// What has become of violations, as the contract `cases` on the contracts chain keeps it (tools/market/cases).

import { decodeValue } from "../../../src/wire/value.js";
import { violationDetail } from "../../contracts/told-violation.js";
import { CONTRACTS_SERVICE } from "../../ledger/governance.js";
import { type CaseState, caseStates, type ListedViolation, type ViolationShown } from "../../routes/violations.js";
import { stateKey } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { contractState } from "./tables/contract-state.js";
import { type FoundViolation, type ViolationPlace, violationName, violationView } from "./violation-list.js";

/** The state of a violation's case; open, where nobody has taken a step, or the contract has let go of it. */
export function caseStateOf(store: StoreReader, place: ViolationPlace): CaseState {
  const kept = store.get(contractState, stateKey(CONTRACTS_SERVICE, `cases/case/${violationName(place)}`));
  if (kept === undefined) return "open";
  const value = decodeValue(kept);
  const state = typeof value === "object" && value !== null && "state" in value ? value.state : undefined;
  return caseStates.find((known) => known === state) ?? "open";
}

/** One as lists and questions show it. */
export function listedView(store: StoreReader, found: FoundViolation): ListedViolation {
  return { ...violationView(found), state: caseStateOf(store, found) };
}

/** The same with what proves it. */
export function shownView(store: StoreReader, found: FoundViolation): ViolationShown {
  return { ...listedView(store, found), detail: violationDetail(found.violation) };
}
