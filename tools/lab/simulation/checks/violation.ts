// An invariant that does not hold, with what led to it.

export class Violation extends Error {
  readonly invariant: string;
  readonly trace: readonly string[];
  /** of virtual time, when it was seen */
  readonly at_ms: number;

  constructor(invariant: string, detail: string, { trace, at_ms }: Pick<Violation, "trace" | "at_ms">) {
    super(`${invariant}: ${detail}`);
    this.name = "Violation";
    this.invariant = invariant;
    this.trace = trace;
    this.at_ms = at_ms;
  }
}

/**
 * Notes that an invariant, by its number in docs/invariants.md and its words, does not hold; the
 * run ends with its event.
 */
export type Fail = (invariant: string, detail: string) => void;

/** The invariant that an error names; its class may be that of a bundled copy of this file. */
export function invariantOf(error: unknown): string | undefined {
  const { name, invariant } = error as Partial<Violation>;
  return name === "Violation" ? invariant : undefined;
}

/** When an error's invariant was seen not to hold, of virtual time; undefined where it names none. */
export function violatedAt_ms(error: unknown): number | undefined {
  return invariantOf(error) === undefined ? undefined : (error as Partial<Violation>).at_ms;
}

export function stackOf(reason: unknown): string {
  return reason instanceof Error ? String(reason.stack).split("\n").slice(0, 5).join(" | ") : String(reason);
}
