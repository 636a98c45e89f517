// The MQTT 3.1.1 packets that come and go with every record, PUBLISH and PUBACK: read and written whole, as a general encoder's many
// small writes cost more than the packet. Section numbers are those of the OASIS standard.

/** Packet identifiers (section 2.3.1); 0 is none. */
export const PACKET_ID_MAX = 65_535;
/** Fixed header with the longest remaining length (section 2.2.3), topic length and packet identifier. */
const HEAD_BYTES_MAX = 5 + 2 + 2;

/** PUBACK (section 3.4). */
export function encodePuback(packetId: number): Uint8Array {
  return Uint8Array.of(0x40, 2, packetId >> 8, packetId & 0xff);
}

/** All of a PUBLISH but its payload (section 3.3): not retained, no repetition. The topic is ASCII; `packetId` counts at QoS 1 alone. */
export function encodePublishHead(topic: string, qos: 0 | 1, packetId: number, payload_bytes: number): Uint8Array {
  const head = Buffer.allocUnsafe(HEAD_BYTES_MAX + topic.length);
  head[0] = 0x30 | (qos << 1);
  let offset = 1;
  let length = 2 + topic.length + (qos === 1 ? 2 : 0) + payload_bytes;
  do {
    head[offset] = (length & 0x7f) | (length > 0x7f ? 0x80 : 0);
    offset += 1;
    length >>>= 7;
  } while (length > 0);
  offset = head.writeUInt16BE(topic.length, offset);
  offset += head.write(topic, offset, "latin1");
  if (qos === 1) offset = head.writeUInt16BE(packetId, offset);
  return head.subarray(0, offset);
}

/** A PUBLISH as read, its payload as a view of the packet. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** undefined at QoS 0, where nothing is acknowledged */
  readonly packetId: number | undefined;
}

/** Reads a whole PUBLISH (section 3.3) that packet-guard.ts has let through. */
export function readPublication(packet: Uint8Array): Publication {
  const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.length);
  let offset = 1;
  while (bytes[offset]! >= 0x80) offset += 1; // remaining length
  offset += 1;
  const end = offset + 2 + bytes.readUInt16BE(offset);
  const topic = bytes.toString("utf8", offset + 2, end);
  const isSure = (bytes[0]! & 0x06) !== 0;
  return {
    topic,
    payload: packet.subarray(isSure ? end + 2 : end),
    packetId: isSure ? bytes.readUInt16BE(end) : undefined,
  };
}
