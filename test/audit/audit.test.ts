// The audit against chains that are good but for one thing.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type BlockContent, decodeBlock, encodeBlock, type SealedBatch } from "../../src/wire/block.js";
import { concatBytes, toHex } from "../../src/wire/bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { parseSign1, sign1 } from "../../src/wire/cose.js";
import { headerHash } from "../../src/wire/header.js";
import { keyId } from "../../src/wire/key.js";
import { OPERATION_BYTES_MAX, parseAnyRecord } from "../../src/wire/operation.js";
import { digestsOf, encodeDisclosure, parseRecord } from "../../src/wire/record.js";
import { type AuditReport, auditChain } from "../../tools/audit/audit.js";
import { decodeDisproof, encodeDisproof } from "../../tools/ledger/disproof.js";
import type { ExecutionEvidence } from "../../tools/ledger/execution.js";
import { readEvidence } from "../../tools/ledger/notices.js";
import { encodeResults, type Violation } from "../../tools/ledger/violations.js";
import { splitSequence } from "../../tools/sources/sequence.js";
import {
  acknowledged,
  type BlockParts,
  buildChain,
  type ChainBuilder,
  disproofAgainst,
  type Edits,
  makeGenesis,
  makeMeter,
  nodeSigners,
  operationOf,
  stranger,
  type TestMeter,
} from "./chain-builder.js";

async function* yielding(blocks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* blocks;
}

function audit(chain: ChainBuilder, blocks: readonly Uint8Array[] = chain.blocks): Promise<AuditReport> {
  return auditChain(chain.genesis, chain.genesis.chains[0]!, () => yielding(blocks));
}

/** A chain of two good blocks and a third one, made of `parts` with `edits`. */
function thirdBlock(parts: (meter: TestMeter) => BlockParts, edits: Edits = {}): ChainBuilder {
  const chain = buildChain();
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record(), meter.record()], credentials: [meter.credential] });
  chain.seal({ records: [meter.record()] });
  chain.seal(parts(meter), edits);
  return chain;
}

const oneRecord = (meter: TestMeter): BlockParts => ({ records: [meter.record()] });

async function refuses(chain: ChainBuilder, height: number, what: RegExp): Promise<void> {
  const report = await audit(chain);
  assert.match(report.firstProblem?.what ?? "nothing", what);
  assert.equal(report.firstProblem?.height, height);
  assert.equal(report.height, height - 1);
}

test("finds nothing in a good chain and counts what is in it", async () => {
  const chain = thirdBlock((meter) => ({
    records: [meter.record(), makeMeter(2).record()],
    credentials: [makeMeter(2).credential],
  }));
  const report = await audit(chain);
  assert.equal(report.firstProblem, undefined);
  assert.equal(report.height, 3);
  assert.equal(report.records, 5);
  assert.equal(report.meters, 2);
  assert.deepEqual(report.violations, {
    gap: 0,
    fork: 0,
    link: 0,
    equivocation: 0,
    falseAcknowledgement: 0,
    contract: 0,
  });
  assert.equal(report.header, toHex(headerHash(decodeBlock(chain.blocks[2]!).header)));
});

test("reports a chain without blocks as good, at height 0 and the genesis", async () => {
  const chain = buildChain();
  const report = await audit(chain);
  assert.equal(report.firstProblem, undefined);
  assert.equal(report.header, toHex(chain.genesis.hash));
});

test("notices every changed byte but those of the lock time", async () => {
  const chain = thirdBlock(oneRecord);
  const bytes = chain.blocks[2]!;
  const block = decodeBlock(bytes);
  // An earlier lock time changes the same bytes that an attacker may change unseen.
  const relocked = encodeBlock({ ...block, lock_ms: 0 });
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (position, flip) => {
      const changed = Uint8Array.from(bytes);
      changed[position]! ^= flip;
      const isLock = isWithinLock(bytes, relocked, position);
      const report = await audit(chain, [chain.blocks[0]!, chain.blocks[1]!, changed]);
      assert.equal(report.firstProblem === undefined, isLock && report.height === 3);
      if (!isLock) assert.equal(report.firstProblem?.height, 3);
    }),
    { numRuns: 200 },
  );
});

/** The lock's eight bytes: around where the two encodings differ. */
function isWithinLock(bytes: Uint8Array, relocked: Uint8Array, position: number): boolean {
  const last = bytes.findLastIndex((byte, index) => byte !== relocked[index]);
  return position > last - 8 && position <= last;
}

