// A meter that runs in a real XS engine on this machine: a folder with its configuration, keys and outbox, a port with readings,
// and an engine that is started again when it fails, as a watchdog resets a chip.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { KeyValue } from "../../src/host.js";
import { GridsealError, reasonOf } from "../errors.js";
import { lockFolder } from "../files/lock.js";
import { closeFolder, refuseExposed } from "../files/private-files.js";
import type { Clock, LogLevel, MeterCounters, OpenPort } from "./device.js";
import { type Engine, powerOn } from "./engine.js";
import { defaultGeometry, type FlashFile, type FlashGeometry, openFlash } from "./flash.js";
import { openKeyValue } from "./key-value.js";
import { meterProgram, namePlaces } from "./program.js";
import { macOf, openSettings } from "./settings.js";

export interface MeterOptions {
  /** for logs and the process list */
  readonly name: string;
  /** holds configuration.json; keyvalue/ and outbox.flash are made in it */
  readonly directory: string;
  readonly openPort: OpenPort;
  /** what to run with instead of the folder's configuration.json, which it is given at each start */
  readonly adapt?: (document: string) => string;
  /** The meter has a console, of which the terminal is to show this; its folder may be empty then, and a configuration refused. */
  onConsole?(bytes: Uint8Array): void;
  /** the system's clock, taken for synchronised, where absent */
  readonly clock?: Clock;
  readonly flash?: FlashGeometry;
  /** how long the certificate of a receipt may wait to be checked; not at all where absent, as a check takes this machine little */
  readonly deferral_ms?: number;
  /** the script to run instead of the agent, from `buildMeterBundle` */
  readonly program?: string;
  /** The agent's state in a few words and its own counters, each time it shows them. */
  onState?(state: string, counters: Readonly<Record<string, number>>): void;
  onLog?(level: LogLevel, message: string): void;
  /** Every MQTT message that the meter publishes, repeats included, and every one that it gets. */
  onTraffic?(direction: "published" | "received", topic: string, payload: Uint8Array): void;
}

export interface Meter {
  readonly name: string;
  readonly directory: string;
  /** of the engine's process; undefined while it is being started again */
  readonly pid: number | undefined;
  readonly counters: Readonly<MeterCounters>;
  /** Resolves when the meter was stopped or killed. */
  readonly exit: Promise<void>;
  /** Somebody types at the console. */
  type(bytes: Uint8Array): void;
  /** Closes the meter's port: no new readings come once the agent has handled what had arrived, and this resolves; what waits in the outbox goes on being published. */
  pauseMeter(): Promise<void>;
  /** Closes the port, lets the agent handle what has arrived, and switches the meter off. */
  stop(): Promise<void>;
  /** Switches the meter off at once, as a power cut does. To see it come back by itself, kill its process instead. */
  kill(): void;
}

interface Store {
  readonly keyValue: KeyValue;
  readonly flash: FlashFile;
  close(): Promise<void>;
}

/** What the agent shows where it does not start (src/agent/shell.ts). */
const CONFIGURATION_REFUSED = "configuration refused";
const RESTART_MS_MIN = 1_000;
const RESTART_ASKED_MS = 200;
const RESTART_MS_MAX = 30_000;
/** A cycle that lasted so long was a good one: the next restart is a quick one again. */
const STEADY_MS = 60_000;

/**
 * Starts a meter; resolves when its agent runs. Rejects with a GridsealError where its folder cannot be used, is in use, or the
 * agent refuses its configuration; from then on it starts again by itself after whatever ends its engine.
 */
