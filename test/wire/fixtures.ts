// The fixed examples of PROTOCOL.md, one for every wire format, built from the document alone: an encoder of its own, node:crypto for
// hashes and signatures, nothing of src. Run by itself (node --import tsx test/wire/fixtures.ts) it writes test/fixtures/*.json.

import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Item, independentCbor, independentDecode, tagged18 } from "./independent-cbor.js";

export interface Fixture {
  readonly what: string;
  /** the example in hex */
  readonly bytes: string;
  /** diagnostic notation (RFC 8949 section 8); `<<...>>` is a byte string that holds encoded CBOR */
  readonly diagnostic?: string;
  /** what else follows from it, hex where it is bytes */
  readonly derived?: Readonly<Record<string, string | number>>;
}

export type FixtureFile = Readonly<Record<string, Fixture>>;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const map = (...entries: readonly (readonly [number, Item])[]) => new Map<number, Item>(entries);

interface Party {
  readonly secret: KeyObject;
  readonly key: Item;
  readonly id: Buffer;
}

/** An Ed25519 key whose seed is 32 times one byte (RFC 8410 section 7). */
function party(byte: number): Party {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, byte)]);
  const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const x = Buffer.from(createPublicKey(secret).export({ format: "jwk" }).x!, "base64url");
  const key = map([1, 1], [-1, 6], [-2, x]);
  return { secret, key, id: sha256(independentCbor(key)).subarray(0, 8) };
}

const signature = ({ secret }: Party, bytes: Uint8Array) => sign(null, bytes, secret);

/** COSE_Sign1 with an Ed25519 signature. */
function sign1(by: Party, payload: Uint8Array, kid?: Buffer, unprotected: ReadonlyMap<number, Item> = map()): Buffer {
  const header = independentCbor(kid === undefined ? map([1, -19]) : map([1, -19], [4, kid]));
  const structure = independentCbor(["Signature1", header, Buffer.alloc(0), payload]);
  return tagged18([header, unprotected, payload, signature(by, structure)]);
}

export const seeds = {
  authority: 0x01,
  issuing: 0x02,
  nodes: [0x10, 0x11, 0x12, 0x13],
  joiner: 0x14,
  meter: 0x20,
  applicant: 0x30,
} as const;
export const network = "alpha";
export const genesisTime_s = 1_790_000_000;
export const orderTime_s = 1_790_000_300;
const authority = party(seeds.authority);
const nodes = seeds.nodes.map(party);
const meter = party(seeds.meter);

// Keys and ids.

export const p256 = {
  x: Buffer.from("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296", "hex"),
  y: Buffer.from("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5", "hex"),
};
const p256Key = map([1, 2], [-1, 1], [-2, p256.x], [-3, p256.y]);

// The record and its disclosure.

export const energy = { obis: Buffer.from("0100010800ff", "hex"), value: 2_130_115, scaler: 0, unit: 30 };
export const power = { obis: Buffer.from("0100010700ff", "hex"), value: 193, scaler: 0, unit: 27 };
export const gas = { obis: Buffer.from("0001180201ff", "hex"), value: 5_290_123, scaler: -3, unit: 13, age: 300 };
export const salt = Buffer.alloc(16, 0xaa);
export const frameHash = sha256(Buffer.from("/XMX5LGBBFG1009394887\r\n\r\n!B9F\r\n"));
const registerItem = (register: typeof energy & { readonly age?: number }): Item => {
  const { obis, value, scaler, unit, age } = register;
  return age === undefined ? [obis, value, scaler, unit] : [obis, value, scaler, unit, age];
};
const disclosure = independentCbor([salt, "load", [registerItem(power)]]);

export const recordTimes_s = [1_790_000_100, 1_790_000_160, 1_790_000_220] as const;

function recordPayload(seq: number, previous: Buffer, confidential: boolean): Buffer {
  return independentCbor(
    map(
      [1, 1],
      [2, 1],
      [3, 12],
      [4, seq],
      [5, previous],
      [6, recordTimes_s[seq]!],
      [7, 2],
      [9, [registerItem({ ...energy, value: energy.value + seq }), registerItem(gas)]],
      ...(confidential ? ([[10, [sha256(disclosure)]]] as const) : []),
      [11, 1],
      ...(confidential ? ([[12, frameHash]] as const) : []),
      [13, 1],
    ),
  );
}

const confidentialPayload = recordPayload(0, Buffer.alloc(0), true);
const fullRecord = sign1(meter, confidentialPayload, meter.id, map([17, [disclosure]]));
const records = [sign1(meter, confidentialPayload, meter.id)];
for (let seq = 1; seq < 3; seq += 1) {
  records.push(sign1(meter, recordPayload(seq, sha256(records[seq - 1]!), false), meter.id));
}

// An operation of the applicant with a confidential part, and the next one, which asks until a time.

export const operationTime_s = 1_790_000_250;
export const operationType = 40_000;
const hiddenPart = independentCbor([salt, "price", new Map<string, Item>([["cents", 31]])]);
const asker = party(seeds.applicant);

function operation(seq: number, previous: Buffer, asked: Item, hidden?: Buffer): Buffer {
  return independentCbor(
    map(
      [1, 1],
      [2, 1],
      [3, 0],
      [4, seq],
      [5, previous],
      [6, operationTime_s + seq],
      [7, 2],
      ...(hidden === undefined ? [] : [[10, [sha256(hidden)]] as const]),
      [16, asked],
    ),
  );
}

