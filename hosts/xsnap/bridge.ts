// The messages between the XS half of this host (host.ts) and its Node half (tools/meters). A message is a tag byte, the index
// of its name in its table, then its fields in the table's order, little-endian, text and bytes behind a 32-bit length.
// Both halves read at the door: an unknown tag, a truncated field or a byte too many refuses the whole message.

import { Reader, Writer } from "./octets.js";

interface Kinds {
  /** unsigned, 32 bits */
  readonly count: number;
  /** IEEE 754, 64 bits */
  readonly real: number;
  readonly flag: boolean;
  readonly text: string;
  readonly texts: readonly string[];
  readonly bytes: Uint8Array;
  readonly maybeText: string | undefined;
  readonly maybeBytes: Uint8Array | undefined;
}

type Kind = keyof Kinds;
type Shape = Readonly<Record<string, Kind>>;
type Table = Readonly<Record<string, Shape>>;

/** What a message of this shape carries. */
export type Fields<S extends Shape> = { readonly [Name in keyof S]: Kinds[S[Name]] };

/** A message of a table: its name and what it carries. */
export type Message<T extends Table> = {
  [Name in keyof T & string]: { readonly name: Name; readonly fields: Fields<T[Name]> };
}[keyof T & string];

/** What XS asks of Node; each call is answered before XS goes on. */
export const calls = {
  configuration: {},
  now: {},
  uptime: {},
  random: { length: "count" },
  keyGet: { key: "text" },
  keySet: { key: "text", value: "bytes" },
  keyDelete: { key: "text" },
  flashGeometry: {},
  flashRead: { offset: "count", length: "count" },
  flashWrite: { offset: "count", bytes: "bytes" },
  flashErase: { offset: "count" },
  deferral: {},
  openMeter: { port: "count", configuration: "text", baud: "count", dataBits: "count", parity: "text" },
  meterWrite: { port: "count", bytes: "bytes" },
  meterLine: { port: "count", baud: "count", dataBits: "count", parity: "text" },
  aesGcmDecrypt: { key: "bytes", iv: "bytes", aad: "bytes", ciphertext: "bytes", tag: "bytes" },
  aesCbcDecrypt: { key: "bytes", iv: "bytes", ciphertext: "bytes" },
  mqttConnect: {
    connection: "count",
    url: "text",
    clientId: "text",
    username: "maybeText",
    password: "maybeBytes",
    keepAlive_s: "count",
    willTopic: "maybeText",
    willPayload: "maybeBytes",
  },
  mqttPublish: { connection: "count", packetId: "count", topic: "text", payload: "bytes", duplicate: "flag" },
  mqttSubscribe: { connection: "count", topics: "texts" },
  mqttClose: { connection: "count" },
  setTimer: { name: "text", setting: "count", delay_ms: "real" },
  clearTimer: { name: "text" },
  log: { level: "text", message: "text" },
  showState: { state: "text", counters: "text" },
  settingGet: { name: "text" },
  settingSet: { name: "text", value: "bytes" },
  settingDelete: { name: "text" },
  mac: {},
  consoleWrite: { bytes: "bytes" },
  restart: {},
} as const satisfies Table;

/** What Node answers to each call. */
export const answers = {
  configuration: { text: "text" },
  now: { time_ms: "real", quality: "count" },
  uptime: { uptime_ms: "real" },
  random: { bytes: "bytes" },
  keyGet: { value: "maybeBytes" },
  keySet: {},
  keyDelete: {},
  flashGeometry: { size: "count", sectorSize: "count" },
  flashRead: { bytes: "bytes" },
  flashWrite: {},
  flashErase: {},
  deferral: { deferral_ms: "real" },
  openMeter: {},
  meterWrite: {},
  meterLine: {},
  aesGcmDecrypt: { plaintext: "maybeBytes" },
  aesCbcDecrypt: { plaintext: "bytes" },
  mqttConnect: {},
  mqttPublish: { accepted: "flag" },
  mqttSubscribe: {},
  mqttClose: {},
  setTimer: {},
  clearTimer: {},
  log: {},
  showState: {},
  settingGet: { value: "maybeBytes" },
  settingSet: {},
  settingDelete: {},
  mac: { mac: "text" },
  consoleWrite: {},
  restart: {},
} as const satisfies { readonly [Name in keyof typeof calls]: Shape };

