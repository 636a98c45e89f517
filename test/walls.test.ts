// The walls of the house, tried: a wrong import between any two rooms, a circle of files and a function over the limit are found by
// the lint of `npm run check`. The table here is the one that ARCHITECTURE.md shows.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What the rooms of tools/ may import beside src: `lab` may import everything, and nobody imports it. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  consensus: [],
  ledger: ["consensus"],
  contracts: ["ledger"],
  market: ["contracts"],
  dispatch: ["contracts", "market"],
  crypto: ["ledger"],
  files: ["crypto"],
  terminal: [],
  routes: [],
  flash: [],
  node: ["consensus", "ledger", "contracts", "crypto", "files", "routes"],
  sources: ["node", "ledger", "files", "routes"],
  audit: ["sources", "ledger", "consensus", "crypto"],
  analytics: ["audit", "sources", "dispatch", "market", "ledger", "files"],
  monitor: ["audit", "sources", "node", "ledger", "contracts", "crypto", "files", "routes"],
  explorer: ["flash", "ledger", "contracts", "market", "routes"],
  authority: ["ledger", "crypto", "files", "routes"],
  meters: ["files"],
  emulators: ["meters"],
  provisioning: ["authority", "contracts", "meters", "node", "ledger", "flash", "crypto", "files", "terminal"],
  demo: [
    ...[
      "analytics",
      "ledger",
      "market",
      "dispatch",
      "meters",
      "emulators",
      "node",
      "provisioning",
      "sources",
      "routes",
    ],
    ...["crypto", "files", "terminal"],
  ],
  firmware: ["crypto", "files", "emulators", "meters"],
  cli: [
    ...[
      "analytics",
      "audit",
      "authority",
      "consensus",
      "contracts",
      "crypto",
      "demo",
      "dispatch",
      "emulators",
      "explorer",
      "files",
      "flash",
      "ledger",
      "market",
      "meters",
      "monitor",
      "node",
    ],
    ...["provisioning", "routes", "sources", "terminal"],
  ],
};

/** Files that lint must refuse, each with its rule, and files that it must take. */
const wrong = new Map<string, { readonly text: string; readonly rule: string }>();
const right = new Map<string, string>();
const restricted = (path: string, text: string) => wrong.set(path, { text, rule: "noRestrictedImports" });

const everybody = [...Object.keys(rooms), "lab"];
for (const [room, may] of Object.entries(rooms)) {
  for (const other of everybody.filter((name) => name !== room)) {
    const path = `tools/${room}/imports-${other}.ts`;
    const text = `import "../${other}/something.js";\n`;
    if (may.includes(other)) right.set(path, text);
    else restricted(path, text);
    const deep = `tools/${room}/deep/er/imports-${other}.ts`;
    if (!may.includes(other)) restricted(deep, `import "../../../${other}/deep/something.js";\n`);
  }
  right.set(`tools/${room}/imports-wire.ts`, 'import "../../src/wire/bytes.js";\n');
}
// A folder of the command that is called as a room is none.
right.set("tools/cli/imports-its-own-firmware.ts", 'import "./firmware/something.js";\n');
for (const room of ["consensus", "ledger", "contracts", "market", "dispatch", "routes", "flash", "explorer"])
  restricted(`tools/${room}/imports-node.ts`, 'import "node:fs";\n');
restricted("src/wire/imports-meter.ts", 'import "../meter/obis.js";\n');
restricted("src/meter/imports-wire.ts", 'import "../wire/bytes.js";\n');
restricted("src/meter/p1/imports-wire.ts", 'import "../../wire/bytes.js";\n');
restricted("src/agent/imports-tools.ts", 'import "../../tools/errors.js";\n');
restricted("hosts/xsnap/imports-tools.ts", 'import "../../tools/errors.js";\n');
for (const [one, other] of [
  ["a", "b"],
  ["b", "a"],
]) {
  wrong.set(`tools/ledger/circle-${one}.ts`, {
    text: `import type { Of${other} } from "./circle-${other}.js";\n\nexport type Of${one} = { readonly other: Of${other} };\n`,
    rule: "noImportCycles",
  });
}
const long = [
  "export function long(): number {",
  "  let sum = 0;",
  ...Array(130).fill("  sum += 1;"),
  "  return sum;",
  "}",
  "",
];
wrong.set("tools/ledger/long.ts", { text: long.join("\n"), rule: "noExcessiveLinesPerFunction" });

const found = new Map<string, Set<string>>();

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-walls-"));
  try {
    const configuration = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
    writeFileSync(join(folder, "biome.json"), JSON.stringify({ ...configuration, $schema: undefined, vcs: undefined }));
    for (const [path, text] of [...right, ...[...wrong].map(([path, { text }]) => [path, text] as const)]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    for (const { category, path } of await lint(folder)) {
      const rule = category.split("/").at(-1)!;
      found.set(path, (found.get(path) ?? new Set()).add(rule));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("every room of tools/ has its walls", () => {
  const there = readdirSync(join(root, "tools"), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  assert.deepEqual(there.sort(), everybody.sort());
});

test("lint refuses every import that is not in the table, circles and long functions", () => {
  const missed = [...wrong].flatMap(([path, { rule }]) => (found.get(path)?.has(rule) ? [] : [`${path}: ${rule}`]));
  assert.deepEqual(missed, []);
});

test("lint takes every import that is", () => {
  const refused = [...right.keys()].filter((path) => found.get(path)?.has("noRestrictedImports"));
  assert.deepEqual(refused, []);
});

async function lint(folder: string): Promise<readonly { readonly category: string; readonly path: string }[]> {
  const biome = join(root, "node_modules/.bin/biome");
  const args = ["lint", "--reporter=json", "--max-diagnostics=none", "."];
  const output = await new Promise<string>((resolve) =>
    execFile(biome, args, { cwd: folder, maxBuffer: 1 << 26 }, (_failed, stdout) => resolve(stdout)),
  );
  const { diagnostics } = JSON.parse(output) as {
    diagnostics: { category: string; location: { path: string | { file: string } } }[];
  };
  return diagnostics.map(({ category, location }) => {
    const path = typeof location.path === "string" ? location.path : location.path.file;
    return { category, path: path.replace(/^\.\//, "") };
  });
}
