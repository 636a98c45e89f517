// A community's slots and bills in Chromium, over a node that has them: all of it is computed again there, and one figure that is told
// otherwise is found.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import { decodeBlock, encodeBlock } from "../../src/wire/block.js";
import type { Effect } from "../../src/wire/outcome.js";
import { decodeOutput, encodeValue } from "../../src/wire/value.js";
import { findChromium } from "../../tools/lab/determinism/chromium.js";
import { decodeResults, encodeResults } from "../../tools/ledger/violations.js";
import { cutOff, openPage, PATIENCE_MS, startAltering } from "./explorer-browser.js";

export interface BillScene {
  /** address of a node's API */
  readonly api: string;
  readonly community: string;
  /** its bill is looked at, and its slots */
  readonly point: string;
}

export async function billTest(t: TestContext, { api, community, point }: BillScene): Promise<void> {
  const executablePath = findChromium();
  const skip = executablePath === undefined ? "no Chromium is here" : false;
  await t.test(
    "the explorer computes bills and shares again, and finds an energy that is told otherwise",
    { skip },
    async (inner) => {
      const browser = await chromium.launch({
        executablePath: executablePath!,
        args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
      });
      inner.after(() => browser.close());
      const page = await openPage(inner, browser);
      cutOff.add(page); // slots that are not closed yet are asked for, and are not there
      await page.goto(`${api}/#/bills`);
      await page.locator(".hits a", { hasText: community }).first().click({ timeout: PATIENCE_MS });
      await page.locator(".hits a time").first().click({ timeout: PATIENCE_MS });
      const line = `.bill[data-bill="${point}"] tr[data-line]`;
      await page.waitForSelector(`${line}[data-state="verified"]`, { timeout: PATIENCE_MS });
      const states = await page
        .locator("tr[data-line]")
        .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-state")));
      assert.deepEqual([...new Set(states)], ["verified"], "every line comes to what is billed");
      assert.equal(
        await page.locator(".total .mark.verified").count(),
        await page.locator(".bill").count(),
        "every total",
      );
      const bills = new URL(page.url()).hash;
      await page.goto(`${api}/#/energy/1/${point}`);
      await page.waitForSelector('tr[data-slot][data-state="verified"]', { timeout: PATIENCE_MS });
      assert.equal(await page.locator('tr[data-slot][data-state="wrong"]').count(), 0, "no slot is wrong");
      await findsOther(inner, { api, point }, browser);
      await findsOtherBill(inner, { api, bills }, browser);
    },
  );
}

/** A node that tells another amount of a bill: its block is not the one that was sealed. */
async function findsOtherBill(
  t: TestContext,
  { api, bills }: { readonly api: string; readonly bills: string },
  browser: Parameters<typeof openPage>[1],
): Promise<void> {
  const altering = await startAltering(api, (path, bytes) =>
    /^\/chains\/\d+\/blocks\/\d+$/.test(path) && bytes.length > 0 ? withOtherBills(bytes) : undefined,
  );
  const page = await openPage(t, browser);
  t.after(altering.close);
  await page.goto(`${altering.address}/${bills}`);
  await page.waitForSelector("article .alert .mark.wrong", { timeout: PATIENCE_MS });
  const words = /block [\d,]+: what the block holds does not lead to its header's Merkle root/;
  assert.match((await page.textContent("article .alert")) ?? "", words);
}

function withOtherBills(bytes: Uint8Array): Uint8Array | undefined {
  const block = decodeBlock(bytes);
  const results = decodeResults(block.results);
  const outcomes = results.outcomes.map((outcome) =>
    "effects" in outcome ? { ...outcome, effects: outcome.effects.map(withOtherAmount) } : outcome,
  );
  return encodeBlock({ ...block, results: encodeResults({ ...results, outcomes }) });
}

function withOtherAmount(effect: Effect): Effect {
  if (effect.name !== "bill") return effect;
  return { ...effect, body: encodeValue({ ...(decodeOutput(effect.body) as object), amount: 1 }) };
}

async function findsOther(
  t: TestContext,
  { api, point }: Pick<BillScene, "api" | "point">,
  browser: Parameters<typeof openPage>[1],
): Promise<void> {
  const altering = await startAltering(api, (path, bytes) => {
    if (!path.includes("/slots/") || bytes.length < 10 || bytes[0] !== 0x82) return undefined;
    const changed = Uint8Array.from(bytes);
    // The doubts of the last row, whose last byte they are.
    changed[changed.length - 1] = changed.at(-1) === 1 ? 2 : 1;
    return changed;
  });
  const page = await openPage(t, browser);
  cutOff.add(page);
  t.after(altering.close);
  await page.goto(`${altering.address}/#/energy/1/${point}`);
  await page.waitForSelector('tr[data-slot][data-state="wrong"]', { timeout: PATIENCE_MS });
  assert.match(
    (await page.textContent('tr[data-slot][data-state="wrong"]')) ?? "",
    /tells other energies than its chain has sealed/,
  );
}
