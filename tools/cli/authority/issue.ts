// `gridseal authority issue`: a credential, with a meter's key made here, or for a key that its holder made.

import { join } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { isDevice, type Role } from "../../../src/wire/credential.js";
import { type CredentialTerms, DAYS_DEFAULT, publicKeyFromHex } from "../../authority/issue.js";
import { provisionMeter } from "../../provisioning/provision.js";
import { deliveryKeyFrom, rolesFrom, serviceTexts, several, whole } from "../../terminal/arguments.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";
import { servicesNamed } from "../services.js";
import { type AuthorityOptions, withAuthority } from "./authority-options.js";
import { type GovernanceOptions, governanceFor } from "./governance.js";

interface IssueOptions extends GovernanceOptions, AuthorityOptions {
  readonly id: string;
  readonly services?: readonly string[];
  readonly days: number;
  readonly out?: string;
  readonly publicKey?: string;
  readonly role?: readonly Role[];
  readonly jurisdiction?: string;
  readonly deliveryKey?: Uint8Array;
  readonly lot?: string;
  readonly broker?: readonly string[];
  readonly emulator?: true;
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
      "services that it may send records for, by name or number, 1,heat,...; where absent, all for a device and none for a participant",
      serviceTexts,
    )
    .option("--days <count>", "validity", whole(1, 36_500), DAYS_DEFAULT)
    .option("-o, --out <path>", "folder to make; with --public-key, file to make")
    .option("--public-key <hex>", "the holder's own key: COSE_Key, or the 32 bytes of Ed25519")
    .option("--role <role>", "what the holder is (repeatable); a meter where absent", rolesFrom)
    .option("--jurisdiction <code>", "country or part of it, ISO 3166, whose law the holder is under")
    .option("--delivery-key <hex>", "X25519 key for what is delivered to the holder alone", deliveryKeyFrom)
    .option("--lot <name>", "the lot that the device was made in")
    .option("--broker <url>", "the meter's broker (repeatable); the nodes' own where absent", several)
    .option("--emulator", "readings of a made-up household in the meter's folder, for trying; no port where absent")
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

function statedIn({ jurisdiction, deliveryKey }: IssueOptions): Pick<CredentialTerms, "jurisdiction" | "deliveryKey"> {
  return { ...(jurisdiction !== undefined && { jurisdiction }), ...(deliveryKey !== undefined && { deliveryKey }) };
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
      ...(services !== undefined && { services: await servicesNamed(services, join(network, "genesis.cbor")) }),
      ...(out !== undefined && { out }),
      ...(publicKey !== undefined && { publicKey: publicKeyFromHex(publicKey) }),
      ...(broker !== undefined && { brokers: broker }),
      isEmulated: options.emulator ?? false,
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
  const takes = publicKey !== undefined && path !== undefined && !isDevice(row);
  printLines([
    ...pairs([
      ["id", row.subject],
      [isDevice(row) ? "meter" : "participant", row.meter],
      ["roles", row.roles.join(", ")],
      ["services", row.services.join(", ")],
      ["valid until", new Date(row.expires_s * 1000).toISOString()],
      ["status index", row.statusIndex],
      ...(path === undefined ? [] : [["written to", path] as const]),
      ...(path === undefined || publicKey !== undefined || options.emulator
        ? []
        : [
            [
              "next",
              `name its port: meter.port in ${join(path, "configuration.json")}, or meter run --serial`,
            ] as const,
          ]),
      ...(hex === undefined || path !== undefined ? [] : [["credential", hex] as const]),
    ]),
    ...(takes
      ? [`next: send it to the holder, who types gridseal request accept ${path} --genesis FILE --key FILE -o DIR`]
      : []),
  ]);
}
