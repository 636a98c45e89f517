import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { GridsealError } from "../../../tools/errors.js";
import { emptyMeterState } from "../../../tools/ledger/state.js";
import { checkRows } from "../../../tools/node/store/check.js";
import type { TableName } from "../../../tools/node/store/codecs.js";
import { chainRange, numberKey } from "../../../tools/node/store/keys.js";
import { openStore, openStoreReadOnly, type Store } from "../../../tools/node/store/store.js";
import { openTables } from "../../../tools/node/store/tables.js";
import type { Writer } from "../../../tools/node/store/writer.js";

const owner = { node: new Uint8Array(8).fill(1), genesisHash: new Uint8Array(32).fill(2) };
const kid = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const head = {
  height: 3,
  headerHash: new Uint8Array(32).fill(7),
  counter: 1,
  time_ms: 1_700_000_000_123,
  records: 2 ** 40,
  judgedAt: 7,
};

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "gridseal-store-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "data");
}

test("touches nothing once it is told to close: what is under way becomes durable, reads and writes are refused", async (t) => {
  const path = folder(t);
  const store = await openStore(path, owner, false);
  await store.write((writer) => writer.putBatch(1, { origin: kid, number: 1, bytes: kid }));
  const written = store.write((writer) => writer.putHead(1, head));
  const closing = store.close();
  const refuseAll = async () => {
    const reads = [
      () => store.head(1),
      () => store.meter(1, kid),
      () => store.location(1, kid, 1),
      () => store.batches(1),
      () => store.orders(),
    ];
    for (const read of reads) assert.throws(read, { code: "STORE_CLOSED" });
    await assert.rejects(
      store.write(() => assert.fail("nothing is filled")),
      { code: "STORE_CLOSED" },
    );
  };
  await refuseAll();
  await written;
  await refuseAll();
  await closing;
  await refuseAll();
  await store.close();
  await new Promise((resolve) => setTimeout(resolve, 20)); // the library's own timers
  const again = await openStore(path, owner, false);
  assert.deepEqual(again.head(1), head);
  await again.close();
});

test("keeps every kind of row over a restart, chain by chain", async (t) => {
  const path = folder(t);
  const store = await openStore(path, owner, false);
  const bytes = Uint8Array.of(9, 8, 7);
  await store.write((writer) => {
    writer.putHead(1, head);
    writer.putBlock(1, 3, bytes);
    writer.putRun(1, { kid, first: 2 ** 52, height: 3, leaves: [70_000] });
    writer.putMeter(1, kid, { ...emptyMeterState, high: 5, gaps: [[1, 2]] });
    writer.putOrigin(1, kid, { next: 4, beyond: [6, 9] });
    writer.putCredential(0, kid, bytes);
    writer.putConsensus(1, bytes);
    writer.putBatch(1, { origin: kid, number: 2 ** 50, bytes });
    writer.putAcceptance(1, kid, 2 ** 50, bytes);
    writer.putAdmitted(1, kid, 6, bytes);
    writer.putDisclosures(1, kid, 6, bytes);
  });
  await store.close();
  const again = await openStore(path, owner, false);
  t.after(() => again.close());
  assert.deepEqual(again.head(1), head);
  assert.deepEqual(new Uint8Array(again.block(1, 3)!), bytes);
  assert.deepEqual(again.location(1, kid, 2 ** 52), { height: 3, leaf: 70_000 });
  assert.deepEqual(again.meter(1, kid), { ...emptyMeterState, high: 5, gaps: [[1, 2]] });
  assert.deepEqual(again.origin(1, kid), { next: 4, beyond: [6, 9] });
  assert.deepEqual(new Uint8Array(again.credential(0, kid)!), bytes);
  assert.deepEqual(new Uint8Array(again.consensus(1)!), bytes);
  const [batch] = again.batches(1);
  assert.deepEqual(batch?.origin, kid);
  assert.equal(batch?.number, 2 ** 50);
  assert.deepEqual(new Uint8Array(batch!.acceptance!), bytes);
  assert.deepEqual(
    again.admitted(1).map((row) => new Uint8Array(row)),
    [bytes],
  );
  assert.deepEqual(new Uint8Array(again.disclosures(1, kid, 6)!), bytes);
  for (const other of [0, 2]) {
    assert.equal(again.head(other), undefined);
    assert.deepEqual(again.batches(other), []);
    assert.deepEqual(again.admitted(other), []);
  }
});

