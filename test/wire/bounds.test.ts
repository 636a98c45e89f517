// Every number of every format, found where it stands in an example: at the bounds and powers of two it is refused with a WireError, or
// it is read back as it was and every use that is made of its kind can hold it. A number that has no use listed here fails the test.

import assert from "node:assert/strict";
import { decodeCommand } from "../../src/agent/command.js";
import { decodeBatch, encodeBatch } from "../../src/wire/batch.js";
import { boundMembers, decodeBlock, encodeBlock, metadataEntry } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { parseCredential } from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import { issueFirmware, verifyFirmware } from "../../src/wire/firmware.js";
import { issueBundle, verifyBundle } from "../../src/wire/firmware-bundle.js";
import { verifyGenesis } from "../../src/wire/genesis.js";
import { decodeHandover, encodeHandover } from "../../src/wire/handover.js";
import { type Action, issueOrder, readOrder } from "../../src/wire/order.js";
import { decodeReceipt, encodeReceipt } from "../../src/wire/receipt.js";
import { decodeDisclosure, encodeDisclosure, parseRecord, signRecord } from "../../src/wire/record.js";
import { decodeRefusal, encodeRefusal } from "../../src/wire/refusal.js";
import { issueWarrant, readWarrant } from "../../src/wire/warrant.js";
import {
  decodeEvidence,
  decodeMessage,
  encodeEvidence,
  encodeMessage,
  signedBytes,
} from "../../tools/consensus/messages.js";
import { execute } from "../../tools/ledger/execution.js";
import { initialGovernance } from "../../tools/ledger/governance.js";
import { MemoryState } from "../../tools/ledger/memory-state.js";
import { readNotice } from "../../tools/ledger/notices.js";
import { decodeProposalBody, encodeProposalBody } from "../../tools/ledger/proposal.js";
import { executionRecord, readRecord } from "../../tools/ledger/record-scan.js";
import { MemorySettlement } from "../../tools/ledger/settlement/memory-settlement.js";
import {
  decodeMeterState,
  decodeOriginState,
  encodeMeterState,
  encodeOriginState,
  sealNumber,
} from "../../tools/ledger/state.js";
import { decodeStateProof, encodeStateProof } from "../../tools/ledger/state-proof.js";
import { decodeResults, encodeResults } from "../../tools/ledger/violations.js";
import {
  chainOf,
  decodeBatchNote,
  decodeNeedBlocks,
  encodeBatchNote,
  encodeFrame,
  encodeNeedBlocks,
} from "../../tools/node/chain/frame.js";
import { type Head, heads } from "../../tools/node/chain/tables/heads.js";
import { index, locationIn } from "../../tools/node/chain/tables/runs.js";
import { faults as faultsTable } from "../../tools/node/chain/tables/states.js";
import { blockKey, chainRange, numberIn, numberKey } from "../../tools/node/store/keys.js";
import { timeText, toJson } from "../../tools/terminal/output.js";
import { type Format, format, tryEveryNumber, type Uses } from "./every-number.js";
import { independentCbor } from "./independent-cbor.js";
import { sealBlock, startTime_s, testBatch, testMeter, testNetwork, testRecords } from "./network.js";

const network = testNetwork();
const { genesis, nodes, authority } = network;
const meter = testMeter(network, "M0001");
const records = testRecords(meter, 2);
const register = { obis: Uint8Array.of(1, 0, 1, 8, 0, 255), value: 5, scaler: 0, unit: 30, age: 7 };
const claims = {
  service: 1,
  serviceId: 12,
  seq: 1,
  previous: new Uint8Array(32),
  time_s: startTime_s,
  quality: 2,
  status: 3,
  registers: [register],
  source: 1,
  reason: 1,
  events: 4,
  errors: 5,
};
const record = signRecord(claims, [], meter.signer, meter.kid);
const [id, signature, kid] = [new Uint8Array(32).fill(3), new Uint8Array(64), nodes[0]!.id];
const node = toHex(kid);
const acknowledgement = { node: kid, signature, verified: true };
const prevote = { type: "prevote" as const, height: 3, round: 2, vr: 1, id: null, node, signature };
const precommit = { type: "precommit" as const, height: 3, round: 2, id, node, signature };
const head = { type: "head" as const, height: 3, round: 2, vr: 1, id, bodyHash: id, node, signature };
const block = sealBlock(network, 1, undefined, {
  batches: [testBatch(network, 1, nodes[0]!, 0, [meter.credential], records)],
  anchors: [{ chain: 3, height: 2, headerHash: id }],
  round: 1,
});
const { header, certificate } = block;
const place = { network: "alpha", chain: 1, height: 3, header, certificate };
const members = nodes.map(({ id: own, key, name }) => ({ id: own, key, name }));
const batch = { chain: 1, origin: kid, number: 5, notices: [], records };

