// Where a chain of generated contracts is made: in this thread, in a thread of contracts as a node has it, or with everything but its
// rows gone after each block.

import { createEngine, type Engine } from "../../contracts/engine.js";
import { runPlan } from "../../contracts/run-plan.js";
import { createChainContracts } from "../../node/contracts/node-contracts.js";
import { readEngine } from "../../node/contracts/sandbox.js";
import { type MadeChain, makeChain, type RunPlans } from "./chain.js";

export interface ChainSize {
  readonly seed: number;
  readonly blocks: number;
}

export async function makeChainHere(size: ChainSize): Promise<MadeChain> {
  const engine = await createEngine(await readEngine());
  return makeChain({ ...size, run: runningIn(engine) });
}

export async function makeChainInThread(size: ChainSize): Promise<MadeChain> {
  const contracts = createChainContracts();
  try {
    return await makeChain({ ...size, run: contracts.run });
  } finally {
    await contracts.close();
  }
}

/** State and engine are made anew for each block. */
export async function makeChainWithRestarts(size: ChainSize): Promise<MadeChain> {
  const wasm = await readEngine();
  const fresh = (): RunPlans => async (plan) => runPlan(await createEngine(wasm), plan);
  return makeChain({ ...size, run: fresh(), restart: fresh });
}

function runningIn(engine: Engine): RunPlans {
  return (plan) => runPlan(engine, plan);
}
