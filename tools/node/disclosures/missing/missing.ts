// What this node lacks of what the chains' readings hide, as it was away when they were sealed or became a member later: noted, asked of
// members, told to whoever watches the node.

import { toHex } from "../../../../src/wire/bytes.js";
import { frameOf } from "../../chain/frame.js";
import type { SealedBlock } from "../../chain/ports.js";
import { idIn, type OriginKey } from "../../store/keys.js";
import type { FoundRow } from "../../store/store.js";
import type { Dealing } from "../dealing.js";
import { isErasedDay } from "../erased-days.js";
import { type DisclosuresPorts, NEED_SHARES_FRAME } from "../ports.js";
import { opensSurely, opensWith, type PartsHere, partsHere } from "../shares.js";
import { type MissingShare, missingShares } from "../tables/missing-shares.js";
import { type Asked, decodeAskedShares, encodeAsked, SHARES_ASKED_MAX } from "./asking.js";
import { assertMember, Fetching, type FetchingPorts, reachableMembers, serveDisclosures } from "./fetching.js";
import type { LookedFor } from "./looked-for.js";
import { createNoting } from "./noting.js";
import type { Missing } from "./passes.js";
import { type MissingShares, SharePasses } from "./share-passes.js";

/** Shares are asked for again after so long. */
const SHARES_MS = 2_000;
/** An envelope that nobody has is let go of after so long, and after so many passes in which all members were asked. */
const NOBODYS_MS = 7 * 86_400_000;
const NOBODYS_PASSES = 20;

export interface MissingPorts extends DisclosuresPorts, Pick<FetchingPorts, "onFetched"> {
  /** Resolves when other work has had its turn. */
  afterOthers(): Promise<void>;
  /** chains that run here */
  chains(): readonly number[];
}

export interface MissingOfChain {
  /** whether all that the chain has sealed was looked at */
  readonly isKnown: boolean;
  readonly disclosures: Missing;
  readonly shares: MissingShares;
}

export interface MissingParts {
  /** A block is on disk. */
  sealed(sealed: Pick<SealedBlock, "block" | "records">): void;
  /** Notes, and asks on. */
  tick(): Promise<void>;
  /** Of a chain that this node is a member of; undefined of others. */
  of(chain: number): MissingOfChain | undefined;
  /** Frames of other nodes; each throws, or rejects with, a WireError where it is not what they may send. */
  onNeedDisclosures(from: string, chain: number, payload: Uint8Array): void;
  onFoundDisclosures(from: string, chain: number, payload: Uint8Array): Promise<void>;
  onNeedShares(from: string, chain: number, payload: Uint8Array): Promise<void>;
  /** This node has its part of an envelope's key from now on, which that origin has named. */
  onShare(chain: number, origin: string): void;
  stop(): void;
}

interface OfChain {
  readonly fetching: Fetching;
  readonly shares: SharePasses;
  sharesAsked_ms: number;
  /** ids of the members that could be reached the last time */
  reachable: string;
}

interface Looked {
  readonly type: "missing" | "surer" | "settled";
  readonly key: OriginKey;
  readonly row: MissingShare;
  /** id as hex of the node whose temporary block named it */
  readonly origin: string;
  readonly asked: Asked;
  readonly parts: PartsHere;
}

/** Whether no member has the envelope, as far as asking shows: for long, often, all of them, and nothing of that origin came. */
function isNobodys(shares: SharePasses, { type, parts, row, origin }: Looked, now_ms: number): boolean {
  if (type !== "missing" || parts.envelope !== undefined) return false;
  return now_ms - 1_000 * row.since_s >= NOBODYS_MS && shares.of(origin).fruitless >= NOBODYS_PASSES;
}

function noteShares(shares: SharePasses, found: readonly LookedFor[]): void {
  for (const { key, row } of found) shares.of(toHex(idIn(key))).noted(1, row.since_s);
}

/** Whether the peer may have something for this node, which is `own` as hex: who has dealt has given what it has. */
function mayHaveMore({ envelope, dealers }: PartsHere, peer: string, own: string): boolean {
  if (envelope === undefined) return true;
  const custodians = envelope.custodians.map(({ node }) => toHex(node));
  if (toHex(envelope.origin) === peer && custodians.includes(own)) return true;
  return custodians.includes(peer) && !dealers.has(peer);
}

