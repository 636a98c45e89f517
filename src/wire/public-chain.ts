// What anybody may have of a chain: what leads to its members, each block's header and the certificate of a quorum. It is a CBOR sequence
// (RFC 8742) whose first item says what it is. Records, what they come to and whose they are is not in it.

import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { type Certificate, certificateFromArray, certificateToArray } from "./certificate.js";
import { WireError } from "./error.js";
import { HEADER_BYTES } from "./header.js";
import { LINEAGE_BYTES_MAX, splitLineage } from "./lineage.js";
import { asArray, asBytes, asService, asText } from "./shape.js";

const MAGIC = "gs1/public";
const headLimits = { size: LINEAGE_BYTES_MAX + 256, items: 16 };
const blockLimits = { size: 65_536, items: 1_024 };

/** The first item. */
export interface PublicHead {
  readonly network: string;
  readonly chain: number;
  /** what leads to the chain's members (lineage.ts) */
  readonly lineage: readonly Uint8Array[];
}

/** Each item behind it, from height 1 on. */
export interface PublicBlock {
  readonly header: Uint8Array;
  readonly certificate: Certificate;
}

export function encodePublicHead({ network, chain, lineage }: PublicHead): Uint8Array {
  const size = lineage.reduce((sum, item) => sum + item.length, 0);
  const joined = new Uint8Array(size);
  let at = 0;
  for (const item of lineage) {
    joined.set(item, at);
    at += item.length;
  }
  return encodeCbor([MAGIC, network, chain, joined]);
}

/** Undefined where the item is the first of something else; throws a WireError where it says that it is one and is not. */
export function decodePublicHead(bytes: Uint8Array): PublicHead | undefined {
  const items = headItems(bytes);
  if (items?.[0] !== MAGIC) return undefined;
  const [, network, chain, lineage] = asArray([...items], "head of a public chain", 4);
  return {
    network: asText(network, "network of a public chain"),
    chain: asService(chain, "public chain"),
    lineage: splitLineage(asBytes(lineage, "lineage of a public chain")),
  };
}

function headItems(bytes: Uint8Array): readonly CborValue[] | undefined {
  try {
    const item = decodeCbor(bytes, headLimits);
    return Array.isArray(item) ? (item as readonly CborValue[]) : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

export function encodePublicBlock({ header, certificate }: PublicBlock): Uint8Array {
  return encodeCbor([header, certificateToArray(certificate)]);
}

/** Throws a WireError. */
export function decodePublicBlock(bytes: Uint8Array): PublicBlock {
  const [header, certificate] = asArray(decodeCbor(bytes, blockLimits), "public block", 2);
  return {
    header: asBytes(header, "public block's header", HEADER_BYTES),
    certificate: certificateFromArray(certificate),
  };
}
