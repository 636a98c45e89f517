// The explorer in Chromium, over the demo's nodes: what is sealed appears and is verified there, a receipt holds without a connection, a
// node that serves something else is found out; nothing is asked of others, no error is logged, texts are legible, the page is small.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright-core";
import { decodeBlock, encodeBlock } from "../../src/wire/block.js";
import { findChromium } from "../../tools/lab/determinism/chromium.js";
import {
  allVerified,
  cutOff,
  lacksInTree,
  openPage,
  PATIENCE_MS,
  startAltering,
  watchShifts,
} from "./explorer-browser.js";
import { pageTests } from "./explorer-pages.js";
import { freeBasePort } from "./network.js";
import { cleanUp, type Defer, startGridseal, temporaryFolder, until } from "./processes.js";

const NODES = 4;
const FIRST_PAGE_BYTES_MAX = 100_000;
/** Each is a question to the node before anything can be clicked. */
const FIRST_PAGE_FILES_MAX = 8;
/** Of the layout (Layout Instability, section 2.3): a tenth of what counts as good. A number that grows moves what stands behind it. */
const SHIFT_MAX = 0.01;
const RECEIPT_MS_MAX = 100;
/** So often a receipt is verified, the fastest of which is held: the first one warms the engine up. */
const RECEIPT_TRIES = 4;
/** WCAG 2.2, success criterion 1.4.3. */
const CONTRAST_MIN = 4.5;

const executablePath = findChromium();
const skip = executablePath === undefined ? "no Chromium is here" : false;

test("the explorer in Chromium", { skip, timeout: 480_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "demo");
  const base = await startDemo(defer, folder);
  const browser = await chromium.launch({
    executablePath: executablePath!,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  defer(() => browser.close());
  await t.test("shows chains live without signing in, and verifies their blocks", (inner) =>
    showsChains(inner, browser, base),
  );
  await t.test("verifies a block in seven checks", (inner) => verifiesBlock(inner, browser, base));
  await t.test("verifies a record's receipt in eight steps, and a dropped one without a connection", (inner) =>
    verifiesReceipt(inner, browser, base),
  );
  await t.test("says what is wrong where a node serves an altered block", (inner) =>
    findsAltered(inner, browser, base),
  );
  await pageTests(t, { browser, base, folder });
  await t.test("is legible on every page in light and dark, on a phone and on a wall, in three languages", (inner) =>
    isLegible(inner, browser, base),
  );
  await t.test("is small, and its policy lets nothing else in", (inner) => isSmall(inner, base));
});

async function startDemo(defer: Defer, folder: string): Promise<string> {
  const port = await freeBasePort(NODES);
  const demo = startGridseal(defer, "demo", "--data", folder, "--base-port", String(port));
  await until("something is sealed", () => / verified [1-9]/.test(demo.output), 180_000);
  const address = /^look at it at (http:\S+)\/$/m.exec(demo.output)?.[1];
  assert.ok(address !== undefined, `the demo prints no address: ${demo.output.slice(0, 400)}`);
  return address;
}

async function showsChains(t: TestContext, browser: Browser, base: string): Promise<void> {
  const page = await openPage(t, browser);
  await page.addInitScript(watchShifts);
  await page.goto(`${base}/`);
  await page.waitForSelector(".strip .block a", { timeout: PATIENCE_MS });
  const interactive_ms = Number(await page.evaluate("performance.now()"));
  t.diagnostic(`chains are there to be clicked after ${interactive_ms.toFixed(0)} ms`);
  await page.waitForSelector(".block.verified", { timeout: PATIENCE_MS });
  assert.equal(await page.locator(".strip").count(), 6, "a strip a chain");
  const newest = () => page.locator(".strip .block a b").allTextContents();
  const before = (await newest()).join();
  await until("a new block appears by itself", async () => (await newest()).join() !== before);
  assert.match((await page.textContent(".legend")) ?? "", /Nobody has to sign in at this node/);
  assert.equal(await page.locator(".block.wrong").count(), 0, "no block is wrong");
  const shifts = (await page.evaluate("window.shifts")) as readonly {
    readonly value: number;
    readonly names: string[];
  }[];
  const shifted = shifts.reduce((sum, { value }) => sum + value, 0);
  t.diagnostic(`what moves by itself comes to ${shifted.toFixed(4)}`);
  assert.ok(shifted < SHIFT_MAX, `something moves by itself: ${JSON.stringify(shifts)}`);
}

async function verifiesBlock(t: TestContext, browser: Browser, base: string): Promise<void> {
  const page = await openPage(t, browser);
  await page.goto(`${base}/#/chains/3/blocks/1`);
  await allVerified(page, 7);
  assert.match((await page.textContent('[data-check="seal"]')) ?? "", /[34] of 4 members signed it; 3 are needed/);
}

async function verifiesReceipt(t: TestContext, browser: Browser, base: string): Promise<void> {
  const page = await openPage(t, browser);
  await page.goto(`${base}/#/chains/3/blocks/1`);
  await page.locator(".record a").first().click();
  await allVerified(page, 8);
  const files = [];
  for (const link of await page.locator("a[download]").all()) {
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    files.push({
      name: download.suggestedFilename(),
      mimeType: "application/octet-stream",
      buffer: await readFile(await download.path()),
    });
  }
  assert.equal(files.length, 2, "a receipt and its record are saved");
  await page.goto(`${base}/#/receipt`);
  await page.waitForSelector(".drop input");
  cutOff.add(page);
  await page.context().route("**/*", (route) => route.abort());
  const took_ms: number[] = [];
  while (took_ms.length < RECEIPT_TRIES) {
    await page.setInputFiles(".drop input", []);
    await page.setInputFiles(".drop input", files);
    await allVerified(page, 8);
    await page.waitForSelector("[data-took]", { timeout: PATIENCE_MS });
    took_ms.push(Number(await page.getAttribute("[data-took]", "data-took")));
  }
  t.diagnostic(`a receipt is verified without a connection in ${took_ms.join(", ")} ms`);
  assert.ok(Math.min(...took_ms) < RECEIPT_MS_MAX, `a receipt takes ${Math.min(...took_ms)} ms`);
  const altered = files.map((file, index) => ({ ...file, buffer: index === 0 ? flipped(file.buffer) : file.buffer }));
  await page.setInputFiles(".drop input", altered);
  await page.waitForSelector('.findings [data-state="wrong"]', { timeout: PATIENCE_MS });
}

/** With one bit of its last signature changed. */
function flipped(bytes: Uint8Array): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length - 8]! ^= 1;
  return changed;
}

