// As bounds.test.ts, of orders with READY and by several keys, of sessions and words on erasures, of files, of rows of the API's answers,
// and of what a node writes down about itself and others.

import assert from "node:assert/strict";
import { AGGREGATE_SUM_MAX, decodeAggregate, signAggregate } from "../../src/wire/aggregate.js";
import { metadataEntry } from "../../src/wire/block.js";
import { concatBytes, toHex } from "../../src/wire/bytes.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import { sign1 } from "../../src/wire/cose.js";
import { parseDivision, signDivision } from "../../src/wire/division.js";
import { decodeErased, signErased } from "../../src/wire/erased.js";
import { issueGenesis, verifyGenesis } from "../../src/wire/genesis.js";
import { sha256 } from "../../src/wire/hash.js";
import { keyToMap } from "../../src/wire/key.js";
import { type Action, issueOrder, type Order, readOrder } from "../../src/wire/order.js";
import { addOrderSignature } from "../../src/wire/order-signatures.js";
import {
  decodePublicBlock,
  decodePublicHead,
  encodePublicBlock,
  encodePublicHead,
} from "../../src/wire/public-chain.js";
import { decodeSentReceipt, encodeReceipt } from "../../src/wire/receipt.js";
import { SESSION_DOMAIN, SESSION_RANDOM_BYTES } from "../../src/wire/session.js";
import { readSessionToken } from "../../src/wire/session-proof.js";
import { readShipment } from "../../tools/authority/lots/shipment.js";
import { statementToArray } from "../../tools/consensus/messages.js";
import { decodeRecord } from "../../tools/consensus/signed-position.js";
import { decodeOutbox } from "../../tools/files/operations/outbox.js";
import { decodeStateProofFile, encodeStateProof } from "../../tools/ledger/state-proof.js";
import { orderKey, sealedOrders } from "../../tools/node/chain/sealed-orders.js";
import { indexed, indexKey, violations, violationsListed } from "../../tools/node/chain/tables/violations.js";
import {
  decodeQuestion,
  decodeShare,
  encodeQuestion,
  encodeShare,
} from "../../tools/node/disclosures/groups/share-frames.js";
import {
  decodeAskedRecords,
  decodeAskedShares,
  encodeAsked,
  encodeAskedRecords,
} from "../../tools/node/disclosures/missing/asking.js";
import { destroyed } from "../../tools/node/disclosures/tables/destroyed.js";
import { blockKey, hashKey, numberIn, numberKey, placeKey } from "../../tools/node/store/keys.js";
import { decodeOutline, encodeOutline, outlineOf } from "../../tools/node/store/outline.js";
import { decodeDayRow, encodeDayRow } from "../../tools/routes/days.js";
import { decodeHolderRow, encodeHolderRow } from "../../tools/routes/holders.js";
import { decodeRecordRow, encodeRecordRow } from "../../tools/routes/record-rows.js";
import { timeText, toJson } from "../../tools/terminal/output.js";
import { type Format, format, tryEveryNumber, type Uses } from "./every-number.js";
import { sealBlock, signerNamed, startTime_s, testBatch, testMeter, testNetwork, testRecords } from "./network.js";

const network = testNetwork();
const { genesis, nodes, authority } = network;
const meter = testMeter(network, "M0001");
const [id, kid, signature] = [new Uint8Array(32).fill(3), nodes[0]!.id, new Uint8Array(64)];
const members = nodes.map(({ id: own, key, name }) => ({ id: own, key, name }));
const block = sealBlock(network, 1, undefined, {
  batches: [testBatch(network, 1, nodes[0]!, 0, [meter.credential], testRecords(meter, 2))],
  anchors: [{ chain: 3, height: 2, headerHash: id }],
});
const { header, certificate } = block;
const place = { network: "alpha", chain: 1, height: 3, header, certificate };

const ordering = { signatures: 2, keys: [authority.key, nodes[0]!.signer.key] };
const several = {
  ...{ network: "alpha", time_s: startTime_s, nodes: members, ordering },
  chains: [{ service: 1, name: "trading", members, target: 0, verifiers: 2 }],
};
const severalBytes = issueGenesis(several, authority);
const severalGenesis = verifyGenesis(severalBytes, () => true);

const orderOf = (action: Action): Order => ({ number: 3, time_s: startTime_s, action });
const order = (action: Action) =>
  format(issueOrder(orderOf(action), genesis, authority), (bytes) => readOrder(bytes, genesis));
const withdrawal: Action = { type: "withdraw", order: 2 };
const signedByTwo = addOrderSignature(
  issueOrder(orderOf(withdrawal), severalGenesis, authority),
  { ordering, size: 4_096 },
  nodes[0]!.signer,
);
/** Of a COSE_Sign, which the values are put into without it. */
const signTag = signedByTwo.subarray(0, 2);