export function createMissing(ports: MissingPorts, dealing: Dealing): MissingParts {
  const { store, membersOf, self, now_ms, send } = ports;
  const own = toHex(self);
  const byChain = new Map<number, OfChain>();
  /** ids of those that are being answered: of each one question at a time */
  const answering = new Set<string>();
  let isStopped = false;

  const ofChain = (chain: number): OfChain => {
    const known = byChain.get(chain);
    if (known !== undefined) return known;
    const shares = new SharePasses(store, chain);
    const fetching = new Fetching(ports, chain, (found) => noteShares(shares, found));
    const made: OfChain = { fetching, shares, sharesAsked_ms: Number.NEGATIVE_INFINITY, reachable: "" };
    byChain.set(chain, made);
    return made;
  };

  const noting = createNoting(ports, (chain, { disclosures, shares: found }) => {
    const { fetching, shares } = ofChain(chain);
    if (disclosures > 0) fetching.noted(disclosures);
    noteShares(shares, found);
  });

  /**
   * Of a day that is erased nobody has a share any more, and the policy may let this node keep none. `surer`: it opens already, where
   * nobody has lied, and parts of others are looked for.
   */
  const judge = (chain: number, { key, row }: FoundRow<OriginKey, MissingShare>): Looked => {
    const place = { chain, ...row };
    const standing = membersOf(chain);
    const parts = partsHere(ports, place);
    const mayKeep = standing?.custodians.includes(own) ?? false;
    const isErased = isErasedDay(store, chain, toHex(place.meter), place.day);
    const asked: Asked = { meter: place.meter, number: place.day, hash: place.id };
    const found = { key, row, asked, parts, origin: toHex(idIn(key)) };
    if (!mayKeep || isErased || opensSurely(parts, standing!.members)) return { ...found, type: "settled" };
    return { ...found, type: opensWith(parts) ? "surer" : "missing" };
  };

  const askShares = async (chain: number, of: OfChain, peers: readonly string[]): Promise<void> => {
    if (now_ms() - of.sharesAsked_ms < SHARES_MS) return;
    const rows = of.shares.next(SHARES_ASKED_MAX, now_ms()).map((row) => judge(chain, row));
    if (rows.length === 0) return;
    of.sharesAsked_ms = now_ms();
    for (const peer of peers) {
      const asked = rows.filter((row) => row.type !== "settled" && mayHaveMore(row.parts, peer, own));
      if (asked.length > 0) send(peer, frameOf(NEED_SHARES_FRAME, chain, encodeAsked(asked.map((row) => row.asked))));
    }
    const isAllInReach = peers.length + 1 === membersOf(chain)?.members.length;
    const gone = rows.filter((row) => isAllInReach && isNobodys(of.shares, row, now_ms()));
    for (const { type, origin } of rows) {
      if (type === "surer") of.shares.of(origin).excused(1);
      if (type === "settled") of.shares.of(origin).found(1);
    }
    for (const { origin, row } of gone) {
      of.shares.of(origin).lost(1);
      const names = { chain, origin, meter: toHex(row.meter), day: row.day, envelope: toHex(row.id) };
      ports.log.warn(names, "an envelope that the origin's records name is looked for no longer: no member has it");
    }
    const settled = [...rows.filter(({ type }) => type === "settled"), ...gone];
    if (settled.length === 0) return;
    await store.write((writer) => {
      for (const { key } of settled) writer.delete(missingShares, key);
    });
  };

  const look = async (chain: number): Promise<void> => {
    const peers = reachableMembers(ports, chain);
    if (!(membersOf(chain)?.members.includes(own) ?? false)) return;
    const of = ofChain(chain);
    const reachable = peers.join();
    if (reachable !== of.reachable) {
      of.fetching.hurry();
      of.shares.hurry();
      of.reachable = reachable;
    }
    await noting.goOver(chain);
    if (isStopped || peers.length === 0) return;
    await of.fetching.look();
    if (!isStopped) await askShares(chain, of, peers);
  };

  return {
    sealed: noting.sealed,
    async tick() {
      await noting.flush();
      for (const chain of ports.chains()) if (!isStopped) await look(chain);
    },
    of(chain) {
      if (!(membersOf(chain)?.members.includes(own) ?? false)) return undefined;
      const { fetching, shares } = ofChain(chain);
      return { isKnown: noting.isLevel(chain), disclosures: fetching.missing, shares: shares.missing };
    },
    onNeedDisclosures: (from, chain, payload) => serveDisclosures(ports, { from, chain, payload }),
    onFoundDisclosures: async (from, chain, payload) => byChain.get(chain)?.fetching.onFound(from, payload),
    async onNeedShares(from, chain, payload) {
      const asked = decodeAskedShares(payload);
      assertMember(membersOf(chain), from);
      // It may have come twice, and is asked again by who has waited long.
      if (answering.has(from)) return ports.charge(from, "unwanted", payload.length);
      answering.add(from);
      try {
        for (const { meter, number, hash } of asked) {
          if (isStopped) break;
          ports.charge(from, "verification", 1);
          await dealing.deal(from, { chain, meter, day: number, id: hash });
          await ports.afterOthers();
        }
      } finally {
        answering.delete(from);
      }
    },
    onShare(chain, origin) {
      byChain.get(chain)?.shares.of(origin).found(1);
    },
    stop() {
      isStopped = true;
      noting.stop();
    },
  };
}
