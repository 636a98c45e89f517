// A cluster in this process for meters that must get rid of their records: four keys seal whatever comes to a broker, and what came is
// kept to be looked at.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import mqtt from "mqtt";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { parseRecord, type Record } from "../../src/wire/record.js";
import { encodeTime } from "../../src/wire/time.js";
import { meterTopic, parseTopic, serviceTopic } from "../../src/wire/topics.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import type { Sealer } from "../../tools/firmware/sealer.js";

const SEALING_MS = 50;

export interface SealedRecords {
  /** The records of a meter for a service, by their seq. */
  of(meter: string, service: number): ReadonlyMap<number, Record>;
  /** what must never happen: two records of one seq */
  readonly forks: readonly string[];
}

/** Seals what meters publish at the broker until the test is over. */
export async function startSealing(t: TestContext, url: string, sealer: Sealer): Promise<SealedRecords> {
  const { network } = sealer.genesis;
  const known = new Map<string, Map<number, Record>>();
  const receipts = new Map<string, Uint8Array>();
  const waiting = new Map<number, Record[]>();
  const forks: string[] = [];
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 100, protocolVersion: 4 });

  const answer = (record: Record, receipt: Uint8Array): void => {
    const topic = serviceTopic(network, record.claims.service, "receipt", toHex(record.kid));
    client.publish(topic, Buffer.from(receipt), { qos: 1 });
  };
  const seal = (): void => {
    for (const [service, records] of waiting) {
      const sealed = sealer.seal(
        service,
        records.map(({ stripped }) => stripped),
      );
      for (const [index, record] of records.entries()) {
        receipts.set(toHex(record.hash), sealed[index]!);
        answer(record, sealed[index]!);
      }
    }
    waiting.clear();
  };
  client.on("message", (topic, payload) => {
    const parsed = parseTopic(topic);
    if (parsed?.kind === "birth") {
      const told = encodeTime({ time_s: Math.floor(Date.now() / 1000), refusedAs: undefined });
      return void client.publish(meterTopic(network, "time", parsed.meter), Buffer.from(told), { qos: 1 });
    }
    const record = parseRecord(new Uint8Array(payload));
    const { service, seq } = record.claims;
    const receipt = receipts.get(toHex(record.hash));
    if (receipt !== undefined) return answer(record, receipt);
    const chain = known.get(chainName(toHex(record.kid), service)) ?? new Map<number, Record>();
    known.set(chainName(toHex(record.kid), service), chain);
    const before = chain.get(seq);
    if (before !== undefined && !equalBytes(before.hash, record.hash)) forks.push(`seq ${seq} of service ${service}`);
    if (before !== undefined) return;
    chain.set(seq, record);
    waiting.set(service, [...(waiting.get(service) ?? []), record]);
  });
  await client.subscribeAsync([`gs1/${network}/+/record/+`, meterTopic(network, "birth", "+")], { qos: 1 });
  const timer = setInterval(seal, SEALING_MS);
  t.after(async () => {
    clearInterval(timer);
    await client.endAsync(true);
  });
  return { of: (meter, service) => known.get(chainName(meter, service)) ?? new Map(), forks };
}

/** The records are one chain from seq 0 on, each linked to the one before and signed with the key of this seed, by node:crypto. */
export function assertWhole(chain: ReadonlyMap<number, Record>, seed: Uint8Array): void {
  const { key } = signerFromSeed(new Uint8Array(seed));
  for (let seq = 0; seq < chain.size; seq += 1) {
    const record = chain.get(seq);
    assert(record !== undefined, `seq ${seq} is missing`);
    assert(nodeVerify(key, record.signedBytes, record.signature), `signature of ${seq}`);
    assert.equal(toHex(record.claims.previous), seq === 0 ? "" : toHex(chain.get(seq - 1)!.hash));
  }
}

function chainName(meter: string, service: number): string {
  return `${meter}/${service}`;
}
