// What a block calls its contracts for, pure, in two halves: the entries in their one order with what is run for each, and what follows
// from how that ran. An engine stands between them; a block without runs needs none.

import type { ParameterValue } from "../../src/wire/contract-order.js";
import type { Entry } from "../../src/wire/entry.js";
import type { Addressee, Effect, EntryOutcome } from "../../src/wire/outcome.js";
import type { Value } from "../../src/wire/value.js";
import { assertInvariant } from "../errors.js";
import type { ContractInForce } from "./contract-orders.js";
import { type Deadline, dueEntries, orderWrites, passedDue, passedWrites } from "./deadlines.js";
import type { EntriesPlace, PlannedEntry } from "./entry.js";
import type { ChainView, Execution } from "./execution.js";
import { CONTRACTS_SERVICE, governedChain } from "./governance.js";
import { messageEntries, Numbering, takenWrites } from "./messages.js";
import { operationEntries } from "./operations.js";
import type { Done, Outcome } from "./outcome.js";
import type { PlannedCall, PlannedContract, RunPlan } from "./run-plan.js";
import { slotEntries } from "./settlement/slot-entries.js";
import { type StateUpdate, updateState } from "./state-map.js";
import { toldOutcomes } from "./told.js";
import type { ContractViolation, Violation } from "./violations.js";

export interface PlannedEntries {
  readonly planned: readonly PlannedEntry[];
  /** what the block's entries write by themselves, before anything runs */
  readonly before: ReadonlyMap<string, Uint8Array | undefined>;
  /** undefined where nothing runs */
  readonly plan: RunPlan | undefined;
  /** what the rules hold against somebody, before contracts do */
  readonly found: readonly Violation[];
  /** whether the network has a chain that is told */
  readonly isTold: boolean;
}

/** What contracts have come to in a block. */
export interface EntriesResult {
  readonly outcomes: readonly EntryOutcome[];
  readonly violations: readonly ContractViolation[];
  /** whole keys of the state with what they get */
  readonly writes: ReadonlyMap<string, Uint8Array | undefined>;
  readonly state: StateUpdate;
}

/** A block's entries, in the order in which contracts are called for them. A kind is a row. */
function entriesOf(place: EntriesPlace, execution: Execution, passed: readonly Deadline[]): PlannedEntry[] {
  return [
    ...operationEntries(place, execution),
    ...messageEntries(place, execution.messages),
    ...slotEntries(place),
    ...dueEntries(place, passed),
  ];
}

/** What is to run for the block's entries. */
export function planEntries(place: EntriesPlace, execution: Execution): PlannedEntries {
  const all = passedDue(place.view.state, place.time_ms);
  const passed = all.slice(0, place.room?.deadlines);
  const planned = entriesOf(place, execution, passed);
  const before = new Map([...takenWrites(execution.messages), ...passedWrites(passed)]);
  const calls: PlannedCall[] = [];
  const called: ContractInForce[] = [];
  for (const { entry, fate } of planned) {
    if (fate.type !== "run") continue;
    const { contract, argument, jurisdiction, hops = 0 } = fate;
    if (!called.includes(contract)) called.push(contract);
    calls.push({
      contract: called.indexOf(contract),
      entry: entry.kind,
      argument,
      parameters: parametersOf(contract, jurisdiction),
      hops,
    });
  }
  const found = execution.violations;
  const isTold = governedChain(execution.governance, CONTRACTS_SERVICE) !== undefined;
  const judged = { planned, before, found, isTold };
  if (calls.length === 0) return { ...judged, plan: undefined };
  const hidden = passedWrites(all);
  const contracts = called.map((contract) => plannedContract(place, contract, hidden));
  const time_s = Math.floor(place.time_ms / 1_000);
  const { state } = place.view;
  return { ...judged, plan: { height: place.height, time_s, contracts, calls, state } };
}

/** What follows from the runs, an outcome for each call of the plan. */
export function finishEntries(
  view: ChainView,
  { planned, before, found, isTold }: PlannedEntries,
  outcomes: readonly Outcome[],
): EntriesResult {
  const rows: EntryOutcome[] = [];
  const violations: ContractViolation[] = [];
  const writes = new Map(before);
  const numbering = new Numbering(view.state);
  let next = 0;
  for (const { entry, fate } of planned) {
    if (fate.type !== "run") {
      rows.push({ entry, type: fate.type });
      continue;
    }
    const { name } = fate.contract.install;
    const outcome = outcomes[next];
    assertInvariant(outcome !== undefined, "each call of a plan has an outcome");
    next += 1;
    rows.push(rowOf(entry, name, outcome, (service) => numbering.take(service, fate.hops ?? 0)));
    if (outcome.type === "failed") continue;
    violations.push(...violationsOf(entry, name, outcome));
    for (const [key, value] of outcome.writes) writes.set(`${name}/${key}`, value ?? undefined);
  }
  assertInvariant(next === outcomes.length, "each outcome is of a call of the plan");
  if (isTold) rows.push(...toldOutcomes([...found, ...violations], numbering));
  for (const [key, value] of [...numbering.writes, ...orderWrites(view.state, writes)]) writes.set(key, value);
  return { outcomes: rows, violations, writes, state: updateState(view.state, view.state.root, writes) };
}

function rowOf(
  entry: Entry,
  contract: string,
  outcome: Outcome,
  addressed: (service: number) => Addressee,
): EntryOutcome {
  const { used } = outcome;
  if (outcome.type === "failed") return { entry, type: "failed", contract, used, reason: outcome.reason };
  const effects = outcome.emissions.flatMap((emission): Effect[] => {
    const { type, name, body } = emission;
    if (type === "message") return [{ name, body, to: addressed(emission.service) }];
    return type === "effect" ? [{ name, body }] : [];
  });
  const denials = outcome.emissions.flatMap(({ type, name, body }) =>
    type === "denial" ? [{ rule: name, body }] : [],
  );
  if (denials.length > 0) return { entry, type: "denied", contract, used, effects, denials };
  return { entry, type: "done", contract, used, effects };
}

function violationsOf(entry: Entry, contract: string, { emissions }: Done): ContractViolation[] {
  return emissions.flatMap((emission) =>
    emission.type === "violation"
      ? [{ kind: "contract", subject: emission.subject, entry, contract, name: emission.name, body: emission.body }]
      : [],
  );
}

/** What is set everywhere, over it what the country sets, over that what a part of it does. */
function parametersOf({ parameters }: ContractInForce, jurisdiction: string | undefined): Value {
  const chosen: Record<string, ParameterValue> = {};
  for (const set of parameters) {
    const holds = set.jurisdiction === undefined || isWithin(jurisdiction, set.jurisdiction);
    if (holds) for (const [name, value] of set.parameters) chosen[name] = value;
  }
  return chosen;
}

function isWithin(jurisdiction: string | undefined, wider: string): boolean {
  return jurisdiction === wider || (jurisdiction?.startsWith(`${wider}-`) ?? false);
}

function plannedContract(
  place: EntriesPlace,
  contract: ContractInForce,
  hidden: ReadonlyMap<string, undefined>,
): PlannedContract {
  const { name, budget, pages, output } = contract.install;
  const prefix = `${name}/`;
  const taken = [...hidden.keys()].flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
  return { name, source: place.sourceOf(contract), limits: { budget, pages, output }, taken };
}
