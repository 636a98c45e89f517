// `gridseal contract test`: runs a contract's vectors offline, in the engine that nodes run it in.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { GridsealError } from "../../errors.js";
import { failures } from "../../ledger/outcome.js";
import type { Bundle } from "../../provisioning/contracts/bundle.js";
import { type Tried, testContract } from "../../provisioning/contracts/trying.js";
import { expectation, outcomeView, vectorsPathOf } from "../../provisioning/contracts/vectors.js";
import { pairs, printLines, table, toJson } from "../../terminal/output.js";

interface TestOptions {
  readonly vectors?: string;
  readonly json?: true;
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
  if (complaint === undefined && !options.json)
    printLines(["", `next: gridseal contract ready ${file} --node CONFIG ...`]);
  if (complaint !== undefined) throw new GridsealError("CONTRACT_FAILED", complaint);
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
    ...table(["VECTOR", "VERDICT", "OUTCOME", "USED", "WRITES", "EMISSIONS"], rows),
    ...details,
  ];
}
