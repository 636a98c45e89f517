// What is done with amounts that may be larger than a number holds.

export function sum(amounts: readonly bigint[]): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}

export function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