async function findsAltered(t: TestContext, browser: Browser, base: string): Promise<void> {
  const altering = await startAltering(base, (path, bytes) =>
    path === "/chains/3/blocks/2" ? withOtherTime(bytes) : undefined,
  );
  const page = await openPage(t, browser);
  // Behind the page's end: what it asks for then would fail.
  t.after(altering.close);
  await page.goto(`${altering.address}/#/chains/3/blocks/2`);
  await page.waitForSelector('.findings [data-state="wrong"]', { timeout: PATIENCE_MS });
  const wrong = (await page.textContent('.findings [data-state="wrong"]')) ?? "";
  assert.match(wrong, /what the block holds does not lead to its header's Merkle root/);
}

function withOtherTime(bytes: Uint8Array): Uint8Array {
  const block = decodeBlock(bytes);
  return encodeBlock({ ...block, time_ms: block.time_ms + 1 });
}

/** On the first page: each of both lights, screens and languages. */
const screens = [
  ["light", 360, "de"],
  ["dark", 360, "zh"],
  ["light", 1_280, "en"],
  ["dark", 1_280, "de"],
  ["light", 2_560, "zh"],
  ["dark", 2_560, "en"],
] as const;
/** Addresses beside those of the menu. */
const FURTHER_PAGES = ["#/contracts/5/registry", "#/meters/5", "#/search/3:1", "#/chains/3/blocks/1"];

async function isLegible(t: TestContext, browser: Browser, base: string): Promise<void> {
  const page = await openPage(t, browser);
  await page.goto(`${base}/`);
  await page.waitForSelector(".block.verified", { timeout: PATIENCE_MS });
  for (const screen of screens) await holdsOn(page, screen, "the first page");
  const addresses = await page
    .locator(".top nav a")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href")!));
  assert.ok(addresses.length > 14, `the menu leads to ${addresses.length} pages`);
  for (const address of [...addresses, ...FURTHER_PAGES]) {
    await page.goto(`${base}/${address}`);
    await page.locator("main h1, main .figures").first().waitFor({ timeout: PATIENCE_MS });
    const waiting = page.getByText(/^(is asked for|wird geholt|正在获取)$/);
    await until("all is there that was asked for", async () => (await waiting.count()) === 0);
    for (const screen of [screens[0], screens[5]]) await holdsOn(page, screen, address);
    assert.deepEqual(await lacksInTree(page), [], `the accessibility tree lacks something: ${address}`);
  }
}

/** The page as it stands, on another screen: contrast, width, names of controls. */
async function holdsOn(page: Page, screen: (typeof screens)[number], address: string): Promise<void> {
  const [colorScheme, width, language] = screen;
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: 800 });
  await page.selectOption(".choices select", language);
  const name = `${address} ${screen.join(" ")}`;
  assert.deepEqual(await page.evaluate(`(${faintTexts})(${CONTRAST_MIN})`), [], `texts are too faint: ${name}`);
  assert.deepEqual(await page.evaluate(`(${tooWide})()`), [], `the page is wider than the screen: ${name}`);
  assert.deepEqual(await page.evaluate(`(${namelessControls})()`), [], `controls have no name: ${name}`);
}

