// Real processes of the built command for the integration tests. Each runs in a process group of its own, which is killed whole when
// its test ends, or when this process does.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { beginWait } from "../patience.js";

/** The command that `npm run build` makes. */
export const program = fileURLToPath(new URL("../../dist/tools/cli/gridseal.js", import.meta.url));
if (!existsSync(program)) throw new Error(`${program} is missing: run npm run build`);

const OUTPUT_CHARACTERS_MAX = 4_194_304;
/** How long a process may take to end after SIGTERM. */
const STOP_MS_MAX = 90_000;
/** How long anything that a test waits for may take where the machine lets it: see ../patience.ts. */
export const PATIENCE_MS = 60_000;

/** Undoes what a test has made, the last first; whatever happened to the test. */
export type Defer = (undo: () => unknown) => void;

/** What is deferred runs when the test is over. Called once a test: hooks of their own would run in the wrong order. */
export function cleanUp(t: TestContext): Defer {
  const undoings: (() => unknown)[] = [];
  t.after(async () => {
    for (const undo of undoings.reverse()) await undo();
  });
  return (undo) => void undoings.push(undo);
}

/** A folder that goes with the test. */
export async function temporaryFolder(defer: Defer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-test-"));
  folders.add(folder);
  defer(async () => {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    folders.delete(folder);
  });
  return folder;
}

export interface Outcome {
  /** exit status; null where a signal ended it */
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface Running {
  readonly pid: number;
  /** standard output and error so far */
  readonly output: string;
  readonly errors: string;
  readonly isRunning: boolean;
  readonly ended: Promise<Outcome>;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end by SIGTERM, and kills its group where that takes too long. */
  stop(): Promise<Outcome>;
}

/** Process groups and folders that are still there. */
const groups = new Set<number>();
const folders = new Set<string>();
process.once("exit", () => {
  for (const group of groups) killGroup(group);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

/** Starts a program; it is stopped when the test is over. */
export function start(defer: Defer, command: string, args: readonly string[]): Running {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} cannot be started`);
  groups.add(pid);
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  let isRunning = true;
  const ended = endOf(child).then(([status, signal]): Outcome => {
    isRunning = false;
    killGroup(pid); // what it has left behind
    groups.delete(pid);
    const ending = signal === null ? "" : `ended by ${signal}\n`;
    return { status, output: output(), errors: errors() + ending };
  });
  const running: Running = {
    pid,
    ended,
    get output() {
      return output();
    },
    get errors() {
      return errors();
    },
    get isRunning() {
      return isRunning;
    },
    signal: (signal) => void child.kill(signal),
    async stop() {
      child.kill("SIGTERM");
      const force = setTimeout(() => killGroup(pid), STOP_MS_MAX);
      const outcome = await ended;
      clearTimeout(force);
      return outcome;
    },
  };
  defer(() => (isRunning ? running.stop() : undefined));
  return running;
}

/** Starts the command, as a user would. */
export function startGridseal(defer: Defer, ...args: readonly string[]): Running {
  return start(defer, process.execPath, [program, ...args]);
}

/** Runs the command to its end. */
export function gridseal(...args: readonly string[]): Promise<Outcome> {
  return start(() => {}, process.execPath, [program, ...args]).ended;
}

/** Why nothing can be run in a terminal here; false where something can. */
export const withoutTerminal = !existsSync("/usr/bin/script") && "util-linux' script is not installed";

/** Runs the command in a terminal of so many columns: what a person sees there, standard error too. */
export async function gridsealInTerminal(columns: number, ...args: readonly string[]): Promise<Outcome> {
  const quoted = [process.execPath, program, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const typed = `stty cols ${columns} rows 24; exec ${quoted.join(" ")}`;
  const outcome = await start(() => {}, "/usr/bin/script", ["-qec", typed, "/dev/null"]).ended;
  return { ...outcome, output: outcome.output.replaceAll("\r\n", "\n") };
}

/** Submits what waits until it is sealed, and gives what is said of it: that something is denied is an answer too. */
export async function submitted(folder: string, ...where: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal("operation", "submit", "--as", folder, ...where, "--wait");
  const isSealed = status === 0 || (status === 1 && errors.includes("It is sealed, and changes nothing"));
  if (!isSealed) throw new Error(`gridseal operation submit: ${errors}${output}`);
  return output;
}

/** What the command prints as JSON with --json; throws where it fails. */
export async function gridsealJson(...args: readonly string[]): Promise<unknown> {
  const { status, output, errors } = await gridseal(...args, "--json");
  if (status !== 0) throw new Error(`gridseal ${args.join(" ")} ended with ${status}: ${errors}`);
  return JSON.parse(output);
}

/** Between two looks; and of one that takes long, as a command does that is started for it, so many times as long. */
const LOOK_MS = { least: 100, most: 3_000, times: 6 } as const;

/** Waits until the check gives something other than false, undefined or nothing; what it gives. */
export async function until<Result>(
  what: string,
  check: () => Result | Promise<Result>,
  patience_ms = PATIENCE_MS,
): Promise<Exclude<Result, undefined | false | null>> {
  const wait = beginWait(patience_ms);
  for (;;) {
    const asked_ms = performance.now();
    const found = await check();
    if (found) return found as Exclude<Result, undefined | false | null>;
    if (wait.isOver) throw new Error(`${what}: not within ${Math.round(wait.waited_ms / 1_000)} s`);
    // Who waits leaves the processor to what is waited for.
    const taken_ms = performance.now() - asked_ms;
    await delay(Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, LOOK_MS.times * taken_ms)));
  }
}

export function delay(duration_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration_ms));
}

/** Runs the jobs, two at a time. */
export async function inPairs<Job>(jobs: readonly Job[], run: (job: Job) => Promise<unknown>): Promise<void> {
  const queue = [...jobs];
  const worker = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await run(job);
  };
  await Promise.all([worker(), worker()]);
}

/** The processes that a process has started, with their command lines (Linux). */
export async function childrenOf(
  parent: number,
): Promise<readonly { readonly pid: number; readonly command: string }[]> {
  const found: { pid: number; command: string }[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const status = await readFile(`/proc/${name}/stat`, "latin1").catch(() => "");
    // "pid (name) state ppid ..."; the name may hold anything.
    const [state, ppid] = status.slice(status.lastIndexOf(")") + 2).split(" ");
    if (Number(ppid) !== parent || state === "Z") continue;
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    found.push({ pid: Number(name), command: line.replaceAll("\0", " ").trim() });
  }
  return found;
}

/** Memory that a process has in RAM, in bytes (Linux). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]);
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const decoder = new TextDecoder();
  let text = "";
  stream.on("data", (chunk: Uint8Array) => {
    text = (text + decoder.decode(chunk, { stream: true })).slice(-OUTPUT_CHARACTERS_MAX);
  });
  return () => text;
}

function endOf(child: ChildProcess): Promise<readonly [status: number | null, signal: NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    // Not "exit": what it has printed comes first.
    child.once("close", (status, signal) => resolve([status, signal]));
  });
}

function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It has ended.
  }
}
