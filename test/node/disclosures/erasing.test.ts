// Erasing as blocks go on: what comes later of a meter with erased days costs its own records alone, however long the meter's history is.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { signEnvelope } from "../../../src/wire/envelope.js";
import { verifyErased } from "../../../src/wire/erased.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { keyId } from "../../../src/wire/key.js";
import { encodeValue } from "../../../src/wire/value.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { putSealed, sealedDisclosures } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { mergedRuns } from "../../../tools/node/disclosures/erased-days.js";
import { createErasing } from "../../../tools/node/disclosures/erasing.js";
import type { ErasingPorts } from "../../../tools/node/disclosures/erasing-rows.js";
import { placeKeyOf } from "../../../tools/node/disclosures/shares.js";
import { envelopes } from "../../../tools/node/disclosures/tables/envelopes.js";
import { erasures } from "../../../tools/node/disclosures/tables/erasures.js";
import { stateKey } from "../../../tools/node/store/keys.js";
import { openStore } from "../../../tools/node/store/open-store.js";
import type { Store } from "../../../tools/node/store/store.js";

const CHAIN = 3;
const DAY = 20_700;
const HISTORY = 500;
const kid = new Uint8Array(8).fill(3);
const meter = toHex(kid);
const signer = signerFromSeed(generateSeed());
const self = keyId(signer.key);
const genesis = { hash: new Uint8Array(32).fill(9) } as Genesis;

function envelopeOf(day: number, number: number) {
  const custodians = [{ node: self, commitment: new Uint8Array(32) }];
  const salt = new Uint8Array(16).fill(number);
  return signEnvelope(
    genesis.hash,
    { chain: CHAIN, origin: self, meter: kid, day, salt, threshold: 1, custodians },
    signer,
  );
}

const hashOf = (seq: number) => new Uint8Array(32).fill(seq % 251).fill(seq >> 8, 0, 4);

/** A node's store with a meter that has confided for long, and what erases there. */
async function createHistory(t: TestContext) {
  const path = mkdtempSync(join(tmpdir(), "gridseal-erasing-"));
  const store = await openStore(path, { node: self, genesisHash: genesis.hash }, false);
  t.after(async () => {
    await store.close();
    rmSync(path, { recursive: true });
  });
  let rowsRead = 0;
  let passes = 0;
  let overwritings = 0;
  let now_ms = 1_790_000_000_000;
  const counted: Store = {
    ...store,
    get: (table, key) => {
      if ((table as unknown) === sealedDisclosures) rowsRead += 1;
      return store.get(table, key);
    },
    range: (table, range) => {
      const rows = store.range(table, range);
      if ((table as unknown) !== sealedDisclosures) return rows;
      rowsRead += rows.length;
      // Of one record there are no more rows than nodes that have encrypted what it hides.
      if (range.limit !== undefined && rows.length < range.limit) passes += 1;
      return rows;
    },
    async overwriteFree() {
      overwritings += 1;
    },
  };
  const forgotten: number[] = [];
  const ports = {
    ...{ genesis, store: counted, self, signer, now_ms: () => now_ms },
    forgetDays: ({ from }: { readonly from: number }) => void forgotten.push(from),
    afterOthers: () => new Promise<void>((resolve) => setImmediate(resolve)),
  } as unknown as ErasingPorts;
  const confide = (seq: number, envelope: Uint8Array) => {
    const rest = { nonce: new Uint8Array(12), ciphertext: new Uint8Array(40) };
    return store.write((writer) =>
      putSealed(writer, { chain: CHAIN, origin: self }, { kid, seq, recordHash: hashOf(seq), envelope, ...rest }),
    );
  };
  const keep = (envelope: ReturnType<typeof envelopeOf>) =>
    store.write((writer) => writer.put(envelopes, placeKeyOf(envelope), { bytes: envelope.bytes, shares: [] }));
  for (let seq = 0; seq < HISTORY; seq += 1) await confide(seq, new Uint8Array(32).fill(1));
  return {
    ...{ store, ports, forgotten, confide, keep },
    erasing: createErasing(ports),
    state: (...keys: readonly (readonly (readonly [number, number, string, number])[])[]) =>
      store.write((writer) => {
        for (const [at, rows] of keys.entries()) {
          const key = `access/erased/${meter}${at === 0 ? "" : `/${at}`}`;
          writer.put(contractState, stateKey(CHAIN, key), encodeValue(rows));
        }
      }),
    overwritings: () => overwritings,
    pass(ms: number) {
      now_ms += ms;
    },
    /** what was read since it was asked last */
    counts() {
      const counts = { rowsRead, passes };
      [rowsRead, passes] = [0, 0];
      return counts;
    },
    said: () =>
      store.range(erasures, {}).map(({ row }) => {
        const { from, until, erasure, envelopes, disclosures } = verifyErased(
          genesis.hash,
          row,
          () => signer.key,
          nodeVerify,
        );
        return { from, until, erasure, envelopes, disclosures };
      }),
    left: () => store.range(sealedDisclosures, {}).map(({ row }) => row.seq),
  };
}

