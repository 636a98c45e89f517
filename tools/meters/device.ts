// The Node half of one power cycle of a meter: answers what the agent calls (host.ts in hosts/xsnap) with real time, randomness,
// storage, timers, the meter's port and MQTT, and turns what happens to them into events. Every resource it holds ends with it.

import { randomBytes } from "node:crypto";
import {
  type Answer,
  type Call,
  type CallName,
  calls,
  decodeMessage,
  type Event,
  encodeAnswer,
  encodeFailure,
  type Fields,
} from "../../hosts/xsnap/bridge.js";
import type { Flash, KeyValue, TimeQuality } from "../../src/host.js";
import type { Line } from "../../src/meter/line.js";
import { reasonOf } from "../errors.js";
import { nodeMeterCrypto } from "./meter-crypto.js";
import { type MqttLink, openMqttLink } from "./mqtt.js";

/** What a platform's clock says: UTC in milliseconds, and how far it can be trusted (OCMF). */
export type Clock = () => { readonly time_ms: number; readonly quality: TimeQuality };

/** The way to a meter that is not asked has nothing to write; only a serial port has a line. */
export interface MeterWay {
  close(): void;
  write?(bytes: Uint8Array): void;
  setLine?(line: Line): void;
}

/** Opens the port that the configuration describes, with `line` where it is a serial one; bytes come as they arrive, until it is closed. */
export type OpenPort = (configuration: unknown, onBytes: (bytes: Uint8Array) => void, line: Line) => MeterWay;

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface MeterCounters {
  /** times the engine was started */
  starts: number;
  /** times it ended by an exception, a crash or the watchdog */
  faults: number;
  /** bytes that came in at the meter's port */
  meterBytes: number;
  /** of those, what the engine was too slow to take */
  meterBytesDropped: number;
  /** MQTT PUBLISH packets sent, those sent again included */
  publishes: number;
  /** PUBACKs received */
  acknowledgements: number;
  /** MQTT messages received */
  messages: number;
}

/** What a meter has for whoever types at its console. */
export interface ConsoleEnd {
  readonly mac: string;
  readonly settings: KeyValue;
  /** what the terminal is to show */
  onBytes(bytes: Uint8Array): void;
  /** The meter was told to start anew. */
  onRestart(): void;
}

export interface DeviceOptions {
  readonly configuration: string;
  readonly console?: ConsoleEnd;
  readonly keyValue: KeyValue;
  readonly flash: Flash;
  readonly deferral_ms: number;
  readonly clock: Clock;
  readonly counters: MeterCounters;
  readonly openPort: OpenPort;
  onState(state: string, counters: Readonly<Record<string, number>>): void;
  onLog(level: LogLevel, message: string): void;
  /** Every MQTT message that the meter publishes, repeats included, and every one that it gets. */
  onTraffic(direction: "published" | "received", topic: string, payload: Uint8Array): void;
  /** Queues an event for the agent; `taken` is called when the agent has handled it. */
  deliver(event: Event, taken?: () => void): void;
}

export interface Device {
  /** The answer to a call of the agent; a call that fails or that does not decode is answered with the reason. */
  answer(request: Uint8Array): Uint8Array;
  /** What somebody types at the console; beyond what a terminal's driver holds it is lost. */
  type(bytes: Uint8Array): void;
  closePorts(): void;
  /** Ends everything as a power cut does; no event follows. */
  powerOff(): void;
}

type CallFields<Name extends CallName> = Fields<(typeof calls)[Name]>;

/** Where the answer is empty, what the handler returns is ignored. */
type Handlers = {
  readonly [Name in CallName]: (fields: CallFields<Name>) => keyof Answer<Name> extends never ? unknown : Answer<Name>;
};

/** What a UART and its driver would hold before bytes are lost; and how much of it goes to the agent at once. */
const METER_BYTES_MAX = 65_536;
const METER_CHUNK_MAX = 4_096;
const CONSOLE_BYTES_MAX = 16_384;
const PORTS_MAX = 4;
const LINKS_MAX = 4;
const TIMERS_MAX = 256;
/** The longest delay that setTimeout takes; a longer one is waited for in steps. */
const TIMEOUT_MS_MAX = 2_147_483_647;
const RANDOM_BYTES_MAX = 4_096;
const MESSAGE_PAYLOAD_MAX = 65_536;

