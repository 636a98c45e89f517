// The host of a meter whose instructions are counted: what a chip has is in the memory of an emulated processor, and the broker is whoever
// asks (counted.c). What an MQTT client, TLS and the radio would take is not in it.

import Timer from "timer";
import { ed25519Signer, verifyEd25519 } from "../../../src/agent/ed25519.js";
import type { Flash, Host, KeyValue, MqttConnection, MqttEvents } from "../../../src/host.js";
import { ED25519, type Signer } from "../../../src/wire/key.js";
import { aesCbcDecrypt } from "../../shared/cbc.js";
import { aesGcmDecrypt } from "../../shared/gcm.js";
import { PIECE_BYTES, type SerialDriver, SerialPort } from "../../shared/serial-port.js";
import { createUptime, NamedTimers } from "../../shared/timers.js";
import * as processor from "./processor.js";

const FLASH_BYTES = 1 << 20;
const SECTOR_BYTES = 4096;
/** How often the port is looked at while nothing comes: as on the chip (hosts/esp32/port.ts). */
const TURN_MS = 20;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const noBytes = new Uint8Array(0);

const timers = new NamedTimers();
const uptime_ms = createUptime();
const asked: { signer: Signer | undefined; events: MqttEvents | undefined } = { signer: undefined, events: undefined };

const outboxFlash: Flash = {
  size: FLASH_BYTES,
  sectorSize: SECTOR_BYTES,
  read: (offset, length) => new Uint8Array(processor.flashRead(offset, length)),
  write: processor.flashWrite,
  erase: processor.flashErase,
};

const keyValue: KeyValue = {
  get(key) {
    const value = processor.get(key);
    return value === undefined ? undefined : new Uint8Array(value);
  },
  set: processor.set,
  delete: processor.remove,
};

const driver: SerialDriver = {
  read: processor.portRead,
  write: (bytes) => bytes.length,
  isIdle: () => true,
  setLine() {},
};

const connection: MqttConnection = {
  publish(packetId, topic, payload) {
    processor.say("publish", packetId, topic, payload);
    return true;
  },
  subscribe() {},
  close() {},
};

const host: Host = {
  platform: "counted",
  configuration: () => String.fromArrayBuffer(processor.get("configuration")!),
  now: () => ({ time_ms: Date.now(), quality: 2 }),
  uptime_ms,
  random: (length) => new Uint8Array(processor.random(length)),
  keyValue,
  outboxFlash,
  aesGcmDecrypt,
  aesCbcDecrypt,
  openMeter(_port, line, onBytes) {
    const serial = new SerialPort(driver);
    serial.setLine(line);
    const turn = (): void => {
      const bytes = serial.turn();
      Timer.set(turn, bytes?.length === PIECE_BYTES ? 0 : TURN_MS);
      if (bytes !== undefined) return onBytes(bytes);
    };
    Timer.set(turn, TURN_MS);
    return serial;
  },
  connectMqtt(_options, events) {
    asked.events = events;
    processor.say("connect", 0, "", noBytes);
    return connection;
  },
  setTimer: (name, delay_ms, callback) => timers.set(name, delay_ms, callback),
  clearTimer: (name) => timers.clear(name),
  log: (level, message) => processor.say("log", 0, level, new Uint8Array(ArrayBuffer.fromString(message))),
  showState: (state, { sealed = 0 }) => processor.say("state", sealed, state.replace(/ /g, "_"), noBytes),
};

listen();

export default host;

/** What the broker tells: `connected`, `acknowledged PACKET`, `message - TOPIC HEX`; and what is counted alone: `key`, `sign`, `verify`. */
function listen(): void {
  const engine = globalThis as { command?: (word: string, number: number, text: string, bytes: ArrayBuffer) => void };
  engine.command = (word, number, text, buffer) => {
    const bytes = new Uint8Array(buffer);
    switch (word) {
      case "connected":
        return asked.events?.onConnected();
      case "acknowledged":
        return asked.events?.onPublished(number);
      case "message":
        return asked.events?.onMessage(text, bytes);
      case "key":
        asked.signer = ed25519Signer(bytes);
        return;
      case "sign":
        processor.say("signature", 0, "", asked.signer!.sign(bytes));
        return;
      case "verify": {
        const signature = bytes.subarray(KEY_BYTES, KEY_BYTES + SIGNATURE_BYTES);
        const key = { algorithm: ED25519, x: bytes.subarray(0, KEY_BYTES) } as const;
        const isGood = verifyEd25519(key, bytes.subarray(KEY_BYTES + SIGNATURE_BYTES), signature);
        processor.say("verdict", isGood ? 1 : 0, "", noBytes);
      }
    }
  };
}