/** What Node tells XS, one at a time and in order. */
export const events = {
  meterBytes: { port: "count", bytes: "bytes" },
  mqttConnected: { connection: "count" },
  mqttPublished: { connection: "count", packetId: "count" },
  mqttMessage: { connection: "count", topic: "text", payload: "bytes" },
  mqttClosed: { connection: "count", reason: "text" },
  timer: { name: "text", setting: "count" },
  consoleBytes: { bytes: "bytes" },
} as const satisfies Table;

export type CallName = keyof typeof calls;
export type Call = Message<typeof calls>;
export type Event = Message<typeof events>;
export type Answer<Name extends CallName> = Fields<(typeof answers)[Name]>;

const FAILED = 0;
const DONE = 1;

/** A message of `table` as bytes in a buffer of exactly their length. */
export function encodeMessage<T extends Table>(table: T, message: Message<T>): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  out.octet(Object.keys(table).indexOf(message.name));
  writeFields(out, shapeOf(table, message.name), message.fields);
  return out.finish();
}

/** The message of `table` in `bytes`; throws an Error that says what is wrong with them. */
export function decodeMessage<T extends Table>(table: T, bytes: Uint8Array): Message<T> {
  const input = new Reader(bytes);
  const tag = input.octet();
  const name = Object.keys(table)[tag];
  if (name === undefined) throw new Error(`bridge message has the unknown tag ${tag}`);
  const fields = readFields(input, shapeOf(table, name));
  input.end();
  return { name, fields } as Message<T>;
}

/** What a call was answered, as bytes. */
export function encodeAnswer<Name extends CallName>(name: Name, answer: Answer<Name>): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  out.octet(DONE);
  writeFields(out, answers[name], answer);
  return out.finish();
}

/** The answer to a call that could not be performed. */
export function encodeFailure(reason: string): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  out.octet(FAILED);
  out.text(reason);
  return out.finish();
}

/** The answer to the call `name`; throws an Error with the reason where the call failed. */
export function decodeAnswer<Name extends CallName>(name: Name, bytes: Uint8Array): Answer<Name> {
  const input = new Reader(bytes);
  if (input.octet() !== DONE) throw new Error(`${name}: ${input.text()}`);
  const answer = readFields(input, answers[name]);
  input.end();
  return answer as Answer<Name>;
}

function shapeOf(table: Table, name: string): Shape {
  const shape = table[name];
  if (shape === undefined) throw new Error(`bridge has no message ${name}`);
  return shape;
}

function writeFields<S extends Shape>(out: Writer, shape: S, fields: Fields<S>): void {
  for (const name of Object.keys(shape)) writeField(out, shape[name]!, fields[name]!);
}

function writeField(out: Writer, kind: Kind, value: Kinds[Kind]): void {
  switch (kind) {
    case "count":
      out.count(value as number);
      break;
    case "real":
      out.real(value as number);
      break;
    case "flag":
      out.octet(value === true ? 1 : 0);
      break;
    case "text":
      out.text(value as string);
      break;
    case "bytes":
      out.bytes(value as Uint8Array);
      break;
    case "texts":
      out.count((value as readonly string[]).length);
      for (const text of value as readonly string[]) out.text(text);
      break;
    case "maybeText":
    case "maybeBytes":
      out.octet(value === undefined ? 0 : 1);
      if (value !== undefined) writeField(out, kind === "maybeText" ? "text" : "bytes", value);
  }
}

function readFields(input: Reader, shape: Shape): Record<string, Kinds[Kind]> {
  const fields: Record<string, Kinds[Kind]> = {};
  for (const [name, kind] of Object.entries(shape)) fields[name] = readField(input, kind);
  return fields;
}

function readField(input: Reader, kind: Kind): Kinds[Kind] {
  switch (kind) {
    case "count":
      return input.count();
    case "real":
      return input.real();
    case "flag":
      return input.flag();
    case "text":
      return input.text();
    case "bytes":
      return input.bytes();
    case "texts":
      return input.texts();
    case "maybeText":
      return input.flag() ? input.text() : undefined;
    case "maybeBytes":
      return input.flag() ? input.bytes() : undefined;
  }
}
