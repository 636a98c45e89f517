// Days that were erased by an order, on real nodes, by the commands that people use: no node's raw file has anything of them, no backup
// from then on, and a copy of before loses them as its node starts. What is of other days stays.

import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parseEnvelope } from "../../src/wire/envelope.js";
import { verifyReceipt } from "../../src/wire/receipt.js";
import { encodeDisclosure } from "../../src/wire/record.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { sealedDisclosures } from "../../tools/node/chain/tables/sealed-disclosures.js";
import { envelopes } from "../../tools/node/disclosures/tables/envelopes.js";
import { PAGES_FILE } from "../../tools/node/store/lmdb.js";
import { openStoreReadOnly } from "../../tools/node/store/open-store.js";
import { type AccessNetwork, apiOf, dayText, openAccess, runGood, SERVICE } from "./access-network.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, until } from "./processes.js";

const DAY_S = 86_400;
const YESTERDAY = Math.floor(Date.now() / 1_000 / DAY_S) - 1;
/** Records of yesterday, and of today. */
const RECORDS = [6, 3] as const;

interface Opened {
  readonly time: string;
  readonly value: number;
}

test("what is erased is in no store, no backup, and in no copy of before once that is in use", {
  timeout: 500_000,
}, async (t) => {
  const defer = cleanUp(t);
  const access = await openAccess(defer, {
    study: "researcher",
    keeper: "metered-data-administrator",
    officer: "permission-administrator",
  });
  const { network, say, open } = access;
  const { folder, nodes, genesis } = network;
  const apis = nodes.map(apiOf);
  const everywhere = apis.flatMap((api) => ["--api", api]);
  const now_s = Math.floor(Date.now() / 1_000);
  const meter = makeMeter(network, { notBefore_s: now_s - 3 * DAY_S });
  const session = await connectMeter(defer, network, meter, nodes[0]!.mqtt);
  await session.bear();
  const [ofYesterday, ofToday] = RECORDS.map((count, day) =>
    Array.from({ length: count }, (_, at) => {
      const hidden = encodeDisclosure({
        ...{ salt: crypto.getRandomValues(new Uint8Array(16)), label: "power" },
        registers: [{ obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 1_000 * day + at, scaler: 0, unit: 27 }],
      });
      const time_s = day === 0 ? YESTERDAY * DAY_S + 40_000 + at : now_s + at;
      return meter.record({ service: Number(SERVICE), time_s }, [hidden]);
    }),
  ) as [Uint8Array[], Uint8Array[]];
  for (const record of [...ofYesterday, ...ofToday]) {
    await session.send(record, Number(SERVICE));
    await session.receiptOf(record);
  }
  await runGood("access", "key", "--as", join(folder, "study"));
  const { single, group } = await asked(access, meter.id);
  const openedBy = async (): Promise<readonly Opened[]> => {
    const { status, output, errors } = await open(single, apis);
    assert.equal(status, 0, errors);
    return output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Opened);
  };
  assert.equal((await openedBy()).length, RECORDS[0] + RECORDS[1]);
  await until("sums are had of both days", async () => (await open(group, apis)).status === 0);

  await whenEqual(network);
  const copies = nodes.map(({ name }) => join(folder, `${name}-before`));
  for (const [at, node] of nodes.entries()) await runGood("backup", join(node.folder, "node.json"), copies[at]!);
  const secrets = (await Promise.all(copies.map((copy) => keptOf(copy, network.genesisHash)))).flat();
  assert.ok(secrets.length >= 4 * (2 + RECORDS[0]), `${secrets.length} secrets to look for`);
  const foundIn = async (path: string) => {
    const file = await readFile(join(path, PAGES_FILE));
    return secrets.filter((secret) => file.includes(Buffer.from(secret))).length;
  };
  const dataOf = (node: TestNode) => join(node.folder, "data");
  for (const node of nodes) assert.ok((await foundIn(dataOf(node))) > RECORDS[0], "the search finds what is there");

  const period = ["--meter", meter.id, "--from", dayText(-1), "--until", dayText(0)];
  const order = await say("officer", "erase", ...period, "--reason", "order 7 of the court", "--api", apis[0]!);
  assert.match(order.sealed, /done by access/);
  const asOfficer = ["--as", join(folder, "officer"), "--service", SERVICE, "--meter", meter.id];
  const certified = async (...where: readonly string[]) => {
    const { status, output } = await gridseal("access", "erased", ...asOfficer, ...where);
    const said = output.split("\n").filter((line) => line.includes(`meter ${meter.id}`));
    return status === 0 && said.every((line) => / 1 envelopes, 6 records' disclosures$/.test(line)) ? said.length : 0;
  };
  await t.test("each member has signed that, and what it has signed is the certificate", async () => {
    await until("all have stated it", async () => (await certified(...everywhere)) === nodes.length);
    const file = join(folder, "erased.cbor");
    await runGood("access", "erased", ...asOfficer, ...everywhere, "-o", file);
    const checked = await runGood("access", "certificate", file, "--genesis", genesis);
    for (const { name } of nodes) assert.match(checked, new RegExp(`^${name} .*${order.name}`, "m"));
    assert.doesNotMatch(checked, /have not stated/);
    const part = join(folder, "part.cbor");
    await runGood("access", "erased", ...asOfficer, ...everywhere.slice(2), "-o", part);
    assert.match(await runGood("access", "certificate", part, "--genesis", genesis), /has not stated it, and may keep/);
  });

  await t.test("it is delivered no more, and sums of that day are withheld; other days are as before", async () => {
    const left = await openedBy();
    assert.deepEqual(left.map(({ value }) => value).sort(), [1_000, 1_001, 1_002]);
    const { status, output, errors } = await open(group, apis);
    assert.equal(status, 0, errors);
    assert.match(errors, /A meter of the group has no such day any more/);
    assert.ok(!output.includes(dayText(-1)), "no slot of the erased day");
  });

  await session.close();
  await stopNodes(network);
  for (const node of nodes) await node.start();
  const after = join(folder, "after");
  await runGood("backup", join(nodes[0]!.folder, "node.json"), after);
  await t.test("no byte of it is in a raw file, once a node has started again, nor in a backup", async () => {
    for (const node of nodes) assert.equal(await foundIn(dataOf(node)), 0, node.name);
    assert.equal(await foundIn(after), 0, "backup");
    assert.equal((await openedBy()).length, RECORDS[1]);
  });

  await t.test("a copy of before loses it as its node starts, and once more in its pages", async () => {
    const last = nodes.at(-1)!;
    await last.stop();
    await rm(dataOf(last), { recursive: true });
    await runGood("restore", join(last.folder, "node.json"), copies.at(-1)!);
    assert.ok((await foundIn(dataOf(last))) > RECORDS[0], "the copy has it");
    await last.start();
    await until("it has stated that again", async () => (await certified("--api", apiOf(last))) === 1);
    await whenEqual(network);
    await last.stop();
    await last.start();
    assert.equal(await foundIn(dataOf(last)), 0);
  });

  await t.test("receipts of erased readings prove what they did", async () => {
    const read = (await readGenesisFile(genesis)).genesis;
    assert.ok(session.receipts.length >= RECORDS[0] + RECORDS[1]);
    for (const receipt of session.receipts) verifyReceipt(receipt, read, nodeVerify);
  });
  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});

