// What a meter confides, with real nodes and a meter in XS: it stands in no block, temporary block, store, log or answer; who has a grant
// opens it with f + 1 custodians and not with f; what no rule allows is a breach with the ID of who asked; a withdrawal ends delivery.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { decodeBlock } from "../../src/wire/block.js";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { decodeReceipt, verifyReceipt } from "../../src/wire/receipt.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { withParticipant } from "../../tools/files/operations/participant-folder.js";
import { decodeResults } from "../../tools/ledger/violations.js";
import { independentSequence } from "../wire/independent-cbor.js";
import { type AccessNetwork, apiOf, dayText, openAccess, runGood, SERVICE } from "./access-network.js";
import { stopNodes, type TestNetwork, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, type Defer, gridseal, gridsealJson, until } from "./processes.js";

interface Opened {
  readonly meter: string;
  readonly seq: number;
  readonly label: string;
  readonly obis: string;
  readonly time: string;
  readonly value: number;
  readonly scaler: number;
  readonly height: number;
  readonly record: string;
  readonly disclosure: string;
}

interface Summed {
  readonly time: string;
  readonly seconds: number;
  readonly count: number;
  readonly sum: string | null;
}

const linesIn = <Line>(output: string): Line[] =>
  output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

test("a meter's confidence is opened by f + 1 custodians on a sealed grant, and by nobody else", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const access = await openAccess(defer, {
    anna: "customer",
    study: "researcher",
    keeper: "metered-data-administrator",
    stray: "supplier",
  });
  const { network, meterId, say, open, idOf } = access;
  const { folder, genesis } = network;
  const apis = network.nodes.map(apiOf);
  const [first] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  const api = apis[1]!;
  const told = listenTo(defer, `${apis[0]}/events`);
  const meter = access.startMeter();
  await access.sealed(first, 5);

  await runGood("access", "key", "--as", join(folder, "study"));
  await runGood("access", "key", "--as", join(folder, "stray"));
  const period = ["--meter", meterId, "--from", dayText(0), "--until", dayText(1)];
  await say("keeper", "subject", "--meter", meterId, "--participant", await idOf("anna"), "--from", dayText(0));
  const need = await say("study", "need", "--purpose", "AcademicResearch", "--days", "31", "--text", "evening peaks");
  const asked = await say("study", "request", "--need", need.name, ...period);
  assert.match(asked.sealed, /done by access/);

  await t.test("a request alone opens nothing", async () => {
    const { status, errors } = await open(asked.name, apis);
    assert.equal(status, 1, errors);
    assert.match(errors, /No grant .* is in force/);
  });

  await t.test("what no rule allows is denied, and a breach that names who asked", async () => {
    const stray = await say("stray", "request", "--need", need.name, ...period);
    assert.match(stray.sealed, /denied by access: role/);
    const false_ = await say("stray", "consent", asked.name);
    assert.match(false_.sealed, /denied by access: not-subject/);
    await withdrawsInVain(join(folder, "stray"), asked.name, api);
    const { violations } = (await gridsealJson("violation", "list", "--api", api)) as {
      readonly violations: readonly { readonly subject: string; readonly rule: string }[];
    };
    const strayId = await idOf("stray");
    assert.deepEqual(
      violations.map(({ subject, rule }) => [subject, rule]),
      [
        [strayId, "access/not-subject"],
        [strayId, "access/not-subject"],
        [strayId, "access/role"],
      ],
    );
  });

  const consent = await say("anna", "consent", asked.name);
  assert.match(consent.sealed, /done by access/);
  const listed = await runGood("access", "list", "--service", SERVICE, "--api", api);
  assert.match(listed, new RegExp(`^${asked.name}  accepted  consent  AcademicResearch  ${meterId}`, "m"));
  await listsWhatConcerns(join(folder, "anna"), { request: asked.name, meter: meterId, api });

  let opened: readonly Opened[] = [];
  await t.test("f + 1 custodians open it, with values that receipts prove", async () => {
    const { status, output, errors } = await open(asked.name, apis.slice(0, 2));
    assert.equal(status, 0, errors);
    opened = linesIn<Opened>(output);
    assert.ok(opened.length >= 5, output);
    const read = (await readGenesisFile(genesis)).genesis;
    for (const { meter: of, label, obis, record, height, seq } of opened) {
      assert.equal(of, meterId, obis);
      assert.ok(["power", "phases"].includes(label), label);
      const answer = await fetch(`${apis[3]}/receipts/${SERVICE}/${of}/${seq}`);
      const receipt = decodeReceipt(new Uint8Array(await answer.arrayBuffer()));
      verifyReceipt(receipt, read, nodeVerify);
      assert.deepEqual([toHex(receipt.recordHash), receipt.height], [record, height]);
    }
  });

  await t.test("other custodians open the same, and f open nothing", async () => {
    const others = await open(asked.name, apis.slice(2));
    assert.equal(others.status, 0, others.errors);
    for (const one of apis) {
      const alone = await open(asked.name, [one]);
      assert.equal(alone.status, 1, alone.output);
      assert.match(alone.errors, /too few custodians gave their shares/);
    }
  });

  await t.test(
    "sums over a group are those that f + 1 custodians have signed alike, and a grant of them opens no value",
    () => summed(access, asked.name),
  );

  await t.test("one that does not answer holds nobody up", async () => {
    await first.stop();
    const { status, errors } = await open(asked.name, apis);
    assert.equal(status, 0, errors);
    await first.start();
  });

  await meter.stop();
  await t.test("after a withdrawal nothing is delivered any more", async () => {
    await say("anna", "withdraw", asked.name);
    await whenEqual(network);
    const { status, errors } = await open(asked.name, apis);
    assert.equal(status, 1);
    assert.match(errors, /No grant .* is in force/);
  });

  const doors = [...(await behindDoors(network, meterId)), { door: "events", bytes: told() }];
  await stopNodes(network);
  await t.test("salts, labels and keys stand in no store, no log, no export and no answer", () =>
    assertHidden(network, opened, doors),
  );
  await verifyChains(network);
});

