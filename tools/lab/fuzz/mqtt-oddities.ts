// Packets of MQTT that the standard forbids, one of each kind: what a careless or a hostile client sends, beside what is drawn at random.

import type { Random } from "../rig/random.js";

const texts: readonly (readonly number[])[] = [
  [0x61, 0x00, 0x62],
  [0x61, 0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [],
  [0x23],
];
const versions: readonly (readonly [string, number])[] = [
  ["MQTT", 5],
  ["MQTT", 3],
  ["MQTT", 0x84],
  ["MQIsdp", 3],
  ["XXXX", 4],
];

/** A CONNECT that is to be refused: another version, flags that contradict each other, a text that is none. */
export function oddConnect(random: Random): Buffer {
  const odd = text(random.pick(texts));
  const good = text([0x61]);
  const connect = (name: string, level: number, flags: number, ...fields: readonly Buffer[]) =>
    packet(0x10, text([...Buffer.from(name)]), Buffer.of(level, flags, 0, random.below(3)), ...fields);
  switch (random.below(6)) {
    case 0:
      return connect(...random.pick(versions), 2, good);
    case 1:
      return connect("MQTT", 4, 0, odd);
    case 2:
      return connect("MQTT", 4, random.below(256), good, odd, good, odd, good);
    case 3:
      return connect("MQTT", 4, 2, text(Array(129 + random.below(2_000)).fill(0x61)));
    case 4:
      return connect("MQTT", 4, 6, good, odd, good);
    default:
      return connect("MQTT", 4, 0x82, good, odd);
  }
}

/** A packet that is to end a session: identifier 0, a text that is none, a body that none has. */
export function oddPacket(topic: Buffer, random: Random): Buffer {
  const odd = text(random.pick(texts));
  const named = Buffer.concat([Buffer.of(topic.length >> 8, topic.length & 0xff), topic]);
  const zero = Buffer.of(0, 0);
  const one = Buffer.of(0, 1);
  return random.pick([
    packet(0x32, named, zero, one),
    packet(0x32, odd, one, one),
    packet(0x30, odd, one),
    packet(0x38, named, one),
    packet(0x82, zero, named, Buffer.of(1)),
    packet(0x82, one, odd, Buffer.of(1)),
    packet(0x82, one, named, Buffer.of(3)),
    packet(0x82, one),
    packet(0xa2, zero, named),
    packet(0xa2, one, odd),
    packet(0x40, zero),
    packet(0x40, one, one),
    packet(0xc0, one),
    packet(0xe0, one),
  ]);
}

function text(bytes: readonly number[]): Buffer {
  return Buffer.from([bytes.length >> 8, bytes.length & 0xff, ...bytes]);
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}
