// `gridseal request accept`: takes what the authority has sent, answers or a credential alone, and makes the folder of the holder.

import type { Command } from "commander";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { keyId } from "../../../src/wire/key.js";
import { REQUESTS_BYTES_MAX } from "../../authority/requests/answer.js";
import { type ReadAnswer, readAnswers } from "../../authority/requests/read-answer.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readKeyFile } from "../../files/key-file.js";
import { readWhole } from "../../files/made-once.js";
import { createHolderFolder, type HolderOptions, printAccepted } from "../enrolment/holder.js";

interface AcceptOptions extends HolderOptions {
  readonly json?: true;
}

/** A credential begins so: a COSE_Sign1 with its tag. */
const TAG_SIGN1 = 0xd2;

export function registerAccept(request: Command): void {
  request
    .command("accept")
    .description("take the authority's answer: the folder that --as of other commands names")
    .argument("<file>", "answers, as `gridseal authority batch` writes them, or a credential, as `authority issue`")
    .requiredOption("--genesis <file>", "the network's genesis")
    .requiredOption("--key <file>", "key file that has asked")
    .requiredOption("-o, --out <dir>", "folder to make: key, genesis, credential")
    .option("--json", "print JSON")
    .action(accept);
}

async function accept(file: string, options: AcceptOptions): Promise<void> {
  const bytes = await readWhole(file, REQUESTS_BYTES_MAX);
  const kid = keyId((await readKeyFile(options.key)).key);
  const credential = bytes[0] === TAG_SIGN1 ? bytes : credentialFor(kid, answersIn(bytes, file), file);
  printAccepted(await createHolderFolder(credential, options), options);
}

function answersIn(bytes: Uint8Array, file: string): readonly ReadAnswer[] {
  try {
    return [...readAnswers(bytes)];
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${file} holds no answers: ${reasonOf(cause)}`, { cause });
  }
}

function credentialFor(kid: Uint8Array, answers: readonly ReadAnswer[], file: string): Uint8Array {
  const answer = answers.find((each) => each.kid !== undefined && equalBytes(each.kid, kid));
  if (answer === undefined) throw new GridsealError("NOT_FOUND", `${file} has no answer for key ${toHex(kid)}`);
  if (answer.outcome instanceof Uint8Array) return answer.outcome;
  throw new GridsealError("REQUESTS_REFUSED", `the authority has refused it: ${answer.outcome}`);
}
