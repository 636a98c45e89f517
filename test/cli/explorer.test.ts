// `gridseal explorer` as a user starts it, over the fixed export: it serves blocks without a node, and says of the rest that it has none.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decodeBlock } from "../../src/wire/block.js";
import { liveShapes } from "../../tools/routes/routes.js";
import { command } from "./command.js";

async function fixture(file: string, name = file): Promise<Uint8Array> {
  const text = await readFile(new URL(`../fixtures/${file}.json`, import.meta.url), "utf8");
  const rows = JSON.parse(text) as Record<string, { readonly bytes: string }>;
  return Uint8Array.from(Buffer.from(rows[name]!.bytes, "hex"));
}

/** The address that it prints; rejects with what it says where it ends before. */
function addressOf(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        said += String(chunk);
        const address = /^look at it at (http:\S+)\/$/m.exec(said)?.[1];
        if (address !== undefined) resolve(address);
      });
    child.once("close", (status) => reject(new Error(`it ended with status ${status}: ${said}`)));
  });
}

test("gridseal explorer serves the blocks of an export, and refuses by name what takes a node", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-explorer-test-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "genesis.cbor"), await fixture("genesis"));
  await writeFile(join(folder, "1.chain"), await fixture("export"));
  const child = spawn(process.execPath, [command, "explorer", folder, "--port", "0"]);
  t.after(() => child.kill());
  const address = await addressOf(child);
  const block = await fetch(`${address}/chains/1/blocks/1`);
  assert.equal(block.status, 200, "the block is served");
  const { header } = decodeBlock(new Uint8Array(await block.arrayBuffer()));
  assert.deepEqual(header, decodeBlock(await fixture("block", "block1")).header, "it is the exported one");
  const places: Readonly<Record<string, string>> = {
    service: "1",
    meter: "0011223344556677",
    grant: "0011223344556677-0",
    day: "20000",
    ...{ from: "1728000000", until: "1728000900" },
  };
  for (const { method, path, body } of liveShapes) {
    const url = `${address}${path.replace(/:(\w+)/g, (_, name: string) => places[name] ?? name)}`;
    const sent = body === undefined ? {} : { body: "{}", headers: { "content-type": body.type } };
    const answer = await fetch(url, { method, ...sent });
    const { code } = (await answer.json()) as { readonly code: string };
    assert.deepEqual([answer.status, code], [404, "not-exported"], `${method} ${path}`);
  }
});
