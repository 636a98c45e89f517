// The explorer's page that flashes boards, in Chromium: Web Serial is a stand-in whose other end is the emulated chip of this process.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { buildFiles } from "../../tools/flash/compose-bundle.js";
import { findChromium } from "../../tools/lab/determinism/chromium.js";
import { build } from "../flash/builds.js";
import { EmulatedChip } from "../flash/emulated-chip.js";
import { openPage, PATIENCE_MS } from "./explorer-browser.js";
import { freeBasePort } from "./network.js";
import { cleanUp, type Defer, gridseal, gridsealJson, startGridseal, temporaryFolder, until } from "./processes.js";

const C3 = 5;
const FLASH_BYTES = 4 * 1_048_576;
const executablePath = findChromium();
const skip = executablePath === undefined ? "no Chromium is here" : false;

test("a board is flashed from the browser by the code of the command", { skip, timeout: 240_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const base = await startNode(defer, folder);
  const { signer, files, paths } = await makeBundle(folder);
  const browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox", "--disable-gpu"] });
  defer(() => browser.close());
  const open = async (inner: Parameters<typeof openPage>[0], chip: EmulatedChip) => {
    const page = await withSerial(inner, browser, chip);
    await page.goto(`${base}/#/flash`);
    await page.setInputFiles('input[name="files"]', paths, { timeout: PATIENCE_MS });
    return page;
  };

  await t.test("it finds the chip, writes each part, and lets go of the port", async (inner) => {
    const chip = new EmulatedChip({ chipId: C3, flashBytes: FLASH_BYTES });
    const page = await open(inner, chip);
    await page.fill('input[name="signer"]', signer);
    await page.click('button[type="submit"]');
    await page.waitForSelector("dl.pairs", { timeout: PATIENCE_MS });
    assert.match((await page.textContent("dl.pairs"))!, /ESP32-C3.*11:22:33:44:55:66.*p1-adapter, version 2/s);
    assert.ok(
      chip.flash.every((byte) => byte === 0xff),
      "nothing is written before somebody says so",
    );
    await page.click('article section button[type="button"]');
    await page.waitForSelector("text=It is on the board", { timeout: PATIENCE_MS });
    assert.ok(chip.flash.subarray(0x20000, 0x20000 + files.program.length).equals(files.program));
    assert.equal(await page.evaluate("globalThis.serialIsOpen"), false);
  });

  await t.test("another chip, and a bundle that somebody else has signed, are refused before a byte", async (inner) => {
    const chip = new EmulatedChip({ chipId: 9, flashBytes: FLASH_BYTES });
    const page = await open(inner, chip);
    await page.fill('input[name="signer"]', "ab".repeat(32));
    await page.click('button[type="submit"]');
    await page.waitForSelector('[role="alert"]:has-text("not signed by the key")', { timeout: PATIENCE_MS });
    assert.equal(chip.commands.length, 0, "no port was asked for");
    await page.fill('input[name="signer"]', signer);
    await page.click('button[type="submit"]');
    await page.waitForSelector('[role="alert"]:has-text("the chip is an ESP32-S3")', { timeout: PATIENCE_MS });
    assert.ok(chip.flash.every((byte) => byte === 0xff));
  });
});

async function startNode(defer: Defer, folder: string): Promise<string> {
  const [grid, port] = [join(folder, "grid"), await freeBasePort(1)];
  const words = ["init", grid, "--network", "street", "--nodes", "1", "--meters", "0", "--base-port", String(port)];
  const made = await gridseal(...words);
  assert.equal(made.status, 0, made.errors);
  const node = startGridseal(defer, "node", "run", join(grid, "nodes/node-1/node.json"));
  const base = `http://127.0.0.1:${port + 201}`;
  await until("the node answers", () =>
    fetch(`${base}/health`).then(
      () => true,
      () => (node.isRunning ? undefined : Promise.reject(new Error("the node has ended"))),
    ),
  );
  return base;
}

async function makeBundle(folder: string) {
  const files = build(C3);
  for (const [name, file] of Object.entries(buildFiles))
    writeFileSync(join(folder, file), files[name as keyof typeof files]);
  const [key, bundle] = [join(folder, "maker.json"), join(folder, "bundle")];
  const { signer } = (await gridsealJson("firmware", "key", key)) as { signer: string };
  const words = ["--board", "p1-adapter", "--version", "2", "--key", key, "-o", bundle];
  const made = await gridseal("firmware", "bundle", folder, ...words);
  assert.equal(made.status, 0, made.errors);
  const paths = ["bundle.cose", ...Object.values(buildFiles)].map((file) => join(bundle, file));
  return { signer, files, paths };
}

/** A page whose `navigator.serial` has one port, with the chip at its other end. */
async function withSerial(t: Parameters<typeof openPage>[0], browser: Browser, chip: EmulatedChip): Promise<Page> {
  const page = await openPage(t, browser);
  await page.exposeFunction("chipTakes", (bytes: number[]) => [...chip.receive(Uint8Array.from(bytes))]);
  await page.addInitScript(standIn);
  return page;
}

/** Runs in the page. */
const standIn = `{
  let out;
  let streams = { readable: null, writable: null };
  const port = {
    get readable() { return streams.readable; },
    get writable() { return streams.writable; },
    getInfo: () => ({}),
    async open() {
      globalThis.serialIsOpen = true;
      streams = {
        readable: new ReadableStream({ start(controller) { out = controller; } }),
        writable: new WritableStream({
          async write(bytes) {
            const answer = await globalThis.chipTakes([...bytes]);
            if (answer.length > 0) out.enqueue(Uint8Array.from(answer));
          },
        }),
      };
    },
    async setSignals() {},
    async close() {
      globalThis.serialIsOpen = false;
      streams = { readable: null, writable: null };
    },
  };
  Object.defineProperty(navigator, "serial", { value: { requestPort: async () => port } });
}`;
