// Shares for members that came later, or have lost theirs. Its origin gives a custodian its own share again; for others each custodian
// divides its share among the members of now. So nobody has more of a key than a share, and f + 1 of the members open it.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { isDivisionSignedBy, parseDivision, type SignedDivision, signDivision } from "../../../src/wire/division.js";
import {
  custodyInfo,
  ENVELOPE_BYTES_MAX,
  isSignedBy,
  openingThreshold,
  parseEnvelope,
  type SignedEnvelope,
  sealedShareFrom,
  sealedShareToItems,
  shareCommitment,
} from "../../../src/wire/envelope.js";
import { WireError } from "../../../src/wire/error.js";
import { faults } from "../../../src/wire/quorum.js";
import { asArray, asBytes } from "../../../src/wire/shape.js";
import { BoundedMap } from "../../bounded-map.js";
import { frameOf } from "../chain/frame.js";
import { createAddressBuckets } from "../limits/addresses.js";
import type { BucketTerms } from "../limits/token-bucket.js";
import { type HashKey, idIn, keyBehind } from "../store/keys.js";
import { checkCustodians, envelopeFrame } from "./custodian.js";
import type { CustodyDirectory } from "./custody-directory.js";
import { isErasedDay } from "./erased-days.js";
import { lookedForAs } from "./missing/looked-for.js";
import { type Brought, DIVISION_FRAME, type DisclosuresPorts, KEPT_FRAME } from "./ports.js";
import { divisionsOf, type EnvelopePlace, opensHere, opensSurely, ownShare, partsHere, placeKeyOf } from "./shares.js";
import { divisions } from "./tables/divisions.js";
import { envelopes, type KeptEnvelope, type KeptShare } from "./tables/envelopes.js";
import { missingShares } from "./tables/missing-shares.js";
import type { EnvelopesUnderWay } from "./under-way.js";

/** Divisions of one custodian's share of one envelope: one more for each change of members that brings somebody new. */
const DIVISIONS_OF_SHARE_MAX = 16;
/** Rows that a turn of `tick` looks at, and how long it rests where a whole pass has had nothing to send. */
const ROWS_AT_ONCE = 32;
const REST_MS = 60_000;
const RESEND_MS = 2_000;
/** Own divisions of which it is remembered who has said to keep a part. Of others that is asked again. */
const REMEMBERED_MAX = 50_000;
/** Divisions for each custodian that says its own share is lost, which its origin would give it again. */
const lostTerms: BucketTerms = { tokens_max: 8, tokens_s: 1 / 60 };
/** There are at most 128 members. */
const LOSERS_MAX = 512;
/** In verifications: a part that is made and sealed; a row that is written. */
const PART_WORK = 4;
const ROW_WORK = 4;
const frameLimits = { size: 2 * ENVELOPE_BYTES_MAX + 256, items: 8 };

export interface Dealing {
  /** Answers a member that lacks a share of the envelope. Resolves when what there is to say is sent. */
  deal(to: string, place: EnvelopePlace): Promise<void>;
  /** Takes a part of a custodian's share; rejects with a WireError where it is not what that may send. */
  onDivision(from: string, chain: number, payload: Uint8Array): Promise<string | undefined>;
  /** A member keeps its part of a division; undefined where this node has sent none of that id. */
  onKept(from: string, id: Uint8Array): "noted" | undefined;
  /** Sends parts again to those that have not said that they keep theirs. */
  tick(): void;
}

export interface DealingTerms {
  readonly underWay: EnvelopesUnderWay;
  /** Is told of each envelope that this node has its part of from now on. */
  onShare(chain: number, origin: string): void;
}

