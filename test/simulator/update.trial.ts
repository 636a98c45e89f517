// Updates over the air on real builds: a meter fetches the next firmware by HTTP into its other slot, runs it on trial, and keeps it or
// goes back. The slots are files and hosts/simulator/bootloader.c starts them; the state machine, the shell, HTTP and hashing are the chip's.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { TRIAL_MS } from "../../src/agent/update.js";
import { toHex } from "../../src/wire/bytes.js";
import { issueFirmware } from "../../src/wire/firmware.js";
import { sha256 } from "../../src/wire/hash.js";
import type { Signer } from "../../src/wire/key.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";
import { buildSimulator, type SimulatorBuild } from "../../tools/firmware/builds.js";
import { POWER_CUT, type PowerCut } from "../../tools/firmware/simulator.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import {
  ask,
  configure,
  firmware,
  provisionMeters,
  startMeter,
  type Trial,
  theSdk,
  until,
  withoutSdk,
} from "./harness.js";

const skip = withoutSdk || withoutMosquitto;
const maker = signerFromSeed(new Uint8Array(32).fill(7));
/** a fiftieth of the cuts of power.trial.ts */
const CUTS = Math.max(5, Math.round(Number(process.env.GRIDSEAL_CUTS ?? 0) / 50));
/** An image is written as it comes from the socket, in pieces of no more than this. */
const PIECE_BYTES_MAX = 2048;
/** A trial's time passes in ten seconds, and the sockets of the SDK for Linux, which look every 20 ms, are as quick as a chip's. */
const settings = { speed: TRIAL_MS / 10_000 };
const randomUpTo = (most: number): number => 1 + Math.floor(Math.random() * most);
let current: SimulatorBuild;
let next: Uint8Array;

before(async () => {
  if (skip) return;
  next = Uint8Array.from(await readFile((await buildSimulator(theSdk(), { version: 2 })).program));
  current = await firmware();
});

/** What a server has: the manifest and the image, and how much of it it sends. */
interface Shelf {
  manifest: Uint8Array;
  image: Uint8Array;
  /** bytes after which the connection breaks */
  breaksAt: number | undefined;
  readonly url: string;
}

