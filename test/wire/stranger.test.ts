// The stranger reads chains that src/wire made, and finds whatever was changed in them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { acknowledgementBytes, batchSummaryBytes } from "../../src/wire/batch.js";
import { type Block, encodeBlock, type SealedBatch } from "../../src/wire/block.js";
import { type CborValue, encodeCbor } from "../../src/wire/cbor.js";
import { parseSign1, sign1 } from "../../src/wire/cose.js";
import { type OperationClaims, signOperation } from "../../src/wire/operation.js";
import { type Claims, parseRecord, signRecord } from "../../src/wire/record.js";
import { issueWarrant } from "../../src/wire/warrant.js";
import { encodeDisproof } from "../../tools/ledger/disproof.js";
import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import {
  type Seal,
  script,
  sealBlock,
  sha256,
  signerNamed,
  startTime_s,
  type TestMeter,
  testBatch,
  testMeter,
  testNetwork,
  testRecords,
} from "./network.js";
import { verifyExport } from "./stranger.js";
import { list } from "./stranger-proof.js";

const network = testNetwork();
const [first, second] = network.nodes;
const meter = testMeter(network, "M0001");
const other = testMeter(network, "M0002");
const records = testRecords(meter, 6);
const others = testRecords(other, 3);

const batch = (number: number, credentials: readonly Uint8Array[], sealed: readonly Uint8Array[], origin = first!) =>
  testBatch(network, 1, origin, number, credentials, sealed);

/** A chain of blocks with these seals. */
function chainOf(...seals: readonly Seal[]): Block[] {
  const blocks: Block[] = [];
  for (const seal of seals) blocks.push(sealBlock(network, 1, blocks.at(-1), seal));
  return blocks;
}

const exported = (blocks: readonly Block[]) => Buffer.concat(blocks.map(encodeBlock));

const goodSeals: readonly Seal[] = [
  { batches: [batch(0, [meter.credential], records.slice(0, 2)), batch(0, [other.credential], [others[0]!], second)] },
  { batches: [batch(1, [], [...records.slice(2, 4), others[2]!])], round: 3 },
  { batches: [batch(1, [], [others[1]!, records[4]!], second)], signers: 4 },
];

test("a stranger verifies an exported chain and reads every record of it", () => {
  const blocks = chainOf(...goodSeals);
  const report = verifyExport(network.genesisBytes, exported(blocks));
  assert.deepEqual([report.network, report.chain, report.height, report.counter], ["alpha", 1, 3, 0]);
  const sealed = blocks.flatMap((block) => block.batches.flatMap((sealedBatch) => sealedBatch.records));
  assert.equal(report.records.length, sealed.length);
  for (const [index, record] of report.records.entries()) {
    const expected = parseRecord(sealed[index]!);
    assert.equal(record.hash, Buffer.from(expected.hash).toString("hex"));
    assert.equal(record.seq, expected.claims.seq);
    assert.equal(record.subject, Buffer.compare(expected.kid, meter.kid) === 0 ? "M0001" : "M0002");
    assert.deepEqual(record.claims.get(6), expected.claims.time_s);
  }
  assert.deepEqual([report.records[0]!.height, report.records[0]!.leaf, report.records[2]!.leaf], [1, 1, 3]);
});

