// `gridseal enrolment accept`: takes the authority's answer, and makes the folder of a participant.

import type { Command } from "commander";
import { decodeCbor } from "../../../src/wire/cbor.js";
import { CREDENTIAL_BYTES_MAX } from "../../../src/wire/credential.js";
import { asArray, asBytes, asText } from "../../../src/wire/shape.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { printLines, toJson } from "../../terminal/output.js";
import { createHolderFolder, type Holder, type HolderOptions } from "./holder.js";

interface AcceptOptions extends HolderOptions {
  readonly json?: true;
}

const limits = { size: 2 * CREDENTIAL_BYTES_MAX, items: 64 };

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
  const holder = await createHolderFolder(credentialIn(await readWhole(file, limits.size), file), options);
  printAccepted(holder, options);
}

/** What to do next, once the folder is there. */
export function printAccepted({ id, participant }: Holder, { out, json }: AcceptOptions): void {
  printLines(
    json
      ? [toJson({ id, participant, folder: out })]
      : [
          `you are ${id}: ${out}`,
          `on chains, and as --participant of commands, you are your key: ${participant}`,
          `next: gridseal session token URL --as ${out}, or --as ${out} with other commands`,
        ],
  );
}

function credentialIn(bytes: Uint8Array, file: string): Uint8Array {
  let outcome: string | Uint8Array;
  try {
    const [, , third] = asArray(decodeCbor(bytes, limits), "answer", 3);
    outcome = typeof third === "string" ? asText(third, "reason", 1_024) : asBytes(third, "answer's credential");
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${file} is no answer to one enrolment: ${reasonOf(cause)}`, { cause });
  }
  if (outcome instanceof Uint8Array) return outcome;
  throw new GridsealError("ENROLMENT_REFUSED", `the authority has refused it: ${outcome}`);
}
