// `gridseal access erase`: what a meter confided on some days is kept by nobody from then on. A node is asked before anything is signed:
// who tries to erase another one's days has that against him on the chain.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { GridsealError } from "../../errors.js";
import { readParticipant } from "../../files/operations/participant-folder.js";
import { withNodeSource } from "../../sources/open.js";
import { chainOfSource, type ReceiptSource } from "../../sources/source.js";
import { utcDay } from "../../terminal/arguments.js";
import { keyIdOf } from "./key-id.js";
import { type AccessOptions, dayText, signAccess, withAccessOptions } from "./sign-access.js";

interface EraseOptions extends AccessOptions {
  readonly meter: string;
  readonly from: number;
  readonly until: number;
  readonly reason: string;
  readonly api?: string;
  readonly unchecked?: true;
}

export function registerErase(access: Command): void {
  withAccessOptions(
    access
      .command("erase")
      .description("have what a meter confided on some days erased, as its subject or by legal order"),
  )
    .requiredOption("--meter <meter>", "the meter, by its ID or key id")
    .requiredOption("--from <day>", "first day, as 2026-03-29", utcDay)
    .requiredOption("--until <day>", "day behind the last, no later than today", utcDay)
    .option("--reason <text>", "the legal order, at most 200 characters; none where the subject asks", "")
    .option("--api <url>", "API of a node, which says whose days these are before anything is signed")
    .option("--unchecked", "sign it without asking a node")
    .action(erase);
}

async function erase({ meter: named, from, until, reason, api, unchecked, ...options }: EraseOptions): Promise<void> {
  if (api === undefined && unchecked !== true) {
    const why = "who erases what is another one's has that against him on the chain";
    throw new GridsealError(
      "USAGE",
      `name a node by --api URL, which says whose days these are: ${why}; or --unchecked`,
    );
  }
  const meter = await keyIdOf(named, { as: options.as, ...(api !== undefined && { api }) });
  const days = { meter, from, until };
  if (api !== undefined) await checkErasure(days, { ...options, api, isOrdered: reason !== "" });
  await signAccess(options, "erasure", [meter, from, until, reason]);
}

interface Days {
  readonly meter: string;
  readonly from: number;
  readonly until: number;
}

/** What the chain's state says of a meter: rows as the access contract keeps them. */
export interface MeterRows {
  readonly subjects: readonly (readonly [subject: string, first: number, end: number])[];
  readonly erased: readonly (readonly [first: number, end: number, erasure: string, time_s: number])[];
}

/** Throws USAGE where the erasure would do nothing, or be held against who signs it. */
async function checkErasure(
  days: Days,
  options: Pick<AccessOptions, "as" | "service"> & { readonly api: string; readonly isOrdered: boolean },
): Promise<void> {
  const { kid, credential } = await readParticipant(options.as);
  const isAdministrator = credential.roles.includes("permission-administrator");
  if (options.isOrdered && !isAdministrator) {
    throw new GridsealError("USAGE", "a permission administrator alone carries out a legal order: leave --reason away");
  }
  await withNodeSource(options, async (source) => {
    const { service } = await chainOfSource(source, options.service);
    const rows = await meterRows(source, service, days.meter);
    const complaint = erasureComplaint(options.isOrdered ? undefined : toHex(kid), days, rows);
    if (complaint !== undefined) throw new GridsealError("USAGE", `${complaint}: nothing is signed`);
  });
}

async function meterRows(source: ReceiptSource, service: number, meter: string): Promise<MeterRows> {
  const rowsUnder = async <Row>(prefix: string): Promise<Row[]> => {
    const all: Row[] = [];
    for await (const { value } of source.stateEntries({ service, contract: "access", prefix }))
      if (Array.isArray(value)) all.push(...(value as Row[]));
    return all;
  };
  return { subjects: await rowsUnder(`subject/${meter}`), erased: await rowsUnder(`erased/${meter}`) };
}

/** Why a participant had better not sign it; whoever carries out an order is undefined. */
export function erasureComplaint(
  participant: string | undefined,
  { meter, from, until }: Days,
  { subjects, erased }: MeterRows,
): string | undefined {
  const named = `${dayText(from)} until ${dayText(until)}`;
  const own = subjects.filter(([subject]) => subject === participant);
  const uncovered = uncoveredDay(
    { from, until },
    own.map(([, first, end]) => [first, end]),
  );
  if (participant !== undefined && uncovered !== undefined) {
    return `you are not the subject of meter ${meter} on ${dayText(uncovered)}, as the node says; \`access list --mine\` has your days`;
  }
  const isDone =
    uncoveredDay(
      { from, until },
      erased.map(([first, end]) => [first, end]),
    ) === undefined;
  return isDone ? `meter ${meter}, ${named}, is erased already` : undefined;
}

/** The first of these days that none of the runs has; they may stand in any order. */
function uncoveredDay(
  { from, until }: Pick<Days, "from" | "until">,
  runs: readonly (readonly [first: number, end: number])[],
): number | undefined {
  let next = from;
  for (const [first, end] of [...runs].sort(([one], [other]) => one - other)) {
    if (first <= next) next = Math.max(next, end);
  }
  return next < until ? next : undefined;
}
