// Messages that wait for another chain, and when this node is to carry them, pure: of the nodes that could, one begins, and the others
// follow one behind the other where it does not.

import { BoundedMap } from "../../../bounded-map.js";

/** A node's turn comes so long after that of the one before. */
export const TURN_MS = 1_000;
/** Who is member of neither chain carries behind all that are. */
const STRANGER_TURNS = 2;
/** What was handed to members who have not taken it is handed to them again. */
const AGAIN_MS = 5_000;
/** A network has at most 64 chains. */
const LANES_MAX = 64 * 64;

/** Messages from one chain to another, as they stand on both. */
export interface Lane {
  readonly source: number;
  readonly target: number;
  /** the number that the target takes next, and how many the source has sent */
  readonly next: number;
  readonly sent: number;
  /** ids of the members of both chains' next heights */
  readonly sourceMembers: readonly string[];
  readonly targetMembers: readonly string[];
}

export interface Lanes {
  /**
   * What is to be done for the lane now: `offer` the next messages to the chain here, `pass` them to members of the target, or nothing,
   * as nothing waits or it is others' turn.
   */
  duty(lane: Lane, now_ms: number): "offer" | "pass" | "none";
}

interface Waiting {
  readonly next: number;
  readonly since_ms: number;
  passed_ms: number;
}

export function createLanes(self: string): Lanes {
  const waiting = new BoundedMap<string, Waiting>(LANES_MAX);

  const waitingOf = ({ source, target, next }: Lane, now_ms: number): Waiting => {
    const name = `${source}/${target}`;
    const known = waiting.get(name);
    if (known?.next === next) return known;
    const begun = { next, since_ms: now_ms, passed_ms: Number.NEGATIVE_INFINITY };
    waiting.set(name, begun);
    return begun;
  };

  return {
    duty(lane, now_ms) {
      const { source, target, next, sent, targetMembers } = lane;
      if (next >= sent) {
        waiting.delete(`${source}/${target}`);
        return "none";
      }
      const wait = waitingOf(lane, now_ms);
      const waited_ms = now_ms - wait.since_ms;
      if (targetMembers.includes(self)) {
        return waited_ms >= turnOf(targetMembers, self, source + next) * TURN_MS ? "offer" : "none";
      }
      const turn = passingTurn(lane, self);
      if (waited_ms < turn * TURN_MS || now_ms - wait.passed_ms < AGAIN_MS) return "none";
      wait.passed_ms = now_ms;
      return "pass";
    },
  };
}

/** A member's turn for what has this number, from 0. */
export function turnOf(members: readonly string[], self: string, number: number): number {
  const { length } = members;
  return (members.indexOf(self) - (number % length) + length) % length;
}

function passingTurn({ source, next, sourceMembers }: Lane, self: string): number {
  if (sourceMembers.includes(self)) return turnOf(sourceMembers, self, source + next);
  return sourceMembers.length + STRANGER_TURNS;
}
