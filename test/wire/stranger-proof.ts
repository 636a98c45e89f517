// What the stranger proves with: COSE_Sign1 (RFC 9052), keys, SHA-256, Merkle trees (RFC 9162), by node:crypto alone, and checks of
// decoded items. It imports neither src nor tools.

import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";

export interface StrangerKey {
  readonly algorithm: -19 | -9;
  readonly object: KeyObject;
  /** first 8 bytes of SHA-256 of the COSE_Key, as hex */
  readonly id: string;
}

export interface Sign1 {
  readonly header: ReadonlyMap<Item, Item>;
  readonly protected: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

export function readSign1(bytes: Uint8Array, size: number): Sign1 {
  demand(bytes.length <= size, "COSE_Sign1 is too long");
  demand(bytes[0] === 0xd2, "COSE_Sign1 has no tag 18");
  const [header, unprotected, payload, signature] = list(independentDecode(bytes.subarray(1)), 4);
  demand(mapOf(unprotected).size === 0, "COSE_Sign1 has an unprotected header");
  return {
    header: mapOf(independentDecode(bytesOf(header))),
    protected: bytesOf(header),
    payload: bytesOf(payload),
    signature: bytesOf(signature, 64),
  };
}

export function signed(key: StrangerKey, message: Sign1): boolean {
  const structure = independentCbor(["Signature1", message.protected, Buffer.alloc(0), message.payload]);
  return message.header.get(1) === key.algorithm && verifies(key, structure, message.signature);
}

export function verifies(key: StrangerKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.algorithm === -19) {
    const x = Buffer.from(key.object.export({ format: "jwk" }).x!, "base64url");
    return !isOfSmallOrder(x) && !isOfSmallOrder(signature) && verify(null, message, key.object, signature);
  }
  const half = Buffer.from("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8", "hex");
  if (Buffer.compare(signature.subarray(32), half) > 0) return false;
  return verify("sha256", message, { key: key.object, dsaEncoding: "ieee-p1363" }, signature);
}

/** Whether the 32 bytes in front, less the sign, are the y of a point whose order divides 8 (PROTOCOL.md, section 2). */
function isOfSmallOrder(bytes: Uint8Array): boolean {
  const y = Buffer.from(bytes.subarray(0, 32));
  y[31]! &= 0x7f;
  const number = BigInt(`0x${Buffer.from(y).reverse().toString("hex")}`) % (2n ** 255n - 19n);
  const ofOrder8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
  return [0n, 1n, -1n, ofOrder8, -ofOrder8].some((root) => (number - root) % (2n ** 255n - 19n) === 0n);
}

export function readKey(item: Item | undefined): StrangerKey {
  const map = mapOf(item);
  const id = sha256(independentCbor(item!)).subarray(0, 8).toString("hex");
  const x = Buffer.from(bytesOf(map.get(-2), 32)).toString("base64url");
  if (map.get(1) === 1 && map.get(-1) === 6) {
    const object = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return { algorithm: -19, object, id };
  }
  demand(map.get(1) === 2 && map.get(-1) === 1, "key is neither Ed25519 nor P-256");
  const y = Buffer.from(bytesOf(map.get(-3), 32)).toString("base64url");
  return { algorithm: -9, object: createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" }), id };
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** RFC 9162 section 2.1.1, as defined. */
export function merkleRoot(entries: readonly Uint8Array[]): Buffer {
  if (entries.length === 1) return sha256(Buffer.concat([Buffer.of(0), entries[0]!]));
  let split = 1;
  while (2 * split < entries.length) split *= 2;
  return sha256(Buffer.concat([Buffer.of(1), merkleRoot(entries.slice(0, split)), merkleRoot(entries.slice(split))]));
}

/** RFC 9162 section 2.1.3.2: the root that a path leads to from the entry of this leaf, in a tree of `size` leaves. */
export function rootOfPath(entry: Uint8Array, leaf: number, size: number, path: readonly Uint8Array[]): Buffer {
  demand(leaf < size, "leaf is not in its tree");
  let [fn, sn] = [leaf, size - 1];
  let root = sha256(Buffer.concat([Buffer.of(0), entry]));
  for (const hash of path) {
    demand(sn > 0, "path is too long for its tree");
    if (fn % 2 === 1 || fn === sn) {
      root = sha256(Buffer.concat([Buffer.of(1), hash, root]));
      for (; fn % 2 === 0 && fn > 0; fn /= 2) sn = Math.floor(sn / 2);
    } else root = sha256(Buffer.concat([Buffer.of(1), root, hash]));
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  demand(sn === 0, "path is too short for its tree");
  return root;
}

/** Section 9: 0, or a mantissa of 23 bits that is not 0 with an exponent from 3 to 32. */
export function isTarget(target: number): boolean {
  const [exponent, mantissa] = [target >>> 24, target & 0xffffff];
  return (
    target === 0 || (target <= 0xffffffff && exponent >= 3 && exponent <= 32 && mantissa > 0 && mantissa < 0x800000)
  );
}

export function meets(hash: Buffer, target: number): boolean {
  if (target === 0) return true;
  const limit = BigInt(target & 0xffffff) << BigInt(8 * ((target >>> 24) - 3));
  return BigInt(`0x${hash.toString("hex")}`) <= limit;
}

export function demand(holds: boolean, broken: string): void {
  if (!holds) throw new Error(broken);
}

export function same(left: Uint8Array, right: Uint8Array, what: string): void {
  demand(Buffer.compare(left, right) === 0, `${what} is not what it must be`);
}

export function listUpTo(item: Item | undefined, max: number): readonly Item[] {
  demand(list(item).length <= max, `an array has more than ${max} items`);
  return list(item);
}

export function list(item: Item | undefined, length?: number): readonly Item[] {
  if (!Array.isArray(item) || (length !== undefined && item.length !== length)) throw new Error("an array is missing");
  return item;
}

export function bytesOf(item: Item | undefined, length?: number): Uint8Array {
  if (!(item instanceof Uint8Array) || (length !== undefined && item.length !== length)) {
    throw new Error("a byte string is missing");
  }
  return item;
}

export function mapOf(item: Item | undefined): ReadonlyMap<Item, Item> {
  if (!(item instanceof Map)) throw new Error("a map is missing");
  return item;
}

/** Section 17: an unsigned integer within its bound. */
export function numberOf(item: Item | undefined, max: number, min = 0): number {
  if (typeof item !== "number" || item < min) throw new Error("an unsigned integer is missing");
  demand(item <= max, `a number is above its bound of ${max}`);
  return item;
}

export function hex(item: Item | undefined): string {
  return Buffer.from(bytesOf(item)).toString("hex");
}
