// The threads that run the contracts of simulated nodes: answers come a little later, from some much later, and some threads are lost
// with all that waits for them. What a plan comes to is made by the real engine, once for all nodes.

import { equalBytes } from "../../../../src/wire/bytes.js";
import { GridsealError } from "../../../errors.js";
import { encodeOutcome, type RunResult } from "../../../ledger/outcome.js";
import type { RunPlan } from "../../../ledger/run-plan.js";
import type { ChainPorts } from "../../../node/chain/ports.js";
import { createPlanRunner } from "../../rig/contracts/runner.js";
import type { Random } from "../../rig/random.js";
import type { Coverage } from "../coverage.js";
import type { Timeline } from "./timeline.js";

export type RunContracts = ChainPorts["runContracts"];

export interface SimulatedContracts {
  /** The thread of one chain in one life of a node. */
  threadOf(node: string, isOver: () => boolean): RunContracts;
  /** What the plan comes to without any node, for the checks. A share of them runs again (I31). */
  readonly reference: RunContracts;
}

export interface SimulatedContractsPorts {
  readonly options: {
    /** probability that a thread is lost while it runs a block's contracts */
    readonly engineFaults: number;
    /** some threads may take as long for a block */
    readonly slowEngine_ms: number;
    /** each call takes every thread so long, always */
    readonly callTakes_ms: number;
  };
  readonly timeline: Timeline;
  readonly random: Random;
  readonly coverage: Coverage;
  isCalm(): boolean;
  fail(invariant: string, detail: string): void;
}

/** As long as a node waits for a thread that does not answer. */
const LOST_MS = 60_000;
/** Most answers come within this time. */
const RUN_MS = 30;
/** One of so many lives of a chain has a slow thread. */
const SLOW_EVERY = 4;
/** Blocks of one of so many heights run again for the checks. */
const AGAIN_EVERY = 4;

/** Outcomes of all clusters that this process has run: they depend on nothing but the plan. */
const runner = createPlanRunner();

export function createSimulatedContracts(ports: SimulatedContractsPorts): SimulatedContracts {
  const { options, timeline, random, coverage, isCalm } = ports;

  /** Runs it while virtual time stands still; the answer is there when the next event is performed. */
  const begun = (plan: RunPlan): { outcomes: readonly RunResult[] | undefined; fault: unknown } => {
    const work = { outcomes: runner.known(plan), fault: undefined as unknown };
    if (work.outcomes !== undefined) return work;
    const run = async () => {
      try {
        work.outcomes = await runner.run(plan);
      } catch (fault) {
        work.fault = fault;
      }
    };
    timeline.hold(run());
    return work;
  };

  return {
    threadOf(node, isOver) {
      /** what is asked of a thread that is lost is answered by none */
      let thread = {};
      let isSlow: boolean | undefined;
      return (plan) =>
        new Promise((resolve, reject) => {
          coverage.runsAsked += 1;
          isSlow ??= random.below(SLOW_EVERY) === 0;
          const mine = thread;
          const work = begun(plan);
          const usual_ms = random.between(1, isSlow && !isCalm() ? Math.max(RUN_MS, options.slowEngine_ms) : RUN_MS);
          const isFault = random.chance(isCalm() ? 0 : options.engineFaults);
          const taken_ms = usual_ms + options.callTakes_ms * plan.calls.length;
          const delay_ms = isFault && random.chance(0.1) ? LOST_MS : taken_ms;
          timeline.after(delay_ms, () => {
            if (isOver()) return;
            if (isFault) {
              coverage.engineFaults += 1;
              thread = {};
            }
            if (isFault || thread !== mine) return reject(lost(node));
            if (work.outcomes !== undefined) {
              coverage.postponed += work.outcomes.filter(({ type }) => type === "postponed").length;
              return resolve(work.outcomes);
            }
            reject(work.fault);
          });
        });
    },
    async reference(plan) {
      const known = runner.known(plan);
      if (known !== undefined && plan.height % AGAIN_EVERY > 0) return known;
      const again = await runner.run(plan);
      const isSame = known === undefined || again.every((outcome, index) => isEqual(outcome, known[index]!));
      if (!isSame) ports.fail("I31 a plan comes to the same again", `block ${plan.height}`);
      const place = firstOfAnother(plan, again);
      if (place !== undefined) {
        const [alone] = await runner.run({ ...plan, calls: [plan.calls[place]!] });
        const isOwn = isEqual(alone!, again[place]!);
        if (!isOwn) ports.fail("I34 a run comes to what it does alone", `block ${plan.height}, call ${place}`);
      }
      return again;
    },
  };
}

/** The last call that has run behind those of other contracts alone: they have left its state as it was. */
function firstOfAnother({ calls }: RunPlan, results: readonly RunResult[]): number | undefined {
  const isFirst = (contract: number, place: number) => calls.findIndex((call) => call.contract === contract) === place;
  const place = calls.findLastIndex(
    ({ contract }, index) => index > 0 && isFirst(contract, index) && results[index]?.type !== "postponed",
  );
  return place < 0 ? undefined : place;
}

function isEqual(one: RunResult, other: RunResult): boolean {
  if (one.type === "postponed" || other.type === "postponed") return one.type === other.type;
  return equalBytes(encodeOutcome(one), encodeOutcome(other));
}

function lost(node: string): GridsealError {
  return new GridsealError("ENGINE_FAULT", `the thread of contracts of ${node} ended`);
}
