// The machine's Ed25519 verify rate on all cores at once: what bounds a cluster on this machine,
// since some of its nodes verify every record.

import { availableParallelism } from "node:os";
import type { VerifierOrder, VerifierResult } from "./verifier.js";
import { startWorker, type Worker } from "./worker.js";

export interface VerifyRate {
  /** Verifications a second of all cores together, and the mean CPU time of one thousand. */
  measure(seconds: number): Promise<VerifierResult>;
  end(): Promise<void>;
}

/** Starts a verifier a core over records of these meters. */
export async function createVerifyRate(meters: readonly string[], service: number): Promise<VerifyRate> {
  const verifiers: Worker<VerifierOrder, VerifierResult>[] = Array.from({ length: availableParallelism() }, () =>
    startWorker("verifier"),
  );
  await Promise.all(verifiers.map((verifier) => verifier.ask({ order: "prepare", meters, service })));
  return {
    async measure(seconds) {
      const results = await Promise.all(verifiers.map((verifier) => verifier.ask({ order: "verify", seconds })));
      const sum = (name: keyof VerifierResult) => results.reduce((total, result) => total + result[name], 0);
      return { per_s: sum("per_s"), cpu_s_per_1000: sum("cpu_s_per_1000") / results.length };
    },
    async end() {
      await Promise.all(verifiers.map((verifier) => verifier.end()));
    },
  };
}
