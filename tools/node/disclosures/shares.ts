// What this node has of an envelope's key: its own share, or parts of others' shares that these have divided among later members.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { parseDivision, type SignedDivision } from "../../../src/wire/division.js";
import { custodyInfo, isShareOf, parseEnvelope, type Shared, type SignedEnvelope } from "../../../src/wire/envelope.js";
import { openWith } from "../../crypto/hpke.js";
import { type HashKey, hashKey, hashRange } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import type { DisclosuresPorts } from "./ports.js";
import { divisions } from "./tables/divisions.js";
import { envelopes, type KeptEnvelope } from "./tables/envelopes.js";

export interface SharePorts extends Pick<DisclosuresPorts, "genesis" | "self" | "custody"> {
  readonly store: StoreReader;
}

/** Where an envelope is, or a division of a share of it. */
export interface EnvelopePlace {
  readonly chain: number;
  readonly meter: Uint8Array;
  readonly day: number;
  readonly id: Uint8Array;
}

/** Where the row is. */
export function placeKeyOf({ chain, meter, day, id }: EnvelopePlace): HashKey {
  return hashKey(chain, meter, day, id);
}

/** The share, or part of one, that the row has for this node; undefined where it has none, or it is not what was signed. */
export function ownShare(
  { self, custody }: Pick<SharePorts, "self" | "custody">,
  signed: Pick<SignedEnvelope, "id"> & Shared,
  { shares }: Pick<KeptEnvelope, "shares">,
): Uint8Array | undefined {
  const kept = shares.find(({ node }) => equalBytes(node, self));
  if (kept === undefined) return undefined;
  const share = openWith(custody, custodyInfo(signed.id, self), kept.sealed);
  return share !== undefined && isShareOf(signed, self, share) ? share : undefined;
}

export interface KeptDivision {
  readonly key: HashKey;
  readonly division: SignedDivision;
  readonly kept: KeptEnvelope;
}

/** How custodians have divided their shares of the envelope, as far as this node has a part or has divided its own. */
export function divisionsOf(
  { genesis, store }: Pick<SharePorts, "genesis" | "store">,
  { chain, meter, day, id }: EnvelopePlace,
): KeptDivision[] {
  return store.range(divisions, hashRange(chain, meter, { from: day, to: day })).flatMap(({ key, row }) => {
    const division = parseDivision(genesis.hash, row.bytes);
    return equalBytes(division.envelope, id) ? [{ key, division, kept: row }] : [];
  });
}

/** Whether this node has its part of the envelope's key: its share, or parts of as many shares as open the envelope. */
export function opensHere(ports: SharePorts, place: EnvelopePlace): boolean {
  const { store, self, genesis } = ports;
  const row = store.get(envelopes, placeKeyOf(place));
  if (row === undefined) return false;
  if (row.shares.some(({ node }) => equalBytes(node, self))) return true;
  const isOwnPart = ({ kept }: KeptDivision) => kept.shares.some(({ node }) => equalBytes(node, self));
  const dealers = new Set(
    divisionsOf(ports, place)
      .filter(isOwnPart)
      .map(({ division }) => toHex(division.dealer)),
  );
  return dealers.size >= parseEnvelope(genesis.hash, row.bytes).threshold;
}
