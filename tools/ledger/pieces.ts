// Work in pieces, between which whoever does it may turn to something else: what is computed stays pure, and when it goes on is decided
// outside.

export type Pieces<Result> = Generator<void, Result>;

/** Units of work, such as meters, between two pauses: some milliseconds. */
export const PIECE_UNITS = 1_000;

/** What the work comes to, without a pause. */
export function atOnce<Result>(work: Pieces<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
