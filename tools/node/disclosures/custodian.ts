// This node as custodian: takes the shares that original nodes seal to it, and says that it keeps them.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import {
  custodyInfo,
  ENVELOPE_BYTES_MAX,
  isShareOf,
  isSignedBy,
  parseEnvelope,
  type SignedEnvelope,
  sealedShareFrom,
  sealedShareToItems,
} from "../../../src/wire/envelope.js";
import { WireError } from "../../../src/wire/error.js";
import { asArray, asBytes } from "../../../src/wire/shape.js";
import { openWith } from "../../crypto/hpke.js";
import { frameOf } from "../chain/frame.js";
import { type HashKey, hashKey } from "../store/keys.js";
import { type DisclosuresPorts, ENVELOPE_FRAME, KEPT_FRAME } from "./ports.js";
import { envelopes, type KeptEnvelope, type KeptShare } from "./tables/envelopes.js";

const frameLimits = { size: ENVELOPE_BYTES_MAX + 256, items: 8 };

/** Where the envelope's row is. */
export function envelopeKey({ chain, meter, day, id }: SignedEnvelope): HashKey {
  return hashKey(chain, meter, day, id);
}

/** The envelope on its way to one of its custodians. */
export function envelopeFrame(envelope: SignedEnvelope, { sealed }: KeptShare): Uint8Array {
  return frameOf(ENVELOPE_FRAME, envelope.chain, encodeCbor([envelope.bytes, sealedShareToItems(sealed)]));
}

/** The share that the row has for this node; undefined where it has none, or it is not what the envelope says. */
export function ownShare(
  { self, custody }: Pick<DisclosuresPorts, "self" | "custody">,
  envelope: SignedEnvelope,
  { shares }: KeptEnvelope,
): Uint8Array | undefined {
  const kept = shares.find(({ node }) => equalBytes(node, self));
  if (kept === undefined) return undefined;
  const share = openWith(custody, custodyInfo(envelope.id, self), kept.sealed);
  return share !== undefined && isShareOf(envelope, self, share) ? share : undefined;
}

/** Takes an envelope with this node's share; rejects with a WireError where it is not what its origin may send. */
export async function takeEnvelope(
  ports: DisclosuresPorts,
  from: string,
  chain: number,
  payload: Uint8Array,
): Promise<string | undefined> {
  const { genesis, self, store, verify } = ports;
  const [bytes, item] = asArray(decodeCbor(payload, frameLimits), "envelope on its way", 2);
  const envelope = parseEnvelope(genesis.hash, asBytes(bytes, "envelope"));
  const members = ports.membersOf(chain)?.members ?? [];
  const key = ports.nodeKey(from);
  if (envelope.chain !== chain || toHex(envelope.origin) !== from) return "envelope-foreign";
  if (key === undefined || !members.includes(from)) throw new WireError("untimely", "envelope is of no member");
  const row = { bytes: envelope.bytes, shares: [{ node: self, sealed: sealedShareFrom(item, "sealed share") }] };
  if (store.get(envelopes, envelopeKey(envelope)) === undefined) {
    if (!isSignedBy(genesis.hash, envelope, { key, verify })) {
      throw new WireError("unproven", "envelope is not signed by its origin");
    }
    if (ownShare(ports, envelope, row) === undefined) {
      throw new WireError("unproven", "share is not the one that its envelope states");
    }
    await store.write((writer) => writer.put(envelopes, envelopeKey(envelope), row));
  }
  ports.send(from, frameOf(KEPT_FRAME, chain, envelope.id));
  return undefined;
}
