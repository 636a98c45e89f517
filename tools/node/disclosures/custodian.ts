// This node as custodian: takes the shares that original nodes seal to it, and says that it keeps them.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import {
  DAY_S,
  ENVELOPE_BYTES_MAX,
  isSignedBy,
  openingThreshold,
  parseEnvelope,
  type SignedEnvelope,
  sealedShareFrom,
  sealedShareToItems,
} from "../../../src/wire/envelope.js";
import { WireError } from "../../../src/wire/error.js";
import { faults } from "../../../src/wire/quorum.js";
import { asArray, asBytes } from "../../../src/wire/shape.js";
import { frameOf } from "../chain/frame.js";
import { credentials } from "../chain/tables/credentials.js";
import { hashRange, idIn, idKey } from "../store/keys.js";
import { ENVELOPES_OF_DAY_MAX, type EnvelopeLimits } from "./envelope-limits.js";
import { lookedForAs } from "./missing/looked-for.js";
import { type Brought, type DisclosuresPorts, ENVELOPE_FRAME, KEPT_FRAME, type Standing } from "./ports.js";
import { ownShare, placeKeyOf } from "./shares.js";
import { envelopes, type KeptShare } from "./tables/envelopes.js";
import { missingShares } from "./tables/missing-shares.js";
import type { EnvelopesUnderWay } from "./under-way.js";

const frameLimits = { size: ENVELOPE_BYTES_MAX + 256, items: 8 };

/** The envelope on its way to one of its custodians. */
export function envelopeFrame(envelope: SignedEnvelope, { sealed }: KeptShare): Uint8Array {
  return frameOf(ENVELOPE_FRAME, envelope.chain, encodeCbor([envelope.bytes, sealedShareToItems(sealed)]));
}

export interface EnvelopeTerms {
  readonly limits: EnvelopeLimits;
  readonly underWay: EnvelopesUnderWay;
  /** This node has a share from now on that it has looked for. */
  onShare(chain: number, origin: string): void;
}

/** Takes an envelope with this node's share; rejects with a WireError where it is not what its origin may send. */
export async function takeEnvelope(
  ports: DisclosuresPorts,
  { limits, underWay, onShare }: EnvelopeTerms,
  { from, chain, payload }: Brought,
): Promise<string | undefined> {
  const { genesis, self, store, verify } = ports;
  const [bytes, item] = asArray(decodeCbor(payload, frameLimits), "envelope on its way", 2);
  const envelope = parseEnvelope(genesis.hash, asBytes(bytes, "envelope"));
  const standing = ports.membersOf(chain);
  const key = ports.nodeKey(from);
  if (envelope.chain !== chain || toHex(envelope.origin) !== from) return "envelope-foreign";
  if (key === undefined || standing === undefined || !standing.members.includes(from)) {
    throw new WireError("untimely", "envelope is of no member");
  }
  const row = { bytes: envelope.bytes, shares: [{ node: self, sealed: sealedShareFrom(item, "sealed share") }] };
  const place = placeKeyOf(envelope);
  if (!(store.get(envelopes, place)?.shares.some(({ node }) => equalBytes(node, self)) ?? false)) {
    // A sealed record's ciphertext names what is missing: that it was in order once, those who keep it have looked.
    const looked = lookedForAs(ports, envelope);
    if (looked.length === 0) {
      checkCustodians(envelope, standing);
      if (!mayKeep(ports, limits, envelope)) return "envelope-limit";
    }
    if (!isSignedBy(genesis.hash, envelope, { key, verify })) {
      throw new WireError("unproven", "envelope is not signed by its origin");
    }
    if (ownShare(ports, envelope, row) === undefined) {
      throw new WireError("unproven", "share is not the one that its envelope states");
    }
    const write = () =>
      store.write((writer) => {
        writer.put(envelopes, place, row);
        for (const key of looked) writer.delete(missingShares, key);
      });
    await underWay.during(place, write);
    for (const key of looked) onShare(chain, toHex(idIn(key)));
  }
  ports.send(from, frameOf(KEPT_FRAME, chain, envelope.id));
  return undefined;
}

/** A quorum of the members has its shares, of which as many open it as the chain's size asks for. Throws a WireError. */
export function checkCustodians(
  { custodians, threshold }: Pick<SignedEnvelope, "custodians" | "threshold">,
  { members, quorum, custodians: allowed }: Standing,
): void {
  const isTheirs = custodians.every(({ node }) => allowed.includes(toHex(node)));
  if (!isTheirs || custodians.length < quorum) {
    throw new WireError("untimely", "envelope's custodians are no quorum of the members that may keep shares");
  }
  const needed = openingThreshold(custodians.length, faults(members.length));
  if (threshold === needed) return;
  throw new WireError("untimely", `envelope opens with ${threshold} shares, where ${needed} are asked for`);
}

/** Whether there is room for it: of a day that has begun somewhere, of a meter that is known, of an origin that brings no floods. */
function mayKeep(
  { genesis, store, now_ms }: DisclosuresPorts,
  limits: EnvelopeLimits,
  { chain, meter, day, origin }: SignedEnvelope,
): boolean {
  if (day > Math.floor(now_ms() / 1_000 / DAY_S) + 1) return false;
  const ofDay = store.range(envelopes, hashRange(chain, meter, { from: day, to: day }));
  const own = ofDay.filter(({ row }) => equalBytes(parseEnvelope(genesis.hash, row.bytes).origin, origin));
  if (own.length >= ENVELOPES_OF_DAY_MAX) return false;
  // Its credential is on the chain, or was shown here.
  const isKnown = [chain, 0].some((place) => store.get(credentials, idKey(place, meter)) !== undefined);
  return limits.take(toHex(origin), isKnown);
}
