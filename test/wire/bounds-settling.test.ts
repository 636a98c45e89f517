// As bounds.test.ts, of orders about contracts and points, slots, messages between chains, operations, envelopes, and what is signed to
// be certified or to connect.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type InstallAction, signTried } from "../../src/wire/contract-order.js";
import { readApproval, readEnrolment, signApproval, signEnrolment } from "../../src/wire/enrolment.js";
import { parseEnvelope, signEnvelope } from "../../src/wire/envelope.js";
import { sha256 } from "../../src/wire/hash.js";
import { decodeCarried, encodeCarried, readMessage } from "../../src/wire/message.js";
import { decodeDue, encodeDue } from "../../src/wire/notice.js";
import { decodeHidden, encodeHidden, parseOperation, signOperation } from "../../src/wire/operation.js";
import { type Action, issueOrder, readOrder } from "../../src/wire/order.js";
import { effectItems } from "../../src/wire/outcome.js";
import { encodeReceipt } from "../../src/wire/receipt.js";
import { readEndorsement, readRequest, signEndorsement, signRequest } from "../../src/wire/request.js";
import { decodeSealed, decodeSealedList, encodeSealed, encodeSealedList } from "../../src/wire/sealed-disclosure.js";
import {
  decodePointRow,
  decodeSlotItem,
  decodeSlotRows,
  encodePointRow,
  encodeSlotRows,
  slotItem,
} from "../../src/wire/slot.js";
import { decodeSlotProofFile, proofOfRow } from "../../src/wire/slot-proof.js";
import { decodeTime, encodeTime } from "../../src/wire/time.js";
import { decodeMessage, encodeMessage } from "../../tools/consensus/messages.js";
import { decodeDisproof, encodeDisproof } from "../../tools/ledger/disproof.js";
import { newestEngine } from "../../tools/ledger/engines.js";
import { decodeMeterCounters, encodeMeterCounters } from "../../tools/ledger/settlement/meter-counters.js";
import { counters as countersTable, settlements, slots } from "../../tools/node/chain/tables/settlement.js";
import { outgoingKey, slotKey } from "../../tools/node/store/keys.js";
import { decodeRow, encodeRow } from "../../tools/node/store/table.js";
import { timeText, toJson } from "../../tools/terminal/output.js";
import { format, tryEveryNumber, type Uses } from "./every-number.js";
import { sealBlock, startTime_s, testBatch, testMeter, testNetwork, testRecords } from "./network.js";

const network = testNetwork();
const { genesis, nodes, authority } = network;
const meter = testMeter(network, "M0001");
const [id, kid] = [new Uint8Array(32).fill(3), nodes[0]!.id];
const block = sealBlock(network, 1, undefined, {
  batches: [testBatch(network, 1, nodes[0]!, 0, [meter.credential], testRecords(meter, 2))],
});
const { header, certificate } = block;

const order = (action: Action) =>
  format(issueOrder({ number: 3, time_s: startTime_s, action }, genesis, authority), (bytes) =>
    readOrder(bytes, genesis),
  );

const untried: InstallAction = {
  ...({ type: "install", service: 1, name: "sums", version: 2, source: id } as const),
  ...newestEngine,
  ...{ budget: 200, pages: 64, output: 10_000, types: [1, 9], messages: [{ service: 0, name: "heard" }] },
  ...{ slots: { slot_s: 900, lateness_s: 3_600, gapMax_s: 1_800 }, vectors: id, ready: [], fromHeight: 4 },
};
const assignment = { point: "P", meter: kid, from_s: 900, until_s: 1_800, sign: 1, capacity: 100_000n } as const;

