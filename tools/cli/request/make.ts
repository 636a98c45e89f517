// `gridseal request make`: a request for a credential, signed by the key that is to be certified.

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { isDevice, type Role, type Stated } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { keyId } from "../../../src/wire/key.js";
import { signRequest } from "../../../src/wire/request.js";
import { checkIssuedId } from "../../authority/issue.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { createKeyFile, readKeyFile } from "../../files/key-file.js";
import { createFile, refuseExisting } from "../../files/made-once.js";
import { deliveryKeyFrom, rolesFrom, serviceTexts } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { servicesNamed } from "../services.js";

interface MakeOptions {
  readonly id: string;
  readonly genesis: string;
  readonly key: string;
  readonly out: string;
  readonly role?: readonly Role[];
  readonly services?: readonly string[];
  readonly jurisdiction?: string;
  readonly deliveryKey?: Uint8Array;
  readonly lot?: string;
  readonly json?: true;
}

export function registerMake(request: Command): void {
  request
    .command("make")
    .description("make a request for a credential, signed by the key that is to be certified")
    .requiredOption("--id <id>", "ID that is asked for")
    .requiredOption("--genesis <file>", "the network's genesis")
    .requiredOption("--key <file>", "key file; made where there is none")
    .requiredOption("-o, --out <file>", "file to make")
    .option("--role <role>", "what the holder is (repeatable); a meter where absent", rolesFrom)
    .option(
      "--services <numbers>",
      "services by name or number, 1,heat,...; all of the genesis for a device where absent",
      serviceTexts,
    )
    .option("--jurisdiction <code>", "country or part of it, ISO 3166, whose law the holder is under")
    .option("--delivery-key <hex>", "X25519 key for what is delivered to the holder alone", deliveryKeyFrom)
    .option("--lot <name>", "the lot that the device was made in")
    .option("--json", "print JSON")
    .action(make);
}

async function make(options: MakeOptions): Promise<void> {
  const { id, out } = options;
  checkIssuedId(id);
  await refuseExisting(out);
  const { genesis } = await readGenesisFile(options.genesis);
  const signer = existsSync(options.key) ? await readKeyFile(options.key) : await createKeyFile(options.key);
  const wanted = options.services && (await servicesNamed(options.services, options.genesis));
  const known = genesis.chains.map(({ service }) => service);
  const stated = statedIn(options, { wanted, known });
  let bytes: Uint8Array;
  try {
    bytes = signRequest({ id, ...stated, nonce: new Uint8Array(0) }, genesis.hash, signer);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("USAGE", `no request can say this: ${cause.message}`, { cause });
  }
  await createFile(out, bytes);
  const kid = toHex(keyId(signer.key));
  printLines(
    options.json
      ? [toJson({ file: out, id, kid })]
      : [
          `${out}: key ${kid} asks to be ${id}; send it to the authority`,
          `next, there: gridseal authority batch ${out} -o ANSWERS --network DIR`,
          `then here: gridseal request accept ANSWERS --genesis ${options.genesis} --key ${options.key} -o DIR`,
        ],
  );
}

interface Services {
  readonly wanted: readonly number[] | undefined;
  readonly known: readonly number[];
}

function statedIn({ role, jurisdiction, deliveryKey, lot }: MakeOptions, { wanted, known }: Services): Stated {
  const roles = role ?? ["meter"];
  const isMeasuring = isDevice({ roles });
  if (lot !== undefined && !isMeasuring) throw new GridsealError("USAGE", "a participant is of no lot");
  return {
    roles,
    services: [...new Set(wanted ?? (isMeasuring ? known : []))].sort((left, right) => left - right),
    ...(jurisdiction !== undefined && { jurisdiction }),
    ...(deliveryKey !== undefined && { deliveryKey }),
    ...(isMeasuring && { origin: { key: "injected" as const, ...(lot !== undefined && { lot }) } }),
  };
}