/** What `study` asks for by law: the meter's values, and sums over a group that it is alone in. */
async function asked({ say }: AccessNetwork, meter: string) {
  const need = await say("study", "need", "--purpose", "PublicStatistics", "--days", "31", "--text", "evening peaks");
  const days = ["--from", dayText(-1), "--until", dayText(1)];
  const single = await say("study", "request", "--need", need.name, "--meter", meter, ...days);
  assert.match(single.sealed, /done by access/);
  await say("keeper", "group", "homes", "--kind", "residential", "--meter", meter);
  const power = ["--group", "homes", "--register", "1-0:1.7.0", "--unit", "27"];
  const group = await say("study", "request", "--need", need.name, ...power, ...days);
  assert.match(group.sealed, /done by access/);
  return { single: single.name, group: group.name };
}

/** Ciphertexts and sealed shares of yesterday in a copy of a store. */
async function keptOf(copy: string, genesisHash: Uint8Array): Promise<readonly Uint8Array[]> {
  const store = openStoreReadOnly(copy);
  try {
    const rows = store
      .range(envelopes, {})
      .filter(({ row }) => parseEnvelope(genesisHash, row.bytes).day === YESTERDAY);
    const ids = rows.map(({ row }) => Buffer.from(parseEnvelope(genesisHash, row.bytes).id));
    const sealed = store.range(sealedDisclosures, {}).filter(({ row }) => ids.some((id) => id.equals(row.envelope)));
    const shares = rows.flatMap(({ row }) =>
      row.shares.flatMap((share) => [share.sealed.enc, share.sealed.ciphertext]),
    );
    return [...shares, ...sealed.map(({ row }) => row.ciphertext)].map((bytes) => Uint8Array.from(bytes));
  } finally {
    await store.close();
  }
}
