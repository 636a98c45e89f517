// `gridseal monitor`: supervises a network without a key, for as long as it runs.

import type { Command } from "commander";
import { GridsealError, reasonOf } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { genesisName, startMonitor } from "../monitor/monitor.js";
import { alarmLine, post, serveMetrics } from "../monitor/outputs.js";
import type { Told } from "../monitor/watch.js";
import { baseOf } from "../sources/client.js";
import { whole } from "../terminal/arguments.js";
import { printLines } from "../terminal/output.js";
import { stopSignal } from "../terminal/signals.js";

interface MonitorCommandOptions {
  readonly api: readonly string[];
  readonly genesis: string;
  readonly webhook?: string;
  readonly metrics?: number;
  readonly seconds?: number;
}

export function registerMonitor(program: Command): void {
  program
    .command("monitor")
    .description("follow every chain of several nodes, audit as it goes, and alarm of what differs")
    .requiredOption("--api <url...>", "APIs of the nodes")
    .requiredOption("--genesis <file>", "the network's genesis")
    .option("--webhook <url>", "post each alarm there as JSON, too")
    .option("--metrics <port>", "serve metrics for Prometheus on this port of the machine", whole(0, 65_535))
    .option("--seconds <count>", "stop by itself; without it Ctrl-C stops", whole(1, 2_000_000))
    .action(monitor);
}

async function monitor(options: MonitorCommandOptions): Promise<void> {
  const { genesis } = await readGenesisFile(options.genesis);
  const nodes = options.api.map(baseOf);
  const stopping = new AbortController();
  const onTold = (told: Told) => void report(told, options.webhook);
  const running = startMonitor({ genesis, nodes, signal: stopping.signal, onTold });
  const metrics = options.metrics === undefined ? undefined : await served(options.metrics, running);
  const begun = { time: new Date().toISOString(), network: genesis.network, genesis: genesisName(genesis), nodes };
  printLines([JSON.stringify({ ...begun, ...(metrics !== undefined && { metrics: metrics.port }) })]);
  await Promise.race([stopSignal(), ...(options.seconds === undefined ? [] : [after(options.seconds)])]);
  stopping.abort();
  metrics?.server.closeAllConnections();
  metrics?.server.close();
  await running.ended;
}

/** Standard output has each alarm as a line of JSON, whatever becomes of the webhook. */
async function report(told: Told, webhook: string | undefined): Promise<void> {
  const line = alarmLine(told, new Date());
  printLines([JSON.stringify(line)]);
  const reason = webhook === undefined ? undefined : await post(webhook, line);
  if (reason !== undefined)
    process.stderr.write(`gridseal: the webhook ${webhook} does not take an alarm: ${reason}\n`);
}

async function served(port: number, running: ReturnType<typeof startMonitor>) {
  try {
    return await serveMetrics(port, running);
  } catch (cause) {
    throw new GridsealError("PORT_UNAVAILABLE", `metrics cannot be served on port ${port}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function after(duration_s: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration_s * 1_000).unref());
}
