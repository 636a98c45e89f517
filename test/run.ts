// `npm test` and its two halves: the files of tests, each in a process of its own, those that take longest first, so that no core is
// idle while the last of them runs. Integration tests wait more than they compute: one process more than there are cores.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec, tap } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const INTEGRATION = "test/integration/";

/** Those that took longest when last measured, the longest first. */
const longest = [
  "lab/simulation/mutants",
  "integration/faults",
  "integration/repeating-member",
  "integration/demo",
  "integration/kill",
  "lab/simulation/cluster",
  "integration/cli",
  "integration/admission",
  "integration/starved",
  "integration/api-attack",
  "integration/signals",
  "integration/membership",
  "integration/operations",
  "integration/events",
  "integration/provision",
  "integration/fuzz",
  "integration/lying-member",
  "integration/health",
  "integration/regained",
].map((name) => join(root, "test", `${name}.test.ts`));

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
const tests = run({ files: filesOf(process.argv[2]), concurrency: availableParallelism() + 1 });
tests.on("test:fail", () => {
  process.exitCode = 1;
});
// As `node --test` has it: for people at a terminal, for programs behind a pipe.
(process.stdout.isTTY ? tests.compose(new spec()) : tests.compose(tap)).pipe(process.stdout);
