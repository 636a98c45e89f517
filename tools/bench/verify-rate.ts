// The machine's Ed25519 verify rate on all cores at once: what bounds a cluster on this machine, since every node verifies every
// record.

import { availableParallelism } from "node:os";
import type { VerifierOrder } from "./verifier.js";
import { startWorker, type Worker } from "./worker.js";

export interface VerifyRate {
  /** Verifications a second, all cores together. */
  measure(seconds: number): Promise<number>;
  end(): Promise<void>;
}

/** Starts a verifier a core over records of these meters. */
export async function createVerifyRate(meters: readonly string[], service: number): Promise<VerifyRate> {
  const verifiers: Worker<VerifierOrder, number>[] = Array.from({ length: availableParallelism() }, () =>
    startWorker("verifier"),
  );
  await Promise.all(verifiers.map((verifier) => verifier.ask({ order: "prepare", meters, service })));
  return {
    async measure(seconds) {
      const rates = await Promise.all(verifiers.map((verifier) => verifier.ask({ order: "verify", seconds })));
      return rates.reduce((sum, rate) => sum + rate, 0);
    },
    async end() {
      await Promise.all(verifiers.map((verifier) => verifier.end()));
    },
  };
}