test("a record of a meter with erased days costs that record alone, and is erased where it is of such a day", async (t) => {
  const world = await createHistory(t);
  const { erasing, counts } = world;
  await world.state(Array.from({ length: 64 }, (_, at) => [DAY, DAY + 1 + at, `cc00000000000001-${at}`, 0] as const));
  await erasing.all(CHAIN);
  const whole = counts();
  assert.deepEqual(whole, { rowsRead: HISTORY, passes: 1 }, "64 erasures of the same days are one pass");
  const [erased, other] = [envelopeOf(DAY, 1), envelopeOf(DAY + 100, 2)];
  await world.keep(erased);
  await world.keep(other);
  await world.confide(HISTORY, erased.id);
  await world.confide(HISTORY + 1, other.id);
  for (const seq of [HISTORY, HISTORY + 1]) await erasing.record(CHAIN, meter, { seq, hash: hashOf(seq) });
  assert.deepEqual(counts(), { rowsRead: 2, passes: 0 }, "the history is not read again");
  assert.equal(world.left().at(-1), HISTORY + 1);
  assert.equal(world.left().length, HISTORY + 1, "that of the erased day is gone");
  assert.deepEqual(
    world.store.range(envelopes, {}).map(({ row }) => toHex(row.bytes)),
    [toHex(other.bytes)],
  );
  assert.ok(world.forgotten.includes(DAY), "its day key as well");
});

test("free pages are overwritten once in five minutes, however many records of an erased day come", async (t) => {
  const world = await createHistory(t);
  const { erasing } = world;
  await world.state([[DAY, DAY + 1, "cc00000000000001-1", 0]]);
  await erasing.all(CHAIN);
  const comes = async (number: number) => {
    const envelope = envelopeOf(DAY, number);
    await world.keep(envelope);
    await world.confide(HISTORY + number, envelope.id);
    await erasing.record(CHAIN, meter, { seq: HISTORY + number, hash: hashOf(HISTORY + number) });
  };
  for (let number = 1; number <= 20; number += 1) await comes(number);
  assert.equal(world.left().length, HISTORY, "each is erased at once");
  assert.equal(world.overwritings(), 1, "the first is overwritten at once");
  world.pass(299_000);
  await erasing.tick();
  assert.equal(world.overwritings(), 1);
  world.pass(1_000);
  await erasing.tick();
  assert.equal(world.overwritings(), 2, "what came meanwhile is taken together");
  world.pass(300_000);
  await erasing.tick();
  assert.equal(world.overwritings(), 2, "nothing has come since");
});

test("however many records come at once, what waits is bounded, and ends in one more pass at most", async (t) => {
  const world = await createHistory(t);
  const { erasing, counts } = world;
  await world.state([[DAY, DAY + 1, "cc00000000000001-1", 0]]);
  await erasing.all(CHAIN);
  counts();
  const all: Promise<void>[] = [];
  for (let seq = 0; seq < 5_000; seq += 1) all.push(erasing.record(CHAIN, meter, { seq, hash: hashOf(seq) }));
  assert.equal(new Set(all).size, 1, "one turn for all of them");
  await Promise.all(all);
  assert.deepEqual(counts(), { rowsRead: HISTORY, passes: 1 });
});