const order = (action: Action) =>
  format(issueOrder({ number: 3, time_s: startTime_s, action }, genesis, authority), (bytes) =>
    readOrder(bytes, genesis),
  );
const message = (value: Parameters<typeof encodeMessage>[0]) =>
  format(encodeMessage(value), decodeMessage, encodeMessage);

const told = { kind: "message", service: 2, number: 9 } as const;

const formats: Readonly<Record<string, Format>> = {
  record: format(record, (bytes) => {
    const [parsed, scanned] = [parseRecord(bytes), readRecord(bytes)];
    assert.equal(scanned.claims.seq, parsed.claims.seq);
    return parsed;
  }),
  disclosure: format(
    encodeDisclosure({ salt: new Uint8Array(16), label: "power", registers: [register] }),
    decodeDisclosure,
    encodeDisclosure,
  ),
  credential: format(meter.credential, parseCredential),
  "credential of a lot": format(
    testMeter(network, "M0002", [1], { origin: { key: "device", lot: "7" } }).credential,
    parseCredential,
  ),
  warrant: format(
    issueWarrant({ network: "alpha", notBefore_s: 5, expires_s: startTime_s, key: meter.signer.key }, authority),
    readWarrant,
  ),
  // Its signature no longer fits; whatever is read of it comes before.
  genesis: format(network.genesisBytes, (bytes) => verifyGenesis(bytes, () => true)),
  "order of members": order({ type: "members", chain: 1, effectiveHeight: 4, members, ready: [], verifiers: 2 }),
  "order of a chain": order({ type: "chain", service: 9, name: "heat", members, target: 0x2007ffff, verifiers: 2 }),
  "order of an end": order({ type: "end", meter: kid, ends: [[3, 7]], successor: undefined }),
  "order of revocation": order({ type: "revoke", meters: [kid] }),
  "temporary block": format(encodeBatch(batch, signature), decodeBatch, (read) =>
    encodeBatch(read.batch, read.signature),
  ),
  block: format(encodeBlock(block), decodeBlock, encodeBlock),
  metadata: format(metadataEntry(block), boundMembers),
  receipt: format(
    encodeReceipt({ ...place, recordHash: id, leaf: 1, size: 2, path: [id] }),
    decodeReceipt,
    encodeReceipt,
  ),
  handover: format(
    encodeHandover({ ...place, metadata: metadataEntry(block), size: 3, path: [id], members }),
    decodeHandover,
    encodeHandover,
  ),
  "state proof": format(
    encodeStateProof({
      ...{ ...place, key: "limits/1", value: Uint8Array.of(1), path: { siblings: [id], other: undefined } },
      ...{ metadata: metadataEntry(block), size: 3, inclusion: [id] },
    }),
    decodeStateProof,
    encodeStateProof,
  ),
  refusal: format(
    encodeRefusal({ service: 1, seq: 4, recordHash: id, reason: "busy", sentence: "wait" }),
    decodeRefusal,
  ),
  command: format(independentCbor([1, 3]), (bytes) => decodeCommand(bytes) ?? refuse()),
  firmware: format(
    issueFirmware({ board: "devkit", version: 4, least: 2, size: 900, hash: id, file: "image.bin" }, authority),
    (bytes) => verifyFirmware(bytes, authority.key, () => true),
  ),
  bundle: format(
    issueBundle(
      {
        ...{ board: "devkit", version: 4, chip: 5, flashBytes: 8_192 },
        parts: [{ offset: 4_096, size: 900, hash: id, file: "image.bin" }],
      },
      authority,
    ),
    (bytes) => verifyBundle(bytes, authority.key, () => true),
  ),
  results: format(
    encodeResults({
      violations: [
        { kind: "gap", meter: kid, seq: 1, detail: 4 },
        { kind: "fork", meter: kid, seq: 2, detail: record },
        { kind: "link", meter: kid, seq: 3, detail: id },
        { kind: "equivocation", node: kid, height: 3, evidence: id },
        { kind: "contract", subject: kid, entry: told, contract: "limits", name: "late", body: id },
      ],
      outcomes: [
        {
          entry: { kind: "operation", leaf: 1 },
          ...{
            type: "done",
            contract: "limits",
            used: 3,
            effects: [{ name: "a", body: id, to: { service: 3, number: 1, hops: 2 } }],
          },
        },
        {
          entry: told,
          ...{ type: "denied", contract: "limits", used: 3, effects: [], denials: [{ rule: "late", body: id }] },
        },
        {
          entry: { kind: "slot", start_s: 900, part: 1 },
          type: "failed",
          contract: "limits",
          used: 3,
          reason: "threw",
        },
        { entry: { kind: "due", time_s: 5, contract: "limits", key: "k" }, type: "unhandled" },
        { entry: { kind: "operation", leaf: 4 }, type: "expired" },
        {
          entry: { kind: "violations" },
          ...{ type: "told", effects: [{ name: "violation", body: id, to: { service: 5, number: 1, hops: 0 } }] },
        },
      ],
      slots: [{ start_s: 900, slot_s: 900, points: 3, root: id }],
    }),
    decodeResults,
    encodeResults,
  ),
  evidence: format(encodeEvidence({ type: "evidence", first: prevote, second: head }), decodeEvidence, encodeEvidence),
  proposal: message({ ...head, type: "proposal", body: id, polka: [{ ...prevote, round: 1, vr: 0, id }] }),
  prevote: message(prevote),
  precommit: message(precommit),
  polka: message({ type: "polka", height: 3, round: 2, id, votes: [{ ...prevote, id }] }),
  "round certificate": message({ type: "round", height: 3, votes: [prevote, precommit] }),
  decision: message({ type: "decision", height: 3, id, certificate }),
  status: message({ type: "status", height: 3 }),
  "evidence in a message": message({ type: "evidence", first: precommit, second: prevote }),
  "proposal body": format(
    encodeProposalBody({
      header,
      time_ms: startTime_s * 1_000,
      anchors: [{ chain: 3, height: 2, headerHash: id, certificate }],
      judgedAt: 1,
      calls: 32,
      batches: [{ origin: kid, number: 5, id, acknowledgements: [acknowledgement] }],
    }),
    decodeProposalBody,
    encodeProposalBody,
  ),
  "batch note": format(encodeBatchNote({ origin: kid, number: 5, id }, [acknowledgement]), decodeBatchNote, (note) =>
    encodeBatchNote(note, note.acknowledgements),
  ),
  "block request": format(
    encodeNeedBlocks(3),
    (bytes) => ({ height: decodeNeedBlocks(bytes) }),
    ({ height }) => encodeNeedBlocks(height),
  ),
};

