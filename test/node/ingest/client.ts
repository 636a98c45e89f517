// A client that sends exactly the bytes that a test wants and notes the packets it gets (MQTT 3.1.1), and the handlers of a
// node that note what comes in.

import { connect as connectTcp, type Socket } from "node:net";
import { serviceTopic } from "../../../src/wire/topics.js";
import type { IngestHandlers } from "../../../tools/node/ingest/ingest.js";

export const meter = "00112233aabbccdd";
export const recordTopic = `gs1/test/1/record/${meter}`;
export const receiptTopic = `gs1/test/1/receipt/${meter}`;

/** A packet with this first byte; the remaining length is counted. */
export function packet(first: number, ...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const body = Buffer.concat(parts.map((part) => Uint8Array.from(part)));
  const header = [first];
  let rest = body.length;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    header.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return Buffer.concat([Uint8Array.from(header), body]);
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length), bytes]);
}

export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export function connectPacket(
  client: string,
  {
    clean = true,
    will,
    username,
    password,
  }: { clean?: boolean; will?: Will; username?: string; password?: string } = {},
): Uint8Array {
  const shown = [username, password].flatMap((value) => (value === undefined ? [] : [text(value)]));
  const flags = (clean ? 2 : 0) | (will ? 0x0c : 0) | (username ? 0x80 : 0) | (password ? 0x40 : 0);
  const tail = will ? [text(will.topic), Uint8Array.of(0, will.payload.length), will.payload, ...shown] : shown;
  return packet(0x10, text("MQTT"), [4, flags, 0, 60], text(client), ...tail);
}

export function publishPacket(id: number, topic: string, payload: Uint8Array): Uint8Array {
  return packet(0x32, text(topic), [id >> 8, id & 255], payload);
}

export function subscribePacket(id: number, ...filters: readonly string[]): Uint8Array {
  return subscribePacketAt(1, id, ...filters);
}

export function subscribePacketAt(qos: 0 | 1, id: number, ...filters: readonly string[]): Uint8Array {
  return packet(0x82, [id >> 8, id & 255], ...filters.flatMap((filter) => [text(filter), [qos]]));
}

export const pingPacket = packet(0xc0);
export const disconnectPacket = packet(0xe0);

export interface RawClient {
  readonly socket: Socket;
  /** first byte and body of each packet received */
  readonly packets: { readonly first: number; readonly body: Uint8Array }[];
  closed: boolean;
}

/** Takes a stream's chunks and hands on its packets: first byte and body. */
export function packetReader(onPacket: (first: number, body: Uint8Array) => void): (chunk: Uint8Array) => void {
  let rest: Uint8Array = new Uint8Array(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      let length = 0;
      let offset = 1;
      let more = true;
      for (; more && offset < rest.length; offset += 1) {
        length += (rest[offset]! & 127) * 128 ** (offset - 1);
        more = rest[offset]! > 127;
      }
      if (more || rest.length < offset + length) return;
      onPacket(rest[0]!, Uint8Array.from(rest.subarray(offset, offset + length)));
      rest = rest.subarray(offset + length);
    }
  };
}

/** Opens a connection and sends these bytes; errors end in `closed`. */
export function openClient(url: string, ...bytes: readonly Uint8Array[]): RawClient {
  const { hostname, port } = new URL(url);
  const socket = connectTcp(Number(port), hostname);
  const client: RawClient = { socket, packets: [], closed: false };
  socket.on(
    "data",
    packetReader((first, body) => client.packets.push({ first, body })),
  );
  socket.on("error", () => undefined);
  socket.on("close", () => {
    client.closed = true;
  });
  socket.write(Buffer.concat(bytes));
  return client;
}

/** Packet ids of the PUBACKs that a client got. */
export function acknowledged(client: RawClient): number[] {
  return client.packets.filter(({ first }) => first === 0x40).map(({ body }) => body[0]! * 256 + body[1]!);
}

/** Return codes of the SUBACKs that a client got. */
export function granted(client: RawClient): number[] {
  return client.packets.filter(({ first }) => first === 0x90).flatMap(({ body }) => [...body.subarray(2)]);
}

export interface Noted {
  readonly records: { readonly topic: string; readonly payload: Uint8Array; readonly client: string }[];
  readonly notices: string[];
  readonly refused: string[];
  readonly handlers: IngestHandlers;
}

export function noteEverything(overrides: Partial<IngestHandlers> = {}): Noted {
  const records: Noted["records"] = [];
  const notices: string[] = [];
  const refused: string[] = [];
  const handlers: IngestHandlers = {
    async onPublish(topic, payload, client) {
      if (topic.kind !== "record") notices.push(topic.kind);
      else {
        const text = serviceTopic("test", topic.service, "record", topic.meter);
        records.push({ topic: text, payload: Uint8Array.from(payload), client });
      }
    },
    onRefused: (reason) => void refused.push(reason),
    onHandlerFailure: (thrown) => void refused.push(String(thrown)),
    ...overrides,
  };
  return { records, notices, refused, handlers };
}