/** The device of one power cycle. */
export function createDevice(options: DeviceOptions): Device {
  const start_ms = performance.now();
  const ports = createPorts(options);
  const links = createLinks(options);
  const timers = createTimers(options);
  const terminal = createConsole(options);
  const { keyValue, flash } = options;

  const handlers: Handlers = {
    configuration: () => ({ text: options.configuration }),
    now: () => options.clock(),
    uptime: () => ({ uptime_ms: performance.now() - start_ms }),
    random({ length }) {
      if (length > RANDOM_BYTES_MAX)
        throw new RangeError(`at most ${RANDOM_BYTES_MAX} random bytes at once, got ${length}`);
      return { bytes: randomBytes(length) };
    },
    keyGet: ({ key }) => ({ value: keyValue.get(key) }),
    keySet: ({ key, value }) => keyValue.set(key, value),
    keyDelete: ({ key }) => keyValue.delete(key),
    flashGeometry: () => ({ size: flash.size, sectorSize: flash.sectorSize }),
    flashRead: ({ offset, length }) => ({ bytes: flash.read(offset, length) }),
    flashWrite: ({ offset, bytes }) => flash.write(offset, bytes),
    flashErase: ({ offset }) => flash.erase(offset),
    deferral: () => ({ deferral_ms: options.deferral_ms }),
    aesGcmDecrypt: ({ key, iv, aad, ciphertext, tag }) => ({
      plaintext: nodeMeterCrypto.aesGcmDecrypt(key, iv, aad, ciphertext, tag),
    }),
    aesCbcDecrypt: ({ key, iv, ciphertext }) => ({ plaintext: nodeMeterCrypto.aesCbcDecrypt(key, iv, ciphertext) }),
    ...ports.handlers,
    ...links.handlers,
    ...timers.handlers,
    ...terminal.handlers,
    log: ({ level, message }) => options.onLog(levelOf(level), message),
    showState: ({ state, counters }) => options.onState(state, JSON.parse(counters)),
  };

  return {
    answer(request) {
      try {
        const { name, fields } = decodeMessage(calls, request) as Call;
        return encodeAnswer(name, handlers[name](fields as never) as never);
      } catch (thrown) {
        return encodeFailure(reasonOf(thrown));
      }
    },
    type: terminal.type,
    closePorts: ports.closeAll,
    powerOff() {
      ports.closeAll();
      links.cutAll();
      timers.clearAll();
    },
  };
}

function createPorts({ openPort, counters, deliver, onLog }: DeviceOptions) {
  const open = new Map<number, MeterWay>();
  let held = 0;

  function receive(port: number, bytes: Uint8Array): void {
    counters.meterBytes += bytes.length;
    for (let at = 0; at < bytes.length; at += METER_CHUNK_MAX) {
      const chunk = bytes.subarray(at, at + METER_CHUNK_MAX);
      if (held + chunk.length > METER_BYTES_MAX) {
        counters.meterBytesDropped += bytes.length - at;
        return;
      }
      held += chunk.length;
      deliver({ name: "meterBytes", fields: { port, bytes: chunk } }, () => {
        held -= chunk.length;
      });
    }
  }

  return {
    handlers: {
      openMeter({ port, configuration, ...line }: CallFields<"openMeter">) {
        if (open.size >= PORTS_MAX) throw new Error(`a meter has at most ${PORTS_MAX} ports`);
        try {
          open.set(
            port,
            openPort(JSON.parse(configuration), (bytes) => receive(port, bytes), lineFrom(line)),
          );
        } catch (thrown) {
          // As on a chip, a port with nothing behind it is silent: the agent's health shows it as no meter.
          onLog("error", `meter port does not open: ${reasonOf(thrown)}`);
        }
      },
      meterWrite: ({ port, bytes }: CallFields<"meterWrite">) => open.get(port)?.write?.(bytes),
      meterLine: ({ port, ...line }: CallFields<"meterLine">) => open.get(port)?.setLine?.(lineFrom(line)),
    },
    closeAll(): void {
      for (const port of open.values()) port.close();
      open.clear();
    },
  };
}

function lineFrom({ baud, dataBits, parity }: Omit<CallFields<"meterLine">, "port">): Line {
  return { baud, dataBits: dataBits === 7 ? 7 : 8, parity: parity === "even" ? "even" : "none" };
}

