// A day of a grant: what any node has encrypted and the meter has signed counts, whatever others deliver beside it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import {
  decodeDisclosure,
  digestsOf,
  encodeDisclosure,
  parseRecord,
  signRecord,
  stripRecord,
} from "../../../src/wire/record.js";
import { encodeDisclosures, encodeSealed } from "../../../src/wire/sealed-disclosure.js";
import { openDays } from "../../../tools/cli/access/open-days.js";
import type { Opening } from "../../../tools/cli/access/opening.js";
import { sealVerifier } from "../../../tools/cli/access/seals.js";
import { generateDayKey, sealDisclosures } from "../../../tools/crypto/day-key.js";
import { generateDeliveryKeys } from "../../../tools/crypto/hpke.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import type { DeliveredRecord } from "../../../tools/sources/grants.js";
import { meter, network, nodes, receiptOf, TRADING } from "../../wire/governed-network.js";
import { sealBlock, startTime_s, testBatch } from "../../wire/network.js";

const DAY = Math.floor(startTime_s / DAY_S);
const hidden = ["power", "voltage"].map((label, at) =>
  encodeDisclosure({
    ...{ salt: new Uint8Array(16).fill(at), label },
    registers: [{ obis: Uint8Array.of(1, 0, at + 1, 7, 0, 255), value: 100 + at, scaler: 0, unit: 27 }],
  }),
);
const claims = { service: TRADING, serviceId: 0, seq: 0, previous: new Uint8Array(0), time_s: startTime_s, quality: 2 };
const signed = signRecord({ ...claims, digests: digestsOf(hidden) }, hidden, meter.signer, meter.kid);
const record = stripRecord(signed);
const { hash, disclosures } = parseRecord(signed);
const receipt = receiptOf(
  sealBlock(network, TRADING, undefined, { batches: [testBatch(network, TRADING, nodes[0]!, 0, [], [record])] }),
);
const envelope = (byte: number) => new Uint8Array(32).fill(byte);
const keys = new Map([1, 2].map((byte) => [toHex(envelope(byte)), generateDayKey()]));
const opening: Opening = {
  ...{ genesis: network.genesis, keys: generateDeliveryKeys(), grant: "00-1", service: TRADING },
  meter: toHex(meter.kid),
  verifySeal: sealVerifier({ genesis: network.genesis, service: TRADING, lineage: [], verify: nodeVerify }),
  envelopes: new Map(
    [...keys.keys()].map((id, at) => [id, { envelope: { day: DAY, origin: nodes[at]!.id } }]),
  ) as unknown as Opening["envelopes"],
};

/** What the origin of that envelope has encrypted of the record. */
function rowOf(byte: number, part = disclosures): DeliveredRecord {
  const place = { kid: meter.kid, seq: 0, recordHash: hash };
  const key = keys.get(toHex(envelope(byte))) ?? generateDayKey();
  const sealing = sealDisclosures(key, place, encodeDisclosures(part));
  return { record, receipt, sealed: encodeSealed({ ...place, envelope: envelope(byte), ...sealing }) };
}

async function open(...delivered: readonly (readonly DeliveredRecord[])[]) {
  const asked: string[] = [];
  const sources = delivered.map((rows, at) => ({
    origin: `http://node-${at}`,
    async *records() {
      asked.push(`node-${at}`);
      yield* rows;
    },
  }));
  const { values, closed, complaints } = await openDays(opening, keys, {
    days: { from: DAY, until: DAY + 1 },
    sources,
  });
  return { labels: values.map(({ label }) => label).sort(), closed, complaints, asked: asked.length };
}

const whole = { labels: ["power", "voltage"], closed: 0, complaints: [] };
const [power, voltage] = disclosures.map((each) => [each]);

test("a row that has a part of a record, or nothing of it, hides nothing of what another row has", async () => {
  assert.deepEqual(await open([rowOf(1, power), rowOf(2)]), { ...whole, asked: 1 });
  assert.deepEqual(await open([rowOf(1, [])], [rowOf(2)]), { ...whole, asked: 2 });
  assert.deepEqual(await open([rowOf(1, voltage)], [rowOf(2, power)], []), { ...whole, asked: 2 });
});

test("each disclosure is told once, and no further node is asked where all is proved", async () => {
  assert.deepEqual(await open([rowOf(1), rowOf(2)], [rowOf(2)]), { ...whole, asked: 1 });
});

test("what stays closed or proves nothing is told where no other row opens it", async () => {
  assert.deepEqual(await open([rowOf(3), rowOf(1, power)]), { labels: ["power"], closed: 1, complaints: [], asked: 1 });
  assert.deepEqual(await open([rowOf(3), rowOf(1)]), { ...whole, asked: 1 });
  const broken = {
    ...rowOf(1),
    sealed: rowOf(1).sealed.map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte)),
  };
  const { complaints } = await open([broken]);
  assert.match(complaints[0]!, /^http:\/\/node-0 delivers a record that proves nothing: its disclosures do not open/);
  assert.match(complaints[0]!, new RegExp(` with the day key of node ${toHex(nodes[0]!.id)}$`));
  assert.deepEqual(await open([broken], [rowOf(2)]), { ...whole, asked: 2 });
});

test("what is proved is given though something beside it is not, and whose that is, is named once", async () => {
  const foreign = decodeDisclosure(
    encodeDisclosure({
      ...{ salt: new Uint8Array(16).fill(9), label: "phases" },
      registers: [{ obis: Uint8Array.of(1, 0, 9, 7, 0, 255), value: 999, scaler: 0, unit: 27 }],
    }),
  );
  const said = `node ${toHex(nodes[1]!.id)} has encrypted what record 0 of meter ${toHex(meter.kid)} has no digest of`;
  const named = { ...whole, complaints: [said], asked: 1 };
  assert.deepEqual(await open([rowOf(2, [...disclosures, foreign])]), named);
  assert.deepEqual(await open([rowOf(2, [foreign, ...power!]), rowOf(1, voltage)]), named);
  const part = { labels: ["power"], closed: 0, complaints: [said], asked: 2 };
  assert.deepEqual(await open([rowOf(2, [...power!, foreign])], [rowOf(2, [...power!, foreign])]), part);
});

test("who has encrypted a disclosure twice has encrypted it once", async () => {
  assert.deepEqual(await open([rowOf(1, [...power!, ...power!])], [rowOf(2)]), { ...whole, asked: 2 });
});
