// Documents and code list the same: routes, commands, metrics, fields of configurations, errors, states and invariants; links lead
// somewhere, and the pages that are read from top to bottom stay short.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { profileNames, profileOf } from "../src/meter/profiles.js";
import { protocols } from "../src/meter/reader.js";
import { meterLines } from "../tools/cli/decode.js";
import { cellsOf, meterTypes } from "../tools/meters/meter-types.js";
import { createMetrics } from "../tools/node/watch/metrics.js";
import { createNetwork } from "../tools/provisioning/network.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => read(join(folder, name)));
const all = (text: string, pattern: RegExp) =>
  [...new Set([...text.matchAll(pattern)].map((found) => found[1]!))].sort();
const pages = readdirSync(join(root, "docs")).map((name) => `docs/${name}`);
/** Pages that are looked things up in. */
const references = new Set([
  "docs/commands.md",
  "docs/configuration.md",
  "docs/errors.md",
  "docs/metrics.md",
  "docs/bad-input.md",
  "docs/meters.md",
]);

test("docs/errors.md has every code of the catalogue with what to do, and no other", () => {
  const catalogue = read("tools/errors.ts").split("const remedies = {")[1]!.split("} as const")[0]!;
  const codes = all(catalogue, /^ {2}([A-Z_]+):/gm);
  assert.deepEqual(all(read("docs/errors.md"), /^\| `([A-Z_]+)` \| ./gm), codes);
});

test("docs/metrics.md has every metric of a node, and no other", async () => {
  const metrics = (await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name).sort();
  assert.deepEqual(all(read("docs/metrics.md"), /`(gridseal_\w+)`/g), metrics);
});

test("docs/api.md has every route, and no other", () => {
  const routes = sources("tools/node/api").flatMap((text) =>
    [...text.matchAll(/server\.(get|post)(?:<[^"]*>)?\(\s*"([^"]+)"/g)].map(
      ([, method, path]) => `${method!.toUpperCase()} ${path!.replace(/:\w+/g, "<>")}`,
    ),
  );
  const documented = all(read("docs/api.md"), /^\| `((?:GET|POST) [^`?]+)/gm).map((text) =>
    text.replace(/<[^>]+>/g, "<>"),
  );
  assert.deepEqual(documented.sort(), [...new Set(routes)].sort());
});

test("docs/meters.md and gridseal decode --list have every meter type, profile and protocol, and no other", () => {
  const page = read("docs/meters.md").split("## Wiring")[0]!.replaceAll("`", "");
  const shown = [...page.matchAll(/^\| (.+?) \|$/gm)].map(([, row]) => row!.split("|").map((cell) => cell.trim()));
  assert.deepEqual(shown.slice(1), meterTypes.map(cellsOf));
  assert.equal(meterLines().length, meterTypes.length + 1);
  const named = new Set(meterTypes.flatMap(({ profile = "" }) => (profile === "" ? [] : [profile])));
  assert.deepEqual([...named].sort(), [...profileNames].sort());
  assert.deepEqual([...new Set(meterTypes.map(({ protocol }) => protocol))].sort(), [...protocols].sort());
  for (const { profile, protocol } of meterTypes) {
    const known = profile === undefined ? undefined : profileOf(profile).protocol;
    assert.ok(known === undefined || known === protocol || known === "dlms", profile);
  }
});

test("docs/commands.md has every command, and no other", () => {
  const registered = sources("tools/cli").flatMap((text) =>
    [...text.matchAll(/\.command\("([\w-]+)"\)/g)].map(([, name]) => name!),
  );
  const rows = read("docs/commands.md")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const words = new Set(rows.flatMap((line) => all(line.split(" | ")[0]!, /([a-z][\w-]+)/g)));
  assert.deepEqual(
    [...new Set(registered)].filter((name) => !words.has(name)),
    [],
  );
  const firsts = all(rows.map((line) => line.split(" | ")[0]!).join("\n"), /^\| `([a-z]+)/gm);
  assert.deepEqual(
    firsts.filter((name) => !registered.includes(name) && !rows.some((row) => row.includes(` | ${name}`))),
    [],
  );
});

test("docs/configuration.md has every field of the files that init writes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-documents-"));
  try {
    const plan = { network: "test", nodes: 2, meters: 1, host: "127.0.0.1", basePort: 20_000, target: 0 };
    const chains = [{ service: 1, name: "trading", nodes: [1, 2] }];
    await createNetwork(join(folder, "grid"), { ...plan, chains }, new Date());
    const fields = ["nodes/node-1/node.json", "meters/meter-1/configuration.json"].flatMap((path) =>
      Object.entries(JSON.parse(readFileSync(join(folder, "grid", path), "utf8"))).flatMap(([name, value]) =>
        namesIn(name, value),
      ),
    );
    const text = read("docs/configuration.md");
    assert.deepEqual(
      fields.filter((name) => !new RegExp(`[\`".]${name}[\`".]`).test(text)),
      [],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("docs/field-engineer.md has every state of a meter", () => {
  const states = all(read("src/agent/health.ts").split("export type State =")[1]!.split(";")[0]!, /"([a-z ]+)"/g);
  const text = read("docs/field-engineer.md");
  assert.ok(states.length > 5);
  assert.deepEqual(
    [...states, "refused: "].filter((state) => !text.includes(`\`${state}`)),
    [],
  );
});

test("docs/invariants.md numbers what the simulation and the tests of the consensus check", () => {
  const checked = [...sources("tools/lab/simulation"), ...sources("test/consensus")].flatMap((text) =>
    all(text, /["`](I\d+) [a-z]/g),
  );
  assert.deepEqual(all(read("docs/invariants.md"), /^\| (I\d+) \|/gm), [...new Set(checked)].sort());
});

test("every link of a document leads to a file", () => {
  const documents = [...pages, "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "PROTOCOL.md", "TRACK_RECORD.md"];
  const broken = documents.flatMap((path) =>
    all(read(path), /\]\((?!https?:|#)([^)#]+)/g)
      .filter((target) => !existsSync(join(root, normalize(join(dirname(path), target)))))
      .map((target) => `${path}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test("README.md stays under 1,900 words, and a page that is read under 1,500", () => {
  const words = (path: string) => read(path).split(/\s+/).length;
  assert.ok(words("README.md") < 1_900);
  assert.deepEqual(
    pages.filter((path) => !references.has(path) && words(path) > 1_500),
    [],
  );
});

/** The names of a field and of those in it; ids and lists of values have none. */
function namesIn(name: string, value: unknown): string[] {
  if (Array.isArray(value))
    return [name, ...value.flatMap((item) => (typeof item === "object" ? namesIn(name, item) : []))];
  if (typeof value !== "object" || value === null) return [name];
  const inner = Object.entries(value).filter(([key]) => !/^[0-9a-f]{16}$/.test(key));
  return [name, ...inner.flatMap(([key, item]) => namesIn(key, item))];
}
