// A temporary block is acknowledged by who has on disk what its readings hide, and by nobody else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import { keyId } from "../../../../src/wire/key.js";
import { digestsOf, encodeDisclosure, parseRecord, signRecord } from "../../../../src/wire/record.js";
import { CIPHERTEXT_BYTES_MAX, encodeSealedList } from "../../../../src/wire/sealed-disclosure.js";
import { sealDisclosures } from "../../../../tools/crypto/day-key.js";
import { makeBatch, type ReadBatch } from "../../../../tools/ledger/compose.js";
import { executionRecord } from "../../../../tools/ledger/record-scan.js";
import { createSealedAhead } from "../../../../tools/node/chain/batches/sealed-ahead.js";
import { decodeFrame, encodeFrame } from "../../../../tools/node/chain/frame.js";
import { sealedDisclosures, sealedKey } from "../../../../tools/node/chain/tables/sealed-disclosures.js";
import { createCluster, SERVICE } from "../cluster.js";

type Cluster = Awaited<ReturnType<typeof createCluster>>;
type Node = Cluster["nodes"][number];

/** The meter's next reading, which hides something, and what the origin makes of that. */
function hiding(meter: Awaited<ReturnType<Cluster["meter"]>>) {
  const hidden = encodeDisclosure({
    salt: new Uint8Array(16).fill(0xa5),
    label: "power",
    registers: [{ obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 4_321, scaler: 0, unit: 27 }],
  });
  const { claims } = meter.next();
  const record = parseRecord(
    signRecord({ ...claims, digests: digestsOf([hidden]) }, [hidden], meter.signer, meter.kid),
  );
  const place = { kid: record.kid, seq: record.claims.seq, recordHash: record.hash };
  const envelope = new Uint8Array(32).fill(1);
  const sealed = { ...place, envelope, ...sealDisclosures(new Uint8Array(32).fill(2), place, hidden) };
  return { record, sealed };
}

/** Of made-up records: their number, and the bytes of each ciphertext. */
function sealedParts(first: number, count: number, bytes: number): Uint8Array {
  const ciphertext = new Uint8Array(bytes);
  return encodeSealedList(
    Array.from({ length: count }, (_, at) => {
      const recordHash = new Uint8Array(32);
      new DataView(recordHash.buffer).setUint32(0, first + at);
      return {
        ...{ kid: new Uint8Array(8), seq: first + at, recordHash, envelope: new Uint8Array(32) },
        ...{ nonce: new Uint8Array(12), ciphertext },
      };
    }),
  );
}

/** A temporary block of an origin with a record that hides something, of which nothing is on disk. */
function readOf(origin: Uint8Array, number: number): ReadBatch {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, number);
  return { batch: { origin }, records: [{ hides: true, hash, bytes: new Uint8Array(64), seq: number }] } as never;
}

test("what is held of one member is bounded, however small its parts are, and its largest temporary block has room", () => {
  const origin = new Uint8Array(8).fill(7);
  const ahead = createSealedAhead({ get: () => undefined } as never, SERVICE, "0".repeat(16));
  const heldOf = (count: number) =>
    Array.from({ length: count }, (_, number) => number).filter(
      (number) => ahead.missingOf(readOf(origin, number)) === "held",
    ).length;
  for (let first = 0; first < 1_000; first += 25)
    ahead.hold(toHex(origin), sealedParts(first, 25, CIPHERTEXT_BYTES_MAX));
  assert.equal(heldOf(1_000), 1_000);
  for (let first = 0; first < 30_000; first += 1_000) ahead.hold(toHex(origin), sealedParts(first, 1_000, 16));
  const held = heldOf(30_000);
  assert.ok(held <= 20_000, `${held} are held`);
  assert.equal(ahead.missingOf(readOf(origin, 29_999)), "held", "what came last");
  assert.throws(() => ahead.hold(toHex(origin), sealedParts(0, 1, 15)), /at least 16 bytes/);
});

