import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Aedes } from "aedes";
import { equalBytes } from "../../../src/wire/bytes.js";
import { parseCredential } from "../../../src/wire/credential.js";
import { encodeReceipt } from "../../../src/wire/receipt.js";
import { parseRecord } from "../../../src/wire/record.js";
import { encodeRefusal } from "../../../src/wire/refusal.js";
import { meterTopic, parseTopic, serviceTopic } from "../../../src/wire/topics.js";
import { type LoadConnection, openLoadConnection } from "../../../tools/lab/rig/load-connection.js";
import { type PreparedMeter, prepareMeter } from "../../../tools/lab/rig/prepared-meter.js";
import { createNetwork } from "../../../tools/provisioning/network.js";

const RECORDS = 40;
const folder = mkdtempSync(join(tmpdir(), "gridseal-bench-"));
let prepared: PreparedMeter;

before(async () => {
  const network = join(folder, "network");
  const chains = [{ service: 2, name: "credit", nodes: [1] }];
  const plan = { network: "bench", nodes: 1, chains, meters: 1, host: "127.0.0.1", basePort: 20_000, target: 0 };
  await createNetwork(network, plan, new Date());
  const meter = join(network, "meters/meter-1");
  prepared = prepareMeter({ folder: meter, network: "bench", service: 2, records: RECORDS, time_s: 1_700_000_000 });
});
after(() => rmSync(folder, { recursive: true, force: true }));

function receiptFor(recordHash: Uint8Array): Buffer {
  const place = { network: "bench", chain: 2, height: 70_000, leaf: 1, size: 2, path: [], header: new Uint8Array(80) };
  return Buffer.from(encodeReceipt({ ...place, recordHash, certificate: { round: 0, signatures: [] } }));
}

/** A broker that answers a record with what `answers` says, and keeps the births. */
async function startBroker(answers: (seq: number, hash: Uint8Array) => readonly Buffer[]) {
  const births: Uint8Array[] = [];
  const broker = await Aedes.createBroker({
    authorizePublish(_client, packet, done) {
      const topic = parseTopic(packet.topic);
      const payload = packet.payload as Buffer;
      if (topic?.kind === "birth") births.push(Uint8Array.from(payload));
      if (topic?.kind === "record") {
        const { claims, hash } = parseRecord(Uint8Array.from(payload));
        const receiptTopic = serviceTopic("bench", 2, "receipt", topic.meter);
        const ackTopic = meterTopic("bench", "ack", topic.meter);
        for (const answer of answers(claims.seq, hash)) {
          const to = answer[0] === 0x8a ? receiptTopic : ackTopic;
          const common = { cmd: "publish", qos: 1, retain: false, dup: false } as const;
          broker.publish({ ...common, topic: to, payload: answer }, () => undefined);
        }
      }
      done(null);
    },
  });
  const server = createServer((socket) => broker.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    births,
    address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    async stop() {
      await new Promise<void>((resolve) => broker.close(resolve));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function recordEvents() {
  const seen = { indices: [] as number[], repeated: 0, refused: [] as string[], failed: [] as string[] };
  const events = {
    onReceipt: (_connection: LoadConnection, index: number) => void seen.indices.push(index),
    onRepeatedReceipt: () => {
      seen.repeated += 1;
    },
    onReceiptsRead: () => undefined,
    onRefused: (reason: string) => void seen.refused.push(reason),
    onFailed: (error: Error) => void seen.failed.push(error.message),
  };
  return { seen, events };
}

async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500 && !holds(); attempt += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(holds());
}

test("shows its credential, publishes its records in order and matches every receipt", async () => {
  const arrived: number[] = [];
  const broker = await startBroker((seq, hash) => {
    arrived.push(seq);
    return seq === 5 ? [receiptFor(hash), receiptFor(hash)] : [receiptFor(hash)];
  });
  const { seen, events } = recordEvents();
  const connection = await openLoadConnection(prepared, broker.address, events);
  assert.ok(equalBytes(parseCredential(broker.births[0]!).key.x, prepared.meter.signer.key.x));
  assert.equal(connection.publish(30), 30);
  await until(() => connection.receipted === 30);
  assert.equal(connection.publish(30), RECORDS - 30);
  await until(() => connection.receipted === RECORDS && seen.repeated === 1);
  const all = Array.from({ length: RECORDS }, (_, index) => index);
  assert.deepEqual(arrived, all);
  assert.deepEqual(
    seen.indices.sort((left, right) => left - right),
    all,
  );
  assert.deepEqual(seen.failed, []);
  connection.close();
  await broker.stop();
});

test("counts what is refused by its reason", async () => {
  const broker = await startBroker((seq, recordHash) => {
    return [Buffer.from(encodeRefusal({ service: 2, seq, recordHash, reason: "clock-far-off", sentence: "no" }))];
  });
  const { seen, events } = recordEvents();
  const connection = await openLoadConnection(prepared, broker.address, events);
  connection.publish(2);
  await until(() => seen.refused.length === 2);
  assert.deepEqual([seen.refused, connection.receipted], [["clock-far-off", "clock-far-off"], 0]);
  connection.close();
  await broker.stop();
});

test("fails at a receipt of no record of its own, and when its connection ends", async () => {
  const foreign = await startBroker(() => [receiptFor(new Uint8Array(32))]);
  const first = recordEvents();
  const misled = await openLoadConnection(prepared, foreign.address, first.events);
  misled.publish(1);
  await until(() => first.seen.failed.length === 1);
  assert.match(first.seen.failed[0]!, /receipt is of no record/);
  misled.close();
  await foreign.stop();

  const broker = await startBroker(() => []);
  const second = recordEvents();
  await openLoadConnection(prepared, broker.address, second.events);
  await broker.stop();
  await until(() => second.seen.failed.length === 1);
  assert.match(second.seen.failed[0]!, /ended the connection/);
});
