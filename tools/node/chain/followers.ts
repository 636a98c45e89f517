// Nodes that follow a chain without being members: they sign nothing, say now and then where they are, and take sealed blocks with
// their certificates. A node that joins follows first, one that was removed follows on; both serve what they have.

import { toHex } from "../../../src/wire/bytes.js";
import { faults } from "../../../src/wire/quorum.js";
import { encodeMessage } from "../consensus/messages.js";
import type { Message } from "../consensus/types.js";
import { encodeFrame, type FrameKind } from "../frame.js";
import type { Pool } from "./pool.js";
import type { ChainPorts } from "./ports.js";

/** A follower that has said nothing for three heartbeats is forgotten. */
const SILENT_MS = 95_000;
const FOLLOWERS_MAX = 128;

export interface Followers {
  /** Who a message to all goes to: the members, and where this node is none, whoever is connected. */
  audience(): readonly string[];
  /** Whether a node that is no member may send this: where it is, what it lacks, and what a certificate proves. */
  admits(from: string, kind: FrameKind, message: Message | undefined): boolean;
  /** Tells those that follow that there is a next height; of the members, f + 1 do, in turn. */
  announce(height: number): void;
  /** Says to a node that has come where this one is, unless that is nothing to it. */
  greet(node: string, height: number): void;
  /** These nodes are members no more: they follow, though what they said of it may have come before. */
  onRemoved(nodes: readonly string[]): void;
  /** This node is a member no more: says so that it follows from here on. */
  follow(height: number): void;
}

export function createFollowers(ports: ChainPorts, pool: Pool): Followers {
  const selfId = toHex(ports.self.id);
  /** when each follower was last heard, the latest last */
  const heard = new Map<string, number>();

  const say = (node: string, height: number) =>
    ports.send(node, encodeFrame("consensus", ports.chain.service, encodeMessage({ type: "status", height })));

  const hear = (node: string) => {
    heard.delete(node);
    heard.set(node, ports.monotonic_ms());
    if (heard.size > FOLLOWERS_MAX) heard.delete(heard.keys().next().value!);
  };

  const audience = () =>
    pool.members.has(selfId) ? pool.members.ids : [...new Set([...pool.members.ids, ...ports.peers()])];

  return {
    audience,
    admits(from, kind, message) {
      const isOpen = message === undefined || message.type === "status" || message.type === "decision";
      if ((kind !== "consensus" && kind !== "needBlocks" && kind !== "block") || !isOpen) return false;
      hear(from);
      return true;
    },
    announce(height) {
      const { ids } = pool.members;
      const turn = (ids.indexOf(selfId) - (height % ids.length) + ids.length) % ids.length;
      if (heard.size === 0 || !pool.members.has(selfId) || turn > faults(ids.length)) return;
      for (const [node, at_ms] of heard) {
        if (pool.members.has(node) || ports.monotonic_ms() - at_ms > SILENT_MS) heard.delete(node);
        else say(node, height);
      }
    },
    greet(node, height) {
      if (pool.members.has(node) || !pool.members.has(selfId)) say(node, height);
    },
    onRemoved(nodes) {
      for (const node of nodes) if (node !== selfId) hear(node);
    },
    follow(height) {
      for (const node of audience()) if (node !== selfId) say(node, height);
    },
  };
}
