// `gridseal meter run`: one meter in an XS engine on this machine, against any broker, its readings
// from wherever they come.

import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { isComplaint, readConfiguration } from "../../../src/agent/configuration.js";
import type { MeterConfiguration } from "../../../src/agent/meter-configuration.js";
import type { MeterFeed } from "../../emulators/serve.js";
import { GridsealError } from "../../errors.js";
import type { Meter } from "../../meters/meter.js";
import { type EmulatorPort, type MeterPort, parsePort } from "../../meters/ports/port-configuration.js";
import { several, whole } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { stopSignal } from "../../terminal/signals.js";

interface MeterOptions {
  readonly port?: string;
  readonly frames?: string;
  readonly serial?: string;
  readonly baud?: number;
  readonly parity?: string;
  readonly tcp?: string;
  readonly emulator?: true;
  readonly interval?: number;
  readonly broker?: readonly string[];
  readonly console?: true;
  readonly json?: true;
}

const INTERVAL_MS = 1_000;
const SAY_EVERY_MS = 60_000;

export function registerRun(meter: Command): void {
  meter
    .command("run")
    .description("run a meter until SIGINT or SIGTERM")
    .argument("<dir>", "the meter's folder")
    .option("--port <json>", "where its readings come from, instead of its configuration's port")
    .option("--frames <file>", "readings from a capture, one telegram after the other")
    .option("--serial <path>", "readings from a serial port")
    .option("--baud <rate>", "speed of the serial port", whole(300, 115_200))
    .option("--parity <kind>", "parity of the serial port: none or even")
    .option("--tcp <host:port>", "readings from a TCP gateway")
    .option("--emulator", "readings from an emulated household")
    .option("--interval <ms>", "between telegrams of --frames or --emulator", whole(1, 3_600_000))
    .option("--broker <url>", "broker instead of the configuration's (repeatable)", several)
    .option("--console", "offer the field engineer's console on a pseudo-terminal, as a chip's serial port does")
    .option("--json", "print JSON lines")
    .action(run);
}

async function run(directory: string, options: MeterOptions): Promise<void> {
  // The engine and its broker are for this one alone of the noun's commands.
  const [{ startMeter }, { openPort }, { servePty }] = await Promise.all([
    import("../../meters/meter.js"),
    import("../../emulators/port.js"),
    import("../../emulators/serve.js"),
  ]);
  const name = basename(resolve(directory));
  const override = portOf(options);
  const print = options.json ? jsonPrinter(name) : textPrinter(name);
  let show: (bytes: Uint8Array) => void = () => {};
  const meter = await startMeter({
    name,
    directory,
    adapt: (document) => withOptions(document, override, options.broker),
    openPort: (configured, onBytes, line) =>
      openPort(parsePort(configured), onBytes, (error) => print.log("warn", error.message), line),
    onState: options.json ? print.state : seldom(print.state),
    onLog: print.log,
    ...(options.console && { onConsole: (bytes: Uint8Array) => show(bytes) }),
  });
  const terminal = options.console && (await servePty(feedOf(meter, (onBytes) => (show = onBytes))));
  if (terminal) print.console(terminal.path);
  await Promise.race([stopSignal(), meter.exit]);
  await meter.stop();
  await terminal?.close();
}

/** Where nobody watches, as in a journal, a state that stays is said once a minute. */
export function seldom(say: Printer["state"], isWatched = process.stdout.isTTY === true): Printer["state"] {
  if (isWatched) return say;
  let last: { readonly state: string; readonly at_ms: number } | undefined;
  return (state, counters) => {
    const now_ms = performance.now();
    if (last?.state === state && now_ms - last.at_ms < SAY_EVERY_MS) return;
    last = { state, at_ms: now_ms };
    say(state, counters);
  };
}

/** The console as what stands at the other end of a pseudo-terminal. */
function feedOf(meter: Meter, onOpened: (show: (bytes: Uint8Array) => void) => void): MeterFeed {
  return (onBytes) => {
    onOpened(onBytes);
    return { close() {}, write: meter.type };
  };
}

