// npm run simulate: runs seeds, replays one, or shows that every mutant is caught. --seeds A..B
// (stops at the first that fails), --seed S --trace, --mutants [--seeds A..B] [--only NAME], --catches [--seeds A..B].

import { parseArgs } from "node:util";
import { reasonOf } from "../../errors.js";
import { invariantOf, Violation } from "./checks/violation.js";
import { type ClusterReport, runCluster } from "./cluster.js";
import { catches } from "./mutants/catches.js";
import { mutants } from "./mutants/mutants.js";
import { createTrial } from "./mutants/trial.js";
import { optionsOf } from "./options.js";

const LINES_SHOWN = 40;
const PROGRESS_SEEDS = 100;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    only: { type: "string" },
    catches: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

process.stdout.on("error", () => process.exit(1)); // nobody reads on
const say = (line: string) => void process.stdout.write(`${line}\n`);

const USAGE = `npm run simulate -- [--seeds A..B]           seeds of whole clusters with faults; stops at the first that fails
npm run simulate -- --seed S [--trace]       one of them, with all that happens
npm run simulate -- --mutants [--seeds A..B] [--only NAME]   takes each rule away and shows that the checks notice
npm run simulate -- --catches [--seeds A..B]   looks for a seed of each mutant whose seed of the table is stale`;

if (values.help) say(USAGE);
else if (values.seed !== undefined) process.exitCode = await replay(whole(values.seed), values.trace);
else if (values.catches) process.exitCode = await renewCatches(...rangeOf(values.seeds ?? "1..40"));
else if (values.mutants) process.exitCode = await runMutants(...rangeOf(values.seeds ?? "1..40"), values.only);
else process.exitCode = await runSeeds(...rangeOf(values.seeds ?? "1..500"));

async function replay(seed: number, traced: boolean): Promise<number> {
  const failure = await attempt(seed, traced ? say : undefined);
  if (failure instanceof Error) {
    explain(seed, failure, !traced);
    return 1;
  }
  say(JSON.stringify(failure, undefined, 2));
  return 0;
}

async function runSeeds(first: number, last: number): Promise<number> {
  const started_ms = performance.now();
  const totals = new Map<string, number>();
  const rate = (done: number) => (done / ((performance.now() - started_ms) / 1000)).toFixed(1);
  for (let seed = first; seed <= last; seed += 1) {
    const report = await attempt(seed);
    if (report instanceof Error) {
      explain(seed, report, true);
      return 1;
    }
    for (const [name, value] of Object.entries(report)) {
      if (name !== "traceHash") totals.set(name, (totals.get(name) ?? 0) + value);
    }
    const done = seed - first + 1;
    if (done % PROGRESS_SEEDS === 0) say(`${done} seeds, ${rate(done)} seeds/s`);
  }
  const done = last - first + 1;
  say(`${done} seeds without a violation, ${rate(done)} seeds/s`);
  for (const [name, value] of totals) say(`${name.padStart(24)} ${value}`);
  return 0;
}

/** Shows in how many seeds each mutant is caught, and by what first. A seed that fails without it, too, is an error. */
async function runMutants(first: number, last: number, only: string | undefined): Promise<number> {
  let survivors = 0;
  let unfit = 0;
  for (const mutant of mutants) {
    if (only !== undefined && mutant.name !== only) continue;
    const caught = new Map<string, number>();
    let cheapest = { seed: 0, ms: Number.POSITIVE_INFINITY };
    const judge = await createTrial(mutant, "to-its-end");
    for (let seed = first; seed <= last; seed += 1) {
      const since_ms = performance.now();
      const verdict = await judge(seed);
      const ms = performance.now() - since_ms;
      if (verdict.type === "survives") continue;
      const by = invariantOf(verdict.error) ?? verdict.error.message;
      if (verdict.type === "unfit") {
        unfit += 1;
        say(`${mutant.name.padEnd(28)} seed ${seed} fails with the rule, too: ${by}`);
        continue;
      }
      caught.set(by, (caught.get(by) ?? 0) + 1);
      if (ms < cheapest.ms) cheapest = { seed, ms };
    }
    const count = [...caught.values()].reduce((sum, seeds) => sum + seeds, 0);
    if (count === 0) survivors += 1;
    const by = [...caught].sort((left, right) => right[1] - left[1]).map(([name, seeds]) => `${seeds} ${name}`);
    say(`${mutant.name.padEnd(28)} caught in ${count} of ${last - first + 1} seeds  ${by.slice(0, 3).join("; ")}`);
    if (count > 0) say(`${"".padEnd(28)} soonest in seed ${cheapest.seed}: ${Math.round(cheapest.ms)} ms`);
  }
  say(survivors === 0 ? "every mutant is caught" : `${survivors} mutants survive`);
  return survivors + unfit === 0 ? 0 : 1;
}

/** Says which rows of the suite's table catch their mutant no more, each with a seed that does. */
async function renewCatches(first: number, last: number): Promise<number> {
  let lost = 0;
  for (const mutant of mutants) {
    const known = catches[mutant.name];
    if (known === undefined) continue;
    const judge = await createTrial(mutant, "to-its-end");
    const isCaught = async (seed: number) => {
      const verdict = await judge(seed);
      return verdict.type === "caught" && known.by.test(invariantOf(verdict.error) ?? String(verdict.error));
    };
    if (await isCaught(known.seed)) continue;
    lost += 1;
    let seed = first;
    while (seed <= last && !(await isCaught(seed))) seed += 1;
    const found = seed > last ? `outlives seeds ${first}..${last}` : `{ seed: ${seed}, by: ${known.by} },`;
    say(`"${mutant.name}": ${found}`);
  }
  say(lost === 0 ? "every seed of the table catches its mutant" : `${lost} seeds of the table do not catch theirs`);
  return lost === 0 ? 0 : 1;
}

async function attempt(seed: number, onLine?: (line: string) => void): Promise<ClusterReport | Error> {
  try {
    return await runCluster(optionsOf(seed), undefined, onLine);
  } catch (error) {
    return error instanceof Error ? error : new Error(reasonOf(error));
  }
}

function explain(seed: number, failure: Error, withLines: boolean): void {
  say(`seed ${seed} fails: ${failure.message}`);
  if (!(failure instanceof Violation)) say(failure.stack ?? "");
  else if (withLines) for (const line of failure.trace.slice(-LINES_SHOWN)) say(`  ${line}`);
  say(`replay: npm run simulate -- --seed ${seed} --trace`);
}

function rangeOf(text: string): [number, number] {
  const [first, last] = text.split("..");
  return [whole(first), whole(last ?? first)];
}

function whole(text: string | undefined): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  say(`${text} is no seed: seeds are whole numbers from 0, ranges A..B`);
  process.exit(2);
}
