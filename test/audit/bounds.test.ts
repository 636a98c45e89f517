// Numbers, counts and sizes beyond PROTOCOL.md, section 17: the audit refuses them, and the stranger, who has the document alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Anchor, type Block, type BlockContent, decodeBlock, type SealedBatch } from "../../src/wire/block.js";
import type { CborValue } from "../../src/wire/cbor.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import { sign1 } from "../../src/wire/cose.js";
import { issuerName } from "../../src/wire/credential.js";
import { keyId, keyToMap } from "../../src/wire/key.js";
import type { Notice } from "../../src/wire/notice.js";
import { auditChain } from "../../tools/audit/audit.js";
import { encodeEvidence, signedBytes } from "../../tools/consensus/messages.js";
import type { Prevote } from "../../tools/consensus/types.js";
import { verifyExport } from "../wire/stranger.js";
import {
  authority,
  type BlockParts,
  buildChain,
  type Edits,
  makeGenesis,
  makeMeter,
  nodeSigners,
} from "./chain-builder.js";

const meter = makeMeter(1);
const [first, second] = [meter.record(), meter.record()];
const headerHash = new Uint8Array(32);

/** The second block with an edit; the first is good. */
function chainWith(edits: Edits, parts: BlockParts = { records: [second] }): readonly Uint8Array[] {
  const chain = buildChain();
  chain.seal({ records: [first], credentials: [meter.credential] });
  chain.seal(parts, edits);
  return chain.blocks;
}

async function refuse(blocks: readonly Uint8Array[], audit: RegExp, stranger: RegExp): Promise<void> {
  const { genesis, bytes } = makeGenesis();
  const open = async function* () {
    yield* blocks;
  };
  const { firstProblem } = await auditChain(genesis, genesis.chains[0]!, open);
  assert.equal(firstProblem?.height, 2, firstProblem?.what);
  assert.match(firstProblem?.what ?? "", audit);
  assert.throws(() => verifyExport(bytes, Buffer.concat(blocks)), stranger);
}

const inContent = (change: (content: BlockContent) => Partial<BlockContent>): Edits => ({
  content: (content) => ({ ...content, ...change(content) }),
});
const inBlock = (change: Partial<Block>): Edits => ({ block: (block) => ({ ...block, ...change }) });
const inBatch = (change: Partial<SealedBatch>): Edits => ({ batch: (batch) => ({ ...batch, ...change }) });
const anchored = (anchor: Partial<Anchor>) =>
  inContent(() => ({ anchors: [{ chain: 3, height: 1, headerHash, ...anchor }] }));
const bringing = (...notices: Notice[]) => inContent(({ batches: [batch] }) => ({ batches: [{ ...batch!, notices }] }));

/** A credential of the authority's with any claims. */
function credential(
  claims: readonly (readonly [number, CborValue])[],
  key = keyToMap(makeMeter(2).signer.key),
): Notice {
  const good: readonly (readonly [number, CborValue])[] = [
    [1, issuerName({ network: "audited", authority: authority.key })],
    [2, "meter-2"],
    [4, 2_000_000_000],
    [5, 1_600_000_000],
    [7, new Uint8Array(8)],
    [8, new Map<number, CborValue>([[1, key]])],
    [-70_001, [2, [1], [0], null, null, null]],
  ];
  return { kind: "credential", bytes: sign1(encodeCbor(new Map([...good, ...claims])), authority) };
}

/** A key on P-256's field that is no point of it. */
const offCurve = (x: number, y: number) =>
  new Map<number, CborValue>([
    [1, 2],
    [-1, 1],
    [-2, new Uint8Array(32).fill(x)],
    [-3, new Uint8Array(32).fill(y)],
  ]);

/** A credential of exactly so many bytes: claim 2 is as long as that takes. */
function sized(bytes: number): Notice {
  for (let length = 1; ; length += 1) {
    const services = Array.from({ length }, (_, index) => 1_000 + index);
    const made = credential([[-70_001, [2, [1, ...services], [0], null, null, null]]]);
    const missing = bytes - made.bytes.length;
    if (missing < 50 && missing >= 0) return padded(services, missing, bytes);
  }
}

function padded(services: readonly number[], missing: number, bytes: number): Notice {
  for (let more = 0; more <= missing; more += 1) {
    const made = credential([
      [2, "m".repeat("meter-2".length + more)],
      [-70_001, [2, [1, ...services], [0], null, null, null]],
    ]);
    if (made.bytes.length === bytes) return made;
  }
  throw new Error(`no credential has ${bytes} bytes`);
}

const many = (count: number, batch: SealedBatch): SealedBatch[] =>
  Array.from({ length: count }, (_, index) => ({ ...batch, number: batch.number + index, notices: [], records: [] }));

function evidenceOf(change: Partial<Prevote>): Edits {
  const signer = nodeSigners[0]!;
  const { genesis } = makeGenesis();
  const statement = (id: Uint8Array | null): Prevote => {
    const node = Buffer.from(keyId(signer.key)).toString("hex");
    const unsigned = { type: "prevote" as const, height: 1, round: 2, vr: -1, id, ...change };
    return { ...unsigned, node, signature: signer.sign(signedBytes(genesis.hash, 1, unsigned)) };
  };
  const bytes = encodeEvidence({ type: "evidence", first: statement(null), second: statement(headerHash) });
  const { height } = statement(null);
  return inContent(({ counter }) => ({
    counter: counter + 1,
    results: encodeCbor([[[4, keyId(signer.key), height, bytes]], [], []]),
  }));
}

