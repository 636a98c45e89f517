// Contracts of blocks at the next height: a question about a block waits while they run, and is asked again when they have. What is
// wrong with the engine is this machine's fault and no vote: they run once more after a while.

import { toHex } from "../../../../src/wire/bytes.js";
import { BoundedMap } from "../../../bounded-map.js";
import { reasonOf } from "../../../errors.js";
import type { BlockInputs } from "../../../ledger/compose.js";
import type { Outcome } from "../../../ledger/outcome.js";
import type { RunPlan } from "../../../ledger/run-plan.js";
import type { ChainPorts } from "../ports.js";

/** Blocks of one height whose outcomes are kept. */
const KEPT = 8;
const AGAIN_MS = 1_000;

export interface ContractRuns {
  /** The outcomes of a block of these inputs; undefined while they are being made. */
  outcomesOf(inputs: BlockInputs, plan: RunPlan): readonly Outcome[] | undefined;
  /** The height is over. */
  clear(): void;
}

interface Entry {
  outcomes: readonly Outcome[] | undefined;
}

/** `onReady`: outcomes are there, or are to be asked for again. */
export function createContractRuns(ports: ChainPorts, onReady: () => void): ContractRuns {
  const entries = new BoundedMap<string, Entry>(KEPT);

  const begin = (name: string, entry: Entry, plan: RunPlan) => {
    const isCurrent = () => entries.get(name) === entry;
    ports.runContracts(plan).then(
      (outcomes) => {
        if (!isCurrent()) return;
        entry.outcomes = outcomes;
        onReady();
      },
      (error: unknown) => {
        ports.onRunFault();
        ports.log.error({ height: plan.height, reason: reasonOf(error) }, "contracts cannot be run here");
        ports.setTimer("runs", AGAIN_MS, () => {
          if (isCurrent()) entries.delete(name);
          onReady();
        });
      },
    );
  };

  return {
    outcomesOf(inputs, plan) {
      const name = nameOf(inputs);
      const known = entries.get(name);
      if (known !== undefined) return known.outcomes;
      const entry: Entry = { outcomes: undefined };
      entries.set(name, entry);
      begin(name, entry, plan);
      return undefined;
    },
    clear: () => entries.clear(),
  };
}

/** All that outcomes depend on beside the chain before. */
function nameOf({ batches, time_ms, judgedAt }: BlockInputs): string {
  return [time_ms, judgedAt, ...batches.map(({ read }) => toHex(read.id))].join("/");
}
