// `npm run bench:year`: a year of quarters of an hour of a community through settlement, shares, bills and ratings, in the simulation's
// time. Quarters of the year stand beside each other: what grows must grow alike. Nothing asserts on time; a bill that differs from what is
// reckoned beside it, or that does not add up with the supplier's part, fails it.

import { Command, CommanderError } from "commander";
import { reasonOf } from "../../errors.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines, table } from "../../terminal/output.js";
import { measureYear, type YearMeasurement, type YearPart } from "./market/community-year.js";

/** Points that a community has at most, as credit hears of them in messages of 25. */
const POINTS_MAX = 500;
const QUARTERS = 4;
const TOLD_DAYS = 7;
const YEAR_DAYS = 365;
const KB = 1_000;
const MB = 1_000_000;

const program = new Command("bench:year")
  .description("measure a community's year: readings, slots, shares, bills, ratings")
  .option("--points <count>", "points of the community", whole(1, POINTS_MAX), 200)
  .option(
    "--days <count>",
    "days, in periods of 30; 365 of 200 points take some 20 minutes of CPU",
    whole(4, 3_660),
    YEAR_DAYS,
  )
  .exitOverride();

interface Options {
  readonly points: number;
  readonly days: number;
}

async function run(plan: Options): Promise<void> {
  const measured = await measureYear(plan, QUARTERS, (day) => {
    if (day % TOLD_DAYS === 0) process.stderr.write(`day ${day} of ${plan.days} …\n`);
  });
  printLines(linesOf(measured));
  const { bills, money } = measured.faults;
  if (bills > 0 || money !== 0n) process.exitCode = 1;
}

function linesOf({ points, days, parts, bills, ratings, faults }: YearMeasurement): string[] {
  const slots = parts.reduce((sum, part) => sum + part.slots, 0);
  const seconds = parts.reduce((sum, part) => sum + secondsOf(part), 0);
  const [first, last] = [parts[0]!, parts.at(-1)!];
  const growth = secondsOf(last) / last.slots / (secondsOf(first) / first.slots);
  const per = (bytes: number) => (bytes / points / days) * YEAR_DAYS;
  const sum = (of: (part: YearPart) => number) => parts.reduce((total, part) => total + of(part), 0);
  return [
    ...table(
      [
        "quarter",
        "slots",
        "settle s",
        "share s",
        "bill s",
        "rate s",
        "records MB",
        "sealed MB",
        "kept MB",
        "memory MB",
      ],
      parts.map((part, index) => [index + 1, ...cellsOf(part)]),
    ),
    "",
    ...pairs([
      ["points, days", `${points}, ${days}`],
      ["points' slots", slots * points],
      ["seconds of CPU in all", seconds.toFixed(1)],
      ["points' slots a second of CPU", Math.round((slots * points) / seconds)],
      ["a slot of the last quarter takes, of one of the first", `${(100 * growth).toFixed(0)} %`],
      ["effects and messages a point and year", `${(per(sum((part) => part.sealed_bytes)) / KB).toFixed(0)} kB`],
      ["readings a point and year", `${(per(sum((part) => part.records_bytes)) / KB).toFixed(0)} kB`],
      ["bills, ratings", `${bills}, ${ratings}`],
      ["bills that differ from what is reckoned", faults.bills],
      ["members and supplier do not add up by", `${faults.money} of 10^-5`],
    ]),
  ];
}

function cellsOf(part: YearPart): (string | number)[] {
  const seconds = [part.settle_ms, part.share_ms, part.bill_ms, part.rate_ms].map((ms) => (ms / 1_000).toFixed(1));
  const bytes = [part.records_bytes, part.sealed_bytes, part.kept_bytes].map((count) => (count / MB).toFixed(1));
  return [part.slots, ...seconds, ...bytes, Math.round(part.memory_bytes / MB)];
}

function secondsOf({ settle_ms, share_ms, bill_ms, rate_ms }: YearPart): number {
  return (settle_ms + share_ms + bill_ms + rate_ms) / 1_000;
}

try {
  program.parse();
  await run(program.opts<Options>());
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`bench:year: ${reasonOf(thrown)}\n`);
    process.exitCode = 1;
  }
}