/** Sums over a group of one meter, which this chain lets be one, beside what a grant of its values opens. */
async function summed({ network, meterId, say, open }: AccessNetwork, request: string): Promise<void> {
  const apis = network.nodes.map(apiOf);
  await say("keeper", "group", "homes", "--kind", "residential", "--meter", meterId);
  const peaks = await say("study", "need", "--purpose", "PublicStatistics", "--days", "31", "--text", "evening peaks");
  const power = ["--group", "homes", "--register", "1-0:1.7.0", "--unit", "27"];
  const days = ["--from", dayText(0), "--until", dayText(1)];
  const { name, sealed } = await say("study", "request", "--need", peaks.name, ...power, ...days);
  assert.match(sealed, /done by access/);
  let sums: readonly Summed[] = [];
  await until("a slot has a sum", async () => {
    const { status, output, errors } = await open(name, apis);
    if (status === 0) sums = linesIn<Summed>(output).filter(({ sum }) => sum !== null);
    else assert.match(errors, /custodians|no slot yet/);
    return sums.length > 0;
  });
  const values = linesIn<Opened>((await open(request, apis)).output).filter(({ obis }) => obis.startsWith("1-0:1.7.0"));
  for (const { time, seconds, count, sum } of sums) {
    const begin_ms = Date.parse(time);
    const read = values.filter((value) => {
      const passed_ms = Date.parse(value.time) - begin_ms;
      return passed_ms >= 0 && passed_ms < 1_000 * seconds;
    });
    const watts = read.map(({ value, scaler }) => value * 10 ** scaler);
    assert.equal(count, 1, "one meter");
    const isBetween = Number(sum) >= Math.min(...watts) - 1 && Number(sum) <= Math.max(...watts) + 1;
    assert.ok(isBetween, `${time}: ${sum} of ${watts.join(", ")}`);
  }
  const alone = await open(name, apis.slice(0, 1));
  assert.equal(alone.status, 1, alone.output);
  assert.match(alone.errors, /work for .*, and 2 must/);
  const shares = await fetch(
    `${apis[0]}/chains/${SERVICE}/grants/${name}/days/${Math.floor(Date.now() / 86_400_000)}/shares`,
  );
  assert.equal(shares.status, 403, "no share is delivered on it");
}

/** What is denied ends the command with 1, and is JSON all the same. */
async function withdrawsInVain(folder: string, request: string, api: string): Promise<void> {
  const who = ["--as", folder, "--service", SERVICE];
  await gridsealJson("access", "withdraw", request, ...who);
  const { status, output } = await gridseal("operation", "submit", ...who, "--api", api, "--wait", "--json");
  assert.equal(status, 1, output);
  const [{ result }] = JSON.parse(output) as [{ readonly result: string }];
  assert.equal(result, "denied");
}

/** Also while somebody signs in the folder. */
async function listsWhatConcerns(
  folder: string,
  { request, meter, api }: Readonly<Record<"request" | "meter" | "api", string>>,
): Promise<void> {
  const mine = ["--mine", folder, "--service", SERVICE, "--api", api];
  const listed = await withParticipant(folder, () => runGood("access", "list", ...mine));
  assert.match(listed, new RegExp(`you are the subject of meter ${meter}`));
  assert.match(listed, new RegExp(`asks for AcademicResearch, "evening peaks"[^]*access withdraw ${request} --as`));
}

interface Door {
  readonly door: string;
  readonly bytes: Buffer;
}

/** What is told from here on; nobody waits for its end. */
function listenTo(defer: Defer, url: string): () => Buffer {
  const chunks: Uint8Array[] = [];
  const aborting = new AbortController();
  defer(async () => aborting.abort());
  void (async () => {
    const { body } = await fetch(url, { signal: aborting.signal });
    for await (const chunk of body!) chunks.push(chunk);
  })().catch(() => undefined);
  return () => Buffer.concat(chunks);
}

