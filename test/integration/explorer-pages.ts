// The explorer's pages behind the first ones, over real nodes: what each verifies, and what it says of a node that tells otherwise.

import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { decodeBlock } from "../../src/wire/block.js";
import { fromHex } from "../../src/wire/bytes.js";
import { outcomesIn } from "../../src/wire/outcome.js";
import { publicKeyFromHex } from "../../tools/authority/issue.js";
import { certifyParticipant, createParticipant } from "../../tools/provisioning/participant.js";
import { encodeDayRow } from "../../tools/routes/days.js";
import { allVerified, cutOff, openPage, PATIENCE_MS, startAltering } from "./explorer-browser.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { openNetwork } from "./network.js";
import { gridseal, startGridseal, until } from "./processes.js";

export interface PageScene {
  readonly browser: Browser;
  /** address of a node's API */
  readonly base: string;
  /** of the demo's network */
  readonly folder: string;
}

export async function pageTests(t: TestContext, scene: PageScene): Promise<void> {
  await t.test("shows a violation as it arrives, and verifies that its block says it", (inner) =>
    showsViolation(inner, scene),
  );
  await t.test("says of violations that are not shown how many there are and who may see them", (inner) =>
    tellsWhoMay(inner, scene),
  );
  await t.test("verifies orders, and shows contracts with source and parameters at a height", (inner) =>
    showsOrders(inner, scene),
  );
  await t.test("holds what contracts remember to its proofs, and names a value that is told otherwise", (inner) =>
    provesState(inner, scene),
  );
  await t.test("runs a block's contracts again, call by call, and says where a chain does not follow", (inner) =>
    replaysRun(inner, scene),
  );
  await t.test("shows exported chains without a node, as a node's are shown", (inner) => showsExports(inner, scene));
  await t.test("draws of two thousand meters the rows that are in sight", (inner) => drawsMany(inner, scene));
  await t.test("takes ten thousand blocks at once, and draws the newest", (inner) => followsMany(inner, scene));
  await t.test("signs in with a key that stays in the browser, and signs an operation that is sealed", (inner) =>
    signsIn(inner, scene),
  );
  await t.test("finds heights, ids, hashes, contracts and rules", (inner) => finds(inner, scene));
}

const isVisible = (page: Page, selector: string) => page.waitForSelector(selector, { timeout: PATIENCE_MS });

async function showsViolation(t: TestContext, { browser, base, folder }: PageScene): Promise<void> {
  const page = await openPage(t, browser);
  await page.goto(`${base}/#/violations`);
  await isVisible(page, ".connection.is-live");
  await isVisible(page, "article section p");
  const before = await page.locator("tr[data-violation]").count();
  const network = await openNetwork((undo) => t.after(undo as () => void), folder);
  const meter = makeMeter(network);
  const session = await connectMeter((undo) => t.after(undo as () => void), network, meter, network.nodes[0]!.mqtt);
  await session.bear();
  const first = meter.record({ service: 3 });
  await session.send(first, 3);
  await session.receiptOf(first);
  const time_s = Math.floor(Date.now() / 1_000) - 1;
  await session.send(meter.record({ service: 3, seq: 0, previous: new Uint8Array(0), time_s }), 3);
  await until("the fork appears by itself", async () => (await page.locator("tr.fresh[data-violation]").count()) > 0);
  assert.equal(await page.locator("tr[data-violation]").count(), before + 1, "one violation is new");
  const row = (await page.textContent("tr.fresh")) ?? "";
  assert.match(row, new RegExp(`two records of one number #0.*${meter.id}`));
  await page.locator("tr.fresh a").first().click();
  await allVerified(page, 6);
  const told = new RegExp(`says this against ${meter.id}`);
  assert.match((await page.textContent('[data-check="statement"]')) ?? "", told);
  const id = new URL(page.url()).hash.split("/").at(-1)!;
  const altering = await startAltering(base, (path, bytes) =>
    decodeURIComponent(path) === `/violations/${id}`
      ? new TextDecoder().decode(bytes).replace(meter.id, "00000000000000ff")
      : undefined,
  );
  const other = await openPage(t, browser);
  t.after(altering.close);
  await other.goto(`${altering.address}/#/violations/${id}`);
  await isVisible(other, '[data-check="statement"][data-state="wrong"]');
  assert.match((await other.textContent('[data-check="statement"]')) ?? "", /tells another subject of it/);
}

