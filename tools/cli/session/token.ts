// `gridseal session token`: a session token for a broker or an API, good for five minutes.

import type { Command } from "commander";
import { GridsealError } from "../../errors.js";
import { readHolderFolder } from "../../files/holder-folder.js";
import { printLines } from "../../terminal/output.js";

export function registerToken(session: Command): void {
  session
    .command("token")
    .description("print a session token for a broker or an API, good for five minutes")
    .argument("<url>", "that the token is shown to, as it is connected to: its host counts")
    .requiredOption("--as <dir>", "folder with key.json and genesis.cbor, and credential.cbor but for a node")
    .action(print);
}

async function print(url: string, { as }: { readonly as: string }): Promise<void> {
  if (!/^(mqtts?|https?):\/\/[^\s/]+/.test(url)) {
    throw new GridsealError("USAGE", `${url} is none of mqtt://, mqtts://, http:// and https:// with a host`);
  }
  printLines([(await readHolderFolder(as))(url)]);
}
