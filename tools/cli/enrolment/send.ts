// `gridseal enrolment send`: brings an enrolment to the authority's service, signed anew over a nonce; again, until it is answered.

import type { Command } from "commander";
import { ENROLMENT_BYTES_MAX, readEnrolment, signEnrolment } from "../../../src/wire/enrolment.js";
import { equalKeys } from "../../../src/wire/key.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readKeyFile } from "../../files/key-file.js";
import { readWhole, refuseExisting } from "../../files/made-once.js";
import { countText, printLines, toJson } from "../../terminal/output.js";
import { createHolderFolder, type HolderOptions, printAccepted } from "./holder.js";

interface SendOptions extends HolderOptions {
  readonly url: string;
  readonly ca?: string;
  readonly json?: true;
}

const CA_BYTES_MAX = 65_536;

export function registerSend(enrolment: Command): void {
  enrolment
    .command("send")
    .description("bring an enrolment to the authority's service, or ask again what has become of it")
    .argument("<file>", "enrolment, as `gridseal enrolment make` writes it")
    .requiredOption("--url <url>", "the service, https://host:port")
    .option("--ca <file>", "certificate of who certifies the service, PEM; those of the system where absent")
    .requiredOption("--genesis <file>", "the network's genesis")
    .requiredOption("--key <file>", "key file that has signed it")
    .requiredOption("-o, --out <dir>", "folder to make once it is granted: key, genesis, credential")
    .option("--json", "print JSON")
    .action(send);
}

async function send(file: string, options: SendOptions): Promise<void> {
  const { url, ca, out } = options;
  await refuseExisting(out);
  const { genesis } = await readGenesisFile(options.genesis);
  const signer = await readKeyFile(options.key);
  const bytes = await readWhole(file, ENROLMENT_BYTES_MAX);
  const { connectService } = await import("./service-client.js"); // it takes longer to load than all other verbs
  const service = connectService(url, ca === undefined ? undefined : await readWhole(ca, CA_BYTES_MAX));
  const signOver = (nonce: Uint8Array): Uint8Array => {
    try {
      const { key, ...enrolment } = readEnrolment(bytes, genesis.hash);
      if (!equalKeys(key, signer.key)) throw new Error("another key has signed it");
      return signEnrolment({ ...enrolment, nonce }, genesis.hash, signer);
    } catch (cause) {
      throw new GridsealError("FILE_INVALID", `${file} is no enrolment of ${options.key}: ${reasonOf(cause)}`, {
        cause,
      });
    }
  };
  signOver(new Uint8Array(0)); // before anybody is asked
  const answer = await service.submit(signOver(await service.nonce()));
  if (answer.state === "granted") {
    const credential = Uint8Array.from(Buffer.from(answer.credential, "base64url"));
    printAccepted(await createHolderFolder(credential, options), options);
    return;
  }
  printLines(
    options.json
      ? [toJson(answer)]
      : [
          `it waits for ${countText(answer.missing, "approval")} of the authority, ${answer.approvals} are there`,
          "next: run the same command again later",
        ],
  );
}
