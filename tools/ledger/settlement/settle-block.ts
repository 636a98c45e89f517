// The settlement of a block by the contracts that are in force there.

import type { OrderedAssignments } from "../assignments.js";
import { type ContractInForce, planOf } from "../contract-orders.js";
import type { ChainView, Execution } from "../execution.js";
import type { Pieces } from "../pieces.js";
import type { ExecutionRecord } from "../record-scan.js";
import { closeSlots, restingSettlement, type Settlement, type Settling, takeReadings } from "./settle.js";

/** The block that is settled. */
export interface SettledBlock {
  readonly height: number;
  readonly time_ms: number;
  readonly judgedAt: number;
  readonly contracts: readonly ContractInForce[];
  readonly assignments: OrderedAssignments;
  readonly view: ChainView;
}

/** A block's readings, taken once however often it is judged. */
export interface BlockSettling {
  readonly readings: readonly ExecutionRecord[];
  /** undefined where no contract asks for slots */
  readonly settling: Settling | undefined;
}

/** What the block's readings make of the counters. Those of `before`, the same block with another room, count where they are the same. */
export function settleReadings(
  block: SettledBlock,
  { sealed }: Pick<Execution, "sealed">,
  before?: BlockSettling,
): BlockSettling {
  const readings = sealed.flatMap(({ records }) => records.filter(({ type }) => type === undefined));
  if (before?.readings.length === readings.length && before.readings.every((record, at) => record === readings[at])) {
    return before;
  }
  const plan = planOf(block.contracts);
  if (plan === undefined) return { readings, settling: undefined };
  const { height, time_ms, judgedAt, assignments, view } = block;
  const asking = block.contracts.flatMap(({ install }) => (install.slots === undefined ? [] : [install.name]));
  const place = { height, time_ms, judgedAt, plan, asking, assignments, view: view.settlement };
  return { readings, settling: takeReadings(place, readings) };
}

/** What the block makes of its chain's settlement, where its contracts leave room for so many runs: nothing where none asks for slots. */
export function* settleSlots({ settling }: BlockSettling, runs: number | undefined): Pieces<Settlement> {
  return settling === undefined ? restingSettlement : yield* closeSlots(settling, runs);
}
