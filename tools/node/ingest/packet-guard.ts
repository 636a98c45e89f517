// Judges what a client sends before the broker reads it, pure: fixed headers (MQTT 3.1.1 section 2.2), then what packet-bodies.ts says
// of the rest; lets nothing through that is too large, too fast or out of place.

import { OPERATION_BYTES_MAX } from "../../../src/wire/operation.js";
import { tokensAfter } from "../limits/token-bucket.js";
import type { IngestRefusal } from "./ingest.js";
import { type BodyRefusal, createBodyCheck } from "./packet-bodies.js";

export interface GuardLimits {
  /** largest packet in bytes, fixed header included */
  readonly packet_bytes_max: number;
  /** sustained rates of one connection; a second's worth may come at once, and a faster client is paused */
  readonly packets_per_s: number;
  readonly bytes_per_s: number;
  /** packets of a client that has not proved to be a meter: at once, and in a second */
  readonly stranger_packets_max: number;
  readonly stranger_packets_per_s: number;
  /** time for a CONNECT to arrive whole */
  readonly connect_timeout_ms: number;
  /** time for any other packet to arrive whole, and for a client to take what is sent to it */
  readonly packet_timeout_ms: number;
}

/** The largest operation, with its topic and what stands before it. */
export const PACKET_BYTES_MAX = OPERATION_BYTES_MAX + 1_024;

export const defaultGuardLimits: GuardLimits = {
  packet_bytes_max: PACKET_BYTES_MAX,
  packets_per_s: 5_000,
  bytes_per_s: 4 * 1024 * 1024,
  // CONNECT, SUBSCRIBE, the birth, and the 24 records that a meter has on its way.
  stranger_packets_max: 200,
  stranger_packets_per_s: 100,
  connect_timeout_ms: 10_000,
  packet_timeout_ms: 30_000,
};

export type GuardRefusal = Extract<
  IngestRefusal,
  "oversized" | "malformed" | "not-connect" | "flood" | "quality-of-service"
>;

export interface PacketGuard {
  /** Judges the next bytes; the refusal is final. `now_ms` is monotonic. */
  inspect(chunk: Uint8Array, now_ms: number): GuardRefusal | undefined;
  /** Publications that end in the chunk inspected last: views of it, good until `passed` is called, but for one that came cut. */
  publications(): readonly Uint8Array[];
  /** Whether filters change with a packet that ends in the chunk inspected last. */
  hasFilters(): boolean;
  /**
   * What the broker is to read of the chunk inspected last, in the chunk's memory: all but publications and whole acknowledgements,
   * which nothing waits for.
   */
  passed(chunk: Uint8Array): Uint8Array;
  /** How long to read nothing more after the bytes inspected so far; 0 where the client is within its rate. */
  pause_ms(): number;
  /** The client has proved to be a meter: the rate of one is its own from here on. */
  prove(): void;
  /** What to send before the connection ends, after a refusal. */
  answer(): Uint8Array | undefined;
  /** packets begun so far */
  packets(): number;
  /** whether a packet has begun that is not complete */
  isInsidePacket(): boolean;
}

const types = {
  connect: 1,
  publish: 3,
  puback: 4,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
} as const;
/** A client that sends this many seconds' worth of packets in one piece is not merely fast. */
const FLOOD_S = 2;

