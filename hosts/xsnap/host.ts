// The host of meters that run in a real XS engine on Node: each call of the agent is one synchronous message to tools/meters
// through xsnap's `issueCommand`, and what happens there comes back through `handleCommand`.

import { openIdentity } from "../../src/agent/identity.js";
import type { Flash, Host, MqttConnection, MqttEvents, MqttOptions, TimeQuality } from "../../src/host.js";
import { liveText } from "../shared/commands.js";
import type { Field } from "../shared/field.js";
import {
  type Answer,
  type CallName,
  calls,
  decodeAnswer,
  decodeMessage,
  type Event,
  encodeMessage,
  events,
  type Fields,
  type Message,
} from "./bridge.js";
import { FieldConsole } from "./console.js";

declare global {
  function issueCommand(message: ArrayBuffer): ArrayBuffer;
  var handleCommand: (message: ArrayBuffer) => void;
}

const decoder = new TextDecoder();
const timers = new Map<string, { readonly setting: number; readonly callback: () => void }>();
const ports = new Map<number, (bytes: Uint8Array) => void>();
const connections = new Map<number, MqttEvents>();
const last = { setting: 0, port: 0, connection: 0 };

const geometry = call("flashGeometry", {});
const outboxFlash: Flash = {
  size: geometry.size,
  sectorSize: geometry.sectorSize,
  read: (offset, length) => call("flashRead", { offset, length }).bytes,
  write: (offset, bytes) => void call("flashWrite", { offset, bytes }),
  erase: (offset) => void call("flashErase", { offset }),
};

const host: Host = {
  platform: "xsnap",
  configuration: () => call("configuration", {}).text,
  now() {
    const { time_ms, quality } = call("now", {});
    return { time_ms, quality: quality as TimeQuality };
  },
  uptime_ms: () => call("uptime", {}).uptime_ms,
  random: (length) => call("random", { length }).bytes,
  keyValue: {
    get: (key) => call("keyGet", { key }).value,
    set: (key, value) => void call("keySet", { key, value }),
    delete: (key) => void call("keyDelete", { key }),
  },
  outboxFlash,
  deferral_ms: call("deferral", {}).deferral_ms,
  aesGcmDecrypt: (key, iv, aad, ciphertext, tag) => call("aesGcmDecrypt", { key, iv, aad, ciphertext, tag }).plaintext,
  aesCbcDecrypt: (key, iv, ciphertext) => call("aesCbcDecrypt", { key, iv, ciphertext }).plaintext,
  openMeter(configured, line, onBytes) {
    last.port += 1;
    const port = last.port;
    ports.set(port, (bytes) => {
      if (live.until_ms > 0 && host.uptime_ms() < live.until_ms) fieldConsole.print(liveText(bytes));
      onBytes(bytes);
    });
    call("openMeter", { port, configuration: JSON.stringify(configured) ?? "null", ...line });
    return {
      write: (bytes) => void call("meterWrite", { port, bytes }),
      setLine: (next) => void call("meterLine", { port, ...next }),
    };
  },
  connectMqtt,
  setTimer(name, delay_ms, callback) {
    // The setting tells a timer that fires from one that was on its way when this one replaced it.
    last.setting = (last.setting + 1) >>> 0;
    timers.set(name, { setting: last.setting, callback });
    call("setTimer", { name, setting: last.setting, delay_ms });
  },
  clearTimer(name) {
    if (timers.delete(name)) call("clearTimer", { name });
  },
  log(level, message) {
    call("log", { level, message });
    fieldConsole.print(`${level} ${message}`);
  },
  showState(state, counters) {
    if (state !== shown.state) fieldConsole.print(`state: ${state}`);
    shown.state = state;
    shown.counters = counters;
    call("showState", { state, counters: JSON.stringify(counters) });
  },
};

const shown: { state: string; counters: Readonly<Record<string, number>> } = { state: "starts", counters: {} };
const live = { until_ms: 0 };
const fieldConsole = new FieldConsole(openField(), (bytes) => void call("consoleWrite", { bytes }));

globalThis.handleCommand = (message) => {
  try {
    deliver(decodeMessage(events, new Uint8Array(message)));
  } catch (thrown) {
    // The worker reports a thrown value as its text alone, so the stack is what is thrown.
    throw thrown instanceof Error ? thrown.stack : thrown;
  }
};

export default host;

/** What the console's commands find here. */
function openField(): Field {
  const encoder = new TextEncoder();
  const setting = (name: string) => call("settingGet", { name }).value;
  return {
    shown,
    describe: () => ["a process: its network and clock are the machine's"],
    mac: () => call("mac", {}).mac,
    uptime_ms: host.uptime_ms,
    get(name) {
      const value = setting(name);
      return value === undefined ? undefined : decoder.decode(value);
    },
    set: (name, value) => void call("settingSet", { name, value: encoder.encode(value) }),
    remove: (name) => void call("settingDelete", { name }),
    signer: () => openIdentity(host.keyValue, host.random).signer,
    credential: () => host.keyValue.get("credential"),
    storeCredential: (credential) => host.keyValue.set("credential", credential),
    ca: () => setting("brokerCa"),
    storeCa: (value) => void call("settingSet", { name: "brokerCa", value }),
    live(duration_ms) {
      live.until_ms = host.uptime_ms() + duration_ms;
    },
    update: undefined,
    restart: () => void call("restart", {}),
  };
}

function call<Name extends CallName>(name: Name, fields: Fields<(typeof calls)[Name]>): Answer<Name> {
  const request = encodeMessage(calls, { name, fields } as unknown as Message<typeof calls>);
  return decodeAnswer(name, new Uint8Array(issueCommand(request.buffer)));
}

function connectMqtt(options: MqttOptions, mqttEvents: MqttEvents): MqttConnection {
  last.connection += 1;
  const connection = last.connection;
  connections.set(connection, mqttEvents);
  call("mqttConnect", {
    connection,
    url: options.url,
    clientId: options.clientId,
    username: options.username,
    password: options.password,
    keepAlive_s: options.keepAlive_s,
    willTopic: options.will?.topic,
    willPayload: options.will?.payload,
  });
  return {
    publish: (packetId, topic, payload, duplicate) =>
      call("mqttPublish", { connection, packetId, topic, payload, duplicate }).accepted,
    subscribe: (topics) => void call("mqttSubscribe", { connection, topics }),
    close: () => void call("mqttClose", { connection }),
  };
}

function deliver({ name, fields }: Event): void {
  switch (name) {
    case "meterBytes":
      ports.get(fields.port)?.(fields.bytes);
      break;
    case "mqttConnected":
      connections.get(fields.connection)?.onConnected();
      break;
    case "mqttPublished":
      connections.get(fields.connection)?.onPublished(fields.packetId);
      break;
    case "mqttMessage":
      connections.get(fields.connection)?.onMessage(fields.topic, fields.payload);
      break;
    case "mqttClosed": {
      const closed = connections.get(fields.connection);
      connections.delete(fields.connection);
      closed?.onClosed(fields.reason);
      break;
    }
    case "consoleBytes":
      fieldConsole.take(fields.bytes);
      break;
    case "timer": {
      const timer = timers.get(fields.name);
      if (timer?.setting !== fields.setting) break;
      timers.delete(fields.name);
      timer.callback();
    }
  }
}
