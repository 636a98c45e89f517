// How long users wait for answers over a long chain: a meter's day, violations, rows for other programs, an audit. The API is asked as
// the commands ask it; what a command takes includes its start.

import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../../src/wire/bytes.js";
import { modulePath } from "../../module-path.js";
import { openApiSource } from "../../sources/api.js";
import { recordsBetween } from "../../sources/records-between.js";
import type { ReceiptSource } from "../../sources/source.js";
import { pairs, secondText, table } from "../../terminal/output.js";
import { type LoadMeter, readLoadMeter } from "../rig/records.js";
import { RECORD_EVERY_S } from "./history-maker.js";

/** A chain that is asked about. */
export interface Asking {
  /** of the node whose API and data are asked */
  readonly nodeFolder: string;
  readonly meterFolders: readonly string[];
  readonly service: number;
  readonly records: number;
  /** folder for files that commands make */
  readonly scratch: string;
}

const QUESTIONS = 20;
const DAY_S = 86_400;
const VIOLATIONS = 100;
/** A command is typed so often, by as many meters. */
const COMMAND_RUNS = 7;
const OUTPUT_BYTES_MAX = 16_777_216;

/** Lines for people: milliseconds of answers, and records a second of commands that go over all of them. */
export async function measureQuestions(asking: Asking, api: string): Promise<readonly string[]> {
  const source = openApiSource(api);
  const meters = asking.meterFolders.slice(0, QUESTIONS).map((folder) => readLoadMeter(folder));
  const rows = [
    await timed("a meter's day of records", meters, (meter) => dayOf(source, asking, meter)),
    await timed(`the newest ${VIOLATIONS} violations`, meters, () => violationsOf(source, {})),
    await timed(`${VIOLATIONS} violations of a meter`, meters, ({ kid }) => violationsOf(source, { subject: kid })),
  ];
  await source.close();
  const { nodeFolder, scratch } = asking;
  const typed = commandsOf(asking, api, meters).map(([what, words]) => timedCommand(what, words));
  const from = ["--data", join(nodeFolder, "data"), "--genesis", join(nodeFolder, "genesis.cbor")];
  const chain = String(asking.service);
  const file = (name: string) => ["--out", join(scratch, name)];
  const commands = [
    command(asking, ["chain", "export", chain, "--format", "csv", ...file("data.csv"), ...from]),
    command(asking, ["chain", "export", chain, "--format", "jsonl", ...file("data.jsonl"), ...from]),
    command(asking, ["chain", "export", chain, "--format", "csv", ...file("api.csv"), "--api", api]),
    command(asking, ["chain", "audit", chain, ...from]),
  ];
  for (const name of ["data.csv", "data.jsonl", "api.csv"]) await rm(join(scratch, name), { force: true });
  return [
    "what users ask, of a node's API:",
    ...table(["question", "answers", "median ms", "longest ms"], rows),
    "",
    "the same as commands, the start of their process with it:",
    ...table(["command", "lines", "median ms", "longest ms"], typed),
    "",
    "commands that go over the whole chain:",
    ...pairs(commands),
    "",
  ];
}

async function timed(
  what: string,
  meters: readonly LoadMeter[],
  ask: (meter: LoadMeter) => Promise<number>,
): Promise<(string | number)[]> {
  const took_ms: number[] = [];
  let found = 0;
  for (const meter of meters) {
    const started_ms = performance.now();
    found = Math.max(found, await ask(meter));
    took_ms.push(performance.now() - started_ms);
  }
  took_ms.sort((one, other) => one - other);
  return [what, found, Math.round(took_ms[Math.floor(took_ms.length / 2)]!), Math.round(took_ms.at(-1)!)];
}

/** Begins in the middle of what there is of each meter, UTC seconds. */
function dayFrom_s({ records, meterFolders }: Asking): number {
  return Math.floor(Date.now() / 1_000 - (Math.ceil(records / meterFolders.length) / 2) * RECORD_EVERY_S);
}

async function dayOf(source: ReceiptSource, asking: Asking, { kid }: LoadMeter) {
  const from_s = dayFrom_s(asking);
  let count = 0;
  for await (const _ of recordsBetween(source, asking.service, kid, { from_s, to_s: from_s + DAY_S })) count += 1;
  return count;
}

/** What is typed for it, of different meters where there is one in it. */
function commandsOf(asking: Asking, api: string, meters: readonly LoadMeter[]) {
  const from_s = dayFrom_s(asking);
  const [from, to] = [from_s, from_s + DAY_S].map((time_s) => secondText(time_s));
  const day = ["--service", String(asking.service), "--from", from!, "--to", to!, "--api", api];
  return [
    ["start alone: gridseal --version", () => ["--version"]],
    ["record list of a meter's day", (run) => ["record", "list", "--meter", toHex(meters[run]!.kid), ...day]],
    [`violation list, the newest ${VIOLATIONS}`, () => ["violation", "list", "--api", api]],
    ["meter list", () => ["meter", "list", "--api", api]],
  ] satisfies readonly (readonly [string, (run: number) => readonly string[]])[];
}

function timedCommand(what: string, words: (run: number) => readonly string[]): (string | number)[] {
  let lines = 0;
  const took_ms = Array.from({ length: COMMAND_RUNS }, (_, run) => {
    const started_ms = performance.now();
    lines = runCommand(words(run)).split("\n").length - 1;
    return performance.now() - started_ms;
  }).sort((one, other) => one - other);
  return [what, lines, Math.round(took_ms[Math.floor(COMMAND_RUNS / 2)]!), Math.round(took_ms.at(-1)!)];
}

async function violationsOf(source: ReceiptSource, asked: { readonly subject?: Uint8Array }): Promise<number> {
  let count = 0;
  for await (const _ of source.violations(asked)) {
    count += 1;
    if (count === VIOLATIONS) break;
  }
  return count;
}

/** What it prints. */
function runCommand(words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...process.execArgv, modulePath("cli/gridseal"), ...words],
    { encoding: "utf8", maxBuffer: OUTPUT_BYTES_MAX },
  );
  if (status !== 0) throw new Error(`gridseal ${words.join(" ")}: ${stderr}`);
  return stdout;
}

function command({ records }: Asking, words: readonly string[]): readonly [string, string] {
  const started_ms = performance.now();
  runCommand(words);
  const seconds = (performance.now() - started_ms) / 1_000;
  const where = words.includes("--api") ? " by the API" : "";
  const what = `${words.filter((word) => /^[a-z]+$/.test(word)).join(" ")}${where}`;
  return [what, `${seconds.toFixed(1)} s, ${Math.round(records / seconds)} records/s`];
}
