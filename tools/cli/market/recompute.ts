// `gridseal market recompute`: a grid operator's allocation report, computed again from what signed readings give, line by line.

import type { Command } from "commander";
import { GridsealError, reasonOf } from "../../errors.js";
import type { CsvRow } from "../../files/csv.js";
import { readWhole } from "../../files/made-once.js";
import { type CounterReading, SLOTS_MAX, type SlotEnergy, slotEnergies, sumSlots } from "../../ledger/slot-energy.js";
import { type Compared, compareSlot, type Figure, figures, type MeasuredSlot } from "../../market/report.js";
import { counterText, fillCounters } from "../../sources/counters.js";
import { type SourceOptions, withSource } from "../../sources/open.js";
import { serviceIn } from "../../sources/source.js";
import { whole, withNode } from "../../terminal/arguments.js";
import { decimal, printLines, table, timeText, toJson } from "../../terminal/output.js";
import { type Columns, type Counter, readColumns } from "./columns.js";
import { type ReportRow, readReport, reportRows } from "./report-file.js";

interface RecomputeOptions extends SourceOptions {
  readonly columns: string;
  readonly chain?: string;
  readonly service?: string;
  readonly slot: number;
  readonly gap: number;
  readonly tolerance: number;
  readonly limit: number;
  readonly json?: true;
}

/** A text of V8 holds half of it in the worst case, and a year of a hundred points takes a tenth. */
const REPORT_BYTES_MAX = 268_435_456;

export function registerRecompute(market: Command): void {
  withNode(market.command("recompute").description("compute a grid operator's allocation report again, line by line"))
    .argument("<report>", "the report: an XLSX workbook, or values separated by commas, semicolons or tabs")
    .requiredOption("--columns <file>", "which of its columns is what, and who has which meter")
    .option("--chain <file>", "exported chain with the meters' readings")
    .option("--service <name>", "name or number of the chain's service, with --api or --data")
    .option("--slot <seconds>", "length of a slot", whole(1, 86_400), 900)
    .option("--gap <seconds>", "longest gap over which a counter is interpolated", whole(0, 86_400 * 31), 3_600)
    .option("--tolerance <mWh>", "difference that is none", whole(0, 1_000_000_000), 0)
    .option("--limit <count>", "differences that are listed", whole(0, 1_000_000), 100)
    .option("--json", "print JSON")
    .action(recompute);
}