const item = effectItems({ chain: 2, height: 7 }, [
  {
    entry: { kind: "operation", leaf: 1 },
    ...{
      type: "done",
      contract: "sums",
      used: 3,
      effects: [{ name: "heard", body: id, to: { service: 1, number: 4, hops: 1 } }],
    },
  },
])[1]!;
const receipt = encodeReceipt({
  ...{ network: "alpha", chain: 2, height: 7, header, certificate, recordHash: sha256(item), leaf: 1, size: 2 },
  path: [id],
});
const row = { point: "P", imported: 5n, exported: null, quality: 2, doubts: 256 } as const;
const encodedRows = [encodePointRow(row), encodePointRow({ ...row, point: "Q" })];
const leaf = slotItem({ chain: 1, height: 7 }, { start_s: 900, slot_s: 900, points: 2, root: id });
const reading = { time_s: 905, seq: 4, counter: 77n, codes: 3, doubts: 1 };
const track = { edge: { counter: 70n, isRead: true, doubts: 256 }, readings: [reading] };
const sealed = { kid, seq: 4, recordHash: id, envelope: id, nonce: new Uint8Array(12), ciphertext: new Uint8Array(40) };
const stated = { services: [1], roles: ["customer"], jurisdiction: "DE" } as const;
const nonce = new Uint8Array(8);
const request = signRequest({ id: "M-1", services: [1], roles: ["meter"], nonce }, genesis.hash, meter.signer);

const formats = {
  "order to install": order({ ...untried, ready: signTried(genesis.hash, untried, [nodes[0]!.signer]) }),
  "order of parameters": order({
    ...({ type: "parameters", service: 1, contract: "sums", jurisdiction: "DE" } as const),
    ...{ parameters: new Map<string, number>([["rate", 7]]), fromHeight: 4 },
  }),
  "order to retire": order({ type: "retire", service: 1, name: "sums", fromHeight: 4 }),
  "order that assigns": order({ type: "assign", assignments: [assignment] }),
  "order of a register's head": order({ type: "register", entry: 5, hash: id }),
  operation: format(
    signOperation(
      {
        service: 1,
        serviceId: 2,
        seq: 0,
        previous: new Uint8Array(0),
        time_s: startTime_s,
        quality: 2,
        type: 3,
        body: 9,
      },
      [],
      meter.signer,
      meter.kid,
    ),
    parseOperation,
  ),
  "hidden part": format(
    encodeHidden({ salt: new Uint8Array(16), label: "price", value: 7 }),
    decodeHidden,
    encodeHidden,
  ),
  message: format(item, readMessage),
  "carried message": format(encodeCarried(item, receipt, 2), decodeCarried),
  "due notice": format(
    encodeDue(900),
    (bytes) => ({ time_s: decodeDue(bytes) }),
    ({ time_s }) => encodeDue(time_s),
  ),
  "row of a slot": format(encodedRows[0]!, decodePointRow, encodePointRow),
  "rows of a slot": format(encodeSlotRows({ height: 7, rows: [row] }), decodeSlotRows, encodeSlotRows),
  "leaf of a slot": format(leaf, decodeSlotItem, (read) => slotItem(read, read)),
  "proof of a row": format(proofOfRow(encodedRows, 1, { leaf, receipt }), decodeSlotProofFile),
  "meter's counters": format(
    encodeMeterCounters({ epoch: 2, open_s: 900, reached_s: 905, imported: track, exported: track }),
    decodeMeterCounters,
    encodeMeterCounters,
  ),
  settlement: format(
    settlements.encode({
      ...{ plan: untried.slots!, height: 7, epoch: 2, open_s: 1_800, awaited: 1, beyond: 2 },
      showing: { slot: { start_s: 900, slot_s: 900, points: 3, root: id }, shown: 1, behind: "sums" },
    }),
    settlements.decode,
    settlements.encode,
  ),
  envelope: format(
    signEnvelope(
      genesis.hash,
      {
        ...{ chain: 1, origin: kid, meter: meter.kid, day: 20_000, salt: new Uint8Array(16), threshold: 2 },
        custodians: [1, 2, 3].map((place) => ({ node: new Uint8Array(8).fill(place), commitment: id })),
      },
      nodes[0]!.signer,
    ).bytes,
    (bytes) => parseEnvelope(genesis.hash, bytes),
  ),
  "sealed disclosures": format(encodeSealed(sealed), decodeSealed, encodeSealed),
  "list of sealed disclosures": format(encodeSealedList([sealed]), decodeSealedList, encodeSealedList),
  disproof: format(
    encodeDisproof({
      bad: {
        summary: { origin: kid, number: 5, notices: id, count: 2 },
        ...{ index: 1, path: [id], record: new Uint8Array(40), credential: new Uint8Array(40) },
      },
      word: { node: kid, signature: new Uint8Array(64) },
    }),
    decodeDisproof,
    encodeDisproof,
  ),
  inquiry: format(encodeMessage({ type: "inquiry", height: 3, run: 9 }), decodeMessage, encodeMessage),
  vouch: format(encodeMessage({ type: "vouch", height: 3, run: 9 }), decodeMessage, encodeMessage),
  time: format(encodeTime({ time_s: startTime_s }), decodeTime, encodeTime),
  request: format(request, (bytes) => readRequest(bytes, genesis.hash)),
  endorsement: format(signEndorsement(request, genesis.hash, authority), (bytes) =>
    readEndorsement(bytes, genesis.hash),
  ),
  enrolment: format(
    signEnrolment(
      {
        ...{ ...stated, applicant: { name: "A", contact: "a@b.c" }, code: "KR7D", proof: id, nonce },
      } as Parameters<typeof signEnrolment>[0],
      genesis.hash,
      meter.signer,
    ),
    (bytes) => readEnrolment(bytes, genesis.hash),
  ),
  approval: format(signApproval({ enrolment: id }, genesis.hash, authority), (bytes) =>
    readApproval(bytes, genesis.hash),
  ),
};

