// Shares of day keys as custodians deliver them, put together to day keys by whom they are sealed to. Nothing that a node says is believed;
// what it says wrongly is told with its name.

import { equalBytes, fromHex, toHex } from "../../src/wire/bytes.js";
import type { DeliveredShare } from "../../src/wire/delivery.js";
import { parseDivision, type SignedDivision } from "../../src/wire/division.js";
import {
  deliveryInfo,
  isShareOf,
  parseEnvelope,
  type SealedShare,
  type SignedEnvelope,
} from "../../src/wire/envelope.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { reasonOf } from "../errors.js";
import { combineShares } from "./day-key.js";
import { type DeliveryKeys, openWith } from "./hpke.js";

/** What is delivered to one key on one grant of one meter's shares. */
export interface DeliveredShares {
  readonly genesis: Genesis;
  readonly keys: DeliveryKeys;
  /** the request's name */
  readonly grant: string;
  readonly service: number;
  /** id of the meter as hex */
  readonly meter: string;
  /** by id */
  readonly envelopes: Map<string, OpeningEnvelope>;
}

/** An envelope with what was delivered of its key. */
export interface OpeningEnvelope {
  readonly envelope: SignedEnvelope;
  /** shares by custodian */
  readonly shares: Map<string, Uint8Array>;
  /** by id: how custodians have divided theirs, with the parts by who has delivered them */
  readonly divisions: Map<string, { readonly division: SignedDivision; readonly parts: Map<string, Uint8Array> }>;
}

/** Takes a custodian's share; returns what is wrong with it, undefined where it is good. */
export function takeShare(opening: DeliveredShares, custodian: string, delivered: DeliveredShare): string | undefined {
  let envelope: SignedEnvelope;
  try {
    envelope = parseEnvelope(opening.genesis.hash, delivered.envelope);
  } catch (error) {
    return `node ${custodian} delivers no envelope: ${reasonOf(error)}`;
  }
  const isAsked = toHex(envelope.meter) === opening.meter && envelope.chain === opening.service;
  if (!isAsked) return `node ${custodian} delivers a share of another meter`;
  const id = toHex(envelope.id);
  const known: OpeningEnvelope = opening.envelopes.get(id) ?? { envelope, shares: new Map(), divisions: new Map() };
  const complaint =
    delivered.division === undefined
      ? takeWhole(opening, known, custodian, delivered.sealed)
      : takePart(opening, known, custodian, { bytes: delivered.division, sealed: delivered.sealed });
  if (complaint === undefined) opening.envelopes.set(id, known);
  return complaint;
}

function takeWhole(
  opening: DeliveredShares,
  { envelope, shares }: OpeningEnvelope,
  custodian: string,
  sealed: SealedShare,
): string | undefined {
  const node = fromHex(custodian)!;
  const share = openWith(opening.keys, deliveryInfo(envelope.id, node, opening.grant), sealed);
  if (share === undefined) return `node ${custodian} delivers a share that is not sealed to this key`;
  if (!isShareOf(envelope, node, share)) return `node ${custodian} delivers a share that its envelope does not state`;
  shares.set(custodian, share);
  return undefined;
}

function takePart(
  { genesis, keys, grant }: DeliveredShares,
  { envelope, divisions }: OpeningEnvelope,
  custodian: string,
  { bytes, sealed }: { readonly bytes: Uint8Array; readonly sealed: SealedShare },
): string | undefined {
  let division: SignedDivision;
  try {
    division = parseDivision(genesis.hash, bytes);
  } catch (error) {
    return `node ${custodian} delivers no division: ${reasonOf(error)}`;
  }
  if (!equalBytes(division.envelope, envelope.id)) return `node ${custodian} delivers a part of another share`;
  const node = fromHex(custodian)!;
  const part = openWith(keys, deliveryInfo(division.id, node, grant), sealed);
  if (part === undefined) return `node ${custodian} delivers a part that is not sealed to this key`;
  if (!isShareOf(division, node, part)) return `node ${custodian} delivers a part that its division does not state`;
  const id = toHex(division.id);
  const known = divisions.get(id) ?? { division, parts: new Map<string, Uint8Array>() };
  known.parts.set(custodian, part);
  divisions.set(id, known);
  return undefined;
}

/** Puts divided shares together, where enough parts were delivered. What is not the dealer's share names the dealer. */
async function joinParts({ envelope, shares, divisions }: OpeningEnvelope, complaints: string[]): Promise<void> {
  for (const { division, parts } of divisions.values()) {
    const dealer = toHex(division.dealer);
    if (shares.has(dealer) || parts.size < division.threshold) continue;
    const share = await combineShares([...parts.values()].slice(0, division.threshold)).catch(() => undefined);
    if (share !== undefined && isShareOf(envelope, division.dealer, share)) shares.set(dealer, share);
    else complaints.push(`node ${dealer} has divided its share of a day key into parts of another`);
  }
}

/**
 * The day keys of those envelopes that enough custodians have given their share of, by id as hex. A complaint names each origin whose
 * shares, as it has stated them itself, are none of one key.
 */
export async function dayKeys(
  { envelopes }: Pick<DeliveredShares, "envelopes">,
  complaints: string[] = [],
): Promise<Map<string, Uint8Array>> {
  const keys = new Map<string, Uint8Array>();
  for (const [id, opened] of envelopes) {
    const { envelope, shares } = opened;
    if (shares.size < envelope.threshold) await joinParts(opened, complaints);
    if (shares.size < envelope.threshold) continue;
    try {
      keys.set(id, await combineShares([...shares.values()].slice(0, envelope.threshold)));
    } catch (error) {
      complaints.push(`node ${toHex(envelope.origin)} has divided a day key into shares of none: ${reasonOf(error)}`);
    }
  }
  return keys;
}