const bid = operation(
  0,
  Buffer.alloc(0),
  [
    operationType,
    independentCbor(
      new Map<string, Item>([
        ["slot", 1_790_000_400],
        ["side", "buy"],
        ["wh", [500, -1n - 2n ** 60n]],
      ]),
    ),
  ],
  hiddenPart,
);
const strippedOperation = sign1(asker, bid, asker.id);
const fullOperation = sign1(asker, bid, asker.id, map([17, [hiddenPart]]));
const withdrawal = sign1(
  asker,
  operation(1, sha256(strippedOperation), [operationType + 1, independentCbor(null), operationTime_s + 900]),
  asker.id,
);

// The credential and the genesis.

export const credentialId = Buffer.from("c0ffee0000000001", "hex");
const credential = sign1(
  authority,
  independentCbor(
    map(
      [1, `${network}/${hexOf(authority.id)}`],
      [2, "E0031004000001234"],
      [4, genesisTime_s + 315_360_000],
      [5, genesisTime_s],
      [7, credentialId],
      [8, map([1, meter.key])],
      [-70_001, [0, [1, 3], [0], null, null, [1, "lot 7"]]],
    ),
  ),
);
const issuing = party(seeds.issuing);
const warrant = sign1(
  authority,
  independentCbor(["gs1/warrant", network, genesisTime_s, genesisTime_s + 31_536_000, issuing.key]),
);
export const deliveryKey = Buffer.alloc(32, 0xbb);
/** Of a firm whose key is P-256. */
const participant = sign1(
  issuing,
  independentCbor(
    map(
      [1, `${network}/${hexOf(authority.id)}`],
      [2, "stadtwerk"],
      [4, genesisTime_s + 63_072_000],
      [5, genesisTime_s + 86_400],
      [7, Buffer.from("c0ffee0000000002", "hex")],
      [8, map([1, p256Key])],
      [-70_001, [1, [], [4, 14], "DE-BY", deliveryKey, null]],
      [-70_002, warrant],
    ),
  ),
);
export const firmwareImage = Uint8Array.of(1, 2, 3);
const firmware = sign1(
  authority,
  independentCbor(map([1, 1], [2, "devkit"], [3, 2], [4, 1], [5, 3], [6, sha256(firmwareImage)], [7, "devkit-2.bin"])),
);
const bundle = sign1(
  authority,
  independentCbor(
    map(
      [1, 1],
      [2, "p1-adapter"],
      [3, 2],
      [4, 5],
      [5, 4_194_304],
      [
        6,
        [
          [0, 3, sha256(firmwareImage), "bootloader.bin"],
          [131_072, 3, sha256(firmwareImage), "xs_esp32.bin"],
        ],
      ],
    ),
  ),
);
const genesisEntries: readonly (readonly [number, Item])[] = [
  [1, 1],
  [2, network],
  [3, genesisTime_s],
  [4, authority.key],
  [5, nodes.map(({ id, key }, index) => [id, key, `node-${index}`])],
  [
    6,
    [
      [1, "trading", [0, 1, 2, 3], 0, 2],
      [3, "dispatch", [3, 2, 1], 0x2007ffff, 3],
    ],
  ],
];
const genesis = sign1(authority, independentCbor(map(...genesisEntries)));
/** Its orders need two signatures of three keys, and it says where nodes stand. */
export const locations = ["DE", "AT-9", "FR", "CH-ZH"] as const;
const jointGenesis = sign1(
  authority,
  independentCbor(
    map(
      ...genesisEntries.with(4, [5, nodes.map(({ id, key }, index) => [id, key, `node-${index}`, locations[index]!])]),
      [7, [2, [authority.key, issuing.key, party(seeds.joiner).key]]],
    ),
  ),
);
const testGenesis = sign1(authority, independentCbor(map(...genesisEntries, [8, true])));
/** As the credential of the meter, but for the test network. */
const testWarrant = sign1(
  authority,
  independentCbor(["gs1/warrant", `${network}/test`, genesisTime_s, genesisTime_s + 31_536_000, issuing.key]),
);
const testCredential = sign1(
  issuing,
  independentCbor(
    map(
      [1, `${network}/test/${hexOf(authority.id)}`],
      [2, "E0031004000001234"],
      [4, genesisTime_s + 63_072_000],
      [5, genesisTime_s + 86_400],
      [7, Buffer.from("c0ffee0000000003", "hex")],
      [8, map([1, meter.key])],
      [-70_001, [0, [1, 3], [0], null, null, null]],
      [-70_002, testWarrant],
    ),
  ),
);
const genesisHash = sha256(genesis);

// A session: what the meter and node-0 show to broker.example.

export const audience = "broker.example:8883";
export const sessionTimes_s = [1_790_000_400, 1_790_001_000] as const;
export const sessionRandom = Buffer.from("5e55105e55105e55", "hex");
const session = (by: Party, kid?: Buffer) =>
  sign1(by, independentCbor(["gs1/session", genesisHash, audience, ...sessionTimes_s, sessionRandom]), kid);
// An enrolment by the code ABCD with a secret of 19 characters, and its approval by a node's key that stands for an approver's.

export const enrolmentCode = { name: "ABCD", secret: "0123456789ABCDEFGHJ" } as const;
const codeKey = sha256(independentCbor(["gs1/enrolment-code", enrolmentCode.name, enrolmentCode.secret]));
const applicant = party(seeds.applicant);
const proof = createHmac("sha256", codeKey)
  .update(independentCbor(["gs1/enrolment-proof", genesisHash, applicant.key]))
  .digest();