const self = toHex(kid);
const own = { height: 3, round: 2, id, node: self, signature };
const votes = [statementToArray({ ...own, type: "prevote", vr: -1 }), statementToArray({ ...own, type: "precommit" })];
const record = encodeCbor([
  ...["gs1/consensus-record", genesis.hash, 1, 3, 2, 3],
  ...[
    [2, id],
    [2, id, [[kid, 1, signature]]],
  ],
  ...[[statementToArray({ ...own, type: "prevote", vr: 0, node: toHex(nodes[1]!.id) })], votes],
  ...[[[1, 0, id, [[kid, -1, signature]], signature]], [[id, Uint8Array.of(1), true]], 2],
]);

const maker = signerNamed("maker");
const lot = encodeCbor([
  ...["gs1/lot", "lot-7", keyToMap(maker.key), keyToMap(authority.key), startTime_s],
  [["M-1", kid, 1, null]],
]);
const session = sign1(
  encodeCbor([
    ...[SESSION_DOMAIN, genesis.hash, "broker:8883", startTime_s, startTime_s + 300],
    new Uint8Array(SESSION_RANDOM_BYTES),
  ]),
  nodes[0]!.signer,
  kid,
);
const erased = {
  ...{ node: kid, chain: 1, meter: meter.kid, from: 19_000, until: 19_002, erasure: "0011223344556677-1" },
  ...{ envelopes: 2, disclosures: 40, time_s: startTime_s },
};
const question = { request: "0011223344556677-4", meter: kid, day: 19_000 };
const sums = {
  ...{ node: kid, chain: 1, request: question.request, from_s: 1_641_600_000, slot_s: 900 },
  slots: [
    { count: 120, sum: 4_321n },
    { count: 3, sum: null },
  ],
};
const gap = { kind: "gap", meter: kid, seq: 1, detail: 4 } as const;
const receipt = encodeReceipt({ ...place, recordHash: id, leaf: 1, size: 2, path: [id] });
const proof = encodeStateProof({
  ...{ ...place, key: "limits/1", value: Uint8Array.of(1), path: { siblings: [id], other: undefined } },
  ...{ metadata: metadataEntry(block), size: 3, inclusion: [id] },
});
const nothing = new Uint8Array(0);
const division = signDivision(
  genesis.hash,
  { envelope: id, dealer: kid, threshold: 1, custodians: [{ node: kid, commitment: id }] },
  nodes[0]!.signer,
);

const formats: Readonly<Record<string, Format>> = {
  "order of members with READY": order({
    ...({ type: "members", chain: 1, effectiveHeight: 4, members, verifiers: 2 } as const),
    ready: [{ node: kid, signature }],
  }),
  "order of a withdrawal": order(withdrawal),
  "order of suspension": order({ type: "suspend", meters: [kid] }),
  "order of resumption": order({ type: "resume", meters: [kid] }),
  "order of a ban": order({ type: "ban", nodes: [kid] }),
  "order by several keys": format(signedByTwo.subarray(2), (bytes) => readOrder(concatBytes(signTag, bytes))),
  "genesis that orders by several keys": format(severalBytes, (bytes) => verifyGenesis(bytes, () => true)),
  "word on an erasure": format(signErased(genesis.hash, erased, nodes[0]!.signer), decodeErased),
  division: format(division.bytes, (bytes) => parseDivision(genesis.hash, bytes)),
  "sums over a group": format(signAggregate(genesis.hash, sums, nodes[0]!.signer), decodeAggregate),
  "question for a group": format(encodeQuestion(question), decodeQuestion, encodeQuestion),
  "share for a group": format(encodeShare(question, encodeCbor([id, null, id, id])), decodeShare),
  "question for disclosures": format(
    encodeAskedRecords([{ meter: kid, number: 4, hash: id, origin: kid }]),
    decodeAskedRecords,
    encodeAskedRecords,
  ),
  "question for shares": format(
    encodeAsked([{ meter: kid, number: 19_000, hash: id }]),
    decodeAskedShares,
    encodeAsked,
  ),
  "head of a public chain": format(encodePublicHead({ network: "alpha", chain: 1, lineage: [] }), (bytes) => {
    const head = decodePublicHead(bytes);
    assert.ok(head !== undefined);
    return head;
  }),
  "block of a public chain": format(encodePublicBlock({ header, certificate }), decodePublicBlock, encodePublicBlock),
  session: format(session, (bytes) => readSessionToken(`.${Buffer.from(bytes).toString("base64url")}`).claims),
  "receipt that is sent": format(receipt, (bytes) => {
    const links = encodeCbor(header);
    const sent = decodeSentReceipt(concatBytes(bytes, links));
    assert.deepEqual([sent.bytes, sent.links], [bytes, header]);
    return sent.receipt;
  }),
  "state proof in a file": format(proof, (bytes) => decodeStateProofFile(bytes).proof),
  "record of what was signed": format(record, (bytes) => decodeRecord(bytes, self)),
  "outbox of operations": format(encodeCbor([1, 5, id, []]), (bytes) =>
    decodeOutbox(concatBytes(sha256(bytes), bytes)),
  ),
  "lot of a shipment": format(lot, (bytes) => readShipment(sign1(bytes, maker))),
  outline: format(encodeOutline(outlineOf(block)), decodeOutline, encodeOutline),
  "row of a record": format(
    encodeRecordRow({ seq: 4, height: 3, leaf: 1, hash: id, bytes: undefined }),
    decodeRecordRow,
    encodeRecordRow,
  ),
  "row of a holder": format(
    encodeHolderRow({ kid, high: 4, missing: 1, credential: nothing, time_s: 5, sealed_s: 6 }),
    decodeHolderRow,
    encodeHolderRow,
  ),
  "row of a day": format(
    encodeDayRow({ kid, records: 96, first: 1, last: 97, late: 2, doubtful: 3 }),
    decodeDayRow,
    encodeDayRow,
  ),
  "row of an order": format(
    sealedOrders.encode({ contractsHeight: 4, bytes: Uint8Array.of(1) }),
    sealedOrders.decode,
    sealedOrders.encode,
  ),
  "row of a violation": format(
    violations.encode({ time_ms: 1_000, violation: gap }),
    violations.decode,
    violations.encode,
  ),
  "height up to which violations are listed": format(
    violationsListed.encode(3),
    (bytes) => ({ height: violationsListed.decode(bytes) }),
    ({ height }) => violationsListed.encode(height),
  ),
};

