// Custodians that work out sums over a group give each other their shares of its meters' day keys: each looks by itself whether the grant
// that it is asked for stands in its own state, and whether who asks is one of those that work for it. Shares are forgotten with the keys.

import { toHex } from "../../../../src/wire/bytes.js";
import { type DeliveredShares, dayKeys, takeShare } from "../../../crypto/delivered-shares.js";
import { UNSENT_BYTES_MAX } from "../../chain/blocks/catch-up.js";
import { frameOf } from "../../chain/frame.js";
import { createBudgets } from "../../limits/budgets.js";
import type { BucketTerms } from "../../limits/token-bucket.js";
import type { CustodyDirectory } from "../custody-directory.js";
import { isErasedDay } from "../erased-days.js";
import { sharesOf } from "../grants.js";
import { type DisclosuresPorts, GROUP_QUESTION_FRAME, GROUP_SHARE_FRAME } from "../ports.js";
import { computingFor, type GroupGrant, groupGrantInForce } from "./group-grant.js";
import { decodeQuestion, decodeShare, deliveredShareIn, encodeQuestion, encodeShare } from "./share-frames.js";

/** Others are asked again after so long, and given up after so long. */
const AGAIN_MS = 2_000;
const PATIENCE_MS = 10_000;
/** Shares of one meter's day that are taken of one node: what a custodian has of the envelopes of a day is less. */
const SHARES_MAX = 512;
/**
 * Shares sealed for one custodian: some 200 ms of each second, more than a meter's day has at once. Who asks for more asks again later:
 * it does what it must, and is charged nothing else for it.
 */
const ofAsker: BucketTerms = { tokens_max: 1_024, tokens_s: 512 };
/** Custodians that are remembered; there are at most 128 members. */
const ASKERS_MAX = 512;

/** One meter's day of a grant. */
export interface MeterDay {
  readonly grant: GroupGrant;
  readonly meter: Uint8Array;
  readonly day: number;
}

interface Gathering extends MeterDay {
  readonly delivered: DeliveredShares;
  /** how many shares have come, by node */
  readonly counts: Map<string, number>;
  /** nodes of whose shares one was refused */
  readonly complained: Set<string>;
  /** a share has come since it was last looked */
  isNew: boolean;
  wake(): void;
}

export type DayKeys = ReadonlyMap<string, Uint8Array>;

export interface Exchange {
  /** Day keys by their envelope's id as hex, in the caller's own memory, once they are enough; undefined where they are not in time. */
  keysFor(of: MeterDay, isEnough: (keys: DayKeys) => Promise<boolean>): Promise<DayKeys | undefined>;
  /** Answers another custodian; what it may not have, it is not told. */
  onQuestion(from: string, chain: number, payload: Uint8Array): void;
  onShare(from: string, chain: number, payload: Uint8Array): void;
}

export function createExchange(ports: DisclosuresPorts, directory: CustodyDirectory): Exchange {
  const { genesis, self, custody, send, log } = ports;
  const own = toHex(self);
  const sealings = createBudgets(ofAsker, ASKERS_MAX);
  /** at most one */
  let gathering: Gathering | undefined;

  const take = (custodian: string, share: Parameters<typeof takeShare>[2]): void => {
    if (gathering === undefined) return;
    const complaint = takeShare(gathering.delivered, custodian, share);
    // Once a meter's day: a liar fills no log.
    if (complaint !== undefined && !gathering.complained.has(custodian)) {
      gathering.complained.add(custodian);
      log.warn({ node: custodian }, `for the sums over a group ${complaint}`);
    }
    gathering.isNew = true;
    gathering.wake();
  };

  const askOthers = ({ grant, meter, day }: MeterDay): void => {
    const connected = ports.connected();
    const question = frameOf(GROUP_QUESTION_FRAME, grant.chain, encodeQuestion({ request: grant.id, meter, day }));
    for (const node of ports.membersOf(grant.chain)?.custodians ?? []) {
      if (node !== own && connected.includes(node)) send(node, question);
    }
  };

  return {
    async keysFor(of, isEnough) {
      const { grant, meter, day } = of;
      const id = toHex(meter);
      let onCome = () => {};
      const gathered: Gathering = {
        ...of,
        delivered: {
          ...{ genesis, keys: custody, grant: grant.id, service: grant.chain, meter: id, envelopes: new Map() },
        },
        counts: new Map(),
        complained: new Set(),
        isNew: false,
        wake: () => onCome(),
      };
      gathering = gathered;
      try {
        const toSelf = { id: grant.id, chain: grant.chain, meter: id, key: toHex(custody.key) };
        for (const item of sharesOf(ports, toSelf, day)) take(own, deliveredShareIn(item));
        const until_ms = performance.now() + PATIENCE_MS;
        let asked_ms = -AGAIN_MS;
        for (;;) {
          gathered.isNew = false;
          const keys = await dayKeys(gathered.delivered);
          const now_ms = performance.now();
          const enough = (await isEnough(keys)) ? copyOf(keys) : undefined;
          forget(keys, gathered.delivered);
          if (enough !== undefined) return enough;
          if (now_ms >= until_ms) return undefined;
          if (now_ms - asked_ms >= AGAIN_MS) {
            asked_ms = now_ms;
            askOthers(of);
          }
          if (gathered.isNew) continue;
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, AGAIN_MS);
            onCome = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
      } finally {
        gathering = undefined;
        for (const { shares, divisions } of gathered.delivered.envelopes.values()) {
          for (const share of shares.values()) share.fill(0);
          for (const { parts } of divisions.values()) for (const part of parts.values()) part.fill(0);
        }
      }
    },
    onQuestion(from, chain, payload) {
      const { request, meter, day } = decodeQuestion(payload);
      ports.charge(from, "verification", 1);
      const standing = ports.membersOf(chain);
      const grant = groupGrantInForce(ports, chain, request);
      const key = directory.keyOf(from);
      const id = toHex(meter);
      if (standing === undefined || grant === undefined || key === undefined) return;
      const isTheirs = computingFor(request, standing).includes(from) && grant.meters.includes(id);
      if (!isTheirs || day < grant.from || day >= grant.until) return;
      if (isErasedDay(ports.store, chain, id, day)) return;
      for (const item of sharesOf(ports, { id: request, chain, meter: id, key: toHex(key) }, day)) {
        if (ports.unsent_bytes(from) > UNSENT_BYTES_MAX || !sealings.take(from, 1, performance.now())) return;
        send(from, frameOf(GROUP_SHARE_FRAME, chain, encodeShare({ request, meter, day }, item)));
      }
    },
    onShare(from, chain, payload) {
      const { request, meter, day, share } = decodeShare(payload);
      const of = gathering;
      const isAsked = of?.grant.id === request && of.grant.chain === chain && toHex(of.meter) === toHex(meter);
      const count = (of?.counts.get(from) ?? 0) + 1;
      // Late, or more than there can be.
      if (of === undefined || !isAsked || of.day !== day || count > SHARES_MAX) {
        ports.charge(from, "unwanted", payload.length);
        return;
      }
      of.counts.set(from, count);
      take(from, share);
    },
  };
}

function copyOf(keys: DayKeys): DayKeys {
  return new Map([...keys].map(([name, key]) => [name, Uint8Array.from(key)]));
}

/** Of one share that opens alone the key is the share itself, which is forgotten with the others. */
function forget(keys: DayKeys, { envelopes }: DeliveredShares): void {
  for (const [name, key] of keys) {
    const shares = [...(envelopes.get(name)?.shares.values() ?? [])];
    if (!shares.includes(key)) key.fill(0);
  }
}