export const enrolmentNonce = Buffer.from("0e0e0e0e", "hex");
const enrolment = sign1(
  applicant,
  independentCbor([
    ...["gs1/enrolment", genesisHash, applicant.key, [1, 3], [4, 14], "DE", Buffer.alloc(32, 0x0d)],
    ...["Werk Nord", "10X1001A1001A450", null, "anna@werk.example", enrolmentCode.name, proof, enrolmentNonce],
  ]),
);
const refused = sign1(
  nodes[0]!,
  independentCbor(["gs1/approval", genesisHash, sha256(enrolment), "no contract"]),
  nodes[0]!.id,
);

const tokenText = (shown: Uint8Array, signed: Buffer) =>
  `${Buffer.from(shown).toString("base64url")}.${signed.toString("base64url")}`;
const memberSet = sha256(independentCbor(nodes.map(({ id, key }) => [id, key])));

// Merkle trees, temporary blocks, acknowledgements.

/** RFC 9162 section 2.1.1. */
function merkleRoot(entries: readonly Uint8Array[]): Buffer {
  if (entries.length === 1) return sha256(Buffer.concat([Buffer.of(0), entries[0]!]));
  let split = 1;
  while (2 * split < entries.length) split *= 2;
  return sha256(Buffer.concat([Buffer.of(1), merkleRoot(entries.slice(0, split)), merkleRoot(entries.slice(split))]));
}

interface FixtureBatch {
  readonly signed: Buffer;
  readonly id: Buffer;
  readonly bytes: Buffer;
  readonly acknowledged: Buffer;
  readonly stored: Buffer;
  readonly acknowledgements: Item;
  readonly sealed: Item;
  readonly summary: Item;
}

function makeBatch(number: number, notices: readonly Item[], batchRecords: readonly Buffer[]): FixtureBatch {
  const [origin] = nodes;
  const root = merkleRoot(batchRecords.map(sha256));
  const noticesHash = sha256(independentCbor(notices));
  const signed = independentCbor([
    "gs1/batch",
    genesisHash,
    1,
    origin!.id,
    number,
    noticesHash,
    root,
    batchRecords.length,
  ]);
  const id = sha256(signed);
  const bytes = independentCbor([1, origin!.id, number, notices, batchRecords, signature(origin!, signed)]);
  const wordOf = (verified: boolean) => independentCbor(["gs1/ack", genesisHash, 1, origin!.id, number, id, verified]);
  const acknowledgements = nodes.slice(0, 3).map((node, index): Item => {
    const verified = index < 2;
    return [node.id, signature(node, wordOf(verified)), verified];
  });
  const head: readonly Item[] = [origin!.id, number, id, acknowledgements, notices];
  return {
    signed,
    id,
    bytes,
    acknowledged: wordOf(true),
    stored: wordOf(false),
    acknowledgements,
    sealed: [...head, batchRecords],
    summary: [...head, batchRecords.length],
  };
}

// Blocks.

// A state of contracts.

export const stateEntries: readonly (readonly [string, Buffer])[] = Array.from({ length: 8 }, (_, index) => [
  `limits/${index}`,
  independentCbor(index * 1_000),
]);
type StateLeaf = readonly [keyHash: Buffer, valueHash: Buffer];
const stateLeaves = stateEntries.map(([key, value]): StateLeaf => [sha256(Buffer.from(key)), sha256(value)]);

interface FixtureBlock {
  readonly bytes: Buffer;
  readonly header: Buffer;
  readonly hash: Buffer;
  readonly metadata: Buffer;
  readonly precommit: Buffer;
  readonly certificate: Item;
}

interface BlockPlan {
  readonly height: number;
  readonly previous: Buffer;
  readonly time_ms: number;
  readonly round: number;
  readonly batch: FixtureBatch;
  readonly records: readonly Buffer[];
  readonly counter: number;
  readonly results: readonly Item[];
  readonly anchors: readonly Item[];
  /** hash of the member set of the next height, where it is another */
  readonly nextMemberSet?: Buffer;
  /** where its contracts remember something */
  readonly stateRoot?: Buffer;
}

export const script = independentCbor(["gs1/rules/2", Buffer.alloc(0), Buffer.alloc(0), []]);
/** Of a chain whose contracts remember nothing. */
const emptyState = Buffer.alloc(32);

function makeBlock(plan: BlockPlan): FixtureBlock {
  const { height, previous, time_ms, round, batch, counter, anchors } = plan;
  const magic = Buffer.from("GSB1");
  const results = independentCbor([plan.results, [], []]);
  const metadata = independentCbor([
    magic,
    1,
    network,
    1,
    height,
    counter,
    sha256(independentCbor([batch.summary])),
    sha256(script),
    sha256(results),
    memberSet,
    plan.nextMemberSet ?? memberSet,
    0,
    time_ms,
    anchors,
    plan.stateRoot ?? emptyState,
    0,
  ]);
  const header = Buffer.alloc(80);
  header.writeUInt32LE(1, 0);
  previous.copy(header, 4);
  merkleRoot([metadata, ...plan.records.map(sha256)]).copy(header, 36);
  header.writeUInt32LE(Math.floor(time_ms / 1_000), 68);
  const hash = sha256(header);
  const precommit = independentCbor(["gs1/precommit", genesisHash, 1, height, round, hash]);
  const certificate: Item = [round, nodes.slice(0, 3).map((node) => [node.id, signature(node, precommit)])];
  const content = independentCbor([
    1,
    [batch.sealed],
    script,
    results,
    anchors,
    0,
    time_ms,
    memberSet,
    plan.nextMemberSet ?? memberSet,
    plan.stateRoot ?? emptyState,
  ]);
  const lock = Buffer.alloc(8);
  lock.writeBigUInt64BE(BigInt(time_ms + 250));
  const size = Buffer.alloc(4);
  const parts: readonly Item[] = [[magic, 1, network, 1, height], size, header, counter, content, lock, certificate];
  size.writeUInt32BE(independentCbor(parts).length);
  return { bytes: independentCbor(parts), header, hash, metadata, precommit, certificate };
}