test("a write that throws leaves nothing behind, not what it had put and not what others write beside it", async (t) => {
  const path = folder(t);
  const store = await openStore(path, owner, false);
  const bytes = Uint8Array.of(1, 2, 3);
  const before = store.write((writer) => writer.putBlock(1, 1, bytes));
  const unencodable = store.write((writer) => {
    writer.putBlock(1, 2, bytes);
    writer.putMeter(1, kid, { ...emptyMeterState, high: 9 });
    writer.putOrigin(1, kid, { next: 2 ** 53, beyond: [] });
  });
  const failed = assert.rejects(unencodable, /9007199254740992/);
  const throwing = store.write((writer) => {
    writer.putHead(1, head);
    throw new Error("the filling failed");
  });
  const thrown = assert.rejects(throwing, /the filling failed/);
  const behind = store.write((writer) => writer.putBlock(1, 3, bytes));
  await Promise.all([before, failed, thrown, behind]);
  await store.write((writer) => writer.putBlock(1, 4, bytes));
  const check = (read: Store) => {
    assert.deepEqual(
      [1, 2, 3, 4].map((height) => read.block(1, height) !== undefined),
      [true, false, true, true],
    );
    assert.equal(read.meter(1, kid), undefined);
    assert.equal(read.head(1), undefined);
  };
  check(store);
  await store.close();
  const again = await openStore(path, owner, false);
  t.after(() => again.close());
  check(again);
});

test("removes a temporary block together with its acceptance", async (t) => {
  const store = await openStore(folder(t), owner, false);
  t.after(() => store.close());
  await store.write((writer) => {
    writer.putBatch(1, { origin: kid, number: 1, bytes: kid });
    writer.putAcceptance(1, kid, 1, kid);
  });
  await store.write((writer) => writer.deleteBatch(1, kid, 1));
  await store.write((writer) => writer.putBatch(1, { origin: kid, number: 1, bytes: kid }));
  assert.equal(store.batches(1)[0]?.acceptance, undefined);
});

test("refuses a folder of another node or network", async (t) => {
  const path = folder(t);
  await (await openStore(path, owner, false)).close();
  for (const other of [
    { ...owner, node: new Uint8Array(8) },
    { ...owner, genesisHash: new Uint8Array(32) },
  ]) {
    await assert.rejects(openStore(path, other, false), { code: "STORE_FOREIGN" });
  }
  await (await openStore(path, owner, false)).close();
});

test("knows for ever that it was made for a key that has signed before", async (t) => {
  const path = folder(t);
  const made = await openStore(path, owner, true);
  assert.equal(made.isReplaced, true);
  await made.close();
  const again = await openStore(path, owner, true);
  assert.equal(again.isReplaced, true);
  await again.close();
  const other = join(path, "other");
  await (await openStore(other, owner, false)).close();
  const kept = await openStore(other, owner, true);
  t.after(() => kept.close());
  assert.equal(kept.isReplaced, false);
});

test("is read beside the node that writes it", async (t) => {
  const path = folder(t);
  const store = await openStore(path, owner, false);
  t.after(() => store.close());
  await store.write((writer) => writer.putHead(1, head));
  const reader = openStoreReadOnly(path);
  assert.deepEqual(reader.head(1), head);
  await reader.close();
});

test("refuses to read a folder that is none", (t) => {
  assert.throws(() => openStoreReadOnly(folder(t)), { code: "FILE_UNREADABLE" });
});

test("refuses a file that is no store, and overwrites nothing", async (t) => {
  const path = folder(t);
  await (await openStore(path, owner, false)).close();
  const file = join(path, "data.mdb");
  const text = "this is not a database".repeat(1_000);
  writeFileSync(file, text);
  await assert.rejects(openStore(path, owner, false), { code: "STORE_CORRUPT", message: /is no database/ });
  assert.equal(readFileSync(file, "utf8"), text);
});

test("refuses a store that lost its end", async (t) => {
  const path = folder(t);
  const store = await openStore(path, owner, false);
  await store.write((writer) => writer.putBlock(1, 1, new Uint8Array(100_000)));
  await store.close();
  const file = join(path, "data.mdb");
  truncateSync(file, statSync(file).size - 4_096);
  await assert.rejects(openStore(path, owner, false), { code: "STORE_CORRUPT", message: /truncated/ });
});

