// Runs of UTC days, each from its first one to the one behind its last.

/** Days, and whose consent opens them; null where none is needed. */
export type Days = readonly [first: number, end: number, subject: string | null];

export interface Period {
  readonly from: number;
  readonly until: number;
}

/** What of the run lies within the period; none where nothing does. */
export function within([first, end, subject]: Days, { from, until }: Period): Days[] {
  const [begin, behind] = [Math.max(first, from), Math.min(end, until)];
  return begin < behind ? [[begin, behind, subject]] : [];
}

/** The runs less those days. */
export function without(runs: readonly Days[], { from, until }: Period): Days[] {
  return runs.flatMap((run) => [
    ...within(run, { from: 0, until: from }),
    ...within(run, { from: until, until: Number.MAX_SAFE_INTEGER }),
  ]);
}

/** Ascending, those that follow each other with one subject as one. None of them overlap. */
export function joined(runs: readonly Days[]): Days[] {
  const all: Days[] = [];
  for (const [first, end, subject] of [...runs].sort(([one], [other]) => one - other)) {
    const last = all.at(-1);
    if (last !== undefined && last[1] === first && last[2] === subject) all[all.length - 1] = [last[0], end, subject];
    else all.push([first, end, subject]);
  }
  return all;
}
