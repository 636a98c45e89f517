// `gridseal request endorse`: answers for requests with another key: the one before of the same ID, or a registrar's.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { keyId } from "../../../src/wire/key.js";
import { signEndorsement, verifyRequest } from "../../../src/wire/request.js";
import { REQUESTS_BYTES_MAX, splitRequests } from "../../authority/requests/answer.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readKeyFile } from "../../files/key-file.js";
import { createFile, readWhole, refuseExisting } from "../../files/made-once.js";
import { countText, printLines, toJson } from "../../terminal/output.js";

interface EndorseOptions {
  readonly genesis: string;
  readonly key: string;
  readonly out: string;
  readonly json?: true;
}

export function registerEndorse(request: Command): void {
  request
    .command("endorse")
    .description("answer for requests: with the key before, for a new key of the same ID, or as a registrar")
    .argument("<file...>", "requests, one or many in each")
    .requiredOption("--genesis <file>", "the network's genesis")
    .requiredOption("--key <file>", "key file of who answers for them")
    .requiredOption("-o, --out <file>", "file to make of all of them")
    .option("--json", "print JSON")
    .action(endorse);
}

async function endorse(files: readonly string[], options: EndorseOptions): Promise<void> {
  await refuseExisting(options.out);
  const { genesis } = await readGenesisFile(options.genesis);
  const signer = await readKeyFile(options.key);
  const endorsed: Uint8Array[] = [];
  for (const file of files) {
    for (const [place, item] of splitRequests(await readWhole(file, REQUESTS_BYTES_MAX), file).entries()) {
      try {
        verifyRequest(item, genesis.hash, nodeVerify);
        endorsed.push(signEndorsement(item, genesis.hash, signer));
      } catch (cause) {
        throw new GridsealError("FILE_INVALID", `${file}, request ${place + 1}: ${reasonOf(cause)}`, { cause });
      }
    }
  }
  await createFile(options.out, Buffer.concat(endorsed));
  const kid = toHex(keyId(signer.key));
  printLines([
    options.json
      ? toJson({ file: options.out, kid, requests: endorsed.length })
      : `${options.out}: ${countText(endorsed.length, "request")}, for which key ${kid} answers`,
  ]);
}
