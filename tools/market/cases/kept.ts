// What the cases contract keeps: rings, of which the oldest goes where there is one too many, so that a chain can say things against
// others without end. What goes stays sealed in its block.

import type { Context, Value } from "../../contracts/author.js";

/** What may go for one that comes: no less than one message brings, as each has a row at least. */
const GONE_AT_ONCE = 100;

interface Ring {
  readonly name: "said" | "case";
  /** how many of them, and how much in all */
  readonly most: number;
  readonly size_max: number;
}

/** Numbers of the oldest and of the next one, and how much they are in all. */
type Tally = readonly [oldest: number, next: number, size: number];

/** Keeps the rows of a message. */
export function keepSaid(
  context: Context,
  place: string,
  { time_s, rows }: { readonly time_s: number; readonly rows: readonly Value[] },
): void {
  context.put(`said/${place}`, [time_s, rows]);
  const most = numberOf(context, "kept_messages", 16_384);
  add(context, { name: "said", most, size_max: numberOf(context, "kept_rows", 65_536) }, place, rows.length);
}

/** Keeps a case, as it stands now. */
export function keepCase(context: Context, id: string, value: Value): void {
  const isNew = context.get(`case/${id}`) === undefined;
  context.put(`case/${id}`, value);
  const most = numberOf(context, "kept_cases", 4_096);
  if (isNew) add(context, { name: "case", most, size_max: most }, id, 1);
}

function add(context: Context, { name, most, size_max }: Ring, place: string, size: number): void {
  let [oldest, next, sum] = (context.get(`kept/${name}`) ?? [0, 0, 0]) as unknown as Tally;
  context.put(`kept/${name}/${next}`, [place, size]);
  next += 1;
  sum += size;
  for (let gone = 0; gone < GONE_AT_ONCE && oldest < next - 1; gone += 1) {
    if (next - oldest <= most && sum <= size_max) break;
    const [key, freed] = context.get(`kept/${name}/${oldest}`) as unknown as readonly [string, number];
    context.remove(`${name}/${key}`);
    context.remove(`kept/${name}/${oldest}`);
    oldest += 1;
    sum -= freed;
  }
  context.put(`kept/${name}`, [oldest, next, sum]);
}

function numberOf({ parameters }: Context, name: string, otherwise: number): number {
  const value = parameters[name];
  return typeof value === "number" && value > 0 ? value : otherwise;
}
