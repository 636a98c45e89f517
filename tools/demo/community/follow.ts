// Shows the story what sealed blocks of its chains have put out, and tells of it; asks the nodes in turn.

import { decodeBlock } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { outcomesIn } from "../../../src/wire/outcome.js";
import { decodeOutput, type Value } from "../../../src/wire/value.js";
import { GridsealError } from "../../errors.js";
import { CONTRACTS_SERVICE } from "../../ledger/governance.js";
import { violationName } from "../../ledger/violation-place.js";
import { decodeResults } from "../../ledger/violations.js";
import { chains } from "../../market/messages.js";
import type { ReceiptSource } from "../../sources/source.js";
import type { Seen } from "./asked.js";
import { ORDERS } from "./contracts.js";
import { note, type Story } from "./story.js";
import { lineOf } from "./words.js";

const services: readonly number[] = [...Object.values(chains), CONTRACTS_SERVICE];

export interface Followed {
  readonly story: Story;
  readonly sources: readonly ReceiptSource[];
  /** UTC milliseconds: what was sealed before is no news */
  readonly since_ms: number;
  tell(lines: readonly string[]): void;
}

/** Reads on from where it stopped each time it is called. A node that is down is passed over. */
export function createFollower({ story, sources, since_ms, tell }: Followed): () => Promise<void> {
  const heights = new Map<number, number>();
  let turn = 0;
  const read = async (source: ReceiptSource) => {
    if (!story.isReady) story.isReady = (await ordersOf(source)) >= ORDERS;
    for (const { service, height } of await source.chains()) {
      if (service === CONTRACTS_SERVICE) {
        story.incidents.contractsHeight = height;
        // Its first blocks are orders with their sources.
        if (!story.isReady || !heights.has(service)) heights.set(service, height);
      }
      const from = (heights.get(service) ?? 0) + 1;
      if (!services.includes(service) || height < from) continue;
      for await (const bytes of source.blocks(service, from)) {
        const { time_ms, seen, height: at } = seenIn(bytes);
        const lines = seen.flatMap(({ violation, ...each }) => {
          // What was said before this run is answered.
          const isNew = violation !== undefined && time_ms >= since_ms;
          note(story, isNew ? { ...each, violation } : each);
          const elapsed_s = Math.max(0, Math.round((time_ms - since_ms) / 1_000));
          return time_ms < since_ms ? [] : (lineOf(each, story.cast, elapsed_s) ?? []);
        });
        heights.set(service, at);
        if (lines.length > 0) tell(lines);
      }
    }
  };
  return async () => {
    turn += 1;
    try {
      await read(sources[turn % sources.length]!);
    } catch (error) {
      if (!(error instanceof GridsealError && error.code === "NODE_UNREACHABLE")) throw error;
    }
  };
}

async function ordersOf(source: ReceiptSource): Promise<number> {
  let count = 0;
  for await (const _ of source.orders()) count += 1;
  return count;
}

/** What a block's contracts have put out: effects, violations and denials. */
function seenIn(bytes: Uint8Array): {
  readonly time_ms: number;
  readonly height: number;
  readonly seen: readonly Seen[];
} {
  const block = decodeBlock(bytes);
  const { chain: service, height, time_ms } = block;
  const said = outcomesIn(block.results).flatMap((outcome): Seen[] => {
    if (!("contract" in outcome)) return [];
    const { contract } = outcome;
    const effects = "effects" in outcome ? outcome.effects.filter(({ to }) => to === undefined) : [];
    const denials = "denials" in outcome ? outcome.denials : [];
    return [
      ...effects.map(({ name, body }) => ({ service, contract, name, body: decodeOutput(body) })),
      ...denials.map(({ rule, body }) => ({ service, contract, name: rule, body: { subject: decodeOutput(body) } })),
    ];
  });
  const violations = decodeResults(block.results).violations.flatMap((violation, index): Seen[] => {
    if (violation.kind !== "contract") return [];
    const { contract, name, body, subject } = violation;
    const stated = decodeOutput(body) as { readonly [field: string]: Value };
    const told = { service, contract, name, body: { ...stated, subject: toHex(subject) } };
    return [{ ...told, violation: violationName({ service, height, index }) }];
  });
  return { time_ms, height, seen: [...said, ...violations] };
}