test("a stranger takes a credential that prolongs another, and holds records to its end", () => {
  // The first block is of one and a half seconds behind the start, each later one of as much more.
  const [ends_s, later_s] = [startTime_s + 3, startTime_s + 5];
  const short = testMeter(network, "M0012", [1, 3], { expires_s: ends_s });
  const longer = testMeter(network, "M0012", [1, 3], { expires_s: later_s, jurisdiction: "DE" });
  const wider = testMeter(network, "M0012", [1, 2, 3], { expires_s: later_s });
  const own = testRecords(short, 4);
  const begun = { batches: [batch(0, [short.credential], [own[0]!])] };
  const export_ = (...seals: readonly Seal[]) => verifyExport(network.genesisBytes, exported(chainOf(begun, ...seals)));
  const prolonged = { batches: [batch(1, [longer.credential], [own[1]!])] };
  assert.equal(export_(prolonged, { batches: [batch(2, [], [own[2]!])] }).records.length, 3);
  assert.throws(() => export_({ batches: [batch(1, [], [own[1]!])] }), /no credential that is valid/);
  assert.throws(() => export_({ batches: [batch(1, [wider.credential], [own[1]!])] }), /on the chain twice/);
  const late = { batches: [batch(2, [], [own[2]!])], time_ms: later_s * 1_000 };
  assert.throws(() => export_(prolonged, late), /no credential that is valid/);
});

test("a stranger verifies a chain with a difficulty target and one whose members differ in order", () => {
  const mined = testNetwork("mined", 1, 0x2007ffff);
  const miner = testMeter(mined, "M0003");
  const chained = testBatch(mined, 1, mined.nodes[0]!, 0, [miner.credential], testRecords(miner, 2));
  assert.equal(
    verifyExport(mined.genesisBytes, encodeBlock(sealBlock(mined, 1, undefined, { batches: [chained] }))).height,
    1,
  );
  const dispatched = testBatch(network, 3, first!, 0, [meter.credential], testRecords(meter, 2, 3));
  const block = sealBlock(network, 3, undefined, { batches: [dispatched] });
  assert.equal(verifyExport(network.genesisBytes, encodeBlock(block)).chain, 3);
});

test("a stranger comes to the same violations: a gap, a broken link, a fork", () => {
  const forked = testRecords(meter, 2, 1, 1, sha256(records[0]!)).map((_, index) =>
    forkOf(meter, 1 + index, records[index]!),
  );
  const far = testRecords(meter, 1, 1, 2_000)[0]!;
  const unlinked = testRecords(meter, 1, 1, 2_001, sha256(Buffer.from("another")))[0]!;
  const blocks = chainOf(
    { batches: [batch(0, [meter.credential], [records[0]!, records[1]!, records[4]!])] },
    { batches: [batch(1, [], [records[3]!])], ...results(0, [2, meter.kid, 1, forked[0]!]) },
    {
      batches: [batch(2, [], [far, unlinked])],
      ...results(1, [1, meter.kid, 2, 2], [3, meter.kid, 2_001, sha256(unlinked)]),
    },
  );
  assert.equal(verifyExport(network.genesisBytes, exported(blocks)).counter, 3);
});

/** Operations of a participant, each with the hash of the one before it. */
function operationsOf({ signer, kid }: TestMeter, count: number, changes: Partial<OperationClaims> = {}): Uint8Array[] {
  const operations: Uint8Array[] = [];
  for (let seq = 0; seq < count; seq += 1) {
    const before = operations.at(-1);
    const previous = before === undefined ? new Uint8Array(0) : sha256(before);
    const claims = { service: 1, serviceId: 0, seq, previous, time_s: startTime_s + seq, quality: 2 };
    operations.push(signOperation({ ...claims, type: 40_000, body: { seq }, ...changes }, [], signer, kid));
  }
  return operations;
}

const buyer = testMeter(network, "M0008", [1], { roles: ["customer", "supplier"] });
const asked = operationsOf(buyer, 3);

test("a stranger verifies operations beside readings, and the fork of a participant", () => {
  const [forked] = operationsOf(buyer, 1, { body: "another" });
  const blocks = chainOf(
    {
      batches: [batch(0, [meter.credential, buyer.credential], [records[0]!, asked[0]!, asked[1]!])],
      results: encodeCbor([[], unhandled(2, 3), []]),
    },
    {
      batches: [batch(1, [], [asked[2]!, records[1]!])],
      results: encodeCbor([[[2, buyer.kid, 0, forked!]], unhandled(1), []]),
      counter: 1,
    },
  );
  const report = verifyExport(network.genesisBytes, exported(blocks));
  assert.deepEqual([report.records.length, report.counter], [5, 1]);
  assert.deepEqual(list(report.records[1]!.claims.get(16)), [40_000, Buffer.from("a16373657100", "hex")]);
});

