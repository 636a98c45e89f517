// `gridseal enrolment make`: asks to become a participant, in a file that is signed by the key which is to be certified.

import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import type { Role } from "../../../src/wire/credential.js";
import { signEnrolment } from "../../../src/wire/enrolment.js";
import { codeFromText, codeKey, codeProof } from "../../../src/wire/enrolment-code.js";
import { WireError } from "../../../src/wire/error.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { createKeyFile, type KeyAlgorithm, keyAlgorithms, readKeyFile } from "../../files/key-file.js";
import { createFile, refuseExisting } from "../../files/made-once.js";
import { SECRET } from "../../files/private-files.js";
import { deliveryKeyFrom, rolesFrom, serviceTexts, whole } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { readSecretText } from "../../terminal/passphrase.js";
import { servicesNamed } from "../services.js";

interface MakeOptions {
  readonly genesis: string;
  readonly key: string;
  readonly algorithm: KeyAlgorithm;
  readonly out: string;
  readonly name: string;
  readonly contact: string;
  readonly eic?: string;
  readonly gln?: string;
  readonly role: readonly Role[];
  readonly services?: readonly string[];
  readonly jurisdiction?: string;
  readonly deliveryKey?: Uint8Array;
  readonly codeFd?: number;
  readonly json?: true;
}

export function registerMake(enrolment: Command): void {
  enrolment
    .command("make")
    .description("ask to become a participant, with the one-time code that the authority has given you")
    .requiredOption("--genesis <file>", "the network's genesis")
    .requiredOption("--key <file>", "key file; made where there is none")
    .addOption(new Option("--algorithm <name>", "of a key that is made").choices(keyAlgorithms).default("Ed25519"))
    .requiredOption("--name <text>", "of the person or the firm")
    .requiredOption("--contact <text>", "where the authority reaches somebody; stays in its register")
    .option("--eic <code>", "the firm's Energy Identification Code")
    .option("--gln <code>", "the firm's Global Location Number")
    .requiredOption("--role <role>", "what the participant is to be (repeatable)", rolesFrom)
    .option(
      "--services <numbers>",
      "services that it may send records for, by name or number, 1,heat,...; none where absent",
      serviceTexts,
    )
    .option("--jurisdiction <code>", "country or part of it, ISO 3166, whose law it is under")
    .option("--delivery-key <hex>", "X25519 key for what is delivered to it alone", deliveryKeyFrom)
    .option(
      "--code-fd <number>",
      "file descriptor to read the code from; it is asked for where absent",
      whole(0, 1_023),
    )
    .requiredOption("-o, --out <file>", "file to make")
    .option("--json", "print JSON")
    .action(make);
}

async function make(options: MakeOptions): Promise<void> {
  const { out } = options;
  await refuseExisting(out);
  const { genesis } = await readGenesisFile(options.genesis);
  const text = await readSecretText({ what: "one-time code", option: "--code-fd", descriptor: options.codeFd });
  const code = codeFromText(text);
  // What was typed is not quoted: most of it may be right.
  if (code === undefined) throw new GridsealError("USAGE", "the one-time code is mistyped: it has six groups of four");
  const signer = existsSync(options.key)
    ? await readKeyFile(options.key)
    : await createKeyFile(options.key, options.algorithm);
  const proof = codeProof(codeKey(code), genesis.hash, signer.key);
  // A name and a contact stand in it.
  const services = await servicesNamed(options.services ?? [], options.genesis);
  await createFile(out, signed(options, { code: code.name, proof, services }, genesis.hash, signer), SECRET);
  const key = toHex(keyId(signer.key));
  printLines(
    options.json
      ? [toJson({ file: out, key, code: code.name })]
      : [
          `${out}: key ${key} asks to be ${options.role.join(", ")} by code ${code.name}`,
          `next: gridseal enrolment send ${out} --url URL --genesis ${options.genesis} --key ${options.key} -o DIR, or hand the file to the authority`,
        ],
  );
}

function signed(
  { name, contact, eic, gln, role, jurisdiction, deliveryKey }: MakeOptions,
  shown: { readonly code: string; readonly proof: Uint8Array; readonly services: readonly number[] },
  genesisHash: Uint8Array,
  signer: Signer,
): Uint8Array {
  const enrolment = {
    ...shown,
    applicant: { name, contact, ...(eic !== undefined && { eic }), ...(gln !== undefined && { gln }) },
    roles: role,
    ...(jurisdiction !== undefined && { jurisdiction }),
    ...(deliveryKey !== undefined && { deliveryKey }),
    nonce: new Uint8Array(0),
  };
  try {
    return signEnrolment(enrolment, genesisHash, signer);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("USAGE", `no enrolment can say this: ${cause.message}`, { cause });
  }
}