export const blockTimes_ms = [1_790_000_101_500, 1_790_000_222_000] as const;
export const anchor = { chain: 3, height: 5, headerHash: sha256(Buffer.from("another chain's header")) };
const batches = [makeBatch(0, [[1, credential]], records.slice(0, 2)), makeBatch(1, [], records.slice(2))] as const;
/** A second record with number 1: what the fork violation of block 2 shows. */
const fork = sign1(
  meter,
  independentCbor(map([1, 1], [2, 1], [3, 12], [4, 1], [5, sha256(records[0]!)], [6, recordTimes_s[1]], [7, 2])),
  meter.id,
);
const block1 = makeBlock({
  height: 1,
  previous: genesisHash,
  time_ms: blockTimes_ms[0],
  round: 0,
  batch: batches[0],
  records: records.slice(0, 2),
  counter: 0,
  results: [],
  anchors: [],
});
const block2 = makeBlock({
  height: 2,
  previous: block1.hash,
  time_ms: blockTimes_ms[1],
  round: 1,
  batch: batches[1],
  records: records.slice(2),
  counter: 1,
  results: [[2, meter.id, 1, fork]],
  anchors: [[anchor.chain, anchor.height, anchor.headerHash]],
});

// The receipt of record 1: leaf 2 of 3, right of the hash over leaves 0 and 1.

const path = [merkleRoot([block1.metadata, sha256(records[0]!)])];
const receipt = independentCbor([1, network, 1, 1, sha256(records[1]!), 2, 3, path, block1.header, block1.certificate]);

// The handover of another block 2, after which node-4 is a member in the place of node-3.

const joiner = party(seeds.joiner);
const handedOver = [...nodes.slice(0, 3), joiner].map(({ id, key }): Item => [id, key]);
const handoverBlock = makeBlock({
  height: 2,
  previous: block1.hash,
  time_ms: blockTimes_ms[1],
  round: 0,
  batch: batches[1],
  records: records.slice(2),
  counter: 0,
  results: [],
  anchors: [],
  nextMemberSet: sha256(independentCbor(handedOver)),
});
const handover = independentCbor([
  1,
  network,
  1,
  2,
  handoverBlock.metadata,
  2,
  [merkleRoot([sha256(records[2]!)])],
  handoverBlock.header,
  handoverBlock.certificate,
  handedOver,
]);

// Proofs of what contracts remember after another block 2.

const stateBlock = makeBlock({
  height: 2,
  previous: block1.hash,
  time_ms: blockTimes_ms[1],
  round: 0,
  batch: batches[1],
  records: records.slice(2),
  counter: 0,
  results: [],
  anchors: [],
  stateRoot: stateNode(stateLeaves, 0),
});
const stateProof = (key: string): Buffer => {
  const { siblings, other } = stateWay(key);
  const value = stateEntries.find(([there]) => there === key)?.[1] ?? null;
  const { metadata, header, certificate } = stateBlock;
  const inclusion = [merkleRoot([sha256(records[2]!)])];
  return independentCbor([
    ...[1, network, 1, 2, key, value, siblings, other === undefined ? null : [...other]],
    ...[metadata, 2, inclusion, header, certificate],
  ]);
};

// Orders: node-4 takes the place of node-3 on chain 1; a new chain; a revocation.

const ready = independentCbor(["gs1/ready", genesisHash, 1, joiner.id]);
const memberOf = ({ id, key }: Party, index: number): Item => [id, key, `node-${index}`];
const order = (number: number, action: Item) =>
  sign1(authority, independentCbor(map([1, 1], [2, genesisHash], [3, number], [4, orderTime_s], [5, action])));
const membersOrder = order(1, [
  1,
  1,
  40,
  [...nodes.slice(0, 3).map(memberOf), memberOf(joiner, 4)],
  [[joiner.id, signature(joiner, ready)]],
  2,
]);
const chainOrder = order(2, [2, 7, "water", nodes.slice(0, 1).map(memberOf), 0, 1]);
const revokeOrder = order(3, [3, [meter.id]]);
const banOrder = order(4, [4, [nodes[2]!.id]]);
const suspendOrder = order(5, [5, [meter.id]]);
const resumeOrder = order(6, [6, [meter.id]]);
const endOrder = order(7, [7, meter.id, [[1, 3]], nodes[0]!.id]);

const registerOrder = order(8, [8, 12, sha256(Buffer.from("entry 12"))]);

