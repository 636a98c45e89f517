// The contracts of a node's chains: one thread for all of them, started with the first that runs.

import { GridsealError } from "../../errors.js";
import type { Outcome } from "../../ledger/outcome.js";
import type { RunPlan } from "../../ledger/run-plan.js";
import { openSandbox, type Sandbox } from "./sandbox.js";

export interface NodeContracts {
  /** Runs the contracts of a block. Rejects with ENGINE_FAULT or ENGINE_FOREIGN where this machine is at fault. */
  run(plan: RunPlan): Promise<readonly Outcome[]>;
  close(): Promise<void>;
}

export function createNodeContracts(): NodeContracts {
  let sandbox: Promise<Sandbox> | undefined;
  let isClosed = false;
  return {
    async run(plan) {
      if (isClosed) throw new GridsealError("ENGINE_FAULT", "contracts run no more: the node stops");
      sandbox ??= openSandbox();
      return (await sandbox).plan(plan);
    },
    async close() {
      isClosed = true;
      await (await sandbox)?.close();
    },
  };
}