test("notices blocks that are missing, out of order, repeated or of another chain", async () => {
  const chain = thirdBlock(oneRecord);
  const [first, second, third] = chain.blocks as [Uint8Array, Uint8Array, Uint8Array];
  const other = buildChain(0, 3);
  const meter = makeMeter(1);
  other.seal({ records: [meter.record({ service: 3 })], credentials: [meter.credential] });
  for (const [blocks, height] of [
    [[second, third], 1],
    [[first, third], 2],
    [[second, first, third], 1],
    [[first, first, second], 2],
    [[first, second, third, second], 4],
    [[other.blocks[0]!], 1],
  ] as const) {
    const report = await audit(chain, blocks);
    assert.equal(report.firstProblem?.height, height);
  }
});

test("notices a file that ends within a block, or with rubbish", async () => {
  const chain = thirdBlock(oneRecord);
  const whole = concatBytes(...chain.blocks);
  for (const bytes of [whole.subarray(0, whole.length - 1), concatBytes(whole, Uint8Array.of(0xff))]) {
    const blocks = () => splitSequence(yielding([bytes]));
    const report = await auditChain(chain.genesis, chain.genesis.chains[0]!, blocks);
    assert.notEqual(report.firstProblem, undefined);
  }
});

const wrongPlaces: readonly (readonly [string, Edits, RegExp])[] = [
  ["a block of another network", { content: (content) => ({ ...content, network: "other" }) }, /network is another/],
  ["a height that is skipped", { content: (content) => ({ ...content, height: 4 }) }, /height is not 3/],
  [
    "a header that links elsewhere",
    { header: (header) => ({ ...header, previous: new Uint8Array(32) }) },
    /does not link/,
  ],
  ["a header of another version", { header: (header) => ({ ...header, version: 2 }) }, /version 2/],
  ["a target that the genesis does not set", { header: (header) => ({ ...header, target: 0x207fffff }) }, /target/],
  ["a header time that is not the block's", { header: (header) => ({ ...header, time_s: 1 }) }, /header's time/],
  ["a timestamp before the last", { content: (content) => ({ ...content, time_ms: 1_700_000_000_999 }) }, /timestamp/],
  [
    "a Merkle root of something else",
    { header: (header) => ({ ...header, merkleRoot: new Uint8Array(32) }) },
    /Merkle/,
  ],
  ["another member set", { content: (content) => ({ ...content, memberSet: new Uint8Array(32) }) }, /member set/],
  [
    "another next member set",
    { content: (content) => ({ ...content, nextMemberSet: new Uint8Array(32) }) },
    /member set/,
  ],
  ["a script put in another's place", { block: (block) => ({ ...block, script: Uint8Array.of(1) }) }, /Merkle root/],
  ["a counter that is too low or too high", { content: (content) => ({ ...content, counter: 1 }) }, /counter/],
  ["a certificate of less than a quorum", { signers: nodeSigners.slice(0, 2) }, /3 are needed/],
  ["a certificate with a stranger's signature", { signers: [...nodeSigners.slice(0, 2), stranger] }, /not members/],
  ["a member who signs twice", { signers: [nodeSigners[0]!, nodeSigners[1]!, nodeSigners[1]!] }, /not members/],
  [
    "a certificate of another round",
    { block: (block) => ({ ...block, certificate: { ...block.certificate, round: 1 } }) },
    /does not verify/,
  ],
  [
    "results that the script does not find",
    {
      content: (content) => ({
        ...content,
        counter: 1,
        results: resultsOf([{ kind: "gap", meter: makeMeter(1).kid, seq: 0, detail: 0 }]),
      }),
    },
    /results/,
  ],
  [
    "bytes that are no record",
    { content: (content) => ({ ...content, batches: [{ ...content.batches[0]!, records: [Uint8Array.of(1)] }] }) },
    /tag 18/,
  ],
  ["an anchor of the chain itself", { content: (content) => ({ ...content, anchors: [anchor(1)] }) }, /anchor/],
  ["an anchor of no chain", { content: (content) => ({ ...content, anchors: [anchor(9)] }) }, /anchor/],
  ["anchors out of order", { content: (content) => ({ ...content, anchors: [anchor(3), anchor(3)] }) }, /anchors/],
];

test("says of a block that names unknown rules that it cannot judge it, where the members have sealed it", async () => {
  const script = new TextEncoder().encode("gs1/rules/2");
  const renamed: Edits = { content: (content) => ({ ...content, script }) };
  const { verdict, height, firstProblem } = await audit(thirdBlock(oneRecord, renamed));
  assert.deepEqual([verdict, height, firstProblem?.lacks], ["incomplete", 2, "rules"]);
  assert.match(firstProblem!.what, /block 3: contract script "gs1\/rules\/2" is unknown to this version/);
  const lonely = await audit(thirdBlock(oneRecord, { ...renamed, signers: nodeSigners.slice(0, 2) }));
  assert.deepEqual([lonely.verdict, lonely.firstProblem?.lacks], ["bad", undefined]);
});

for (const [name, edits, what] of wrongPlaces) {
  test(`notices ${name}`, () => refuses(thirdBlock(oneRecord, edits), 3, what));
}

function anchor(chain: number) {
  return { chain, height: 1, headerHash: new Uint8Array(32).fill(7) };
}

const trading = { genesis: makeGenesis().genesis, service: 1 };

const wrongBatches: readonly (readonly [string, (batch: SealedBatch) => SealedBatch, RegExp])[] = [
  ["a batch that is sealed twice", (batch) => ({ ...batch, number: 0 }), /sealed twice/],
  ["a batch of no member", (batch) => ({ ...batch, origin: keyId(stranger.key) }), /not of a member/],
  [
    "a batch with too few acknowledgements",
    (batch) => ({ ...batch, acknowledgements: batch.acknowledgements.slice(1) }),
    /acknowledgements/,
  ],
  [
    "a batch that one member acknowledged twice",
    (batch) => ({ ...batch, acknowledgements: batch.acknowledgements.map(() => batch.acknowledgements[0]!) }),
    /not members in their order/,
  ],
  [
    "a batch that too few have verified",
    (batch) => acknowledged(trading, batch, [true, false, false]),
    /was verified by 1/,
  ],
  [
    "a batch that a member has only stored, as if it had verified it",
    (batch) => {
      const [first, ...others] = acknowledged(trading, batch, [false, true, true]).acknowledgements;
      return { ...batch, acknowledgements: [{ ...first!, verified: true }, ...others] };
    },
    /acknowledgement of [0-9a-f]{16} does not verify/,
  ],
  [
    "a batch with another one's acknowledgements",
    (batch) => ({ ...acknowledged(trading, { ...batch, id: new Uint8Array(32) }, [true, true, true]), id: batch.id }),
    /acknowledgement of [0-9a-f]{16} does not verify/,
  ],
];

for (const [name, batch, what] of wrongBatches) {
  test(`notices ${name}`, () => refuses(thirdBlock(oneRecord, { batch }), 3, what));
}

const wrongRecords: readonly (readonly [string, (meter: TestMeter) => BlockParts, RegExp])[] = [
  ["a block without records or violations", () => ({ records: [] }), /empty/],
  [
    "a record that somebody else signed, and who has said that it is the meter's",
    (meter) => ({ records: [meter.record({}, stranger)] }),
    /does not verify; [0-9a-f]{16}, [0-9a-f]{16} signed that they have verified it/,
  ],
  ["a record of another service", (meter) => ({ records: [meter.record({ service: 3 })] }), /another service/],
  ["a record of a meter without a credential", () => ({ records: [makeMeter(5).record()] }), /no credential/],
  [
    "a credential that the authority has not signed",
    () => ({ records: [makeMeter(5).record()], credentials: [makeMeter(5, [1], stranger).credential] }),
    /not signed by the authority/,
  ],
  [
    "a credential that does not permit the service",
    () => ({ records: [makeMeter(5).record()], credentials: [makeMeter(5, [3]).credential] }),
    /no credential that is valid then/,
  ],
  [
    "a record of a participant, who signs no readings",
    () => ({
      records: [makeMeter(5).record()],
      credentials: [makeMeter(5, [1], undefined, ["supplier", "regulator"]).credential],
    }),
    /is a participant's/,
  ],
  [
    "an operation that a meter signs",
    () => ({ records: [operationOf(makeMeter(5))], credentials: [makeMeter(5).credential] }),
    /is a meter's/,
  ],
  [
    "a reading that a participant signs beside its sealed operation, as a fork",
    () => ({
      records: [operationOf(buyer)],
      credentials: [buyer.credential],
      forks: [makeMeter(6).record()],
    }),
    /is a participant's/,
  ],
  [
    "a credential that is on the chain already",
    (meter) => ({ records: [meter.record()], credentials: [meter.credential] }),
    /credential is on the chain twice/,
  ],
  [
    "a record whose meter's credential ended at the block's time",
    () => {
      const lapsed = makeMeter(5, [1], undefined, ["meter"], 1_700_000_002);
      return { records: [lapsed.record()], credentials: [lapsed.credential] };
    },
    /no credential that is valid then/,
  ],
  [
    "a credential that prolongs another, for more services",
    (meter) => {
      const wider = makeMeter(1, [1, 2, 3], undefined, ["meter"], 2_000_000_001);
      return { records: [meter.record()], credentials: [wider.credential] };
    },
    /credential is on the chain twice/,
  ],
  [
    "a record that is sealed twice",
    (meter) => ({ records: [meter.record(), meter.record({ seq: 2, previous: new Uint8Array(32) })] }),
    /sealed twice/,
  ],
  [
    "a record with its disclosures",
    (meter) => {
      const disclosure = encodeDisclosure({
        salt: new Uint8Array(16),
        label: "secret",
        registers: [{ obis: Uint8Array.of(1, 0, 2, 7, 0, 255), value: 1, scaler: 0, unit: 27 }],
      });
      return { records: [meter.record({ digests: digestsOf([disclosure]) }, meter.signer, [disclosure])] };
    },
    /confidential/,
  ],
];

for (const [name, parts, what] of wrongRecords) {
  test(`notices ${name}`, () => refuses(thirdBlock(parts), 3, what));
}

test("takes a credential that prolongs the one on the chain, and one that ends a second behind the block", async () => {
  const timely = makeMeter(5, [1], undefined, ["meter"], 1_700_000_003);
  const chain = thirdBlock((meter) => ({
    records: [meter.record(), timely.record()],
    credentials: [makeMeter(1, [1, 3], undefined, ["meter"], 2_000_000_001).credential, timely.credential],
  }));
  const report = await audit(chain);
  assert.equal(report.firstProblem, undefined);
  assert.deepEqual([report.records, report.meters], [5, 2]);
});

const buyer = makeMeter(6, [1], undefined, ["customer"]);
const signedAs = (claims: ReadonlyMap<number, CborValue>) => sign1(encodeCbor(claims), buyer.signer, buyer.kid);

/** The claims of a good operation, with one changed or more. */
function operationClaims(...entries: readonly (readonly [number, CborValue])[]): ReadonlyMap<number, CborValue> {
  const { payload } = parseSign1(operationOf(buyer), OPERATION_BYTES_MAX);
  return new Map([...(decodeCbor(payload) as ReadonlyMap<number, CborValue>), ...entries]);
}

test("takes operations of participants beside readings, and the fork of one", async () => {
  const first = operationOf(buyer);
  const next = { seq: 1, previous: parseAnyRecord(first).hash };
  const chain = thirdBlock((meter) => ({
    records: [meter.record(), first, operationOf(buyer, { ...next, type: 1, body: null, until_s: 1 })],
    credentials: [buyer.credential],
    forks: [operationOf(buyer, { body: "another" })],
  }));
  const report = await audit(chain);
  assert.equal(report.firstProblem, undefined);
  assert.equal(report.violations.fork, 1);
});

const wrongOperations: readonly (readonly [string, () => Uint8Array, RegExp])[] = [
  ["an operation with registers", () => signedAs(operationClaims([9, [[new Uint8Array(6), 1, 0, 30]]])), /unknown key/],
  ["an operation without a type", () => signedAs(operationClaims([16, [0, encodeCbor(null)]])), /claim 16/],
  ["a body that is no CBOR", () => signedAs(operationClaims([16, [1, Uint8Array.of(0x18, 1)]])), /shortest form/],
  ["a body with a byte string", () => signedAs(operationClaims([16, [1, encodeCbor([buyer.kid])]])), /no byte strings/],
  [
    "an operation that is too large",
    () => signedAs(operationClaims([16, [1, encodeCbor("x".repeat(OPERATION_BYTES_MAX))]])),
    /larger than|too many|no record/,
  ],
];

for (const [name, operation, what] of wrongOperations) {
  test(`notices ${name}`, () => {
    const spoil = (content: BlockContent): BlockContent => {
      const [batch] = content.batches;
      return { ...content, batches: [{ ...batch!, records: [operation()] }] };
    };
    const parts = { records: [operationOf(buyer)], credentials: [buyer.credential] };
    return refuses(
      thirdBlock(() => parts, { content: spoil }),
      3,
      what,
    );
  });
}

test("notices a nonce that does not meet the chain's target", async () => {
  const chain = buildChain(0x1f00ffff);
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record()], credentials: [meter.credential] });
  assert.equal((await audit(chain)).firstProblem, undefined);
  const easier = buildChain(0x1f00ffff);
  easier.seal({ records: [meter.record()] }, { header: (header) => ({ ...header, target: 0 }) });
  await refuses(easier, 1, /target/);
});

