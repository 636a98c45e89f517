// `gridseal authority key`: a further key that signs orders or approves enrolments, sealed by a passphrase of its own.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { encodeKey, keyId } from "../../../src/wire/key.js";
import { createSealedKey } from "../../authority/sealed-key.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";
import { type PassphraseOptions, readPassphrase } from "../../terminal/passphrase.js";
import { withPassphrase } from "./authority-options.js";

interface KeyOptions extends PassphraseOptions {
  readonly json?: true;
}

export function registerKey(authority: Command): void {
  withPassphrase(
    authority
      .command("key")
      .description("make a further key that signs orders or approves enrolments, for another person to hold")
      .argument("<file>", "key file to make")
      .option("--json", "print JSON"),
  ).action(makeKey);
}

async function makeKey(file: string, options: KeyOptions): Promise<void> {
  const { key } = await createSealedKey(file, await readPassphrase(options, true));
  const shown = { id: toHex(keyId(key)), publicKey: toHex(encodeKey(key)) };
  printLines(
    options.json
      ? [toJson({ file, ...shown })]
      : pairs([
          ["written to", file],
          ["id", shown.id],
          ["public key", shown.publicKey],
          ["orders", `gridseal init DIR --authority DIR --order-key ${shown.publicKey} --order-signatures COUNT`],
          ["approvals", `gridseal authority approver add NAME --public-key ${shown.publicKey} --network DIR`],
        ]),
  );
}
