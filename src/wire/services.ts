// The services of the paper and the numbers that name them in claims and topics; a genesis may add more.

/** Wang et al. (2019), section 3: the five businesses, each with a chain of its own. */
export const paperServices: ReadonlyMap<number, string> = new Map([
  [1, "trading"],
  [2, "credit"],
  [3, "dispatch"],
  [4, "mining"],
  [5, "contracts"],
]);
