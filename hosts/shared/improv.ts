// Improv Wi-Fi over the console's port (https://www.improv-wifi.com/serial/, version 1): a browser that has flashed a board tells it the
// Wi-Fi, between lines that a person types. A packet is "IMPROV", version, type, length, data, and the sum of all before it.

import { STORED, wifi } from "./commands.js";
import type { Field } from "./field.js";
import { textOf } from "./lines.js";

const HEADER = "IMPROV";
const VERSION = 1;
/** Offsets in a packet. */
const TYPE = 7;
const LENGTH = 8;
const DATA = 9;
const PACKET_BYTES_MAX = DATA + 255 + 1;
/** Types of packets: of the device, of the client, of the device. */
const [CURRENT_STATE, ERROR_STATE, RPC_COMMAND, RPC_RESULT] = [1, 2, 3, 4];
const [READY, PROVISIONING, PROVISIONED] = [2, 3, 4];
const [NO_ERROR, INVALID_PACKET, UNKNOWN_COMMAND, UNABLE_TO_CONNECT] = [0, 1, 2, 3];
const [SEND_WIFI, REQUEST_STATE, DEVICE_INFORMATION, SCANNED_NETWORKS] = [1, 2, 3, 4];
const RESULT_TEXT_BYTES_MAX = 253;
const LINE_FEED = 0x0a;
/** What a client that has gone away has begun is no packet any more. */
const SILENCE_MS_MAX = 1_000;
/** A network that has not let the board in by then does not; a browser waits a little longer. */
export const JOIN_MS_MAX = 30_000;

/** What a platform has under it. */
export interface ImprovPorts {
  readonly field: Pick<Field, "get" | "set" | "remove" | "uptime_ms">;
  /** Puts bytes on the console's port, all or none. */
  write(bytes: Uint8Array): void;
  /** Leaves the network for the one that is stored now. */
  join(): void;
  /** Why there is no network, with the settings that are stored now; undefined where there is one. */
  down(): string | undefined;
  /** Networks that are heard, each a call, and `onDone` behind the last. */
  scan(onFound: (ssid: string, rssi: number, isOpen: boolean) => void, onDone: () => void): void;
  /** firmware, version, chip or board, and the device's own name */
  about(): readonly string[];
}

export class Improv {
  private readonly ports: ImprovPorts;
  /** what may be a packet's beginning */
  private packet: Uint8Array | undefined = undefined;
  private length = 0;
  private heard_ms = 0;
  /** until when a network is waited for */
  private joins_ms: number | undefined = undefined;

  constructor(ports: ImprovPorts) {
    this.ports = ports;
  }

  /** Takes bytes of the port; those that are no packet's come back, in their order. Never throws. */
  take(bytes: Uint8Array): Uint8Array {
    const now_ms = this.ports.field.uptime_ms();
    const rest = new Uint8Array(this.length + bytes.length);
    let kept = 0;
    const release = (): void => {
      // Of a packet nobody has typed anything.
      if (this.length <= HEADER.length && this.packet !== undefined) {
        rest.set(this.packet.subarray(0, this.length), kept);
        kept += this.length;
      }
      this.packet = undefined;
      this.length = 0;
    };
    if (now_ms - this.heard_ms > SILENCE_MS_MAX) release();
    this.heard_ms = now_ms;
    for (const byte of bytes) {
      if (!this.fits(byte)) release();
      if (!this.fits(byte)) {
        rest[kept] = byte;
        kept += 1;
        continue;
      }
      this.packet ??= new Uint8Array(PACKET_BYTES_MAX);
      this.packet[this.length] = byte;
      this.length += 1;
      if (this.length > LENGTH && this.length === DATA + this.packet[LENGTH]! + 1) this.end();
    }
    return rest.subarray(0, kept);
  }

  /** About once a second: says how the network that was told stands, once it is there or does not come. */
  watch(): void {
    if (this.joins_ms === undefined) return;
    if (this.ports.down() === undefined) {
      this.joins_ms = undefined;
      this.say(CURRENT_STATE, PROVISIONED);
      this.result(SEND_WIFI, []);
    } else if (this.ports.field.uptime_ms() >= this.joins_ms) {
      this.joins_ms = undefined;
      this.say(ERROR_STATE, UNABLE_TO_CONNECT);
      this.say(CURRENT_STATE, READY);
    }
  }

  /** Whether the byte goes on with what may be a packet of this version. */
  private fits(byte: number): boolean {
    if (this.length < HEADER.length) return byte === HEADER.charCodeAt(this.length);
    return this.length > HEADER.length || byte === VERSION;
  }

