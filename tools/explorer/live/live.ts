// Keeps the newest blocks of all chains up to date while the page is open, and verifies each as it comes.

import { Check } from "@sinclair/typebox/value";
import { WireError } from "../../../src/wire/error.js";
import { reasonOf } from "../../errors.js";
import { type ChainState, chains as chainsShape } from "../../routes/chains.js";
import { BlockEvent } from "../../routes/events.js";
import { ViolationItem } from "../../routes/violations.js";
import { askValue } from "../network/ask.js";
import { listen } from "../network/event-stream.js";
import type { Network } from "../network/network.js";
import { blockIn, sealChecks } from "../verification/block-checks.js";
import { eventComplaint } from "../verification/event-checks.js";
import { type Finding, findingsOf, stateOf } from "../verification/finding.js";
import {
  type LiveState,
  noteBlock,
  noteChains,
  noteChecked,
  noteViolation,
  nothingYet,
  positionBefore,
  STRIP_BLOCKS_MAX,
} from "./strips.js";

/** How often the node is asked what waits there. */
const CHAINS_EVERY_MS = 2_000;
/** Between two drawings of what is new. */
const DRAWN_EVERY_MS = 50;
/** Blocks whose checks may wait; of more the oldest stay unchecked until somebody looks at them. */
const WAITING_MAX = 8 * STRIP_BLOCKS_MAX;

export interface Connection {
  readonly isLive: boolean;
  readonly reason?: string;
  /** the code of the node's refusal */
  readonly refusal?: string;
}

export interface LiveListener {
  onState(state: LiveState): void;
  onConnection(connection: Connection): void;
}

/** Begins; what it returns ends it. */
export function followLive(network: Network, listener: LiveListener): () => void {
  let state = nothingYet;
  let isOver = false;
  const stops: (() => void)[] = [];
  const waiting: BlockEvent[] = [];
  let isChecking = false;
  let isDue = false;
  // Thousands of blocks come at once to who was away: the page draws what they have come to, and not each of them.
  const tell = (next: LiveState) => {
    state = next;
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      if (!isOver) listener.onState(state);
    }, DRAWN_EVERY_MS);
  };
  const checkAll = async () => {
    if (isChecking) return;
    isChecking = true;
    for (let event = waiting.pop(); event !== undefined && !isOver; event = waiting.pop()) {
      const found = await checkSeal(network, event);
      tell(noteChecked(state, event.service, event.height, found));
    }
    isChecking = false;
  };
  const onBlock = (event: BlockEvent) => {
    tell(noteBlock(state, event));
    waiting.push(event);
    if (waiting.length > WAITING_MAX) waiting.shift();
    void checkAll();
  };
  const refresh = async (): Promise<readonly ChainState[]> => {
    const chains = await askValue(chainsShape, { parameters: {} });
    tell(noteChains(state, chains));
    return chains;
  };
  const begin = async () => {
    const chains = await refresh();
    if (isOver) return;
    stops.push(
      listen("blocks", positionBefore(chains), {
        onEvent({ name, text }) {
          const value: unknown = name === "block" ? JSON.parse(text) : undefined;
          if (Check(BlockEvent, value)) onBlock(value);
        },
        onState: listener.onConnection,
      }),
      listen("violations", positionBefore(chains), {
        onEvent({ name, text }) {
          const value: unknown = name === "violation" ? JSON.parse(text) : undefined;
          if (Check(ViolationItem, value)) tell(noteViolation(state, value));
        },
        onState: () => {},
      }),
    );
    const timer = setInterval(() => void refresh().catch(() => {}), CHAINS_EVERY_MS);
    stops.push(() => clearInterval(timer));
  };
  begin().catch((error: unknown) => listener.onConnection({ isLive: false, reason: String(error) }));
  return () => {
    isOver = true;
    for (const stop of stops) stop();
  };
}

/** Whether a quorum has sealed what the event told of, and that has what the event tells. */
async function checkSeal(network: Network, event: BlockEvent) {
  const findings: Finding[] = [];
  try {
    const question = await network.question(event.service, event.height);
    for await (const finding of findingsOf(sealChecks, question)) {
      findings.push(finding);
      await question.rest();
    }
    const complaint = findings[0]?.state === "verified" ? eventComplaint(event, blockIn(question)) : undefined;
    if (complaint !== undefined) return { state: "wrong" as const, reason: complaint };
  } catch (error) {
    return { state: error instanceof WireError ? ("wrong" as const) : ("open" as const), reason: reasonOf(error) };
  }
  return { state: stateOf(findings), reason: findings.find(({ reason }) => reason !== undefined)?.reason };
}