function createLinks({ counters, deliver, onLog, onTraffic, console }: DeviceOptions) {
  const links = new Map<number, MqttLink>();

  function linkOf(connection: number): MqttLink | undefined {
    return links.get(connection);
  }

  function open({ connection, ...fields }: CallFields<"mqttConnect">): void {
    if (links.size >= LINKS_MAX) throw new Error(`a meter has at most ${LINKS_MAX} MQTT connections`);
    const { willTopic: topic, willPayload: payload, username, password } = fields;
    const ca = console?.settings.get("brokerCa");
    const settings = {
      url: fields.url,
      clientId: fields.clientId,
      keepAlive_s: fields.keepAlive_s,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(topic === undefined || payload === undefined ? {} : { will: { topic, payload } }),
      ...(ca !== undefined && { ca }),
    };
    const link = openMqttLink(settings, {
      onConnected: () => deliver({ name: "mqttConnected", fields: { connection } }),
      onPublished(packetId) {
        counters.acknowledgements += 1;
        deliver({ name: "mqttPublished", fields: { connection, packetId } });
      },
      onMessage(topic, payload, taken) {
        counters.messages += 1;
        onTraffic("received", topic, payload);
        if (payload.length <= MESSAGE_PAYLOAD_MAX)
          return deliver({ name: "mqttMessage", fields: { connection, topic, payload } }, taken);
        onLog(
          "warn",
          `MQTT message of ${payload.length} bytes on ${topic} dropped: at most ${MESSAGE_PAYLOAD_MAX} fit`,
        );
        taken();
      },
      onClosed(reason) {
        links.delete(connection);
        deliver({ name: "mqttClosed", fields: { connection, reason } });
      },
    });
    links.set(connection, link);
  }

  return {
    handlers: {
      mqttConnect: (fields: CallFields<"mqttConnect">) => open(fields),
      mqttPublish({ connection, packetId, topic, payload, duplicate }: CallFields<"mqttPublish">) {
        const accepted = linkOf(connection)?.publish(packetId, topic, payload, duplicate) ?? false;
        if (accepted) {
          counters.publishes += 1;
          onTraffic("published", topic, payload);
        }
        return { accepted };
      },
      mqttSubscribe: ({ connection, topics }: CallFields<"mqttSubscribe">) => linkOf(connection)?.subscribe(topics),
      mqttClose: ({ connection }: CallFields<"mqttClose">) => linkOf(connection)?.close(),
    },
    cutAll(): void {
      for (const link of links.values()) link.cut();
      links.clear();
    },
  };
}

function createTimers({ deliver }: DeviceOptions) {
  const timers = new Map<string, NodeJS.Timeout>();

  function clear(name: string): void {
    clearTimeout(timers.get(name));
    timers.delete(name);
  }

  function wait(name: string, setting: number, delay_ms: number): void {
    const step_ms = Math.min(delay_ms, TIMEOUT_MS_MAX);
    const timer = setTimeout(() => {
      if (delay_ms > step_ms) return wait(name, setting, delay_ms - step_ms);
      timers.delete(name);
      deliver({ name: "timer", fields: { name, setting } });
    }, step_ms);
    timers.set(name, timer);
  }

  return {
    handlers: {
      setTimer({ name, setting, delay_ms }: CallFields<"setTimer">) {
        if (Number.isNaN(delay_ms)) throw new RangeError(`timer ${name} has no delay`);
        clear(name);
        if (timers.size >= TIMERS_MAX) throw new Error(`a meter has at most ${TIMERS_MAX} timers`);
        wait(name, setting, Math.max(0, delay_ms));
      },
      clearTimer: ({ name }: CallFields<"clearTimer">) => clear(name),
    },
    clearAll(): void {
      for (const name of [...timers.keys()]) clear(name);
    },
  };
}

function createConsole({ console: end, deliver }: DeviceOptions) {
  let held = 0;

  function there(): ConsoleEnd {
    if (end === undefined) throw new Error("this meter has no console");
    return end;
  }

  return {
    handlers: {
      settingGet: ({ name }: CallFields<"settingGet">) => ({ value: there().settings.get(name) }),
      settingSet: ({ name, value }: CallFields<"settingSet">) => there().settings.set(name, value),
      settingDelete: ({ name }: CallFields<"settingDelete">) => there().settings.delete(name),
      mac: () => ({ mac: there().mac }),
      consoleWrite: ({ bytes }: CallFields<"consoleWrite">) => there().onBytes(bytes),
      restart: () => there().onRestart(),
    },
    type(bytes: Uint8Array): void {
      if (held + bytes.length > CONSOLE_BYTES_MAX) return;
      held += bytes.length;
      deliver({ name: "consoleBytes", fields: { bytes } }, () => {
        held -= bytes.length;
      });
    },
  };
}

function levelOf(level: string): LogLevel {
  return level === "debug" || level === "info" || level === "warn" ? level : "error";
}
