// The explorer's pages behind the first ones, over real nodes: what each verifies, and what it says of a node that tells otherwise.

import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { allVerified, openPage, PATIENCE_MS, startAltering } from "./explorer-browser.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { openNetwork } from "./network.js";
import { gridseal, until } from "./processes.js";

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
  await t.test("verifies orders, and shows contracts with source and parameters at a height", (inner) =>
    showsOrders(inner, scene),
  );
  await t.test("holds what contracts remember to its proofs, and names a value that is told otherwise", (inner) =>
    provesState(inner, scene),
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
    path === `/violations/${id}` ? new TextDecoder().decode(bytes).replace(meter.id, "00000000000000ff") : undefined,
  );
  const other = await openPage(t, browser);
  t.after(altering.close);
  await other.goto(`${altering.address}/#/violations/${id}`);
  await isVisible(other, '[data-check="statement"][data-state="wrong"]');
  assert.match((await other.textContent('[data-check="statement"]')) ?? "", /tells another subject of it/);
}

async function showsOrders(t: TestContext, { browser, base }: PageScene): Promise<void> {
  const page = await openPage(t, browser);
  await page.goto(`${base}/#/orders`);
  await isVisible(page, 'tr[data-order="1"] .mark.verified');
  await page.goto(`${base}/#/contracts`);
  await page.locator("article table a", { hasText: "registry" }).click();
  await isVisible(page, "pre.source");
  assert.match((await page.textContent("pre.source")) ?? "", /function operation\(context/);
  await page.fill('input[name="height"]', "1");
  await page.locator("article form button").click();
  await page.waitForFunction("document.body.textContent.includes('has no contract registry at this height')");
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
  const body = JSON.stringify({ name: "tariff", jurisdiction: null, from: 1_000_000, value: 12_345 });
  const sign = ["--as", regulator, "--service", "5", "--type", "1", "--body", body];
  const signed = await gridseal("operation", "sign", ...sign);
  assert.equal(signed.status, 0, signed.errors);
  const sent = await gridseal("operation", "submit", "--as", regulator, "--api", base, "--wait");
  assert.equal(sent.status, 0, sent.errors);
  const page = await openPage(t, browser);
  await page.goto(`${base}/#/state/5/registry/entry`);
  await isVisible(page, 'tr[data-state="verified"]');
  assert.match((await page.textContent("tr[data-key]")) ?? "", /tariff.*12345/);
  const altering = await startAltering(base, (path, bytes) =>
    /\/state\/registry\?/.test(path) ? new TextDecoder().decode(bytes).replaceAll("12345", "12346") : undefined,
  );
  const other = await openPage(t, browser);
  t.after(altering.close);
  await other.goto(`${altering.address}/#/state/5/registry/entry`);
  await isVisible(other, 'tr[data-state="wrong"]');
  assert.match((await other.textContent("tr[data-key]")) ?? "", /tells another value than its chain proves/);
}

async function finds(t: TestContext, { browser, base }: PageScene): Promise<void> {
  const page = await openPage(t, browser);
  await page.goto(`${base}/`);
  await isVisible(page, ".block.verified");
  const search = async (what: string): Promise<string> => {
    await page.fill('input[type="search"]', what);
    await page.press('input[type="search"]', "Enter");
    await page.waitForFunction(`document.querySelector("h1")?.textContent === ${JSON.stringify(`What is ${what}?`)}`);
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
