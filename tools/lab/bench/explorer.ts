// `npm run bench:explorer`: how long the explorer's first page takes in Chromium. The demo makes chains, then one of its nodes alone serves
// them: the machine is idle but for that and the browser. Each visit is one with nothing kept.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import type { Browser } from "playwright-core";
import { reasonOf } from "../../errors.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines, table } from "../../terminal/output.js";
import { findChromium } from "../determinism/chromium.js";
import { endAllChildren } from "../rig/children.js";
import { freeBasePort, type ServerProcess, startServer, waitFor } from "../rig/server-process.js";
import { summarise } from "./quantile.js";

interface ExplorerOptions {
  readonly visits: number;
  readonly seconds: number;
  readonly api?: string;
}

const RESULTS_FOLDER = "bench-results";
const COMMAND = fileURLToPath(new URL("../../cli/gridseal.js", import.meta.url));
const NODES = 4;
/** Ports of the demo's nodes, from its base port on: those of their APIs stand in the lines that it prints. */
const PORTS = Array.from({ length: 400 }, (_, port) => port + 1);
const START_S_MAX = 120;
const VISIT_MS_MAX = 30_000;
/** Whether it can be used: a link of the menu, a chain's block, a block that is verified. */
const moments = {
  control: "header.top nav a",
  block: ".strip .block a",
  verified: ".block.verified",
} as const;
type Moment = keyof typeof moments;

const program = new Command("explorer")
  .description("visit the explorer's first page in Chromium, each time with nothing kept, and say how long it takes")
  .option("--visits <count>", "visits", whole(1, 1_000), 11)
  .option("--seconds <count>", "how long the demo makes chains before", whole(1, 3_600), 20)
  .option("--api <url>", "a node that runs already, instead")
  .exitOverride();

interface Loaded {
  readonly name: string;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly bytes: number;
}

interface Visit {
  /** from the navigation on */
  readonly at_ms: Readonly<Record<Moment, number>>;
  readonly loaded: readonly Loaded[];
}

/** Runs in the page from its beginning on. */
const watching = `
  window.moments = {};
  const looked = ${JSON.stringify(moments)};
  new MutationObserver(() => {
    for (const [name, selector] of Object.entries(looked)) {
      if (window.moments[name] === undefined && document.querySelector(selector)) window.moments[name] = performance.now();
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });
`;
const reading = `({
  at_ms: window.moments,
  loaded: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((entry) => ({
    name: new URL(entry.name).pathname,
    start_ms: entry.startTime,
    end_ms: entry.responseEnd,
    bytes: entry.encodedBodySize,
  })),
})`;

async function run({ visits, seconds, api }: ExplorerOptions): Promise<void> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("no Chromium is here: install one, as chromium");
  const results = resolve(RESULTS_FOLDER);
  await mkdir(results, { recursive: true });
  const folder = await mkdtemp(join(results, "run-"));
  try {
    const base = api ?? (await serveChains(folder, seconds));
    const { chromium } = await import("playwright-core");
    const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
    const browser = await chromium.launch({ executablePath, args });
    const seen: Visit[] = [];
    for (let count = 0; count < visits; count += 1) seen.push(await visit(browser, base));
    await browser.close();
    report(seen);
  } finally {
    await endAllChildren();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Has the demo make chains and one of its nodes serve them; resolves with the node's address. */
async function serveChains(folder: string, seconds: number): Promise<string> {
  const data = join(folder, "demo");
  const port = await freeBasePort(PORTS);
  const log = join(folder, "demo.log");
  const asked = ["demo", "--data", data, "--nodes", `${NODES}`, "--base-port", `${port}`, "--seconds", `${seconds}`];
  const demo = startServer("the demo", process.execPath, [COMMAND, ...asked], log);
  let words = "";
  await waitFor("the demo's chains", [], START_S_MAX + seconds, async () => {
    words += demo.lastWords();
    return demo.hasEnded;
  });
  const base = /look at it at (http:\/\/\S+?)\/?\s/.exec(words)?.[1];
  if (base === undefined) throw new Error(`the demo has named no address: ${demo.lastWords()}`);
  const file = join(data, "nodes", "node-1", "node.json");
  const node = startServer("node-1", process.execPath, [COMMAND, "node", "run", file], join(folder, "node.log"));
  await waitFor("node-1", [node], START_S_MAX, () => isThere(base, node));
  return base;
}

async function isThere(base: string, node: ServerProcess): Promise<boolean> {
  if (node.hasEnded) throw new Error(`node-1 has ended: ${node.lastWords()}`);
  return fetch(`${base}/chains`).then(
    (answer) => answer.ok,
    () => false,
  );
}

async function visit(browser: Browser, base: string): Promise<Visit> {
  const page = await browser.newPage();
  try {
    await page.addInitScript(watching);
    await page.goto(`${base}/`);
    await page.waitForSelector(moments.verified, { timeout: VISIT_MS_MAX });
    return (await page.evaluate(reading)) as Visit;
  } finally {
    await page.context().close();
  }
}

function report(visits: readonly Visit[]): void {
  const rows = (Object.keys(moments) as Moment[]).map((moment) => {
    const { p50_ms, max_ms } = summarise(Float64Array.from(visits, ({ at_ms }) => at_ms[moment]));
    return [moment, p50_ms.toFixed(0), max_ms.toFixed(0)];
  });
  const { loaded, at_ms } = visits.at(-1)!;
  const before = loaded.filter(({ start_ms }) => start_ms < at_ms.verified);
  const files = before.filter(({ name }) => name === "/" || name.startsWith("/explorer/"));
  const kB = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1_000;
  printLines([
    ...pairs([
      ["visits", visits.length],
      ["page and its files", `${files.length}, ${kB.toFixed(1)} kB compressed`],
    ]),
    "",
    ...table(["from the navigation on, ms", "median", "longest"], rows),
    "",
    ...table(
      ["asked for in the last visit", "from, ms", "to, ms", "bytes"],
      before.map(({ name, start_ms, end_ms, bytes }) => [name, start_ms.toFixed(0), end_ms.toFixed(0), bytes]),
    ),
  ]);
}

try {
  await run(program.parse().opts<ExplorerOptions>());
} catch (error) {
  if (!(error instanceof CommanderError)) process.stderr.write(`explorer: ${reasonOf(error)}\n`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}