/** A contract, and what names it. */
export const contractSource = "export const reads = [], writes = [];\nexport function operation() {}\n";
export const engineHashes = [
  "01f70a4f5504c1b7decd5f73832dbb7490cd041a4908d67dd3aaec5f2955a011",
  "c8a2b7be2afe8221b13b5d3ab2a6d5ed0ea75b689f58fd476c5477cc43ae9d5c",
] as const;
const sourceHash = sha256(Buffer.from(contractSource));
const [engine, prelude] = engineHashes.map((hash) => Buffer.from(hash, "hex")) as [Buffer, Buffer];
const vectorsHash = sha256(Buffer.from("vectors"));
const limits = [1_000, 256, 65_536] as const;
const taken: Item = [
  [0, "breach"],
  [3, "verdict"],
];
const installWith = (ready: Item): Item => [
  ...[9, 1, "limits", 1, sourceHash, engine, prelude, ...limits, [1, 7]],
  ...[taken, [900, 3_600, 1_800], vectorsHash, ready, 40],
];
/** What node-1 signs once it has run the vectors. */
const tried = independentCbor(["gs1/tried", genesisHash, nodes[0]!.id, independentCbor(installWith([]))]);
const installOrder = order(9, installWith([[nodes[0]!.key, signature(nodes[0]!, tried)]]));
const travelling = independentCbor([installOrder, contractSource]);
const contractParameters = new Map<string, Item>([
  ["limit", 7],
  ["currency", "EUR"],
]);
const parametersOrder = order(10, [10, 1, "limits", "DE-BY", contractParameters, 41]);
const retireOrder = order(11, [11, 1, "limits", 90]);
const withdrawOrder = order(13, [13, 1]);
const assignOrder = order(12, [
  12,
  [
    ["AT0010000000000000001000012345678", meter.id, 1_790_000_100, 1_800_000_000, 1, null],
    ["AT0010000000000000001000087654321", meter.id, 1_800_000_000, null, -1, 99_999_999_000_000],
  ],
]);

/** A closed slot with a row each of two points, and its leaf. */
const slotRows = [
  independentCbor(["AT0010000000000000001000012345678", 1_234_567, null, 1, 0x1000_0100]),
  independentCbor(["feb2c20f354b30c5", null, null, 3, 0]),
];
const slotRoot = merkleRoot(slotRows);
const slotLeaf = independentCbor(["gs1/slot", 1, 2, 1_790_000_100, 900, 2, slotRoot]);

/** What the rules and contracts say in a block: an outcome, an effect, a message of a contract, one of the rules. */
export const limitBody = independentCbor(new Map<string, Item>([["limit", 7]]));
export const toldBody = independentCbor([0, [[1, hexOf(meter.id), 4, null]]]);
const ranFor = [1, 2, [0, 1]] as const;
const outcomeLeaf = independentCbor(["gs1/outcome", ...ranFor, 2, "limits", 3, [["limit-reached", limitBody]]]);
const effectLeaf = independentCbor(["gs1/effect", ...ranFor, 0, "limits", "limit", limitBody]);
const messageLeaf = independentCbor(["gs1/message", ...ranFor, 1, "limits", "limit", limitBody, 3, 5, 1]);
const toldLeaf = independentCbor(["gs1/message", 1, 2, [4], 0, null, "violation", toldBody, 5, 0, 0]);

/** Shamir's shares over GF(2^8) at x = 1, 2 and 3, any two of which make the secret (section 30); the slope is its maker's random. */
function sharesOf(secret: Buffer, slope: number): Buffer[] {
  const twice = (slope << 1) ^ (slope > 127 ? 0x11b : 0);
  return [slope, twice, slope ^ twice].map((step, index) =>
    Buffer.from([...secret.map((byte) => byte ^ step), index + 1]),
  );
}

const dayKey = Buffer.alloc(32, 0x51);
const dayShares = sharesOf(dayKey, 0x9d);
/** What keeps a reading's disclosures: a node's custody key, an envelope of three custodians, a ciphertext, and an erasure of it. */
export const custody = {
  key: Buffer.alloc(32, 0x42),
  dayKey,
  /** by the order of the custodians */
  shares: dayShares,
  /** of the first share, node-0's, in the same order */
  parts: sharesOf(dayShares[0]!, 0xe3),
  day: 20_717,
  erased_s: 1_790_100_000,
};
const keyItems: Item[] = [nodes[0]!.id, custody.key];
const custodyKey = independentCbor([
  ...keyItems,
  signature(nodes[0]!, independentCbor(["gs1/custody-key", genesisHash, ...keyItems])),
]);
const custodianIds = nodes
  .slice(0, 3)
  .map(({ id }) => id)
  .sort(Buffer.compare);
const custodiansOf = (shares: readonly Buffer[]): Item[] =>
  custodianIds.map((id, index) => [id, sha256(independentCbor(["gs1/share", shares[index]!]))]);
const named = (name: string, shares: readonly Buffer[]) =>
  Object.fromEntries(shares.map((share, index) => [`${name} ${index + 1}`, hexOf(share)]));
const envelopeItems: Item[] = [1, nodes[0]!.id, meter.id, custody.day, salt, 2, custodiansOf(custody.shares)];
const envelopeSigned = independentCbor(["gs1/envelope", genesisHash, ...envelopeItems]);
const envelope = independentCbor([...envelopeItems, signature(nodes[0]!, envelopeSigned)]);
const divisionItems: Item[] = [sha256(envelopeSigned), nodes[0]!.id, 2, custodiansOf(custody.parts)];
const divisionSigned = independentCbor(["gs1/division", genesisHash, ...divisionItems]);
const division = independentCbor([...divisionItems, signature(nodes[0]!, divisionSigned)]);
const sealedAway = independentCbor([
  ...[meter.id, 1, sha256(Buffer.from("record")), sha256(envelopeSigned)],
  ...[Buffer.alloc(12, 0x0c), Buffer.alloc(40, 0xcc)],
]);
const erasedItems: Item[] = [
  nodes[0]!.id,
  1,
  meter.id,
  custody.day,
  custody.day + 2,
  `${hexOf(meter.id)}-7`,
  2,
  96,
  custody.erased_s,
];
const erased = independentCbor([
  ...erasedItems,
  signature(nodes[0]!, independentCbor(["gs1/erased", genesisHash, ...erasedItems])),
]);

