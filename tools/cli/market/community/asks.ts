// `gridseal market community found | terms | periods | owners | invite | join | leave | correct`: what manager, grid operator and owners
// ask of the community contract, signed into their folders.

import type { Command } from "commander";
import type { Value } from "../../../../src/wire/value.js";
import { GridsealError, reasonOf } from "../../../errors.js";
import { readCsv } from "../../../files/csv.js";
import { readWhole } from "../../../files/made-once.js";
import { operationTypes as types } from "../../../market/community/types.js";
import { moment, participantText, whole } from "../../../terminal/arguments.js";
import { type AskOptions, ask, money, percent, withSigner } from "../arguments.js";
import { createZoneClock } from "../local-time.js";

const OWNERS_BYTES_MAX = 1_048_576;
const MONTHS_MAX = 60;

interface TermsOptions extends AskOptions {
  readonly name?: string;
  readonly model: string;
  readonly rounding?: string;
  readonly price?: number;
  readonly feed?: number;
  readonly fee?: number;
  readonly from?: number;
}

interface PartOptions extends AskOptions {
  readonly factor: number;
  readonly key: number;
  readonly from?: number;
}

export function registerAsks(community: Command): void {
  withTerms(community.command("found").description("found a community, as its manager"))
    .argument("<community>", "its ID: a-z, 0-9 and -")
    .requiredOption("--name <name>", "its name")
    .action((id: string, options: TermsOptions) => ask(types.found, termsOf(id, options), options));
  withTerms(community.command("terms").description("change model and prices from a moment on, as its manager"))
    .argument("<community>", "its ID")
    .action((id: string, options: TermsOptions) => ask(types.terms, termsOf(id, options), options));
  withSigner(community.command("periods").description("set the months to come that are billed, as its manager"))
    .argument("<community>", "its ID")
    .requiredOption("--months <count>", "how many", whole(1, MONTHS_MAX))
    .requiredOption("--first <month>", "begin of the first, as 2026-11")
    .option("--zone <zone>", "whose months: UTC, +01:00, Europe/Vienna", "UTC")
    .action(setPeriods);
  withSigner(community.command("owners").description("state whose points are, as the grid operator"))
    .argument("<file>", "rows POINT,PARTICIPANT[,FROM]")
    .action(stateOwners);
  withPart(community.command("invite").description("let a point join, as the community's manager"))
    .option("--from <time>", "from when on; from the consent on where absent", moment)
    .action((id: string, point: string, { factor, key, from, ...options }: PartOptions) =>
      ask(types.invite, { community: id, point, factor, key, from }, options),
    );
  withPart(community.command("join").description("consent as the point's owner, by factor and key as invited"))
    // A line for each, as each is another participant's.
    .action((id: string, point: string, { factor, key, ...options }: PartOptions) =>
      ask(types.join, { community: id, point, factor, key }, options),
    );
  withSigner(community.command("leave").description("end a membership, as the point's owner or the manager"))
    .argument("<community>", "its ID")
    .argument("<point>", "the point's ID")
    .option("--from <time>", "from when on; from the block on where absent", moment)
    .action((id: string, point: string, { from, ...options }: AskOptions & { readonly from?: number }) =>
      ask(types.leave, { community: id, point, from }, options),
    );
  withSigner(community.command("correct").description("state energies of closed slots, as the grid operator"))
    .argument("<point>", "the point's ID")
    .argument("<file>", "rows SLOT,TAKEN,GIVEN,QUALITY: time, mWh or nothing, 1 measured or 2 estimated")
    .action(correct);
}

function withTerms(command: Command): Command {
  return withSigner(command)
    .requiredOption("--model <model>", "proportional, static, redistributed or ranked")
    .option("--rounding <rounding>", "conserving, or operator: each figure rounded by itself")
    .option("--price <money>", "for a kWh that a consumer is covered with", money)
    .option("--feed <money>", "for a kWh that a producer gives to the others", money)
    .option("--fee <money>", "of each point, for each period", money)
    .option("--from <time>", "from when on; from the block on where absent", moment);
}

function withPart(command: Command): Command {
  return withSigner(command)
    .argument("<community>", "its ID")
    .argument("<point>", "the point's ID")
    .option("--factor <percent>", "part of the point's energies", percent, 10_000)
    .option("--key <number>", "its part in 10,000, or its rank", whole(0, 1_000_000), 0);
}

function termsOf(id: string, { name, model, rounding, price, feed, fee, from }: TermsOptions) {
  return { community: id, name, model, rounding, price, feed, fee, from };
}

interface PeriodsOptions extends AskOptions {
  readonly months: number;
  readonly first: string;
  readonly zone: string;
}

async function setPeriods(id: string, { months, first, zone, ...options }: PeriodsOptions): Promise<void> {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(first) ?? [];
  if (year === undefined) throw new GridsealError("USAGE", `--first ${first} is no month such as 2026-11`);
  const clock = zoneClock(zone);
  const begins = Array.from({ length: months + 1 }, (_, index) => {
    const date = new Date(Date.UTC(Number(year), Number(month) - 1 + index, 1));
    return clock.read(`${date.toISOString().slice(0, 10)} 00:00`, Number.NEGATIVE_INFINITY)!;
  });
  await ask(types.periods, { community: id, begins }, options);
}

function zoneClock(zone: string) {
  try {
    return createZoneClock(zone);
  } catch (cause) {
    throw new GridsealError("USAGE", `no zone is called ${zone}`, { cause });
  }
}

async function stateOwners(file: string, options: AskOptions): Promise<void> {
  const points = await rowsOf(file, ([point = "", participant = "", from = ""]) => {
    return [point, participantText(participant), from === "" ? null : moment(from)];
  });
  await ask(types.owners, { points }, options);
}

async function correct(point: string, file: string, options: AskOptions): Promise<void> {
  const slots = await rowsOf(file, ([start = "", taken = "", given = "", quality = ""]) => [
    ...[moment(start), energy(taken), energy(given)],
    whole(1, 2)(quality),
  ]);
  await ask(types.correct, { point, slots }, options);
}

function energy(text: string): number | null {
  return text === "" ? null : whole(0, Number.MAX_SAFE_INTEGER)(text);
}

async function rowsOf(file: string, read: (cells: readonly string[]) => Value): Promise<Value[]> {
  const text = new TextDecoder().decode(await readWhole(file, OWNERS_BYTES_MAX));
  return readCsv(text).map(({ line, cells }) => {
    try {
      return read(cells);
    } catch (cause) {
      throw new GridsealError("FILE_INVALID", `${file}, line ${line}: ${reasonOf(cause)}`, { cause });
    }
  });
}
