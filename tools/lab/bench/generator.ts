// The load generator's process: meters with their records, a connection each to its node, and the
// phases of the load.

import { verifyGenesis } from "../../../src/wire/genesis.js";
import { decodeSentReceipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { type LoadConnection, openLoadConnection } from "../rig/load-connection.js";
import { type MeterPlan, type PreparedMeter, prepareMeter, prepareParticipant } from "../rig/prepared-meter.js";
import { createLoad, type LoadTotals, type PhaseResult, type SampledReceipt } from "./load.js";
import { serveOrders } from "./worker.js";

export type GeneratorOrder =
  | { readonly order: "prepare"; readonly meters: readonly GeneratedMeter[] }
  | { readonly order: "connect"; readonly host: string }
  | { readonly order: "saturate"; readonly window: number; readonly warmup_s: number; readonly seconds: number }
  | { readonly order: "pace"; readonly rate_per_s: number; readonly warmup_s: number; readonly seconds: number }
  | { readonly order: "drain"; readonly seconds: number }
  | { readonly order: "check"; readonly genesis: Uint8Array };

export interface GeneratedMeter extends MeterPlan {
  readonly port: number;
  /** the folder is a participant's, whose records are operations */
  readonly asks: boolean;
}

export interface Preparation {
  /** mean size of a signed record */
  readonly record_bytes: number;
}

export interface LoadCheck extends LoadTotals {
  /** receipts verified in full, with the genesis alone */
  readonly verified: number;
}

export type GeneratorAnswer = Preparation | PhaseResult | LoadCheck | boolean;

/** Connections that are opened at one time. */
const OPENING_MAX = 25;

const load = createLoad();
let prepared: readonly { readonly meter: PreparedMeter; readonly port: number }[] = [];

serveOrders<GeneratorOrder>(async (order) => {
  switch (order.order) {
    case "prepare":
      prepared = await Promise.all(order.meters.map(prepare));
      return { record_bytes: meanRecordBytes() } satisfies Preparation;
    case "connect":
      load.begin(await connectAll(order.host));
      return true;
    case "saturate":
      return load.saturate(order.window, order.warmup_s, order.seconds);
    case "pace":
      return load.pace(order.rate_per_s, order.warmup_s, order.seconds);
    case "drain":
      return load.drain(order.seconds);
    case "check":
      return { ...load.totals(), verified: verifySamples(order.genesis) } satisfies LoadCheck;
  }
});

async function prepare(plan: GeneratedMeter) {
  return { meter: plan.asks ? await prepareParticipant(plan) : prepareMeter(plan), port: plan.port };
}

function meanRecordBytes(): number {
  const bytes = prepared.reduce((sum, { meter }) => sum + meter.record_bytes, 0);
  return bytes / prepared.reduce((sum, { meter }) => sum + meter.count, 0);
}

async function connectAll(host: string): Promise<LoadConnection[]> {
  const connections: LoadConnection[] = [];
  for (let first = 0; first < prepared.length; first += OPENING_MAX) {
    const opening = prepared
      .slice(first, first + OPENING_MAX)
      .map(({ meter, port }) => openLoadConnection(meter, { host, port }, load.events));
    connections.push(...(await Promise.all(opening)));
  }
  return connections;
}

/** Throws a WireError where a sampled receipt does not prove its record. */
function verifySamples(genesisBytes: Uint8Array): number {
  const genesis = verifyGenesis(genesisBytes, nodeVerify);
  for (const { connection, index, bytes } of load.samples satisfies readonly SampledReceipt[]) {
    const { receipt } = decodeSentReceipt(bytes);
    if (!connection.prepared.hashOf(index).equals(receipt.recordHash))
      throw new Error("a receipt is of another record");
    verifyReceipt(receipt, genesis, nodeVerify);
  }
  return load.samples.length;
}
