// The days of a grant from several nodes: one that has the grant and sleeps over its shares or records costs a second, not half a minute a day.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S, deliveryInfo, shareCommitment, signEnvelope } from "../../../src/wire/envelope.js";
import { digestsOf, encodeDisclosure, parseRecord, signRecord, stripRecord } from "../../../src/wire/record.js";
import { encodeDisclosures, encodeSealed } from "../../../src/wire/sealed-disclosure.js";
import { type Delivering, openGranted } from "../../../tools/cli/access/granted-days.js";
import type { Opening } from "../../../tools/cli/access/opening.js";
import { sealVerifier } from "../../../tools/cli/access/seals.js";
import { generateDayKey, sealDisclosures, splitKey } from "../../../tools/crypto/day-key.js";
import { generateDeliveryKeys, sealTo } from "../../../tools/crypto/hpke.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import type { Days } from "../../../tools/sources/grants.js";
import { meter, network, nodes, receiptOf, TRADING } from "../../wire/governed-network.js";
import { sealBlock, startTime_s, testBatch } from "../../wire/network.js";

const FIRST = Math.floor(startTime_s / DAY_S);
const DAYS = 40;
const { genesis } = network;
const keys = generateDeliveryKeys();
const custodians = nodes.slice(0, 4).sort((one, other) => toHex(one.id).localeCompare(toHex(other.id)));
const GRANT = "00-1";

interface MadeDay {
  readonly envelope: ReturnType<typeof signEnvelope>;
  readonly shares: readonly Uint8Array[];
  readonly record: Uint8Array;
  readonly receipt: Uint8Array;
  readonly sealed: Uint8Array;
}

/** A reading of noon, confided under a key of its day. */
async function madeDay(at: number): Promise<MadeDay> {
  const day = FIRST + at;
  const key = generateDayKey();
  const shares = await splitKey(key, 4, 2);
  const origin = nodes[0]!;
  const stated = custodians.map(({ id }, index) => ({ node: id, commitment: shareCommitment(shares[index]!) }));
  const content = { chain: TRADING, origin: origin.id, meter: meter.kid, day, salt: new Uint8Array(16), threshold: 2 };
  const envelope = signEnvelope(genesis.hash, { ...content, custodians: stated }, origin.signer);
  const hidden = encodeDisclosure({
    ...{ salt: new Uint8Array(16).fill(at), label: "power" },
    registers: [{ obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: at, scaler: 0, unit: 27 }],
  });
  const place = { service: TRADING, serviceId: 0, seq: at, previous: new Uint8Array(at === 0 ? 0 : 32) };
  const claims = { ...place, time_s: day * DAY_S + 43_200, quality: 2, digests: digestsOf([hidden]) };
  const signed = signRecord(claims, [hidden], meter.signer, meter.kid);
  const { hash, disclosures } = parseRecord(signed);
  const record = stripRecord(signed);
  const of = { kid: meter.kid, seq: at, recordHash: hash };
  const block = sealBlock(network, TRADING, undefined, {
    batches: [testBatch(network, TRADING, origin, 0, [], [record])],
  });
  const sealing = sealDisclosures(key, of, encodeDisclosures(disclosures));
  const sealed = encodeSealed({ ...of, envelope: envelope.id, ...sealing });
  return { envelope, shares, record, receipt: receiptOf(block), sealed };
}

const made = await Promise.all(Array.from({ length: DAYS }, (_, at) => madeDay(at)));
const within = ({ from, until }: Days) => made.slice(from - FIRST, until - FIRST);
const never = (signal?: AbortSignal) =>
  new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));

interface Node extends Delivering {
  readonly asked: { readonly shares: Days[]; readonly records: Days[] };
}

function node(index: number, sleepsOver: "shares" | "records" | undefined = undefined): Node {
  const custodian = toHex(custodians[index]!.id);
  const asked = { shares: [] as Days[], records: [] as Days[] };
  return {
    asked,
    grant: { custodian, days: [[FIRST, FIRST + DAYS]] },
    source: {
      origin: `http://node-${index}`,
      async *shares(days, signal) {
        asked.shares.push(days);
        if (sleepsOver === "shares") await never(signal);
        for (const { envelope, shares } of within(days)) {
          const info = deliveryInfo(envelope.id, custodians[index]!.id, GRANT);
          yield { envelope: envelope.bytes, division: undefined, sealed: sealTo(keys.key, info, shares[index]!) };
        }
      },
      async *records(days, signal) {
        asked.records.push(days);
        if (sleepsOver === "records") await never(signal);
        yield* within(days);
      },
    },
  };
}

const open = (...from: readonly Delivering[]) => {
  const verifySeal = sealVerifier({ genesis, service: TRADING, lineage: [], verify: nodeVerify });
  const of = { genesis, keys, grant: GRANT, service: TRADING, meter: toHex(meter.kid) };
  const opening: Opening = { ...of, verifySeal, envelopes: new Map() };
  return openGranted(opening, from);
};
const valuesOf = ({ values }: Awaited<ReturnType<typeof open>>) => values.map(({ register }) => register.value);
const all = made.map((_, at) => at);

test("forty days come in two runs of shares, and their records of one node alone, each day once", async () => {
  const from = [node(0), node(1)];
  const opened = await open(...from);
  assert.deepEqual([opened.closed, opened.complaints], [0, []]);
  assert.deepEqual(valuesOf(opened), all);
  const { shares, records } = from[0]!.asked;
  assert.deepEqual(shares, [
    { from: FIRST, until: FIRST + 31 },
    { from: FIRST + 31, until: FIRST + 40 },
  ]);
  assert.deepEqual(
    records.flatMap(({ from, until }) => Array.from({ length: until - from }, (_, at) => from + at - FIRST)),
    all,
  );
  assert.ok(records.length < 10, "runs grow while few records come");
  assert.deepEqual(from[1]!.asked.records, []);
});

test("one that sleeps over its shares is named, and asked for records last", async () => {
  const sleeper = node(0, "shares");
  const opened = await open(sleeper, node(1), node(2));
  assert.deepEqual(valuesOf(opened), all);
  assert.deepEqual(opened.complaints, ["http://node-0 has not answered in time, and the others were enough"]);
  assert.deepEqual(sleeper.asked.records, []);
});

test("one that sleeps over its records is given up where another one proves them", async () => {
  const opened = await open(node(0, "records"), node(1));
  assert.deepEqual(valuesOf(opened), all);
  assert.equal(opened.closed, 0);
});
