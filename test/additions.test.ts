// What CONTRIBUTING.md says of adding a table, a route and a rule, done in a copy of the sources: each is a file and a row, and works.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Addition {
  /** the new file: its path and text */
  readonly file: readonly [string, string];
  /** the list: its path, what stands there, and what stands there instead, beside an import */
  readonly row: readonly [string, string, string];
}

test("a table is a file and a row: it is stored, and a repair takes it over", async (t) => {
  const sightings = `
    import { type IdKey } from "../../store/keys.js";
    import { asIs, sha256Checksum, type Table } from "../../store/table.js";
    export const sightings: Table<IdKey, Uint8Array> = {
      name: "sightings", describe: () => "a sighting", encode: asIs, decode: asIs, checksum: sha256Checksum, isTakenOver: true,
    };`;
  const additions: Addition[] = [
    {
      file: ["tools/node/chain/tables/sightings.ts", sightings],
      row: ["tools/node/store/tables.ts", "  meta,\n", "  meta,\n  sightings,\n"],
    },
  ];
  await tryOut(
    t,
    additions,
    `
    import { createCluster } from "./test/node/chain/cluster.js";
    import { sightings } from "./tools/node/chain/tables/sightings.js";
    import { idKey } from "./tools/node/store/keys.js";
    import { openStore } from "./tools/node/store/open-store.js";
    import { replaceStore } from "./tools/node/store/repair.js";
    const cluster = await createCluster(1);
    const { genesis } = cluster;
    await cluster.close();
    const owner = { node: genesis.nodes[0].id, genesisHash: genesis.hash };
    const key = idKey(1, Buffer.alloc(8, 7));
    const store = await openStore("store", owner, false);
    await store.write((writer) => writer.put(sightings, key, Buffer.from("seen")));
    await store.close();
    assert.equal((await replaceStore("store", owner, genesis, new Date())).rows.sightings, 1);
    const again = await openStore("store", owner, true);
    assert.equal(Buffer.from(again.get(sightings, key)).toString(), "seen");
    await again.close();`,
  );
});

test("a route is a file and a row on each side of the wall: it is listed, and a part serves it", async (t) => {
  const shape = `
    import { Type } from "@sinclair/typebox";
    import { nothing } from "./fields.js";
    import type { RouteShape } from "./shape.js";
    export const about = {
      method: "GET", path: "/about", parameters: nothing, query: nothing,
      answer: { type: "application/json", schema: Type.Object({ node: Type.String() }) },
      statuses: [200], refusals: [], limits: "plain", access: "public",
    } as const satisfies RouteShape;`;
  const part = `
    import { about } from "../../routes/about.js";
    import { route } from "../api/route.js";
    import type { Part } from "../part.js";
    export const aboutPart: Part = {
      name: "about",
      create: ({ selfId }) => ({ routes: [route(about, () => ({ type: "value", value: { node: selfId } }))] }),
    };`;
  const additions: Addition[] = [
    { file: ["tools/routes/about.ts", shape], row: ["tools/routes/routes.ts", "  health,\n", "  health,\n  about,\n"] },
    {
      file: ["tools/node/parts/about.ts", part],
      row: ["tools/node/parts.ts", "  ordersPart,\n", "  ordersPart,\n  aboutPart,\n"],
    },
  ];
  await tryOut(
    t,
    additions,
    `
    import { routesOf } from "./tools/node/part.js";
    import { parts } from "./tools/node/parts.js";
    import { about } from "./tools/routes/about.js";
    import { shapes } from "./tools/routes/routes.js";
    assert.ok(shapes.includes(about));
    const [served] = routesOf(parts.filter(({ name }) => name === "about").map((part) => part.create({ selfId: "me" })));
    assert.equal(served.shape, about);
    assert.deepEqual(served.answer({}), { type: "value", value: { node: "me" } });`,
  );
});

test("a rule is a file and a row: new blocks name it, and those before it are judged as they were", async (t) => {
  const rules = `
    import { execute, takesEffect } from "./execution.js";
    export const secondRules = { name: "gs1/rules/3", execute, takesEffect };`;
  const additions: Addition[] = [
    {
      file: ["tools/ledger/second-rules.ts", rules],
      row: ["tools/ledger/scripts.ts", "execute, takesEffect }];", "execute, takesEffect }, secondRules];"],
    },
  ];
  await tryOut(
    t,
    additions,
    `
    import { decodeBlock } from "./src/wire/block.js";
    import { encodeCbor } from "./src/wire/cbor.js";
    import { rulesNamed } from "./tools/ledger/contract-centre.js";
    import { newestRules, rulesOf } from "./tools/ledger/scripts.js";
    import { blocks } from "./tools/node/chain/tables/blocks.js";
    import { blockKey } from "./tools/node/store/keys.js";
    import { createCluster, SERVICE } from "./test/node/chain/cluster.js";
    assert.equal(newestRules.name, "gs1/rules/3");
    assert.equal(rulesOf(encodeCbor(["gs1/rules/2", new Uint8Array(0), new Uint8Array(0), []])).name, "gs1/rules/2");
    const cluster = await createCluster(1);
    const meter = await cluster.meter();
    const { chain, store } = cluster.nodes[0];
    await chain.admit(meter.next(), undefined);
    await cluster.until(() => chain.head.height === 1, "a block is sealed");
    assert.equal(rulesNamed(decodeBlock(store.get(blocks, blockKey(SERVICE, 1))).script), "gs1/rules/3");
    await cluster.close();`,
  );
});

/** Runs `probe` in a copy of the sources that has the additions; each list gets its row and an import, and nothing else changes. */
async function tryOut(t: TestContext, additions: readonly Addition[], probe: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-additions-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ["src", "tools", "test", "package.json"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const { file, row } of additions) {
    const [path, text] = file;
    writeFileSync(join(folder, path), text);
    const [list, stands, instead] = row;
    const parts = readFileSync(join(folder, list), "utf8").split(stands);
    assert.equal(parts.length, 2, `${list} has one place for the row`);
    writeFileSync(join(folder, list), `${importOf(path, text, list)}${parts.join(instead)}`);
  }
  writeFileSync(join(folder, "probe.ts"), `import assert from "node:assert/strict";\n${probe}\n`);
  const { failed, errors } = await new Promise<{ failed: boolean; errors: string }>((resolve) =>
    execFile(process.execPath, ["--import", "tsx", "probe.ts"], { cwd: folder }, (error, _stdout, stderr) =>
      resolve({ failed: error !== null, errors: stderr }),
    ),
  );
  assert.equal(failed, false, errors);
}

function importOf(path: string, text: string, list: string): string {
  const name = /export const (\w+)/.exec(text)![1];
  const here = dirname(list);
  const from = path.startsWith(`${here}/`)
    ? `./${path.slice(here.length + 1)}`
    : `../${path.slice(dirname(here).length + 1)}`;
  return `import { ${name} } from "${from.replace(/\.ts$/, ".js")}";\n`;
}
