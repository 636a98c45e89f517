// What stands in a client's packets, checked before the broker reads it (MQTT 3.1.1; section numbers are the standard's): texts that are
// UTF-8 without NUL, identifiers that are none, what CONNECT may ask for. Pure; a body may come in pieces cut anywhere.

import { isUtf8 } from "node:buffer";

export interface BodyRefusal {
  readonly reason: "malformed" | "quality-of-service";
  /** of the CONNACK that goes before the connection ends (section 3.2.2.3); none where the client gets no answer */
  readonly returnCode?: (typeof connectReturnCodes)[keyof typeof connectReturnCodes];
}

export const connectReturnCodes = { unacceptableVersion: 1, identifierRejected: 2 } as const;
/** Longer than any that a meter has. */
export const CLIENT_ID_BYTES_MAX = 128;

export interface BodyCheck {
  /** A packet with this first byte and so many bytes behind its fixed header begins. */
  begin(first: number, length: number): BodyRefusal | undefined;
  /** The bytes of the chunk from one place up to another are its next; none at all is none. */
  take(chunk: Uint8Array, from: number, to: number): BodyRefusal | undefined;
}

const types = { connect: 1, publish: 3, puback: 4, subscribe: 8, unsubscribe: 10 } as const;
const malformed: BodyRefusal = { reason: "malformed" };
const PROTOCOL_LEVEL = 4;
/** Bytes of a length, and of an identifier. */
const WORD = 2;
const KEPT_BYTES_LEAST = 256;

export function createBodyCheck(): BodyCheck {
  let type = 0;
  let isSure = false;
  let length = 0;
  /** bytes that it takes to say something: of PUBLISH its length of the topic first, then all but the payload */
  let needed = 0;
  let isHeadKnown = false;
  let isOver = true;
  /** what came in earlier pieces */
  let kept = new Uint8Array(0);
  let kept_bytes = 0;

  const keep = (chunk: Uint8Array, from: number, to: number): void => {
    const after = kept_bytes + to - from;
    if (after > kept.length) {
      const larger = new Uint8Array(Math.min(needed, Math.max(KEPT_BYTES_LEAST, 2 * after)));
      larger.set(kept.subarray(0, kept_bytes));
      kept = larger;
    }
    kept.set(chunk.subarray(from, to), kept_bytes);
    kept_bytes = after;
  };

  /** How many bytes stand before the payload of PUBLISH, whose first two are at the offset. */
  const learnHead = (bytes: Uint8Array, offset: number): BodyRefusal | undefined => {
    needed = WORD + wordAt(bytes, offset) + (isSure ? WORD : 0);
    isHeadKnown = true;
    return needed > length ? malformed : undefined;
  };

  const check = (bytes: Uint8Array, from: number): BodyRefusal | undefined => {
    isOver = true;
    kept = new Uint8Array(0);
    kept_bytes = 0;
    if (type === types.publish) return refusePublish(bytes, from, from + needed, isSure);
    if (type === types.puback) return wordAt(bytes, from) === 0 ? malformed : undefined;
    const body = bytes.subarray(from, from + needed);
    return type === types.connect ? refuseConnect(body) : refuseFilters(body, type === types.subscribe);
  };

  return {
    begin(first, body_bytes) {
      type = first >> 4;
      isSure = (first & 0x06) !== 0;
      length = body_bytes;
      kept_bytes = 0;
      isHeadKnown = type !== types.publish;
      isOver = type > types.puback && type !== types.subscribe && type !== types.unsubscribe;
      if (isOver) return length === 0 ? undefined : malformed; // PINGREQ and DISCONNECT (sections 3.12 and 3.14)
      needed = isHeadKnown ? length : WORD;
      if (length === 0 || needed > length) return malformed;
      return type === types.puback && length !== WORD ? malformed : undefined;
    },
    take(chunk, from, to) {
      if (isOver) return undefined;
      if (kept_bytes === 0 && to - from >= WORD && !isHeadKnown) {
        const refusal = learnHead(chunk, from);
        if (refusal !== undefined) return refusal;
      }
      if (kept_bytes === 0 && to - from >= needed && isHeadKnown) return check(chunk, from);
      let offset = from;
      // Twice where the topic's length is what is waited for.
      while (offset < to) {
        const end = Math.min(to, offset + needed - kept_bytes);
        keep(chunk, offset, end);
        offset = end;
        if (kept_bytes < needed) return undefined;
        if (isHeadKnown) return check(kept, 0);
        const refusal = learnHead(kept, 0);
        if (refusal !== undefined) return refusal;
        if (kept_bytes === needed) return check(kept, 0);
      }
      return undefined;
    },
  };
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! * 256 + bytes[offset + 1]!;
}

