// `npm test` and its two halves. Those that take longest run first, each in a process of its own, so that no core is idle while the last
// of them runs. The others are so short that a process for each would take longer than they do: those of a folder share one.
// Integration tests wait more than they compute: two processes more than there are cores.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec, tap } from "node:test/reporters";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const INTEGRATION = "test/integration/";
/** Files whose time is said at the end, to correct the list below by; and as many by what they take of the processor. */
const SLOWEST = 25;

/** Those that took longest when last measured, the longest first. */
const longest = [
  "lab/simulation/mutants/contracts",
  "lab/simulation/cluster",
  "integration/market",
  "integration/story",
  "integration/contract-load",
  "integration/repeating-member",
  "integration/cli",
  "integration/access-away",
  "integration/explorer",
  "integration/access",
  "integration/dispatch",
  "integration/demo",
  "integration/mining",
  "integration/kill",
  "integration/community",
  "lab/simulation/mutants/limits",
  "lab/simulation/mutants/members",
  "lab/simulation/mutants/core",
  "lab/simulation/mutants/slots",
  "integration/faults",
  "integration/slots",
  "integration/provision",
  "meters/inputs",
  "integration/contract",
  "integration/starved",
  "integration/operations",
  "integration/messages",
  "integration/signals",
  "integration/membership",
  "integration/lying-member",
  "integration/monitor",
  "integration/admission",
  "integration/api-attack",
  "integration/health",
  "integration/regained",
  "market/auction-contract",
  "node/chain/contract-limits",
  "integration/captures",
  "integration/mosquitto",
  "integration/fuzz",
  "integration/events",
  "lab/determinism/determinism",
  "market/access",
  "market/community",
].map((name) => join(root, "test", `${name}.test.ts`));

/** So many short files share a process at most: who fails is still found quickly, and no process is the last for long. */
const TOGETHER = 16;

/** What `node:test` runs of the half that is named, or of both: a module an item. */
function modulesOf(half: string | undefined, folder: string): string[] {
  const files = filesOf(half);
  const isAlone = (file: string) => longest.includes(file) || relative(root, file).startsWith(INTEGRATION);
  const short = files.filter((file) => !isAlone(file));
  const together = Array.from({ length: Math.ceil(short.length / TOGETHER) }, (_, index) => {
    const module = join(folder, `short-${index + 1}.test.mjs`);
    const imports = short.slice(TOGETHER * index, TOGETHER * (index + 1)).map((file) => pathToFileURL(file).href);
    writeFileSync(module, imports.map((url) => `import ${JSON.stringify(url)};\n`).join(""));
    return module;
  });
  return [...files.filter(isAlone), ...together];
}

/** The files of the half that is named, or of both. */
function filesOf(half: string | undefined): string[] {
  const all = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .map((name) => join(root, "test", name))
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) => half === undefined || relative(root, file).startsWith(INTEGRATION) === (half === "integration"))
    .sort();
  const missing = longest.find((file) => !existsSync(file));
  if (missing !== undefined) throw new Error(`${missing} is not there: correct test/run.ts`);
  return [...longest.filter((file) => all.includes(file)), ...all.filter((file) => !longest.includes(file))];
}

// Tests of the command take the one that is built here.
execFileSync(process.execPath, [join(root, "tools/build.mjs")], { stdio: "inherit" });
process.env.GRIDSEAL_BUILT = "1";
const folder = mkdtempSync(join(tmpdir(), "gridseal-tests-"));
process.once("exit", () => rmSync(folder, { recursive: true }));
/** A line for each test's process that has ended, by ./usage.mjs. */
const usage = join(folder, "usage");
process.env.GRIDSEAL_TESTS_USAGE = usage;
// What this process is started with, its tests' are too.
process.execArgv.push("--import", new URL("usage.mjs", import.meta.url).href);
const tests = run({ files: modulesOf(process.argv[2], folder), concurrency: availableParallelism() + 2 });
const failures: string[] = [];
const times_ms = new Map<string, number>();
tests.on("test:fail", ({ name, file, details }) => {
  process.exitCode = 1;
  // Who only contains what failed says nothing new.
  const { failureType, message } = details.error as Error & { readonly failureType?: string };
  if (failureType !== "subtestsFailed") failures.push(`${nameOf(file)}: ${name}: ${message.split("\n", 3).join(" ")}`);
});
for (const event of ["test:pass", "test:fail"] as const) {
  tests.on(event, ({ file, nesting, details }: TestEvent) => {
    if (nesting === 0) times_ms.set(nameOf(file), (times_ms.get(nameOf(file)) ?? 0) + details.duration_ms);
  });
}
// As `node --test` has it: for people at a terminal, for programs behind a pipe. What failed is said once more at the end.
const report = process.stdout.isTTY ? tests.compose(new spec()) : tests.compose(tap);
report.on("end", () => process.stdout.write(ending()));
report.pipe(process.stdout, { end: false });

interface TestEvent {
  readonly file?: string;
  readonly nesting: number;
  readonly details: { readonly duration_ms: number };
}

function nameOf(file: string | undefined): string {
  return file === undefined ? "?" : relative(root, file);
}

function ending(): string {
  const slowest = [...times_ms].sort(([, one], [, other]) => other - one).slice(0, SLOWEST);
  const lines = slowest.map(([file, ms]) => `took ${Math.round(ms / 1_000)} s: ${file}`);
  return [...lines, ...usageLines(), ...failures.map((failure) => `failed: ${failure}`)]
    .map((line) => `# ${line}\n`)
    .join("");
}

/** What the tests' processes have taken of the processor, with all that they have started: together, and those that took most. */
function usageLines(): readonly string[] {
  if (!existsSync(usage)) return [];
  const rows = readFileSync(usage, "utf8").trim().split("\n");
  const used = rows.map((row) => JSON.parse(row) as readonly [file: string, cpu_s: number]);
  const total_s = used.reduce((sum, [, cpu_s]) => sum + cpu_s, 0);
  const most = used.sort(([, one_s], [, other_s]) => other_s - one_s).slice(0, SLOWEST);
  return [
    `the processor took ${Math.round(total_s)} s for all tests`,
    ...most.map(([file, cpu_s]) => `the processor took ${Math.round(cpu_s)} s: ${nameOf(file)}`),
  ];
}
