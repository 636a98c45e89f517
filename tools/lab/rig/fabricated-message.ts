// A message between chains that no chain has sent: its receipt leads to a header of a member's own making, which it alone has signed. It
// is as it comes where a node hands it over.

import { encodeCbor } from "../../../src/wire/cbor.js";
import { precommitBytes } from "../../../src/wire/certificate.js";
import { entryToArray } from "../../../src/wire/entry.js";
import { sha256 } from "../../../src/wire/hash.js";
import { encodeHeader, HEADER_VERSION, headerHash } from "../../../src/wire/header.js";
import { leafHash, merkleLevels, rootOfLevels } from "../../../src/wire/merkle.js";
import { encodeCarried } from "../../../src/wire/message.js";
import { encodeReceipt } from "../../../src/wire/receipt.js";
import { encodeValue } from "../../../src/wire/value.js";
import { HEARD } from "./contracts/generate.js";
import type { Random } from "./random.js";

/** Who makes it. */
export interface Fabricator {
  readonly genesis: { readonly hash: Uint8Array; readonly network: string };
  /** its id */
  readonly node: Uint8Array;
  readonly random: Random;
  sign(bytes: Uint8Array): Uint8Array;
}

/** What it says of itself. */
export interface Fabricated {
  readonly service: number;
  readonly to: number;
  readonly height: number;
  readonly number: number;
  readonly index: number;
  readonly orderedAt: number;
  /** its certificate has its maker's signature so often */
  readonly signatures: number;
}

/** As section 14 of PROTOCOL.md has it, but for the certificate, which is of one member alone. */
export function fabricateCarried(
  { genesis, node, random, sign }: Fabricator,
  { service, to, height, number, index, orderedAt, signatures }: Fabricated,
): Uint8Array {
  const entry = entryToArray({ kind: "operation", leaf: 1 });
  const body = encodeValue(["fabricated", 0, 0, 1]);
  const item = encodeCbor(["gs1/message", service, height, entry, index, "alpha", HEARD, body, to, number, 0]);
  const [recordHash, beside] = [sha256(item), leafHash(random.bytes(32))];
  const merkleRoot = rootOfLevels(merkleLevels([beside, leafHash(recordHash)]));
  const place = { version: HEADER_VERSION, previous: random.bytes(32), merkleRoot, time_s: 1_790_000_000 };
  const header = encodeHeader({ ...place, target: 0, nonce: 0 });
  const signature = sign(precommitBytes(genesis.hash, service, height, 0, headerHash(header)));
  const certificate = { round: 0, signatures: Array.from({ length: signatures }, () => ({ node, signature })) };
  const shown = { network: genesis.network, chain: service, height, header, certificate };
  const receipt = encodeReceipt({ ...shown, recordHash, leaf: 1, size: 2, path: [beside] });
  return encodeCarried(item, receipt, orderedAt);
}
