// The first frame on a link between nodes, both ways: who I am, of which network, on this very channel.
// The signature covers the channel's exporter value (RFC 9266), so that a HELLO is worth nothing on another connection.

import { equalBytes, fromHex, toHex } from "../../../src/wire/bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { WireError } from "../../../src/wire/error.js";
import { asArray, asBytes, asText } from "../../../src/wire/shape.js";

/** A node's id: the kid of its key as 16 lower-case hex digits. */
export type NodeId = string;

/** Which end of the connection speaks; signed, so that a HELLO cannot be sent back to its author. */
export type LinkRole = "dialer" | "listener";

/** Largest HELLO frame; nothing larger is read before a peer has proved who it is. */
export const HELLO_BYTES_MAX = 256;

/** Label and length of the exporter value, with an empty context (RFC 9266 section 2). */
export const channelBinding = { label: "EXPORTER-Channel-Binding", length: 32 } as const;

export const RUN_BYTES = 8;
const domain = "gs1/hello";

export type HelloRefusal = "hello-malformed" | "hello-genesis" | "hello-identity" | "hello-signature";

export interface HelloTerms {
  readonly genesisHash: Uint8Array;
  /** the node that speaks */
  readonly id: NodeId;
  readonly role: LinkRole;
  /** 32 bytes of keying material exported from the TLS session */
  readonly channel: Uint8Array;
  /** 8 bytes that name this run of its process */
  readonly run: Uint8Array;
}

/** What a HELLO is held to: all but the run, which is its sender's to say. */
export type ExpectedTerms = Omit<HelloTerms, "run">;

export type HelloVerdict =
  | { readonly type: "greeted"; readonly run: string }
  | { readonly type: "refused"; readonly reason: HelloRefusal };

/** The bytes a node signs: [ "gs1/hello", genesis hash, id, role, channel binding, run ] in deterministic CBOR. */
export function helloStatement(terms: HelloTerms): Uint8Array {
  return encodeCbor([domain, terms.genesisHash, idBytes(terms.id), terms.role, terms.channel, terms.run]);
}

/** The HELLO as sent: [ "gs1/hello", genesis hash, id, role, encoded COSE_Key, run, signature ]. */
export function encodeHello(terms: HelloTerms, key: Uint8Array, signature: Uint8Array): Uint8Array {
  return encodeCbor([domain, terms.genesisHash, idBytes(terms.id), terms.role, key, terms.run, signature]);
}

/** Whether the signature over `bytes` is the node's, and the encoded key the one that its id is of; false for what cannot be checked. */
export type VerifyHello = (id: NodeId, key: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** Whether the received HELLO is the one that `terms` ask for. Never throws. */
export function readHello(received: Uint8Array, terms: ExpectedTerms, verify: VerifyHello): HelloVerdict {
  let fields: readonly CborValue[];
  try {
    fields = asArray(decodeCbor(received, { size: HELLO_BYTES_MAX, items: 8 }), "HELLO", 7);
    if (asText(fields[0], "HELLO domain") !== domain) return refused("hello-malformed");
    if (!equalBytes(asBytes(fields[1], "HELLO genesis hash"), terms.genesisHash)) return refused("hello-genesis");
    if (!equalBytes(asBytes(fields[2], "HELLO id"), idBytes(terms.id))) return refused("hello-identity");
    if (asText(fields[3], "HELLO role") !== terms.role) return refused("hello-identity");
    const key = asBytes(fields[4], "HELLO key");
    const run = asBytes(fields[5], "HELLO run", RUN_BYTES);
    const signature = asBytes(fields[6], "HELLO signature", 64);
    const isSigned = verify(terms.id, key, helloStatement({ ...terms, run }), signature);
    return isSigned ? { type: "greeted", run: toHex(run) } : refused("hello-signature");
  } catch (thrown) {
    if (thrown instanceof WireError) return refused("hello-malformed");
    throw thrown;
  }
}

function refused(reason: HelloRefusal): HelloVerdict {
  return { type: "refused", reason };
}

function idBytes(id: NodeId): Uint8Array {
  const bytes = fromHex(id);
  if (bytes?.length !== 8) throw new TypeError(`a node's id is 16 hex digits, not ${JSON.stringify(id)}`);
  return bytes;
}
