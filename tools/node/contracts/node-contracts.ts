// The contracts of a node's chains: a thread for each chain, started with its first run, so that no chain waits for another one's.

import { GridsealError } from "../../errors.js";
import type { RunResult } from "../../ledger/outcome.js";
import type { RunPlan } from "../../ledger/run-plan.js";
import { openSandbox, type Sandbox } from "./sandbox.js";

/** The contracts of one chain. */
export interface ChainContracts {
  /** Runs the contracts of a block. Rejects with ENGINE_FAULT or ENGINE_FOREIGN where this machine is at fault. */
  run(plan: RunPlan, unwanted?: AbortSignal): Promise<readonly RunResult[]>;
  close(): Promise<void>;
}

export interface NodeContracts {
  of(service: number): ChainContracts;
  close(): Promise<void>;
}

export function createNodeContracts(): NodeContracts {
  const chains = new Map<number, ChainContracts>();
  return {
    of(service) {
      const contracts = chains.get(service) ?? createChainContracts();
      chains.set(service, contracts);
      return contracts;
    },
    async close() {
      for (const contracts of chains.values()) await contracts.close();
    },
  };
}

export function createChainContracts(): ChainContracts {
  let sandbox: Promise<Sandbox> | undefined;
  let isClosed = false;
  return {
    async run(plan, unwanted) {
      if (isClosed) throw new GridsealError("ENGINE_FAULT", "contracts run no more: the node stops");
      sandbox ??= openSandbox();
      return (await sandbox).plan(plan, unwanted);
    },
    async close() {
      isClosed = true;
      await (await sandbox)?.close();
    },
  };
}
