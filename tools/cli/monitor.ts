// `gridseal monitor`: supervises a network without a key, for as long as it runs.

import type { Command } from "commander";
import { GridsealError, reasonOf } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { openDesk } from "../monitor/desk.js";
import { openMarks } from "../monitor/marks.js";
import { genesisName, startMonitor } from "../monitor/monitor.js";
import { alarmLine, post } from "../monitor/outputs.js";
import { TOKEN_VARIABLE, type TokenOptions, tokenSource } from "../monitor/tokens.js";
import type { Told } from "../monitor/watch.js";
import { baseOf } from "../sources/client.js";
import { whole } from "../terminal/arguments.js";
import { printLines, printNote } from "../terminal/output.js";
import { stopSignal } from "../terminal/signals.js";

interface MonitorCommandOptions extends TokenOptions {
  readonly api: readonly string[];
  readonly genesis: string;
  readonly state?: string;
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
    .option("--state <dir>", "folder that remembers how far was audited, so that a restart verifies no signature again")
    .option("--as <dir>", "folder of who may read chains, where nodes ask for a session token")
    .option("--token-file <file>", `a token, or lines of URL and token, read each time; or ${TOKEN_VARIABLE} has one`)
    .option("--webhook <url>", "post each alarm there as JSON, too")
    .option("--metrics <port>", "serve metrics and alarms on this port of the machine", whole(0, 65_535))
    .option("--seconds <count>", "stop by itself; without it Ctrl-C stops", whole(1, 2_000_000))
    .action(monitor);
}

async function monitor(options: MonitorCommandOptions): Promise<void> {
  const { genesis } = await readGenesisFile(options.genesis);
  const nodes = options.api.map(baseOf);
  const tokenFor = await tokenSource(options, process.env);
  const marks = await openMarks(options.state, genesis.hash);
  const stopping = new AbortController();
  const running = startMonitor({
    ...{ genesis, nodes, tokenFor, marks, signal: stopping.signal },
    onTold: (told) => void report(told, options.webhook),
    onTrouble: complain,
  });
  const desk = options.metrics === undefined ? undefined : await opened(options.metrics, running);
  const begun = { time: new Date().toISOString(), network: genesis.network, genesis: genesisName(genesis), nodes };
  printLines([JSON.stringify({ ...begun, ...(desk !== undefined && { metrics: desk.port }) })]);
  await Promise.race([stopSignal(), ...(options.seconds === undefined ? [] : [after(options.seconds)])]);
  stopping.abort();
  desk?.server.closeAllConnections();
  desk?.server.close();
  await running.ended;
}

/** Standard output has each alarm as a line of JSON, whatever becomes of the webhook. */
async function report(told: Told, webhook: string | undefined): Promise<void> {
  const line = alarmLine(told, new Date());
  printLines([JSON.stringify(line)]);
  const reason = webhook === undefined ? undefined : await post(webhook, line);
  if (reason !== undefined) complain(`the webhook ${webhook} does not take an alarm: ${reason}`);
}

function complain(reason: string): void {
  printNote(`gridseal: ${reason}`);
}

async function opened(port: number, running: ReturnType<typeof startMonitor>) {
  try {
    return await openDesk(port, running);
  } catch (cause) {
    throw new GridsealError("PORT_UNAVAILABLE", `metrics cannot be served on port ${port}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function after(duration_s: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration_s * 1_000).unref());
}
