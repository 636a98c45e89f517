// A community's slots and bills in Chromium, over a node that has them: all of it is computed again there, and one figure that is told
// otherwise is found.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import { findChromium } from "../../tools/lab/determinism/chromium.js";
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
      await page.goto(`${api}/#/energy/1/${point}`);
      await page.waitForSelector('tr[data-slot][data-state="verified"]', { timeout: PATIENCE_MS });
      assert.equal(await page.locator('tr[data-slot][data-state="wrong"]').count(), 0, "no slot is wrong");
      await findsOther(inner, { api, point }, page.context().browser()!);
    },
  );
}

async function findsOther(
  t: TestContext,
  { api, point }: Pick<BillScene, "api" | "point">,
  browser: Parameters<typeof openPage>[1],
): Promise<void> {
  const altering = await startAltering(api, (path, bytes) => {
    if (!path.includes("/slots/") || bytes.length < 10 || bytes[0] !== 0x82) return undefined;
    const changed = Uint8Array.from(bytes);
    // The quality of the last row.
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
