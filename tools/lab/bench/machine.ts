// What a result depends on besides the code: the machine, its disk and the versions of everything
// that was measured.

import { execFileSync } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { modulePath } from "../../module-path.js";
import { findProgram } from "./peers.js";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memory_bytes: number;
  readonly system: string;
  /** mean number of runnable processes in the minute before: a busy machine measures little */
  readonly load_before: number;
  /** appends of 250 bytes that the disk makes durable in a second, one after another */
  readonly synced_appends_per_s: number;
  readonly versions: Readonly<Record<string, string>>;
}

const APPEND_BYTES = 250;
const APPENDING_MS = 1_000;

/** Describes the machine; `folder` is on the disk that the nodes use. */
export async function describeMachine(folder: string): Promise<Machine> {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory_bytes: totalmem(),
    system: `${platform()} ${release()}`,
    load_before: loadavg()[0]!,
    synced_appends_per_s: measureSyncedAppends(join(folder, "appends")),
    versions: {
      gridseal: await ownVersion(),
      node: process.version,
      ...versionOf("etcd", /etcd Version: (\S+)/),
      ...versionOf("nats-server", /v([0-9.]+)/),
    },
  };
}

function measureSyncedAppends(path: string): number {
  const file = openSync(path, "w");
  const bytes = Buffer.alloc(APPEND_BYTES);
  const started_ms = performance.now();
  let appended = 0;
  let elapsed_ms = 0;
  while (elapsed_ms < APPENDING_MS) {
    writeSync(file, bytes);
    fdatasyncSync(file);
    appended += 1;
    elapsed_ms = performance.now() - started_ms;
  }
  closeSync(file);
  rmSync(path);
  return appended / (elapsed_ms / 1000);
}

/** From package.json, three folders above this module, four above the built one. */
async function ownVersion(): Promise<string> {
  for (const root of ["../../../", "../../../../"]) {
    const path = new URL(`${root}package.json`, `file://${modulePath("lab/bench/machine")}`);
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) return String((JSON.parse(text) as { readonly version: unknown }).version);
  }
  return "unknown";
}

function versionOf(program: string, pattern: RegExp): Readonly<Record<string, string>> {
  const path = findProgram(program);
  if (path === undefined) return {};
  const version = pattern.exec(execFileSync(path, ["--version"], { encoding: "utf8" }))?.[1];
  return { [program]: version ?? "unknown" };
}