const below = (limit: number) => (value: number) =>
  assert.ok(value >= 0 && value <= limit, `${value} is above ${limit}`);
const seconds = (value: number) => void timeText(value * 1_000);
const plain = (value: number) => assert.ok(JSON.parse(toJson([value])) && value < 2 ** 53);
const day = (value: number) => {
  seconds(value * 86_400);
  assert.equal(numberIn(hashKey(1, kid, value, id)), value);
};
/** Of destroyed rows: the bytes that a node counts them in. */
const counted = (value: number) => {
  const row = { envelopes: value, disclosures: value };
  assert.deepEqual(destroyed.decode(destroyed.encode(row)), row);
};
const milliseconds = (value: number) => {
  timeText(value);
  assert.equal(indexed(indexKey(kid, value, placeKey(1, 2, 3))).time_ms, value);
};

const uses: Uses = {
  threshold: below(128),
  day,
  from_s: seconds,
  slot_s: below(86_400),
  sum: (value) => assert.ok(BigInt(value) <= AGGREGATE_SUM_MAX && BigInt(value) >= -AGGREGATE_SUM_MAX),
  count: below(256),
  service: below(65_535),
  chain: below(65_535),
  number: (value) => void orderKey(value),
  order: (value) => void orderKey(value),
  height: (value) => void blockKey(1, value),
  effectiveHeight: (value) => void blockKey(1, value + 1),
  contractsHeight: (value) => void blockKey(1, value + 1),
  since: (value) => void blockKey(1, value + 1),
  seq: (value) => assert.equal(numberIn(numberKey(1, kid, value + 1)), value + 1),
  detail: below(2 ** 32 - 2),
  high: below(2 ** 32 - 2),
  missing: below(2 ** 32 - 2),
  first: below(2 ** 32 - 2),
  last: below(2 ** 32 - 2),
  next: below(2 ** 32 - 1),
  records: plain,
  late: plain,
  doubtful: plain,
  time_s: seconds,
  sealed_s: seconds,
  issued_s: seconds,
  expires_s: seconds,
  time_ms: milliseconds,
  from: day,
  until: (value) => day(value - 1),
  envelopes: counted,
  disclosures: counted,
  leaf: below(2 ** 24 - 1),
  size: below(8_097),
  round: below(2 ** 32 - 1),
  vr: (value) => assert.ok(value >= -1 && value < 2 ** 32),
  target: below(2 ** 32 - 1),
  verifiers: below(members.length),
  signatures: (value) => assert.ok(value >= 1 && value <= ordering.keys.length),
  algorithm: plain,
};

tryEveryNumber(formats, uses);
