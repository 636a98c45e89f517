// What a platform supplies to the agent. Each folder of hosts/ exports one such object as the default of the module `host`;
// nothing else of a platform is visible to src. All calls are synchronous; what takes time ends in a callback.

import type { MeterCrypto } from "./meter/cipher.js";
import type { Line } from "./meter/line.js";
import type { PublicKey } from "./wire/key.js";

/** Quality of a clock reading (OCMF): 0 unknown, 1 informative, 2 synchronised, 3 relative. */
export type TimeQuality = 0 | 1 | 2 | 3;

/** A NOR flash partition: an erased byte is 0xFF, writing only clears bits, erasing works on whole sectors. */
export interface Flash {
  /** bytes, a multiple of sectorSize */
  readonly size: number;
  readonly sectorSize: number;
  read(offset: number, length: number): Uint8Array;
  /** Clears bits only; a power cut may leave any prefix written. */
  write(offset: number, bytes: Uint8Array): void;
  /** Sets the sector's bytes to 0xFF. `offset` is a multiple of sectorSize. */
  erase(offset: number): void;
}

/** A small durable store; a value is old or new after a power cut, never torn. Keys have at most 15 characters (NVS). */
export interface KeyValue {
  get(key: string): Uint8Array | undefined;
  set(key: string, value: Uint8Array): void;
  delete(key: string): void;
}

export interface MqttOptions {
  /** `mqtt://host:port` or `mqtts://host:port` */
  readonly url: string;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: Uint8Array;
  readonly keepAlive_s: number;
  /** Published by the broker when the session ends without a DISCONNECT (MQTT 3.1.1, 3.1.2.5). QoS 1, not retained. */
  readonly will?: { readonly topic: string; readonly payload: Uint8Array };
}

export interface MqttEvents {
  /** CONNACK with return code 0. */
  onConnected(): void;
  /** PUBACK for a packet id given to `publish`. */
  onPublished(packetId: number): void;
  onMessage(topic: string, payload: Uint8Array): void;
  /** The connection ended or never came about; said exactly once, and nothing after it. */
  onClosed(reason: string): void;
}

/** One MQTT 3.1.1 connection, clean session. It keeps no in-flight store: the agent resends. */
export interface MqttConnection {
  /** QoS 1. False where the transport's buffer is full: offer it again after the next `onPublished`. */
  publish(packetId: number, topic: string, payload: Uint8Array, duplicate: boolean): boolean;
  /** QoS 1 subscriptions. */
  subscribe(topics: readonly string[]): void;
  /** DISCONNECT; `onClosed` follows. */
  close(): void;
}

/** The way to the meter. A port that fails is opened again by the platform, with the last line that was set. */
export interface MeterPort {
  /** Sends bytes, in order; what the port has no room for is lost, as on a wire. */
  write(bytes: Uint8Array): void;
  /** A serial port's settings once all that was written before has left it; other ports have none. */
  setLine(line: Line): void;
}

export interface Host extends MeterCrypto {
  /** `esp32`, `simulator`, `xsnap` */
  readonly platform: string;
  /** The agent's configuration document (JSON text, see src/agent/configuration.ts). */
  configuration(): string;
  /** UTC in milliseconds and how far it can be trusted. */
  now(): { readonly time_ms: number; readonly quality: TimeQuality };
  /** Milliseconds since start, monotonic. */
  uptime_ms(): number;
  /** Bytes from the hardware's generator. */
  random(length: number): Uint8Array;
  readonly keyValue: KeyValue;
  readonly outboxFlash: Flash;
  /** How long the certificate of a receipt may wait to be checked, 0 where checks are cheap; as on a slow chip where absent. */
  readonly deferral_ms?: number;
  /**
   * Opens the meter's port as the configuration names it; bytes come as they arrive, `onBytes` not before this has returned. A port
   * that counts pulses gives a byte for each, whatever it is.
   */
  openMeter(port: unknown, line: Line, onBytes: (bytes: Uint8Array) => void): MeterPort;
  connectMqtt(options: MqttOptions, events: MqttEvents): MqttConnection;
  /** Calls back once after `delay_ms`; a timer set again under the same name replaces the earlier one. */
  setTimer(name: string, delay_ms: number, callback: () => void): void;
  clearTimer(name: string): void;
  /** Looks for newer firmware at `url`, a manifest that `signer` has signed. Absent where the platform has nothing to put it into. */
  watchUpdates?(url: string, signer: PublicKey): void;
  log(level: "debug" | "info" | "warn" | "error", message: string): void;
  /** Tells the platform the agent's state in a few words, for a LED, a display or a console. */
  showState(state: string, counters: Readonly<Record<string, number>>): void;
}