function refuse(): never {
  throw new WireError("shape", "no command");
}

const service = (value: number) => {
  assert.ok(chainRange(value).end.compare(numberKey(value, kid, 0)) > 0);
  assert.equal(chainOf(encodeFrame("batch", value, id)), value);
};
const height = (value: number) => {
  blockKey(1, value + 1);
  const run = { height: value, records: [{ leaf: 1, hash: new Uint8Array(32) }] };
  assert.equal(locationIn(index.encode(run), 0)?.height, value);
  assert.deepEqual(faultsTable.decode(faultsTable.encode([value])), [value]);
  headRow({ height: value, judgedAt: value });
  signedBytes(genesis.hash, 1, { ...prevote, height: value });
};
const headRow = (change: Partial<Head>) => {
  const row = { height: 1, headerHash: id, counter: 0, time_ms: 0, records: 0, judgedAt: 0, stateRoot: id, ...change };
  assert.deepEqual(heads.decode(heads.encode(row)), row);
};
const seq = (value: number) => {
  assert.equal(numberIn(numberKey(1, kid, value + 1)), value + 1);
  const made = executionRecord(
    parseRecord(
      signRecord(
        { ...claims, seq: value, previous: new Uint8Array(value === 0 ? 0 : 32) },
        [],
        meter.signer,
        meter.kid,
      ),
    ),
  );
  const nothing = { meter: () => undefined, origin: () => undefined, faults: () => [], sealedHash: () => undefined };
  const fresh = { state: new MemoryState(), settlement: new MemorySettlement() };
  const view = { ...nothing, credential: () => undefined, ...fresh };
  const where = {
    service: 1,
    height: 1,
    governance: initialGovernance(genesis),
    judgedAt: 0,
    time_ms: startTime_s * 1_000,
    view,
  };
  const notices = [readNotice(genesis.hash, { kind: "credential", bytes: meter.credential })];
  const { meters } = execute(where, [{ origin: kid, number: 0, notices, records: [made] }]);
  const state = meters.get(toHex(meter.kid))!;
  assert.deepEqual(decodeMeterState(encodeMeterState(state)), { ...state, high: value });
  assert.ok(new DataView(new ArrayBuffer(4)).setUint32(0, value + 1) === undefined && value + 1 < 2 ** 32);
};
const number = (value: number) => {
  assert.equal(numberIn(numberKey(1, kid, value + 1_024)), value + 1_024);
  const sealed = sealNumber(undefined, value)!;
  assert.deepEqual(decodeOriginState(encodeOriginState(sealed)), sealed);
  assert.equal(sealNumber(sealed, value), undefined);
};
const seconds = (value: number) => void timeText(value * 1_000);
const milliseconds = (value: number) => {
  timeText(value);
  assert.ok(Math.floor(value / 1_000) < 2 ** 32);
  headRow({ time_ms: value });
};
const plain = (value: number | bigint) => assert.ok(JSON.parse(toJson([value])));
const tree = (value: number) => assert.ok(value <= 8_097, `leaf ${value}`);
const word = (value: number) => assert.ok(value < 2 ** 32, `word ${value}`);

