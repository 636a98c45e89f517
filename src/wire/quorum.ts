// How many of n equal members may fail, and how many must agree (Tendermint, arXiv 1807.04938, section 3, for any n).

/** Members that may be faulty: floor((n-1)/3); none below four members. */
export function faults(members: number): number {
  return Math.floor((members - 1) / 3);
}

/** Members whose agreement is binding: n - f, more than two thirds. */
export function quorum(members: number): number {
  return members - faults(members);
}

/** How many members verify a temporary block where nobody says otherwise: one correct one at least, and never the original node alone. */
export function defaultVerifiers(members: number): number {
  return Math.min(members, Math.max(2, faults(members) + 1));
}
