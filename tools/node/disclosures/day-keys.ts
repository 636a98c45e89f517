// This node as original node: makes a key for each meter, service and UTC day, gives its shares to custodians, and encrypts what records
// hide with it. The key is in memory alone. It is forgotten when its day is over, when the chain has other members and when the node
// stops: a node that starts again makes another.

import { randomBytes } from "node:crypto";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import {
  custodyInfo,
  DAY_S,
  openingThreshold,
  type SignedEnvelope,
  shareCommitment,
  signEnvelope,
} from "../../../src/wire/envelope.js";
import { faults } from "../../../src/wire/quorum.js";
import { encodeDisclosures, type SealedDisclosures } from "../../../src/wire/sealed-disclosure.js";
import { generateDayKey, sealDisclosures, splitKey } from "../../crypto/day-key.js";
import { sealTo } from "../../crypto/hpke.js";
import type { ReadRecord } from "../../ledger/record-scan.js";
import { envelopeFrame, envelopeKey } from "./custodian.js";
import type { CustodyDirectory } from "./custody-directory.js";
import type { DisclosuresPorts } from "./ports.js";
import { envelopes, type KeptShare } from "./tables/envelopes.js";

/** Day keys in memory: of more than that, the one that was not used for longest is forgotten. */
const KEYS_MAX = 50_000;
/** A key is kept so long after its day for records that come late, and as long after it was made where its day was over then. */
const LATE_S = 600;
/** It is kept no longer than that, whatever day it is for: a meter's clock may be ahead. */
const KEPT_MS = 1_000 * (DAY_S + LATE_S);
/** How long a record waits until a quorum of custodians has its key's shares. */
const PATIENCE_MS = 10_000;
const RESEND_MS = 2_000;

export type Sealing =
  | { readonly type: "sealed"; readonly sealed: SealedDisclosures }
  /** the record is to be offered again */
  | { readonly type: "unready"; readonly reason: string };

export interface DayKeys {
  /** Encrypts what the record hides, once a quorum keeps the shares of its key. */
  seal(record: ReadRecord): Promise<Sealing>;
  /** A custodian keeps its share of an envelope. */
  onKept(from: string, id: Uint8Array): string | undefined;
  /** Sends again what was not answered, and forgets the keys of days that are over. */
  tick(): void;
  /** Forgets the keys of a meter's days on a chain: what they hide is erased. */
  forgetDays(days: MeterDays): void;
  /** Forgets all keys. */
  close(): void;
}

/** Days of a meter on a chain: the first, and the one behind the last. */
export interface MeterDays {
  readonly chain: number;
  readonly meter: Uint8Array;
  readonly from: number;
  readonly until: number;
}

interface OpenKey {
  readonly key: Uint8Array;
  readonly envelope: SignedEnvelope;
  readonly shares: readonly KeptShare[];
  /** ids of all members when it was made */
  readonly members: string;
  readonly quorum: number;
  /** ids of those who keep their share, as hex */
  readonly kept: Set<string>;
  readonly made_ms: number;
  sent_ms: number;
  /** the key is zeros: nothing may be encrypted with it */
  isForgotten: boolean;
  /** those who wait for a quorum */
  waiting: (() => void)[];
}

