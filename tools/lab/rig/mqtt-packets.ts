// The few MQTT 3.1.1 packets that a load generator speaks, written for speed: a general client
// costs more than the node it would measure. Section numbers are those of the OASIS standard.

/** Packet types (section 2.2.1). */
export const packetTypes = { connack: 2, publish: 3, puback: 4, suback: 9 } as const;

/** Ids of QoS 1 packets; 0 is none (section 2.3.1). */
export const PACKET_ID_MAX = 65_535;
const REMAINING_LENGTH_MAX = 268_435_455;

/**
 * CONNECT of a clean session without keep-alive, so that an idle connection is silent (section
 * 3.1).
 */
export function encodeConnect(clientId: string): Buffer {
  return packet(0x10, [text("MQTT"), Buffer.from([4, 2, 0, 0]), text(clientId)]);
}

/** SUBSCRIBE at QoS 1 (section 3.8). */
export function encodeSubscribe(packetId: number, filters: readonly string[]): Buffer {
  return packet(0x82, [uint16(packetId), ...filters.flatMap((filter) => [text(filter), Buffer.of(1)])]);
}

/** PUBLISH at QoS 1, not retained (section 3.3). */
export function encodePublish(topic: string, packetId: number, payload: Uint8Array): Buffer {
  return packet(0x32, [text(topic), uint16(packetId), payload]);
}

/** One PUBACK after another (section 3.4). */
export function encodePubacks(packetIds: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * packetIds.length);
  packetIds.forEach((packetId, index) => {
    bytes.writeUInt16BE(0x4002, 4 * index);
    bytes.writeUInt16BE(packetId, 4 * index + 2);
  });
  return bytes;
}

export interface Publication {
  readonly topic: Buffer;
  readonly packetId: number;
  readonly payload: Buffer;
}

/**
 * What the body of a QoS 1 PUBLISH holds, as views. Throws a RangeError where it is shorter than it
 * says.
 */
export function readPublish(body: Buffer): Publication {
  const topicEnd = 2 + body.readUInt16BE(0);
  return {
    topic: body.subarray(2, topicEnd),
    packetId: body.readUInt16BE(topicEnd),
    payload: body.subarray(topicEnd + 2),
  };
}

/**
 * Cuts a stream into packets: each chunk in, `onPacket(type, body, packet)` for every one that it
 * completes. Bodies and packets are views that are good until the call returns. Throws a RangeError
 * where a length has more than four bytes.
 */
export function createPacketReader(
  onPacket: (type: number, body: Buffer, packet: Buffer) => void,
): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let offset = 0;
    for (;;) {
      const length = readRemainingLength(bytes, offset + 1);
      if (length === undefined || length.end + length.value > bytes.length) break;
      const begin = offset;
      offset = length.end + length.value;
      onPacket(bytes[begin]! >> 4, bytes.subarray(length.end, offset), bytes.subarray(begin, offset));
    }
    rest = offset === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(offset));
  };
}

/** Undefined where the length is not whole yet (section 2.2.3). */
function readRemainingLength(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  throw new RangeError("an MQTT length has more than four bytes");
}

function packet(head: number, parts: readonly Uint8Array[]): Buffer {
  let length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > REMAINING_LENGTH_MAX) throw new RangeError(`an MQTT packet holds ${REMAINING_LENGTH_MAX} bytes at most`);
  const header = [head];
  do {
    header.push((length % 128) + (length > 127 ? 128 : 0));
    length = Math.floor(length / 128);
  } while (length > 0);
  return Buffer.concat([Buffer.from(header), ...parts]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}