  /** The packet is whole. */
  private end(): void {
    const packet = this.packet!.subarray(0, this.length);
    this.packet = undefined;
    this.length = 0;
    const data = packet.subarray(DATA, -1);
    if (sumOf(packet.subarray(0, -1)) !== packet[packet.length - 1]) return this.say(ERROR_STATE, INVALID_PACKET);
    if (packet[TYPE] !== RPC_COMMAND) return;
    if (data.length < 2 || data[1] !== data.length - 2) return this.say(ERROR_STATE, INVALID_PACKET);
    this.heed(data[0]!, data.subarray(2));
  }

  private heed(command: number, data: Uint8Array): void {
    switch (command) {
      case SEND_WIFI:
        return this.join(data);
      case REQUEST_STATE:
        this.say(ERROR_STATE, NO_ERROR);
        this.say(CURRENT_STATE, this.state());
        if (this.state() === PROVISIONED) this.result(REQUEST_STATE, []);
        return;
      case DEVICE_INFORMATION:
        this.say(ERROR_STATE, NO_ERROR);
        return this.result(DEVICE_INFORMATION, this.ports.about());
      case SCANNED_NETWORKS:
        this.say(ERROR_STATE, NO_ERROR);
        return this.scan();
      default:
        return this.say(ERROR_STATE, UNKNOWN_COMMAND);
    }
  }

  private state(): number {
    if (this.joins_ms !== undefined) return PROVISIONING;
    const { field, down } = this.ports;
    return (field.get("ssid") ?? "") !== "" && down() === undefined ? PROVISIONED : READY;
  }

  private join(data: Uint8Array): void {
    const [ssid, password, ...more] = textsIn(data) ?? [];
    const isTwo = ssid !== undefined && ssid !== "" && password !== undefined && more.length === 0;
    const { field } = this.ports;
    if (!isTwo || wifi(field, password === "" ? [ssid] : [ssid, password]) !== STORED)
      return this.say(ERROR_STATE, INVALID_PACKET);
    this.ports.join();
    this.joins_ms = field.uptime_ms() + JOIN_MS_MAX;
    this.say(ERROR_STATE, NO_ERROR);
    this.say(CURRENT_STATE, PROVISIONING);
  }

  private scan(): void {
    const found = (ssid: string, rssi: number, isOpen: boolean): void =>
      this.result(SCANNED_NETWORKS, [ssid, String(rssi), isOpen ? "NO" : "YES"]);
    this.ports.scan(found, () => this.result(SCANNED_NETWORKS, []));
  }

  private say(type: number, value: number): void {
    this.send(type, Uint8Array.of(value));
  }

  /** Strings that do not fit are left out: none of ours is that long. */
  private result(command: number, strings: readonly string[]): void {
    const encoded = strings.map((text) => new TextEncoder().encode(text));
    const data = new Uint8Array(2 + RESULT_TEXT_BYTES_MAX);
    let at = 2;
    for (const bytes of encoded) {
      if (at + 1 + bytes.length > data.length) break;
      data[at] = bytes.length;
      data.set(bytes, at + 1);
      at += 1 + bytes.length;
    }
    data[0] = command;
    data[1] = at - 2;
    this.send(RPC_RESULT, data.subarray(0, at));
  }

  /** In a line of its own: what else the console prints stands in others. */
  private send(type: number, data: Uint8Array): void {
    const bytes = new Uint8Array(1 + DATA + data.length + 2);
    bytes[0] = LINE_FEED;
    for (let index = 0; index < HEADER.length; index += 1) bytes[1 + index] = HEADER.charCodeAt(index);
    bytes[HEADER.length + 1] = VERSION;
    bytes[1 + TYPE] = type;
    bytes[1 + LENGTH] = data.length;
    bytes.set(data, 1 + DATA);
    bytes[bytes.length - 2] = sumOf(bytes.subarray(1, -2));
    bytes[bytes.length - 1] = LINE_FEED;
    this.ports.write(bytes);
  }
}

function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum + byte) & 255;
  return sum;
}

/** Strings, each behind its length; undefined where the last one is cut. */
function textsIn(data: Uint8Array): string[] | undefined {
  const texts: string[] = [];
  for (let at = 0; at < data.length; ) {
    const length = data[at]!;
    if (at + 1 + length > data.length) return undefined;
    texts.push(textOf({ bytes: data.subarray(at + 1, at + 1 + length), length }));
    at += 1 + length;
  }
  return texts;
}
