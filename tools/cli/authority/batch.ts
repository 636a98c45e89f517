// `gridseal authority batch`: answers a file of requests for credentials, each with its credential or why there is none.

import { join } from "node:path";
import type { Command } from "commander";
import { readIssuing } from "../../authority/folder.js";
import { type Authority, DAYS_DEFAULT } from "../../authority/issue.js";
import { issuedChains } from "../../authority/issued-orders.js";
import {
  type Answer,
  answerRequests,
  encodeAnswer,
  REQUESTS_BYTES_MAX,
  splitRequests,
} from "../../authority/requests/answer.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { createFile, readWhole, refuseExisting } from "../../files/made-once.js";
import { whole } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, authorityFolder, useRegister, withAuthority } from "./authority-options.js";

interface BatchOptions extends AuthorityOptions {
  readonly out?: string;
  readonly days: number;
  readonly dryRun?: true;
  readonly json?: true;
}

export function registerBatch(authority: Command): void {
  withAuthority(
    authority
      .command("batch")
      .description("answer a file of 1 to 50,000 requests: a credential for each, or why there is none"),
  )
    .argument("<file>", "requests, as `gridseal request` or a meter makes them, one behind the other")
    .option("-o, --out <file>", "file of answers to make")
    .option("--days <count>", "validity", whole(1, 36_500), DAYS_DEFAULT)
    .option("--dry-run", "say what each request would get, and issue nothing")
    .option("--json", "print a JSON document a request")
    .action(batch);
}

async function batch(file: string, options: BatchOptions): Promise<void> {
  const { network, out, days, dryRun } = options;
  if ((out === undefined) !== (dryRun === true)) throw new GridsealError("USAGE", "name --out, or try with --dry-run");
  if (out !== undefined) await refuseExisting(out);
  const items = splitRequests(await readWhole(file, REQUESTS_BYTES_MAX), file);
  const { genesis, bytes: genesisBytes } = await readGenesisFile(join(network, "genesis.cbor"));
  const folder = authorityFolder(options);
  const now_s = () => Math.floor(Date.now() / 1_000);
  const authority: Authority = { issuing: await readIssuing(genesis, folder, now_s()), genesis, genesisBytes };
  const services = (await issuedChains(folder, genesis)).map(({ service }) => service);
  const answers = await useRegister(options, (register) => {
    const answering = { authority, register, terms: { services, days }, now_s, isDry: dryRun ?? false };
    return [...answerRequests(answering, items)].flat();
  });
  if (out !== undefined) await createFile(out, encoded(answers));
  const refused = answers.filter(({ type }) => type === "refused");
  printLines(options.json ? answers.map(toJson) : (dryRun ? answers : refused).map(lineOf));
  if (!options.json) printLines([summaryOf(answers), ...nextOf(answers, out)]);
  if (refused.length > 0) {
    throw new GridsealError(
      "REQUESTS_REFUSED",
      `${file}: ${refused.length} of ${answers.length} requests were refused`,
    );
  }
}

async function* encoded(answers: readonly Answer[]): AsyncGenerator<Uint8Array> {
  for (const answer of answers) yield encodeAnswer(answer);
}

function lineOf(answer: Answer): string {
  const name = answer.id ?? "a request that cannot be read";
  return `line ${answer.line}: ${name}: ${answer.type === "refused" ? answer.reason : answer.type}`;
}

/** What comes next, where there is a credential to send back. */
function nextOf(answers: readonly Answer[], out: string | undefined): readonly string[] {
  if (out === undefined || answers.every(({ type }) => type === "refused")) return [];
  return [
    `next: send ${out} back; each holder takes its own: gridseal request accept ${out} --genesis FILE --key FILE -o DIR`,
  ];
}

function summaryOf(answers: readonly Answer[]): string {
  const kinds = ["issued", "renewed", "known", "refused"] as const;
  return kinds.map((kind) => `${answers.filter(({ type }) => type === kind).length} ${kind}`).join(", ");
}
