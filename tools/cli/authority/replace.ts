// `gridseal authority replace`: another key takes the place of an ID's, from a number on. One command, for the credential and the order
// that ends the key before belong together.

import { join } from "node:path";
import type { Command } from "commander";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { parseCredential } from "../../../src/wire/credential.js";
import { readOwnKeyOf } from "../../authority/folder.js";
import { publicKeyFromHex } from "../../authority/issue.js";
import { nextOrder, writeOrder } from "../../authority/orders.js";
import { type CredentialRow, currentCredential } from "../../authority/register/rows.js";
import { GridsealError } from "../../errors.js";
import { refuseExisting } from "../../files/made-once.js";
import { type ProvisionRequest, provisionMeter } from "../../provisioning/provision.js";
import { several } from "../../terminal/arguments.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";
import { readPassphrase } from "../../terminal/passphrase.js";
import { authorityFolder, useRegister } from "./authority-options.js";
import { governanceFor } from "./governance.js";
import { type End, endFrom } from "./order/end.js";
import { type MakeOptions, withOrderOptions } from "./order/make-order.js";

interface ReplaceOptions extends MakeOptions {
  readonly id: string;
  readonly publicKey?: string;
  readonly folder?: string;
  readonly broker?: readonly string[];
  readonly from?: readonly End[];
}

export function registerReplace(authority: Command): void {
  withOrderOptions(
    authority
      .command("replace")
      .description(
        "put another key in the place of an ID's: a credential for it, and the order that ends the key before",
      ),
  )
    .requiredOption("--id <id>", "ID whose key is replaced")
    .option("--public-key <hex>", "the new key, made by its holder; where absent a meter's folder is made with one")
    .option("--folder <path>", "the meter's folder, or with --public-key the credential's file, to make")
    .option("--broker <url>", "the meter's broker (repeatable); the nodes' own where absent", several)
    .option(
      "--from <service:number>",
      "the first number of a service that the key before may not seal (repeatable); of services not named none",
      endFrom,
    )
    .action(replace);
}

async function replace(options: ReplaceOptions): Promise<void> {
  const { network, id, out, from = [], number } = options;
  await refuseExisting(out);
  const governance = await governanceFor(options);
  const before = await useRegister(options, (register) => currentCredential(register, id));
  if (before === undefined) throw new GridsealError("NOT_FOUND", `ID ${id} has no credential that could be replaced`);
  const end = { type: "end", meter: fromHex(before.meter)!, ends: from, successor: undefined } as const;
  const now = new Date();
  const order = nextOrder(governance, end, { number, now });
  const folder = authorityFolder(options);
  const own = await readOwnKeyOf(governance.genesis, folder, () => readPassphrase(options));
  const request = requestFor(options, before, order.number);
  const issued = await provisionMeter(request, now);
  const successor = fromHex(issued.row.meter)!;
  await writeOrder({ folder, own }, governance, { ...order, action: { ...end, successor } }, out);
  const path = issued.path ?? join(network, "meters", id);
  const shown = { id, ended: before.meter, meter: issued.row.meter, order: order.number, file: out };
  printLines(
    options.json
      ? [toJson({ ...shown, path: issued.path, credentialBytes: issued.credential })]
      : pairs([
          ...Object.entries(shown),
          options.publicKey === undefined || issued.path !== undefined
            ? ["written to", path]
            : ["credential", toHex(issued.credential)],
          ["next", `gridseal order submit ${out} --api URL --genesis ${network}/genesis.cbor`],
        ]),
  );
}

/** What is certified stays as it was but for the key. */
function requestFor(options: ReplaceOptions, before: CredentialRow, order: number): ProvisionRequest {
  const { network, authority, id, publicKey, folder, broker } = options;
  const known = parseCredential(Uint8Array.from(Buffer.from(before.bytes, "base64url")));
  const { services, roles, jurisdiction, deliveryKey, origin } = known;
  const path = folder ?? (publicKey === undefined ? join(network, "meters", `${id}-${order}`) : undefined);
  return {
    ...{ network, id, services, known: services, roles, force: false, replacedBy: order },
    days: Math.ceil((known.expires_s - known.notBefore_s) / 86_400),
    stated: {
      ...(jurisdiction !== undefined && { jurisdiction }),
      ...(deliveryKey !== undefined && { deliveryKey }),
    },
    ...(authority !== undefined && { authority }),
    ...(origin?.lot !== undefined && { lot: origin.lot }),
    ...(publicKey !== undefined && { publicKey: publicKeyFromHex(publicKey) }),
    ...(broker !== undefined && { brokers: broker }),
    ...(path !== undefined && { out: path }),
  };
}
