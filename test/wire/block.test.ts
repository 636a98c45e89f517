// Temporary blocks, blocks, certificates and receipts: what was written is read, what the header commits to cannot be changed,
// and a receipt proves its own record in its own chain alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  acknowledgementBytes,
  type Batch,
  batchBytes,
  batchId,
  decodeBatch,
  encodeBatch,
} from "../../src/wire/batch.js";
import { type Block, blockTree, decodeBlock, encodeBlock, metadataEntry } from "../../src/wire/block.js";
import { BATCH_RECORDS_MAX, BATCH_RULINGS_MAX } from "../../src/wire/bounds.js";
import { decodeCbor } from "../../src/wire/cbor.js";
import {
  type Certificate,
  certificateFromArray,
  certificateToArray,
  precommitBytes,
  verifyCertificate,
} from "../../src/wire/certificate.js";
import { WireError } from "../../src/wire/error.js";
import { chainOf } from "../../src/wire/genesis.js";
import { headerHash } from "../../src/wire/header.js";
import { inclusionPath, leafHash, rootOfLevels } from "../../src/wire/merkle.js";
import type { Notice } from "../../src/wire/notice.js";
import { faults, quorum } from "../../src/wire/quorum.js";
import { decodeReceipt, encodeReceipt, type Receipt, receiptEncoder, verifyReceipt } from "../../src/wire/receipt.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { encodeResults } from "../../tools/ledger/violations.js";
import { batchNumbers, byteStrings, fixedBytes, heights, services, times_ms, upTo } from "./arbitraries.js";
import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import { certify, noResults, sealBlock, sha256, testBatch, testMeter, testNetwork, testRecords } from "./network.js";

const network = testNetwork();
const meter = testMeter(network, "M0001");

const notices: fc.Arbitrary<Notice> = fc.record(
  { kind: fc.constantFrom("credential", "order", "evidence"), bytes: byteStrings(60) },
  { noNullPrototype: true },
);

const batches: fc.Arbitrary<Batch> = fc
  .record(
    {
      chain: services,
      origin: fixedBytes(8),
      number: batchNumbers,
      notices: fc.array(notices, { maxLength: 3 }),
      records: fc.array(byteStrings(60), { maxLength: 5 }),
    },
    { noNullPrototype: true },
  )
  .filter(({ notices, records }) => {
    const credentials = notices.filter(({ kind }) => kind === "credential").length;
    return credentials <= records.length && records.length + notices.length > 0;
  });

const someResults = encodeResults({
  violations: [],
  outcomes: [
    {
      entry: { kind: "operation", leaf: 1 },
      ...{ type: "done", contract: "limits", used: 3, effects: [{ name: "counted", body: Uint8Array.of(1) }] },
    },
    { entry: { kind: "message", service: 2, number: 0 }, type: "unhandled" },
  ],
  slots: [{ start_s: 900, slot_s: 900, points: 3, root: new Uint8Array(32).fill(7) }],
});