async function tellsWhoMay(t: TestContext, { browser, base }: PageScene): Promise<void> {
  const hidden = [{ service: 2, violations: 3, readers: ["regulator"] }];
  const altering = await startAltering(base, (path, bytes) =>
    path.startsWith("/violations?")
      ? JSON.stringify({ ...JSON.parse(new TextDecoder().decode(bytes)), violations: [], hidden })
      : undefined,
  );
  t.after(altering.close);
  const page = await openPage(t, browser);
  cutOff.add(page); // the browser logs a refusal by itself
  await page.goto(`${altering.address}/#/violations`);
  const told = await isVisible(page, '[data-hidden="2"]');
  assert.match((await told.textContent()) ?? "", /^3 of chain 2 are not shown to you\..*node, regulator\.$/);
  await page.goto(`${altering.address}/#/violations/2:999:0`);
  const one = await isVisible(page, '[data-hidden="2:999:0"]');
  assert.match((await one.textContent()) ?? "", /^Not shown to you: This node has no violation 2:999:0\./);
  assert.equal(await page.locator("article .alert").count(), 0, "nothing has failed");
}

async function showsOrders(t: TestContext, { browser, base }: PageScene): Promise<void> {
  const page = await openPage(t, browser);
  await page.goto(`${base}/#/orders`);
  await isVisible(page, 'tr[data-order="1"] .mark.verified');
  await page.goto(`${base}/#/contracts`);
  await page.locator("article table a", { hasText: "registry" }).click();
  await isVisible(page, "pre.source");
  assert.match((await page.textContent("pre.source")) ?? "", /function operation\(context/);
  await page.goto(`${base}/#/contracts/5/nothing`);
  await page.getByText("has no contract nothing at this height").waitFor({ timeout: PATIENCE_MS });
  const altering = await startAltering(base, (path, bytes) => {
    if (!path.startsWith("/orders")) return undefined;
    const changed = Uint8Array.from(bytes);
    if (changed.length > 0) changed[40]! ^= 1;
    return changed;
  });
  const other = await openPage(t, browser);
  t.after(altering.close);
  await other.goto(`${altering.address}/#/orders`);
  await isVisible(other, "article .alert .mark.wrong");
}

async function provesState(t: TestContext, { browser, base, folder }: PageScene): Promise<void> {
  const regulator = join(folder, "regulator");
  const plan = { network: folder, id: "regulator", role: "regulator", services: [5], out: regulator } as const;
  await createParticipant({ ...plan, algorithm: "ESP256" }, new Date());
  const body = JSON.stringify({ name: "tariff", jurisdiction: null, from: 50_000, value: 12_345 });
  const sign = ["--as", regulator, "--service", "5", "--type", "1", "--body", body];
  const signed = await gridseal("operation", "sign", ...sign);
  assert.equal(signed.status, 0, signed.errors);
  const sent = await gridseal("operation", "submit", "--as", regulator, "--api", base, "--wait");
  assert.equal(sent.status, 0, sent.errors);
  const page = await openPage(t, browser);
  await page.goto(`${base}/#/state/5/registry/entry`);
  // The demo has set a name of its own.
  const tariff = page.locator('tr[data-state="verified"]', { hasText: "tariff" });
  assert.match((await tariff.textContent({ timeout: PATIENCE_MS })) ?? "", /tariff.*12345/);
  const altering = await startAltering(base, (path, bytes) =>
    /\/state\/registry\?/.test(path) ? new TextDecoder().decode(bytes).replaceAll("12345", "12346") : undefined,
  );
  const other = await openPage(t, browser);
  t.after(altering.close);
  await other.goto(`${altering.address}/#/state/5/registry/entry`);
  const wrong = await isVisible(other, 'tr[data-state="wrong"]');
  assert.match((await wrong.textContent()) ?? "", /tells another value than its chain proves/);
}

/** The operation of before, whose contract runs again in the browser. */
async function replaysRun(t: TestContext, { browser, base }: PageScene): Promise<void> {
  const rows = await fetch(`${base}/chains/5/state/registry?prefix=entry`);
  const { height: newest } = (await rows.json()) as { readonly height: number };
  const height = await heightOfRun(base, newest);
  const page = await openPage(t, browser);
  await page.goto(`${base}/#/chains/5/blocks/${height}`);
  await page.locator(`a[href="#/replay/5/${height}"]`).click({ timeout: PATIENCE_MS });
  await isVisible(page, '.run[data-same="true"]');
  assert.match((await page.textContent(".run .calls")) ?? "", /put "entry.*tariff.*12345/);
  assert.match((await page.textContent(".run h2")) ?? "", /operation \d+ · registry · done/);
  const altering = await startAltering(base, (path, bytes) =>
    path.startsWith("/chains/5/blocks?") ? Buffer.from(bytes).fill(7, bytes.length - 90, bytes.length - 60) : undefined,
  );
  const other = await openPage(t, browser);
  t.after(altering.close);
  await other.goto(`${altering.address}/#/replay/5/${height}`);
  await isVisible(other, "article .alert .mark.wrong");
}

/** The block in which the registry has run. */
async function heightOfRun(base: string, newest: number): Promise<number> {
  for (let height = newest; height > 0; height -= 1) {
    const block = decodeBlock(new Uint8Array(await (await fetch(`${base}/chains/5/blocks/${height}`)).arrayBuffer()));
    if (outcomesIn(block.results).some((outcome) => "contract" in outcome && outcome.contract === "registry")) {
      return height;
    }
  }
  assert.fail("the registry has never run");
}

async function showsExports(t: TestContext, { browser, base, folder }: PageScene): Promise<void> {
  const exported = join(folder, "exported");
  await mkdir(exported);
  await copyFile(join(folder, "genesis.cbor"), join(exported, "genesis.cbor"));
  const exports = ["1", "3", "5"].map((service) =>
    gridseal("chain", "export", service, "--api", base, "--out", join(exported, `${service}.chain`)),
  );
  for (const { status, errors } of await Promise.all(exports)) assert.equal(status, 0, errors);
  const shown = startGridseal(() => {}, "explorer", exported, "--port", "0");
  const address = await until(
    "exported chains are served",
    () => /^look at it at (http:\S+)\/$/m.exec(shown.output)?.[1],
  );
  assert.doesNotMatch(shown.output, /it ends there/, "every exported block is good");
  const page = await openPage(t, browser);
  t.after(() => shown.stop());
  await page.goto(`${address}/#/chains/3/blocks/1`);
  await allVerified(page, 7);
  await page.goto(`${address}/#/state/5/registry/entry`);
  await isVisible(page, 'tr[data-state="verified"]');
  await page.goto(`${address}/#/meters/3`);
  await isVisible(page, "tr[data-meter]");
}

async function signsIn(t: TestContext, { browser, base, folder }: PageScene): Promise<void> {
  for (const algorithm of ["ESP256", "Ed25519"]) {
    const page = await openPage(t, browser);
    await page.goto(`${base}/#/sign`);
    await page.getByRole("button", { name: new RegExp(algorithm) }).click({ timeout: PATIENCE_MS });
    const publicKey = (await page.textContent("code.public-key", { timeout: PATIENCE_MS })) ?? "";
    const id = `browser-${algorithm}`;
    const plan = { network: folder, id, role: "regulator", services: [5] } as const;
    const credential = await certifyParticipant(plan, publicKeyFromHex(publicKey), new Date());
    const file = { name: "credential.cbor", mimeType: "application/cbor", buffer: Buffer.from(credential) };
    await page.setInputFiles('input[name="credential"]', file);
    await page.getByText(id, { exact: true }).waitFor({ timeout: PATIENCE_MS });
    await page.selectOption('select[name="service"]', "5");
    await page.fill('input[name="type"]', "1");
    const entry = { name: `by-${algorithm.toLowerCase()}`, jurisdiction: null, from: 50_000, value: 1 };
    await page.fill("textarea", JSON.stringify(entry));
    await page.getByRole("button", { name: "Sign and send" }).click();
    await page.getByText("Operation 0 is sealed.").waitFor({ timeout: PATIENCE_MS });
    await page.locator(".outcome a").click();
    await allVerified(page, 8);
    await page.goto(`${base}/#/sign`);
    await page.reload();
    await page.getByText(id, { exact: true }).waitFor({ timeout: PATIENCE_MS });
    assert.match(page.url(), /#\/sign$/, "no token stands in the address");
    await page.getByRole("button", { name: "Forget this key" }).click();
    await page.getByRole("button", { name: new RegExp(algorithm) }).waitFor({ timeout: PATIENCE_MS });
  }
}

/** Meters of a day, of which every tenth lacks a record. */
function manyMeters(): Uint8Array {
  const rows = Array.from({ length: METERS }, (_, index) => {
    const kid = fromHex(index.toString(16).padStart(16, "0"))!;
    const records = index % 10 === 0 ? 95 : 96;
    return encodeDayRow({ kid, records, first: 0, last: 95, late: 0, doubtful: 0 });
  });
  return Buffer.concat(rows);
}

async function drawsMany(t: TestContext, { browser, base }: PageScene): Promise<void> {
  const rows = manyMeters();
  const altering = await startAltering(base, (path) => (path.includes("/days/") ? rows : undefined));
  const page = await openPage(t, browser);
  t.after(altering.close);
  await page.goto(`${altering.address}/#/meters/3`);
  await page.getByText(`${METERS.toLocaleString("en")} meters in fourteen days`).waitFor({ timeout: PATIENCE_MS });
  await page.getByText("is asked for").waitFor({ state: "detached", timeout: PATIENCE_MS });
  const first = await page.locator("tr[data-meter]").first().getAttribute("data-meter");
  assert.equal(first, "0000000000000000", "who lacks records stands first");
  t.diagnostic(`${METERS} meters, scrolled: ${framesText(await page.evaluate(`(${scrollFrames})()`))}`);
  const drawn = await page.locator("tr[data-meter]").count();
  assert.ok(drawn < 100, `rows out of sight are not drawn: ${drawn} are`);
  const last = await page.locator("tr[data-meter]").last().getAttribute("data-meter");
  assert.notEqual(last, first, "other rows are in sight");
}

/** Ten thousand blocks come at once, as to who was away: the page stays at hand, and draws the newest. */
async function followsMany(t: TestContext, { browser, base }: PageScene): Promise<void> {
  const block = { service: 3, header: "00".repeat(32), records: 7, violations: 0, found: [], orders: [], time_ms: 1 };
  const events = Array.from({ length: BLOCKS }, (_, index) => {
    const height = 100_000 + index;
    return `id: 3:${height}\nevent: block\ndata: ${JSON.stringify({ ...block, height })}\n\n`;
  });
  const altering = await startAltering(base, () => undefined, events.join(""));
  const page = await openPage(t, browser);
  cutOff.add(page); // these blocks are nowhere
  t.after(altering.close);
  await page.addInitScript(watchFrames);
  await page.goto(`${altering.address}/`);
  const newest = (100_000 + BLOCKS - 1).toLocaleString("en");
  await page.locator(".strip .block b", { hasText: newest }).waitFor({ timeout: PATIENCE_MS });
  t.diagnostic(`${BLOCKS} blocks at once: ${framesText(await page.evaluate("window.frames_ms"))}`);
  assert.ok((await page.locator(".strip .block").count()) < 150, "the newest of each chain are drawn");
}

function framesText(frames: unknown): string {
  const sorted = [...(frames as readonly number[])].sort((one, other) => one - other);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(0);
  return `${sorted.length} frames, median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`;
}

const BLOCKS = 10_000;
const METERS = 2_000;

/** Runs in the page from its beginning on. */
const watchFrames = `
  window.frames_ms = [];
  let before = performance.now();
  const next = (now) => {
    window.frames_ms.push(now - before);
    before = now;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
`;

/** Runs in the page: scrolls to the end in sixty steps, and says how long each frame took. */
const scrollFrames = `() => {
  const map = document.querySelector(".map");
  const step = (map.scrollHeight - map.clientHeight) / 60;
  const frames = [];
  return new Promise((resolve) => {
    let before = performance.now();
    const next = () => {
      const now = performance.now();
      frames.push(now - before);
      before = now;
      if (frames.length > 60) return resolve(frames.slice(1));
      map.scrollTop += step;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
}`;

async function finds(t: TestContext, { browser, base }: PageScene): Promise<void> {
  const page = await openPage(t, browser);
  await page.goto(`${base}/`);
  await isVisible(page, ".block.verified");
  const search = async (what: string): Promise<string> => {
    await page.fill('input[type="search"]', what);
    await page.press('input[type="search"]', "Enter");
    await page.getByRole("heading", { name: `What is ${what}?` }).waitFor({ timeout: PATIENCE_MS });
    await isVisible(page, ".hits li a");
    return (await page.locator(".hits").textContent()) ?? "";
  };
  assert.match(await search("dispatch:1"), /block 1 of dispatch/);
  assert.match(await search("1"), /block 1 of trading.*block 1 of dispatch/);
  await until("the contract is found", async () => /contract registry of contracts/.test(await search("registry")));
  assert.match(await search("registry/denied"), /violations of rule registry\/denied/);
  await page.goto(`${base}/#/chains/3/blocks/1`);
  await isVisible(page, ".record a");
  const kid = ((await page.textContent(".record a code")) ?? "").trim();
  const hash = (await page.locator(".pair code.hash").first().getAttribute("title")) ?? "";
  await search(kid);
  await until("whose id it is", async () => /newest record/.test((await page.textContent(".hits")) ?? ""));
  await search(hash);
  await page.locator(".hits a").first().click();
  await allVerified(page, 7);
}