/** Outcomes of operations at these leaves that no contract takes. */
const unhandled = (...leaves: readonly number[]) => leaves.map((leaf) => [[0, leaf], 0]);

test("a stranger finds an operation without its outcome, one that is another's, and one of a kind that it cannot have", () => {
  const batches = [batch(0, [meter.credential, buyer.credential], [records[0]!, asked[0]!, asked[1]!])];
  const done = [[0, 3], 1, "limits", 1, []];
  for (const [outcomes, reason] of [
    [unhandled(2), /entries and outcomes differ/],
    [unhandled(2, 3, 4), /entries and outcomes differ/],
    [unhandled(3, 2), /entry of an outcome/],
    [unhandled(1, 2), /entry of an outcome/],
    [[...unhandled(2), [[0, 3], 4]], /no contract takes/],
    [[...unhandled(2), done], /no contract takes/],
  ] as const) {
    const blocks = chainOf({ batches, results: encodeCbor([[], outcomes, []]) });
    assert.throws(() => verifyExport(network.genesisBytes, exported(blocks)), reason);
  }
});

function results(before: number, ...rows: readonly (readonly [number, Uint8Array, number, number | Uint8Array])[]) {
  return { results: encodeCbor([rows, [], []]), counter: before + rows.length };
}

/** Another record with a sealed number. */
function forkOf(of: TestMeter, seq: number, before: Uint8Array): Uint8Array {
  const claims: Claims = { service: 1, serviceId: 13, seq, previous: sha256(before), time_s: startTime_s, quality: 2 };
  return signRecord(claims, [], of.signer, of.kid);
}

const anchorOf = (chain: number) => ({ chain, height: 1, headerHash: sha256(Uint8Array.of(chain)) });

/** The operation with claim 9 put into it, signed anew. */
function withRegister(operation: Uint8Array): Uint8Array {
  const { payload } = parseSign1(operation, 65_536);
  const claims = independentDecode(payload) as ReadonlyMap<number, Item>;
  const register: Item = [Uint8Array.of(1, 0, 1, 8, 0, 255), 1, 0, 30];
  const changed = Uint8Array.from(independentCbor(new Map([...claims, [9, [register]]])));
  return sign1(changed, buyer.signer, buyer.kid);
}

const disordered = (sealed: SealedBatch) => ({ ...sealed, acknowledgements: [...sealed.acknowledgements].reverse() });

/** The same with acknowledgements of which these say verified, in the order of the members. */
const saying = (sealed: SealedBatch, words: readonly boolean[]): SealedBatch => ({
  ...sealed,
  acknowledgements: words.map((verified, index) => {
    const { id, signer } = network.nodes[index]!;
    return {
      node: id,
      signature: signer.sign(acknowledgementBytes(network.genesis.hash, 1, sealed, verified)),
      verified,
    };
  }),
});
const claiming = (sealed: SealedBatch): SealedBatch => ({
  ...sealed,
  acknowledgements: sealed.acknowledgements.map((word) => ({ ...word, verified: true })),
});

/** The second node's word that it has verified this record, in a temporary block of the first. */
function disproofOf(record: Uint8Array, { credential }: TestMeter = meter): Uint8Array {
  const summary = { origin: first!.id, number: 70, notices: sha256(encodeCbor([])), count: 1 };
  const root = sha256(Buffer.concat([Buffer.of(0), sha256(record)]));
  const id = sha256(batchSummaryBytes(network.genesis.hash, 1, { ...summary, root }));
  const name = { origin: first!.id, number: 70, id };
  const signature = second!.signer.sign(acknowledgementBytes(network.genesis.hash, 1, name, true));
  const bad = { summary, index: 0, path: [], record, credential };
  return encodeDisproof({ bad, word: { node: second!.id, signature } });
}

