// What becomes of a block's operations, pure, in two halves: what contracts are called with, and what follows from how they ran. An
// engine stands between them; a block without runs needs none.

import type { ParameterValue } from "../../src/wire/contract-order.js";
import { parseCredential, roles as roleNames } from "../../src/wire/credential.js";
import type { Effect, OperationOutcome } from "../../src/wire/outcome.js";
import type { Value } from "../../src/wire/value.js";
import { assertInvariant } from "../errors.js";
import type { ContractInForce } from "./contract-orders.js";
import type { ChainView, Execution } from "./execution.js";
import type { Done, Outcome } from "./outcome.js";
import { type AskedOperation, askedBy, type ExecutionRecord } from "./record-scan.js";
import type { PlannedCall, PlannedContract, RunPlan } from "./run-plan.js";
import { type StateUpdate, updateState } from "./state-map.js";
import type { ContractViolation } from "./violations.js";

/** Where operations are judged. */
export interface OperationsPlace {
  readonly height: number;
  readonly time_ms: number;
  /** in force there, by their names */
  readonly contracts: readonly ContractInForce[];
  /** sources by their hashes as hex */
  sourceOf(contract: ContractInForce): string;
  readonly view: ChainView;
}

/** A sealed operation of a block with the contract that is to run for it. */
interface Pending {
  readonly leaf: number;
  readonly fate: { readonly type: "unhandled" | "expired" } | { readonly type: "run"; readonly contract: string };
}

export interface PlannedOperations {
  readonly pending: readonly Pending[];
  /** undefined where nothing runs */
  readonly plan: RunPlan | undefined;
}

/** What contracts have come to in a block. */
export interface OperationsResult {
  readonly outcomes: readonly OperationOutcome[];
  readonly violations: readonly ContractViolation[];
  /** keys of the state, each behind its contract's name, with what they get */
  readonly writes: ReadonlyMap<string, Uint8Array | undefined>;
  readonly state: StateUpdate;
}

/** What is to run for the operations that the block seals. */
export function planOperations(place: OperationsPlace, execution: Execution): PlannedOperations {
  const records = execution.sealed.flatMap((sealed) => sealed.records);
  const pending: Pending[] = [];
  const calls: PlannedCall[] = [];
  const called: ContractInForce[] = [];
  for (const [index, record] of records.entries()) {
    if (record.type === undefined) continue;
    const leaf = index + 1;
    const contract = place.contracts.find(({ install }) => install.types.includes(record.type!));
    const asked = askedBy(record)!;
    if (contract === undefined) pending.push({ leaf, fate: { type: "unhandled" } });
    else if (asked.until_s !== undefined && place.time_ms > asked.until_s * 1_000) {
      pending.push({ leaf, fate: { type: "expired" } });
    } else {
      pending.push({ leaf, fate: { type: "run", contract: contract.install.name } });
      if (!called.includes(contract)) called.push(contract);
      const signer = signerOf(place.view, execution, record);
      calls.push({
        contract: called.indexOf(contract),
        entry: "operation",
        argument: argumentOf(asked, signer),
        parameters: parametersOf(contract, signer.jurisdiction),
      });
    }
  }
  if (calls.length === 0) return { pending, plan: undefined };
  const contracts = called.map((contract) => plannedContract(place, contract));
  const time_s = Math.floor(place.time_ms / 1_000);
  return { pending, plan: { height: place.height, time_s, contracts, calls } };
}

/** What follows from the runs, an outcome for each call of the plan. */
export function finishOperations(
  view: ChainView,
  { pending }: PlannedOperations,
  outcomes: readonly Outcome[],
): OperationsResult {
  const rows: OperationOutcome[] = [];
  const violations: ContractViolation[] = [];
  const writes = new Map<string, Uint8Array | undefined>();
  let next = 0;
  for (const { leaf, fate } of pending) {
    if (fate.type !== "run") {
      rows.push({ leaf, type: fate.type });
      continue;
    }
    const outcome = outcomes[next];
    assertInvariant(outcome !== undefined, "each call of a plan has an outcome");
    next += 1;
    rows.push(rowOf(leaf, fate.contract, outcome));
    if (outcome.type === "failed") continue;
    violations.push(...violationsOf(leaf, fate.contract, outcome));
    for (const [key, value] of outcome.writes) writes.set(`${fate.contract}/${key}`, value ?? undefined);
  }
  assertInvariant(next === outcomes.length, "each outcome is of a call of the plan");
  return { outcomes: rows, violations, writes, state: updateState(view.state, view.state.root, writes) };
}

function rowOf(leaf: number, contract: string, outcome: Outcome): OperationOutcome {
  const { used } = outcome;
  if (outcome.type === "failed") return { leaf, type: "failed", contract, used, reason: outcome.reason };
  const effects = outcome.emissions.flatMap((emission): Effect[] => {
    const { type, name, body } = emission;
    if (type === "message") return [{ name, body, service: emission.service }];
    return type === "effect" ? [{ name, body }] : [];
  });
  const denials = outcome.emissions.flatMap(({ type, name, body }) =>
    type === "denial" ? [{ rule: name, body }] : [],
  );
  if (denials.length > 0) return { leaf, type: "denied", contract, used, effects, denials };
  return { leaf, type: "done", contract, used, effects };
}

function violationsOf(leaf: number, contract: string, { emissions }: Done): ContractViolation[] {
  return emissions.flatMap((emission) =>
    emission.type === "violation"
      ? [{ kind: "contract", subject: emission.subject, leaf, contract, name: emission.name, body: emission.body }]
      : [],
  );
}

interface SignerOnChain {
  readonly roles: readonly number[];
  readonly jurisdiction: string | undefined;
}

/** Who has signed the record, by the credential that the block brings or that is on the chain. */
function signerOf(view: ChainView, execution: Execution, { meter }: ExecutionRecord): SignerOnChain {
  const bytes = execution.credentials.get(meter) ?? view.credential(meter);
  assertInvariant(bytes !== undefined, "who signs a sealed operation has a credential on the chain");
  const { roles, jurisdiction } = parseCredential(bytes);
  return { roles: roles.map((role) => roleNames.indexOf(role)), jurisdiction };
}

function argumentOf(asked: AskedOperation, signer: SignerOnChain): Value {
  const { type, participant, seq, time_s, body } = asked;
  const jurisdiction = signer.jurisdiction ?? null;
  return { type, participant, roles: signer.roles, jurisdiction, seq, time_s, body };
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

function plannedContract(place: OperationsPlace, contract: ContractInForce): PlannedContract {
  const { name, budget, pages, output } = contract.install;
  const state = new Map(place.view.state.entriesOf(name));
  return { name, source: place.sourceOf(contract), limits: { budget, pages, output }, state };
}
