// This node as one of the custodians that work out sums over groups: whoever holds a grant asks for slots, and gets them signed. One
// range of slots is worked on at a time; the next few wait.

import { signAggregate } from "../../../../src/wire/aggregate.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { BoundedMap } from "../../../bounded-map.js";
import { heads } from "../../chain/tables/heads.js";
import { chainKey } from "../../store/keys.js";
import type { CustodyDirectory } from "../custody-directory.js";
import { isErasedDay } from "../erased-days.js";
import { type ComputingPorts, computeSums } from "./computing.js";
import { createExchange } from "./exchange.js";
import { computingFor, dayOf, type GroupGrant } from "./group-grant.js";
import type { SlotRange } from "./slot-sums.js";

/** Ranges that wait to be worked on, and those that are remembered once they were. */
const WAITING_MAX = 8;
/** Those of one grant: whoever asks for parts of it takes nobody else's place. */
const WAITING_OF_GRANT_MAX = 2;
const KEPT_MAX = 64;

export type GroupAnswer =
  /** signed */
  | { readonly type: "sums"; readonly bytes: Uint8Array }
  /** they are worked on, or are not to be had yet */
  | { readonly type: "waiting"; readonly reason: string }
  | { readonly type: "busy" }
  /** a meter of the group has no such day any more */
  | { readonly type: "withheld" }
  /** others work for this request */
  | { readonly type: "not-computing"; readonly computing: readonly string[] };

export interface Groups {
  /** The sums of whole slots of one day of the grant; the range is one that `rangeComplaint` has nothing against. */
  ask(grant: GroupGrant, range: SlotRange): GroupAnswer;
  /** UTC seconds of the chain's newest block; 0 before the first. */
  head_s(chain: number): number;
  computing(grant: GroupGrant): readonly string[];
  onQuestion(from: string, chain: number, payload: Uint8Array): void;
  onShare(from: string, chain: number, payload: Uint8Array): void;
  stop(): void;
}

export interface GroupsPorts extends Omit<ComputingPorts, "isStopped"> {
  /** What must stop the node: a damaged store. */
  onFatal(error: unknown): void;
}

export function createGroups(ports: GroupsPorts, directory: CustodyDirectory): Groups {
  const { genesis, signer, self, store } = ports;
  const exchange = createExchange(ports, directory);
  let stopped = false;
  const computing: ComputingPorts = { ...ports, isStopped: () => stopped };
  /** by name: signed sums, and why there are none yet */
  const kept = new BoundedMap<string, Uint8Array>(KEPT_MAX);
  const failed = new BoundedMap<string, string>(KEPT_MAX);
  const waiting = new Map<string, () => Promise<void>>();
  let isWorking = false;

  const work = async (): Promise<void> => {
    if (isWorking) return;
    isWorking = true;
    try {
      for (const [name, run] of waiting) {
        if (stopped) return;
        await run();
        waiting.delete(name);
      }
    } finally {
      isWorking = false;
    }
  };
  const compute = async (name: string, grant: GroupGrant, range: SlotRange): Promise<void> => {
    const done = await computeSums(computing, exchange, grant, range);
    if (done.type === "incomplete") return void failed.set(name, done.reason);
    const { from_s, slot_s } = range;
    const content = { node: self, chain: grant.chain, request: grant.id, from_s, slot_s, slots: done.slots };
    kept.set(name, signAggregate(genesis.hash, content, signer));
  };
  const head_s = (chain: number) => Math.floor((store.get(heads, chainKey(chain))?.time_ms ?? 0) / 1_000);
  const computingOf = ({ chain, id }: GroupGrant) => {
    const standing = ports.membersOf(chain);
    return standing === undefined ? [] : computingFor(id, standing);
  };

  return {
    head_s,
    computing: computingOf,
    onQuestion: exchange.onQuestion,
    onShare: exchange.onShare,
    ask(grant, range) {
      const nodes = computingOf(grant);
      if (!nodes.includes(toHex(self))) return { type: "not-computing", computing: nodes };
      const day = dayOf(range.from_s);
      // The sum that lacks one meter would tell, beside the sum that had it, what it has erased.
      if (grant.meters.some((meter) => isErasedDay(store, grant.chain, meter, day))) return { type: "withheld" };
      const ready_s = range.until_s + grant.lateness_s;
      if (head_s(grant.chain) < ready_s) {
        return { type: "waiting", reason: `records of these slots may come until a block of ${ready_s} s` };
      }
      const ofGrant = `${grant.chain}/${grant.id}/`;
      const name = `${ofGrant}${range.from_s}/${range.until_s}`;
      const bytes = kept.get(name);
      if (bytes !== undefined) return { type: "sums", bytes };
      if (!waiting.has(name)) {
        const same = [...waiting.keys()].filter((other) => other.startsWith(ofGrant));
        if (waiting.size >= WAITING_MAX || same.length >= WAITING_OF_GRANT_MAX) return { type: "busy" };
        waiting.set(name, () => compute(name, grant, range));
        work().catch(ports.onFatal);
      }
      return { type: "waiting", reason: failed.get(name) ?? "they are being worked out" };
    },
    stop() {
      stopped = true;
      waiting.clear();
    },
  };
}