test("recomputes gaps and broken links, and notices that they were kept silent", async () => {
  const previous = new Uint8Array(32).fill(1);
  const gaping = (meter: TestMeter) => ({
    records: [meter.record({ seq: 10, previous }), meter.record({ seq: 3000, previous })],
  });
  const linking = (meter: TestMeter) => ({ records: [meter.record({ seq: 3, previous })] });
  const { violations, violationsListed } = await audit(thirdBlock(gaping));
  assert.deepEqual(
    violationsListed.map(({ id, kind, subject, number }) => ({ id, kind, subject, number })),
    [{ id: "1:3:0", kind: "gap", subject: toHex(makeMeter(1).kid), number: 3 }],
  );
  assert.deepEqual(violations, {
    gap: 1,
    fork: 0,
    link: 0,
    equivocation: 0,
    falseAcknowledgement: 0,
    contract: 0,
  });
  assert.deepEqual((await audit(thirdBlock(linking))).violations, {
    gap: 0,
    fork: 0,
    link: 1,
    equivocation: 0,
    falseAcknowledgement: 0,
    contract: 0,
  });
  const silent: Edits = { content: (content) => ({ ...content, counter: 0, results: resultsOf([]) }) };
  await refuses(thirdBlock(gaping, silent), 3, /results/);
  await refuses(thirdBlock(linking, silent), 3, /results/);
});

