// What is done with amounts that may be larger than a number holds. Contracts bundle it: nothing here is beyond what they may use.

export function sum(amounts: readonly bigint[]): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}

export function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/** Towards zero. */
export function quotient(dividend: bigint, divisor: bigint): bigint {
  return BigInt(dividend) / divisor;
}

/** floor(dividend / divisor + 1/2) of a positive divisor. */
export function roundHalfUp(dividend: bigint, divisor: bigint): bigint {
  const doubled = 2n * dividend + divisor;
  const whole = doubled / (2n * divisor);
  return doubled < 0n && doubled % (2n * divisor) !== 0n ? whole - 1n : whole;
}

/** Throws a RangeError that says what does not hold. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new RangeError(`it does not hold that ${what}`);
}
