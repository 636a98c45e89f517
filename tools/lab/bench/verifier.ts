// A worker that verifies records' signatures as fast as one core does: node:crypto's Ed25519, one
// after another.

import { parseRecord } from "../../../src/wire/record.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { readLoadMeter, signedRecords } from "../rig/records.js";
import { serveOrders } from "./worker.js";

export type VerifierOrder =
  | { readonly order: "prepare"; readonly meters: readonly string[]; readonly service: number }
  | { readonly order: "verify"; readonly seconds: number };

export interface VerifierResult {
  readonly per_s: number;
  /** CPU time of 1000 verifications */
  readonly cpu_s_per_1000: number;
}

const RECORDS_PER_METER = 50;
/** Signatures between two looks at the clock. */
const BURST = 64;

const prepared: {
  readonly key: Parameters<typeof nodeVerify>[0];
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}[] = [];

serveOrders<VerifierOrder>(async (order) => {
  if (order.order === "verify") return verifyFor(order.seconds);
  for (const folder of order.meters) {
    const meter = readLoadMeter(folder);
    for (const bytes of signedRecords(meter, order.service, RECORDS_PER_METER, 0)) {
      const { signedBytes, signature } = parseRecord(bytes);
      prepared.push({ key: meter.signer.key, message: signedBytes, signature });
    }
  }
  return verifyFor(0.2); // imports the keys and warms the code
});

function verifyFor(seconds: number): VerifierResult {
  const usage = process.cpuUsage();
  const started_ms = performance.now();
  let verified = 0;
  let elapsed_ms = 0;
  while (elapsed_ms < seconds * 1000) {
    for (let index = 0; index < BURST; index += 1) {
      const { key, message, signature } = prepared[(verified + index) % prepared.length]!;
      if (!nodeVerify(key, message, signature)) throw new Error("a prepared record does not verify");
    }
    verified += BURST;
    elapsed_ms = performance.now() - started_ms;
  }
  const { user, system } = process.cpuUsage(usage);
  return { per_s: verified / (elapsed_ms / 1000), cpu_s_per_1000: (user + system) / 1000 / verified };
}
