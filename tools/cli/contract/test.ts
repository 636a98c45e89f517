// `gridseal contract test`: runs a contract's vectors offline, in the engine that nodes run it in.

import type { Command } from "commander";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { GridsealError } from "../../errors.js";
import { encodeOutcome, failures, type Outcome } from "../../ledger/outcome.js";
import { openSandbox, type Sandbox } from "../../node/contracts/sandbox.js";
import { pairs, printLines, table, toJson } from "../../terminal/output.js";
import { type Bundle, bundleContract } from "./bundle.js";
import { expectation, outcomeView, readVectors, type Vector, vectorsPathOf } from "./vectors.js";

interface TestOptions {
  readonly vectors?: string;
  readonly json?: true;
}

interface Tried {
  readonly vector: Vector;
  readonly outcome: Outcome;
  readonly verdict: "good" | "differs" | "unstated";
}

export function registerTest(contract: Command): void {
  contract
    .command("test")
    .description("run a contract's vectors in the engine, offline")
    .argument("<file>", "the contract's source")
    .option("--vectors <file>", "its vectors; FILE.vectors.json where absent")
    .option("--json", "print JSON")
    .action(test);
}

async function test(file: string, options: TestOptions): Promise<void> {
  const path = vectorsPathOf(file, options.vectors);
  const { bundle, tried, complaint } = await testContract(file, path);
  printLines(options.json ? [toJson(viewOf(bundle, tried))] : linesOf(bundle, tried));
  if (complaint !== undefined) throw new GridsealError("CONTRACT_FAILED", complaint);
}

/** A contract with its vectors run, and what is wrong with the first that is not good. */
export async function testContract(
  file: string,
  path: string,
): Promise<{ readonly bundle: Bundle; readonly tried: readonly Tried[]; readonly complaint: string | undefined }> {
  const vectors = await readVectors(path);
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

function viewOf({ hash, bytes }: Bundle, tried: readonly Tried[]) {
  return {
    source: hash,
    bytes,
    vectors: tried.map(({ vector, outcome, verdict }) => ({
      name: vector.name,
      verdict,
      used: outcome.used,
      ...outcomeView(outcome),
      ...(outcome.type === "failed" && { detail: outcome.detail }),
    })),
  };
}

function linesOf({ hash, bytes }: Bundle, tried: readonly Tried[]): string[] {
  const rows = tried.map(({ vector, outcome, verdict }) => [
    vector.name,
    verdict,
    outcome.type === "done" ? "done" : outcome.reason,
    outcome.used,
    outcome.type === "done" ? outcome.writes.length : 0,
    outcome.type === "done" ? outcome.emissions.length : 0,
  ]);
  const details = tried.flatMap(({ vector, outcome, verdict }) => {
    const failed = outcome.type === "failed" ? [`  ${failures[outcome.reason]}: ${outcome.detail}`] : [];
    const expected = verdict === "differs" ? [`  expected ${vector.expect}`] : [];
    return ["", `${vector.name}:`, ...failed, ...expected, `  came to  ${expectation(outcome)}`];
  });
  return [
    ...pairs([
      ["source", toHex(hash)],
      ["bytes", bytes],
    ]),
    "",
    ...table(["vector", "verdict", "outcome", "used", "writes", "emissions"], rows),
    ...details,
  ];
}