export function createDealing(ports: DisclosuresPorts, directory: CustodyDirectory, terms: DealingTerms): Dealing {
  const { genesis, self, store, send, now_ms } = ports;
  const own = toHex(self);
  /** ids as hex of those who have said to keep their part, by the division's id */
  const keepers = new BoundedMap<string, Set<string>>(REMEMBERED_MAX);
  /** ids as hex of the envelopes whose shares are being divided */
  const making = new Set<string>();
  const losers = createAddressBuckets(() => lostTerms, LOSERS_MAX);
  let next: Buffer | undefined;
  let wasIdle = true;
  let restsUntil_ms = Number.NEGATIVE_INFINITY;

  const sendParts = (envelope: SignedEnvelope, division: SignedDivision, parts: readonly KeptShare[]) => {
    const reachable = ports.connected();
    for (const part of parts) {
      const node = toHex(part.node);
      if (node !== own && reachable.includes(node)) send(node, divisionFrame(envelope, division, part));
    }
    const name = toHex(division.id);
    keepers.set(name, keepers.get(name) ?? new Set());
  };

  const divide = async (to: string, envelope: SignedEnvelope, share: Uint8Array): Promise<void> => {
    const made = await makeDivision(ports, directory, envelope, share);
    if (made === undefined) return;
    const { division, parts } = made;
    ports.charge(to, "verification", PART_WORK * parts.length + ROW_WORK);
    await store.write((writer) => {
      writer.put(divisions, placeKeyOf({ ...envelope, id: division.id }), { bytes: division.bytes, shares: parts });
    });
    sendParts(envelope, division, parts);
    restsUntil_ms = now_ms() + RESEND_MS;
  };

  return {
    async deal(to, place) {
      const row = store.get(envelopes, placeKeyOf(place));
      if (row === undefined) return;
      const envelope = parseEnvelope(genesis.hash, row.bytes);
      const given = row.shares.find(({ node }) => toHex(node) === to);
      if (given !== undefined && equalBytes(envelope.origin, self)) return send(to, envelopeFrame(envelope, given));
      const dealt = divisionsOf(ports, place).filter(({ division }) => equalBytes(division.dealer, self));
      for (const { division, kept } of dealt) {
        const part = kept.shares.find(({ node }) => toHex(node) === to);
        if (part !== undefined) return sendParts(envelope, division, [part]);
      }
      const name = toHex(envelope.id);
      if (dealt.length >= DIVISIONS_OF_SHARE_MAX || making.has(name)) return;
      // Divided before who asks can be sealed to, it would have to be divided again.
      const isCustodian = ports.membersOf(place.chain)?.custodians.includes(to) ?? false;
      if (!isCustodian || directory.keyOf(to) === undefined) return;
      if (envelope.custodians.some(({ node }) => toHex(node) === to)) {
        if (losers.wait_ms(to, now_ms()) > 0) return ports.charge(to, "unserved", 1);
        losers.charge(to, 1, now_ms());
      }
      const share = ownShare(ports, envelope, row);
      if (share === undefined) return;
      making.add(name);
      try {
        await divide(to, envelope, share);
      } finally {
        share.fill(0);
        making.delete(name);
      }
    },
    onDivision: (from, chain, payload) => takePart(ports, { from, chain, payload }, terms),
    onKept(from, id) {
      const known = keepers.get(toHex(id));
      if (known === undefined) return undefined;
      // A set has no more than the members that there ever were.
      known.add(from);
      return "noted";
    },
    tick() {
      if (now_ms() < restsUntil_ms) return;
      const rows = store.range(divisions, { ...(next !== undefined && { start: next }), limit: ROWS_AT_ONCE });
      for (const { key, row } of rows) {
        const division = parseDivision(genesis.hash, row.bytes);
        if (!equalBytes(division.dealer, self)) continue;
        const kept = keepers.get(toHex(division.id));
        const pending = row.shares.filter(({ node }) => !equalBytes(node, self) && !kept?.has(toHex(node)));
        const envelope = pending.length === 0 ? undefined : envelopeBeside(ports, key, division);
        if (envelope === undefined) continue;
        sendParts(envelope, division, pending);
        wasIdle = false;
      }
      next = rows.length === ROWS_AT_ONCE ? keyBehind(rows.at(-1)!.key) : undefined;
      if (next !== undefined) return;
      restsUntil_ms = now_ms() + (wasIdle ? REST_MS : RESEND_MS);
      wasIdle = true;
    },
  };
}

function divisionFrame(envelope: SignedEnvelope, { bytes }: SignedDivision, { sealed }: KeptShare): Uint8Array {
  return frameOf(DIVISION_FRAME, envelope.chain, encodeCbor([envelope.bytes, bytes, sealedShareToItems(sealed)]));
}

/** This node's share of the envelope, divided among the members whose custody keys it knows; undefined where these are no quorum. */
async function makeDivision(
  { genesis, signer, self, ciphers, membersOf }: DisclosuresPorts,
  directory: CustodyDirectory,
  envelope: SignedEnvelope,
  share: Uint8Array,
): Promise<{ readonly division: SignedDivision; readonly parts: readonly KeptShare[] } | undefined> {
  const standing = membersOf(envelope.chain);
  if (standing === undefined) return undefined;
  const known = directory.known(standing.custodians);
  if (known.length < standing.quorum) return undefined;
  const threshold = openingThreshold(known.length, faults(standing.members.length));
  const parts = await ciphers.splitKey(share, known.length, threshold);
  const custodians = known.map(({ node }, index) => ({ node, commitment: shareCommitment(parts[index]!) }));
  const content = { envelope: envelope.id, dealer: self, threshold, custodians };
  const division = signDivision(genesis.hash, content, signer);
  const sealed = known.map(({ node, key }, index): KeptShare => {
    return { node, sealed: ciphers.sealTo(key, custodyInfo(division.id, node), parts[index]!) };
  });
  for (const part of parts) part.fill(0);
  return { division, parts: sealed };
}