/** A record of the meter whose claims are no record's, as if it had not signed it. */
function malformed(changes: readonly (readonly [number, CborValue])[]): Uint8Array {
  const { claims, kid } = parseRecord(records[5]!);
  const registers = [[Uint8Array.of(1, 0, 1, 8, 0, 255), 1, 0, 30]];
  const stated: readonly (readonly [number, CborValue])[] = [
    ...([1, 2, 3, 4] as const).map((claim) => [claim, claim === 4 ? claims.seq : 1] as const),
    ...([
      [5, claims.previous],
      [6, claims.time_s],
      [7, 2],
      [9, registers],
    ] as const),
  ];
  const bytes = sign1(encodeCbor(new Map([...stated, ...changes])), meter.signer, kid);
  return bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte));
}

const spoilt = records[5]!.map((byte, index) => (index === records[5]!.length - 1 ? byte ^ 1 : byte));

test("a stranger takes a temporary block that as many as are to verify have verified, and a word that is proved false", () => {
  const [one, two] = goodSeals;
  const [own, theirs] = one!.batches;
  const blocks = chainOf(
    { batches: [saying(own!, [true, false, true]), saying(theirs!, [false, true, true])] },
    { ...two!, ...results(0, [5, second!.id, 70, disproofOf(spoilt)]) },
  );
  assert.equal(verifyExport(network.genesisBytes, exported(blocks)).counter, 1);
});

const issuing = signerNamed("issuing key");
const warranted = { network: "alpha", notBefore_s: startTime_s - 5, expires_s: startTime_s + 5, key: issuing.key };
const byWarrant = (changes: Partial<typeof warranted>, authority = network.authority, signer = issuing) =>
  testMeter(network, "M0001", [1, 3], {}, { signer, warrant: issueWarrant({ ...warranted, ...changes }, authority) });

test("a stranger takes credentials that a warranted key has issued, and every field that one may have", () => {
  const full = {
    roles: ["meter", "customer", "final-customer"] as const,
    jurisdiction: "AT-9",
    deliveryKey: new Uint8Array(32).fill(5),
    origin: { key: "injected", lot: "lot 7" } as const,
  };
  const prosumer = testMeter(network, "M0008", [1], full);
  const blocks = chainOf({
    batches: [batch(0, [byWarrant({}).credential, prosumer.credential], [records[0]!, ...testRecords(prosumer, 1)])],
  });
  assert.equal(verifyExport(network.genesisBytes, exported(blocks)).records.length, 2);
});

/** A name, blocks, and why a stranger refuses them. */
type Refused = readonly [string, readonly Seal[], RegExp];

function disproofCases(): readonly Refused[] {
  const [one, two, three] = goodSeals;
  return [
    [
      "a disproof of a genuine record",
      [one!, { ...two!, ...results(0, [5, second!.id, 70, disproofOf(records[5]!)]) }],
      /its meter has signed/,
    ],
    [
      "a disproof with another's credential",
      [one!, { ...two!, ...results(0, [5, second!.id, 70, disproofOf(spoilt, other)]) }],
      /another's credential/,
    ],
    ...(
      [
        ["a claim that is none", malformed([[16, 1]])],
        ["a power of ten that is none", malformed([[9, [[Uint8Array.of(1, 0, 1, 8, 0, 255), 1, 200, 30]]]])],
        ["digests out of order", malformed([[10, [new Uint8Array(32).fill(2), new Uint8Array(32)]]])],
        ["no register where there is a list", malformed([[9, []]])],
      ] as const
    ).map(
      ([what, record]) =>
        [
          `a disproof whose record has ${what}`,
          [one!, { ...two!, ...results(0, [5, second!.id, 70, disproofOf(record)]) }],
          /claim|power of ten|ascending|empty/,
        ] as const,
    ),
    [
      "a disproof of another node's word",
      [one!, { ...two!, ...results(0, [5, first!.id, 70, disproofOf(spoilt)]) }],
      /against another node/,
    ],
    [
      "a disproof of another temporary block",
      [one!, { ...two!, ...results(0, [5, second!.id, 71, disproofOf(spoilt)]) }],
      /another temporary block/,
    ],
    [
      "a false word counted twice",
      [
        one!,
        { ...two!, ...results(0, [5, second!.id, 70, disproofOf(spoilt)]) },
        { ...three!, ...results(1, [5, second!.id, 70, disproofOf(spoilt)]) },
      ],
      /counted twice/,
    ],
  ];
}