export async function startMeter(options: MeterOptions): Promise<Meter> {
  const { name, directory } = options;
  const program = options.program ?? (await meterProgram());
  const hasConsole = options.onConsole !== undefined;
  const configuration = (): string => {
    const isThere = !hasConsole || existsSync(join(directory, "configuration.json"));
    const document = isThere ? readMeterConfiguration(directory) : "";
    return options.adapt?.(document) ?? document;
  };
  if (!hasConsole) configuration();
  const store = await openStore(directory, options.flash ?? defaultGeometry);
  const counters = noCounts();
  const onLog = (level: LogLevel, message: string) => options.onLog?.(level, message);
  let isPaused = false;
  /** what it logged last before it showed that it refuses its configuration: which field, and why */
  let lastError = "";
  let isRefused = false;
  const supervisor = supervise({
    powerOn: (onFault) =>
      powerOn({
        ...store,
        configuration: configuration(),
        ...(options.onConsole !== undefined && {
          console: {
            mac: macOf(directory),
            settings: openSettings(directory),
            onBytes: options.onConsole,
            onRestart: () => supervisor.restart(),
          },
        }),
        name,
        program,
        counters,
        deferral_ms: options.deferral_ms ?? 0,
        clock: options.clock ?? systemClock,
        openPort: (port, onBytes, line) => (isPaused ? { close() {} } : options.openPort(port, onBytes, line)),
        onState(state, agentCounters) {
          isRefused = state === CONFIGURATION_REFUSED;
          options.onState?.(state, agentCounters);
        },
        onLog(level, message) {
          if (level === "error") lastError = message;
          onLog(level, message);
        },
        onTraffic: (direction, topic, payload) => options.onTraffic?.(direction, topic, payload),
        onFault: (reason) => onFault(namePlaces(program, reason)),
      }),
    onStart: () => {
      counters.starts += 1;
    },
    onFault(reason, restart_ms) {
      counters.faults += 1;
      onLog("error", `meter ${name} failed and starts again in ${restart_ms} ms: ${reason}`);
    },
    onOff: store.close,
  });
  try {
    await supervisor.started;
  } catch (thrown) {
    supervisor.switchOff();
    await supervisor.exit;
    if (thrown instanceof GridsealError) throw thrown;
    const reason = namePlaces(program, reasonOf(thrown));
    throw new GridsealError("CONFIGURATION_INVALID", `meter ${name} in ${directory} does not start: ${reason}`);
  }
  if (isRefused && !hasConsole) {
    // A chip stays on, for its console to set it right.
    supervisor.switchOff();
    await supervisor.exit;
    throw new GridsealError("CONFIGURATION_REFUSED", `meter ${name} in ${directory}: ${lastError}`);
  }

  async function pauseMeter(): Promise<void> {
    isPaused = true;
    supervisor.engine?.closePorts();
    await supervisor.engine?.idle();
  }

  return {
    name,
    directory,
    counters,
    exit: supervisor.exit,
    get pid() {
      return supervisor.engine?.pid;
    },
    type: (bytes) => supervisor.engine?.type(bytes),
    pauseMeter,
    async stop() {
      await pauseMeter();
      supervisor.switchOff();
      await supervisor.exit;
    },
    kill: supervisor.switchOff,
  };
}

interface Supervision {
  powerOn(onFault: (reason: string) => void): Engine;
  onStart(): void;
  /** A cycle ended by itself; the next begins in `restart_ms`. */
  onFault(reason: string, restart_ms: number): void;
  /** The last cycle is over. */
  onOff(): Promise<void>;
}

/** Keeps an engine running from the first start that succeeds until it is switched off. */
function supervise({ powerOn, onStart, onFault, onOff }: Supervision) {
  let engine: Engine | undefined;
  let timer: NodeJS.Timeout | undefined;
  let restart_ms = RESTART_MS_MIN;
  let hasStarted = false;
  let isOff = false;
  let off: () => void = () => {};
  const exit = new Promise<void>((resolve) => {
    off = resolve;
  });

  async function start(): Promise<void> {
    const started_ms = performance.now();
    onStart();
    engine = powerOn((reason) => {
      engine = undefined;
      if (!hasStarted) return;
      if (performance.now() - started_ms >= STEADY_MS) restart_ms = RESTART_MS_MIN;
      onFault(reason, restart_ms);
      timer = setTimeout(startAgain, restart_ms);
      restart_ms = Math.min(2 * restart_ms, RESTART_MS_MAX);
    });
    await engine.started;
    hasStarted = true;
  }

  /** What makes it fail has been reported as a fault. */
  function startAgain(): void {
    start().catch(() => {});
  }

  return {
    started: start(),
    exit,
    get engine() {
      return engine;
    },
    /** Soon, so that what asks for it is answered first. */
    restart(): void {
      clearTimeout(timer);
      timer = setTimeout(() => {
        engine?.powerOff();
        startAgain();
      }, RESTART_ASKED_MS);
    },
    switchOff(): void {
      if (isOff) return;
      isOff = true;
      clearTimeout(timer);
      engine?.powerOff();
      engine = undefined;
      void onOff().then(off);
    },
  };
}

async function openStore(directory: string, geometry: FlashGeometry): Promise<Store> {
  await closeFolder(directory);
  await refuseExposed(join(directory, "keyvalue/seed"));
  const unlock = await lockFolder(directory, "meter");
  try {
    const keyValue = openKeyValue(join(directory, "keyvalue"));
    const flash = openFlash(join(directory, "outbox.flash"), geometry);
    return {
      keyValue,
      flash,
      close() {
        flash.close();
        return unlock();
      },
    };
  } catch (thrown) {
    await unlock();
    throw thrown;
  }
}

/** The text of a meter's configuration.json. Throws FILE_UNREADABLE. */
function readMeterConfiguration(directory: string): string {
  const path = join(directory, "configuration.json");
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new GridsealError("FILE_UNREADABLE", `the meter's configuration ${path} cannot be read: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function systemClock(): { readonly time_ms: number; readonly quality: 2 } {
  return { time_ms: Date.now(), quality: 2 };
}

function noCounts(): MeterCounters {
  return {
    starts: 0,
    faults: 0,
    meterBytes: 0,
    meterBytesDropped: 0,
    publishes: 0,
    acknowledgements: 0,
    messages: 0,
  };
}
