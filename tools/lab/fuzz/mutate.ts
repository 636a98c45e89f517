// Changes to messages, pure and from a seed: on the bytes, which mostly fail at the first check, and on the decoded value, which
// get further in. Lengths stay within limits, so that a run costs what its messages cost.

import { type CborValue, decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { WireError } from "../../../src/wire/error.js";
import type { Random } from "../rig/random.js";

/** A message grows by no more than this. */
const GROWTH_BYTES_MAX = 512;
/** Tag 18 (RFC 9052, section 2), which stands in front of records, credentials and the like. */
const SIGN1_TAG = 0xd2;
const decodeLimits = { size: 1_048_576, items: 65_536 };
/** Heads of CBOR items with lengths beyond what follows, floats, tags, indefinite lengths (RFC 8949, section 3). */
const oddBytes = [0x00, 0x1b, 0x3b, 0x5b, 0x5f, 0x7f, 0x9b, 0x9f, 0xbf, 0xbb, 0xc0, 0xd2, 0xf7, 0xf9, 0xfb, 0xff];
const oddNumbers = [0, -1, 1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];

/** The bytes with one to four changes: bits, bytes, pieces cut out, doubled, moved, cut off, or taken from `other`. Always a new array. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let mutated = Uint8Array.from(bytes);
  for (let changes = 1 + random.below(4); changes > 0; changes -= 1) mutated = changeBytes(mutated, other, random);
  return mutated;
}

function changeBytes(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  const changed = Uint8Array.from(bytes);
  if (bytes.length === 0) return random.bytes(1 + random.below(16)) as Uint8Array<ArrayBuffer>;
  const at = random.below(bytes.length);
  const length = Math.min(1 + random.below(32), bytes.length - at, GROWTH_BYTES_MAX);
  switch (random.below(8)) {
    case 0:
      changed[at]! ^= 1 << random.below(8);
      return changed;
    case 1:
      changed[at] = random.pick(oddBytes);
      return changed;
    case 2:
      changed[at] = random.below(256);
      return changed;
    case 3:
      return changed.slice(0, at);
    case 4:
      return joined(changed.subarray(0, at), changed.subarray(at + length));
    case 5:
      return joined(changed.subarray(0, at), changed.subarray(at, at + length), changed.subarray(at));
    case 6:
      return joined(changed, random.bytes(1 + random.below(16)));
    default: {
      const from = random.below(other.length + 1);
      return joined(changed.subarray(0, at), other.subarray(from, from + length), changed.subarray(at + length));
    }
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/**
 * The message with one item of its CBOR changed, well-formed again, a COSE_Sign1 with its tag; undefined where it is no CBOR or the
 * change cannot be encoded.
 */
export function mutateCbor(bytes: Uint8Array, random: Random): Uint8Array | undefined {
  const isTagged = bytes[0] === SIGN1_TAG;
  try {
    const changed = encodeCbor(mutateValue(decodeCbor(isTagged ? bytes.subarray(1) : bytes, decodeLimits), random));
    return isTagged ? joined(Uint8Array.of(SIGN1_TAG), changed) : changed;
  } catch (thrown) {
    if (thrown instanceof WireError) return undefined;
    throw thrown;
  }
}

/** A value that differs from the given one in one place, found by going down at random. */
function mutateValue(value: CborValue, random: Random): CborValue {
  if (random.chance(0.1)) return strangeValue(random);
  if (typeof value === "number" || typeof value === "bigint") return changedNumber(Number(value), random);
  if (typeof value === "string") return random.chance(0.5) ? `${value}x` : value.slice(1);
  if (value instanceof Uint8Array) return changedOctets(value, random);
  if (Array.isArray(value)) return changedArray(value, random);
  if (value instanceof Map) return changedMap(value, random);
  return strangeValue(random);
}

function changedNumber(number: number, random: Random): number {
  const changed = random.chance(0.5) ? number + random.pick([-2, -1, 1, 2, 1_024]) : random.pick(oddNumbers);
  return Number.isSafeInteger(changed) ? changed : 0;
}

/** A byte string often holds CBOR of its own: a payload, a record. */
function changedOctets(bytes: Uint8Array, random: Random): Uint8Array {
  const inner = bytes.length > 8 && random.chance(0.7) ? mutateCbor(bytes, random) : undefined;
  return inner ?? changeBytes(bytes, bytes, random);
}

function changedArray(items: readonly CborValue[], random: Random): readonly CborValue[] {
  if (items.length === 0) return [strangeValue(random)];
  const at = random.below(items.length);
  switch (random.below(8)) {
    case 0:
      return items.toSpliced(at, 1);
    case 1:
      return items.toSpliced(at, 0, items[at]!);
    case 2:
      return items.toSpliced(at, 1, items[random.below(items.length)]!);
    default:
      return items.toSpliced(at, 1, mutateValue(items[at]!, random));
  }
}

function changedMap(map: ReadonlyMap<number | string, CborValue>, random: Random): CborValue {
  const changed = new Map(map);
  if (map.size === 0) return changed.set(random.below(40), strangeValue(random));
  const [key, entry] = [...map][random.below(map.size)]!;
  const kind = random.below(6);
  if (kind < 2) changed.delete(key);
  if (kind === 1) changed.set(random.below(40), entry);
  if (kind > 1) changed.set(key, mutateValue(entry, random));
  return changed;
}

function strangeValue(random: Random): CborValue {
  switch (random.below(7)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.pick(oddNumbers);
    case 3:
      return random.bytes(random.pick([0, 1, 8, 31, 32, 64]));
    case 4:
      return [];
    case 5:
      return new Map();
    default:
      return random.pick(["", "gs1/batch", "\u0000", "x".repeat(300)]);
  }
}
