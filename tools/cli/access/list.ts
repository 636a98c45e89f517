// `gridseal access list`: requests as they stand on a chain; with `--mine` those of a participant's own meters and own requests, with
// what is erased and who is to take a meter over.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import type { Value } from "../../../src/wire/value.js";
import { readParticipant } from "../../files/operations/participant-folder.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource, type ReceiptSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, secondText, toJson } from "../../terminal/output.js";
import { purposes } from "./purposes.js";
import { dayText } from "./sign-access.js";

interface ListOptions extends SourceOptions {
  readonly service: string;
  readonly mine?: string;
  readonly json?: true;
}

type Request = Readonly<Record<"requester" | "meter" | "state" | "basis", string>> &
  Readonly<Record<"purpose" | "from" | "until", number>> & {
    readonly days?: readonly (readonly [first: number, end: number, subject: string | null])[];
    /** UTC seconds until which it is delivered */
    readonly until_s?: number;
    readonly ended_s?: number;
  };

export function registerList(access: Command): void {
  withNode(access.command("list").description("list requests and what has become of them, as the node says it"))
    .requiredOption("--service <name>", "name or number of the service whose chain has the contract")
    .option("--mine <dir>", "folder of the participant: what concerns his meters, and his own requests")
    .option("--json", "print JSON, a line a request")
    .action(list);
}

async function list({ mine, json, ...options }: ListOptions): Promise<void> {
  const own = mine === undefined ? undefined : toHex((await readParticipant(mine)).kid);
  await withNodeSource(options, async (source) => {
    const { service } = await chainOfSource(source, options.service);
    const meters = own === undefined ? undefined : await metersOf(source, service, own);
    for await (const [name, value] of entriesOf(source, service, "request/")) {
      const request = value as unknown as Request;
      if (meters !== undefined && request.requester !== own && !meters.has(request.meter)) continue;
      printLines([json ? toJson({ request: name, ...request }) : lineOf(name, request)]);
    }
    for (const what of ["change", "erased"]) {
      for await (const [meter, value] of entriesOf(source, service, `${what}/`)) {
        if (meters?.has(meter)) printLines([json ? toJson({ meter, [what]: value }) : concerning(what, meter, value)]);
      }
    }
  });
}

/** Names behind the prefix, and what stands there. */
async function* entriesOf(
  source: ReceiptSource,
  service: number,
  prefix: string,
): AsyncGenerator<[string, Value], void> {
  for await (const { key, value } of source.stateEntries({ service, contract: "access", prefix })) {
    yield [key.slice(prefix.length), value as Value];
  }
}

/** Those whose subject he is on some day, or is to be no more. */
async function metersOf(source: ReceiptSource, service: number, participant: string): Promise<ReadonlySet<string>> {
  const meters = new Set<string>();
  for await (const [meter, value] of entriesOf(source, service, "subject/")) {
    const rows = Array.isArray(value) ? (value as readonly Value[]) : [];
    if (rows.some((row) => Array.isArray(row) && row[0] === participant)) meters.add(meter);
  }
  return meters;
}

function lineOf(name: string, request: Request): string {
  const { meter, purpose, from, until, state, basis, days = [], until_s, ended_s } = request;
  const period = `${dayText(from)} to ${dayText(until)}`;
  const opened = days.map(([first, end]) => `${dayText(first)} to ${dayText(end)}`).join(", ");
  const granted = state === "accepted" ? `  opens ${opened} until ${secondText(until_s ?? 0)}` : "";
  const ended = ended_s === undefined ? "" : `  ended ${secondText(ended_s)}`;
  return `${name}  ${state}  by ${basis}  ${purposes[purpose - 1] ?? purpose}  meter ${meter}  ${period}${granted}${ended}`;
}

function concerning(what: string, meter: string, value: Value): string {
  return `meter ${meter}  ${what === "change" ? "somebody else is to be its subject" : "days are erased"}: ${toJson(value)}`;
}