test("a stranger refuses a chain that breaks any rule", () => {
  const forgedWarrants = [
    byWarrant({ network: "beta" }),
    byWarrant({ notBefore_s: startTime_s + 1 }),
    byWarrant({ expires_s: startTime_s }),
    byWarrant({}, issuing),
    byWarrant({}, network.authority, signerNamed("stranger")),
  ];
  const [one, two, three] = goodSeals;
  const stranger = testMeter(testNetwork("beta"), "M0001");
  const pause = testMeter(network, "M0009", [3]);
  const fork = forkOf(meter, 1, records[0]!);
  const cases: readonly Refused[] = [
    ["too few signatures", [{ ...one!, signers: 2 }], /not of a quorum/],
    ["a record twice", [one!, { batches: [batch(1, [], [records[0]!])] }], /sealed twice/],
    ["a batch twice", [one!, { batches: [batch(0, [], records.slice(2, 4))] }], /sealed twice/],
    [
      "a batch behind one far ahead",
      [one!, { batches: [batch(2_000, [], records.slice(2, 3)), batch(1, [], records.slice(3, 4))] }],
      /closed by a later one/,
    ],
    [
      "a credential twice",
      [one!, { batches: [batch(1, [meter.credential], records.slice(2, 4))] }],
      /on the chain twice/,
    ],
    ["no credential", [{ batches: [batch(0, [], records)] }], /no credential/],
    ["a foreign credential", [{ batches: [batch(0, [stranger.credential], [])] }], /not signed by the authority/],
    [
      "a participant's record",
      [{ batches: [batch(0, [buyer.credential], testRecords(buyer, 1))] }],
      /of a participant/,
    ],
    ...forgedWarrants.map(
      ({ credential }): Refused => [
        "a credential whose warrant does not hold",
        [{ batches: [batch(0, [credential], records.slice(0, 2))] }],
        /warrant|not signed by the authority/,
      ],
    ),
    [
      "a service not permitted",
      [{ batches: [batch(0, [pause.credential], testRecords(pause, 1))] }],
      /for other services/,
    ],
    [
      "another service's record",
      [{ batches: [batch(0, [meter.credential], testRecords(meter, 1, 3))] }],
      /another version or service/,
    ],
    ["a wrong counter", [{ ...one!, counter: 1 }], /action counter/],
    ["a violation invented", [{ ...one!, ...results(0, [1, meter.kid, 7, 9]) }], /results of the rules/],
    [
      "a violation left out",
      [one!, { batches: [batch(1, [], [records[3]!, testRecords(meter, 1, 1, 3_000)[0]!])] }],
      /results of the rules/,
    ],
    ["a fork invented", [one!, { ...two!, ...results(0, [2, meter.kid, 1, records[1]!]) }], /no sealed record/],
    [
      "a fork counted twice",
      [
        one!,
        { ...two!, ...results(0, [2, meter.kid, 1, fork]) },
        { ...three!, ...results(1, [2, meter.kid, 1, fork]) },
      ],
      /counted twice/,
    ],
    ["anchors out of order", [{ ...one!, anchors: [anchorOf(3), anchorOf(2)] }], /anchors/],
    ["an anchor of its own chain", [{ ...one!, anchors: [anchorOf(1)] }], /anchors/],
    ["too few acknowledgements", [{ batches: [{ ...one!.batches[0]!, acknowledgements: [] }] }], /not of a quorum/],
    ["too few who have verified", [{ batches: [saying(one!.batches[0]!, [false, true, false])] }], /too few/],
    [
      "stored as if it were verified",
      [{ batches: [claiming(saying(one!.batches[0]!, [false, true, true]))] }],
      /not its node's/,
    ],
    ...disproofCases(),
    ["acknowledgements out of order", [{ batches: [disordered(one!.batches[0]!)] }], /in their order/],
    [
      "an operation that a meter signs",
      [{ batches: [batch(0, [meter.credential], operationsOf(meter, 1))] }],
      /operation is of a meter/,
    ],
    [
      "an operation with a register",
      [{ batches: [batch(0, [buyer.credential], [withRegister(asked[0]!)])] }],
      /none of its kind/,
    ],
    ["an original node that is no member", [{ batches: [{ ...one!.batches[0]!, origin: meter.kid }] }], /no member/],
    ["an empty block", [{ batches: [batch(0, [meter.credential], [])] }], /empty/],
    ["time backwards", [one!, { ...two!, time_ms: startTime_s * 1_000 }], /backwards/],
  ];
  for (const [name, seals, message] of cases) {
    assert.throws(() => verifyExport(network.genesisBytes, exported(chainOf(...seals))), message, name);
  }
});