test("what is held of one member on all chains is bounded together, and a chain that holds less keeps it", () => {
  const origin = new Uint8Array(8).fill(7);
  const store = { get: () => undefined } as never;
  const chains = Array.from({ length: 64 }, (_, at) => createSealedAhead(store, at + 1, "0".repeat(16)));
  const numbers = Array.from({ length: 1_000 }, (_, number) => number);
  const heldOn = (ahead: (typeof chains)[number], of = origin) =>
    numbers.filter((number) => ahead.missingOf(readOf(of, number)) === "held").length;
  chains[0]!.hold(toHex(origin), sealedParts(0, 10, 16));
  const other = new Uint8Array(8).fill(8);
  chains[1]!.hold(toHex(other), sealedParts(0, 10, 16));
  for (const ahead of chains.slice(1))
    for (let first = 0; first < 1_000; first += 25)
      ahead.hold(toHex(origin), sealedParts(first, 25, CIPHERTEXT_BYTES_MAX));
  const held = chains.reduce((count, ahead) => count + heldOn(ahead), 0);
  assert.ok(held * CIPHERTEXT_BYTES_MAX <= 60_000_000, `${held} are held`);
  assert.ok(held > 2_500, `${held} are held, and there is room for more`);
  assert.equal(heldOn(chains[0]!), 10, "a chain that holds little");
  assert.equal(heldOn(chains[1]!, other), 10, "another member's");
});

test("another member's ciphertext is not taken in the place of the origin's", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const { record, sealed } = hiding(meter);
  const [origin, liar, victim] = cluster.nodes as [Node, Node, Node];
  const forged = { ...sealed, ciphertext: new Uint8Array(sealed.ciphertext.length).fill(6) };
  const frame = decodeFrame(encodeFrame("disclosures", SERVICE, encodeSealedList([forged])))!;
  await victim.chain.onFrame(toHex(keyId(liar.signer.key)), frame);
  assert.equal(await origin.chain.admit(record, sealed), "admitted");
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === 1), "it is sealed");
  assert.deepEqual(
    victim.store.get(sealedDisclosures, sealedKey({ chain: SERVICE, origin: keyId(origin.signer.key) }, sealed)),
    sealed,
    "the origin's",
  );
});

test("what a liar states of a record that it seals first makes the ciphertext of the node that took it not go", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const { record, sealed } = hiding(meter);
  const [origin, liar, victim] = cluster.nodes as [Node, Node, Node];
  const [liarId, originId] = [keyId(liar.signer.key), keyId(origin.signer.key)];
  const invented = { ...sealed, envelope: new Uint8Array(32).fill(7), ciphertext: new Uint8Array(40).fill(6) };
  const notices = [{ kind: "credential", bytes: meter.credential }] as const;
  const content = { chain: SERVICE, origin: liarId, number: 0, notices };
  const { bytes } = makeBatch(cluster.genesis.hash, content, [executionRecord(record)], (signed) =>
    liar.signer.sign(signed),
  );
  for (const frame of [
    encodeFrame("disclosures", SERVICE, encodeSealedList([invented])),
    encodeFrame("batch", SERVICE, bytes),
  ]) {
    await victim.chain.onFrame(toHex(liarId), decodeFrame(frame)!);
  }
  const keptOf = (from: Uint8Array) =>
    victim.store.get(sealedDisclosures, sealedKey({ chain: SERVICE, origin: from }, sealed));
  await cluster.until(() => keptOf(liarId) !== undefined, "the liar's is there first");
  assert.equal(await origin.chain.admit(record, sealed), "admitted");
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === 1), "it is sealed");
  await cluster.until(() => keptOf(originId) !== undefined, "the origin's is there too");
  assert.deepEqual([keptOf(liarId), keptOf(originId)], [invented, sealed]);
});

test("a reading is sealed once a quorum has what it hides on disk, as its origin has encrypted it", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const { record, sealed } = hiding(await cluster.meter());

  let lost = 0;
  cluster.passes = (_from, to, frame) => {
    const isIt = decodeFrame(frame)?.kind === "disclosures" && to > 1;
    if (isIt) lost += 1;
    return !isIt;
  };
  const [origin] = cluster.nodes as [(typeof cluster.nodes)[number]];
  assert.equal(await origin.chain.admit(record, sealed), "admitted");
  await cluster.until(() => lost >= 4, "it is sent again to those who have not acknowledged it");
  assert.ok(
    cluster.nodes.every(({ chain }) => chain.head.records === 0),
    "two of four are no quorum",
  );

  cluster.passes = (_from, to, frame) => !(decodeFrame(frame)?.kind === "disclosures" && to > 2);
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === 1), "three of four seal it");
  const kept = cluster.nodes.map(({ store }) =>
    store.get(sealedDisclosures, sealedKey({ chain: SERVICE, origin: keyId(origin.signer.key) }, sealed)),
  );
  assert.deepEqual(kept.slice(0, 3), [sealed, sealed, sealed]);
  assert.equal(kept[3], undefined, "who never had it has sealed the block with the others");
  assert.ok(
    kept.every((row) => row === undefined || !Buffer.from(row.ciphertext).includes("power")),
    "encrypted",
  );
  assert.ok(equalBytes(kept[1]!.recordHash, record.hash));
});
