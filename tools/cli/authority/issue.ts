// `gridseal authority issue`: a credential, with a meter's key made here, or for a key that its holder made.

import { type Command, InvalidArgumentError, Option } from "commander";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { type Role, roles } from "../../../src/wire/credential.js";
import { type CredentialTerms, DAYS_DEFAULT, publicKeyFromHex } from "../../authority/issue.js";
import { GridsealError } from "../../errors.js";
import { provisionMeter } from "../../provisioning/provision.js";
import { serviceNumbers, several, whole } from "../../terminal/arguments.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, withAuthority } from "./authority-options.js";
import { type GovernanceOptions, governanceFor } from "./governance.js";

interface IssueOptions extends GovernanceOptions, AuthorityOptions {
  readonly id: string;
  readonly services?: readonly number[];
  readonly days: number;
  readonly out?: string;
  readonly publicKey?: string;
  readonly role?: readonly Role[];
  readonly jurisdiction?: string;
  readonly deliveryKey?: string;
  readonly lot?: string;
  readonly broker?: readonly string[];
  readonly force?: true;
  readonly json?: true;
}

export function registerIssue(authority: Command): void {
  withAuthority(
    authority
      .command("issue")
      .description("issue a credential: a new meter's folder, or for --public-key the credential alone"),
  )
    .requiredOption("--id <id>", "ID to issue")
    .option(
      "--services <numbers>",
      "services that it may send records for, 1,2,...; where absent, all for a device and none for a participant",
      serviceNumbers,
    )
    .option("--days <count>", "validity", whole(1, 36_500), DAYS_DEFAULT)
    .option("--out <path>", "folder to make; with --public-key, file to make")
    .option("--public-key <hex>", "the holder's own key: COSE_Key, or the 32 bytes of Ed25519")
    .addOption(
      new Option("--role <role>", "what the holder is (repeatable); a meter where absent").argParser(rolesFrom),
    )
    .option("--jurisdiction <code>", "country or part of it, ISO 3166, whose law the holder is under")
    .option("--delivery-key <hex>", "X25519 key for what is delivered to the holder alone")
    .option("--lot <name>", "the lot that the device was made in")
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

/** Roles each once, in the order of their numbers. */
function rolesFrom(text: string, earlier: readonly Role[] = []): readonly Role[] {
  const role = roles.find((known) => known === text);
  if (role === undefined) throw new InvalidArgumentError(`It must be one of ${roles.join(", ")}.`);
  return roles.filter((known) => known === role || earlier.includes(known));
}

/** Of the chains that a node has, where one is named. */
async function knownServices(options: IssueOptions): Promise<{ readonly known?: readonly number[] }> {
  if (options.api === undefined && options.data === undefined) return {};
  const { chains } = await governanceFor(options);
  return { known: chains.map(({ chain }) => chain.service) };
}

function statedIn({ jurisdiction, deliveryKey }: IssueOptions): Pick<CredentialTerms, "jurisdiction" | "deliveryKey"> {
  const key = deliveryKey === undefined ? undefined : fromHex(deliveryKey);
  if (deliveryKey !== undefined && key?.length !== 32) {
    throw new GridsealError("USAGE", "a delivery key is the 32 bytes of an X25519 key in hex");
  }
  return { ...(jurisdiction !== undefined && { jurisdiction }), ...(key !== undefined && { deliveryKey: key }) };
}

async function issue(options: IssueOptions): Promise<void> {
  const { network, authority, id, services, days, out, publicKey, role, lot, broker, force } = options;
  const provisioned = await provisionMeter(
    {
      network,
      id,
      days,
      ...(await knownServices(options)),
      force: force ?? false,
      stated: statedIn(options),
      ...(authority !== undefined && { authority }),
      ...(role !== undefined && { roles: role }),
      ...(lot !== undefined && { lot }),
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
    const { subject, bytes: _bytes, ...rest } = row;
    printLines([toJson({ id: subject, ...rest, path, credentialBytes: hex })]);
    return;
  }
  printLines(
    pairs([
      ["id", row.subject],
      ["meter", row.meter],
      ["roles", row.roles.join(", ")],
      ["services", row.services.join(", ")],
      ["valid until", new Date(row.expires_s * 1000).toISOString()],
      ["status index", row.statusIndex],
      ...(path === undefined ? [] : [["written to", path] as const]),
      ...(hex === undefined || path !== undefined ? [] : [["credential", hex] as const]),
    ]),
  );
}
