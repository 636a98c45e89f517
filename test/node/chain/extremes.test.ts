// Numbers at their bounds through everything that is done with them: a member's temporary blocks are acknowledged, sealed, stored, read
// after a restart, audited and verified by the stranger; what is above a bound is refused, and the chain goes on.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Acknowledgement, acknowledgementBytes } from "../../../src/wire/batch.js";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { WireError } from "../../../src/wire/error.js";
import { auditChain } from "../../../tools/audit/audit.js";
import { GridsealError } from "../../../tools/errors.js";
import { makeBatch } from "../../../tools/ledger/compose.js";
import { executionRecord } from "../../../tools/ledger/record-scan.js";
import { decodeBatchNote, decodeFrame, encodeBatchNote, encodeFrame } from "../../../tools/node/chain/frame.js";
import { batches, storedBatches } from "../../../tools/node/chain/tables/batches.js";
import { blocks as blockTable } from "../../../tools/node/chain/tables/blocks.js";
import { blockKey, numberKey } from "../../../tools/node/store/keys.js";
import { openStore, openStoreReadOnly } from "../../../tools/node/store/open-store.js";
import { findDamage } from "../../../tools/node/store/repair.js";
import { verifyExport } from "../../wire/stranger.js";
import { createCluster, createMeter, makeRecord, SERVICE, type TestCluster } from "./cluster.js";

const LIAR = 3;
const hash = new Uint8Array(32);

/** Three correct nodes and the key of the fourth. */
async function withLiar(t: TestContext) {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await cluster.kill(LIAR);
  const liar = cluster.nodes[LIAR]!;
  const origin = fromHex(liar.id)!;
  /** the newest of each node, by temporary block */
  const acknowledged = new Map<string, Map<string, Acknowledgement>>();
  cluster.passes = (_from, to, bytes) => {
    const frame = decodeFrame(bytes)!;
    if (to !== LIAR || frame.kind !== "acknowledge") return true;
    const note = decodeBatchNote(frame.payload);
    const known = acknowledged.get(toHex(note.id)) ?? new Map<string, Acknowledgement>();
    for (const each of note.acknowledgements) known.set(toHex(each.node), each);
    acknowledged.set(toHex(note.id), known);
    return true;
  };
  const correct = cluster.nodes.slice(0, LIAR);
  const tell = (frame: Uint8Array) =>
    Promise.all(correct.map(({ chain }) => chain.onFrame(liar.id, decodeFrame(frame)!)));
  const sign = (bytes: Uint8Array) => liar.signer.sign(bytes);
  /** A temporary block of the liar's, accepted as soon as the others have acknowledged it. */
  const publish = async (number: number, claims: Partial<Parameters<typeof makeRecord>[2]> = {}) => {
    const meter = createMeter(cluster.authority);
    const seq = claims.seq ?? 0;
    const record = makeRecord(meter.signer, meter.kid, {
      previous: seq === 0 ? new Uint8Array(0) : hash,
      ...claims,
      seq,
    });
    const notices = [{ kind: "credential" as const, bytes: meter.credential }];
    const content = { chain: SERVICE, origin, number, notices };
    const read = makeBatch(cluster.genesis.hash, content, [executionRecord(record)], sign);
    await tell(encodeFrame("batch", SERVICE, read.bytes));
    const name = { origin, number, id: read.id };
    const message = acknowledgementBytes(cluster.genesis.hash, SERVICE, name, true);
    const own = { node: origin, signature: sign(message), verified: true };
    const others = () => [...(acknowledged.get(toHex(read.id))?.values() ?? [])];
    const isEnough = () => others().length >= 2 && others().some(({ verified }) => verified);
    await cluster.until(isEnough, `${number} is acknowledged`);
    const [first, second] = others().toSorted((left, right) => Number(right.verified) - Number(left.verified));
    const note = encodeBatchNote(name, [first!, second!, own]);
    await tell(encodeFrame("accepted", SERVICE, note));
  };
  return { cluster, correct, tell, publish, sign, origin };
}

/** Every correct node seals a record of a meter of node 0. */
async function goesOn(cluster: TestCluster, records: number): Promise<void> {
  const meter = await cluster.meter();
  assert.equal(await cluster.nodes[0]!.chain.admit(meter.next(), undefined), "admitted");
  const up = cluster.nodes.filter((node) => node.up);
  await cluster.until(() => up.every(({ chain }) => chain.head.records === records), `${records} records are sealed`);
}