export function createDayKeys(ports: DisclosuresPorts, directory: CustodyDirectory): DayKeys {
  const { genesis, signer, self, store } = ports;
  /** by chain, meter and day; the one used last is last */
  const open = new Map<string, OpenKey>();
  /** by name: those that are being made */
  const making = new Map<string, Promise<OpenKey | string>>();
  /** by id of the envelope, as hex */
  const byEnvelope = new Map<string, OpenKey>();
  const own = toHex(self);

  const forget = (name: string) => {
    const known = open.get(name);
    if (known === undefined) return;
    open.delete(name);
    byEnvelope.delete(toHex(known.envelope.id));
    known.isForgotten = true;
    known.key.fill(0);
    for (const settle of known.waiting.splice(0)) settle();
  };

  const membersOf = (chain: number) => ports.membersOf(chain)?.members.join();

  const keep = (name: string, made: OpenKey) => {
    forget(name);
    open.set(name, made);
    byEnvelope.set(toHex(made.envelope.id), made);
    if (open.size > KEYS_MAX) forget(open.keys().next().value!);
  };

  const sendAround = (made: OpenKey) => {
    made.sent_ms = ports.now_ms();
    const connected = ports.connected();
    for (const share of made.shares) {
      const node = toHex(share.node);
      if (!made.kept.has(node) && connected.includes(node)) ports.send(node, envelopeFrame(made.envelope, share));
    }
  };

  const make = async (chain: number, meter: Uint8Array, day: number): Promise<OpenKey | string> => {
    const standing = ports.membersOf(chain);
    if (standing === undefined) return `chain ${chain} does not run here`;
    const { members, quorum } = standing;
    const known = [...members].sort().flatMap((node) => {
      const key = directory.keyOf(node);
      return key === undefined ? [] : [{ node: fromHex(node)!, key }];
    });
    if (known.length < quorum) return `only ${known.length} of ${members.length} members have stated a custody key yet`;
    const key = generateDayKey();
    const threshold = openingThreshold(known.length, faults(members.length));
    const shares = await splitKey(key, known.length, threshold);
    const content = { chain, origin: self, meter, day, salt: Uint8Array.from(randomBytes(16)), threshold };
    const custodians = known.map(({ node }, index) => ({ node, commitment: shareCommitment(shares[index]!) }));
    const envelope = signEnvelope(genesis.hash, { ...content, custodians }, signer);
    const sealed = known.map(({ node, key: to }, index): KeptShare => {
      return { node, sealed: sealTo(to, custodyInfo(envelope.id, node), shares[index]!) };
    });
    for (const share of shares) share.fill(0);
    await store.write((writer) =>
      writer.put(envelopes, envelopeKey(envelope), { bytes: envelope.bytes, shares: sealed }),
    );
    const kept = new Set([own]);
    const made_ms = ports.now_ms();
    return {
      ...{ key, envelope, quorum, kept, made_ms },
      ...{ shares: sealed, members: members.join(), sent_ms: 0, isForgotten: false, waiting: [] },
    };
  };

  const keyFor = async (chain: number, meter: Uint8Array, day: number): Promise<OpenKey | string> => {
    const name = `${chain}/${toHex(meter)}/${day}`;
    const known = open.get(name);
    if (known !== undefined && known.members === membersOf(chain)) {
      open.delete(name);
      open.set(name, known);
      return known;
    }
    const underWay =
      making.get(name) ??
      make(chain, meter, day)
        .then((made) => {
          if (typeof made === "string") return made;
          keep(name, made);
          sendAround(made);
          return made;
        })
        .finally(() => making.delete(name));
    making.set(name, underWay);
    return underWay;
  };

  /** False where no quorum has its shares in time, or the key is forgotten. */
  const isKept = async (made: OpenKey): Promise<boolean> => {
    if (made.kept.size >= made.quorum) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      timer.unref();
      made.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return made.kept.size >= made.quorum;
  };

  return {
    async seal({ kid, hash: recordHash, claims, disclosures }) {
      const made = await keyFor(claims.service, kid, Math.floor(claims.time_s / DAY_S));
      if (typeof made === "string") return { type: "unready", reason: made };
      const isReady = await isKept(made);
      if (!isReady || made.isForgotten)
        return { type: "unready", reason: "too few members keep a share of the day key" };
      const place = { kid: Uint8Array.from(kid), seq: claims.seq, recordHash: Uint8Array.from(recordHash) };
      const ciphertext = sealDisclosures(made.key, place, encodeDisclosures(disclosures));
      return { type: "sealed", sealed: { ...place, envelope: made.envelope.id, ...ciphertext } };
    },
    onKept(from, id) {
      const made = byEnvelope.get(toHex(id));
      if (made === undefined) return "envelope-unknown";
      if (!made.envelope.custodians.some(({ node }) => toHex(node) === from)) return "envelope-foreign";
      made.kept.add(from);
      if (made.kept.size >= made.quorum) for (const settle of made.waiting.splice(0)) settle();
      return undefined;
    },
    tick() {
      const now_ms = ports.now_ms();
      for (const [name, made] of open) {
        const isOver = now_ms > 1_000 * ((made.envelope.day + 1) * DAY_S + LATE_S);
        const isOld = now_ms - made.made_ms > KEPT_MS;
        const isStale = made.members !== membersOf(made.envelope.chain);
        if (isStale || isOld || (isOver && now_ms - made.made_ms > 1_000 * LATE_S)) forget(name);
        else if (made.kept.size < made.shares.length && now_ms - made.sent_ms >= RESEND_MS) sendAround(made);
      }
    },
    forgetDays({ chain, meter, from, until }) {
      const id = toHex(meter);
      for (const [name, { envelope }] of open) {
        const isIt = envelope.chain === chain && toHex(envelope.meter) === id;
        if (isIt && from <= envelope.day && envelope.day < until) forget(name);
      }
    },
    close() {
      for (const name of [...open.keys()]) forget(name);
    },
  };
}
