// Assertions of the consensus core. They stay on in production: a violated invariant stops the node before it does harm.

/** Throws an Error that names the invariant where it does not hold. */
export function assertInvariant(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new Error(`consensus invariant does not hold: ${invariant}`);
}