async function recompute(path: string, options: RecomputeOptions): Promise<void> {
  const columns = await readColumns(options.columns);
  const bytes = await readWhole(path, REPORT_BYTES_MAX);
  const rows = reading(path, () => reportRows(bytes, columns));
  const readings = await readingsOf(columns, options);
  const result = reading(path, () => compareReport(rows, columns, readings, options));
  printLines(options.json ? [toJson(viewOf(columns, result))] : linesOf(columns, result, options));
  const differ = differingOf(result);
  if (differ > 0)
    throw new GridsealError("REPORT_DIFFERS", `${path} differs in ${differ} figures from what was computed`);
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new GridsealError("REPORT_INVALID", `${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** What was read of a participant's counters, one after the other; undefined where it names no meter, or nothing is read. */
type Read = readonly (readonly CounterReading[])[] | undefined;

/** Consumers first. */
async function readingsOf(columns: Columns, options: RecomputeOptions): Promise<readonly Read[]> {
  const participants = [...columns.consumers, ...columns.producers];
  const wanted = participants.map(({ counters }) => counters.map((counter) => ({ ...counter, readings: [] })));
  const all: readonly (Counter & { readonly readings: CounterReading[] })[] = wanted.flat();
  const isNamed = options.chain !== undefined || options.api !== undefined || options.data !== undefined;
  if (!isNamed && all.length > 0) {
    throw new GridsealError(
      "USAGE",
      `${options.columns} names meters: name where their readings are sealed, --chain, --api or --data`,
    );
  }
  if (!isNamed) return wanted.map(() => undefined);
  if (all.length === 0)
    throw new GridsealError("USAGE", `${options.columns} names no meter whose readings are to be read`);
  await withSource(options.chain, options, async (source) => {
    await fillCounters(source, await serviceIn(source, options.chain, options.service), all);
  });
  const silent = all.find(({ readings }) => readings.length === 0);
  if (silent !== undefined) {
    // Passing over it would call a report good of which nothing was checked.
    const what = `meter ${silent.meter} that shows ${counterText(silent.counter)} in Wh`;
    throw new GridsealError("RECORD_UNKNOWN", `no record was found of ${what}`);
  }
  return wanted.map((counters) => (counters.length === 0 ? undefined : counters.map(({ readings }) => readings)));
}

interface Difference extends Compared {
  readonly line: number;
  readonly start_s: number;
}

interface Counts {
  compared: number;
  differ: number;
  /** mWh, the sign left out */
  largest: bigint;
}

interface Result {
  readonly slots: number;
  /** slots in which the energy of a participant is not known */
  readonly incomplete: number;
  readonly counts: Readonly<Record<Figure, Counts>>;
  /** the first of them */
  readonly differences: readonly Difference[];
}

function compareReport(
  rows: Generator<CsvRow>,
  columns: Columns,
  readings: readonly Read[],
  { slot, gap, tolerance, limit }: RecomputeOptions,
): Result {
  const rule = { model: columns.model, rounding: columns.rounding, ...keyOf(columns) };
  const counts = Object.fromEntries(
    figures.map((figure) => [figure, { compared: 0, differ: 0, largest: 0n }]),
  ) as Record<Figure, Counts>;
  const differences: Difference[] = [];
  let slots = 0;
  let incomplete = 0;
  for (const { row, measured } of measuredRows(readReport(rows, columns, slot), columns, readings, { slot, gap })) {
    const { compared, isComplete } = compareSlot(rule, row.reported, measured);
    slots += 1;
    if (!isComplete) incomplete += 1;
    for (const each of compared) {
      const count = counts[each.figure];
      count.compared += 1;
      const off = each.reported < each.computed ? each.computed - each.reported : each.reported - each.computed;
      if (off <= BigInt(tolerance)) continue;
      count.differ += 1;
      if (off > count.largest) count.largest = off;
      if (differences.length < limit) differences.push({ ...each, line: row.line, start_s: row.start_s });
    }
  }
  return { slots, incomplete, counts, differences };
}

/** Figures that differ, of all kinds. */
function differingOf({ counts }: Pick<Result, "counts">): number {
  return figures.reduce((sum, figure) => sum + counts[figure].differ, 0);
}

function keyOf({ model, consumers }: Columns): { readonly key?: readonly bigint[] } {
  return model === "proportional" ? {} : { key: consumers.map(({ key = 0 }) => BigInt(key)) };
}

interface MeasuredRow {
  readonly row: ReportRow;
  readonly measured: MeasuredSlot;
}

/** Rows with what the readings give of their slots. */
function* measuredRows(
  rows: Iterable<ReportRow>,
  { consumers }: Columns,
  readings: readonly Read[],
  { slot, gap }: { readonly slot: number; readonly gap: number },
): Generator<MeasuredRow> {
  let chunk: ReportRow[] = [];
  const measure = function* (): Generator<MeasuredRow> {
    const [first, last] = [chunk[0], chunk.at(-1)];
    if (first === undefined || last === undefined) return;
    const plan = { slot_s: slot, gapMax_s: gap, start_s: first.start_s, end_s: last.start_s + slot };
    const energies = readings.map(
      (each) => each && energiesByStart(sumSlots(each.map((counter) => slotEnergies(counter, plan)))),
    );
    for (const row of chunk) {
      const measured = energies.map((each) => each?.get(row.start_s));
      yield {
        row,
        measured: { consumed: measured.slice(0, consumers.length), produced: measured.slice(consumers.length) },
      };
    }
    chunk = [];
  };
  for (const row of rows) {
    if (row.start_s % slot !== 0)
      throw new Error(`line ${row.line}: ${timeText(row.start_s * 1_000)} begins no slot of ${slot} s`);
    const first = chunk[0]?.start_s ?? row.start_s;
    if ((row.start_s - first) / slot >= SLOTS_MAX - 1) yield* measure();
    chunk.push(row);
  }
  yield* measure();
}

function energiesByStart(slots: readonly SlotEnergy[]): ReadonlyMap<number, bigint> {
  return new Map(slots.flatMap(({ start_s, energy }) => (energy === null ? [] : [[start_s, energy] as const])));
}

function nameOf({ consumers, producers }: Columns, { figure, index }: Compared): string {
  const participants = figure === "produced" || figure === "surplus" ? producers : consumers;
  return participants[index]!.name;
}

function viewOf(columns: Columns, { differences, ...result }: Result) {
  return {
    ...result,
    differences: differences.map(({ line, start_s, figure, reported, computed, ...each }) => ({
      line,
      start: timeText(start_s * 1_000),
      who: nameOf(columns, { figure, reported, computed, ...each }),
      figure,
      reported_mWh: reported,
      computed_mWh: computed,
    })),
  };
}

function linesOf(columns: Columns, { slots, incomplete, counts, differences }: Result, { limit }: RecomputeOptions) {
  const listed = differences.map((each) => [
    each.line,
    timeText(each.start_s * 1_000),
    nameOf(columns, each),
    each.figure,
    decimal(each.reported, -6),
    decimal(each.computed, -6),
  ]);
  const summary = figures
    .filter((figure) => counts[figure].compared > 0)
    .map((figure) => [figure, counts[figure].compared, counts[figure].differ, decimal(counts[figure].largest, -6)]);
  const differ = differingOf({ counts });
  return [
    ...(listed.length > 0
      ? [...table(["LINE", "SLOT", "WHO", "FIGURE", "REPORTED kWh", "COMPUTED kWh"], listed), ""]
      : []),
    ...(differ > listed.length ? [`${differ - listed.length} more differ; --limit is ${limit}`, ""] : []),
    ...table(["FIGURE", "COMPARED", "DIFFER", "AT MOST BY kWh"], summary),
    `${slots} slots; in ${incomplete} the energy of somebody is not known, so that their shares were not computed`,
  ];
}
