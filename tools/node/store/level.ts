// When a node that fetches its chains is level with its peers, pure. What the peers have at first is the goal: a network that lives
// has always a newer block.

import { faults } from "../../../src/wire/quorum.js";

/** What is seen of a chain that is being fetched. */
export interface FetchedChain {
  readonly name: string;
  readonly height: number;
  /** members but for this node */
  readonly others: number;
  /** all members */
  readonly members: number;
  /** newest blocks that other members claim to have, one a member */
  readonly claimed: readonly number[];
}

/** The goal of each chain by its name, and since when so many have said where they are that there could be one. */
export interface Level {
  readonly goals: ReadonlyMap<string, number>;
  readonly since_ms: ReadonlyMap<string, number>;
}

export const noLevel: Level = { goals: new Map(), since_ms: new Map() };

/** Members that are slow to say where they are get so long, once enough have. */
export const GOAL_WAIT_MS = 2_000;

/** Sets the goals that can be set by now. A later look does not move them. */
export function lookAt(level: Level, chains: readonly FetchedChain[], now_ms: number): Level {
  const goals = new Map(level.goals);
  const since_ms = new Map(level.since_ms);
  for (const { name, others, members, claimed } of chains) {
    if (goals.has(name)) continue;
    const enough = Math.min(others, faults(members) + 1);
    if (claimed.length < enough) continue;
    if (!since_ms.has(name)) since_ms.set(name, now_ms);
    const isDue = claimed.length >= others || now_ms - since_ms.get(name)! >= GOAL_WAIT_MS;
    // What so many claim at least one correct member has.
    const sorted = [...claimed].sort((left, right) => right - left);
    if (isDue) goals.set(name, others === 0 ? 0 : (sorted[Math.min(faults(members), sorted.length - 1)] ?? 0));
  }
  return { goals, since_ms };
}

/** Whether every chain has come to its goal. */
export function isLevel({ goals }: Level, chains: readonly FetchedChain[]): boolean {
  return chains.every(({ name, height }) => height >= (goals.get(name) ?? Number.POSITIVE_INFINITY));
}

/** How far it is, in one line. */
export function describeLevel({ goals }: Level, chains: readonly FetchedChain[]): string {
  const open = chains.filter(({ name, height }) => height < (goals.get(name) ?? Number.POSITIVE_INFINITY));
  if (open.length === 0) return "level with the peers";
  return open
    .map(({ name, height, claimed, others }) => {
      const goal = goals.get(name);
      const of =
        goal === undefined ? `, ${claimed.length} of ${others} members have said where they are` : ` of ${goal}`;
      return `${name} ${height}${of}`;
    })
    .join("; ");
}
