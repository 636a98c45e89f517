// Makes a chain in headless Chromium: a server of its own gives it the page, the script and the engine, and hears the result.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readEngine } from "../../node/contracts/sandbox.js";
import type { MadeChain } from "./chain.js";

const RESULT_BYTES_MAX = 65_536;

/** Where Chromium is; undefined where there is none. */
export function findChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((file) => existsSync(file));
}

/** The chain that the browser makes. Rejects where it ends without one. */
export async function makeChainInChromium(
  chromium: string,
  { seed, blocks }: { readonly seed: number; readonly blocks: number },
): Promise<MadeChain> {
  const [script, wasm] = [await bundled(), await readEngine()];
  const page = `<!doctype html><script type="module" src="/page.js?seed=${seed}&blocks=${blocks}"></script>`;
  const folder = await mkdtemp(join(tmpdir(), "gridseal-chromium-"));
  let stop = async () => {};
  try {
    return await new Promise<MadeChain>((resolve, reject) => {
      const files = new Map([
        ["/", { type: "text/html", content: page }],
        ["/page.js", { type: "text/javascript", content: script }],
        ["/engine.wasm", { type: "application/wasm", content: wasm }],
      ]);
      const server = createServer((request, response) => {
        const path = request.url?.split("?")[0] ?? "";
        const file = files.get(path);
        if (file !== undefined) response.setHeader("content-type", file.type);
        response.end(file?.content);
        if (path === "/result") hear(request).then(resolve, reject);
      });
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo;
        const browser = start(chromium, folder, `http://127.0.0.1:${port}/`);
        browser.once("error", reject);
        browser.once("exit", (code) => reject(new Error(`chromium ended with ${code} before it told anything`)));
        stop = async () => {
          await ended(browser);
          server.closeAllConnections();
          server.close();
        };
      });
    });
  } finally {
    await stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The page's script: everything that it runs but the engine's binary. */
async function bundled(): Promise<string> {
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [fileURLToPath(new URL("./page.ts", import.meta.url))],
    ...{ bundle: true, write: false, format: "esm", platform: "browser", target: "es2023", logLevel: "silent" },
  });
  return result.outputFiles[0]!.text;
}

function start(chromium: string, folder: string, address: string): ChildProcess {
  // As root in a container its own sandbox does not start; what it loads is our own page.
  const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  return spawn(chromium, [...quiet, `--user-data-dir=${folder}`, address], { stdio: "ignore" });
}

async function ended(browser: ChildProcess): Promise<void> {
  if (browser.exitCode !== null || browser.pid === undefined) return;
  const exited = new Promise((resolve) => browser.once("exit", resolve));
  browser.kill("SIGKILL");
  await exited;
}

async function hear(request: IncomingMessage): Promise<MadeChain> {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) {
    text += piece;
    if (text.length > RESULT_BYTES_MAX) throw new Error("the page tells too much");
  }
  const told = JSON.parse(text) as MadeChain | { readonly fault: string };
  if ("fault" in told) throw new Error(`the page failed: ${told.fault}`);
  return told;
}
