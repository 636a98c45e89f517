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
import { meterLines } from "../tools/cli/decode/decode.js";
import { messageDrops } from "../tools/consensus/drops.js";
import { actors } from "../tools/demo/community/cast.js";
import { type ErrorCode, GridsealError } from "../tools/errors.js";
import { cellsOf, meterTypes } from "../tools/meters/meter-types.js";
import { batchDrops } from "../tools/node/chain/batches/exchange/state.js";
import { frameDrops } from "../tools/node/chain/drops.js";
import { createMetrics } from "../tools/node/watch/metrics.js";
import { createNetwork } from "../tools/provisioning/network.js";
import { endings, events } from "../tools/routes/events.js";
import { anywhere, type RefusalCode, refusals } from "../tools/routes/refusals.js";
import { shapes } from "../tools/routes/routes.js";
import { writtenPath } from "../tools/routes/shape.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => read(join(folder, name)));
const all = (text: string, pattern: RegExp) =>
  [...new Set([...text.matchAll(pattern)].map((found) => found[1]!))].sort();
const pages = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
/** Pages that are looked things up in. */
const references = new Set([
  "docs/api.md",
  "docs/commands.md",
  "docs/configuration.md",
  "docs/errors.md",
  "docs/metrics.md",
  "docs/bad-input.md",
  "docs/meters.md",
]);

test("docs/errors.md has every code of the catalogue with what to do, and no other", () => {
  const catalogue = read("tools/errors.ts").split("const remedies = {")[1]!.split("} as const")[0]!;
  const codes = all(catalogue, /^ {2}([A-Z_]+):/gm) as ErrorCode[];
  const rows = [...read("docs/errors.md").matchAll(/^\| `([A-Z_]+)` \| (.+) \|$/gm)].map(([, code, todo]) => [
    code,
    todo,
  ]);
  assert.deepEqual(rows.sort(), codes.map((code) => [code, new GridsealError(code, "").remedy]).sort());
});

test("docs/metrics.md has every metric of a node, and no other", async () => {
  const metrics = (await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name).sort();
  assert.deepEqual(all(read("docs/metrics.md"), /`(gridseal_\w+)`/g), metrics);
});

test("docs/metrics.md has every reason for which a message is dropped, and no other", () => {
  const reasons = [...batchDrops, ...messageDrops, ...frameDrops].sort();
  assert.deepEqual(
    all(read("docs/metrics.md"), /^\| `((?:batch|consensus|frame|block|body|request|verification)-[a-z-]+)` \|/gm),
    reasons,
  );
});

test("docs/api.md has every route with its query, answer and refusals, and no other", () => {
  const rows = [...read("docs/api.md").matchAll(/^\| `((?:GET|POST) [^`]+)` \| (.*) \| (.*)\|$/gm)];
  const documented = rows.map(([, route, answer, refused]) => {
    const [path, query = ""] = route!.split("?");
    const names = query.split("&").flatMap((part) => part.split("=")[0] || []);
    return { path, names, type: answer!.split("`")[1], refused: all(refused!, /`([a-z-]+)`/g) };
  });
  const routes = shapes.map((shape) => ({
    path: `${shape.method} ${writtenPath(shape)}`,
    names: Object.keys(shape.query.properties),
    type: shape.answer.type,
    refused: [...shape.refusals].sort(),
  }));
  const byPath = (one: { readonly path: string | undefined }, other: { readonly path: string | undefined }) =>
    String(one.path).localeCompare(String(other.path));
  assert.deepEqual(documented.sort(byPath), routes.sort(byPath));
});

test("docs/api.md has every event with its fields, and why a stream ends", () => {
  const rows = [
    ...read("docs/api.md")
      .split("## Refusals")[0]!
      .matchAll(/^\| `(block|violation|pruned|ended)` \| (.*) \|$/gm),
  ];
  assert.deepEqual(
    rows.map(([, name]) => name),
    Object.keys(events.answer.events),
  );
  for (const [, name, text] of rows) {
    const fields = Object.keys(events.answer.events[name as "block" | "violation" | "pruned" | "ended"].properties);
    assert.deepEqual(
      [...fields, ...(name === "ended" ? Object.keys(endings) : [])].filter((field) => !text!.includes(`\`${field}\``)),
      [],
      name,
    );
  }
});

