// `gridseal chain slots`: the energies of a meter's settlement intervals from its sealed records, each
// with its quality and the records that it rests on.

import { type Command, InvalidArgumentError } from "commander";
import { formatObis, parseObis, sameObis } from "../../../src/meter/obis.js";
import { decodeBlockViews } from "../../../src/wire/block.js";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { hasOperation } from "../../../src/wire/operation.js";
import { type Record as MeterRecord, parseRecord, type Register } from "../../../src/wire/record.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { type CounterReading, SLOTS_MAX, type SlotEnergy, slotEnergies, sumSlots } from "../../ledger/slot-energy.js";
import { type SourceOptions, withSource } from "../../sources/open.js";
import { type ChainSource, chainOfSource } from "../../sources/source.js";
import { id, several, whole, withNode } from "../../terminal/arguments.js";
import { decimal, printLines, table, timeText, toJson } from "../../terminal/output.js";

interface SlotsOptions extends SourceOptions {
  readonly service?: string;
  readonly meter: Uint8Array;
  readonly register?: readonly string[];
  readonly slot: number;
  readonly gap: number;
  readonly from?: number;
  readonly to?: number;
  readonly json?: true;
}

/** Held at a time of one meter: thirty years of quarters of an hour. */
const READINGS_MAX = 1_000_000;
/** DLMS code of Wh */
const WATT_HOURS = 30;
const IMPORT = "1-0:1.8.0";

export function registerSlots(chain: Command): void {
  withNode(chain.command("slots").description("energies of a meter's settlement intervals, from its sealed records"))
    .argument("[file]", "exported chain")
    .option("--service <name>", "name or number of the chain's service; a file has but one")
    .requiredOption("--meter <id>", "the meter's id, 16 hex digits", id)
    .option("--register <obis>", `counter, ${IMPORT} where absent; several are added, as tariffs are`, several)
    .option("--slot <seconds>", "length of a slot", whole(1, 86_400), 900)
    .option("--gap <seconds>", "longest gap over which a counter is interpolated", whole(0, 86_400 * 31), 3_600)
    .option("--from <time>", "begin of the first slot, as 2026-03-29T00:00:00Z", time)
    .option("--to <time>", "end of the last slot", time)
    .option("--json", "print JSON")
    .action(slots);
}

async function slots(file: string | undefined, options: SlotsOptions): Promise<void> {
  const registers = registersOf(options.register ?? [IMPORT]);
  await withSource(file, options, async (source) => {
    const counters = await countersOf(source, await serviceOf(source, file, options), options.meter, registers);
    const times = counters.flatMap((readings) => readings.map(({ time_s }) => time_s));
    if (times.length === 0) {
      const names = registers.map(formatObis).join(", ");
      throw new GridsealError(
        "RECORD_UNKNOWN",
        `${source.origin} has no record of meter ${toHex(options.meter)} that shows ${names} in Wh`,
      );
    }
    const { slot } = options;
    const plan = {
      slot_s: slot,
      gapMax_s: options.gap,
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
    printLines(options.json ? [toJson(viewOf(options, registers, energies))] : linesOf(energies));
  });
}

function registersOf(texts: readonly string[]): readonly Uint8Array[] {
  try {
    return texts.map(parseObis);
  } catch (error) {
    throw new GridsealError("USAGE", reasonOf(error));
  }
}

function time(text: string): number {
  const time_ms = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text) && Number.isFinite(time_ms)) return time_ms / 1_000;
  throw new InvalidArgumentError("It must be a time in UTC such as 2026-03-29T00:00:00Z.");
}

async function serviceOf(source: ChainSource, file: string | undefined, { service }: SlotsOptions): Promise<number> {
  if (file !== undefined) return 0;
  if (service === undefined) throw new GridsealError("USAGE", "name the chain with --service");
  return (await chainOfSource(source, service)).service;
}

/** The readings of each register in the meter's sealed records. */
async function countersOf(
  source: ChainSource,
  service: number,
  meter: Uint8Array,
  registers: readonly Uint8Array[],
): Promise<readonly CounterReading[][]> {
  const counters: CounterReading[][] = registers.map(() => []);
  let read = 0;
  for await (const bytes of source.blocks(service, 1)) {
    for (const record of recordsOf(bytes, meter, source.origin)) {
      read += 1;
      if (read > READINGS_MAX) throw new GridsealError("USAGE", `the meter has more than ${READINGS_MAX} records`);
      const { claims } = record;
      for (const [index, obis] of registers.entries()) {
        const register = claims.registers?.find((each) => sameObis(each.obis, obis));
        const counter = register && milliwattHours(register);
        if (counter === undefined) continue;
        counters[index]!.push({ time_s: claims.time_s - (register?.age ?? 0), counter, seq: claims.seq });
      }
    }
  }
  return counters;
}

function recordsOf(bytes: Uint8Array, meter: Uint8Array, origin: string): readonly MeterRecord[] {
  try {
    const { batches } = decodeBlockViews(bytes);
    return batches
      .flatMap(({ records }) => records)
      .filter((bytes) => !hasOperation(bytes))
      .map(parseRecord)
      .filter(({ kid }) => equalBytes(kid, meter));
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${origin} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** A counter in mWh, what is finer cut off; undefined where it counts no energy, or less than none. */
function milliwattHours({ value, scaler, unit }: Register): bigint | undefined {
  if (unit !== WATT_HOURS || value < 0) return undefined;
  const exponent = scaler + 3;
  return exponent >= 0 ? BigInt(value) * 10n ** BigInt(exponent) : BigInt(value) / 10n ** BigInt(-exponent);
}

function least(times: readonly number[]): number {
  return times.reduce((one, other) => Math.min(one, other));
}

function most(times: readonly number[]): number {
  return times.reduce((one, other) => Math.max(one, other));
}

function viewOf({ meter, slot, gap }: SlotsOptions, registers: readonly Uint8Array[], slots: readonly SlotEnergy[]) {
  return {
    meter,
    registers: registers.map(formatObis),
    slot,
    gap,
    slots: slots.map(({ start_s, energy, quality, seqs }) => ({ start: start_s, energy_mWh: energy, quality, seqs })),
  };
}

function linesOf(slots: readonly SlotEnergy[]): string[] {
  const rows = slots.map(({ start_s, energy, quality, seqs }) => [
    timeText(start_s * 1_000),
    energy === null ? "-" : decimal(energy, -3),
    quality,
    seqs.join(" ") || "-",
  ]);
  return table(["slot", "Wh", "quality", "records"], rows);
}