async function isSmall(t: TestContext, base: string): Promise<void> {
  const page = await fetch(`${base}/`);
  const html = await page.text();
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /^default-src 'none'; script-src 'self'; /);
  assert.doesNotMatch(policy, /unsafe/);
  const named = [...html.matchAll(/(?:src|href)="(explorer\/[^"]+)"/g)].map(([, path]) => path!);
  assert.equal(named.length, 2, "the page names its script and its style sheet");
  let sum = gzipSync(html).length;
  const wanted = [...named];
  for (const path of wanted) {
    const text = await (await fetch(`${base}/${path}`)).text();
    // What is imported at once counts, what is loaded when somebody goes there does not.
    for (const [, part] of text.matchAll(/(?:from|import)\s*"\.\/([\w-]+\.js)"/g)) {
      if (!wanted.includes(`explorer/${part}`)) wanted.push(`explorer/${part}`);
    }
    const answer = await fetch(`${base}/${path}`, { headers: { "accept-encoding": "gzip" } });
    assert.equal(answer.headers.get("content-encoding"), "gzip", path);
    assert.match(answer.headers.get("cache-control") ?? "", /immutable/);
    sum += Number(answer.headers.get("content-length"));
    await answer.arrayBuffer();
  }
  assert.ok(wanted.length <= FIRST_PAGE_FILES_MAX, `the first page asks for ${wanted.length} files`);
  t.diagnostic(`the first page takes ${sum} bytes in ${wanted.length + 1} answers`);
  assert.ok(sum < FIRST_PAGE_BYTES_MAX, `the first page takes ${sum} bytes`);
}

/** Runs in the page: texts whose contrast with what is behind them is less than that. */
const faintTexts = `(least) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
    if (!hasText || element.closest("noscript, .spoken, .skip, option")) continue;
    const pair = [luminance(rgb(getComputedStyle(element).color)), luminance(ground(element))].sort((a, b) => b - a);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (contrast < least) found.push(element.className + ": " + element.textContent.slice(0, 30) + " " + contrast.toFixed(2));
  }
  return [...new Set(found)];
}`;

/** Runs in the page: what reaches beyond the screen's width, where anything makes the page wider. */
const tooWide = `() => {
  const { scrollWidth } = document.documentElement;
  if (scrollWidth <= innerWidth) return [];
  const beyond = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
  return [scrollWidth + " px", ...beyond.map((one) => one.tagName + "." + one.className + ": " + one.textContent.slice(0, 30))];
}`;

/** Runs in the page: controls that nothing names for who does not see them. */
const namelessControls = `() =>
  [...document.querySelectorAll("a, button, input, select, textarea")].filter((control) => {
    const label = control.getAttribute("aria-label") ?? control.closest("label")?.textContent ?? control.textContent;
    return (label ?? "").trim() === "";
  }).map((control) => control.outerHTML.slice(0, 80))`;