test("docs/api.md has every refusal with its status, and no other", () => {
  const rows = [...read("docs/api.md").matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| (anywhere)?/gm)];
  const documented = rows.map(([, code, status, where]) => [code, Number(status), where !== undefined]);
  const known = Object.entries(refusals).map(([code, { status }]) => [
    code,
    status,
    anywhere.includes(code as RefusalCode),
  ]);
  assert.deepEqual(documented, known);
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

test("docs/auditor.md names the subject in each step of a case", () => {
  const steps = [...read("docs/auditor.md").matchAll(/--type 16 --body '(.+)'$/gm)].map(([, body]) =>
    JSON.parse(body!),
  );
  assert.equal(steps.length, 4);
  for (const step of steps) assert.deepEqual(Object.keys(step), ["violation", "subject", "state", "reason"]);
});

test("docs/invariants.md numbers what the simulation and the tests of the consensus check, and says where", () => {
  const places = new Map<string, string[]>();
  for (const [folder, shown] of [
    ["tools/lab/simulation", ""],
    ["test/consensus", "consensus/"],
  ] as const) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).sort()) {
      if (!name.endsWith(".ts")) continue;
      for (const number of all(read(join(folder, name)), /["`](I\d+) [a-z]/g)) {
        places.set(number, [...(places.get(number) ?? []), `${shown}${name.replace(/\.ts$/, "")}`]);
      }
    }
  }
  const rows = [...read("docs/invariants.md").matchAll(/^\| (I\d+) \|.*\| ([^|]+) \|$/gm)];
  assert.deepEqual(
    rows.map(([, number, where]) => `${number}: ${where!.split(", ").sort().join(", ")}`).sort(),
    [...places].map(([number, where]) => `${number}: ${where.sort().join(", ")}`).sort(),
  );
});

/** Rows of ARCHITECTURE.md's table of words: the word, and what is not said for it. */
const words = read("ARCHITECTURE.md")
  .split("\n## Words\n")[1]!
  .split("\n## ")[0]!
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(1)
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, word, meaning, not]) => ({ word: word!, meaning: meaning!, not: not! === "" ? [] : not!.split(", ") }));

test("ARCHITECTURE.md has its words in the order of the alphabet, each once, with a meaning of one sentence", () => {
  const names = words.map(({ word }) => word);
  assert.deepEqual(names, [...new Set(names)].sort());
  assert.deepEqual(
    words.filter(({ meaning }) => meaning === "" || meaning.split(" ").length > 25).map(({ word }) => word),
    [],
  );
});

test("no document and no source says a word that ARCHITECTURE.md has another one for", () => {
  const others = [...new Set(words.flatMap(({ not }) => not))];
  assert.ok(others.length > 5);
  // The benchmark runs other systems, which have words of their own.
  const files = ["src", "hosts", "tools", "docs"]
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
    )
    .filter((path) => /\.(ts|mts|mjs|c|md)$/.test(path) && !path.startsWith("tools/lab/bench/"));
  const said = [...files, "README.md", "CONTRIBUTING.md", "PROTOCOL.md"].flatMap((path) => {
    const text = read(path);
    return others.filter((other) => wordPattern(other).test(text)).map((other) => `${path}: ${other}`);
  });
  assert.deepEqual(said, []);
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

/** The word by itself, in the plural, or as a part of a name: `leader`, `leaders`, `isLeader`, `leaderOf`. */
function wordPattern(word: string): RegExp {
  const [first, ...rest] = [...word];
  return new RegExp(
    `(?:\\b${first}|\\b${first!.toUpperCase()}|[a-z]${first!.toUpperCase()})${rest.join("")}s?(?![a-z])`,
  );
}

test("README.md names each dependency with the licence that its package has, and as many participants as the demo", () => {
  const readme = read("README.md");
  const { dependencies } = JSON.parse(read("package.json")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const rows = [...readme.slice(readme.indexOf("## Licences")).matchAll(/^- ((?:MIT|Apache).*?): (.*)$/gm)];
  const named = rows.flatMap(([, licence, names]) => names!.split(", ").map((name) => `${name}: ${licence}`));
  const licenceOf = (name: string) =>
    (JSON.parse(read(`node_modules/${name}/package.json`)) as { readonly license: string }).license;
  const held = Object.keys(dependencies).map((name) => {
    return `${name}: ${licenceOf(name).replace(/[()]/g, "").replace(" OR ", " or ")}`;
  });
  assert.deepEqual(named.sort(), held.sort());
  const words = ["seven", "eight", "nine", "ten", "eleven"];
  assert.ok(readme.includes(`a community of ${words[actors.length - 7]} participants`), `${actors.length}`);
});
