// `gridseal demo`: the whole of Gridseal on one machine, live in the terminal.

import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { checkFrames, type Report, runDemo } from "../demo/demo.js";
import { createScreen } from "../demo/view.js";
import { GridsealError, reasonOf } from "../errors.js";
import { whole } from "../terminal/arguments.js";
import { pairs, printLines, toJson } from "../terminal/output.js";
import { stopSignal } from "../terminal/signals.js";

interface DemoCommandOptions {
  readonly seconds?: number;
  readonly data?: string;
  readonly frames?: string;
  readonly report?: string;
  readonly nodes: number;
  readonly meters: number;
  readonly basePort: number;
  readonly json?: true;
}

export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("run four nodes, six chains and six meters on this machine")
    .option("--seconds <count>", "stop by itself; without it Ctrl-C stops", whole(1, 2_000_000))
    .option("--data <dir>", "keep everything in this folder, and go on from where it stopped")
    .option("--frames <file>", "feed the meters with captured telegrams instead of emulated households")
    .option("--report <file>", "write what was published, sealed and verified as JSON")
    .option("--nodes <count>", "nodes", whole(1, 16), 4)
    .option("--meters <count>", "meters", whole(1, 64), 6)
    .option(
      "--base-port <port>",
      "first port less one; the next free ones where they are taken",
      whole(1_024, 57_000),
      9_100,
    )
    .option("--json", "print the report alone, as JSON")
    .action(demo);
}

async function demo(options: DemoCommandOptions): Promise<void> {
  const { seconds, data, frames, nodes, meters, basePort, json } = options;
  if (frames !== undefined) await checkFrames(frames);
  const silent = { show() {}, tell() {}, end() {} };
  const signal = stopSignal();
  let started: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    started = resolve;
  });
  const timeUp = ready.then(() => (seconds === undefined ? signal : wait(seconds, signal)));
  const report = await runDemo(
    { nodes, meters, data, frames, basePort },
    json ? silent : createScreen(process.stdout),
    Promise.race([signal, timeUp]),
    (lines) => {
      started();
      if (!json) printLines(lines);
    },
  );
  if (options.report !== undefined) await writeReport(options.report, report);
  printLines(json ? [toJson(report)] : summaryOf(report));
  const { lost, unasked, duplicated, published, verified } = report.records;
  if (lost > 0 || unasked > 0 || duplicated > 0 || verified < published) process.exitCode = 1;
}

/** Waits so long, or until the signal; no timer is left behind. */
async function wait(duration_s: number, signal: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, duration_s * 1_000);
    timer.unref(); // a demo that fails does not wait for it
  });
  await Promise.race([end, signal]);
  clearTimeout(timer);
}

async function writeReport(path: string, report: Report): Promise<void> {
  try {
    await writeFile(path, `${toJson(report)}\n`);
  } catch (cause) {
    throw new GridsealError("FILE_UNWRITABLE", `report ${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

function summaryOf({ records, chains, latency_ms }: Report): string[] {
  return [
    "",
    ...pairs([
      ["published", records.published],
      ["sealed", records.sealed],
      ["verified", records.verified],
      ["lost", records.lost],
      ...(records.unasked === 0 ? [] : [["not found, as no node answered", records.unasked] as const]),
      ["duplicated", records.duplicated],
      ["publish to receipt", `p50 ${latency_ms.p50} ms, p99 ${latency_ms.p99} ms`],
      ["heights", chains.map(({ service, height }) => `${service} ${height}`).join(", ")],
    ]),
  ];
}
