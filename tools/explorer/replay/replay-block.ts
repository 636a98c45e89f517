// Runs a sealed block's contracts again: its chain is replayed from the first block on, and so is the contracts chain as far as the block
// was judged by it. The same runs as `gridseal contract replay --trace` makes. What it rests on: each block follows from the one before,
// orders are the authority's, a quorum has sealed the last one, which binds all before it. Records' signatures are the audit's to verify.

import { decodeBlock } from "../../../src/wire/block.js";
import { verifyCertificate } from "../../../src/wire/certificate.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis, GenesisChain } from "../../../src/wire/genesis.js";
import { headerHash } from "../../../src/wire/header.js";
import type { Verify } from "../../../src/wire/key.js";
import { outcomesIn } from "../../../src/wire/outcome.js";
import type { Engine } from "../../contracts/engine.js";
import { type HeldRun, heldRuns, type ReplayedRun, replayedRuns, runTraced } from "../../contracts/replayed-runs.js";
import { runPlan } from "../../contracts/run-plan.js";
import { ChainMemory, tipAfter } from "../../ledger/chain-memory.js";
import { firstTip } from "../../ledger/first-tip.js";
import { CONTRACTS_SERVICE, type Governance, governedChain, initialGovernance } from "../../ledger/governance.js";
import { checkOrder } from "../../ledger/notices.js";
import { replayWith } from "../../ledger/replay.js";
import type { RunPlan } from "../../ledger/run-plan.js";

export interface ReplayQuestion {
  readonly genesis: Genesis;
  readonly service: number;
  readonly height: number;
  readonly engine: Engine;
  readonly verify: Verify;
  /** Some blocks of a chain from a height on, in order; none where somebody has no more. */
  blocks(service: number, from: number): Promise<readonly Uint8Array[]>;
  /** Is told of each block that follows, and of how many there are to be. */
  onBlock(place: ReplayPlace): void;
}

export interface ReplayPlace {
  readonly service: number;
  readonly height: number;
  readonly of: number;
}

export interface ReplayedAt {
  /** the chain's name */
  readonly chain: string;
  /** of the contracts chain that were replayed for it */
  readonly judgedAt: number;
  readonly runs: readonly HeldRun[];
}

/** Rejects with a WireError where a block does not follow, and with why nothing can be said where a block or the engine is not at hand. */
export async function replayAt(question: ReplayQuestion): Promise<ReplayedAt> {
  const { genesis, service, height } = question;
  const [bytes] = await question.blocks(service, height);
  if (bytes === undefined) throw new Error(`chain ${service} has no block ${height} here`);
  const asked = decodeBlock(bytes);
  const beginning = initialGovernance(genesis);
  const centre = service === CONTRACTS_SERVICE ? undefined : governedChain(beginning, CONTRACTS_SERVICE);
  const { governance } =
    centre === undefined
      ? { governance: beginning }
      : await follow(question, { chain: centre.chain, height: asked.judgedAt, governance: beginning });
  const governed = governedChain(governance, service);
  if (governed === undefined) throw new WireError("unproven", `no order adds chain ${service}`);
  const { runs } = await follow(question, { chain: governed.chain, height, governance });
  return { chain: governed.chain.name, judgedAt: asked.judgedAt, runs: heldRuns(outcomesIn(asked.results), runs) };
}

interface Course {
  readonly chain: GenesisChain;
  /** of the last block */
  readonly height: number;
  /** what the orders before it come to */
  readonly governance: Governance;
}

interface Followed {
  readonly governance: Governance;
  /** of the last block */
  readonly runs: readonly ReplayedRun[];
}

async function follow(question: ReplayQuestion, { chain, height, governance }: Course): Promise<Followed> {
  const { genesis, verify, engine } = question;
  const { service } = chain;
  const memory = new ChainMemory();
  let tip = firstTip({ genesis, chain, governance, view: memory.view });
  let runs: readonly ReplayedRun[] = [];
  const run = async (plan: RunPlan) => {
    if (plan.height !== height || service !== question.service) return runPlan(engine, plan);
    const ran = await runTraced(engine, plan);
    runs = replayedRuns(plan, ran);
    return ran.outcomes;
  };
  while (tip.height <= height) {
    const items = await question.blocks(service, tip.height);
    if (items.length === 0) throw new Error(`chain ${chain.name} has no block ${tip.height} here`);
    for (const bytes of items.slice(0, height - tip.height + 1)) {
      const block = decodeBlock(bytes);
      const replayed = await replayWith(tip, block, { run });
      for (const order of replayed.orders) checkOrder(genesis, service, order, verify);
      if (tip.height === height) {
        const named = { genesisHash: genesis.hash, chain: service, height, headerHash: headerHash(block.header) };
        verifyCertificate(block.certificate, named, tip.members.members, verify);
      }
      memory.apply(replayed);
      question.onBlock({ service, height: tip.height, of: height });
      tip = tipAfter(tip, block, replayed);
    }
  }
  return { governance: tip.governance, runs };
}