test("a temporary block with the highest number, of a record with the highest number and time, is sealed, and life goes on", async (t) => {
  const { cluster, publish } = await withLiar(t);
  await publish(2 ** 40, { seq: 2 ** 31, time_s: 2 ** 32 });
  await goesOn(cluster, 2);
  await publish(2 ** 48 - 1, { seq: 2 ** 32 - 2, time_s: 2 ** 42 - 1, serviceId: 2 ** 53 - 1, errors: 2 ** 53 - 1 });
  await goesOn(cluster, 4);
  for (const index of [0, 1]) {
    await cluster.kill(index);
    await cluster.restart(index);
  }
  await goesOn(cluster, 5);
  const { chain, path } = cluster.nodes[0]!;
  const store = openStoreReadOnly(path);
  t.after(() => store.close());
  const blocks = Array.from(
    { length: chain.head.height },
    (_, index) => store.get(blockTable, blockKey(SERVICE, index + 1))!,
  );
  const open = async function* () {
    yield* blocks;
  };
  const report = await auditChain(cluster.genesis, cluster.genesis.chains[0]!, open);
  assert.deepEqual([report.firstProblem, report.records], [undefined, 5]);
  assert.equal(verifyExport(cluster.genesisBytes, Buffer.concat(blocks)).records.length, 5);
});

test("the node whose earlier self has used up all numbers turns meters away, and the others seal", async (t) => {
  const { cluster, publish } = await withLiar(t);
  await publish(2 ** 48 - 1);
  await goesOn(cluster, 2);
  await cluster.restart(LIAR, true);
  const liar = cluster.nodes[LIAR]!;
  await cluster.until(() => liar.chain.head.records === 2, "it has caught up");
  const meter = await cluster.meter();
  const record = meter.next();
  assert.equal(await liar.chain.admit(record, undefined), "busy");
  assert.equal(await cluster.nodes[1]!.chain.admit(record, undefined), "admitted");
  await cluster.until(() => liar.chain.head.records === 3, "another node's is sealed");
});

test("frames with a number above its bound are dropped, and the chain goes on", async (t) => {
  const { cluster, correct, origin } = await withLiar(t);
  const liar = toHex(origin);
  const id = new Uint8Array(32);
  for (const number of [2 ** 48, 2 ** 53 - 1]) {
    const batch = encodeCbor([SERVICE, origin, number, [], [Uint8Array.of(1)], new Uint8Array(64)]);
    const note = encodeCbor([origin, number, id, [[origin, new Uint8Array(64)]]]);
    const payloads = [
      ["batch", batch],
      ["acknowledge", note],
      ["accepted", note],
      ["needBatch", encodeCbor([origin, number, id, []])],
      ["needBlocks", encodeCbor([number])],
      ["needBody", encodeCbor([number, id])],
      ["body", encodeCbor([number, id, Uint8Array.of(1)])],
      ["consensus", encodeCbor([7, number])],
      ["consensus", encodeCbor([3, number, 0, null, origin, new Uint8Array(64)])],
      ["consensus", encodeCbor([6, number, id, [0, []]])],
    ] as const;
    for (const { chain } of correct) {
      for (const [kind, payload] of payloads) {
        await assert.rejects(chain.onFrame(liar, { kind, chain: SERVICE, payload }), WireError, `${kind} ${number}`);
      }
    }
  }
  await goesOn(cluster, 1);
});

test("a stored temporary block that is none any more is let go of at the next start", async (t) => {
  const { cluster, origin } = await withLiar(t);
  await goesOn(cluster, 1);
  const node = cluster.nodes[0]!;
  const number = 2 ** 53 - 1;
  const bytes = encodeCbor([SERVICE, origin, number, [], [Uint8Array.of(1)], new Uint8Array(64)]);
  await node.store.write((writer) => writer.put(batches, numberKey(SERVICE, origin, number), bytes));
  await cluster.kill(0);
  await cluster.restart(0);
  await goesOn(cluster, 2);
  await cluster.until(
    () => storedBatches(node.store, SERVICE).every((stored) => stored.number !== number),
    "its row is gone",
  );
});

test("a block that was written without what belongs to it keeps the node from starting, and is damage to a repair", async (t) => {
  const { cluster } = await withLiar(t);
  await goesOn(cluster, 1);
  const node = cluster.nodes[0]!;
  const { height } = node.chain.head;
  const owner = { node: fromHex(node.id)!, genesisHash: cluster.genesis.hash };
  await cluster.kill(0);
  assert.equal(await findDamage(node.path, owner, cluster.genesis), undefined);
  const store = await openStore(node.path, owner, true);
  await store.write((writer) =>
    writer.put(blockTable, blockKey(SERVICE, height + 1), store.get(blockTable, blockKey(SERVICE, height))!),
  );
  await store.close();
  const expected = new RegExp(`block ${height + 1}.* is there, and what belongs to it is not`);
  assert.match((await findDamage(node.path, owner, cluster.genesis)) ?? "", expected);
  await assert.rejects(cluster.restart(0), (error) => {
    assert.ok(error instanceof GridsealError && error.code === "STORE_CORRUPT");
    assert.match(error.message, expected);
    return true;
  });
});