const cases: readonly (readonly [string, readonly Uint8Array[], RegExp, RegExp])[] = [
  [
    "17 temporary blocks",
    chainWith(inContent(({ batches: [batch] }) => ({ batches: [batch!, ...many(17, batch!).slice(1)] }))),
    /at most 16 items, not 17/,
    /more than 16 items/,
  ],
  ["no temporary block", chainWith(inContent(() => ({ batches: [] }))), /holds no batch/, /no temporary block/],
  [
    "1,001 records in one",
    chainWith(inContent(({ batches: [batch] }) => ({ batches: [{ ...batch!, records: Array(1_001).fill(second) }] }))),
    /at most 1000 items, not 1001/,
    /more than 1000 items|sealed twice/,
  ],
  [
    "4,001 records in all",
    chainWith(
      inContent(({ batches: [batch] }) => ({
        batches: [1_000, 1_000, 1_000, 1_000, 1].map((length, index) => ({
          ...batch!,
          number: batch!.number + index,
          records: Array(length).fill(second),
        })),
      })),
    ),
    /at most 4000 records, not 4001/,
    /records too many/,
  ],
  [
    "17 orders in one",
    chainWith(bringing(...Array.from({ length: 17 }, (): Notice => ({ kind: "order", bytes: Uint8Array.of(0) })))),
    /0 credentials and 17 orders/,
    /orders too many/,
  ],
  ["a credential of 1,025 bytes", chainWith(bringing(sized(1_025))), /1025 bytes is larger than 1024/, /too long/],
  [
    "a credential whose key is no point of the curve",
    chainWith(bringing(credential([], offCurve(1, 1)))),
    /no point of P-256/,
    /Invalid|invalid|curve|point/,
  ],
  [
    "a credential whose key is above the field",
    chainWith(bringing(credential([], offCurve(255, 1)))),
    /no point of P-256/,
    /Invalid|invalid|curve|point|range/,
  ],
  [
    "a credential for service 0",
    chainWith(bringing(credential([[-70_001, [2, [0, 1], [0], null, null, null]]]))),
    /from 1 to 65535/,
    /missing/,
  ],
  [
    "a credential that ends first",
    chainWith(bringing(credential([[4, 1_600_000_000]]))),
    /not after its nbf/,
    /ends before/,
  ],
  ["a credential's time of 2^42", chainWith(bringing(credential([[4, 2 ** 42]]))), /up to 4398046511103/, /bound/],
  ["a temporary block 2^48", chainWith(inBatch({ number: 2 ** 48 })), /up to 281474976710655/, /bound/],
  ["a temporary block 2^53-1", chainWith(inBatch({ number: 2 ** 53 - 1 })), /up to 281474976710655/, /bound/],
  ["an anchor of height 2^40-1", chainWith(anchored({ height: 2 ** 40 - 1 })), /from 1 to 1099511627774/, /bound/],
  ["an anchor of height 2^48", chainWith(anchored({ height: 2 ** 48 })), /from 1 to 1099511627774/, /bound/],
  ["an anchor of chain 65,536", chainWith(anchored({ chain: 65_536 })), /from 1 to 65535/, /bound/],
  ["a contracts height of 2^40", chainWith(inContent(() => ({ judgedAt: 2 ** 40 }))), /up to 1099511627774/, /bound/],
  [
    "a time that the header cannot state",
    chainWith(inContent(() => ({ time_ms: 2 ** 32 * 1_000 }))),
    /at most 4294967295999 ms/,
    /bound/,
  ],
  ["a lock time of 2^32 s", chainWith(inBlock({ lock_ms: 2 ** 32 * 1_000 })), /at most 4294967295999 ms/, /bound/],
  ["a lock time of 2^53", chainWith(inBlock({ lock_ms: 2 ** 53 })), /at most 4294967295999 ms/, /bound/],
  ["a counter of 2^48", chainWith(inContent(() => ({ counter: 2 ** 48 }))), /up to 281474976710655/, /bound/],
  ["a round of 2^32", chainWith(inBlock({ certificate: roundOf(2 ** 32) })), /up to 4294967295/, /bound/],
  ["evidence of height 0", chainWith(evidenceOf({ height: 0 })), /from 1 to 1099511627774/, /missing/],
  ["evidence of a vr that is no earlier round", chainWith(evidenceOf({ vr: 2 })), /vr must be -1 or/, /vr/],
];

function roundOf(round: number): Block["certificate"] {
  return { ...decodeBlock(chainWith({})[1]!).certificate, round };
}

test("the builder's chain is good without an edit, and with a credential of 1,024 bytes and evidence as it must be", async () => {
  const { genesis, bytes } = makeGenesis();
  const goodEvidence = evidenceOf({ round: 3, vr: 2 });
  for (const blocks of [chainWith({}), chainWith(bringing(sized(1_024))), chainWith(goodEvidence)]) {
    const open = async function* () {
      yield* blocks;
    };
    const report = await auditChain(genesis, genesis.chains[0]!, open);
    assert.deepEqual([report.firstProblem, report.height], [undefined, 2]);
    assert.equal(verifyExport(bytes, Buffer.concat(blocks)).height, 2);
  }
});

test("the audit and the stranger refuse", async (t) => {
  for (const [name, blocks, audit, stranger] of cases) await t.test(name, () => refuse(blocks, audit, stranger));
  for (const [name, claims] of [
    ["a record's number of 2^32-1", { seq: 2 ** 32 - 1, previous: headerHash }],
    ["a record's number of 2^53-1", { seq: 2 ** 53 - 1, previous: headerHash }],
    ["a record's time of 2^42", { seq: 1, previous: headerHash, time_s: 2 ** 42 }],
  ] as const) {
    const bytes = meter.record(claims);
    const replaced = inContent(({ batches: [batch] }) => ({ batches: [{ ...batch!, records: [bytes] }] }));
    await t.test(name, () => refuse(chainWith(replaced), /must be an unsigned integer up to/, /bound/));
  }
});