test("a stranger refuses blocks out of order, left out, of another network or with another script", () => {
  const [one, two, three] = chainOf(...goodSeals);
  for (const blocks of [[two!], [one!, three!], [one!, one!], [two!, one!]]) {
    assert.throws(() => verifyExport(network.genesisBytes, exported(blocks)), /block format/);
  }
  assert.throws(() => verifyExport(network.genesisBytes, Buffer.alloc(0)), /no block/);
  const elsewhere = testNetwork("beta");
  assert.throws(() => verifyExport(elsewhere.genesisBytes, exported([one!])), /block format/);
  const renamed = { ...one!, script: Buffer.from(script).map((byte) => byte ^ 1) };
  assert.throws(() => verifyExport(network.genesisBytes, exported([renamed])), /script/);
});

test("a stranger refuses a change of any byte of a block but its lock time", () => {
  const blocks = chainOf({ batches: [batch(0, [meter.credential], [records[0]!])] });
  const bytes = exported(blocks);
  const lock = new Uint8Array(9);
  lock[0] = 0x48;
  new DataView(lock.buffer).setBigUint64(1, BigInt(blocks[0]!.lock_ms));
  const unproven = bytes.indexOf(lock) + 1;
  assert.ok(unproven > 0);
  for (let place = 0; place < bytes.length; place += 1) {
    if (place >= unproven && place < unproven + 8) continue;
    const changed = Buffer.from(bytes);
    changed[place]! ^= 1 << (place & 7);
    assert.throws(() => verifyExport(network.genesisBytes, changed), Error, `byte ${place}`);
  }
});

test("the stranger imports nothing of the project", () => {
  const own = [
    "independent-cbor",
    "stranger",
    "stranger-anchors",
    "stranger-genesis",
    "stranger-orders",
    "stranger-proof",
  ];
  own.push("stranger-bounds", "stranger-disproof", "stranger-receipt", "stranger-record", "stranger-rules");
  own.push(
    "stranger-contracts",
    "stranger-messages",
    "stranger-outcomes",
    "stranger-slots",
    "stranger-state",
    "stranger-state-proof",
  );
  for (const name of own) {
    const source = readFileSync(fileURLToPath(new URL(`${name}.ts`, import.meta.url)), "utf8");
    const imports = [...source.matchAll(/from "([^"]+)"/g)].map(([, specifier]) => specifier!);
    const foreign = imports.filter((from) => from !== "node:crypto" && !own.some((file) => from === `./${file}.js`));
    assert.deepEqual(foreign, [], `${name} imports them`);
  }
});