/** Judges one connection's bytes from the client. */
export function createPacketGuard(limits: GuardLimits): PacketGuard {
  let phase: "type" | "length" | "body" = "type";
  /** first byte and type of the packet that began last */
  let first = 0;
  let type = 0;
  const body = createBodyCheck();
  let answer: Uint8Array | undefined;
  /** where it begins in the chunk; negative where that was in one before */
  let begin = 0;
  /** beginning and end of each part of the chunk inspected last that is not passed */
  let apart: number[] = [];
  let publications: Uint8Array[] = [];
  let hasFilters = false;
  const cut = createCutPacket(limits.packet_bytes_max);
  let length = 0;
  let lengthBytes = 0;
  let missing_bytes = 0;
  let packetCount = 0;
  const packets = { tokens_s: limits.packets_per_s, tokens_max: limits.packets_per_s };
  const strangers = { tokens_s: limits.stranger_packets_per_s, tokens_max: limits.stranger_packets_max };
  const bytes = { tokens_s: limits.bytes_per_s, tokens_max: limits.bytes_per_s };
  let packetTokens = limits.packets_per_s;
  let isProved = false;
  let strangerTokens = limits.stranger_packets_max;
  let byteTokens = limits.bytes_per_s;
  let refilled_ms: number | undefined;

  function refill(now_ms: number): void {
    const passed_ms = now_ms - (refilled_ms ?? now_ms);
    refilled_ms = now_ms;
    packetTokens = tokensAfter(packetTokens, passed_ms, packets);
    strangerTokens = tokensAfter(strangerTokens, passed_ms, strangers);
    byteTokens = tokensAfter(byteTokens, passed_ms, bytes);
  }

  function takeType(byte: number): GuardRefusal | undefined {
    packetCount += 1;
    packetTokens -= 1;
    strangerTokens -= 1;
    phase = "length";
    first = byte;
    type = byte >> 4;
    length = 0;
    lengthBytes = 0;
    if (packetTokens < -FLOOD_S * limits.packets_per_s) return "flood";
    return refuseType(byte, packetCount === 1);
  }

  /** Remaining length: seven bits a byte, the low ones first, four bytes at most (section 2.2.3). */
  function takeLength(byte: number): GuardRefusal | undefined {
    length += (byte & 0x7f) << (7 * lengthBytes);
    lengthBytes += 1;
    if (1 + lengthBytes + length > limits.packet_bytes_max) return "oversized";
    if (byte >= 0x80) return lengthBytes === 4 ? "malformed" : undefined;
    missing_bytes = length;
    phase = length === 0 ? "type" : "body";
    return refuseBody(body.begin(first, length));
  }

  function refuseBody(refusal: BodyRefusal | undefined): GuardRefusal | undefined {
    if (refusal?.returnCode !== undefined) answer = Uint8Array.of(0x20, 2, 0, refusal.returnCode);
    return refusal?.reason;
  }

  function inspect(chunk: Uint8Array, now_ms: number): GuardRefusal | undefined {
    refill(now_ms);
    byteTokens -= chunk.length;
    begin = -1;
    apart = [];
    publications = [];
    hasFilters = false;
    let offset = 0;
    while (offset < chunk.length) {
      if (phase === "body") {
        const taken = Math.min(missing_bytes, chunk.length - offset);
        const refusal = refuseBody(body.take(chunk, offset, offset + taken));
        if (refusal !== undefined) return refusal;
        offset += taken;
        missing_bytes -= taken;
        if (missing_bytes > 0) continue;
        phase = "type";
        setApart(chunk, offset);
        continue;
      }
      if (phase === "type") begin = offset;
      const byte = chunk[offset]!;
      offset += 1;
      const refusal = phase === "type" ? takeType(byte) : takeLength(byte);
      if (refusal) return refusal;
    }
    if (phase !== "type" && type === types.publish) keep(chunk, chunk.length);
    return undefined;
  }

  /** The packet that is whole ends there. */
  function setApart(chunk: Uint8Array, end: number): void {
    if (type === types.subscribe || type === types.unsubscribe) hasFilters = true;
    if (type === types.puback && begin >= 0) apart.push(begin, end);
    if (type !== types.publish) return;
    if (begin >= 0) {
      apart.push(begin, end);
      publications.push(chunk.subarray(begin, end));
      return;
    }
    keep(chunk, end);
    publications.push(cut.take());
  }

  /** The next piece of a publication ends there. */
  function keep(chunk: Uint8Array, end: number): void {
    const from = Math.max(0, begin);
    cut.add(chunk.subarray(from, end));
    apart.push(from, end);
  }

  function passed(chunk: Uint8Array): Uint8Array {
    if (apart.length === 0) return chunk;
    let end = 0;
    let from = 0;
    for (let index = 0; index < apart.length; index += 2) {
      const to = apart[index]!;
      chunk.copyWithin(end, from, to);
      end += to - from;
      from = apart[index + 1]!;
    }
    chunk.copyWithin(end, from);
    return chunk.subarray(0, end + chunk.length - from);
  }

  return {
    inspect,
    publications: () => publications,
    hasFilters: () => hasFilters,
    passed,
    pause_ms() {
      const strange_s = isProved ? 0 : -strangerTokens / limits.stranger_packets_per_s;
      const wait_s = Math.max(strange_s, -packetTokens / limits.packets_per_s, -byteTokens / limits.bytes_per_s);
      return wait_s <= 0 ? 0 : Math.ceil(wait_s * 1000);
    },
    prove() {
      isProved = true;
    },
    answer: () => answer,
    packets: () => packetCount,
    isInsidePacket: () => phase !== "type",
  };
}

/** What has come of a packet that was cut: no more memory than twice that, and than the largest packet has. */
function createCutPacket(bytes_max: number) {
  let kept = new Uint8Array(0);
  let kept_bytes = 0;
  return {
    add(piece: Uint8Array): void {
      const after = kept_bytes + piece.length;
      if (after > kept.length) {
        const larger = new Uint8Array(Math.min(2 * after, bytes_max));
        larger.set(kept.subarray(0, kept_bytes));
        kept = larger;
      }
      kept.set(piece, kept_bytes);
      kept_bytes = after;
    },
    /** The packet, which is whole now. */
    take(): Uint8Array {
      const packet = kept.subarray(0, kept_bytes);
      kept = new Uint8Array(0);
      kept_bytes = 0;
      return packet;
    },
  };
}

/** The type and flags that a client may send (sections 2.2.1 and 2.2.2), of QoS 0 and 1 alone. */
function refuseType(byte: number, first: boolean): GuardRefusal | undefined {
  const type = byte >> 4;
  const flags = byte & 0x0f;
  if (first) return type === types.connect ? (flags === 0 ? undefined : "malformed") : "not-connect";
  switch (type) {
    case types.publish:
      // QoS 3, and a repetition of what is sent once (section 3.3.1.1).
      if ((flags & 0x06) === 0x06 || (flags & 0x0e) === 0x08) return "malformed";
      return (flags & 0x04) === 0 ? undefined : "quality-of-service";
    case types.subscribe:
    case types.unsubscribe:
      return flags === 2 ? undefined : "malformed";
    case types.puback:
    case types.pingreq:
    case types.disconnect:
      return flags === 0 ? undefined : "malformed";
    default:
      return "malformed";
  }
}
