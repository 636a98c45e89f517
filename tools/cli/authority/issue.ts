// `gridseal authority issue`: a meter's credential, with its key made here or on the device.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { DAYS_DEFAULT, publicKeyFromHex } from "../../authority/issue.js";
import { provisionMeter } from "../../provisioning/provision.js";
import { serviceNumbers, several, whole } from "../../terminal/arguments.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";
import { type GovernanceOptions, governanceFor } from "./governance.js";

interface IssueOptions extends GovernanceOptions {
  readonly id: string;
  readonly services?: readonly number[];
  readonly days: number;
  readonly out?: string;
  readonly publicKey?: string;
  readonly broker?: readonly string[];
  readonly force?: true;
  readonly json?: true;
}

export function registerIssue(authority: Command): void {
  authority
    .command("issue")
    .description("issue a credential: a new meter's folder, or for --public-key the credential alone")
    .requiredOption("--network <dir>", "folder of the network, with its authority")
    .requiredOption("--id <id>", "ID to issue")
    .option(
      "--services <numbers>",
      "services that the meter may send records for, 1,2,...; all where absent",
      serviceNumbers,
    )
    .option("--days <count>", "validity", whole(1, 36_500), DAYS_DEFAULT)
    .option("--out <path>", "folder to make; with --public-key, file to make")
    .option("--public-key <hex>", "the device's own key: COSE_Key, or the 32 bytes of Ed25519")
    .option("--broker <url>", "the meter's broker (repeatable); the nodes' own where absent", several)
    .option("--force", "issue although the ID or the key has a credential already")
    .option(
      "--api <url>",
      "API of a node, to know the chains that orders added; the authority's own orders where absent",
    )
    .option("--data <dir>", "a node's data folder instead")
    .option("--json", "print JSON")
    .action(issue);
}

/** Of the chains that a node has, where one is named. */
async function knownServices(options: IssueOptions): Promise<{ readonly known?: readonly number[] }> {
  if (options.api === undefined && options.data === undefined) return {};
  const { chains } = await governanceFor(options);
  return { known: chains.map(({ chain }) => chain.service) };
}

async function issue(options: IssueOptions): Promise<void> {
  const { network, id, services, days, out, publicKey, broker, force } = options;
  const provisioned = await provisionMeter(
    {
      network,
      id,
      days,
      ...(await knownServices(options)),
      force: force ?? false,
      ...(services !== undefined && { services }),
      ...(out !== undefined && { out }),
      ...(publicKey !== undefined && { publicKey: publicKeyFromHex(publicKey) }),
      ...(broker !== undefined && { brokers: broker }),
    },
    new Date(),
  );
  const { row, path, credential } = provisioned;
  const hex = publicKey === undefined ? undefined : toHex(credential);
  if (options.json) {
    printLines([toJson({ ...row, path, credentialBytes: hex })]);
    return;
  }
  printLines(
    pairs([
      ["id", row.id],
      ["meter", row.meter],
      ["services", row.services.join(", ")],
      ["valid until", new Date(row.expires_s * 1000).toISOString()],
      ["status index", row.statusIndex],
      ...(path === undefined ? [] : [["written to", path] as const]),
      ...(hex === undefined || path !== undefined ? [] : [["credential", hex] as const]),
    ]),
  );
}
