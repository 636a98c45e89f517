// `gridseal access list`: requests as they stand on a chain; with `--mine` those of a participant's own meters and own requests, with
// what is erased and who is to take a meter over.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import type { Value } from "../../../src/wire/value.js";
import { readParticipant } from "../../files/operations/participant-folder.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource, type ReceiptSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { noteTold } from "../told.js";
import { concerning, decisionLines, type Request, requestTable, type Subjects, subjectLines } from "./shown.js";

interface ListOptions extends SourceOptions {
  readonly service: string;
  readonly mine?: string;
  readonly json?: true;
}

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
    const subjects = own === undefined ? undefined : await subjectsOf(source, service, own);
    const found: [name: string, request: Request][] = [];
    for await (const [name, value] of entriesOf(source, service, "request/")) {
      const request = value as unknown as Request;
      if (subjects === undefined || request.requester === own || subjects.has(request.meter ?? ""))
        found.push([name, request]);
    }
    const texts = new Map<string, string | undefined>();
    for (const need of new Set(own === undefined ? [] : found.map(([, request]) => request.need))) {
      texts.set(need, await textOf(source, service, need));
    }
    if (json) {
      for (const [meter, subject] of subjects ?? []) printLines([toJson({ meter, subject })]);
      for (const [name, request] of found)
        printLines([toJson({ request: name, ...request, text: texts.get(request.need) })]);
    } else {
      if (own !== undefined && subjects !== undefined) printLines(subjectLines(own, subjects));
      printLines(requestTable(found));
    }
    for (const what of subjects === undefined ? [] : ["change", "erased"]) {
      for await (const [meter, value] of entriesOf(source, service, `${what}/`)) {
        if (subjects?.has(meter))
          printLines([json ? toJson({ meter, [what]: value }) : concerning(what, meter, value)]);
      }
    }
    if (!json)
      noteTold(
        source.origin,
        `\`state get request/REQUEST --service ${options.service} --contract access --genesis FILE\` checks one`,
        options,
      );
    if (json || own === undefined || mine === undefined || subjects === undefined) return;
    for (const [name, request] of found) {
      const deciding = {
        as: mine,
        service: options.service,
        participant: own,
        subjects,
        text: texts.get(request.need),
      };
      printLines(decisionLines(name, request, deciding));
    }
  });
}

/** Names behind the prefix, and what stands there. */
export async function* entriesOf(
  source: ReceiptSource,
  service: number,
  prefix: string,
): AsyncGenerator<[string, Value], void> {
  for await (const { key, value } of source.stateEntries({ service, contract: "access", prefix })) {
    yield [key.slice(prefix.length), value as Value];
  }
}

/** What the need says; undefined where it was taken back. */
export async function textOf(source: ReceiptSource, service: number, need: string): Promise<string | undefined> {
  for await (const [name, value] of entriesOf(source, service, `need/${need}`)) {
    const [, , text] = Array.isArray(value) ? (value as readonly Value[]) : [];
    if (name === "" && typeof text === "string") return text;
  }
  return undefined;
}

/** Of the meters whose subject he is on some day, or is to be no more, who is it when. */
async function subjectsOf(
  source: ReceiptSource,
  service: number,
  participant: string,
): Promise<ReadonlyMap<string, Subjects>> {
  const meters = new Map<string, Subjects>();
  for await (const [meter, value] of entriesOf(source, service, "subject/")) {
    const rows = Array.isArray(value) ? (value as unknown as Subjects) : [];
    if (rows.some((row) => Array.isArray(row) && row[0] === participant)) meters.set(meter, rows);
  }
  return meters;
}
