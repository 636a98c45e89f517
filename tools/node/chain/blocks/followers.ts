// Nodes that follow a chain without being members: they sign nothing, say now and then where they are, and take sealed blocks with
// their certificates. A node that joins follows first, one that was removed follows on; both serve what they have.

import { toHex } from "../../../../src/wire/bytes.js";
import { faults } from "../../../../src/wire/quorum.js";
import { BoundedMap } from "../../../bounded-map.js";
import { encodeMessage } from "../../../consensus/messages.js";
import type { Message } from "../../../consensus/types.js";
import type { MemberSet } from "../../../ledger/members.js";
import type { Pool } from "../batches/pool.js";
import { encodeFrame, type FrameKind } from "../frame.js";
import type { ChainPorts } from "../ports.js";

/** A follower that has said nothing for three heartbeats is forgotten. */
const SILENT_MS = 95_000;
const FOLLOWERS_MAX = 128;
/** A follower that has heard of a later height asks again after so long, so many times: the height may be a lie. */
const ASK_MS = 500;
const ASKED_MAX = 8;

export interface Followers {
  /** Who a message to all goes to: the members, and where this node is none, whoever is connected. */
  audience(): readonly string[];
  /** Whether a node that is no member may send this: where it is, what it lacks, and what a certificate proves. */
  admits(from: string, kind: FrameKind, message: Message | undefined): boolean;
  /** A node says that it is before this height. */
  onStatus(from: string, height: number): void;
  /** Tells those that follow that there is a next height; of the members, f + 1 do, in turn. */
  announce(height: number): void;
  /** Says to a node that has come where this one is, unless that is nothing to it. */
  greet(node: string, height: number): void;
  /** The members have changed: those who were removed follow from here on, this node too where it is one of them. */
  onChange(before: MemberSet, height: number): void;
}

/** `ask` asks a node for the blocks from the next height on. */
export function createFollowers(
  ports: ChainPorts,
  pool: Pool,
  nextHeight: () => number,
  ask: (node: string) => void,
): Followers {
  const selfId = toHex(ports.self.id);
  /** when each follower was last heard, the latest last */
  const heard = new BoundedMap<string, number>(FOLLOWERS_MAX);

  /** who claims the highest height, and how often it was asked for what leads there */
  let goal: { readonly from: string; readonly height: number; asked: number; readonly since: number } | undefined;

  const pursue = () => {
    if (goal === undefined || goal.height <= nextHeight() || pool.members.has(selfId)) goal = undefined;
    else if (goal.since < nextHeight()) goal = { ...goal, asked: 0, since: nextHeight() };
    if (goal === undefined || goal.asked >= ASKED_MAX) return;
    goal.asked += 1;
    ask(goal.from);
    ports.setTimer("follow", ASK_MS, pursue);
  };

  const say = (node: string, height: number) =>
    ports.send(node, encodeFrame("consensus", ports.chain.service, encodeMessage({ type: "status", height })));

  const hear = (node: string) => {
    heard.set(node, ports.monotonic_ms());
  };

  const audience = () =>
    pool.members.has(selfId) ? pool.members.ids : [...new Set([...pool.members.ids, ...ports.peers()])];

  return {
    audience,
    admits(from, kind, message) {
      const isOpen = message === undefined || ["status", "inquiry", "decision"].includes(message.type);
      if ((kind !== "consensus" && kind !== "needBlocks" && kind !== "block") || !isOpen) return false;
      hear(from);
      return true;
    },
    onStatus(from, height) {
      if (pool.members.has(selfId) || height <= nextHeight()) return;
      const isUnderWay = goal !== undefined && goal.asked < ASKED_MAX;
      if (isUnderWay && goal!.height >= height) return;
      goal = { from, height, asked: 0, since: nextHeight() };
      // What was asked for a moment ago is on its way, and more with it.
      if (!isUnderWay) pursue();
    },
    announce(height) {
      const { ids } = pool.members;
      const turn = (ids.indexOf(selfId) - (height % ids.length) + ids.length) % ids.length;
      if (heard.size === 0 || !pool.members.has(selfId) || turn > faults(ids.length)) return;
      for (const [node, at_ms] of heard) {
        // One that this block makes a member has still to hear of it.
        const isSilent = ports.monotonic_ms() - at_ms > SILENT_MS;
        if (!isSilent) say(node, height);
        if (isSilent || pool.members.has(node)) heard.delete(node);
      }
    },
    greet(node, height) {
      if (pool.members.has(node) || !pool.members.has(selfId)) say(node, height);
    },
    onChange(before, height) {
      // Though what they said of it may have come before.
      for (const node of before.ids) if (node !== selfId && !pool.members.has(node)) hear(node);
      if (pool.members.has(selfId)) return;
      for (const node of audience()) if (node !== selfId) say(node, height);
    },
  };
}
