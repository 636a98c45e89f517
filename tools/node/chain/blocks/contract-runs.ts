// Contracts of blocks at the next height: a question about a block waits while they run, and is asked again when they have. What is
// wrong with the engine is this machine's fault and no vote: they run once more after a while. Runs that hold others up are given up,
// and runs of a height that is over. What they take sets how many calls this node's next proposal has.

import { toHex } from "../../../../src/wire/bytes.js";
import { reasonOf } from "../../../errors.js";
import type { BlockInputs } from "../../../ledger/compose.js";
import type { StateView } from "../../../ledger/execution.js";
import type { RunResult } from "../../../ledger/outcome.js";
import type { RunPlan } from "../../../ledger/run-plan.js";
import type { ChainPorts } from "../ports.js";
import { createRunPace, type RunPace } from "./run-pace.js";

/** Blocks of one height whose outcomes are kept. */
const KEPT = 8;
const AGAIN_MS = 1_000;
/** While others wait, runs may take so long: far more than a whole budget takes on a slow machine. */
const PATIENCE_MS = 5_000;
/** Each that is given up at a height doubles it, up to this: a machine may be slower still. */
const PATIENCE_MS_MAX = 60_000;
/** Of what was slow, so much counts a block later. */
const REMEMBERED = 0.9;

export interface ContractRuns {
  /** Contracts are in force: the engine is started before the first of them runs. */
  prepare(state: StateView): void;
  /** The outcomes of a block of these inputs; undefined while they are being made, and where they are given up. */
  outcomesOf(inputs: BlockInputs, plan: RunPlan): readonly RunResult[] | undefined;
  /** Whether the contracts of these inputs run no more at this height: they are given up where they have taken too long. */
  givesUp(inputs: BlockInputs): boolean;
  /** Nobody waits for the runs of these inputs any more: they end, as a fault only where they have taken too long. */
  letGo(inputs: BlockInputs): void;
  readonly pace: RunPace;
  /** What runs of a block have taken lately, in milliseconds: the slowest, the less the longer ago, and no more than the pace allows. */
  readonly lately_ms: number;
  /** The height is over, or the node stops: what is under way is of no interest, and its end is no fault. */
  clear(): void;
}

interface Entry {
  outcomes: readonly RunResult[] | undefined;
  state: "running" | "done" | "given up" | "faulted";
  readonly calls: number;
  readonly since_ms: number;
  readonly unwanted: AbortController;
}

/** `onReady`: outcomes are there, or are to be asked for again. */
export function createContractRuns(ports: ChainPorts, onReady: () => void): ContractRuns {
  const entries = new Map<string, Entry>();
  const pace = createRunPace();
  let patience_ms = PATIENCE_MS;
  let lately_ms = 0;
  /** when the newest of them ended: one at a time is run */
  let ended_ms = 0;
  let isPrepared = false;

  const running = () => [...entries.values()].filter(({ state }) => state === "running");

  /** The thread may have had others before. */
  const notePace = ({ calls, since_ms }: Entry) => {
    const now_ms = ports.monotonic_ms();
    pace.note(calls, now_ms - Math.max(since_ms, ended_ms));
    ended_ms = now_ms;
  };

  const isOverdue = ({ since_ms }: Entry) => ports.monotonic_ms() - since_ms > patience_ms;

  const giveUp = (entry: Entry) => {
    notePace(entry);
    ports.log.error({ patience_ms }, "contracts take too long here: others run in their place");
    ports.onRunFault();
    entry.state = "given up";
    entry.unwanted.abort();
    patience_ms = Math.min(2 * patience_ms, PATIENCE_MS_MAX);
  };

  /** The oldest of them holds the others up. */
  const giveUpOldest = () => {
    const [oldest, ...others] = running();
    if (oldest === undefined || others.length === 0) return;
    giveUp(oldest);
    if (others.length > 1) ports.setTimer("patience", patience_ms, giveUpOldest);
    onReady();
  };

  const forgetOldest = () => {
    for (const [name, { unwanted }] of entries) {
      unwanted.abort();
      entries.delete(name);
      return;
    }
  };

  /** They run once more when they are asked for. */
  const forgetFaulted = () => {
    for (const [name, { state }] of entries) if (state === "faulted") entries.delete(name);
    onReady();
  };

  const begin = (name: string, entry: Entry, plan: RunPlan) => {
    const isCurrent = () => entries.get(name) === entry && entry.state === "running";
    ports
      .runContracts(plan, entry.unwanted.signal)
      .then(
        (outcomes) => {
          if (!isCurrent()) return;
          entry.outcomes = outcomes;
          entry.state = "done";
          notePace(entry);
          lately_ms = Math.max(ports.monotonic_ms() - entry.since_ms, REMEMBERED * lately_ms);
          onReady();
        },
        (error: unknown) => {
          if (!isCurrent()) return;
          entry.state = "faulted";
          ports.onRunFault();
          ports.log.error({ height: plan.height, reason: reasonOf(error) }, "contracts cannot be run here");
          ports.setTimer("runs", AGAIN_MS, forgetFaulted);
        },
      )
      .catch(ports.onFatal); // a block is composed of what the store has: that may be damaged
  };

  return {
    prepare(state) {
      if (isPrepared) return;
      isPrepared = true;
      const nothing = { height: 0, time_s: 0, contracts: [], calls: [], state };
      // What is wrong shows when something runs.
      ports.runContracts(nothing).catch(() => undefined);
    },
    outcomesOf(inputs, plan) {
      const name = nameOf(inputs);
      const known = entries.get(name);
      if (known !== undefined) return known.outcomes;
      const isFirst = running().length === 0;
      const entry: Entry = {
        ...{ outcomes: undefined, state: "running", calls: plan.calls.length, since_ms: ports.monotonic_ms() },
        unwanted: new AbortController(),
      };
      if (entries.size === KEPT) forgetOldest();
      entries.set(name, entry);
      if (!isFirst) ports.setTimer("patience", patience_ms, giveUpOldest);
      begin(name, entry, plan);
      return undefined;
    },
    givesUp(inputs) {
      const entry = entries.get(nameOf(inputs));
      if (entry?.state === "running" && isOverdue(entry)) giveUp(entry);
      return entry?.state === "given up";
    },
    letGo(inputs) {
      const name = nameOf(inputs);
      const entry = entries.get(name);
      if (entry?.state !== "running") return;
      if (isOverdue(entry)) {
        giveUp(entry);
        return;
      }
      // What took no longer says nothing of this machine.
      entry.unwanted.abort();
      entries.delete(name);
    },
    pace,
    get lately_ms() {
      return Math.min(lately_ms, pace.most_ms);
    },
    clear() {
      for (const { unwanted } of running()) unwanted.abort();
      entries.clear();
      patience_ms = Math.max(PATIENCE_MS, patience_ms / 2);
      ports.clearTimer("patience");
    },
  };
}

/** All that outcomes depend on beside the chain before. */
function nameOf({ batches, time_ms, judgedAt, calls }: BlockInputs): string {
  return [time_ms, judgedAt, calls, ...batches.map(({ read }) => toHex(read.id))].join("/");
}
