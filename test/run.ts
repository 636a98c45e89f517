// `npm test` and its two halves. Those that take longest run first, each in a process of its own, so that no core is idle while the last
// of them runs. The others are so short that a process for each would take longer than they do: those of a folder share one.
// Integration tests wait more than they compute: two processes more than there are cores.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec, tap } from "node:test/reporters";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const INTEGRATION = "test/integration/";
/** Files whose time is said at the end, to correct the list below by. */
const SLOWEST = 25;

/** Those that took longest when last measured, the longest first. */
const longest = [
  "lab/simulation/mutants/contracts",
  "integration/faults",
  "integration/story",
  "integration/market",
  "lab/simulation/cluster",
  "lab/simulation/mutants/limits",
  "lab/simulation/mutants/members",
  "lab/simulation/mutants/slots",
  "lab/simulation/mutants/core",
  "integration/slots",
  "integration/community",
  "integration/explorer",
  "integration/dispatch",
  "integration/admission",
  "integration/repeating-member",
  "integration/starved",
  "integration/api-attack",
  "integration/demo",
  "integration/kill",
  "integration/cli",
  "integration/contract-load",
  "integration/operations",
  "integration/provision",
  "meters/inputs",
  "integration/contract",
  "integration/access",
  "integration/lying-member",
  "integration/monitor",
  "integration/messages",
  "integration/membership",
  "integration/health",
  "integration/regained",
  "integration/signals",
  "integration/captures",
  "integration/mosquitto",
  "integration/fuzz",
  "integration/events",
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
  return [...lines, ...failures.map((failure) => `failed: ${failure}`)].map((line) => `# ${line}\n`).join("");
}
