// The network of a simulation: frames are lost, doubled, delayed past each other, and cut off by
// partitions of either direction. A member that is two copies with one key is in touch with its
// peers through one of them, the other, or both.

import { decodeFrame, type FrameKind } from "../../../node/chain/frame.js";
import type { Random } from "../../rig/random.js";
import type { Coverage } from "../coverage.js";
import type { SimulatedNode } from "./node-world.js";
import type { Timeline } from "./timeline.js";

export interface Conditions {
  /** probability that a frame is lost */
  readonly loss: number;
  readonly duplication: number;
  /** of an ordinary frame, at most */
  readonly delay_ms: number;
  /** probability that a frame takes up to two seconds more */
  readonly slow: number;
  /** probability that nobody notices when a partition ends */
  readonly unnoticed: number;
  /** by kind of frame: a probability of its own */
  readonly scarce: Readonly<Record<string, number>>;
}

export const calm: Conditions = {
  loss: 0,
  duplication: 0,
  delay_ms: 10,
  slow: 0,
  unnoticed: 0,
  scarce: {},
};

export interface Network {
  send(from: SimulatedNode, to: string, frame: Uint8Array): void;
  setConditions(conditions: Conditions): void;
  /** Splits the nodes anew; of links that come back both ends are told, as a rule. */
  partition(): void;
  /** Cuts one node off from all others. */
  isolate(node: SimulatedNode): void;
  heal(): void;
  /** Frames by which the chain decides are lost from here on, those on their way too, and its temporary blocks are not; undefined for none. */
  hold(chain: number | undefined): void;
  /** The links of a node that has started come up. */
  connect(node: SimulatedNode): void;
}

export interface NetworkPorts {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly coverage: Coverage;
  readonly nodes: readonly SimulatedNode[];
  /** Says what is sent, for the trace. */
  onSend(from: SimulatedNode, to: SimulatedNode, kind: string, frame: Uint8Array, fate: "sent" | "lost"): void;
  /** names what a frame holds */
  kindOf(frame: Uint8Array): string;
}

/**
 * What a phase of the faults lets through badly: without precommits locks form and rounds go on.
 */
const scarcities: readonly (readonly string[])[] = [
  [],
  ["proposal"],
  ["precommit"],
  ["polka", "prevote"],
  ["polka", "precommit", "block"],
  ["accepted", "batch"],
];
const SCARCE_LOSS = 0.75;
/** Kinds of frames without which no node of a chain gets a further block. */
const deciding: readonly FrameKind[] = ["consensus", "block"];

export function createNetwork({ timeline, random, coverage, nodes, onSend, kindOf }: NetworkPorts): Network {
  let conditions: Conditions = calm;
  /** directed links that are cut, as `from>to` over labels */
  let cut = new Set<string>();
  let scarce: readonly string[] = [];
  let held: number | undefined;

  const isCut = (from: SimulatedNode, to: SimulatedNode) => cut.has(`${from.label}>${to.label}`);
  const isUp = (one: SimulatedNode, other: SimulatedNode) => !isCut(one, other) && !isCut(other, one);

  const lossOf = (kind: string) => conditions.scarce[kind] ?? (scarce.includes(kind) ? SCARCE_LOSS : conditions.loss);

  const isHeld = (bytes: Uint8Array) => {
    const frame = held === undefined ? undefined : decodeFrame(bytes);
    return frame !== undefined && frame.chain === held && deciding.includes(frame.kind);
  };

  const sendOnce = (from: SimulatedNode, to: SimulatedNode, frame: Uint8Array) => {
    const kind = kindOf(frame);
    if (isHeld(frame) || isCut(from, to) || random.chance(lossOf(kind))) {
      coverage.framesLost += 1;
      return onSend(from, to, kind, frame, "lost");
    }
    onSend(from, to, kind, frame, "sent");
    const slow_ms = random.chance(conditions.slow) ? random.between(0, 2_000) : 0;
    if (slow_ms > 0) coverage.framesDelayed += 1;
    timeline.after(random.between(0.5, conditions.delay_ms) + slow_ms, () => {
      if (!isHeld(frame)) to.receive(from.id, frame);
    });
  };

  const tell = (one: SimulatedNode, other: SimulatedNode) => {
    timeline.after(random.between(1, 50), () => {
      if (!one.isUp || !other.isUp || !isUp(one, other)) return;
      one.onPeer(other.id);
      other.onPeer(one.id);
    });
  };

  const change = (next: Set<string>) => {
    const before = cut;
    cut = next;
    // Connections that lived through the cut come back without anybody noticing.
    const isNoticed = !random.chance(conditions.unnoticed);
    for (const [index, one] of nodes.entries()) {
      for (const other of nodes.slice(index + 1)) {
        const was = before.has(`${one.label}>${other.label}`) || before.has(`${other.label}>${one.label}`);
        if (!was || !isUp(one, other)) continue;
        coverage.linksHealed += 1;
        if (isNoticed) tell(one, other);
      }
    }
  };

  const cutBetween = (isApart: (from: SimulatedNode, to: SimulatedNode) => boolean) => {
    const links = new Set<string>();
    for (const from of nodes) {
      for (const to of nodes) if (from !== to && isApart(from, to)) links.add(`${from.label}>${to.label}`);
    }
    return links;
  };

  const sides = () => new Map(nodes.map((node) => [node, random.below(2)]));

  /** Copies of one member never meet; each peer is in touch with one of them or with both. */
  const copiesApart = () => {
    const choice = new Map<string, number>();
    return (from: SimulatedNode, to: SimulatedNode) => {
      if (from.id === to.id) return true;
      for (const [copy, peer] of [
        [from, to],
        [to, from],
      ] as const) {
        if (copy.copies === 1) continue;
        const key = `${copy.id}/${peer.label}`;
        const chosen = choice.get(key) ?? random.below(3);
        choice.set(key, chosen);
        if (chosen < 2 && chosen !== copy.copy) return true;
      }
      return false;
    };
  };

  return {
    send(from, to, frame) {
      for (const receiver of nodes) {
        if (receiver.id !== to || receiver === from) continue;
        sendOnce(from, receiver, frame);
        if (!random.chance(conditions.duplication)) continue;
        coverage.framesDoubled += 1;
        sendOnce(from, receiver, frame);
      }
    },
    setConditions(next) {
      conditions = next;
    },
    partition() {
      scarce = random.pick(scarcities);
      coverage.partitions += 1;
      const kind = random.below(4);
      if (kind === 2) coverage.oneWayCuts += 1;
      const side = sides();
      const apart = copiesApart();
      const lonely = random.pick(nodes);
      const oneWay = new Set(nodes.filter(() => random.chance(0.4)));
      change(
        cutBetween((from, to) => {
          if (kind === 0) return side.get(from) !== side.get(to); // copies stand on different sides as often as not
          if (apart(from, to)) return true;
          if (kind === 1) return from === lonely || to === lonely;
          if (kind === 2) return oneWay.has(from) && !oneWay.has(to);
          return false;
        }),
      );
    },
    isolate(node) {
      const apart = copiesApart();
      change(cutBetween((from, to) => from === node || to === node || apart(from, to)));
    },
    heal() {
      scarce = [];
      change(cutBetween(copiesApart()));
    },
    hold(chain) {
      held = chain;
    },
    connect(node) {
      for (const other of nodes) if (other !== node) tell(node, other);
    },
  };
}
