// Whether a sum over a group tells nothing of one of its meters: contracts ask for groups by it, and nodes give out sums by it.

export interface GroupRule {
  /** meters at least */
  readonly meters_min: number;
  /** percent of the sum at most that one meter has; 100 where none has too much */
  readonly share_percent_max: number;
}

/** Whether so many meters are a group. */
export function isGroup({ meters_min }: GroupRule, meters: number): boolean {
  return meters >= meters_min;
}

/** Whether the sum of these values, one a meter and each without its sign, tells too little of any of them to be withheld. */
export function hidesEach({ meters_min, share_percent_max }: GroupRule, values: readonly bigint[]): boolean {
  if (values.length < meters_min) return false;
  const sizes = values.map((value) => (value < 0n ? -value : value));
  const sum = sizes.reduce((all, size) => all + size, 0n);
  return sizes.every((size) => 100n * size <= BigInt(share_percent_max) * sum);
}
