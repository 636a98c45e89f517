// This node as original node: makes a key for each meter, service and UTC day, gives its shares to custodians, and encrypts what records
// hide with it. The key is in memory alone. It is forgotten when its day is over, when the chain has other members and when the node
// stops: a node that starts again makes another.

import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import { encodeDisclosures, type SealedDisclosures } from "../../../src/wire/sealed-disclosure.js";
import type { ReadRecord } from "../../ledger/record-scan.js";
import { createBudgets } from "../limits/budgets.js";
import { envelopeFrame } from "./custodian.js";
import type { CustodyDirectory } from "./custody-directory.js";
import { type MeterDay, makeDayKey, type OpenKey, OpenKeys } from "./open-keys.js";
import type { DisclosuresPorts } from "./ports.js";

/** Day keys in memory: of more than that, the one that was not used for longest is forgotten. */
const KEYS_MAX = 50_000;
/** Keys made for one meter: a year of days that an outbox brings at once, with restarts meanwhile. Nobody's days use up all meters'. */
const ofMeter = { tokens_max: 400, tokens_s: 1 / 60 };
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

export function createDayKeys(ports: DisclosuresPorts, directory: CustodyDirectory): DayKeys {
  const open = new OpenKeys(KEYS_MAX);
  const budgets = createBudgets(ofMeter, KEYS_MAX);
  /** by name: those that are being made */
  const making = new Map<string, Promise<OpenKey | string>>();
  const membersOf = (chain: number) => ports.membersOf(chain)?.members.join();

  const keyFor = async (of: MeterDay): Promise<OpenKey | string> => {
    const name = `${of.chain}/${toHex(of.meter)}/${of.day}`;
    const known = open.use(name);
    if (known !== undefined && known.members === membersOf(of.chain)) return known;
    const begun = making.get(name);
    if (begun === undefined && !budgets.take(toHex(of.meter), 1, ports.now_ms())) {
      return "more days of this meter come at once than this node makes keys for";
    }
    const underWay =
      begun ??
      makeDayKey(ports, directory, of)
        .then((made) => {
          if (typeof made === "string") return made;
          open.keep(name, made);
          sendAround(ports, made);
          return made;
        })
        .finally(() => making.delete(name));
    making.set(name, underWay);
    return underWay;
  };

  return {
    async seal({ kid, hash: recordHash, claims, disclosures }) {
      const made = await keyFor({ chain: claims.service, meter: kid, day: Math.floor(claims.time_s / DAY_S) });
      if (typeof made === "string") return { type: "unready", reason: made };
      const isReady = await isKept(ports, made);
      if (!isReady || made.isForgotten)
        return { type: "unready", reason: "too few members keep a share of the day key" };
      const place = { kid: Uint8Array.from(kid), seq: claims.seq, recordHash: Uint8Array.from(recordHash) };
      const ciphertext = ports.ciphers.sealDisclosures(made.key, place, encodeDisclosures(disclosures));
      return { type: "sealed", sealed: { ...place, envelope: made.envelope.id, ...ciphertext } };
    },
    onKept(from, id) {
      const made = open.ofEnvelope(id);
      if (made === undefined) {
        // It may be of this node's life before: who keeps it cannot know that its key is forgotten.
        ports.charge(from, "unwanted", id.length);
        return undefined;
      }
      if (!made.envelope.custodians.some(({ node }) => toHex(node) === from)) return "envelope-foreign";
      made.kept.add(from);
      if (made.kept.size >= made.quorum) for (const settle of made.waiting.splice(0)) settle();
      return undefined;
    },
    tick() {
      const now_ms = ports.now_ms();
      for (const [name, made] of open) {
        if (isSpent(made, now_ms, membersOf(made.envelope.chain))) open.forget(name);
        else if (made.kept.size < made.shares.length && now_ms - made.sent_ms >= RESEND_MS) sendAround(ports, made);
      }
    },
    forgetDays({ chain, meter, from, until }) {
      const id = toHex(meter);
      for (const [name, { envelope }] of open) {
        const isIt = envelope.chain === chain && toHex(envelope.meter) === id;
        if (isIt && from <= envelope.day && envelope.day < until) open.forget(name);
      }
    },
    close() {
      for (const [name] of [...open]) open.forget(name);
    },
  };
}

/** Sends the shares to those custodians that can be reached and have not said that they keep theirs. */
function sendAround({ now_ms, connected, send }: DisclosuresPorts, made: OpenKey): void {
  made.sent_ms = now_ms();
  const reachable = connected();
  for (const share of made.shares) {
    const node = toHex(share.node);
    if (!made.kept.has(node) && reachable.includes(node)) send(node, envelopeFrame(made.envelope, share));
  }
}

/** Whether the key is to be forgotten: its day is over, it is old, or the chain has other members. */
function isSpent({ envelope, made_ms, members }: OpenKey, now_ms: number, current: string | undefined): boolean {
  const isOver = now_ms > 1_000 * ((envelope.day + 1) * DAY_S + LATE_S);
  const isOld = now_ms - made_ms > KEPT_MS;
  return members !== current || isOld || (isOver && now_ms - made_ms > 1_000 * LATE_S);
}

/** False where no quorum has its shares in time, or the key is forgotten. */
async function isKept({ after }: DisclosuresPorts, made: OpenKey): Promise<boolean> {
  if (made.kept.size >= made.quorum) return true;
  await new Promise<void>((resolve) => {
    const cancel = after(PATIENCE_MS, resolve);
    made.waiting.push(() => {
      cancel();
      resolve();
    });
  });
  return made.kept.size >= made.quorum;
}
