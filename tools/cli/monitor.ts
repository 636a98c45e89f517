// `gridseal monitor`: supervises a network without a key, for as long as it runs.

import type { Command } from "commander";
import { GridsealError, reasonOf } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { type AlarmTopics, openAlarmTopics, PASSWORD_VARIABLE } from "../monitor/alarm-topic.js";
import { openDesk } from "../monitor/desk.js";
import { writeDeskToken } from "../monitor/desk-token.js";
import { openMarks } from "../monitor/marks.js";
import { genesisName, startMonitor } from "../monitor/monitor.js";
import { createOutlet } from "../monitor/outlet.js";
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
  readonly mqtt?: string;
  readonly metrics?: number;
  readonly seconds?: number;
}

export function registerMonitor(program: Command): void {
  program
    .command("monitor")
    .description("follow every chain of several nodes, audit as it goes, and alarm of what differs")
    .requiredOption("--api <url...>", "APIs of the nodes")
    .requiredOption("--genesis <file>", "the network's genesis")
    .option("--state <dir>", "folder that remembers how far was audited, and has the token to acknowledge alarms by")
    .option("--as <dir>", "folder of who may read chains, where nodes ask for a session token")
    .option("--token-file <file>", `a token, or lines of URL and token, read each time; or ${TOKEN_VARIABLE} has one`)
    .option("--webhook <url>", "post each alarm there as JSON, too")
    .option("--mqtt <url>", `publish each alarm at this broker, too; ${PASSWORD_VARIABLE} has its user's password`)
    .option("--metrics <port>", "serve metrics and alarms on this port of the machine", whole(0, 65_535))
    .option("--seconds <count>", "stop by itself; without it Ctrl-C stops", whole(1, 2_000_000))
    .action(monitor);
}

async function monitor(options: MonitorCommandOptions): Promise<void> {
  const { genesis } = await readGenesisFile(options.genesis);
  const nodes = options.api.map(baseOf);
  const tokenFor = await tokenSource(options, process.env);
  const marks = await openMarks(options.state, genesis.hash);
  const token = options.state === undefined ? undefined : await writeDeskToken(options.state);
  const { mqtt, webhook } = options;
  const topics = mqtt === undefined ? undefined : openTopics(mqtt, genesis.network);
  const say = complain;
  const outlets = [
    ...(webhook === undefined
      ? []
      : [createOutlet({ name: `the webhook ${webhook}`, deliver: (line) => post(webhook, line), say })]),
    ...(topics === undefined ? [] : [createOutlet({ name: "the broker", deliver: topics.publish, say })]),
  ];
  const stopping = new AbortController();
  const running = startMonitor({
    ...{ genesis, nodes, tokenFor, marks, signal: stopping.signal },
    onTold: (told) => report(told, outlets),
    onTrouble: complain,
  });
  const desk = options.metrics === undefined ? undefined : await opened(options.metrics, running, token);
  const begun = {
    time: new Date().toISOString(),
    network: genesis.network,
    isTest: genesis.isTest,
    genesis: genesisName(genesis),
    nodes,
  };
  printLines([JSON.stringify({ ...begun, ...(desk !== undefined && { metrics: desk.port }) })]);
  await Promise.race([stopSignal(), ...(options.seconds === undefined ? [] : [after(options.seconds)])]);
  stopping.abort();
  desk?.server.closeAllConnections();
  desk?.server.close();
  await running.ended;
  await topics?.close();
}

/** Throws USAGE where the URL is no broker's. */
function openTopics(url: string, network: string): AlarmTopics {
  const isBroker = URL.canParse(url) && /^(mqtts?|wss?):$/.test(new URL(url).protocol);
  if (!isBroker) throw new GridsealError("USAGE", `${url} is no address of a broker: mqtt://HOST:PORT is one`);
  return openAlarmTopics({ url, network, password: process.env[PASSWORD_VARIABLE], say: complain });
}

/** Standard output has each alarm as a line of JSON, whatever becomes of it on the other ways. */
function report(told: Told, outlets: readonly ReturnType<typeof createOutlet>[]): void {
  const line = alarmLine(told, new Date());
  printLines([JSON.stringify(line)]);
  for (const send of outlets) void send(line);
}

function complain(reason: string): void {
  printNote(`gridseal: ${reason}`);
}

async function opened(port: number, running: ReturnType<typeof startMonitor>, token: string | undefined) {
  try {
    return await openDesk(port, running, token);
  } catch (cause) {
    throw new GridsealError("PORT_UNAVAILABLE", `metrics cannot be served on port ${port}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function after(duration_s: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration_s * 1_000).unref());
}