test("takes a fork that another record with its number proves", async () => {
  const chain = thirdBlock((meter) => ({
    records: [meter.record()],
    forks: [meter.record({ seq: 1, previous: new Uint8Array(32) })],
  }));
  const report = await audit(chain);
  assert.equal(report.firstProblem, undefined);
  assert.deepEqual(report.violations, {
    gap: 0,
    fork: 1,
    link: 0,
    equivocation: 0,
    falseAcknowledgement: 0,
    contract: 0,
  });
});

test("notices a fork whose second record the meter has not signed", () =>
  refuses(
    thirdBlock((meter) => ({
      records: [meter.record()],
      forks: [meter.record({ seq: 1, previous: new Uint8Array(32) }, stranger)],
    })),
    3,
    /does not verify/,
  ));

const late = { seq: 9, previous: new Uint8Array(32) };

test("names who has said verified of a record that its meter has not signed", async () => {
  const chain = thirdBlock((meter) => ({
    records: [meter.record()],
    evidence: [1, 3].map((node) => disproofAgainst(nodeSigners[node]!, meter.record(late, stranger), meter)),
  }));
  const report = await audit(chain);
  assert.equal(report.firstProblem, undefined);
  assert.equal(report.violations.falseAcknowledgement, 2);
  const [origin, second, , fourth] = chain.genesis.nodes.map(({ id }) => toHex(id));
  assert.deepEqual(report.falseAcknowledgements, [
    { block: 3, node: second, origin, number: 40 },
    { block: 3, node: fourth, origin, number: 40 },
  ]);
});

