// What the demo counts, pure: every record that a meter has published, until its receipt has been
// verified here as well as on the meter. At the end it counts what the chains hold of them.

import type { Block } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import type { Verify } from "../../src/wire/key.js";
import { parseAnyRecord } from "../../src/wire/operation.js";
import { decodeSentReceipt, verifyReceipt } from "../../src/wire/receipt.js";
import { parseTopic } from "../../src/wire/topics.js";

/** Latencies kept for the percentiles; of more, the newest. */
const LATENCIES_MAX = 100_000;

export interface Totals {
  readonly published: number;
  readonly sealed: number;
  readonly verified: number;
  readonly lost: number;
  /**
   * not found, where the blocks of a chain could not be had: whether they are sealed nobody has
   * said
   */
  readonly unasked: number;
  readonly duplicated: number;
}

export interface Tally {
  /** Notes an MQTT message of a meter. */
  note(direction: "published" | "received", topic: string, payload: Uint8Array, now_ms: number): void;
  readonly published: number;
  readonly verified: number;
  /** receipts that did not verify */
  readonly wrong: number;
  /** records without a verified receipt */
  readonly open: number;
  latency_ms(percentile: number): number;
  /**
   * Takes the blocks of all chains; gives the totals of what was published since the start.
   * `isWhole` says at the end whether all came.
   */
  reconcile(blocks: AsyncIterable<Block>, isWhole: () => boolean): Promise<Totals>;
}

export function createTally(genesis: Genesis, verify: Verify): Tally {
  /** by record hash as hex: when first published, or undefined once its receipt is verified */
  const records = new Map<string, number | undefined>();
  const latencies: number[] = [];
  let verified = 0;
  let wrong = 0;

  const notePublished = (payload: Uint8Array, now_ms: number) => {
    const hash = toHex(parseAnyRecord(payload).hash);
    if (!records.has(hash)) records.set(hash, now_ms);
  };

  const noteReceipt = (payload: Uint8Array, now_ms: number) => {
    const { receipt } = decodeSentReceipt(payload);
    verifyReceipt(receipt, genesis, verify);
    const hash = toHex(receipt.recordHash);
    const published_ms = records.get(hash);
    if (published_ms === undefined) return;
    records.set(hash, undefined);
    verified += 1;
    latencies.push(now_ms - published_ms);
    if (latencies.length > LATENCIES_MAX) latencies.shift();
  };

  return {
    note(direction, topic, payload, now_ms) {
      const kind = parseTopic(topic)?.kind;
      try {
        if (direction === "published" && kind === "record") notePublished(payload, now_ms);
        else if (direction === "received" && kind === "receipt") noteReceipt(payload, now_ms);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        wrong += 1;
      }
    },
    get published() {
      return records.size;
    },
    get verified() {
      return verified;
    },
    get wrong() {
      return wrong;
    },
    get open() {
      return records.size - verified;
    },
    latency_ms(percentile) {
      const sorted = [...latencies].sort((left, right) => left - right);
      const rank = Math.ceil((percentile / 100) * sorted.length);
      return Math.round(sorted[Math.max(0, rank - 1)] ?? 0);
    },
    async reconcile(blocks, isWhole) {
      const seen = new Set<string>();
      let sealed = 0;
      let duplicated = 0;
      for await (const block of blocks) {
        for (const bytes of block.batches.flatMap((batch) => batch.records)) {
          const record = parseAnyRecord(bytes);
          const place = `${block.chain}/${toHex(record.kid)}/${record.claims.seq}`;
          if (seen.has(place)) duplicated += 1;
          else if (records.has(toHex(record.hash))) sealed += 1;
          seen.add(place);
        }
      }
      const missing = records.size - sealed;
      const [lost, unasked] = isWhole() ? [missing, 0] : [0, missing];
      return { published: records.size, sealed, verified, lost, unasked, duplicated };
    },
  };
}