test("an erasure of more days is gone over once, one of the same days not again, each stated by itself", async (t) => {
  const world = await createHistory(t);
  const { erasing, counts } = world;
  const [first, second] = [envelopeOf(DAY, 1), envelopeOf(DAY + 1, 2)];
  for (const [at, each] of [first, second].entries()) {
    await world.keep(each);
    await world.confide(HISTORY + at, each.id);
  }
  await world.state([[DAY, DAY + 1, "cc00000000000001-1", 0]]);
  await erasing.meter(CHAIN, meter);
  assert.equal(counts().passes, 1);
  for (let turn = 0; turn < 10; turn += 1) await erasing.meter(CHAIN, meter);
  assert.deepEqual(counts(), { rowsRead: 0, passes: 0 }, "nothing has changed");
  await world.state([[DAY, DAY + 2, "cc00000000000001-2", 0]], [[DAY + 9, DAY + 10, "dd00000000000001-1", 0]]);
  await erasing.meter(CHAIN, meter);
  assert.equal(counts().passes, 1);
  const said = world.said().sort((one, other) => one.until - other.until);
  assert.deepEqual(said, [
    { from: DAY, until: DAY + 1, erasure: "cc00000000000001-1", envelopes: 1, disclosures: 1 },
    { from: DAY, until: DAY + 2, erasure: "cc00000000000001-2", envelopes: 1, disclosures: 1 },
    { from: DAY + 9, until: DAY + 10, erasure: "dd00000000000001-1", envelopes: 0, disclosures: 0 },
  ]);
  assert.equal(world.left().length, HISTORY);
  await erasing.all(CHAIN);
  assert.equal(counts().passes, 1, "at a start all is gone over whatever was said");
  assert.equal(world.said().length, 3);
});

test("a node that is stopped in the middle states all that it has destroyed when it starts again", async (t) => {
  const world = await createHistory(t);
  const envelope = envelopeOf(DAY, 1);
  await world.keep(envelope);
  for (let seq = HISTORY; seq < HISTORY + 200; seq += 1) await world.confide(seq, envelope.id);
  await world.state([[DAY, DAY + 1, "cc00000000000001-1", 0]]);
  let turns = 0;
  const stopping = createErasing({
    ...world.ports,
    async afterOthers() {
      turns += 1;
      if (turns === 10) stopping.stop();
    },
  });
  await stopping.all(CHAIN);
  const left = world.left().length;
  assert.ok(HISTORY < left && left < HISTORY + 200, `${left} are left: some are erased, and not all`);
  assert.deepEqual(world.said(), []);
  await world.erasing.all(CHAIN);
  assert.equal(world.left().length, HISTORY);
  assert.deepEqual(world.said(), [
    { from: DAY, until: DAY + 1, erasure: "cc00000000000001-1", envelopes: 1, disclosures: 200 },
  ]);
});

test("days and names that no statement can say are no erasure, whatever a contract keeps", async (t) => {
  const world = await createHistory(t);
  const name = "cc00000000000001-1";
  const last = Math.floor((2 ** 42 - 1) / 86_400);
  for (const row of [
    [DAY, 2 ** 53 - 1, name, 0],
    [DAY, last + 2, name, 0],
    [-1, DAY, name, 0],
    [DAY, DAY, name, 0],
    [DAY, DAY + 1, "c".repeat(33), 0],
    [DAY, DAY + 1, "", 0],
  ] as const) {
    await world.state([row]);
    await world.erasing.all(CHAIN);
    assert.deepEqual(world.said(), [], String(row));
  }
  await world.state([[last, last + 1, name, 0]]);
  await world.erasing.all(CHAIN);
  assert.deepEqual(world.said(), [{ from: last, until: last + 1, erasure: name, envelopes: 0, disclosures: 0 }]);
});

test("runs of days come to as few as there can be", () => {
  const runs = [
    [5, 7],
    [1, 2],
    [2, 3],
    [6, 9],
    [12, 13],
    [5, 6],
  ].map(([from, until]) => ({ from: from!, until: until! }));
  assert.deepEqual(mergedRuns(runs), [
    { from: 1, until: 3 },
    { from: 5, until: 9 },
    { from: 12, until: 13 },
  ]);
  assert.deepEqual(mergedRuns([]), []);
});
