// `gridseal enrolment accept`: takes the authority's answer, and makes the folder of a participant.

import type { Command } from "commander";
import { CREDENTIAL_BYTES_MAX } from "../../../src/wire/credential.js";
import { readAnswer } from "../../authority/requests/read-answer.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { createHolderFolder, type HolderOptions, printAccepted } from "./holder.js";

interface AcceptOptions extends HolderOptions {
  readonly json?: true;
}

const ANSWER_BYTES_MAX = 2 * CREDENTIAL_BYTES_MAX;

export function registerAccept(enrolment: Command): void {
  enrolment
    .command("accept")
    .description("take the authority's answer: a folder with key, genesis and credential")
    .argument("<file>", "answer, as `gridseal authority enrolment` writes it")
    .requiredOption("--genesis <file>", "the network's genesis")
    .requiredOption("--key <file>", "key file that has asked")
    .requiredOption("-o, --out <dir>", "folder to make")
    .option("--json", "print JSON")
    .action(accept);
}

async function accept(file: string, options: AcceptOptions): Promise<void> {
  const holder = await createHolderFolder(credentialIn(await readWhole(file, ANSWER_BYTES_MAX), file), options);
  printAccepted(holder, options);
}

function credentialIn(bytes: Uint8Array, file: string): Uint8Array {
  let outcome: string | Uint8Array;
  try {
    outcome = readAnswer(bytes).outcome;
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${file} is no answer to one enrolment: ${reasonOf(cause)}`, { cause });
  }
  if (outcome instanceof Uint8Array) return outcome;
  throw new GridsealError("ENROLMENT_REFUSED", `the authority has refused it: ${outcome}`);
}