const id = new Uint8Array(8).fill(7);
const outline = { header: new Uint8Array(80), certificate: { round: 0, signatures: [] }, metadata: id, hashes: [] };

/** A row of each table: what writes it, what reads it, and what the error calls it. */
const rows: Record<TableName, readonly [(writer: Writer) => void, (store: Store) => unknown, RegExp]> = {
  meta: [() => {}, () => {}, /its owner/],
  heads: [(writer) => writer.putHead(1, head), (store) => store.head(1), /head of chain 1/],
  blocks: [(writer) => writer.putBlock(1, 1, new Uint8Array(99)), (store) => store.block(1, 1), /block 1 of chain 1/],
  outlines: [(writer) => writer.putOutline(1, 1, outline), (store) => store.outline(1, 1), /outline of block 1/],
  index: [
    (writer) => writer.putRun(1, { kid: id, first: 0, height: 1, leaves: [1] }),
    (store) => store.location(1, id, 0),
    /index of meter 0707/,
  ],
  meters: [
    (writer) => writer.putMeter(1, id, { high: 0, head: new Uint8Array(32), gaps: [], forks: [] }),
    (store) => store.meter(1, id),
    /state of meter 0707/,
  ],
  origins: [
    (writer) => writer.putOrigin(1, id, { next: 3, beyond: [] }),
    (store) => store.origin(1, id),
    /state of node 0707/,
  ],
  credentials: [
    (writer) => writer.putCredential(0, id, new Uint8Array(90)),
    (store) => store.credential(0, id),
    /credential of meter 0707/,
  ],
  consensus: [
    (writer) => writer.putConsensus(1, new Uint8Array(64).fill(3)),
    (store) => store.consensus(1),
    /consensus record of chain 1/,
  ],
  batches: [
    (writer) => writer.putBatch(1, { origin: id, number: 0, bytes: new Uint8Array(40) }),
    (store) => store.batches(1),
    /a temporary block of chain 1/,
  ],
  acceptances: [
    (writer) => {
      writer.putBatch(1, { origin: id, number: 0, bytes: new Uint8Array(40) });
      writer.putAcceptance(1, id, 0, new Uint8Array(40));
    },
    (store) => store.batches(1),
    /a temporary block's acceptance of chain 1/,
  ],
  faults: [(writer) => writer.putFaults(1, id, [4]), (store) => store.faults(1, id), /faults of node 0707/],
  orders: [(writer) => writer.putOrder(1, 1, new Uint8Array(40)), (store) => store.orders(), /an order/],
  rulings: [
    (writer) => writer.putRuling(1, id, { kind: "order", bytes: new Uint8Array(40) }),
    (store) => store.rulings(1),
    /a waiting order or evidence of chain 1/,
  ],
  lineage: [(writer) => writer.putLineage(1, 2, new Uint8Array(40)), (store) => store.lineage(1), /lineage of chain 1/],
  admitted: [
    (writer) => writer.putAdmitted(1, id, 6, new Uint8Array(400)),
    (store) => store.admitted(1),
    /a waiting record of chain 1/,
  ],
  disclosures: [
    (writer) => writer.putDisclosures(1, id, 6, new Uint8Array(60)),
    (store) => store.disclosures(1, id, 6),
    /disclosures of record 6 of meter 0707/,
  ],
};

const damages: readonly (readonly [string, (whole: Buffer) => readonly Buffer[]])[] = [
  [
    "a flipped bit in a row",
    (whole) =>
      [0, 3, 4, 31, 32, whole.length >> 1, whole.length - 1].map((at) => {
        const damaged = Buffer.from(whole);
        damaged[at]! ^= 1 << (at & 7);
        return damaged;
      }),
  ],
  ["a row that lost its end", (whole) => [0, 3, 4, whole.length - 1].map((length) => whole.subarray(0, length))],
];

