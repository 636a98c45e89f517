// What the trials ask of the records that meters publish.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import mqtt from "mqtt";
import { toHex } from "../../src/wire/bytes.js";
import { parseRecord, type Record } from "../../src/wire/record.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";

/** Every signature is good by node:crypto, and the records are one chain without a gap. */
export function assertChain(records: readonly Record[], seed: Uint8Array): void {
  const { key } = signerFromSeed(new Uint8Array(seed));
  const chain = new Map<number, Record>();
  for (const record of records) {
    assert(nodeVerify(key, record.signedBytes, record.signature), `signature of ${record.claims.seq}`);
    const known = chain.get(record.claims.seq);
    if (known !== undefined) assert.equal(toHex(record.hash), toHex(known.hash), "a seq that is used twice");
    chain.set(record.claims.seq, record);
  }
  for (let seq = 0; seq < chain.size; seq += 1) {
    const record = chain.get(seq);
    assert(record !== undefined, `seq ${seq} is missing`);
    assert.equal(toHex(record.claims.previous), seq === 0 ? "" : toHex(chain.get(seq - 1)!.hash));
  }
}

/** Every record that comes by at a broker, repeats included; read when they are asked for, so that listening costs meter and nodes little. */
export async function listenTo(t: TestContext, url: string): Promise<{ readonly records: readonly Record[] }> {
  const payloads: Uint8Array[] = [];
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 100, protocolVersion: 4 });
  t.after(() => client.endAsync(true));
  client.on("message", (_topic, payload) => void payloads.push(new Uint8Array(payload)));
  await client.subscribeAsync("gs1/+/+/record/+", { qos: 1 });
  return {
    get records() {
      return payloads.map(parseRecord);
    },
  };
}
