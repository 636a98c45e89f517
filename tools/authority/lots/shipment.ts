// A shipment file: the maker's word on the devices of a lot, signed to its buyer, who signs it on to the next owner, and so on (an
// ownership voucher, as FIDO Device Onboard has one). A CBOR sequence of COSE_Sign1, each naming the hash of what stands before it.

import { CODE_MAX, TIME_S_MAX } from "../../../src/wire/bounds.js";
import { equalBytes } from "../../../src/wire/bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { parseSign1, sign1, verifySign1 } from "../../../src/wire/cose.js";
import { type KeyOrigin, keyOrigins } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { equalKeys, keyFromMap, keyToMap, type PublicKey, type Signer } from "../../../src/wire/key.js";
import { asArray, asBytes, asList, asText, asUint } from "../../../src/wire/shape.js";
import { sha256 } from "../../crypto/hash.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { itemsOf } from "../../files/sequence.js";

export const LOT_DEVICES_MAX = 50_000;
export const SHIPMENT_BYTES_MAX = 16_777_216;
const OWNERS_MAX = 64;
const LOT = "gs1/lot";
const LOT_TRANSFER = "gs1/lot-transfer";
const limits = { size: SHIPMENT_BYTES_MAX, items: 16 };

/** A device as its maker attests it. */
export interface LotDevice {
  /** the ID that is on its plate, and is to be issued */
  readonly id: string;
  /** id of the key that is on it, 8 bytes */
  readonly kid: Uint8Array;
  readonly origin: KeyOrigin;
  /** SHA-256 of the firmware image that it left with */
  readonly firmware: Uint8Array | undefined;
}

export interface Shipment {
  readonly lot: string;
  readonly maker: PublicKey;
  /** the buyer and those that it was handed on to; the last one owns it */
  readonly owners: readonly [PublicKey, ...PublicKey[]];
  readonly time_s: number;
  readonly devices: readonly LotDevice[];
  /** SHA-256 of the whole file */
  readonly hash: Uint8Array;
}

export interface Sale {
  readonly lot: string;
  readonly devices: readonly LotDevice[];
  readonly buyer: PublicKey;
  readonly time_s: number;
}

/** The maker signs a lot to its buyer. Throws a WireError where it could not be read again. */
export function signShipment({ lot, devices, buyer, time_s }: Sale, maker: Signer): Uint8Array {
  const rows = devices.map(
    ({ id, kid, origin, firmware }): CborValue => [id, kid, keyOrigins.indexOf(origin) + 1, firmware ?? null],
  );
  const bytes = sign1(encodeCbor([LOT, lot, keyToMap(maker.key), keyToMap(buyer), time_s, rows]), maker);
  readShipment(bytes);
  return bytes;
}

/** Its owner hands a lot on: the file with one item more. Throws a WireError where the signer does not own it. */
export function handOn(
  bytes: Uint8Array,
  next: { readonly to: PublicKey; readonly time_s: number },
  owner: Signer,
): Uint8Array {
  const { owners } = readShipment(bytes);
  if (!equalKeys(owners.at(-1)!, owner.key)) throw new WireError("unproven", "the key is not its owner's");
  const item = sign1(encodeCbor([LOT_TRANSFER, sha256(bytes), keyToMap(next.to), next.time_s]), owner);
  const whole = new Uint8Array(bytes.length + item.length);
  whole.set(bytes);
  whole.set(item, bytes.length);
  readShipment(whole);
  return whole;
}

/** Reads a shipment file and checks every signature in it. Whether the maker is who it should be is the reader's to know. */
export function readShipment(bytes: Uint8Array): Shipment {
  if (bytes.length > SHIPMENT_BYTES_MAX) throw new WireError("limit", `it has ${bytes.length} bytes`);
  let offset = 0;
  let shipment: Shipment | undefined;
  for (const item of itemsOf(bytes, limits)) {
    shipment = shipment === undefined ? soldIn(item) : handedOn(shipment, item, sha256(bytes.subarray(0, offset)));
    offset += item.length;
  }
  if (shipment === undefined) throw new WireError("shape", "it is empty");
  return { ...shipment, hash: sha256(bytes) };
}

function soldIn(item: Uint8Array): Shipment {
  const message = parseSign1(item, SHIPMENT_BYTES_MAX);
  if (message.unprotected.size !== 0) throw new WireError("shape", "lot has an unprotected header");
  const payload = decodeCbor(message.payload, { size: SHIPMENT_BYTES_MAX, items: 8 * LOT_DEVICES_MAX });
  const [name, lot, maker, buyer, time_s, rows] = asArray(payload, "lot", 6);
  if (name !== LOT) throw new WireError("shape", "lot does not begin with its name");
  const key = keyFromMap(maker);
  if (!verifySign1(message, key, nodeVerify)) throw new WireError("unproven", "lot is not signed by its maker");
  return {
    lot: asText(lot, "lot's name", 32),
    maker: key,
    owners: [keyFromMap(buyer)],
    time_s: asUint(time_s, "lot's time", TIME_S_MAX),
    devices: devicesIn(rows),
    hash: new Uint8Array(0),
  };
}

function devicesIn(value: CborValue | undefined): readonly LotDevice[] {
  const devices = asList(value, "lot's devices", LOT_DEVICES_MAX).map((row) => {
    const [id, kid, origin, firmware] = asArray(row, "lot's device", 4);
    const known = keyOrigins[asUint(origin, "device's key origin", CODE_MAX) - 1];
    if (known === undefined) throw new WireError("unsupported", `key origin ${String(origin)} is not known`);
    return {
      id: asText(id, "device's ID"),
      kid: asBytes(kid, "device's key id", 8),
      origin: known,
      firmware: firmware === null ? undefined : asBytes(firmware, "device's firmware", 32),
    };
  });
  if (devices.length === 0) throw new WireError("shape", "lot has no devices");
  if (new Set(devices.map(({ id }) => id)).size !== devices.length) {
    throw new WireError("shape", "lot names a device twice");
  }
  return devices;
}

function handedOn(shipment: Shipment, item: Uint8Array, before: Uint8Array): Shipment {
  const message = parseSign1(item, SHIPMENT_BYTES_MAX);
  if (message.unprotected.size !== 0) throw new WireError("shape", "transfer has an unprotected header");
  const [name, hash, to, time_s] = asArray(decodeCbor(message.payload), "transfer of a lot", 4);
  if (name !== LOT_TRANSFER) throw new WireError("shape", "transfer of a lot does not begin with its name");
  if (!equalBytes(asBytes(hash, "transfer's hash", 32), before)) {
    throw new WireError("unproven", "transfer does not name what stands before it");
  }
  const owner = shipment.owners.at(-1)!;
  if (!verifySign1(message, owner, nodeVerify)) throw new WireError("unproven", "transfer is not signed by the owner");
  if (shipment.owners.length >= OWNERS_MAX) throw new WireError("limit", `lot had ${OWNERS_MAX} owners already`);
  const given = asUint(time_s, "transfer's time", TIME_S_MAX);
  return { ...shipment, owners: [...shipment.owners, keyFromMap(to)], time_s: given };
}
