import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { sha256 } from "../../../src/wire/hash.js";
import { GridsealError } from "../../../tools/errors.js";
import type { MeterCounters, Track } from "../../../tools/ledger/settlement/meter-counters.js";
import type { SettlementHead } from "../../../tools/ledger/settlement/settle.js";
import { emptyMeterState } from "../../../tools/ledger/state.js";
import { orderKey, ordersFrom, sealedOrders } from "../../../tools/node/chain/sealed-orders.js";
import { admitted, admittedRecords } from "../../../tools/node/chain/tables/admitted.js";
import { acceptances, batches, deleteBatch, storedBatches } from "../../../tools/node/chain/tables/batches.js";
import { blocks, outlines, putOutline } from "../../../tools/node/chain/tables/blocks.js";
import { consensusRecords } from "../../../tools/node/chain/tables/consensus-records.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { credentials } from "../../../tools/node/chain/tables/credentials.js";
import { heads } from "../../../tools/node/chain/tables/heads.js";
import { lineage, lineageOf } from "../../../tools/node/chain/tables/lineage.js";
import { outgoing } from "../../../tools/node/chain/tables/outgoing.js";
import { index, locationOf } from "../../../tools/node/chain/tables/runs.js";
import { putSealed, sealedDisclosures, sealedKey } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { counters, settlements, slots } from "../../../tools/node/chain/tables/settlement.js";
import { stateNodes } from "../../../tools/node/chain/tables/state-nodes.js";
import { faults, meters, origins } from "../../../tools/node/chain/tables/states.js";
import { indexKey, violationIndex, violations, violationsListed } from "../../../tools/node/chain/tables/violations.js";
import { waitingNotices } from "../../../tools/node/chain/tables/waiting-notices.js";
import { custodyKeys } from "../../../tools/node/disclosures/tables/custody-keys.js";
import { destroyed } from "../../../tools/node/disclosures/tables/destroyed.js";
import { disclosuresNoted } from "../../../tools/node/disclosures/tables/disclosures-noted.js";
import { divisions } from "../../../tools/node/disclosures/tables/divisions.js";
import { envelopes } from "../../../tools/node/disclosures/tables/envelopes.js";
import { erasures } from "../../../tools/node/disclosures/tables/erasures.js";
import { missingDisclosures } from "../../../tools/node/disclosures/tables/missing-disclosures.js";
import { missingShares } from "../../../tools/node/disclosures/tables/missing-shares.js";
import { checkRows } from "../../../tools/node/store/check.js";
import {
  blockKey,
  chainKey,
  chainRange,
  hashKey,
  idKey,
  nodeKey,
  numberKey,
  originKey,
  outgoingKey,
  placeKey,
  slotKey,
  stateKey,
} from "../../../tools/node/store/keys.js";
import { openEnvironment } from "../../../tools/node/store/lmdb.js";
import { meta, OWNER_KEY, REPLACED_KEY } from "../../../tools/node/store/meta.js";
import { openStore, openStoreReadOnly } from "../../../tools/node/store/open-store.js";
import type { Store } from "../../../tools/node/store/store.js";
import type { AnyTable } from "../../../tools/node/store/table.js";
import { encodeRow } from "../../../tools/node/store/table.js";
import { tables } from "../../../tools/node/store/tables.js";
import type { Writer } from "../../../tools/node/store/writer.js";

const PAGE_BYTES = 4_096;
const owner = { node: new Uint8Array(8).fill(1), genesisHash: new Uint8Array(32).fill(2) };
const kid = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const sealedRow = {
  ...{ kid, seq: 6, recordHash: new Uint8Array(32).fill(3), envelope: new Uint8Array(32).fill(4) },
  ...{ nonce: new Uint8Array(12).fill(5), ciphertext: new Uint8Array(60).fill(6) },
};
const recordHash = new Uint8Array(32).fill(9);
const gap = { kind: "gap", meter: kid, seq: 1, detail: 2 } as const;
const head = {
  height: 3,
  headerHash: new Uint8Array(32).fill(7),
  counter: 1,
  time_ms: 1_700_000_000_123,
  records: 2 ** 40,
  judgedAt: 7,
  stateRoot: new Uint8Array(32),
};

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "gridseal-store-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "data");
}