for (const [damage, damagedRows] of damages) {
  for (const [name, [put, read, what]] of Object.entries(rows) as [TableName, (typeof rows)[TableName]][]) {
    test(`refuses ${damage} of ${name} with path, table and key, before it is used and when it is looked for`, async (t) => {
      const path = folder(t);
      const store = await openStore(path, owner, false);
      await store.write(put);
      read(store);
      await store.close();
      const tables = openTables(path, false);
      t.after(() => tables.root.close());
      const [{ key, value }] = [...tables[name].getRange({})] as [{ key: Buffer; value: Buffer }];
      const [row, whole] = [Buffer.from(key), Buffer.from(value)];
      await checkRows(path, owner);
      const isRefusal = (error: unknown, said: RegExp) => {
        assert.ok(error instanceof GridsealError);
        assert.equal(error.code, "STORE_CORRUPT");
        assert.match(error.message, said);
        assert.ok(error.message.includes(path), error.message);
        assert.ok(error.message.endsWith(`(row ${row.toString("hex")} of table ${name})`), error.message);
        assert.match(error.remedy, /gridseal node repair/);
        return true;
      };
      for (const damaged of damagedRows(whole)) {
        await tables[name].put(row, damaged);
        await assert.rejects(checkRows(path, owner), (error) => isRefusal(error, /damaged/));
        const used = openStore(path, owner, false).then(async (opened) => {
          try {
            read(opened);
          } finally {
            await opened.close();
          }
        });
        await assert.rejects(used, (error) => isRefusal(error, what));
      }
    });
  }
}

test("is replaced for ever whatever becomes of the row that says so", async (t) => {
  const path = folder(t);
  await (await openStore(path, owner, true)).close();
  const tables = openTables(path, false);
  t.after(() => tables.root.close());
  await tables.meta.put(Buffer.from("replaced"), Buffer.of(0));
  const opened = await openStore(path, owner, true);
  t.after(() => opened.close());
  assert.equal(opened.isReplaced, true);
  await assert.rejects(checkRows(path, owner), { code: "STORE_CORRUPT", message: /of table meta\)$/ });
});

test("refuses a store of an earlier format as another one, not as a damaged one", async (t) => {
  const path = folder(t);
  await (await openStore(path, owner, false)).close();
  const tables = openTables(path, false);
  t.after(() => tables.root.close());
  await tables.meta.put(Buffer.from("owner"), Buffer.from(encodeCbor([2, owner.node, owner.genesisHash])));
  await assert.rejects(openStore(path, owner, false), { code: "STORE_FOREIGN" });
  await assert.rejects(checkRows(path, owner), { code: "STORE_FOREIGN" });
});

test("keys stand in the order of chain, id and number", () => {
  const parts = fc.tuple(fc.nat(0xfffe), fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.maxSafeNat());
  fc.assert(
    fc.property(parts, parts, (left, right) => {
      const order =
        left[0] - right[0] || Buffer.compare(Buffer.from(left[1]), Buffer.from(right[1])) || left[2] - right[2];
      assert.equal(Math.sign(Buffer.compare(numberKey(...left), numberKey(...right))), Math.sign(order));
      const { start, end } = chainRange(left[0]);
      assert.ok(Buffer.compare(start, numberKey(...left)) <= 0 && Buffer.compare(numberKey(...left), end) < 0);
    }),
  );
});

test("tells of any number in which block and leaf it is sealed, whatever numbers and meters are sealed beside it", async (t) => {
  const meters = [1, 2, 3].map((last) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, last));
  const store = await openStore(folder(t), owner, false);
  t.after(() => store.close());
  const sealed = fc.record({ meter: fc.nat(2), skipped: fc.nat(3), count: fc.integer({ min: 1, max: 5 }) });
  let chain = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(sealed, { maxLength: 12 }), fc.boolean(), async (steps, isReversed) => {
      chain += 1;
      const next = [0, 0, 0];
      const expected = new Map<string, { height: number; leaf: number }>();
      const runs = steps.map(({ meter, skipped, count }, index) => {
        const first = next[meter]! + skipped;
        next[meter] = first + count;
        const leaves = Array.from({ length: count }, (_, behind) => 100 * index + 3 * behind + 1);
        for (const [behind, leaf] of leaves.entries()) {
          expected.set(`${meter}/${first + behind}`, { height: index + 1, leaf });
        }
        return { kid: meters[meter]!, first, height: index + 1, leaves };
      });
      for (const run of isReversed ? runs.reverse() : runs) await store.write((writer) => writer.putRun(chain, run));
      for (const [meter, kid] of meters.entries()) {
        for (let seq = 0; seq < next[meter]! + 3; seq += 1) {
          assert.deepEqual(store.location(chain, kid, seq), expected.get(`${meter}/${seq}`));
        }
      }
    }),
    { numRuns: 30 },
  );
});
