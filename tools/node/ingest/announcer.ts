// What the world is told of a sealed block: metrics, receipts to the meters that are connected here, and an event to subscribers.

import { equalBytes } from "../../../src/wire/bytes.js";
import { encodeSentReceipt, receiptEncoder } from "../../../src/wire/receipt.js";
import { serviceTopic } from "../../../src/wire/topics.js";
import type { BlockEvent } from "../../routes/events.js";
import { blockEvent } from "../api/events/block-event.js";
import type { SealedBlock } from "../chain/ports.js";
import type { Metrics } from "../watch/metrics.js";
import type { Introductions } from "./handovers.js";
import type { Ingest } from "./ingest.js";
import { createReceiptLinks } from "./receipt-links.js";

export interface AnnouncerPorts {
  readonly network: string;
  readonly metrics: Metrics;
  readonly introductions: Pick<Introductions, "beforeReceipt">;
  readonly ingest: Pick<Ingest, "hasSubscriber" | "publish">;
  /** Where the broker is shared, the node whose records alone get their receipts from here. */
  readonly recordsOf: Uint8Array | undefined;
  /** To the subscribers of the API. */
  broadcast(event: BlockEvent): void;
}

/** Makes what is called with each block once it is stored. */
export function createAnnouncer(ports: AnnouncerPorts): (sealed: SealedBlock) => void {
  const { metrics, introductions, ingest } = ports;
  const links = createReceiptLinks();

  /** To the meters that are connected here; over a shared broker, of the records that came here. */
  const publishReceipts = ({ block, tree, records }: SealedBlock) => {
    const encode = receiptEncoder(block, tree);
    /** by meter; absent where nobody here is to receive it */
    const topics = new Map<string, string | undefined>();
    const topicOf = (meter: string) => {
      if (topics.has(meter)) return topics.get(meter);
      const topic = serviceTopic(ports.network, block.chain, "receipt", meter);
      const wanted = ingest.hasSubscriber(topic) ? topic : undefined;
      topics.set(meter, wanted);
      if (wanted !== undefined) introductions.beforeReceipt(block.chain, meter, block.height);
      return wanted;
    };
    let leaf = 0;
    for (const batch of block.batches) {
      const mine = ports.recordsOf === undefined || equalBytes(batch.origin, ports.recordsOf);
      for (let index = 0; index < batch.records.length; index += 1) {
        leaf += 1;
        const { meter, hash } = records[leaf - 1]!;
        const topic = mine ? topicOf(meter) : undefined;
        if (topic === undefined) continue;
        const sent = encodeSentReceipt(encode(leaf, hash), links.before(block.chain, meter, block.height));
        if (ingest.publish(topic, sent)) metrics.receipts.inc();
      }
    }
    links.sealed(block.chain, block.height, block.header);
  };

  return (sealed) => {
    const { block, head } = sealed;
    const service = String(block.chain);
    metrics.sealed.inc({ service }, sealed.records.length);
    metrics.height.set({ service }, head.height);
    metrics.violations.set({ service }, head.counter);
    metrics.rounds.inc({ service }, block.certificate.round);
    publishReceipts(sealed);
    ports.broadcast(blockEvent(block));
  };
}