/** What a running node tells: its answers, errors among them, rows and headers of its chain, a copy of its store. */
async function behindDoors({ folder, nodes, genesis }: TestNetwork, meterId: string): Promise<readonly Door[]> {
  const [node] = nodes as [TestNode];
  const api = apiOf(node);
  const chain = `/chains/${SERVICE}`;
  const paths = [
    ...["/metrics", "/health", "/chains", "/orders", "/violations", "/nowhere", `${chain}/holders`, `${chain}/lineage`],
    ...[`${chain}/blocks`, `${chain}/records/${meterId}`, `/receipts/${SERVICE}/${meterId}/0`, `${chain}/blocks/0`],
    ...[`${chain}/state/access`, `${chain}/grants/${"11".repeat(8)}-1`, `${chain}/erasures/${meterId}`],
  ];
  const doors: Door[] = [];
  for (const path of paths) {
    const answer = await fetch(api + path);
    doors.push({ door: path, bytes: Buffer.from(await answer.arrayBuffer()) });
  }
  const files = [
    { name: "dispatch.public", args: ["--public"] },
    { name: "dispatch.csv", args: ["--format", "csv"] },
    { name: "dispatch.jsonl", args: ["--format", "jsonl"] },
  ];
  for (const { name, args } of files) {
    const file = join(folder, name);
    await runGood("chain", "export", SERVICE, ...args, "--api", api, "-o", file);
    doors.push({ door: name, bytes: await readFile(file) });
  }
  const copy = join(folder, "copy");
  await runGood("backup", join(node.folder, "node.json"), copy);
  for (const name of await readdir(copy))
    doors.push({ door: `backup ${name}`, bytes: await readFile(join(copy, name)) });
  const { status, errors } = await gridseal("chain", "audit", join(folder, "dispatch.public"), "--genesis", genesis);
  assert.equal(status, 3, errors);
  assert.match(errors, /what the blocks hold is not in the file/);
  const { bytes } = doors.find(({ door }) => door === "dispatch.public")!;
  assert.ok(!bytes.includes(Buffer.from(fromHex(meterId)!)), "nor which meters there are, in what strangers may have");
  return doors;
}

/** What the meter has confided, and the keys of those who keep it, are searched for in all that nodes have left, as bytes, hex and base64. */
async function assertHidden(
  { folder, nodes }: TestNetwork,
  opened: readonly Opened[],
  doors: readonly Door[],
): Promise<void> {
  const salts = opened.map(({ disclosure }) => fromHex(disclosure)!.subarray(2, 18));
  assert.ok(salts.length >= 5, "salts to look for");
  const keys = await Promise.all(
    nodes.map(async ({ folder: of }) => {
      const name = (await readdir(of)).find((each) => each.endsWith(".custody"))!;
      const { secret } = JSON.parse(await readFile(join(of, name), "utf8")) as { readonly secret: string };
      return fromHex(secret)!;
    }),
  );
  const planted = [...salts, ...keys, ...["phases", "evening"].map((text) => new TextEncoder().encode(text))];
  const [need] = planted.splice(-1); // which is public, and shows that the search finds something
  const file = join(folder, "dispatch.chain");
  await runGood("chain", "export", SERVICE, "--data", join(nodes[0]!.folder, "data"), "-o", file);
  const exported = await readFile(file);
  assert.ok(exported.includes(Buffer.from(need!)), "the need's text is in the export");
  const stores = await Promise.all(nodes.map((node) => readFile(join(node.folder, "data", "data.mdb"))));
  const logs = nodes.map((node) => Buffer.from(`${node.process?.output ?? ""}${node.process?.errors ?? ""}`));
  assert.ok(doors.find(({ door }) => door === "events")!.bytes.length > 0, "something was told");
  const places = [
    { door: "export", bytes: exported },
    ...stores.map((bytes, index) => ({ door: `store ${index}`, bytes })),
    ...logs.map((bytes, index) => ({ door: `log ${index}`, bytes })),
    ...doors,
  ];
  for (const { door, bytes: place } of places) {
    for (const secret of planted) {
      const bytes = Buffer.from(secret);
      const forms = [bytes, Buffer.from(bytes.toString("hex")), Buffer.from(bytes.toString("base64").slice(0, -4))];
      for (const form of forms) assert.ok(!place.includes(form), `${bytes.toString("hex")} behind ${door}`);
    }
  }
  const breaches = independentSequence(exported).flatMap((bytes) => {
    return decodeResults(decodeBlock(bytes).results).violations.map((each) =>
      each.kind === "contract" ? each.name : each.kind,
    );
  });
  assert.deepEqual(breaches, ["role", "not-subject", "not-subject"]);
}
