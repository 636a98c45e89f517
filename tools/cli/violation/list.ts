// `gridseal violation list`: violations of all chains of a node, or of exported chains, the newest first.

import { type Command, InvalidArgumentError, Option } from "commander";
import { SERVICE_MAX } from "../../../src/wire/bounds.js";
import { idFromText } from "../../../src/wire/key.js";
import { violationKinds } from "../../ledger/violations.js";
import { caseStates, csvOf, type HiddenViolations } from "../../routes/violations.js";
import { holderInFiles, holderOnAny } from "../../sources/named-holder.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource, type ReceiptSource, type ViolationQuestion } from "../../sources/source.js";
import { moment_ms, whole, withNode } from "../../terminal/arguments.js";
import { printLines, printNote, printText, table, timeText, toJson } from "../../terminal/output.js";
import { entryShown } from "../entry-shown.js";
import { noteTold } from "../told.js";
import { type ExportedViolation, exportedViolations } from "./exported.js";

interface ListOptions extends SourceOptions {
  readonly subject?: string;
  readonly kind?: string;
  readonly rule?: string;
  readonly state?: string;
  readonly service?: string;
  readonly from?: number;
  readonly to?: number;
  readonly after?: string;
  readonly limit: number;
  readonly csv?: true;
  readonly json?: true;
}

export function registerList(violation: Command): void {
  withNode(
    violation
      .command("list")
      .description("list violations of all chains of a node, or of exported chains, the newest first")
      .argument("[files...]", "exported chains; that of contracts says what has become of them"),
  )
    .option("--subject <subject>", "against this meter, participant or node, by its ID, its name or its key id")
    .addOption(new Option("--kind <kind>", "of this kind").choices(Object.keys(violationKinds)))
    .option("--rule <contract/name>", "what this contract says, under any name or under this one", rule)
    .addOption(new Option("--state <state>", "of which this has become").choices(caseStates))
    .option("--service <name>", "of this chain, by its name or number; by its number in files")
    .option("--from <time>", "in blocks of this time or later, as 2026-03-29 or 2026-03-29T00:00:00Z", moment_ms)
    .option("--to <time>", "in blocks of this time or earlier", moment_ms)
    .option("--after <cursor>", "behind this one, as the list before ended", cursor)
    .option("--limit <number>", "at most so many", whole(1, 1_000_000), 100)
    .option("--csv", "print a table with commas (RFC 4180)")
    .option("--json", "print JSON")
    .action(list);
}

async function list(files: readonly string[], options: ListOptions): Promise<void> {
  const { kind, rule: by, state, from: from_ms, to: to_ms, after } = options;
  const asked = { kind, rule: by, state, from_ms, to_ms, after };
  const { found, hasMore } = files.length > 0 ? await listFiles(files, options, asked) : await listNode(options, asked);
  const last = found.at(-1);
  const next = hasMore && last !== undefined ? last : undefined;
  if (options.json) {
    printLines([toJson({ violations: found, next: next === undefined ? null : `${next.time_ms}:${next.id}` })]);
  } else if (options.csv) printText(csvOf(found));
  else {
    const more = next && `there are more: --after ${timeText(next.time_ms)}/${next.id}`;
    printLines([...linesOf(found), ...(more === undefined ? [] : [more])]);
  }
}

interface Listed {
  readonly found: readonly ExportedViolation[];
  readonly hasMore: boolean;
}

async function listFiles(files: readonly string[], options: ListOptions, asked: ViolationQuestion): Promise<Listed> {
  const service = options.service === undefined ? undefined : whole(1, SERVICE_MAX)(options.service);
  const subject = options.subject === undefined ? undefined : await holderInFiles(files, options.subject);
  const { all, hasCases } = await exportedViolations(files, { ...asked, subject, service });
  if (!options.csv) noteTold(files.join(", "), "`chain audit FILE... --genesis FILE` checks whole chains", options);
  if (!hasCases) printNote("what has become of them is not known: name the export of the contracts chain too");
  return { found: all.slice(0, options.limit), hasMore: all.length > options.limit };
}

async function listNode(options: ListOptions, asked: ViolationQuestion): Promise<Listed> {
  const found: ExportedViolation[] = [];
  return withNodeSource(options, async (source) => {
    const service = options.service === undefined ? undefined : (await chainOfSource(source, options.service)).service;
    const subject = options.subject === undefined ? undefined : await subjectNamed(source, options.subject);
    // One more tells whether there are more.
    const wanted = options.limit + 1;
    for await (const one of source.violations({ ...asked, subject, service, wanted, onHidden: noteHidden })) {
      found.push(one);
      if (found.length > options.limit) break;
    }
    if (!options.csv) noteTold(source.origin, "`violation show ID --genesis FILE` checks one", options);
    return { found: found.slice(0, options.limit), hasMore: found.length > options.limit };
  });
}

/** Beside the list, whose lines programs read. */
function noteHidden(hidden: readonly HiddenViolations[]): void {
  for (const { service, violations, readers } of hidden) {
    const who = ["nodes of the network", ...readers].join(", ");
    printNote(`not shown to you: ${violations} of chain ${service}, as its policy has it read by ${who}`);
  }
}

/** Against whom violations are listed: a node has a name, who signs records an ID. */
async function subjectNamed(source: ReceiptSource, text: string): Promise<Uint8Array> {
  if (idFromText(text) !== undefined) return holderOnAny(source, text);
  const { governanceOf } = await import("../../authority/orders.js");
  const { nodes } = await governanceOf(await source.genesis(), source.orders());
  const named = [...nodes].filter(([, { name }]) => name === text).map(([id]) => id);
  return holderOnAny(source, text, named);
}

function linesOf(found: readonly ExportedViolation[]): string[] {
  const rows = found.map((one) => [
    timeText(one.time_ms),
    one.id,
    one.kind,
    one.subject,
    one.number ?? "",
    one.rule ?? "",
    entryShown(one.entry),
    one.state,
  ]);
  return table(["TIME", "VIOLATION", "KIND", "SUBJECT", "NUMBER", "RULE", "ENTRY OF THE BLOCK", "STATE"], rows);
}

function rule(text: string): string {
  if (/^[a-z][a-z0-9-]{0,31}(\/[a-z][a-z0-9-]{0,63})?$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a contract's name, or CONTRACT/NAME.");
}

/** As people read it, TIME/SERVICE:HEIGHT:INDEX, or with the milliseconds that JSON has. */
function cursor(text: string): string {
  const [, time, id] = /^([^/]{1,40})\/([0-9]{1,5}:[0-9]{1,13}:[0-9]{1,6})$/.exec(text) ?? [];
  if (time !== undefined && id !== undefined) return `${moment_ms(time)}:${id}`;
  if (/^[0-9]{1,15}:[0-9]{1,5}:[0-9]{1,13}:[0-9]{1,6}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be what the list before ended with.");
}
