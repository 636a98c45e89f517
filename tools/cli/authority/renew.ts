// `gridseal authority renew`: a further credential for the same key, with a later end.

import { join } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { readIssuing } from "../../authority/folder.js";
import { DAYS_DEFAULT } from "../../authority/issue.js";
import { renewCredential } from "../../authority/renew.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { createFile, refuseExisting } from "../../files/made-once.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, authorityFolder, useRegister, withAuthority } from "./authority-options.js";

interface RenewOptions extends AuthorityOptions {
  readonly id: string;
  readonly days: number;
  readonly out?: string;
  readonly json?: true;
}

export function registerRenew(authority: Command): void {
  withAuthority(
    authority.command("renew").description("issue a further credential for the same key, also after its end"),
  )
    .requiredOption("--id <id>", "ID whose credential it is")
    .option("--days <count>", "validity", whole(1, 36_500), DAYS_DEFAULT)
    .option("-o, --out <file>", "file to make; the credential is printed where absent")
    .option("--json", "print JSON")
    .action(renew);
}

async function renew(options: RenewOptions): Promise<void> {
  const { network, id, days, out } = options;
  if (out !== undefined) await refuseExisting(out);
  const { genesis, bytes: genesisBytes } = await readGenesisFile(join(network, "genesis.cbor"));
  const now_s = Math.floor(Date.now() / 1_000);
  const issuing = await readIssuing(genesis, authorityFolder(options), now_s);
  const authority = { issuing, genesis, genesisBytes };
  const { row, credential } = await useRegister(options, (register) =>
    renewCredential(authority, register, { id, days }, now_s),
  );
  if (out !== undefined) await createFile(out, credential);
  const until = new Date(row.expires_s * 1_000).toISOString();
  const shown = { id, meter: row.meter, until, statusIndex: row.statusIndex };
  printLines(
    options.json
      ? [toJson({ ...shown, credentialBytes: credential })]
      : pairs([...Object.entries(shown), out === undefined ? ["credential", toHex(credential)] : ["written to", out]]),
  );
}
