// A worker that stores records at another system as a Gridseal node takes them. Each is verified
// once, where that is asked for, then stored under a key of its own. It counts when the system has answered that it is
// stored.

import type { PublicKey } from "../../../src/wire/key.js";
import { parseRecord, type Record } from "../../../src/wire/record.js";
import { verifyAsync } from "../../crypto/verifying.js";
import { readLoadMeter, signedRecords } from "../rig/records.js";
import { openEtcd } from "./etcd-client.js";
import { openJetStream } from "./jetstream-client.js";
import type { PeerConnection } from "./peer-connection.js";
import { type LatencySummary, summarise } from "./quantile.js";
import { serveOrders } from "./worker.js";

export type PeerName = "etcd" | "jetstream";

export type PeerOrder =
  | { readonly order: "prepare"; readonly meters: readonly string[]; readonly service: number }
  | {
      readonly order: "store";
      readonly peer: PeerName;
      readonly isVerified: boolean;
      readonly ports: readonly number[];
      readonly inFlight: number;
      readonly warmup_s: number;
      readonly seconds: number;
    };

export interface PeerResult extends LatencySummary {
  readonly records: number;
  readonly seconds: number;
  readonly records_per_s: number;
  /** stores that were not answered in time; they do not count */
  readonly unanswered: number;
}

const RECORDS_PER_METER = 50;

const prepared: { readonly bytes: Uint8Array; readonly record: Record; readonly key: PublicKey }[] = [];

serveOrders<PeerOrder>(async (order) => {
  if (order.order === "store") return storeFor(order);
  for (const folder of order.meters) {
    const meter = readLoadMeter(folder);
    for (const bytes of signedRecords(meter, order.service, RECORDS_PER_METER, 0)) {
      prepared.push({ bytes, record: parseRecord(bytes), key: meter.signer.key });
    }
  }
  return prepared.length;
});

async function storeFor(order: Extract<PeerOrder, { order: "store" }>): Promise<PeerResult> {
  const open = order.peer === "etcd" ? openEtcd : openJetStream;
  const connections = await Promise.all(order.ports.map(open));
  const from_ms = performance.now() + order.warmup_s * 1000;
  const to_ms = from_ms + order.seconds * 1000;
  const latencies_ms: number[] = [];
  let next = 0;
  let unanswered = 0;
  const keepStoring = async (connection: PeerConnection) => {
    for (let start_ms = performance.now(); start_ms < to_ms; start_ms = performance.now()) {
      const number = next;
      next += 1;
      const { bytes, record, key } = prepared[number % prepared.length]!;
      const isGood = !order.isVerified || (await verifyAsync(key, record.signedBytes, record.signature));
      if (!isGood) throw new Error("a record does not verify");
      if (!(await connection.store(`r${number}`, bytes))) {
        unanswered += 1;
        continue;
      }
      const now_ms = performance.now();
      if (now_ms >= from_ms && now_ms < to_ms) latencies_ms.push(now_ms - start_ms);
    }
  };
  try {
    const lanes = Array.from({ length: order.inFlight }, (_, lane) =>
      keepStoring(connections[lane % connections.length]!),
    );
    await Promise.all(lanes);
  } finally {
    for (const connection of connections) connection.close();
  }
  const records = latencies_ms.length;
  const summary = summarise(Float64Array.from(latencies_ms));
  return { records, seconds: order.seconds, records_per_s: records / order.seconds, unanswered, ...summary };
}