const blocks: fc.Arbitrary<Block> = fc.record(
  {
    network: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
    chain: services,
    height: heights,
    counter: upTo(2 ** 48 - 1),
    batches: fc.array(
      fc.record(
        {
          origin: fixedBytes(8),
          number: batchNumbers,
          id: fixedBytes(32),
          acknowledgements: fc.array(
            fc.record(
              { node: fixedBytes(8), signature: fixedBytes(64), verified: fc.boolean() },
              { noNullPrototype: true },
            ),
            { maxLength: 3 },
          ),
          notices: fc.array(notices, { maxLength: 2 }),
          records: fc.array(byteStrings(300), { maxLength: 3 }),
        },
        { noNullPrototype: true },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    script: byteStrings(20),
    results: fc.constantFrom(noResults, someResults),
    anchors: fc.array(
      fc.record({ chain: services, height: heights, headerHash: fixedBytes(32) }, { noNullPrototype: true }),
      { maxLength: 3 },
    ),
    judgedAt: fc.oneof(fc.constant(0), heights),
    time_ms: times_ms,
    memberSet: fixedBytes(32),
    nextMemberSet: fixedBytes(32),
    stateRoot: fixedBytes(32),
    header: fixedBytes(80),
    lock_ms: times_ms,
    certificate: fc.record(
      {
        round: fc.integer({ min: 0, max: 0xffffffff }),
        signatures: fc.array(fc.record({ node: fixedBytes(8), signature: fixedBytes(64) }, { noNullPrototype: true }), {
          maxLength: 3,
        }),
      },
      { noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
);

/** A sealed block of `count` records and the receipt of the one at `leaf`. */
function receiptOf(count: number, leaf: number): { readonly block: Block; readonly receipt: Receipt } {
  const batch = testBatch(network, 1, network.nodes[0]!, 0, [meter.credential], testRecords(meter, count));
  const block = sealBlock(network, 1, undefined, { batches: [batch], round: 2 });
  const receipt: Receipt = {
    network: block.network,
    chain: 1,
    height: 1,
    recordHash: sha256(batch.records[leaf - 1]!),
    leaf,
    size: count + 1,
    path: inclusionPath(blockTree(block), leaf),
    header: block.header,
    certificate: block.certificate,
  };
  return { block, receipt };
}

function refusedReceipt(bytes: Uint8Array): boolean {
  try {
    verifyReceipt(decodeReceipt(bytes), network.genesis, nodeVerify);
    return false;
  } catch (thrown) {
    assert.ok(thrown instanceof WireError, String(thrown));
    return true;
  }
}

test("reads every temporary block that it writes, and names it by what its origin signs", () => {
  fc.assert(
    fc.property(batches, fixedBytes(64), fixedBytes(32), (batch, signature, genesisHash) => {
      assert.deepEqual(decodeBatch(encodeBatch(batch, signature)), { batch, signature });
      const signed = batchBytes(genesisHash, batch);
      assert.deepEqual(batchId(signed), sha256(signed));
      assert.deepEqual(
        batchBytes(
          genesisHash,
          batch,
          batch.records.map((bytes) => leafHash(sha256(bytes))),
        ),
        signed,
      );
    }),
  );
});

test("signs a temporary block over every part of it", () => {
  const hash = network.genesis.hash;
  const batch: Batch = {
    chain: 1,
    origin: meter.kid,
    number: 5,
    notices: [{ kind: "credential", bytes: meter.credential }],
    records: testRecords(meter, 2),
  };
  const signed = Buffer.from(batchBytes(hash, batch)).toString("hex");
  const changes: readonly Partial<Batch>[] = [
    { chain: 2 },
    { origin: new Uint8Array(8) },
    { number: 6 },
    { notices: [] },
    { notices: [{ kind: "order", bytes: meter.credential }] },
    { records: [] },
    { records: batch.records.slice(0, 1) },
    { records: [...batch.records].reverse() },
    { records: [batch.records[0]!, batch.records[0]!] },
  ];
  for (const change of changes) {
    assert.notEqual(Buffer.from(batchBytes(hash, { ...batch, ...change })).toString("hex"), signed);
  }
  assert.notEqual(Buffer.from(batchBytes(sha256(hash), batch)).toString("hex"), signed);
  const id = batchId(batchBytes(hash, batch));
  for (const verified of [true, false]) {
    assert.deepEqual(
      Buffer.from(acknowledgementBytes(hash, 1, { origin: batch.origin, number: 5, id }, verified)),
      independentCbor(["gs1/ack", hash, 1, batch.origin, 5, id, verified]),
    );
  }
});

test("refuses temporary blocks of a wrong shape", () => {
  const fields: readonly Item[] = [1, new Uint8Array(8), 0, [], [Uint8Array.of(1)], new Uint8Array(64)];
  const changed = (index: number, item: Item) =>
    independentCbor(fields.map((field, at) => (at === index ? item : field)));
  const notice = (kind: number): Item => [kind, Uint8Array.of(1)];
  assert.equal(decodeBatch(changed(0, 1)).batch.chain, 1);
  const cases: readonly (readonly [number, Item, RegExp])[] = [
    [0, -1, /chain/],
    [1, new Uint8Array(7), /origin/],
    [2, "0", /number/],
    [3, [notice(1), notice(1)], /more credentials than records/],
    [3, Array.from({ length: BATCH_RULINGS_MAX + 1 }, () => notice(2)), /more than 16 orders/],
    [3, [notice(4)], /notice kind 4/],
    [3, [Uint8Array.of(1)], /notice/],
    [3, [[1, 1]], /notice/],
    [4, [], /neither record nor notice/],
    [4, Array.from({ length: BATCH_RECORDS_MAX + 1 }, () => Uint8Array.of(1)), /at most 1000 records/],
    [5, new Uint8Array(63), /signature/],
  ];
  for (const [index, item, message] of cases) assert.throws(() => decodeBatch(changed(index, item)), message);
  assert.throws(() => decodeBatch(independentCbor(fields.slice(1))), WireError);
});

test("reads every block that it writes, its size as the block states it", () => {
  fc.assert(
    fc.property(blocks, (block) => {
      const bytes = encodeBlock(block);
      assert.deepEqual(decodeBlock(bytes), block);
      const [, size] = independentDecode(bytes) as readonly Item[];
      assert.equal(Buffer.from(size as Uint8Array).readUInt32BE(), bytes.length);
    }),
  );
});

test("refuses blocks of a wrong shape", () => {
  const { block } = receiptOf(1, 1);
  const parts = independentDecode(encodeBlock(block)) as readonly Item[];
  const content = independentDecode(parts[4] as Uint8Array) as readonly Item[];
  /** The block with one part replaced and its size set right. */
  const changed = (index: number, item: Item) => {
    const items = parts.map((part, at) => (at === index ? item : part));
    const size = Buffer.alloc(4);
    size.writeUInt32BE(independentCbor(items).length);
    if (index !== 1) items[1] = size;
    return independentCbor(items);
  };
  const withContent = (index: number, item: Item) =>
    changed(4, independentCbor(content.map((field, at) => (at === index ? item : field))));
  assert.deepEqual(decodeBlock(changed(3, 0)), block);
  const format = parts[0] as readonly Item[];
  const late = Buffer.alloc(8, 0xff);
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [changed(0, [Buffer.from("GSB2"), ...format.slice(1)]), /magic/],
    [changed(0, [format[0]!, 2, ...format.slice(2)]), /version 2/],
    [changed(0, format.slice(0, 4)), /format/],
    [changed(1, Buffer.alloc(4)), /states 0 bytes/],
    [changed(2, new Uint8Array(79)), /header/],
    [changed(3, -1), /counter/],
    [changed(5, late), /lock time/],
    [changed(6, [0]), /certificate/],
    [withContent(0, 2), /another service/],
    [withContent(1, [[]]), /batch/],
    [withContent(7, new Uint8Array(31)), /member set/],
    [changed(4, Buffer.concat([parts[4] as Uint8Array, Buffer.of(0)])), /follow the CBOR item/],
  ];
  for (const [bytes, message] of cases) assert.throws(() => decodeBlock(bytes), message);
});

test("commits to every part of a block but the certificate and the lock time", () => {
  const { block } = receiptOf(2, 1);
  const root = (changed: Block) => Buffer.from(rootOfLevels(blockTree(changed))).toString("hex");
  const [batch] = block.batches;
  const hash = sha256(Uint8Array.of(1));
  const changes: readonly Partial<Block>[] = [
    { network: "beta" },
    { chain: 2 },
    { height: 2 },
    { counter: 1 },
    { script: Uint8Array.of(1) },
    { stateRoot: hash },
    { results: someResults },
    { anchors: [{ chain: 2, height: 1, headerHash: hash }] },
    { judgedAt: 1 },
    { time_ms: block.time_ms + 1 },
    { memberSet: hash },
    { nextMemberSet: hash },
    { batches: [] },
    { batches: [{ ...batch!, origin: new Uint8Array(8) }] },
    { batches: [{ ...batch!, number: 1 }] },
    { batches: [{ ...batch!, id: hash }] },
    { batches: [{ ...batch!, acknowledgements: batch!.acknowledgements.slice(1) }] },
    { batches: [{ ...batch!, notices: [] }] },
    { batches: [{ ...batch!, records: [...batch!.records].reverse() }] },
    { batches: [{ ...batch!, records: batch!.records.slice(1) }] },
    {
      batches: [
        { ...batch!, records: [batch!.records[0]!] },
        { ...batch!, records: [batch!.records[1]!] },
      ],
    },
  ];
  const roots = new Set([root(block), ...changes.map((change) => root({ ...block, ...change }))]);
  assert.equal(roots.size, changes.length + 1);
  assert.equal(root({ ...block, lock_ms: 1, certificate: { round: 0, signatures: [] } }), root(block));
  assert.deepEqual(blockTree(block)[0]!.slice(0, 32), leafHash(metadataEntry(block)));
});

test("needs two thirds and more of the members, of any number", () => {
  for (let members = 1; members <= 128; members += 1) {
    const needed = quorum(members);
    assert.ok(3 * needed > 2 * members && needed <= members && needed === members - faults(members));
    assert.ok(2 * needed - members > faults(members)); // any two quorums share a correct member
  }
  assert.deepEqual([1, 2, 3, 4, 5, 7, 10].map(quorum), [1, 2, 3, 3, 4, 5, 7]);
});

test("accepts a certificate of distinct members in their order alone, for its own place alone", () => {
  const { members } = chainOf(network.genesis, 1)!;
  const hash = sha256(Uint8Array.of(7));
  const block = { genesisHash: network.genesis.hash, chain: 1, height: 9, headerHash: hash };
  const good = certify(network, 1, 9, 2, hash);
  const { signatures } = good;
  verifyCertificate(good, block, members, nodeVerify);
  verifyCertificate(certify(network, 1, 9, 2, hash, 4), block, members, nodeVerify);
  const outsider = {
    node: meter.kid,
    signature: meter.signer.sign(precommitBytes(network.genesis.hash, 1, 9, 2, hash)),
  };
  const bad: readonly (readonly [Certificate, RegExp])[] = [
    [{ ...good, signatures: signatures.slice(1) }, /2 signatures, 3 are needed/],
    [{ ...good, signatures: [signatures[0]!, signatures[0]!, signatures[1]!] }, /not members in their order/],
    [{ ...good, signatures: [...signatures].reverse() }, /not members in their order/],
    [{ ...good, signatures: [...signatures, outsider] }, /not members in their order/],
    [{ ...good, round: 1 }, /does not verify/],
    [certify(testNetwork("beta"), 1, 9, 2, hash), /not members/],
  ];
  for (const [certificate, message] of bad) {
    assert.throws(() => verifyCertificate(certificate, block, members, nodeVerify), message);
  }
  for (const change of [{ chain: 3 }, { height: 8 }, { headerHash: sha256(hash) }, { genesisHash: hash }]) {
    assert.throws(() => verifyCertificate(good, { ...block, ...change }, members, nodeVerify), /does not verify/);
  }
});

test("refuses every single-bit change of a certificate", () => {
  const { members } = chainOf(network.genesis, 1)!;
  const hash = sha256(Uint8Array.of(7));
  const block = { genesisHash: network.genesis.hash, chain: 1, height: 9, headerHash: hash };
  const bytes = independentCbor(certificateToArray(certify(network, 1, 9, 2, hash)) as Item);
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const changed = Uint8Array.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(
      () => verifyCertificate(certificateFromArray(decodeCbor(changed)), block, members, nodeVerify),
      WireError,
      `bit ${bit}`,
    );
  }
});

test("proves every record of a block by a receipt and reads every receipt that it writes", () => {
  for (const count of [1, 2, 5, 8]) {
    for (let leaf = 1; leaf <= count; leaf += 1) {
      const { block, receipt } = receiptOf(count, leaf);
      assert.deepEqual(decodeReceipt(encodeReceipt(receipt)), receipt);
      assert.deepEqual(receiptEncoder(block, blockTree(block))(leaf, receipt.recordHash), encodeReceipt(receipt));
      verifyReceipt(receipt, network.genesis, nodeVerify);
    }
  }
});

test("refuses every single-bit change of a receipt", () => {
  const bytes = encodeReceipt(receiptOf(6, 6).receipt);
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const changed = Uint8Array.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.ok(refusedReceipt(changed), `bit ${bit & 7} of byte ${bit >> 3}`);
  }
});

test("takes another tree size with a path of the same shape for the same inclusion", () => {
  // The one field of a receipt that nothing signs: it changes neither the record nor the block that are proved.
  const { receipt } = receiptOf(4, 1);
  verifyReceipt({ ...receipt, size: 6 }, network.genesis, nodeVerify);
  for (const size of [1, 2, 3, 4, 9, 2 ** 53]) {
    assert.throws(() => verifyReceipt({ ...receipt, size }, network.genesis, nodeVerify), WireError, String(size));
  }
});

test("refuses a receipt for the metadata, for an inner node and for what is not in the block", () => {
  const { block, receipt } = receiptOf(3, 1);
  const tree = blockTree(block);
  const bad: readonly Partial<Receipt>[] = [
    { leaf: 0, path: inclusionPath(tree, 0), recordHash: sha256(metadataEntry(block)) },
    { leaf: 2 },
    { path: inclusionPath(tree, 2) },
    { recordHash: tree[1]!.slice(32), leaf: 1, size: 2, path: [tree[1]!.slice(0, 32)] },
    { recordHash: sha256(Uint8Array.of(1)) },
    { network: "beta" },
    { chain: 3 },
    { chain: 9 },
    { height: 2 },
    { path: [...receipt.path, receipt.recordHash] },
  ];
  for (const change of bad) {
    assert.throws(() => verifyReceipt({ ...receipt, ...change }, network.genesis, nodeVerify), WireError);
  }
  assert.throws(() => verifyReceipt(receipt, testNetwork("beta").genesis, nodeVerify), /of network alpha/);
});

test("cannot be told a header of another chain for the same height", () => {
  // The members of both chains are the same nodes: only the signed chain number keeps them apart.
  const { receipt } = receiptOf(2, 1);
  const certificate = certify(network, 3, 1, 2, headerHash(receipt.header));
  assert.throws(() => verifyReceipt({ ...receipt, certificate }, network.genesis, nodeVerify), WireError);
});

test("reads any bytes or throws a WireError", () => {
  const { block, receipt } = receiptOf(2, 1);
  const sources = [encodeBlock(block), encodeReceipt(receipt)];
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...sources), edits, fc.nat(), (source, changes, cut) => {
      const bytes = Uint8Array.from(source.subarray(0, source.length - (cut % 3)));
      for (const [index, byte] of changes) bytes[index % bytes.length] = byte;
      for (const read of [decodeBlock, decodeReceipt, decodeBatch]) {
        try {
          read(bytes);
        } catch (thrown) {
          assert.ok(thrown instanceof WireError, String(thrown));
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
