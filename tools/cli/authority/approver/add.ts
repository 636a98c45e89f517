// `gridseal authority approver add`: somebody who may grant enrolments with a key of its own.

import type { Command } from "commander";
import { toHex } from "../../../../src/wire/bytes.js";
import { encodeKey, keyId } from "../../../../src/wire/key.js";
import { publicKeyFromHex } from "../../../authority/issue.js";
import { isSafeKey } from "../../../crypto/safe-key.js";
import { GridsealError } from "../../../errors.js";
import { printLines, toJson } from "../../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

interface AddOptions extends AuthorityOptions {
  readonly publicKey: string;
  readonly json?: true;
}

export function registerAdd(approver: Command): void {
  withAuthority(approver.command("add").description("let somebody grant or refuse enrolments"))
    .argument("<name>", "who it is")
    .requiredOption("--public-key <hex>", "its key, as `gridseal authority key` prints it")
    .option("--json", "print JSON")
    .action(add);
}

async function add(name: string, options: AddOptions): Promise<void> {
  const key = publicKeyFromHex(options.publicKey);
  if (!isSafeKey(key)) {
    const what = `the public key for ${name} is not one that all verifiers judge alike`;
    throw new GridsealError("USAGE", `${what}: copy the whole of it, or let its holder make another`);
  }
  const approver = { name, key: toHex(encodeKey(key)) };
  await useRegister(options, (register) => {
    register.update(Math.floor(Date.now() / 1_000), () => [{ type: "approver", approver }]);
  });
  const id = toHex(keyId(key));
  printLines([options.json ? toJson({ id, name }) : `${name} grants and refuses enrolments with key ${id}`]);
}
