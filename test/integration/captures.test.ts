// Captured telegrams (dsmr_parser, MIT, Copyright (c) 2016 Nigel Dokter, read where they lie beside the project) through a meter in XS
// and four nodes: what comes out of the sealed chain is what stands in the telegrams, and what is confidential does not come out.

import assert from "node:assert/strict";
import { createHash, type KeyObject } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Algorithms, errors, Sign1 } from "@auth0/cose";
import { openPort } from "../../tools/emulators/port.js";
import { startMeter } from "../../tools/meters/meter.js";
import { parsePort } from "../../tools/meters/ports/port-configuration.js";
import { shared } from "../shared.js";
import { independentDecode, independentSequence } from "../wire/independent-cbor.js";
import { bytesOf, hex, list, mapOf, readKey } from "../wire/stranger-proof.js";
import {
  assertUnbroken,
  makeNetwork,
  startNodes,
  stopNodes,
  type TestNetwork,
  verifyChains,
  whenEqual,
} from "./network.js";
import { cleanUp, type Defer, gridseal, PATIENCE_MS, temporaryFolder, until } from "./processes.js";
import { compareWithTelegram, obisText, telegramIn } from "./telegram-text.js";

const captures = shared("data/dsmr_parser");
const names =
  captures.skip === false ? readdirSync(captures.path).filter((name) => /^TELEGRAM.*\.txt$/.test(name)) : [];
/** The service whose records have every register in the clear, and the one whose phases are confidential. */
const OPEN = 1;
const CLOSED = 3;
const phases = ["1-0:31.7.0", "1-0:51.7.0", "1-0:71.7.0", "1-0:32.7.0", "1-0:52.7.0", "1-0:72.7.0"];

test("captured telegrams come out of the sealed chain as they went in at the meter", {
  skip: captures.skip,
  timeout: 180_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 1 });
  const files = await Promise.all(names.map((name) => readFile(join(captures.path, name))));
  const frames = join(network.folder, "frames.txt");
  await writeFile(frames, Buffer.concat(files));
  const telegrams = files.map(telegramIn);
  await startNodes(network);
  const published = await runMeter(defer, network, frames, telegrams);
  await whenEqual(network);
  await stopNodes(network);
  const reports = await verifyChains(network);
  assertUnbroken(reports);

  for (const [index, name] of names.entries()) {
    await t.test(`every value of ${name} is sealed to the last digit`, () => {
      const frame = sha256(telegrams[index]!);
      const records = reports.get(OPEN)!.records.filter(({ claims }) => hex(claims.get(12)) === frame);
      assert.ok(records.length > 0);
      for (const { claims } of records) compareWithTelegram(telegrams[index]!.toString("latin1"), claims.get(9));
    });
  }

  const sealed = new Map<string, Uint8Array>();
  const exports = new Map<number, Buffer>();
  for (const service of [OPEN, CLOSED]) {
    const file = join(network.folder, `chain-${service}`);
    const data = join(network.nodes[2]!.folder, "data");
    assert.equal((await gridseal("chain", "export", String(service), "--data", data, "--out", file)).status, 0);
    exports.set(service, await readFile(file));
    for (const record of recordsOf(exports.get(service)!)) sealed.set(sha256(record), record);
  }

  await t.test(
    "an independent COSE library verifies every record as the meter sent it and as it is sealed",
    async () => {
      const key = await meterKey(network);
      const hashes = new Set<string>();
      for (const { bytes } of published) {
        assert.equal(await verifiedByLibrary(bytes, key), true);
        const tampered = Uint8Array.from(bytes);
        tampered[tampered.length - 70]! ^= 1; // the payload's last bytes stand before the signature
        assert.equal(await verifiedByLibrary(tampered, key), false);
        hashes.add(hex(Sign1.decode(bytes).payload));
      }
      for (const bytes of sealed.values()) {
        assert.equal(Sign1.decode(bytes).unprotectedHeaders.size, 0);
        assert.equal(await verifiedByLibrary(bytes, key), true);
        assert.ok(hashes.has(hex(Sign1.decode(bytes).payload)), "a record is sealed that was not published");
      }
      assert.ok(published.some(({ bytes }) => Sign1.decode(bytes).unprotectedHeaders.size === 1));
    },
  );

  await t.test(
    "confidential registers are proven by their digests, and stand neither on a chain nor on any node",
    async () => {
      const disclosures = published.flatMap(({ service, bytes }) => (service === CLOSED ? disclosuresOf(bytes) : []));
      assert.ok(disclosures.length > 0);
      const digests = reports.get(CLOSED)!.records.flatMap(({ claims }) => list(claims.get(10) ?? []).map(hex));
      const stores = await Promise.all(network.nodes.map((node) => readFile(join(node.folder, "data/data.mdb"))));
      const hasSalt = (store: Buffer) => disclosures.map((disclosure) => store.includes(saltOf(disclosure)));
      for (const disclosure of disclosures) {
        assert.ok(digests.includes(sha256(disclosure)), "a disclosure's digest is not sealed");
        assert.equal(exports.get(CLOSED)!.includes(saltOf(disclosure)), false);
      }
      for (const { claims } of reports.get(CLOSED)!.records) {
        const clear = list(claims.get(9) ?? []).map((register) => obisText(list(register)[0]));
        assert.deepEqual(
          clear.filter((obis) => phases.some((phase) => obis === `${phase}*255`)),
          [],
        );
      }
      for (const store of stores) assert.equal(hasSalt(store).some(Boolean), false, "a store has a disclosure's salt");
    },
  );
});

