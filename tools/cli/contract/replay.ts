// `gridseal contract replay`: runs the contracts of a sealed block again, in the state that the blocks before it come to here, and holds
// what they come to against what is sealed. All of the chain up to there is audited on the way: no node keeps an earlier state.

import type { Command } from "commander";
import { decodeBlock } from "../../../src/wire/block.js";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { entryText } from "../../../src/wire/entry.js";
import { type EntryOutcome, outcomesIn } from "../../../src/wire/outcome.js";
import { auditNetwork } from "../../audit/network.js";
import { callText } from "../../contracts/call-text.js";
import { createEngine } from "../../contracts/engine.js";
import { heldRuns, kindOf, type ReplayedRun, replayedRuns, runTraced } from "../../contracts/replayed-runs.js";
import { GridsealError } from "../../errors.js";
import { chainNamed, readGenesisFile } from "../../files/genesis-file.js";
import { failures, type RunResult } from "../../ledger/outcome.js";
import type { RunPlan } from "../../ledger/run-plan.js";
import { createChainContracts } from "../../node/contracts/node-contracts.js";
import { readEngine } from "../../node/contracts/sandbox.js";
import { expectation } from "../../provisioning/contracts/vectors.js";
import { openFileSource, serviceOfFile } from "../../sources/file.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { whole, withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { lackErrors } from "../chain/audit.js";
import { entryShown } from "../entry-shown.js";

interface ReplayOptions extends SourceOptions {
  readonly service: string;
  readonly trace?: true;
  readonly json?: true;
}

type BlocksFrom = (service: number) => (() => AsyncIterable<Uint8Array>) | undefined;

export function registerReplay(contract: Command): void {
  withNode(
    contract
      .command("replay")
      .description("run a sealed block's contracts again, and hold what they come to against what is sealed")
      .argument("<height>", "the block", whole(1, HEIGHT_MAX))
      .argument("[files...]", "exported chains, *contracts* among them; instead of --api or --data"),
  )
    .requiredOption("--service <name>", "name or number of the chain's service")
    .option("--trace", "print each call of a contract, with the budget that is used by then")
    .option("--json", "print JSON")
    .action(replay);
}

async function replay(height: number, files: readonly string[], options: ReplayOptions): Promise<void> {
  if (options.genesis === undefined) throw new GridsealError("USAGE", "name the genesis with --genesis");
  const { genesis } = await readGenesisFile(options.genesis);
  if (files.length > 0) {
    const paths = new Map<number, string>();
    for (const file of files) paths.set(await serviceOfFile(file), file);
    const { service } = chainNamed(genesis, options.service);
    const open: BlocksFrom = (of) => {
      const path = paths.get(of);
      return path === undefined ? undefined : () => openFileSource(path).blocks(of, 1);
    };
    return replayOf(genesis, { service, height, open }, options);
  }
  await withNodeSource(options, async (source) => {
    const known = (await source.chains()).find(
      ({ service, name }) => name === options.service || String(service) === options.service,
    );
    const service = known?.service ?? chainNamed(genesis, options.service).service;
    await replayOf(genesis, { service, height, open: (of) => () => source.blocks(of, 1) }, options);
  });
}

interface Place {
  readonly service: number;
  readonly height: number;
  readonly open: BlocksFrom;
}

async function replayOf(
  genesis: Parameters<typeof auditNetwork>[0],
  { service, height, open }: Place,
  options: ReplayOptions,
): Promise<void> {
  const contracts = createChainContracts();
  let sealed: Uint8Array | undefined;
  let runs: readonly ReplayedRun[] = [];
  /** of the chain that is being gone over */
  let current = 0;
  const upTo = (of: number) => {
    const blocks = open(of);
    if (blocks === undefined) return undefined;
    return async function* () {
      current = of;
      let at = 0;
      for await (const bytes of blocks()) {
        at += 1;
        if (of === service && at === height) sealed = Uint8Array.from(bytes);
        yield bytes;
        if (of === service && at === height) return;
      }
    };
  };
  const run = async (plan: RunPlan): Promise<readonly RunResult[]> => {
    if (current !== service || plan.height !== height) return contracts.run(plan);
    const ran = options.trace
      ? await runTraced(await createEngine(await readEngine()), plan)
      : { outcomes: await contracts.run(plan), calls: [] };
    runs = replayedRuns(plan, ran);
    return ran.outcomes;
  };
  try {
    const reports = await auditNetwork(genesis, { open: upTo, runContracts: run }, [service]);
    const problem = reports.find(({ firstProblem }) => firstProblem !== undefined);
    const report = reports.find((one) => one.service === service);
    const isReached = sealed !== undefined && (report?.height === height || report?.firstProblem?.height === height);
    const outcomes = sealed === undefined ? [] : outcomesIn(decodeBlock(sealed).results);
    if (isReached) print(outcomes, runs, { height, name: report!.name, json: options.json === true });
    if (problem?.firstProblem !== undefined) {
      const { height: at, what, lacks } = problem.firstProblem;
      if (lacks !== undefined) {
        throw new GridsealError(lackErrors[lacks], `INCOMPLETE at block ${at} of ${problem.name}: ${what}`);
      }
      throw new GridsealError("CHAIN_INVALID", `chain ${problem.name} does not follow at block ${at}: ${what}`);
    }
    if (!isReached) throw new GridsealError("NOT_FOUND", `chain ${options.service} has no block ${height} here`);
  } finally {
    await contracts.close();
  }
}

interface Shown {
  readonly height: number;
  readonly name: string;
  readonly json: boolean;
}

function print(outcomes: readonly EntryOutcome[], runs: readonly ReplayedRun[], { height, name, json }: Shown): void {
  const rows = heldRuns(outcomes, runs);
  if (json) {
    const shown = rows.map(({ contract, entry, outcome, calls, sealed, isSame: same }) => ({
      ...{ contract, entry: sealed === undefined ? entry : entryText(sealed.entry), used: outcome.used, same },
      outcome: JSON.parse(expectation(outcome)) as unknown,
      calls: calls.map((call) => ({ used: call.used, call: callText(call) })),
    }));
    printLines([toJson({ name, height, runs: shown })]);
    return;
  }
  printLines([`block ${height} of ${name}: ${runs.length === 0 ? "no contract runs for it" : `${runs.length} runs`}`]);
  for (const { contract, entry, outcome, calls, sealed, isSame: same } of rows) {
    const what = outcome.type === "failed" ? `failed: ${failures[outcome.reason]}` : kindOf(outcome);
    const of = entryShown(sealed === undefined ? entry : entryText(sealed.entry));
    const verdict = same ? "as sealed" : `DIFFERS: sealed is ${sealed?.type ?? "nothing"}`;
    printLines([
      "",
      `${of}  ${contract}  ${what}  used ${outcome.used}  ${verdict}`,
      ...calls.map((call) => `${String(call.used).padStart(8)}  ${callText(call)}`),
      ...(outcome.type === "failed" ? [`          ${outcome.detail}`] : []),
      ...(same ? [] : [`  came to  ${expectation(outcome)}`]),
    ]);
  }
}