function envelopeBeside(
  { genesis, store }: DisclosuresPorts,
  key: HashKey,
  { envelope }: SignedDivision,
): SignedEnvelope | undefined {
  const beside = Buffer.concat([key.subarray(0, -8), envelope.subarray(0, 8)]) as Buffer as HashKey;
  const row = store.get(envelopes, beside);
  return row === undefined ? undefined : parseEnvelope(genesis.hash, row.bytes);
}

async function takePart(
  ports: DisclosuresPorts,
  { from, chain, payload }: Brought,
  { underWay, onShare }: DealingTerms,
): Promise<string | undefined> {
  const { genesis, self, store, send } = ports;
  const [first, second, item] = asArray(decodeCbor(payload, frameLimits), "division on its way", 3);
  const envelope = parseEnvelope(genesis.hash, asBytes(first, "divided envelope"));
  const division = parseDivision(genesis.hash, asBytes(second, "division"));
  const isOfIt = envelope.chain === chain && equalBytes(division.envelope, envelope.id);
  const isDealers = envelope.custodians.some(({ node }) => equalBytes(node, division.dealer));
  if (toHex(division.dealer) !== from || !isOfIt || !isDealers) return "division-foreign";
  const kept: KeptEnvelope = {
    bytes: division.bytes,
    shares: [{ node: self, sealed: sealedShareFrom(item, "sealed part") }],
  };
  const key = placeKeyOf({ ...envelope, id: division.id });
  const place = placeKeyOf(envelope);
  await underWay.settled(place);
  if (store.get(divisions, key) === undefined) {
    if (!isWanted(ports, envelope)) {
      // Its dealer cannot know what is erased here, or not looked at yet.
      ports.charge(from, "unwanted", payload.length);
      return undefined;
    }
    const dropped = checkPart(ports, { envelope, division, kept });
    if (dropped !== undefined) return dropped;
    const isKnown = store.get(envelopes, place) !== undefined;
    await store.write((writer) => {
      writer.put(divisions, key, kept);
      if (!isKnown) writer.put(envelopes, place, { bytes: envelope.bytes, shares: [] });
    });
    if (opensHere(ports, envelope)) await settle(ports, envelope, onShare);
  }
  send(from, frameOf(KEPT_FRAME, chain, division.id));
  return undefined;
}

/** One more part of what opens already is looked for no longer where no liar can matter any more. */
async function settle(
  ports: DisclosuresPorts,
  envelope: SignedEnvelope,
  onShare: DealingTerms["onShare"],
): Promise<void> {
  const { store, membersOf } = ports;
  const looked = lookedForAs({ store, membersOf }, envelope);
  if (looked.length === 0) return;
  const parts = partsHere(ports, envelope);
  if (opensSurely(parts, membersOf(envelope.chain)?.members ?? [])) {
    await store.write((writer) => {
      for (const key of looked) writer.delete(missingShares, key);
    });
  }
  if (parts.dealers.size !== envelope.threshold) return;
  for (const key of looked) onShare(envelope.chain, toHex(idIn(key)));
}

interface Part {
  readonly envelope: SignedEnvelope;
  readonly division: SignedDivision;
  readonly kept: KeptEnvelope;
}

/** Whether a part of the envelope's key is of use here: it is kept or looked for, and not erased. */
function isWanted(ports: DisclosuresPorts, envelope: SignedEnvelope): boolean {
  const { store } = ports;
  const isKnown = store.get(envelopes, placeKeyOf(envelope)) !== undefined;
  if (!isKnown && lookedForAs(ports, envelope).length === 0) return false;
  return !isErasedDay(store, envelope.chain, toHex(envelope.meter), envelope.day);
}

/** Why there is no room for it; undefined where it is to be kept. Throws a WireError where it is not what its dealer may send. */
function checkPart(ports: DisclosuresPorts, { envelope, division, kept }: Part): string | undefined {
  const { genesis, store, verify, nodeKey } = ports;
  const isKnown = store.get(envelopes, placeKeyOf(envelope)) !== undefined;
  const standing = ports.membersOf(envelope.chain);
  if (standing === undefined) throw new WireError("untimely", `chain ${envelope.chain} does not run here`);
  checkCustodians(division, standing);
  const ofDealer = divisionsOf(ports, envelope).filter((each) => equalBytes(each.division.dealer, division.dealer));
  if (ofDealer.length >= DIVISIONS_OF_SHARE_MAX) return "division-limit";
  const [dealer, origin] = [division.dealer, envelope.origin].map((node) => nodeKey(toHex(node)));
  if (dealer === undefined || !isDivisionSignedBy(genesis.hash, division, { key: dealer, verify })) {
    throw new WireError("unproven", "division is not signed by its dealer");
  }
  const isProved = isKnown || (origin !== undefined && isSignedBy(genesis.hash, envelope, { key: origin, verify }));
  if (!isProved) throw new WireError("unproven", "divided envelope is not signed by its origin");
  if (ownShare(ports, division, kept) === undefined) {
    throw new WireError("unproven", "part of a share is not the one that its division states");
  }
  return undefined;
}
