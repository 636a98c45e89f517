// A contract's vectors run offline, in the engine that nodes run it in, as its author does and whoever says READY to it.

import { equalBytes } from "../../../src/wire/bytes.js";
import { defaultLimits, type Limits } from "../../contracts/limits.js";
import { GridsealError } from "../../errors.js";
import { encodeOutcome, type Outcome } from "../../ledger/outcome.js";
import { openSandbox, type Sandbox } from "../../node/contracts/sandbox.js";
import { type Bundle, bundleContract } from "./bundle.js";
import { expectation, readVectors, type Vector } from "./vectors.js";

export interface Tried {
  readonly vector: Vector;
  readonly outcome: Outcome;
  readonly verdict: "good" | "differs" | "unstated";
}

/**
 * A contract with its vectors run, and what is wrong with the first that is not good. A vector that states no limits has those given.
 */
export async function testContract(
  file: string,
  path: string,
  limits: Limits = defaultLimits,
): Promise<{ readonly bundle: Bundle; readonly tried: readonly Tried[]; readonly complaint: string | undefined }> {
  const vectors = await readVectors(path, limits);
  const bundle = await bundleContract(file);
  const sandbox = await openSandbox();
  const tried: Tried[] = [];
  try {
    for (const vector of vectors) tried.push(await tryVector(sandbox, bundle, vector));
  } finally {
    await sandbox.close();
  }
  const bad = tried.find(({ verdict }) => verdict !== "good");
  if (bad === undefined) return { bundle, tried, complaint: undefined };
  const what = bad.verdict === "unstated" ? "says not what it expects" : "comes to something else than it expects";
  return { bundle, tried, complaint: `${path}: vector ${JSON.stringify(bad.vector.name)} ${what}` };
}

/** Each vector runs twice: what differs between the two would differ between nodes. */
async function tryVector(sandbox: Sandbox, { source }: Bundle, vector: Vector): Promise<Tried> {
  const run = { ...vector.run, source };
  const outcome = await sandbox.run(run);
  const again = await sandbox.run(run);
  if (!equalBytes(encodeOutcome(outcome), encodeOutcome(again))) {
    throw new GridsealError("INVARIANT_VIOLATED", `vector ${vector.name} came to two different outcomes`);
  }
  if (vector.expect === undefined) return { vector, outcome, verdict: "unstated" };
  return { vector, outcome, verdict: vector.expect === expectation(outcome) ? "good" : "differs" };
}