/** Sums of two slots: of the second one fewer meters have a value than the rule asks for. */
const aggregateItems: Item[] = [
  ...[1, `${hexOf(meter.id)}-8`, 86_400 * custody.day, 900],
  [
    [120, -4_321_000],
    [3, null],
  ],
];
const aggregateSigned = independentCbor(["gs1/aggregate", genesisHash, nodes[0]!.id, ...aggregateItems]);
const aggregate = independentCbor([nodes[0]!.id, ...aggregateItems, signature(nodes[0]!, aggregateSigned)]);

/** An order of the network whose orders need two signatures: a COSE_Sign (RFC 9052 section 4.1). */
const jointPayload = independentCbor(
  map([1, 1], [2, sha256(jointGenesis)], [3, 1], [4, orderTime_s], [5, [3, [meter.id]]]),
);
const jointSignature = (by: Party): Item => {
  const header = independentCbor(map([1, -19], [4, by.id]));
  const structure = ["Signature", Buffer.alloc(0), header, Buffer.alloc(0), jointPayload];
  return [header, map(), signature(by, independentCbor(structure))];
};
const jointOrder = Buffer.concat([
  Buffer.of(0xd8, 98),
  independentCbor([Buffer.alloc(0), map(), jointPayload, [jointSignature(authority), jointSignature(joiner)]]),
]);

// A temporary block whose record 1 its meter has not signed, and node-1's word that it has verified it.

const unsigned = Buffer.concat([records[1]!.subarray(0, -1), Buffer.of(records[1]!.at(-1)! ^ 1)]);
const spoilt = makeBatch(2, [], [records[0]!, unsigned]);
const disproof = independentCbor([
  nodes[0]!.id,
  2,
  sha256(independentCbor([])),
  2,
  1,
  [sha256(Buffer.concat([Buffer.of(0), sha256(records[0]!)]))],
  unsigned,
  credential,
  nodes[1]!.id,
  signature(nodes[1]!, spoilt.acknowledged),
]);

// Votes and proposals of height 2.

const body = Buffer.from("body of a proposal");
const prevote = independentCbor(["gs1/prevote", genesisHash, 1, 2, 1, block2.hash, -1]);
const nilPrecommit = independentCbor(["gs1/precommit", genesisHash, 1, 2, 0, null]);
const proposal = independentCbor(["gs1/proposal", genesisHash, 1, 2, 1, 0, block2.hash, sha256(body)]);

export const refusalSentence = "record's signature does not verify with the meter's key";
const refusal = independentCbor([1, 7, sha256(records[1]!), 7, refusalSentence]);

