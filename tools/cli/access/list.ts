// `gridseal access list`: requests as they stand on a chain.

import type { Command } from "commander";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { purposes } from "./purposes.js";
import { dayText } from "./sign-access.js";

interface ListOptions extends SourceOptions {
  readonly service: string;
  readonly json?: true;
}

type Request = Readonly<Record<"requester" | "meter" | "state" | "basis", string>> &
  Readonly<Record<"purpose" | "from" | "until", number>>;

const PREFIX = "request/";

export function registerList(access: Command): void {
  withNode(access.command("list").description("list requests and what has become of them, as the node says it"))
    .requiredOption("--service <name>", "name or number of the service whose chain has the contract")
    .option("--json", "print JSON, a line a request")
    .action(list);
}

async function list(options: ListOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const { service } = await chainOfSource(source, options.service);
    for await (const { key, value } of source.stateEntries({ service, contract: "access", prefix: PREFIX })) {
      const name = key.slice(PREFIX.length);
      const request = value as Request;
      printLines([options.json ? toJson({ request: name, ...request }) : lineOf(name, request)]);
    }
  });
}

function lineOf(name: string, { meter, purpose, from, until, state, basis }: Request): string {
  const period = `${dayText(from)} to ${dayText(until)}`;
  return `${name}  ${state}  by ${basis}  ${purposes[purpose - 1] ?? purpose}  meter ${meter}  ${period}`;
}