const wrongDisproofs: readonly (readonly [string, (meter: TestMeter) => ExecutionEvidence, RegExp])[] = [
  [
    "of a record that its meter has signed",
    (meter) => disproofAgainst(nodeSigners[1]!, meter.record(late), meter),
    /is of a record that its meter has signed/,
  ],
  [
    "with another meter's credential",
    (meter) => disproofAgainst(nodeSigners[1]!, meter.record(late, stranger), makeMeter(2)),
    /another's credential/,
  ],
  [
    "with a word that its node has not given",
    (meter) => {
      const { bytes } = disproofAgainst(nodeSigners[1]!, meter.record(late, stranger), meter);
      const { bad, word } = decodeDisproof(bytes);
      const { id: node } = buildChain().genesis.nodes[2]!;
      return readEvidence(encodeDisproof({ bad, word: { ...word, node } }));
    },
    /is not signed by node-3/,
  ],
];

for (const [name, evidence, what] of wrongDisproofs) {
  test(`notices a disproof ${name}`, () =>
    refuses(
      thirdBlock((meter) => ({ records: [meter.record()], evidence: [evidence(meter)] })),
      3,
      what,
    ));
}

test("notices a disproof that is counted twice, one that is kept silent, and one against who is no member", async () => {
  const evidence = (meter: TestMeter) => [disproofAgainst(nodeSigners[1]!, meter.record(late, stranger), meter)];
  const accusing = (meter: TestMeter) => ({ records: [meter.record()], evidence: evidence(meter) });
  const twice = buildChain();
  const meter = makeMeter(1);
  twice.seal({ records: [meter.record()], credentials: [meter.credential], evidence: evidence(meter) });
  twice.seal(accusing(meter));
  await refuses(twice, 2, /results|counter/);
  const uncounted: Edits = { content: (content) => ({ ...content, counter: 0 }) };
  await refuses(thirdBlock(accusing, uncounted), 3, /counter/);
  const { bytes: proof } = disproofAgainst(stranger, makeMeter(1).record(late, stranger), makeMeter(1));
  const violation = { kind: "falseAcknowledgement", node: keyId(stranger.key), number: 40, evidence: proof } as const;
  const foreign: Edits = { content: (content) => ({ ...content, counter: 1, results: resultsOf([violation]) }) };
  await refuses(thirdBlock(oneRecord, foreign), 3, /results/);
});

