// The host of an agent whose instructions are counted: on an emulated RISC-V chip that has nothing but memory. What comes to the meter's
// port and from the broker comes as commands, what is published is told (tools/firmware/instructions.ts).

import { ed25519Signer, verifyEd25519 } from "../../src/agent/ed25519.js";
import type { Flash, Host, KeyValue, MqttEvents } from "../../src/host.js";
import { aesCbcDecrypt } from "../shared/cbc.js";
import { aesGcmDecrypt } from "../shared/gcm.js";
import { createUptime, NamedTimers } from "../shared/timers.js";
import * as machine from "./native.js";

const FLASH_BYTES = 1 << 20;
const SECTOR_BYTES = 4096;
const KEY_BYTES = 32;
const SYNCHRONISED = 2;
const none = new Uint8Array(0);

const timers = new NamedTimers();
const values = new Map<string, Uint8Array>();
const heard: { onBytes?: (bytes: Uint8Array) => void; mqtt?: MqttEvents } = {};

const outboxFlash: Flash = {
  size: FLASH_BYTES,
  sectorSize: SECTOR_BYTES,
  read: (offset, length) => new Uint8Array(machine.flashRead(offset, length)),
  write: machine.flashWrite,
  erase: (offset) => machine.flashErase(offset, SECTOR_BYTES),
};

const keyValue: KeyValue = {
  get(key) {
    const value = machine.given(key);
    return values.get(key) ?? (value === undefined ? undefined : new Uint8Array(value));
  },
  set: (key, value) => void values.set(key, value.slice()),
  delete: (key) => void values.delete(key),
};

const host: Host = {
  platform: "counter",
  configuration: () => String.fromArrayBuffer(machine.given("configuration") ?? new ArrayBuffer(0)),
  now: () => ({ time_ms: Date.now(), quality: SYNCHRONISED }),
  uptime_ms: createUptime(),
  random: (length) => new Uint8Array(length).map((_, index) => index),
  keyValue,
  outboxFlash,
  openMeter(_port, _line, onBytes) {
    heard.onBytes = onBytes;
    return { write() {}, setLine() {} };
  },
  aesGcmDecrypt,
  aesCbcDecrypt,
  connectMqtt(_options, events) {
    heard.mqtt = events;
    machine.say("connect", "-", none);
    return {
      publish(packetId, topic, payload) {
        machine.say("publish", `${packetId}:${topic}`, payload);
        return true;
      },
      subscribe() {},
      close() {},
    };
  },
  setTimer: (name, delay_ms, callback) => timers.set(name, delay_ms, callback),
  clearTimer: (name) => timers.clear(name),
  log: (level, message) => machine.say("log", level, new Uint8Array(ArrayBuffer.fromString(message))),
  showState: (state, counters) =>
    machine.say("state", "-", new Uint8Array(ArrayBuffer.fromString(JSON.stringify({ state, counters })))),
};

listen();

export default host;

/** What is done is counted by whoever has said it. */
function listen(): void {
  const engine = globalThis as { command?: (what: string, text: string, bytes: ArrayBuffer) => void };
  const seed = (): Uint8Array => keyValue.get("seed")!;
  engine.command = (what, text, buffer) => {
    const bytes = new Uint8Array(buffer);
    switch (what) {
      case "bytes":
        return heard.onBytes?.(bytes);
      case "connected":
        return heard.mqtt?.onConnected();
      case "published":
        return heard.mqtt?.onPublished(Number(text));
      case "message":
        return heard.mqtt?.onMessage(text, bytes);
      case "key":
        return machine.say("key", "-", ed25519Signer(seed()).key.x);
      case "sign":
        return machine.say("signature", "-", ed25519Signer(seed()).sign(bytes));
      case "check":
        return check(bytes);
    }
  };
}

/** Of a key, a signature and what it is of, one behind the other. */
function check(bytes: Uint8Array): void {
  const [key, rest] = [bytes.subarray(0, KEY_BYTES), bytes.subarray(KEY_BYTES)];
  const isSigned = verifyEd25519({ algorithm: -19, x: key }, rest.subarray(2 * KEY_BYTES), rest.subarray(0, 2 * KEY_BYTES));
  machine.say("checked", String(isSigned), none);
}
