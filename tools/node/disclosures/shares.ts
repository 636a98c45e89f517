// What this node has of an envelope's key: its own share, or parts of others' shares that these have divided among later members.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { parseDivision, type SignedDivision } from "../../../src/wire/division.js";
import { custodyInfo, isShareOf, parseEnvelope, type Shared, type SignedEnvelope } from "../../../src/wire/envelope.js";
import { faults } from "../../../src/wire/quorum.js";
import { type HashKey, hashKey, hashRange } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import type { DisclosuresPorts } from "./ports.js";
import { divisions } from "./tables/divisions.js";
import { envelopes, type KeptEnvelope } from "./tables/envelopes.js";

export interface SharePorts extends Pick<DisclosuresPorts, "genesis" | "self" | "custody" | "ciphers"> {
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
  { self, custody, ciphers }: Pick<SharePorts, "self" | "custody" | "ciphers">,
  signed: Pick<SignedEnvelope, "id"> & Shared,
  { shares }: Pick<KeptEnvelope, "shares">,
): Uint8Array | undefined {
  const kept = shares.find(({ node }) => equalBytes(node, self));
  if (kept === undefined) return undefined;
  const share = ciphers.openWith(custody, custodyInfo(signed.id, self), kept.sealed);
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

/** What this node has of an envelope's key. */
export interface PartsHere {
  /** undefined where the envelope is not known here */
  readonly envelope: SignedEnvelope | undefined;
  readonly hasShare: boolean;
  /** ids as hex of its custodians but this node */
  readonly others: readonly string[];
  /** ids as hex of the custodians of whose shares it has a part */
  readonly dealers: ReadonlySet<string>;
}

export function partsHere(ports: SharePorts, place: EnvelopePlace): PartsHere {
  const { store, self, genesis } = ports;
  const row = store.get(envelopes, placeKeyOf(place));
  if (row === undefined) return { envelope: undefined, hasShare: false, others: [], dealers: new Set() };
  const envelope = parseEnvelope(genesis.hash, row.bytes);
  const others = envelope.custodians.filter(({ node }) => !equalBytes(node, self)).map(({ node }) => toHex(node));
  const isOwn = ({ shares }: KeptEnvelope) => shares.some(({ node }) => equalBytes(node, self));
  if (isOwn(row)) return { envelope, hasShare: true, others, dealers: new Set() };
  const dealt = divisionsOf(ports, place).filter(({ kept }) => isOwn(kept));
  const dealers = new Set(dealt.map(({ division }) => toHex(division.dealer)));
  return { envelope, hasShare: false, others, dealers };
}

/** Whether this node has its part of the envelope's key: its share, or parts of as many shares as open the envelope. */
export function opensHere(ports: SharePorts, place: EnvelopePlace): boolean {
  return opensWith(partsHere(ports, place));
}

export function opensWith({ envelope, hasShare, dealers }: PartsHere): boolean {
  return hasShare || (envelope !== undefined && dealers.size >= envelope.threshold);
}

/**
 * Whether it opens though as many dealers lie as members may: a part shows nothing of the share that it is of. Where too few custodians
 * are left, all that are members, by ids as hex, have dealt.
 */
export function opensSurely(parts: PartsHere, members: readonly string[]): boolean {
  const { envelope, hasShare, dealers, others } = parts;
  if (hasShare || envelope === undefined || !opensWith(parts)) return hasShare;
  const left = others.filter((node) => members.includes(node));
  if (dealers.size >= envelope.threshold + faults(members.length)) return true;
  return left.every((node) => dealers.has(node));
}