test("notices a duplicate that is recorded as a fork", async () => {
  const chain = buildChain();
  const meter = makeMeter(1);
  const record = meter.record();
  chain.seal({ records: [record], credentials: [meter.credential] });
  const violation = { kind: "fork", meter: meter.kid, seq: 0, detail: parseRecord(record).stripped } as const;
  chain.seal(
    { records: [meter.record()] },
    { content: (content) => ({ ...content, counter: 1, results: resultsOf([violation]) }) },
  );
  const report = await audit(chain);
  assert.match(report.firstProblem?.what ?? "nothing", /no other record is sealed/);
});

test("notices a fork of a number that nothing is sealed with", async () => {
  const chain = thirdBlock(oneRecord, {
    content: (content) => {
      const meter = makeMeter(1);
      const detail = meter.record({ seq: 8, previous: new Uint8Array(32) });
      const violation = { kind: "fork", meter: meter.kid, seq: 8, detail } as const;
      return { ...content, counter: 1, results: resultsOf([violation]) };
    },
  });
  await refuses(chain, 3, /results/);
});

test("says which heights of other chains a chain anchors", async () => {
  const chain = thirdBlock(oneRecord, { content: (content) => ({ ...content, anchors: [anchor(3)] }) });
  const { anchors } = await auditChain(chain.genesis, chain.genesis.chains[0]!, () => yielding(chain.blocks));
  const { height } = anchor(3);
  assert.deepEqual(anchors, {
    named: 1,
    confirmed: 0,
    contradicted: 0,
    contradictions: [],
    chains: [{ service: 3, first: height, last: height, named: 1 }],
  });
});

test("cuts a sequence into the same blocks whatever its chunks", async () => {
  const chain = thirdBlock(oneRecord);
  const whole = concatBytes(...chain.blocks);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 9 }), async (sizes) => {
      const chunks: Uint8Array[] = [];
      for (let offset = 0, turn = 0; offset < whole.length; turn += 1) {
        const size = sizes[turn % sizes.length]!;
        chunks.push(whole.subarray(offset, offset + size));
        offset += size;
      }
      const items: Uint8Array[] = [];
      for await (const item of splitSequence(yielding(chunks))) items.push(item);
      assert.deepEqual(items, chain.blocks);
    }),
    { numRuns: 50 },
  );
});

/** Results without operations. */
function resultsOf(violations: readonly Violation[]): Uint8Array {
  return encodeResults({ violations, outcomes: [], slots: [] });
}