/** Every fixture, by the name of its file in test/fixtures. */
export const fixtures: Readonly<Record<string, FixtureFile>> = {
  key: {
    ed25519: fixture("COSE_Key of the meter, Ed25519, seed 32 times 0x20", independentCbor(meter.key), {
      kid: hexOf(meter.id),
    }),
    esp256: fixture("COSE_Key of P-256, the generator's point", independentCbor(p256Key), {
      kid: hexOf(sha256(independentCbor(p256Key)).subarray(0, 8)),
    }),
  },
  disclosure: {
    disclosure: fixture("confidential group `load`", disclosure, { digest: hexOf(sha256(disclosure)) }),
  },
  record: {
    full: fixture("record 0 as the meter publishes it, one group confidential", fullRecord, {
      hash: hexOf(sha256(records[0]!)),
    }),
    stripped: fixture("record 0 as it is sealed", records[0]!, { hash: hexOf(sha256(records[0]!)) }),
    second: fixture("record 1, nothing confidential", records[1]!, { hash: hexOf(sha256(records[1]!)) }),
    third: fixture("record 2", records[2]!, { hash: hexOf(sha256(records[2]!)) }),
    fork: fixture("another record 1", fork, { hash: hexOf(sha256(fork)) }),
  },
  operation: {
    full: fixture("operation 0 as its signer sends it, one part confidential", fullOperation, {
      hash: hexOf(sha256(strippedOperation)),
    }),
    stripped: fixture("operation 0 as it is sealed", strippedOperation, { hash: hexOf(sha256(strippedOperation)) }),
    until: fixture("operation 1, with a time until which it asks", withdrawal, { hash: hexOf(sha256(withdrawal)) }),
    hidden: fixture("confidential part `price`", hiddenPart, { digest: hexOf(sha256(hiddenPart)) }),
  },
  credential: {
    credential: fixture("credential of the meter", credential),
    warrant: fixture("warrant of the key whose seed is 32 times 0x02, for a year", warrant),
    test: fixture("credential of the meter in the test network, by a warranted key", testCredential),
    participant: fixture("credential of a supplier and eligible party, by the warranted key", participant),
  },
  firmware: {
    firmware: fixture("manifest of the image 01 02 03 for devkit, version 2, by the authority", firmware),
    bundle: fixture("bundle of two parts, each 01 02 03, for p1-adapter with an ESP32-C3 and 4 MB, version 2", bundle),
  },
  genesis: {
    genesis: fixture("genesis of four nodes and two chains; authority's seed 32 times 0x01", genesis, {
      hash: hexOf(genesisHash),
      memberSet: hexOf(memberSet),
    }),
    joint: fixture("the same with nodes' locations, its orders signed by two of three keys", jointGenesis, {
      hash: hexOf(sha256(jointGenesis)),
    }),
    test: fixture("the first one, of a test network", testGenesis, { hash: hexOf(sha256(testGenesis)) }),
  },
  batch: {
    signed: fixture("what the origin signs", batches[0].signed, { id: hexOf(batches[0].id) }),
    batch: fixture("temporary block 0 of node-0 with a credential and two records", batches[0].bytes),
    acknowledged: fixture("what a node signs that has stored it and verified its records", batches[0].acknowledged),
    stored: fixture("what a node signs that has stored it alone", batches[0].stored),
    disproof: fixture("that node-1 has signed to have verified record 1, whose signature is not its meter's", disproof),
  },
  vote: {
    prevote: fixture("what a prevote for block 2 signs, height 2, round 1, vr -1", prevote),
    precommit: fixture("what a precommit for block 1 signs, height 1, round 0", block1.precommit),
    nil: fixture("what a precommit for no block signs, height 2, round 0", nilPrecommit),
    proposal: fixture("what a proposal of block 2 signs, height 2, round 1, vr 0", proposal, { body: hexOf(body) }),
    certificate: fixture("commit certificate of block 1", independentCbor(block1.certificate)),
  },
  block: {
    header: { what: "header of block 1", bytes: hexOf(block1.header), derived: { hash: hexOf(block1.hash) } },
    metadata: fixture("entry of leaf 0 of block 1", block1.metadata, {
      leafHash: hexOf(sha256(Buffer.concat([Buffer.of(0), block1.metadata]))),
    }),
    block1: fixture("block 1", block1.bytes, { size: block1.bytes.length }),
    block2: fixture("block 2, whose results show a fork", block2.bytes, { hash: hexOf(block2.hash) }),
  },
  export: {
    export: { what: "the chain of both blocks", bytes: hexOf(Buffer.concat([block1.bytes, block2.bytes])) },
  },
  order: {
    ready: fixture("what node-4 signs to be a member of chain 1", ready),
    members: fixture("order 1: the members of chain 1 from height 40 on", membersOrder),
    chain: fixture("order 2: a chain for service 7", chainOrder),
    revoke: fixture("order 3: the meter's credential is revoked", revokeOrder),
    ban: fixture("order 4: node-3 is banned", banOrder),
    suspend: fixture("order 5: the meter is suspended", suspendOrder),
    resume: fixture("order 6: the meter is resumed", resumeOrder),
    end: fixture("order 7: of service 1 the meter's numbers from 3 on are not sealed, of others none", endOrder),
    register: fixture("order 8: the register's head is entry 12", registerOrder),
    install: fixture("order 9: chain 1 has contract limits, version 1, from height 40 on", installOrder),
    travelling: fixture("order 9 with the source that it names", travelling, { source: hexOf(sourceHash) }),
    parameters: fixture("order 10: what DE-BY sets for limits from height 41 on", parametersOrder),
    retire: fixture("order 11: limits is retired from height 90 on", retireOrder),
    withdraw: fixture("order 13: order 1 is taken back", withdrawOrder),
    assign: fixture("order 12: the meter counts for one point, then for another", assignOrder),
    joint: fixture("order 1 of the genesis `joint`, signed by two keys: the meter's credential is revoked", jointOrder),
  },
  slot: {
    row: fixture("a point that has taken energy, both ends of it read", slotRows[0]!),
    silent: fixture("a meter that is a point of its own, and was silent", slotRows[1]!),
    leaf: fixture("what the leaf of the closed slot with both rows stands for", slotLeaf, { root: hexOf(slotRoot) }),
  },
  effect: {
    outcome: fixture("limits has denied the operation at leaf 1", outcomeLeaf),
    effect: fixture("what it has put out", effectLeaf),
    message: fixture("what it tells chain 3, as a message that another one led to", messageLeaf),
    told: fixture("the rules tell chain 5 that the meter has a gap", toldLeaf),
  },
  custody: {
    key: fixture("node-0 states its custody key", custodyKey),
    envelope: fixture("an envelope of node-0 with three custodians, any two of whom open it", envelope, {
      id: hexOf(sha256(envelopeSigned)),
      key: hexOf(custody.dayKey),
      ...named("share", custody.shares),
    }),
    division: fixture("node-0 has divided its share of the envelope among the same three", division, {
      id: hexOf(sha256(divisionSigned)),
      ...named("part", custody.parts),
    }),
    sealed: fixture("what record 1 hides, sealed away", sealedAway),
    erased: fixture("node-0 has erased two days of the meter", erased),
    aggregate: fixture("node-0 has worked out the sums of two slots over a group", aggregate),
  },
  receipt: { receipt: fixture("receipt of record 1: leaf 2 of 3 in block 1", receipt) },
  handover: { handover: fixture("handover of a block 2 that gives node-4 the place of node-3", handover) },
  refusal: { refusal: fixture("refusal of record 1: bad signature", refusal) },
  session: {
    meter: tokenFixture("what the meter shows to broker.example", tokenText(credential, session(meter))),
    node: tokenFixture("what node-0 shows to it", tokenText(Buffer.alloc(0), session(nodes[0]!, nodes[0]!.id))),
  },
  time: {
    time: fixture("what a node tells a meter without a clock", Buffer.from(independentCbor([1, sessionTimes_s[0]]))),
    suspended: fixture(
      "the same to a meter that is suspended",
      Buffer.from(independentCbor([1, sessionTimes_s[0], 15])),
    ),
  },
  enrolment: {
    enrolment: fixture("somebody asks to be supplier and eligible party by code ABCD", enrolment, {
      hash: hexOf(sha256(enrolment)),
      codeKey: hexOf(codeKey),
    }),
    approval: fixture("node-0, who stands for an approver, refuses it", refused),
  },
  state: {
    root: { what: "root of the state `stateEntries`", bytes: hexOf(stateNode(stateLeaves, 0)) },
    present: { what: "siblings of the key limits/1, the lowest first", bytes: statePath("limits/1") },
    absent: {
      what: "those of limits/9, which is absent, and the hashes of key and value of the leaf in its place",
      bytes: statePath("limits/9"),
    },
    empty: { what: "those of limits/23, which is absent and whose place is empty", bytes: statePath("limits/23") },
    proof: fixture("proof that another block 2 leaves 1000 under limits/1", stateProof("limits/1")),
    absence: fixture("proof that it leaves nothing under limits/9", stateProof("limits/9")),
    vacancy: fixture("proof that it leaves nothing under limits/23", stateProof("limits/23")),
  },
  topic: {
    record: textFixture(`gs1/${network}/1/record/${hexOf(meter.id)}`),
    receipt: textFixture(`gs1/${network}/1/receipt/${hexOf(meter.id)}`),
    members: textFixture(`gs1/${network}/1/members/${hexOf(meter.id)}`),
    birth: textFixture(`gs1/${network}/-/birth/${hexOf(meter.id)}`),
    ack: textFixture(`gs1/${network}/-/ack/${hexOf(meter.id)}`),
    time: textFixture(`gs1/${network}/-/time/${hexOf(meter.id)}`),
  },
};

