// `gridseal chain slots`: the settlement intervals that a chain has closed; or the energies of a meter's, from its sealed records, each
// with its quality and the records that it rests on.

import type { Command } from "commander";
import { parseObis } from "../../../src/meter/obis.js";
import { toHex } from "../../../src/wire/bytes.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { type CounterReading, SLOTS_MAX, type SlotEnergy, slotEnergies, sumSlots } from "../../ledger/slot-energy.js";
import { type CounterNamed, counterText, fillCounters } from "../../sources/counters.js";
import { holderNamed } from "../../sources/named-holder.js";
import { type SourceOptions, withSource } from "../../sources/open.js";
import { type ChainSource, serviceIn } from "../../sources/source.js";
import { moment, several, whole, withNode } from "../../terminal/arguments.js";
import { decimal, printLines, printNote, table, timeText, toJson } from "../../terminal/output.js";
import { noteTold } from "../told.js";
import { doubtText } from "./doubt-text.js";
import { closedSlots } from "./sealed-slots.js";
import { settlementAsked } from "./settlement.js";

interface SlotsOptions extends SourceOptions {
  readonly service?: string;
  readonly meter?: string;
  readonly register?: readonly string[];
  readonly slot?: number;
  readonly gap?: number;
  readonly from?: number;
  readonly to?: number;
  readonly json?: true;
}

const IMPORT = "1-0:1.8.0";

export function registerSlots(chain: Command): void {
  withNode(
    chain
      .command("slots")
      .description(
        "the settlement intervals that a chain has closed, or those of a meter, computed from its sealed records",
      ),
  )
    .argument("[file]", "exported chain")
    .option("--service <name>", "name or number of the chain's service; a file has but one")
    .option("--meter <meter>", "compute those of this meter from its records, by its ID or key id")
    .option(
      "--register <obis>",
      `counter, ${IMPORT} or the sum of its tariffs where absent; several are added`,
      several,
    )
    .option("--slot <seconds>", "length of a slot; the chain's own where absent", whole(1, 86_400))
    .option(
      "--gap <seconds>",
      "longest gap over which a counter is interpolated; the chain's own where absent",
      whole(0, 86_400 * 31),
    )
    .option("--from <time>", "begin of the first slot, as 2026-03-29T00:00:00Z", moment)
    .option("--to <time>", "end of the last slot", moment)
    .option("--json", "print JSON")
    .action(slots);
}

async function slots(file: string | undefined, options: SlotsOptions): Promise<void> {
  const { meter } = options;
  if (meter === undefined) return listClosed(file, options);
  return computeSlots(file, { ...options, meter });
}

async function listClosed(file: string | undefined, options: SlotsOptions): Promise<void> {
  await withSource(file, options, async (source) => {
    const closed = await closedSlots(source, await serviceIn(source, file, options.service), options);
    noteTold(source.origin, "`receipt get --slot` proves one of them", options);
    if (options.json) {
      const views = closed.map(({ start_s, slot_s, ...rest }) => ({ start: start_s, length: slot_s, ...rest }));
      printLines([toJson({ slots: views })]);
      return;
    }
    const rows = closed.map(({ start_s, slot_s, points, root, height }) => [
      timeText(start_s * 1_000),
      slot_s,
      points,
      height,
      toHex(root),
    ]);
    printLines(table(["SLOT", "SECONDS", "POINTS", "BLOCK", "ROOT OF ITS ROWS"], rows));
  });
}

type MeterSlots = SlotsOptions & { readonly meter: string };

async function computeSlots(file: string | undefined, options: MeterSlots): Promise<void> {
  const registers = options.register === undefined ? ["imported" as const] : registersOf(options.register);
  await withSource(file, options, async (source) => {
    const service = await serviceIn(source, file, options.service);
    const meter = await holderNamed({ source, file, service }, options.meter);
    const { slot_s: slot, gapMax_s, said } = await settlementAsked(source, service, options);
    const counters = await countersOf(source, service, meter, registers);
    const times = counters.flatMap((readings) => readings.map(({ time_s }) => time_s));
    if (times.length === 0) {
      const names = registers.map(counterText).join(", ");
      throw new GridsealError(
        "RECORD_UNKNOWN",
        `${source.origin} has no record of meter ${options.meter} that shows ${names} in Wh`,
      );
    }
    const plan = {
      slot_s: slot,
      gapMax_s,
      start_s: Math.floor((options.from ?? least(times)) / slot) * slot,
      end_s: Math.ceil((options.to ?? most(times)) / slot) * slot,
    };
    const count = (plan.end_s - plan.start_s) / slot;
    if (count < 0 || count > SLOTS_MAX) {
      throw new GridsealError(
        "USAGE",
        `these are ${count} slots: name --from and --to with at most ${SLOTS_MAX} between`,
      );
    }
    const energies = sumSlots(counters.map((readings) => slotEnergies(readings, plan)));
    if (said !== undefined) printNote(said);
    noteTold(source.origin, "`receipt get --slot` proves a closed slot", options);
    const view = { meter, slot, gap: gapMax_s };
    printLines(options.json ? [toJson(viewOf(view, registers, energies))] : linesOf(energies));
  });
}

function registersOf(texts: readonly string[]): readonly Uint8Array[] {
  try {
    return texts.map(parseObis);
  } catch (error) {
    throw new GridsealError("USAGE", reasonOf(error));
  }
}

/** The readings of each register in the meter's sealed records. */
async function countersOf(
  source: ChainSource,
  service: number,
  meter: Uint8Array,
  registers: readonly CounterNamed[],
): Promise<readonly (readonly CounterReading[])[]> {
  const counters = registers.map((counter) => ({ meter: toHex(meter), counter, readings: [] }));
  await fillCounters(source, service, counters);
  return counters.map(({ readings }) => readings);
}

function least(times: readonly number[]): number {
  return times.reduce((one, other) => Math.min(one, other));
}

function most(times: readonly number[]): number {
  return times.reduce((one, other) => Math.max(one, other));
}

function viewOf(
  { meter, slot, gap }: { readonly meter: Uint8Array; readonly slot: number; readonly gap: number },
  registers: readonly CounterNamed[],
  slots: readonly SlotEnergy[],
) {
  return {
    meter,
    registers: registers.map((each) => (each === "imported" ? `${IMPORT}*255` : counterText(each))),
    slot,
    gap,
    slots: slots.map(({ start_s, energy, ...rest }) => ({ start: start_s, energy_mWh: energy, ...rest })),
  };
}

function linesOf(slots: readonly SlotEnergy[]): string[] {
  const rows = slots.map(({ start_s, energy, quality, doubts, seqs }) => [
    timeText(start_s * 1_000),
    energy === null ? "-" : decimal(energy, -3),
    quality,
    doubtText(doubts),
    seqs.join(" ") || "-",
  ]);
  return table(["SLOT", "Wh", "QUALITY", "DOUBTS", "RECORDS"], rows);
}
