// What a chain remembers, in memory, for whoever replays it from its first block on without a store: of who signs, of nodes, of its
// contracts and of its settlement.

import type { Block } from "../../src/wire/block.js";
import { headerHash } from "../../src/wire/header.js";
import type { ChainTip } from "./compose.js";
import type { ChainView } from "./execution.js";
import { MemoryState } from "./memory-state.js";
import type { ReplayedBlock } from "./replay.js";
import { MemorySettlement } from "./settlement/memory-settlement.js";
import type { MeterState, OriginState } from "./state.js";

/** The hash of a record that is sealed, whatever it is: whether a fork's record differs from it is proved in the end. */
const someHash = new Uint8Array(0);

export class ChainMemory {
  readonly meters = new Map<string, MeterState>();
  readonly state = new MemoryState();
  readonly settlement = new MemorySettlement();
  readonly #origins = new Map<string, OriginState>();
  readonly #faults = new Map<string, readonly number[]>();
  readonly #credentials = new Map<string, Uint8Array>();

  /** The same at all times: it shows what is remembered at the moment. */
  readonly view: ChainView = {
    state: this.state,
    settlement: this.settlement,
    credential: (kid) => this.#credentials.get(kid),
    meter: (kid) => this.meters.get(kid),
    origin: (node) => this.#origins.get(node),
    faults: (node) => this.#faults.get(node) ?? [],
    sealedHash: (kid, seq) => {
      const meter = this.meters.get(kid);
      if (meter === undefined || seq > meter.high) return undefined;
      return meter.gaps.some(([from, to]) => seq >= from && seq <= to) ? undefined : someHash;
    },
  };

  /** Takes what a block has made of it. */
  apply({ execution, entries, settlement }: Pick<ReplayedBlock, "execution" | "entries" | "settlement">): void {
    for (const [kid, state] of execution.meters) this.meters.set(kid, state);
    for (const [node, state] of execution.origins) this.#origins.set(node, state);
    for (const [node, heights] of execution.faults) this.#faults.set(node, heights);
    for (const [kid, credential] of execution.credentials) this.#credentials.set(kid, credential);
    this.state.apply(entries);
    this.settlement.apply(settlement);
  }
}

/** What the next block stands on. */
export function tipAfter(tip: ChainTip, block: Block, { execution, nextMembers }: ReplayedBlock): ChainTip {
  const { height, header, counter, time_ms, judgedAt } = block;
  const { governance } = execution;
  const previous = headerHash(header);
  return { ...tip, height: height + 1, previous, counter, time_ms, judgedAt, governance, members: nextMembers };
}