const seconds = (value: number) => void timeText(value * 1_000);
const plain = (value: number | bigint) => assert.ok(JSON.parse(toJson([value])));
const below = (limit: number) => (value: number) =>
  assert.ok(value >= 0 && value <= limit, `${value} is above ${limit}`);
const int64 = (value: number | bigint) => assert.ok(BigInt.asIntN(64, BigInt(value)) === BigInt(value));
const counterRow = (change: object) => {
  const counters = { epoch: 1, open_s: 0, reached_s: 0, imported: track, exported: track, ...change };
  assert.deepEqual(decodeRow(countersTable, encodeRow(countersTable, counters)), counters);
};

/** What is done with a number of this name, in the objects that decoders give. */
const uses: Uses = {
  service: below(65_535),
  services: below(65_535),
  chain: below(65_535),
  to: below(65_535),
  height: (value) => void encodeRow(slots, { height: value, rows: [] }),
  fromHeight: below(2 ** 40 - 2),
  orderedAt: below(2 ** 40 - 2),
  epoch: (value) => counterRow({ epoch: value }),
  number: (value) => assert.ok(outgoingKey(1, 2, value).length > 0),
  seq: below(2 ** 32 - 2),
  version: below(2 ** 32 - 1),
  entry: below(2 ** 53 - 1),
  budget: below(1_000),
  pages: below(1_024),
  output: below(262_144),
  types: below(65_535),
  type: below(65_535),
  slot_s: below(86_400),
  lateness_s: below(96 * 86_400),
  gapMax_s: below(31 * 86_400),
  from_s: seconds,
  until_s: seconds,
  time_s: seconds,
  open_s: (value) => counterRow({ open_s: value }),
  reached_s: seconds,
  start_s: (value) => {
    seconds(value);
    assert.ok(value >= 2 ** 40 || slotKey(1, value).length > 0);
  },
  sign: (value) => assert.ok(value === 1 || value === -1),
  points: below(2 ** 32 - 1),
  awaited: below(2 ** 32 - 1),
  beyond: below(2 ** 32 - 1),
  shown: below(2 ** 32 - 1),
  index: below(2 ** 32 - 1),
  day: (value) => seconds(value * 86_400),
  hops: below(16),
  threshold: below(128),
  count: below(1_000),
  leaf: below(8_096),
  size: below(8_097),
  round: below(2 ** 32 - 1),
  part: below(65_535),
  quality: plain,
  doubts: below(2 ** 31 - 1),
  algorithm: plain,
  serviceId: plain,
  codes: plain,
  run: plain,
  body: plain,
  value: plain,
  rate: plain,
  capacity: int64,
  counter: int64,
  imported: int64,
  exported: int64,
};

tryEveryNumber(formats, uses);

test("a slot of no length is none", () => {
  const slot = { start_s: 900, slot_s: 0, points: 2, root: id };
  assert.throws(() => decodeSlotItem(slotItem({ chain: 1, height: 7 }, slot)), /slot length must be at least 1 s/);
});