/**
 * The port that the options name instead of the configuration's. Throws USAGE where they name
 * several, CONFIGURATION_REFUSED with the option where it names none that can be read.
 */
export function portOf(options: MeterOptions): MeterPort | undefined {
  try {
    return namedPort(options);
  } catch (thrown) {
    if (!(thrown instanceof GridsealError && thrown.code === "CONFIGURATION_INVALID")) throw thrown;
    const option = (["port", "frames", "serial", "tcp", "emulator"] as const).find(
      (name) => options[name] !== undefined,
    );
    throw new GridsealError("CONFIGURATION_REFUSED", `--${option}: ${thrown.message}`, { cause: thrown });
  }
}

function namedPort(options: MeterOptions): MeterPort | undefined {
  const { port, frames, serial, tcp, emulator, interval = INTERVAL_MS } = options;
  const named = [port, frames, serial, tcp, emulator].filter((option) => option !== undefined);
  if (named.length > 1) {
    throw new GridsealError("USAGE", "name one of --port, --frames, --serial, --tcp and --emulator");
  }
  if (port !== undefined) return parsePort(jsonOf(port));
  if (frames !== undefined) return parsePort({ kind: "file", path: frames, interval_ms: interval });
  if (serial !== undefined) {
    const { baud, parity } = options;
    return parsePort({ kind: "serial", path: serial, ...(baud && { baud }), ...(parity && { parity }) });
  }
  if (tcp !== undefined) {
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(tcp) ?? [];
    if (host === undefined) {
      throw new GridsealError(
        "CONFIGURATION_INVALID",
        `${tcp}: expected a host and a port, as 127.0.0.1:2000 or [::1]:2000`,
      );
    }
    return parsePort({ kind: "tcp", host: host.replace(/^\[|\]$/g, ""), port: Number(port) });
  }
  return emulator ? parsePort({ kind: "emulator", seed: 1, interval_ms: interval }) : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GridsealError("USAGE", `--port ${text} is no JSON`);
  }
}

function withOptions(document: string, port: MeterPort | undefined, brokers: readonly string[] | undefined): string {
  if (port === undefined && brokers === undefined) return document;
  const configuration = readConfiguration(document);
  // The agent refuses the document itself, with its path and reason.
  if (isComplaint(configuration)) return document;
  const { meter } = configuration;
  return JSON.stringify({
    ...configuration,
    ...(brokers !== undefined && { brokers }),
    ...(port !== undefined && { meter: { ...meter, port: port.kind === "emulator" ? emulatorOf(meter, port) : port } }),
  });
}

/** An emulated meter speaks what the configuration expects, unless `--port` says otherwise. */
function emulatorOf({ protocol, request, keys, pulse }: MeterConfiguration, port: EmulatorPort): EmulatorPort {
  return {
    ...(protocol !== "auto" && { protocol }),
    ...(request !== undefined && { request: true }),
    ...keys,
    ...(pulse !== undefined && { impulses_per_kWh: pulse.impulses_per_kWh }),
    ...port,
  };
}

interface Printer {
  console(path: string): void;
  state(state: string, counters: Readonly<Record<string, number>>): void;
  log(level: string, message: string): void;
}

function jsonPrinter(meter: string): Printer {
  const line = (fields: object) => printLines([toJson({ time: new Date().toISOString(), meter, ...fields })]);
  return {
    console: (path) => line({ console: path }),
    state: (state, counters) => line({ state, counters }),
    log: (level, message) => line({ level, message }),
  };
}

function textPrinter(meter: string): Printer {
  const line = (text: string) => printLines([`${new Date().toISOString()} ${meter} ${text}`]);
  return {
    console: (path) => line(`console ${path}`),
    state(state, counters) {
      const counts = Object.entries(counters).filter(([, count]) => count !== 0);
      line(`${state}: ${counts.map(([name, count]) => `${name} ${count}`).join(", ")}`);
    },
    log(level, message) {
      if (level !== "debug") line(`${level} ${message}`);
    },
  };
}