/** What is done with a number of this name, in the objects that decoders give. */
const uses: Uses = {
  chain: service,
  service,
  services: service,
  height,
  effectiveHeight: height,
  judgedAt: (value) => headRow({ judgedAt: value }),
  seq,
  ends: seq,
  number: (value) => number(value),
  detail: seq,
  time_s: seconds,
  start_s: seconds,
  slot_s: (value) => assert.ok(value <= 86_400, `slot of ${value} s`),
  points: word,
  part: (value) => assert.ok(value <= 65_535, `part ${value}`),
  notBefore_s: seconds,
  expires_s: seconds,
  time_ms: milliseconds,
  lock_ms: milliseconds,
  counter: (value) => headRow({ counter: value }),
  round: (value) => void signedBytes(genesis.hash, 1, { ...prevote, round: value, vr: value - 1 }),
  vr: plain,
  leaf: tree,
  size: (value) => assert.ok(value <= 8 * 1_024 * 1_024, `size ${value}`),
  statusIndex: word,
  target: word,
  used: (value) => assert.ok(value <= 1_000, `used ${value}`),
  hops: (value) => assert.ok(value <= 16, `hops ${value}`),
  calls: (value) => assert.ok(value >= 1 && value <= 32, `calls ${value}`),
  verifiers: (value) => assert.ok(value >= 1 && value <= members.length, `verifiers ${value}`),
  version: word,
  least: word,
  chip: word,
  flashBytes: word,
  offset: word,
  algorithm: plain,
  ...Object.fromEntries(
    ["serviceId", "quality", "status", "source", "reason", "events", "errors", "value", "scaler", "unit", "age"].map(
      (name) => [name, plain],
    ),
  ),
};

tryEveryNumber(formats, uses);
