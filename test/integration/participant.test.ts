// docs/participant.md, typed line by line: a participant signs operations beside a meter's readings, over HTTP and MQTT, with receipts that
// a stranger verifies, a node that is killed between, and a folder that is locked.

import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { toHex } from "../../src/wire/bytes.js";
import { parseOperation, signOperation } from "../../src/wire/operation.js";
import { withParticipant } from "../../tools/files/operations/participant-folder.js";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { verifyReceipt } from "../wire/stranger-receipt.js";
import { makeNetwork, startNodes, stopNodes, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, temporaryFolder } from "./processes.js";

const page = await readFile(fileURLToPath(new URL("../../docs/participant.md", import.meta.url)), "utf8");
/** The commands of the page in their order. */
const lines = [...page.matchAll(/^ {4}gridseal (.+)$/gm)].map(([, line]) => line!);
const wordsOf = (line: string) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);

async function runGood(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}`);
  return output;
}

test("the page leads from a credential to receipts, and what it signs is on every chain", {
  timeout: 240_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, await temporaryFolder(defer), { nodes: 4, meters: 0 });
  const path = join(network.folder, "anna");
  const plan = { network: network.folder, id: "anna", role: "regulator", services: [1, 3], out: path } as const;
  await createParticipant({ ...plan, algorithm: "ESP256" }, new Date());
  const id = await withParticipant(path, async ({ kid }) => toHex(kid));
  await startNodes(network);
  const [first, second] = network.nodes as [(typeof network.nodes)[number], (typeof network.nodes)[number]];
  const api = `http://${first.api.host}:${first.api.port}`;
  const typed = (line: string) =>
    runGood(
      ...wordsOf(line.replaceAll("http://127.0.0.1:9301", api).replace("ID", id)).map((word) =>
        word === "anna" || word.startsWith("anna/") ? join(network.folder, word) : word,
      ),
    );

  assert.match(await typed(lines[0]!), /^operation 0 of service 1, type 40000, is signed: [0-9a-f]{64}$/m);
  assert.match(
    await typed(lines[1]!),
    /^operation 0 of service 1 is sealed in block 1: unhandled, no contract takes it$/m,
  );
  assert.match(await typed(lines[2]!), /^disclosed +price$/m);
  assert.match(await typed(lines[3]!), /price: \{"cents":31\}/);
  const sealed = await typed(lines[4]!);
  assert.match(sealed, new RegExp(`^operation 0 of participant ${id}, type 40000`));
  assert.ok(!sealed.includes("cents"), "what is hidden is not sealed");

  /** Nearly as much as an operation holds. */
  const large = join(network.folder, "large.json");
  await writeFile(large, JSON.stringify("x".repeat(65_000)));

  await t.test("by MQTT, with a time until which it asks, and a large one", async () => {
    const sign = ["operation", "sign", "--as", path, "--service", "1", "--type", "40001"];
    await runGood(...sign, "--body", `@${large}`, "--until", "2100-01-01T00:00:00Z");
    await runGood(...sign, "--body", '{"integer": "9007199254740993"}');
    const broker = `mqtt://${second.mqtt.host}:${second.mqtt.port}`;
    const output = await runGood("operation", "submit", "--as", path, "--broker", broker, "--wait");
    assert.match(output, /operation 1 of service 1 is sealed[\s\S]*operation 2 of service 1 is sealed/);
  });

  await t.test("the node that took it is killed, and it is submitted again", async () => {
    await runGood("operation", "sign", "--as", path, "--service", "dispatch", "--type", "768", "--body", `@${large}`);
    await runGood("operation", "submit", "--as", path, "--api", api);
    await first.kill();
    await first.start();
    const again = await runGood("operation", "submit", "--as", path, "--api", api, "--wait");
    assert.match(again, /^operation 0 of service 3 is sealed/m);
    assert.equal(await runGood("operation", "submit", "--as", path, "--api", api), "nothing waits\n");
  });

  await t.test("nobody else signs in a folder that is in use", async () => {
    await withParticipant(path, async () => {
      const other = await gridseal("operation", "sign", "--as", path, "--service", "1", "--type", "1", "--body", "1");
      assert.equal(other.status, 1);
      assert.match(other.errors, /another participant runs/);
    });
  });

  await t.test("what is no operation, or not permitted, is refused before a number is used", async () => {
    const sign = ["operation", "sign", "--as", path, "--service"];
    for (const [args, message] of [
      [["2", "--type", "1", "--body", "1"], /does not permit service 2/],
      [["1", "--type", "1", "--body", "0.5"], /no integer/],
      [["1", "--type", "0", "--body", "1"], /from 1 to 65535/],
      [["1", "--type", "1", "--body", "[[[[[[1]]]]]]"], /5 levels/],
      [["1", "--type", "1", "--body", JSON.stringify("x".repeat(65_536))], /larger than 65536|too long/],
    ] as const) {
      const { status, errors } = await gridseal(...sign, ...args);
      assert.notEqual(status, 0);
      assert.match(errors, message);
    }
    await withParticipant(path, async ({ outbox }) => assert.equal((await outbox(1)).outbox.next, 3));
  });

  await t.test("one that is refused is told, by either way, and holds up none behind it", async () => {
    const ahead_s = Math.floor(Date.now() / 1_000) + 7_200;
    await withParticipant(path, async ({ outbox, signer, kid }) => {
      await (await outbox(3)).sign(({ next, previous }) =>
        signOperation(
          { service: 3, serviceId: 0, seq: next, previous, time_s: ahead_s, quality: 2, type: 768, body: null },
          [],
          signer,
          kid,
        ),
      );
    });
    await runGood("operation", "sign", "--as", path, "--service", "dispatch", "--type", "768", "--body", "[2]");
    const broker = `mqtt://${second.mqtt.host}:${second.mqtt.port}`;
    for (const way of [
      ["--broker", broker],
      ["--api", api, "--wait"],
    ]) {
      const { status, output, errors } = await gridseal("operation", "submit", "--as", path, ...way);
      assert.equal(status, 1);
      assert.match(errors, /operation 1 of service 3 is refused: .*clock-far-off/);
      assert.match(output, /operation 2 of service 3 is (submitted|sealed)/);
    }
  });

  await whenEqual(network);
  await stopNodes(network);

  await t.test("a sealed operation is shown from a node's data and from an exported chain", async () => {
    const file = join(network.folder, "trading.chain");
    await runGood("chain", "export", "trading", "--data", join(first.folder, "data"), "-o", file);
    const sought = ["--participant", id, "--seq", "2"];
    const shown = await runGood("operation", "show", file, ...sought);
    assert.match(shown, /type 40001[\s\S]*\{"integer":"9007199254740993"\}/);
    const place = ["--service", "trading", "--data", join(first.folder, "data"), "--genesis", network.genesis];
    assert.equal(await runGood("operation", "show", ...place, ...sought), shown);
    const chain = await runGood("chain", "show", "1", file);
    assert.match(chain, new RegExp(`operation 0 of participant ${id}, type 40000`));
    const unknown = await gridseal("operation", "show", file, "--participant", id, "--seq", "9");
    assert.match(unknown.errors, /has no operation 9/);
  });

  const reports = await verifyChains(network);
  assert.deepEqual(
    reports.get(1)!.records.map(({ meter, seq }) => [meter, seq]),
    [0, 1, 2].map((seq) => [id, seq]),
  );
  assert.deepEqual(
    reports.get(3)!.records.map(({ seq }) => seq),
    [0, 2],
  );

  const genesis = await readFile(network.genesis);
  const kept = (await readdir(join(path, "operations"))).filter((name) => name.endsWith(".receipt.cbor"));
  assert.equal(kept.length, 5);
  for (const name of kept) {
    const operation = await readFile(join(path, "operations", name.replace("receipt", "operation")));
    const receipt = await readFile(join(path, "operations", name));
    const { hash } = parseOperation(Uint8Array.from(operation));
    assert.equal(verifyReceipt(genesis, receipt).record, toHex(hash), name);
  }
});