/** Section 27: a subtree of no leaf, of one, of more. */
function stateNode(leaves: readonly StateLeaf[], depth: number): Buffer {
  if (leaves.length === 0) return Buffer.alloc(32);
  if (leaves.length === 1) return sha256(Buffer.concat([Buffer.of(0), ...leaves[0]!]));
  const halves = [0, 1].map((bit) => leaves.filter(([key]) => bitAt(key, depth) === bit));
  return sha256(Buffer.concat([Buffer.of(1), ...halves.map((half) => stateNode(half, depth + 1))]));
}

/** From the key's place up to the root; with the leaf that stands there, where it is another one's. */
function stateWay(key: string): { readonly siblings: readonly Buffer[]; readonly other: StateLeaf | undefined } {
  const keyHash = sha256(Buffer.from(key));
  const siblings: Buffer[] = [];
  let leaves = stateLeaves;
  for (let depth = 0; leaves.length > 1; depth += 1) {
    const isBeside = ([other]: StateLeaf) => bitAt(other, depth) !== bitAt(keyHash, depth);
    siblings.unshift(stateNode(leaves.filter(isBeside), depth + 1));
    leaves = leaves.filter((leaf) => !isBeside(leaf));
  }
  return { siblings, other: leaves.find(([there]) => !there.equals(keyHash)) };
}

function statePath(key: string): string {
  const { siblings, other = [] } = stateWay(key);
  return hexOf(Buffer.concat([...siblings, ...other]));
}

function bitAt(hash: Buffer, depth: number): number {
  return Number.parseInt(hash.toString("hex")[depth >> 2]!, 16)
    .toString(2)
    .padStart(4, "0")[depth & 3] === "1"
    ? 1
    : 0;
}

function fixture(what: string, bytes: Buffer, derived?: Fixture["derived"]): Fixture {
  const isJoint = bytes[0] === 0xd8 && bytes[1] === 98;
  const untagged = isJoint ? `98(${diagnostic(bytes.subarray(2))})` : undefined;
  const item = untagged ?? (bytes[0] === 0xd2 ? `18(${diagnostic(bytes.subarray(1))})` : diagnostic(bytes));
  return { what, bytes: hexOf(bytes), diagnostic: item, ...(derived !== undefined && { derived }) };
}

/** The text's bytes, and what its second half says. */
function tokenFixture(what: string, token: string): Fixture {
  const signed = Buffer.from(token.slice(token.indexOf(".") + 1), "base64url");
  return { ...fixture(what, signed), bytes: hexOf(Buffer.from(token)) };
}

function textFixture(topic: string): Fixture {
  return { what: topic, bytes: hexOf(Buffer.from(topic)) };
}

function diagnostic(bytes: Uint8Array): string {
  return diagnosticOf(independentDecode(bytes));
}

function diagnosticOf(item: Item): string {
  if (item instanceof Uint8Array) return embedded(item) ?? `h'${hexOf(item)}'`;
  if (item instanceof Map) return `{${[...item].map((pair) => pair.map(diagnosticOf).join(": ")).join(", ")}}`;
  if (Array.isArray(item)) return `[${item.map(diagnosticOf).join(", ")}]`;
  return typeof item === "string" ? JSON.stringify(item) : String(item);
}

/** Byte strings that hold an array or a map, or a tagged COSE_Sign1, are shown by what they hold. */
function embedded(bytes: Uint8Array): string | undefined {
  const tagged = bytes[0] === 0xd2;
  const content = tagged ? bytes.subarray(1) : bytes;
  const major = (content[0] ?? 0) >> 5;
  if (content.length < 2 || (major !== 4 && major !== 5)) return undefined;
  try {
    return tagged ? `<<18(${diagnostic(content)})>>` : `<<${diagnostic(content)}>>`;
  } catch {
    return undefined;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [name, file] of Object.entries(fixtures)) {
    const path = fileURLToPath(new URL(`../fixtures/${name}.json`, import.meta.url));
    writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);
  }
}
