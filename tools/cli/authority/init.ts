// `gridseal authority init`: makes an authority: its own key, sealed by a passphrase, a key that issues, and the register.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { keyId } from "../../../src/wire/key.js";
import { createAuthority } from "../../authority/folder.js";
import { createFolder } from "../../files/made-once.js";
import { networkName } from "../../terminal/arguments.js";
import { networkText, pairs, printLines, toJson } from "../../terminal/output.js";
import { type PassphraseOptions, readPassphrase } from "../../terminal/passphrase.js";
import { withPassphrase } from "./authority-options.js";

interface InitOptions extends PassphraseOptions {
  readonly name: string;
  readonly test?: true;
  readonly json?: true;
}

export function registerAuthorityInit(authority: Command): void {
  withPassphrase(
    authority
      .command("init")
      .description("make an authority: its own key under a passphrase, a key that issues credentials, its register")
      .argument("<dir>", "folder to make")
      .requiredOption("--name <network>", "name of the network that it is to found", networkName)
      .option("--test", "it founds test networks alone; no other network takes its key")
      .option("--json", "print JSON"),
  ).action(init);
}

async function init(folder: string, options: InitOptions): Promise<void> {
  const passphrase = await readPassphrase(options, true);
  const isTest = options.test ?? false;
  let id = "";
  await createFolder(folder, async (unfinished) => {
    const own = await createAuthority(unfinished, { network: options.name, isTest }, passphrase, new Date());
    id = toHex(keyId(own.signer.key));
  });
  if (options.json) {
    printLines([toJson({ folder, network: options.name, isTest, id })]);
    return;
  }
  printLines(
    pairs([
      ["authority", `${id} of network ${networkText({ network: options.name, isTest })}`],
      ["written to", folder],
      ["next", `gridseal init DIR --network ${options.name} --authority ${folder}${isTest ? " --test" : ""}`],
    ]),
  );
}
