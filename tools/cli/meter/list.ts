// `gridseal meter list`: the meters that a node, or exported chains, have sealed records of, with state, newest record and lateness.

import { type Command, Option } from "commander";
import { SERVICE_MAX } from "../../../src/wire/bounds.js";
import { GridsealError } from "../../errors.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource } from "../../sources/source.js";
import { duration, whole, withNode } from "../../terminal/arguments.js";
import { countText, durationText, printLines, printNote, secondText, table, toJson } from "../../terminal/output.js";
import { noteTold } from "../told.js";
import {
  type KnownMeter,
  type KnownMeters,
  type KnownState,
  meterStates,
  metersOfFiles,
  metersOfNode,
} from "./known.js";

interface ListOptions extends SourceOptions {
  readonly service?: string;
  readonly state?: KnownState;
  readonly silent?: number;
  readonly json?: true;
}

export function registerList(meter: Command): void {
  withNode(
    meter
      .command("list")
      .description("list the meters that a node, or exported chains, have sealed records of, each with its newest one")
      .argument("[files...]", "exported chains; that of contracts says with --genesis who is revoked"),
  )
    .option("--service <name>", "of this chain, by its name or number; by its number in files")
    .addOption(new Option("--state <state>", "those in this state").choices(meterStates))
    .option("--silent <duration>", "those whose newest record is older, as 2h or 3d", duration)
    .option("--json", "print JSON")
    .action(list);
}

async function list(files: readonly string[], options: ListOptions): Promise<void> {
  const known = files.length > 0 ? await knownInFiles(files, options) : await knownAtNode(options);
  const meters = known.meters.filter((one) => isAsked(one, options, known.asOf_s));
  if (!known.hasOrders) {
    printNote(
      "no orders were read, so nobody is shown as revoked, suspended or ended: add contracts.cbor and --genesis",
    );
  }
  printLines(
    options.json
      ? [toJson({ asOf_s: known.asOf_s, meters: meters.map((one) => ({ ...one, ...agesOf(one, known.asOf_s) })) })]
      : linesOf(meters, known.asOf_s),
  );
}

async function knownInFiles(files: readonly string[], options: ListOptions): Promise<KnownMeters> {
  if (options.api !== undefined || options.data !== undefined) {
    throw new GridsealError("USAGE", `name one source: ${files[0]}, --api or --data`);
  }
  const service = options.service === undefined ? undefined : whole(1, SERVICE_MAX)(options.service);
  const known = await metersOfFiles(files, options.genesis);
  return { ...known, meters: known.meters.filter((one) => service === undefined || one.service === service) };
}

function knownAtNode(options: ListOptions): Promise<KnownMeters> {
  return withNodeSource(options, async (source) => {
    const service = options.service === undefined ? undefined : (await chainOfSource(source, options.service)).service;
    const known = await metersOfNode(source, service);
    noteTold(source.origin, "`chain audit` checks whole chains", options);
    return known;
  });
}

function isAsked(one: KnownMeter, { state, silent }: ListOptions, asOf_s: number): boolean {
  if (state !== undefined && one.state !== state) return false;
  return silent === undefined || (agesOf(one, asOf_s).age_s ?? Number.POSITIVE_INFINITY) > silent;
}

/** How old the newest record is by the meter's clock, and how long after its own time it was sealed; undefined where that is not kept. */
function agesOf({ time_s, sealed_s }: KnownMeter, asOf_s: number) {
  const at_s = time_s ?? sealed_s;
  return {
    age_s: at_s === undefined ? undefined : Math.max(0, asOf_s - at_s),
    late_s: time_s === undefined || sealed_s === undefined ? undefined : Math.max(0, sealed_s - time_s),
  };
}

function linesOf(meters: readonly KnownMeter[], asOf_s: number): string[] {
  const rows = meters.map((one) => {
    const { age_s, late_s } = agesOf(one, asOf_s);
    const { meter, id, chain, state, number, time_s, missing } = one;
    return [
      ...[meter, id, chain, state, number],
      time_s === undefined ? "-" : secondText(time_s),
      ...[age_s, late_s].map((seconds) => (seconds === undefined ? "-" : durationText(1_000 * seconds))),
      missing,
    ];
  });
  const count = new Set(meters.map(({ meter }) => meter)).size;
  return [
    ...table(["KEY ID", "ID", "CHAIN", "STATE", "NEWEST", "TIME", "AGE", "LATE", "MISSING"], rows),
    `${countText(count, "meter")}, as of ${secondText(asOf_s)}`,
  ];
}
