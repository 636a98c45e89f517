// This node as original node: takes admitted records, durable one by one, and cuts them into temporary blocks.

import { toHex } from "../../../src/wire/bytes.js";
import { parseRecord, type Record } from "../../../src/wire/record.js";
import { assertInvariant } from "../../errors.js";
import { makeBatch } from "./compose.js";
import type { Exchange } from "./exchange.js";
import { createGather } from "./gather.js";
import type { Pool } from "./pool.js";
import type { ChainPorts } from "./ports.js";
import type { SealedBlock } from "./sealer.js";
import { viewOf } from "./view.js";

/** This node's own temporary blocks under way; half of what every node holds of it, so that none is ever turned away. */
const OWN_BATCHES_MAX = 32;

/** `admitted`: taken · `waiting`: taken before · `busy`: not taken, to be offered again. */
export type Admission = "admitted" | "waiting" | "busy";
/** What is known of a record before anything is checked with cost; `other`: another one with its number. */
export type Knowledge = "sealed" | "waiting" | "other" | "none";

export interface Origin {
  readonly pending: number;
  known(record: Record): Knowledge;
  /** Takes a checked record; resolves when it is durable. */
  admit(record: Record, disclosures: Uint8Array | undefined): Promise<Admission>;
  isWaiting(kid: Uint8Array, seq: number): boolean;
  /** Takes back what was on disk when the node stopped; the exchange has restored the pool before. */
  restore(): void;
  /** Lets go of what the block sealed, and cuts again where the pool has room now. */
  onSealed(sealed: SealedBlock): void;
}

export function createOrigin(ports: ChainPorts, pool: Pool, exchange: Exchange, isStopped: () => boolean): Origin {
  const { genesis, store } = ports;
  const service = ports.chain.service;
  const view = viewOf(store, service);
  const gather = createGather(ports.batch.records_max);
  let nextNumber = firstFreeNumber(ports);
  /** Of the newest admission: writes become durable in their order. */
  let written: Promise<void> = Promise.resolve();

  const scheduleCut = () => ports.setTimer("cut", ports.batch.interval_ms, () => void cut());

  const chainKnows = (record: Record): "sealed" | "other" | "none" => {
    const hash = view.sealedHash(toHex(record.kid), record.claims.seq);
    if (hash === undefined) return "none";
    return toHex(hash) === toHex(record.hash) ? "sealed" : "other";
  };

  const hasRoom = () => pool.readsOf(ports.self.id).length < OWN_BATCHES_MAX;

  /** Makes a temporary block of what waits; the rest stays durable as single records until the pool has room. */
  const cut = async () => {
    if (isStopped() || gather.pending === 0 || !hasRoom()) return;
    const taken = gather.cut();
    // What another node has brought onto the chain meanwhile falls out here, a fork does not.
    const records = taken.filter((record) => chainKnows(record) !== "sealed");
    const read = records.length === 0 ? undefined : batchOf(records);
    try {
      await store.write((writer) => {
        if (read !== undefined) writer.putBatch(service, { ...read.batch, bytes: read.bytes });
        for (const record of taken) writer.deleteAdmitted(service, record.kid, record.claims.seq);
      });
    } catch (error) {
      ports.onFatal(error);
      return;
    }
    for (const record of taken) if (!records.includes(record)) gather.forget(record.kid, record.claims.seq);
    if (read !== undefined) exchange.publish(read);
    if (gather.pending > 0) scheduleCut();
  };

  const batchOf = (records: readonly Record[]) => {
    const number = nextNumber;
    nextNumber += 1;
    const batch = {
      chain: service,
      origin: ports.self.id,
      number,
      credentials: newCredentials(records),
      records: records.map((record) => record.stripped),
    };
    return makeBatch(genesis.hash, batch, records, (bytes) => ports.signer.sign(bytes));
  };

  const newCredentials = (records: readonly Record[]): Uint8Array[] => {
    const credentials = new Map<string, Uint8Array>();
    for (const { kid } of records) {
      const id = toHex(kid);
      if (credentials.has(id) || store.credential(service, kid) !== undefined) continue;
      const shown = store.credential(0, kid);
      assertInvariant(shown !== undefined, `meter ${id} has shown its credential before its record was admitted`);
      credentials.set(id, shown);
    }
    return [...credentials.values()];
  };

  return {
    get pending() {
      return gather.pending;
    },
    known(record) {
      const waiting = gather.waiting(record);
      if (waiting !== "none") return waiting === "same" ? "waiting" : "other";
      return chainKnows(record);
    },
    async admit(record, disclosures) {
      const waiting = gather.waiting(record);
      if (waiting === "same") {
        await written;
        return "waiting";
      }
      // Another record with this number waits: the meter says it again, and when that one is sealed this one proves the fork.
      if (waiting === "other" || !gather.hasRoom || isStopped()) return "busy";
      const first = gather.pending === 0;
      const full = gather.add(record);
      const { kid } = record;
      const { seq } = record.claims;
      written = store.write((writer) => {
        writer.putAdmitted(service, kid, seq, record.stripped);
        if (disclosures !== undefined) writer.putDisclosures(service, kid, seq, disclosures);
      });
      await written;
      if (full) void cut();
      else if (first) scheduleCut();
      return "admitted";
    },
    isWaiting: (kid, seq) => gather.isWaiting(kid, seq),
    restore() {
      for (const read of pool.readsOf(ports.self.id)) for (const record of read.records) gather.note(record);
      for (const bytes of store.admitted(service)) gather.add(parseRecord(bytes));
      if (gather.pending > 0) scheduleCut();
    },
    onSealed({ block, records }) {
      for (const { id } of block.batches) {
        for (const record of pool.find(id)?.records ?? []) gather.forget(record.kid, record.claims.seq);
      }
      for (const record of records) gather.forget(record.kid, record.seq);
      if (gather.pending > 0) scheduleCut();
    },
  };
}

/** Above all numbers that this node has used on the chain, sealed or waiting. */
function firstFreeNumber({ store, chain, self }: ChainPorts): number {
  const sealed = store.origin(chain.service, self.id);
  const own = store.batches(chain.service).filter((stored) => toHex(stored.origin) === toHex(self.id));
  const used = [...(sealed?.beyond ?? []), ...own.map((stored) => stored.number)];
  return Math.max(sealed?.next ?? 0, ...used.map((number) => number + 1));
}