/** Topic name and identifier (section 3.3.2). */
function refusePublish(bytes: Uint8Array, from: number, to: number, isSure: boolean): BodyRefusal | undefined {
  const end = isSure ? to - WORD : to;
  if (end === from + WORD) return malformed;
  if (isSure && wordAt(bytes, end) === 0) return malformed;
  for (let at = from + WORD; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte === 0 || byte === 0x23 || byte === 0x2b) return malformed; // "#" and "+" are for filters
    if (byte >= 0x80) return isText(bytes.subarray(at, end)) ? undefined : malformed;
  }
  return undefined;
}

/** Identifier, and one filter at least, each with its quality in SUBSCRIBE (sections 3.8 and 3.10). */
function refuseFilters(body: Uint8Array, hasQuality: boolean): BodyRefusal | undefined {
  if (body.length < WORD || wordAt(body, 0) === 0) return malformed;
  let offset = WORD;
  while (offset < body.length) {
    const filter = readText(body, offset);
    if (filter === undefined || filter.length === 0 || !isText(filter)) return malformed;
    offset += WORD + filter.length;
    if (!hasQuality) continue;
    if (offset >= body.length || body[offset]! > 2) return malformed;
    offset += 1;
  }
  return offset === WORD ? malformed : undefined;
}

/** CONNECT (section 3.1). What has another protocol or level is not read on. */
function refuseConnect(body: Uint8Array): BodyRefusal | undefined {
  const protocol = readText(body, 0);
  if (protocol === undefined) return malformed;
  const name = Buffer.from(protocol).toString("latin1");
  let offset = WORD + protocol.length;
  if (offset >= body.length) return malformed;
  // The name of MQTT 3.1, whose return code means the same.
  if (name === "MQIsdp" || (name === "MQTT" && body[offset] !== PROTOCOL_LEVEL)) {
    return { reason: "malformed", returnCode: connectReturnCodes.unacceptableVersion };
  }
  if (name !== "MQTT" || offset + 4 > body.length) return malformed;
  const flags = body[offset + 1]!;
  const refusal = refuseFlags(flags);
  if (refusal !== undefined) return refusal;
  offset += 4; // level, flags, keep alive
  const client = readText(body, offset);
  if (client === undefined || !isText(client)) return malformed;
  offset += WORD + client.length;
  // Will topic, will message, user name, password: where their flags say so, and nothing behind them (section 3.1.3).
  const fields = [
    { isThere: (flags & 0x04) !== 0, isText: true, isTopic: true, least: 1 },
    { isThere: (flags & 0x04) !== 0, isText: false, isTopic: false, least: 0 },
    { isThere: (flags & 0x80) !== 0, isText: true, isTopic: false, least: 0 },
    { isThere: (flags & 0x40) !== 0, isText: false, isTopic: false, least: 0 },
  ];
  for (const field of fields.filter(({ isThere }) => isThere)) {
    const value = readText(body, offset);
    if (value === undefined || value.length < field.least || (field.isText && !isText(value))) return malformed;
    if (field.isTopic && (value.includes(0x23) || value.includes(0x2b))) return malformed;
    offset += WORD + value.length;
  }
  if (offset !== body.length) return malformed;
  const isClean = (flags & 0x02) !== 0;
  const isRejected = client.length > CLIENT_ID_BYTES_MAX || (client.length === 0 && !isClean);
  return isRejected ? { reason: "malformed", returnCode: connectReturnCodes.identifierRejected } : undefined;
}

/** Section 3.1.2.3 to 3.1.2.9. */
function refuseFlags(flags: number): BodyRefusal | undefined {
  const hasWill = (flags & 0x04) !== 0;
  const quality = (flags >> 3) & 0x03;
  const hasUser = (flags & 0x80) !== 0;
  if ((flags & 0x01) !== 0 || quality === 3 || (!hasWill && (flags & 0x38) !== 0)) return malformed;
  if ((flags & 0x40) !== 0 && !hasUser) return malformed;
  return quality === 2 ? { reason: "quality-of-service" } : undefined;
}

/** What stands behind the length at the offset, as a view; undefined where it is longer than the bytes. */
function readText(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  if (offset + WORD > bytes.length) return undefined;
  const end = offset + WORD + wordAt(bytes, offset);
  return end > bytes.length ? undefined : bytes.subarray(offset + WORD, end);
}

/** Section 1.5.3: well-formed UTF-8, so without surrogates, and no U+0000. */
function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}