async function serveFirmware(t: TestContext): Promise<Shelf> {
  const server = createServer((request, response) => {
    const isManifest = request.url === "/simulator/newest.cose";
    const body = isManifest ? shelf.manifest : request.url === "/simulator/image.bin" ? shelf.image : undefined;
    response.writeHead(body === undefined ? 404 : 200, { "content-length": body?.length ?? 0 });
    if (body === undefined || isManifest || shelf.breaksAt === undefined) return response.end(body);
    response.write(body.subarray(0, shelf.breaksAt), () => response.destroy());
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/simulator/newest.cose`;
  const shelf: Shelf = { manifest: new Uint8Array(0), image: next, breaksAt: undefined, url };
  shelf.manifest = manifestOf(2, next);
  return shelf;
}

function manifestOf(version: number, image: Uint8Array, by: Signer = maker): Uint8Array {
  const firmware = {
    board: "simulator",
    version,
    least: 0,
    size: image.length,
    hash: sha256(image),
    file: "image.bin",
  };
  return issueFirmware(firmware, by);
}

async function meterWith(t: TestContext, shelf: Shelf, broker: string): Promise<string> {
  const [folder] = await provisionMeters(t, 1);
  await configure(folder!, {
    brokers: [broker],
    meter: { protocol: "p1", port: { kind: "tcp", host: "127.0.0.1", port: 1 } },
    update: { url: shelf.url, signer: toHex(maker.key.x) },
  });
  return folder!;
}

const said = (meter: Trial, pattern: RegExp): boolean =>
  meter.messages.some((message) => "message" in message && pattern.test(message.message));

test("a meter fetches newer firmware, runs it, and keeps it once it has reached its broker", { skip }, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const shelf = await serveFirmware(t);
  const folder = await meterWith(t, shelf, broker.url);
  const seed = await readFile(join(folder, "keyvalue/seed"));
  const meter = await startMeter(t, folder, settings, current);
  assert.match(await ask(meter, "state"), /firmware 1 for simulator, never looked/);
  await ask(meter, "update");
  await until("the trial", () => said(meter, /firmware 2 is on trial/));
  await until("the broker", () => said(meter, /firmware 2 reached a broker and stays/));
  assert.match(await ask(meter, "state"), /firmware 2 for simulator/);
  assert.equal(await readFile(join(folder, "slots/boot"), "utf8"), "1 valid");
  t.diagnostic(`use ${JSON.stringify(await meter.use())}`);
  await meter.kill();
  const again = await startMeter(t, folder, settings, current);
  assert.match(await ask(again, "state"), /firmware 2 for simulator/);
  await ask(again, "update");
  await until("the newest", async () => /firmware 2 is the newest/.test(await ask(again, "state")));
  assert.deepEqual(await readFile(join(folder, "keyvalue/seed")), seed);
});

test("firmware that reaches no broker goes back to the one before it, after its time or after a reset", {
  skip,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const shelf = await serveFirmware(t);
  const folder = await meterWith(t, shelf, broker.url);
  let meter = await startMeter(t, folder, settings, current);
  await until("the broker", () => meter.state === "no meter" && said(meter, /starts/));
  await broker.kill();
  for (const ending of ["time", "reset"]) {
    await ask(meter, "update");
    await until("the trial", () => said(meter, /firmware 2 is on trial/));
    if (ending === "time") {
      await until("going back", () => said(meter, /reached no broker: the one before it comes back/));
    } else await meter.kill();
    if (ending === "reset") meter = await startMeter(t, folder, settings, current);
    await until("the one before", () => said(meter, /firmware 2 did not prove itself, [12] of 3 trials/));
    assert.match(await ask(meter, "state"), /firmware 1 for simulator/);
    await meter.kill();
    meter = await startMeter(t, folder, settings, current);
  }
  // The third trial is the last one.
  await ask(meter, "update");
  await until("the third trial", () => said(meter, /firmware 2 is on trial/));
  await meter.kill();
  meter = await startMeter(t, folder, settings, current);
  await broker.restart();
  await ask(meter, "update");
  await until("the end of it", async () => /did not prove itself in 3 trials/.test(await ask(meter, "state")));
  assert.match(await ask(meter, "state"), /firmware 1 for simulator/);
});

test("an image that is damaged, unsigned, truncated, absent or does not start leaves the meter as it is", {
  skip,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const shelf = await serveFirmware(t);
  const folder = await meterWith(t, shelf, broker.url);
  const meter = await startMeter(t, folder, settings, current);
  const good = shelf.manifest;
  const refusals = (): string[] =>
    meter.messages.flatMap((each) =>
      "message" in each && each.message.startsWith("no update: ") ? [each.message] : [],
    );
  const look = async (what: RegExp): Promise<void> => {
    const before = refusals().length;
    await ask(meter, "update");
    await until(String(what), () => refusals().length > before);
    assert.match(refusals().at(-1)!, what);
    assert.match(await ask(meter, "state"), /firmware 1 for simulator/);
  };
  shelf.manifest = manifestOf(2, next, signerFromSeed(new Uint8Array(32).fill(8)));
  await look(/not signed by the key/);
  shelf.manifest = good;
  shelf.image = next.slice();
  shelf.image[next.length >> 1]! ^= 1;
  await look(/not the one that was signed/);
  shelf.image = next;
  shelf.breaksAt = 100_000;
  await look(/the server closes the connection/);
  shelf.breaksAt = undefined;
  shelf.image = next.subarray(0, 1000);
  await look(/ends after|closes the connection|not the one/);
  shelf.manifest = new TextEncoder().encode("<html>");
  await look(/COSE_Sign1/);
  const rubbish = new Uint8Array(50_000).fill(0x42);
  shelf.image = rubbish;
  shelf.manifest = manifestOf(3, rubbish);
  await ask(meter, "update");
  await until("the bootloader goes back", () => said(meter, /firmware 3 did not prove itself, 1 of 3 trials/));
  assert.match(await ask(meter, "state"), /firmware 1 for simulator/);
  assert.match(meter.errors.join("\n"), /slot 1 does not start/);
});

test(`${CUTS} power cuts at random bytes of an update leave a meter that runs`, { skip }, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const shelf = await serveFirmware(t);
  const folder = await meterWith(t, shelf, broker.url);
  for (let life = 0; life < CUTS; life += 1) {
    const nth = randomUpTo(Math.floor(next.length / PIECE_BYTES_MAX));
    const cut: PowerCut = { write: "image", nth, bytes: randomUpTo(PIECE_BYTES_MAX) };
    const meter = await startMeter(t, folder, { ...settings, cut }, current);
    assert.match(await ask(meter, "state"), /firmware 1 for simulator/);
    meter.send("console update");
    assert.equal(await meter.ended, POWER_CUT, meter.errors.join("; "));
  }
  await writeFile(join(folder, "slots/~boot"), "1 ne");
  const meter = await startMeter(t, folder, settings, current);
  await ask(meter, "update");
  await until("the update in the end", () => said(meter, /firmware 2 reached a broker and stays/));
});
