// The settlement of a block by the contracts that are in force there.

import type { OrderedAssignments } from "../assignments.js";
import { type ContractInForce, planOf } from "../contract-orders.js";
import type { ChainView, Execution } from "../execution.js";
import { restingSettlement, type Settlement, settle } from "./settle.js";

/** The block that is settled. */
export interface SettledBlock {
  readonly height: number;
  readonly time_ms: number;
  readonly judgedAt: number;
  readonly contracts: readonly ContractInForce[];
  readonly assignments: OrderedAssignments;
  readonly view: ChainView;
  /** runs for closed slots that the block's contracts leave room for; undefined where nothing is in the way */
  readonly runs?: number | undefined;
}

/** What the block makes of its chain's settlement: nothing where no contract asks for slots. */
export function settleBlock(block: SettledBlock, { sealed }: Pick<Execution, "sealed">): Settlement {
  const { height, time_ms, judgedAt, assignments, view } = block;
  const plan = planOf(block.contracts);
  if (plan === undefined) return restingSettlement;
  const asking = block.contracts.flatMap(({ install }) => (install.slots === undefined ? [] : [install.name]));
  const place = { height, time_ms, judgedAt, plan, asking, assignments, view: view.settlement, runs: block.runs };
  return settle(
    place,
    sealed.flatMap(({ records }) => records),
  );
}