interface Published {
  readonly service: number;
  readonly bytes: Uint8Array;
}

/** Runs the network's meter until each telegram has given a sealed record on both chains; what it has published. */
async function runMeter(
  defer: Defer,
  network: TestNetwork,
  frames: string,
  telegrams: readonly Uint8Array[],
): Promise<readonly Published[]> {
  const directory = join(network.folder, "meters/meter-1");
  await configure(directory);
  const published = new Map<string, Published>();
  const receipts = new Set<string>();
  const meter = await startMeter({
    name: "meter-1",
    directory,
    openPort: (_port, onBytes) =>
      openPort(parsePort({ kind: "file", path: frames, interval_ms: 1_100 }), onBytes, assert.ifError),
    onTraffic(direction, topic, payload) {
      const [, , service, kind] = topic.split("/");
      const bytes = Uint8Array.from(payload);
      if (direction === "published" && kind === "record")
        published.set(sha256(bytes), { service: Number(service), bytes });
      if (direction === "received" && kind === "receipt")
        receipts.add(hex(list(independentDecode(independentSequence(bytes, 1)[0]!), 10)[4]));
    },
  });
  defer(() => meter.kill());
  const frameHashes = telegrams.map(sha256);
  const seen = (service: number) =>
    new Set([...published.values()].filter((one) => one.service === service).map(({ bytes }) => frameOf(bytes)));
  await until(
    "each telegram has given a record",
    () => frameHashes.every((hash) => seen(OPEN).has(hash)),
    2 * PATIENCE_MS,
  );
  await meter.pauseMeter();
  await until("each record has its receipt", () => receipts.size === published.size);
  await meter.stop();
  return [...published.values()];
}

/** Every register of every telegram for one service; power for the other, with the phases confidential. All by node-1. */
async function configure(directory: string): Promise<void> {
  const path = join(directory, "configuration.json");
  const document = JSON.parse(await readFile(path, "utf8"));
  const common = { serviceId: 12, every_s: 1, aligned: false };
  const schedule = [
    { ...common, service: OPEN, registers: ["n-n:n.n.n*n"] },
    { ...common, service: CLOSED, registers: ["1-0:1.7.0"], confidential: [{ label: "phases", registers: phases }] },
  ];
  await writeFile(path, JSON.stringify({ ...document, brokers: document.brokers.slice(0, 1), schedule }));
}

async function meterKey({ folder }: TestNetwork): Promise<KeyObject> {
  const credential = await readFile(join(folder, "meters/meter-1/keyvalue/credential"));
  const claims = mapOf(independentDecode(Sign1.decode(credential).payload));
  return readKey(mapOf(claims.get(8)).get(1)).object;
}

/** The library knows Ed25519 by its older number alone (-8, EdDSA; -19 is RFC 9864's). */
async function verifiedByLibrary(bytes: Uint8Array, key: KeyObject): Promise<boolean> {
  const message = Sign1.decode(bytes);
  assert.equal(message.alg, -19);
  Object.defineProperty(message, "alg", { value: Algorithms.EdDSA });
  try {
    await message.verify(key);
    return true;
  } catch (thrown) {
    assert.ok(thrown instanceof errors.COSESignatureVerificationFailed, String(thrown));
    return false;
  }
}

function recordsOf(exported: Uint8Array): Uint8Array[] {
  return independentSequence(exported).flatMap((block) => {
    const [, batches] = list(independentDecode(bytesOf(list(independentDecode(block), 7)[4])));
    return list(batches).flatMap((batch) => list(list(batch, 6)[5]).map((record) => bytesOf(record)));
  });
}

function frameOf(record: Uint8Array): string {
  return hex(mapOf(independentDecode(Sign1.decode(record).payload)).get(12));
}

function disclosuresOf(record: Uint8Array): readonly Uint8Array[] {
  const [, unprotected] = list(independentDecode(record.subarray(1)), 4);
  return list(mapOf(unprotected).get(17) ?? []).map((disclosure) => bytesOf(disclosure));
}

function saltOf(disclosure: Uint8Array): Buffer {
  return Buffer.from(bytesOf(list(independentDecode(disclosure), 3)[0], 16));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
