// What a custodian delivers on a grant: records of the day by the meter's word, and nothing where the contract is not in force.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { decodeCbor } from "../../../src/wire/cbor.js";
import { DAY_S, signEnvelope } from "../../../src/wire/envelope.js";
import { keyId } from "../../../src/wire/key.js";
import { digestsOf, encodeDisclosure, parseRecord, signRecord } from "../../../src/wire/record.js";
import { encodeValue } from "../../../src/wire/value.js";
import { sealDisclosures } from "../../../tools/crypto/day-key.js";
import { generateDeliveryKeys } from "../../../tools/crypto/hpke.js";
import { contractState } from "../../../tools/node/chain/tables/contract-state.js";
import { putSealed } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { type Grant, grantInForce, holdsDay, recordsOf } from "../../../tools/node/disclosures/grants.js";
import type { DisclosuresPorts } from "../../../tools/node/disclosures/ports.js";
import { placeKeyOf } from "../../../tools/node/disclosures/shares.js";
import { envelopes } from "../../../tools/node/disclosures/tables/envelopes.js";
import { createReceipts } from "../../../tools/node/ingest/receipts.js";
import { stateKey } from "../../../tools/node/store/keys.js";
import { createCluster, SERVICE } from "../chain/cluster.js";

const hidden = encodeDisclosure({
  salt: new Uint8Array(16).fill(0xa5),
  label: "power",
  registers: [{ obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 4_321, scaler: 0, unit: 27 }],
});

test("a record is delivered on the day of its own time, whatever envelope its origin has put it into", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const [node] = cluster.nodes as [(typeof cluster.nodes)[number]];
  const { signer, store } = node;
  const meter = await cluster.meter();
  const { claims } = meter.next();
  const record = parseRecord(
    signRecord({ ...claims, digests: digestsOf([hidden]) }, [hidden], meter.signer, meter.kid),
  );
  const day = Math.floor(claims.time_s / DAY_S);
  const self = keyId(signer.key);
  const custodians = [{ node: self, commitment: new Uint8Array(32) }];
  const content = {
    chain: SERVICE,
    origin: self,
    meter: meter.kid,
    salt: new Uint8Array(16),
    threshold: 1,
    custodians,
  };
  const place = { kid: record.kid, seq: record.claims.seq, recordHash: record.hash };
  const ciphertext = sealDisclosures(new Uint8Array(32).fill(2), place, hidden);
  const right = signEnvelope(cluster.genesis.hash, { ...content, day }, signer);
  const wrong = signEnvelope(cluster.genesis.hash, { ...content, day: day + 1 }, signer);
  const sealed = { ...place, envelope: right.id, ...ciphertext };
  await node.chain.admit(record, sealed);
  await cluster.until(() => node.chain.head.records === 1, "it is sealed");
  await store.write((writer) => {
    for (const each of [right, wrong]) writer.put(envelopes, placeKeyOf(each), { bytes: each.bytes, shares: [] });
  });
  const ports = { genesis: cluster.genesis, store } as unknown as DisclosuresPorts;
  const grant: Grant = {
    ...{ id: "00-1", chain: SERVICE, requester: "", meter: toHex(meter.kid), purpose: 1, key: "", until_s: 0 },
    ...{ from: day, until: day + 2, days: [[day, day + 2]] },
  };
  const delivered = (...of: number[]) =>
    [...recordsOf(ports, createReceipts(cluster.genesis.network, store), grant, of)].filter(({ length }) => length > 0);
  const [item] = delivered(day);
  assert.deepEqual(delivered(day - 1, day, day + 1), [item], "asked for with other days it is the same");
  const [stripped] = decodeCbor(item!, { size: 100_000, items: 8 }) as Uint8Array[];
  assert.deepEqual(parseRecord(stripped!).hash, record.hash);
  assert.deepEqual(delivered(day + 1), [], "its envelope is of the first day");
  await store.write((writer) => putSealed(writer, { chain: SERVICE, origin: self }, { ...sealed, envelope: wrong.id }));
  assert.deepEqual(delivered(day + 1), [], "its time is of the first day");
  assert.deepEqual(delivered(day), [], "and its envelope of the second");
  assert.deepEqual(delivered(day, day + 1), [], "both days asked for together do not make it of either");
});

test("a grant counts while its contract is in force, for its own days, sealed to a key that is one", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const { store } = cluster.nodes[0]!;
  let isInForce = true;
  let now_ms = 0;
  const ports = { store, hasContract: () => isInForce, now_ms: () => now_ms };
  const put = (changed: object) => {
    const stated = { requester: "aa", meter: "11".repeat(8), purpose: 1, from: 10, until: 20, until_s: 1_000 };
    const key = toHex(generateDeliveryKeys().key);
    const value = encodeValue({
      ...stated,
      key,
      days: [
        [10, 12, null],
        [15, 20, "cc"],
      ],
      ...changed,
    });
    return store.write((writer) => writer.put(contractState, stateKey(SERVICE, "access/grant/00-1"), value));
  };
  const found = () => grantInForce(ports, SERVICE, "00-1");
  await put({});
  const held = Array.from({ length: 15 }, (_, index) => 8 + index).filter((day) => holdsDay(found()!, day));
  assert.deepEqual(held, [10, 11, 15, 16, 17, 18, 19]);
  isInForce = false;
  assert.equal(found(), undefined, "the contract was retired");
  isInForce = true;
  now_ms = 1_000_001;
  assert.equal(found(), undefined, "it has ended");
  now_ms = 0;
  for (const bad of [{ key: "00".repeat(32) }, { days: 7 }, { days: [[1]] }, { days: [["a", 2]] }, { meter: "11" }]) {
    await put(bad);
    assert.equal(found(), undefined, JSON.stringify(bad));
  }
});
