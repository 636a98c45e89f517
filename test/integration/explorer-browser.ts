// What the tests of the explorer share: a page that fails its test for each error that it logs, and a node that answers otherwise than
// its chain has sealed.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";

export const PATIENCE_MS = 60_000;

/** Pages whose connection a test has cut: that nothing can be loaded is what it wants. */
export const cutOff = new WeakSet<Page>();

/** A page that fails the test for each error that it logs and for each request to somebody else. */
export async function openPage(
  t: TestContext,
  browser: Browser,
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<Page> {
  const page = await browser.newPage({ locale: "en-GB", ...options });
  const complaints: string[] = [];
  page.on("console", (message) => {
    const isFailed = message.text().startsWith("Failed to load resource");
    // A busy node answers 503 to who asks much at once, and the browser logs that by itself.
    const isExpected = isFailed && (cutOff.has(page) || message.text().includes("status of 503"));
    if ((message.type() === "error" || message.type() === "warning") && !isExpected) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|data:|blob:)/.test(request.url())) complaints.push(`asks ${request.url()}`);
  });
  t.after(async () => {
    await page.close();
    assert.deepEqual(complaints, [], "the page logs errors, or asks others");
  });
  return page;
}

/** Waits until all checks are made, and fails unless each is verified. */
export async function allVerified(page: Page, count: number): Promise<void> {
  await page.waitForSelector(`.findings[data-done="${count}"]`, { timeout: PATIENCE_MS });
  const states = await page
    .locator(".findings li")
    .evaluateAll((items) =>
      items.map((item) => `${item.getAttribute("data-check")} ${item.getAttribute("data-state")} ${item.textContent}`),
    );
  assert.deepEqual(
    states.filter((state) => !/^\w+ verified /.test(state)),
    [],
    "every check is verified",
  );
}

/** What stands before a node and changes its answers; undefined leaves one as it is. Resolves with its address and what ends it. */
export async function startAltering(
  base: string,
  alter: (path: string, bytes: Uint8Array) => Uint8Array | string | undefined,
  /** told in the place of the node's blocks */
  events?: string,
): Promise<{ readonly address: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    if (events !== undefined && path.startsWith("/events?topic=blocks")) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(events);
      return;
    }
    const answer = await fetch(base + path, { headers: { accept: request.headers.accept ?? "*/*" } });
    const headers = Object.fromEntries(answer.headers);
    for (const name of ["content-length", "content-encoding", "connection", "transfer-encoding"]) delete headers[name];
    response.writeHead(answer.status, headers);
    if (path.startsWith("/events")) {
      for await (const chunk of answer.body ?? []) response.write(chunk);
      response.end();
      return;
    }
    const bytes = new Uint8Array(await answer.arrayBuffer());
    response.end(alter(path, bytes) ?? bytes);
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Names that the accessibility tree lacks, and landmarks: what who does not see the page has of it. */
export async function lacksInTree(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  const shown = nodes.filter(({ ignored }) => !ignored);
  const rolesOf = (role: string) => shown.filter((node) => node.role?.value === role);
  const named = ["link", "button", "textbox", "searchbox", "combobox", "image", "navigation", "heading", "table"];
  const nameless = named.flatMap((role) =>
    rolesOf(role).flatMap(({ name }) => (String(name?.value ?? "").trim() === "" ? [`${role} without a name`] : [])),
  );
  const landmarks = ["main", "navigation", "search", "banner"].filter((role) => rolesOf(role).length === 0);
  return [...nameless, ...landmarks.map((role) => `no ${role}`), ...(rolesOf("main").length > 1 ? ["two main"] : [])];
}

/** Runs in each page from its beginning on: sums up what has moved by itself, but for tiles that new blocks push on. */
export const watchShifts = `
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      const moved = entry.sources.filter(({ node }) => {
        const element = node?.nodeType === 1 ? node : node?.parentElement;
        return element && !element.closest(".blocks");
      });
      if (moved.length === 0) continue;
      const names = moved.map(({ node }) => (node.className || node.nodeName) + ": " + (node.textContent ?? "").slice(0, 40));
      window.shifts.push({ value: entry.value, names });
    }
  }).observe({ type: "layout-shift", buffered: true });
`;