test("touches nothing once it is told to close: what is under way becomes durable, reads and writes are refused", async (t) => {
  const path = folder(t);
  const store = await openStore(path, owner, false);
  await store.write((writer) => writer.put(batches, numberKey(1, kid, 1), kid));
  const written = store.write((writer) => writer.put(heads, chainKey(1), head));
  const closing = store.close();
  const refuseAll = async () => {
    const reads = [
      () => store.get(heads, chainKey(1)),
      () => store.get(meters, idKey(1, kid)),
      () => locationOf(store, 1, kid, 1),
      () => storedBatches(store, 1),
      () => ordersFrom(store),
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
  assert.deepEqual(again.get(heads, chainKey(1)), head);
  await again.close();
});

const sealedPlace = { chain: 1, origin: kid };

test("keeps every kind of row over a restart, chain by chain", async (t) => {
  const path = folder(t);
  const store = await openStore(path, owner, false);
  const bytes = Uint8Array.of(9, 8, 7);
  await store.write((writer) => {
    writer.put(heads, chainKey(1), head);
    writer.put(blocks, blockKey(1, 3), bytes);
    writer.put(index, numberKey(1, kid, 2 ** 52), { height: 3, records: [{ leaf: 70_000, hash: recordHash }] });
    writer.put(meters, idKey(1, kid), { ...emptyMeterState, high: 5, gaps: [[1, 2]] });
    writer.put(origins, idKey(1, kid), { next: 4, beyond: [6, 9] });
    writer.put(credentials, idKey(0, kid), bytes);
    writer.put(consensusRecords, chainKey(1), bytes);
    writer.put(batches, numberKey(1, kid, 2 ** 50), bytes);
    writer.put(acceptances, numberKey(1, kid, 2 ** 50), bytes);
    writer.put(admitted, numberKey(1, kid, 6), bytes);
    putSealed(writer, sealedPlace, sealedRow);
  });
  await store.close();
  const again = await openStore(path, owner, false);
  t.after(() => again.close());
  assert.deepEqual(again.get(heads, chainKey(1)), head);
  assert.deepEqual(new Uint8Array(again.get(blocks, blockKey(1, 3))!), bytes);
  assert.deepEqual(locationOf(again, 1, kid, 2 ** 52), { height: 3, leaf: 70_000, hash: recordHash });
  assert.deepEqual(again.get(meters, idKey(1, kid)), { ...emptyMeterState, high: 5, gaps: [[1, 2]] });
  assert.deepEqual(again.get(origins, idKey(1, kid)), { next: 4, beyond: [6, 9] });
  assert.deepEqual(new Uint8Array(again.get(credentials, idKey(0, kid))!), bytes);
  assert.deepEqual(new Uint8Array(again.get(consensusRecords, chainKey(1))!), bytes);
  const [batch] = storedBatches(again, 1);
  assert.deepEqual(batch?.origin, kid);
  assert.equal(batch?.number, 2 ** 50);
  assert.deepEqual(new Uint8Array(batch!.acceptance!), bytes);
  assert.deepEqual(
    admittedRecords(again, 1).map((row) => new Uint8Array(row)),
    [bytes],
  );
  assert.deepEqual(again.get(sealedDisclosures, sealedKey(sealedPlace, sealedRow)), sealedRow);
  for (const other of [0, 2]) {
    assert.equal(again.get(heads, chainKey(other)), undefined);
    assert.deepEqual(storedBatches(again, other), []);
    assert.deepEqual(admittedRecords(again, other), []);
  }
});

test("a write that throws leaves nothing behind, not what it had put and not what others write beside it", async (t) => {
  const path = folder(t);
  const store = await openStore(path, owner, false);
  const bytes = Uint8Array.of(1, 2, 3);
  const before = store.write((writer) => writer.put(blocks, blockKey(1, 1), bytes));
  const unencodable = store.write((writer) => {
    writer.put(blocks, blockKey(1, 2), bytes);
    writer.put(meters, idKey(1, kid), { ...emptyMeterState, high: 9 });
    writer.put(origins, idKey(1, kid), { next: 2 ** 53, beyond: [] });
  });
  const failed = assert.rejects(unencodable, /9007199254740992/);
  const throwing = store.write((writer) => {
    writer.put(heads, chainKey(1), head);
    throw new Error("the filling failed");
  });
  const thrown = assert.rejects(throwing, /the filling failed/);
  const behind = store.write((writer) => writer.put(blocks, blockKey(1, 3), bytes));
  await Promise.all([before, failed, thrown, behind]);
  await store.write((writer) => writer.put(blocks, blockKey(1, 4), bytes));
  const check = (read: Store) => {
    assert.deepEqual(
      [1, 2, 3, 4].map((height) => read.get(blocks, blockKey(1, height)) !== undefined),
      [true, false, true, true],
    );
    assert.equal(read.get(meters, idKey(1, kid)), undefined);
    assert.equal(read.get(heads, chainKey(1)), undefined);
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
    writer.put(batches, numberKey(1, kid, 1), kid);
    writer.put(acceptances, numberKey(1, kid, 1), kid);
  });
  await store.write((writer) => deleteBatch(writer, 1, kid, 1));
  await store.write((writer) => writer.put(batches, numberKey(1, kid, 1), kid));
  assert.equal(storedBatches(store, 1)[0]?.acceptance, undefined);
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
  await store.write((writer) => writer.put(heads, chainKey(1), head));
  const reader = openStoreReadOnly(path);
  assert.deepEqual(reader.get(heads, chainKey(1)), head);
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
  await store.write((writer) => writer.put(blocks, blockKey(1, 1), new Uint8Array(100_000)));
  await store.close();
  const file = join(path, "data.mdb");
  truncateSync(file, statSync(file).size - 4_096);
  await assert.rejects(openStore(path, owner, false), { code: "STORE_CORRUPT", message: /truncated/ });
});

const id = new Uint8Array(8).fill(7);
const outline = {
  header: new Uint8Array(80),
  certificate: { round: 0, signatures: [] },
  metadata: id,
  hashes: [],
  effects: [],
};

/** A row of each table: what writes it, what reads it, and what the error calls it. */
const rows: Record<string, readonly [(writer: Writer) => void, (store: Store) => unknown, RegExp]> = {
  meta: [() => {}, () => {}, /its owner/],
  heads: [
    (writer) => writer.put(heads, chainKey(1), head),
    (store) => store.get(heads, chainKey(1)),
    /head of chain 1/,
  ],
  blocks: [
    (writer) => writer.put(blocks, blockKey(1, 1), new Uint8Array(99)),
    (store) => store.get(blocks, blockKey(1, 1)),
    /block 1 of chain 1/,
  ],
  outlines: [
    (writer) => putOutline(writer, 1, 1, outline),
    (store) => store.get(outlines, blockKey(1, 1)),
    /outline of block 1/,
  ],
  index: [
    (writer) => writer.put(index, numberKey(1, id, 0), { height: 1, records: [{ leaf: 1, hash: recordHash }] }),
    (store) => locationOf(store, 1, id, 0),
    /index of meter 0707/,
  ],
  meters: [
    (writer) => writer.put(meters, idKey(1, id), { ...emptyMeterState, high: 0, head: new Uint8Array(32) }),
    (store) => store.get(meters, idKey(1, id)),
    /state of meter 0707/,
  ],
  origins: [
    (writer) => writer.put(origins, idKey(1, id), { next: 3, beyond: [] }),
    (store) => store.get(origins, idKey(1, id)),
    /state of node 0707/,
  ],
  credentials: [
    (writer) => writer.put(credentials, idKey(0, id), new Uint8Array(90)),
    (store) => store.get(credentials, idKey(0, id)),
    /credential of meter 0707/,
  ],
  consensus: [
    (writer) => writer.put(consensusRecords, chainKey(1), new Uint8Array(64).fill(3)),
    (store) => store.get(consensusRecords, chainKey(1)),
    /consensus record of chain 1/,
  ],
  batches: [
    (writer) => writer.put(batches, numberKey(1, id, 0), new Uint8Array(40)),
    (store) => storedBatches(store, 1),
    /a temporary block of chain 1/,
  ],
  acceptances: [
    (writer) => {
      writer.put(batches, numberKey(1, id, 0), new Uint8Array(40));
      writer.put(acceptances, numberKey(1, id, 0), new Uint8Array(40));
    },
    (store) => storedBatches(store, 1),
    /a temporary block's acceptance of chain 1/,
  ],
  faults: [
    (writer) => writer.put(faults, idKey(1, id), [4]),
    (store) => store.get(faults, idKey(1, id)),
    /faults of node 0707/,
  ],
  contractState: [
    (writer) => writer.put(contractState, stateKey(1, "limits/a"), new Uint8Array(40)),
    (store) => store.get(contractState, stateKey(1, "limits/a")),
    /state "limits\/a" of chain 1/,
  ],
  stateNodes: [
    (writer) => writer.put(stateNodes, nodeKey(1, new Uint8Array(32)), new Uint8Array(65)),
    (store) => store.get(stateNodes, nodeKey(1, new Uint8Array(32))),
    /a node of the state of chain 1/,
  ],
  outgoing: [
    (writer) => writer.put(outgoing, outgoingKey(1, 3, 7), { height: 2, index: 5 }),
    (store) => store.get(outgoing, outgoingKey(1, 3, 7)),
    /a message of chain 1 to chain 3/,
  ],
  settlements: [
    (writer) => writer.put(settlements, chainKey(1), settlementHead),
    (store) => store.get(settlements, chainKey(1)),
    /settlement of chain 1/,
  ],
  counters: [
    (writer) => writer.put(counters, idKey(1, id), meterCounters),
    (store) => store.get(counters, idKey(1, id)),
    /counters of meter 0707/,
  ],
  slots: [
    (writer) =>
      writer.put(slots, slotKey(1, 900), {
        height: 7,
        rows: [{ point: "P", imported: 5n, exported: null, quality: 1, doubts: 0 }],
      }),
    (store) => store.get(slots, slotKey(1, 900)),
    /rows of slot 900 of chain 1/,
  ],
  violations: [
    (writer) => writer.put(violations, placeKey(1, 4, 0), { time_ms: 1, violation: gap }),
    (store) => store.get(violations, placeKey(1, 4, 0)),
    /violation 0 in block 4 of chain 1/,
  ],
  violationIndex: [
    (writer) => writer.put(violationIndex, indexKey(id, 1, placeKey(1, 4, 0)), 1),
    (store) => store.get(violationIndex, indexKey(id, 1, placeKey(1, 4, 0))),
    /place of the violation 0107/,
  ],
  violationsListed: [
    (writer) => writer.put(violationsListed, chainKey(1), 7),
    (store) => store.get(violationsListed, chainKey(1)),
    /how far violations of chain 1 are listed/,
  ],
  orders: [
    (writer) => writer.put(sealedOrders, orderKey(1), { contractsHeight: 1, bytes: new Uint8Array(40) }),
    (store) => ordersFrom(store),
    /an order/,
  ],
  waitingNotices: [
    (writer) => writer.put(waitingNotices, idKey(1, id), { kind: "order", bytes: new Uint8Array(40) }),
    (store) => store.range(waitingNotices, chainRange(1)),
    /a waiting order or evidence of chain 1/,
  ],
  lineage: [
    (writer) => writer.put(lineage, blockKey(1, 2), new Uint8Array(40)),
    (store) => lineageOf(store, 1),
    /lineage of chain 1/,
  ],
  admitted: [
    (writer) => writer.put(admitted, numberKey(1, id, 6), new Uint8Array(400)),
    (store) => admittedRecords(store, 1),
    /a waiting record of chain 1/,
  ],
  sealedDisclosures: [
    (writer) => putSealed(writer, sealedPlace, { ...sealedRow, kid: id }),
    (store) => store.get(sealedDisclosures, sealedKey(sealedPlace, { ...sealedRow, kid: id })),
    /sealed disclosures of record 6 of meter 0707/,
  ],
  envelopes: [
    (writer) => writer.put(envelopes, hashKey(1, id, 6, new Uint8Array(32)), keptEnvelope),
    (store) => store.get(envelopes, hashKey(1, id, 6, new Uint8Array(32))),
    /an envelope of day 6 of meter 0707/,
  ],
  custodyKeys: [
    (writer) => writer.put(custodyKeys, idKey(0, id), new Uint8Array(60)),
    (store) => store.get(custodyKeys, idKey(0, id)),
    /the custody key of node 0707/,
  ],
  erasures: [
    (writer) => writer.put(erasures, hashKey(1, id, 20_700, new Uint8Array(32)), new Uint8Array(120)),
    (store) => store.get(erasures, hashKey(1, id, 20_700, new Uint8Array(32))),
    /an erasure from day 20700 on of meter 0707/,
  ],
  destroyed: [
    (writer) => writer.put(destroyed, numberKey(1, id, 20_700), { envelopes: 3, disclosures: 96 }),
    (store) => store.get(destroyed, numberKey(1, id, 20_700)),
    /what is erased of day 20700 of meter 0707/,
  ],
  divisions: [
    (writer) => writer.put(divisions, hashKey(1, id, 6, new Uint8Array(32)), keptEnvelope),
    (store) => store.get(divisions, hashKey(1, id, 6, new Uint8Array(32))),
    /a divided share of day 6 of meter 0707/,
  ],
  missingDisclosures: [
    (writer) => writer.put(missingDisclosures, hashKey(1, id, 6, new Uint8Array(32)), missingRow),
    (store) => store.get(missingDisclosures, hashKey(1, id, 6, new Uint8Array(32))),
    /missing disclosures of record 6 of meter 0707/,
  ],
  missingShares: [
    (writer) => writer.put(missingShares, missingShareKey, { meter: id, day: 6, id: new Uint8Array(32), since_s: 9 }),
    (store) => store.get(missingShares, missingShareKey),
    /a missing share of an envelope that node 0707/,
  ],
  disclosuresNoted: [
    (writer) => writer.put(disclosuresNoted, chainKey(1), 6),
    (store) => store.get(disclosuresNoted, chainKey(1)),
    /how far missing disclosures of chain 1 are noted/,
  ],
};

const missingShareKey = originKey(id, hashKey(1, id, 6, new Uint8Array(32)));
const missingRow = { hash: new Uint8Array(32).fill(4), origin: new Uint8Array(8), day: 20_700, since_s: 9 };
const keptEnvelope = {
  bytes: new Uint8Array(100).fill(1),
  shares: [
    { node: new Uint8Array(8), sealed: { enc: new Uint8Array(32).fill(2), ciphertext: new Uint8Array(49).fill(3) } },
  ],
};

const settlementHead: SettlementHead = {
  plan: { slot_s: 900, lateness_s: 900, gapMax_s: 900 },
  ...{ height: 7, epoch: 1, open_s: 1_800, awaited: 1, beyond: 2 },
  showing: {
    slot: { start_s: 900, slot_s: 900, points: 600, root: new Uint8Array(32) },
    shown: 500,
    behind: "metering",
  },
};
const track: Track = {
  edge: { counter: 5n, isRead: true, doubts: 256 },
  readings: [{ time_s: 1_800, counter: 5n, seq: 2, codes: 0, doubts: 1 }],
};
const meterCounters: MeterCounters = { epoch: 1, open_s: 1_800, reached_s: 1_800, imported: track, exported: track };

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
  for (const table of tables) {
    const { name } = table;
    const [put, read, what] = rows[name]!;
    test(`refuses ${damage} of ${name} with path, table and key, before it is used and when it is looked for`, async (t) => {
      const path = folder(t);
      const store = await openStore(path, owner, false);
      await store.write(put);
      read(store);
      await store.close();
      const environment = openEnvironment(path, false);
      t.after(() => environment.close());
      const [{ key, value }] = [...environment.rows(table, {})] as [{ key: Buffer; value: Buffer }];
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
        await environment.commit([{ table, key: row, row: damaged, kept: undefined }]);
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
  const environment = openEnvironment(path, false);
  t.after(() => environment.close());
  await environment.commit([{ table: meta as AnyTable, key: REPLACED_KEY, row: Buffer.of(0), kept: undefined }]);
  const opened = await openStore(path, owner, true);
  t.after(() => opened.close());
  assert.equal(opened.isReplaced, true);
  await assert.rejects(checkRows(path, owner), { code: "STORE_CORRUPT", message: /of table meta\)$/ });
});

test("refuses a store of an earlier format as another one, not as a damaged one", async (t) => {
  const path = folder(t);
  await (await openStore(path, owner, false)).close();
  const environment = openEnvironment(path, false);
  t.after(() => environment.close());
  const identity = (format: number) => encodeCbor([format, owner.node, owner.genesisHash]);
  const rows = [Buffer.from(identity(2)), encodeRow(meta, identity(3))];
  for (const [index, row] of rows.entries()) {
    await environment.commit([{ table: meta as AnyTable, key: OWNER_KEY, row, kept: undefined }]);
    const refusal = { code: "STORE_FOREIGN", message: new RegExp(`is of format ${index + 2}, and this release reads`) };
    await assert.rejects(openStore(path, owner, false), refusal);
    await assert.rejects(checkRows(path, owner), refusal);
  }
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
      const expected = new Map<string, { height: number; leaf: number; hash: Uint8Array }>();
      const runs = steps.map(({ meter, skipped, count }, index) => {
        const first = next[meter]! + skipped;
        next[meter] = first + count;
        const records = Array.from({ length: count }, (_, behind) => {
          const leaf = 100 * index + 3 * behind + 1;
          return { leaf, hash: sha256(Uint8Array.of(meter, leaf)) };
        });
        for (const [behind, record] of records.entries()) {
          expected.set(`${meter}/${first + behind}`, { height: index + 1, ...record });
        }
        return { kid: meters[meter]!, first, height: index + 1, records };
      });
      for (const run of isReversed ? runs.reverse() : runs)
        await store.write((writer) => writer.put(index, numberKey(chain, run.kid, run.first), run));
      for (const [meter, kid] of meters.entries()) {
        for (let seq = 0; seq < next[meter]! + 3; seq += 1) {
          assert.deepEqual(locationOf(store, chain, kid, seq), expected.get(`${meter}/${seq}`));
        }
      }
    }),
    { numRuns: 30 },
  );
});

test("names table and store where the library itself finds a page damaged", async (t) => {
  const path = folder(t);
  const store = await openStore(path, owner, false);
  for (let seq = 0; seq < 400; seq += 1) {
    await store.write((writer) => writer.put(blocks, blockKey(1, seq + 1), Buffer.alloc(900, seq)));
  }
  await store.close();
  const file = join(path, "data.mdb");
  const whole = readFileSync(file);
  let refused = 0;
  for (let page = 2; page < whole.length / PAGE_BYTES; page += 1) {
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, (page + 0.5) * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    writeFileSync(file, damaged);
    try {
      const opened = openStoreReadOnly(path);
      try {
        for (const table of tables) opened.range(table, {});
      } finally {
        await opened.close();
      }
    } catch (error) {
      assert.ok(error instanceof GridsealError && error.code === "STORE_CORRUPT", String(error));
      assert.ok(error.message.includes(path), error.message);
      refused += 1;
    }
  }
  assert.ok(refused > 0, "some damage was to be found");
});
