// `gridseal violation list`: violations of all chains of a node, or of exported chains, the newest first.

import { type Command, InvalidArgumentError, Option } from "commander";
import { SERVICE_MAX } from "../../../src/wire/bounds.js";
import { violationKinds } from "../../ledger/violations.js";
import { caseStates, csvOf } from "../../routes/violations.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource, type ViolationQuestion } from "../../sources/source.js";
import { id, moment_ms, whole, withNode } from "../../terminal/arguments.js";
import { printLines, printNote, printText, table, timeText, toJson } from "../../terminal/output.js";
import { type ExportedViolation, exportedViolations } from "./exported.js";

interface ListOptions extends SourceOptions {
  readonly subject?: Uint8Array;
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
    .option("--subject <id>", "against this meter, participant or node", id)
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
  const { subject, kind, rule: by, state, from: from_ms, to: to_ms, after } = options;
  const asked = { subject, kind, rule: by, state, from_ms, to_ms, after };
  const { found, hasMore } = files.length > 0 ? await listFiles(files, options, asked) : await listNode(options, asked);
  const last = found.at(-1);
  const next = hasMore && last !== undefined ? `${last.time_ms}:${last.id}` : undefined;
  if (options.json) printLines([toJson({ violations: found, next: next ?? null })]);
  else if (options.csv) printText(csvOf(found));
  else printLines([...linesOf(found), ...(next === undefined ? [] : [`there are more: --after ${next}`])]);
}

interface Listed {
  readonly found: readonly ExportedViolation[];
  readonly hasMore: boolean;
}

async function listFiles(files: readonly string[], options: ListOptions, asked: ViolationQuestion): Promise<Listed> {
  const service = options.service === undefined ? undefined : whole(1, SERVICE_MAX)(options.service);
  const { all, hasCases } = await exportedViolations(files, { ...asked, service });
  if (!hasCases) printNote("what has become of them is not known: name the export of the contracts chain too");
  return { found: all.slice(0, options.limit), hasMore: all.length > options.limit };
}

async function listNode(options: ListOptions, asked: ViolationQuestion): Promise<Listed> {
  const found: ExportedViolation[] = [];
  return withNodeSource(options, async (source) => {
    const service = options.service === undefined ? undefined : (await chainOfSource(source, options.service)).service;
    // One more tells whether there are more.
    for await (const one of source.violations({ ...asked, service, wanted: options.limit + 1 })) {
      if (found.length === options.limit) return { found, hasMore: true };
      found.push(one);
    }
    return { found, hasMore: false };
  });
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

/** What of the block a contract ran for. An operation stands there as a leaf, whose number is not the participant's own. */
export function entryShown(entry: string | null): string {
  return entry?.replace(/^operation (?=\d+$)/, "operation at leaf ") ?? "";
}

function rule(text: string): string {
  if (/^[a-z][a-z0-9-]{0,31}(\/[a-z][a-z0-9-]{0,63})?$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a contract's name, or CONTRACT/NAME.");
}

function cursor(text: string): string {
  if (/^[0-9]{1,15}:[0-9]{1,5}:[0-9]{1,13}:[0-9]{1,6}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be what the list before ended with.");
}
