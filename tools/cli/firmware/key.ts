// `gridseal firmware key`: makes a key that signs firmware.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { createKeyFile } from "../../files/key-file.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";

export function registerKey(firmware: Command): void {
  firmware
    .command("key")
    .description("make a key that signs firmware; meters whose configuration names it take what it signs")
    .argument("<file>", "key file to make")
    .option("--json", "print JSON")
    .action(makeKey);
}

async function makeKey(file: string, { json }: { readonly json?: true }): Promise<void> {
  const { key } = await createKeyFile(file);
  const signer = toHex(key.x);
  printLines(json ? [toJson({ signer })] : pairs([["update.signer", signer]]));
}
