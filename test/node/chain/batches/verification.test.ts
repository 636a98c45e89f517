import assert from "node:assert/strict";
import { test } from "node:test";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { parseRecord, signRecord } from "../../../../src/wire/record.js";
import { simulatedSigner, simulatedVerify } from "../../../../tools/lab/simulation/world/keys.js";
import { makeBatch, readSignedBatch } from "../../../../tools/ledger/compose.js";
import { executionRecord } from "../../../../tools/ledger/record-scan.js";
import { createVerification } from "../../../../tools/node/chain/batches/verification.js";
import type { ChainPorts } from "../../../../tools/node/chain/ports.js";
import { createMeter } from "../cluster.js";

const authority = simulatedSigner("authority");
const genesis = { network: "test", authority: authority.key, hash: new Uint8Array(32) } as Genesis;
const ports = {
  genesis,
  chain: { service: 1 },
  store: { get: () => undefined },
  verify: simulatedVerify,
  verifyRecords: () => Promise.resolve(true),
} as unknown as ChainPorts;

test("records of a meter whose credential a node has not fetched yet are untimely, those of another service are none", async () => {
  const verify = createVerification(ports);
  const readOf = (service: number) => {
    const meter = createMeter(authority, service);
    const { claims } = meter.next();
    const record = parseRecord(signRecord({ ...claims, service: 1 }, [], meter.signer, meter.kid));
    const notices = service === 1 ? [] : [{ kind: "credential" as const, bytes: meter.credential }];
    const content = { chain: 1, origin: new Uint8Array(8), number: 0, notices };
    const { bytes } = makeBatch(genesis.hash, content, [executionRecord(record)], simulatedSigner("a").sign);
    return readSignedBatch(genesis.hash, bytes);
  };
  const behind = readOf(1);
  await assert.rejects(verify(behind.read.batch, behind.signed), { code: "untimely" });
  const foreign = readOf(2);
  await assert.rejects(verify(foreign.read.batch, foreign.signed), { code: "unproven" });
});
