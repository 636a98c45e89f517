// The codec on Node: cbor-x behind the guard, which encodes deterministically (RFC 8949 section 4.2.1) what is handed to it in order, and
// decodes only what the guard accepts. The build for Node puts this module in the place of src/wire/cbor.ts, whose functions take the
// little stack that a meter has. An encoder is never used to decode: it would keep record definitions that a sender chose.

import { Decoder, Encoder } from "cbor-x";
import type { CborValue } from "../../src/wire/cbor.js";
import { compareKeys } from "../../src/wire/cbor-key.js";
import { WireError } from "../../src/wire/error.js";
import { DEPTH_MAX, type GuardLimits, guardCbor } from "../../src/wire/guard.js";

const options = {
  useRecords: false,
  mapsAsObjects: false,
  tagUint8Array: false,
  variableMapSize: true,
  useTag259ForMaps: false,
  copyBuffers: true,
};
/** `useBuffer` is in its README and not in its types. */
const encoder = new Encoder(options) as Encoder & { useBuffer(buffer: Buffer): void };
const decoder = new Decoder(options);
const viewDecoder = new Decoder({ ...options, copyBuffers: false });

const defaultLimits: GuardLimits = { size: 65_536, items: 16_384 };

/** All encodings are written into one buffer, and copied out of it: left to itself the encoder takes new memory wherever its buffer is full. */
let buffer: Buffer = Buffer.allocUnsafeSlow(65_536);
/** What it has grown to, four times of what a large value took, is kept up to here. */
const BUFFER_BYTES_MAX = 33_554_432;

/**
 * The one deterministic encoding; map keys are put in order. Throws a WireError for what the guard would not accept: a float, an
 * integer outside int64, ill-formed text, too deep a nesting.
 */
export function encodeCbor(value: CborValue): Uint8Array {
  const prepared = prepare(value, 0);
  encoder.useBuffer(buffer);
  const encoded = encoder.encode(prepared);
  const hasGrown = encoded.buffer.byteLength > buffer.length;
  if (hasGrown && encoded.buffer.byteLength <= BUFFER_BYTES_MAX) buffer = Buffer.from(encoded.buffer);
  return new Uint8Array(encoded);
}

/** Decodes one item: arrays, Maps, Uint8Arrays (copies), strings, numbers or bigints. Throws a WireError as `guardCbor`. */
export function decodeCbor(bytes: Uint8Array, limits: GuardLimits = defaultLimits): CborValue {
  guardCbor(bytes, limits);
  // A plain view, so that decoded byte strings are Uint8Arrays whatever subclass came in.
  return decoder.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as CborValue;
}

/** As `decodeCbor`, but byte strings are views of `bytes`, which must stay as they are for as long as those are used. */
export function decodeCborViews(bytes: Uint8Array, limits: GuardLimits = defaultLimits): CborValue {
  guardCbor(bytes, limits);
  return viewDecoder.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as CborValue;
}

/** cbor-x writes numbers from 2^32 on as floats and bigints below 2^32 in nine bytes: hand it the right kind of each. */
function prepare(value: CborValue, depth: number): unknown {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new WireError("encoding", `${value} is no integer that can be encoded`);
    return value > 0xffffffff || value < -0x100000000 ? BigInt(value) : value === 0 ? 0 : value;
  }
  if (typeof value === "bigint") {
    if (value >= -0x100000000 && value <= 0xffffffff) return Number(value);
    if (BigInt.asIntN(64, value) !== value) throw new WireError("encoding", "integer is outside int64");
    return value;
  }
  if (typeof value === "string") return wellFormed(value);
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  if (depth === DEPTH_MAX) throw new WireError("limit", `value is nested deeper than ${DEPTH_MAX}`);
  if (Array.isArray(value)) return prepareArray(value, depth + 1);
  return prepareMap(value as ReadonlyMap<number | string, CborValue>, depth + 1);
}

function prepareArray(items: readonly CborValue[], depth: number): unknown {
  const prepared: unknown[] = [];
  for (let index = 0; index < items.length; index += 1) prepared.push(prepare(items[index]!, depth));
  return prepared;
}

function prepareMap(map: ReadonlyMap<number | string, CborValue>, depth: number): unknown {
  const keys = [...map.keys()].sort(compareKeys);
  const prepared = new Map<unknown, unknown>();
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index]!;
    prepared.set(prepareKey(key), prepare(map.get(key)!, depth));
  }
  return prepared;
}

function prepareKey(key: number | string): unknown {
  if (typeof key === "number" && (key > 0xffffffff || key < -0x100000000)) {
    throw new WireError("encoding", `map key ${key} is beyond 32 bits`);
  }
  return prepare(key, DEPTH_MAX);
}

/** Text that UTF-8 can hold: no surrogate alone (an encoder would write rubbish or U+FFFD) and no byte order mark first. */
function wellFormed(text: string): string {
  if (text.charCodeAt(0) === 0xfeff) throw new WireError("encoding", "text begins with a byte order mark");
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(index + 1); // NaN behind the end
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) {
      throw new WireError("encoding", `text has a surrogate alone at ${index}`);
    }
    index += 1;
  }
  return text;
}
