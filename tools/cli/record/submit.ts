// `gridseal record submit`: brings a signed record to a node, which seals it; its receipt is fetched with `receipt get`.

import type { Command } from "commander";
import { OPERATION_BYTES_MAX } from "../../../src/wire/operation.js";
import { readHolderFolder } from "../../files/holder-folder.js";
import { readWhole } from "../../files/made-once.js";
import { postRecord } from "../../sources/api.js";
import { printLines, toJson } from "../../terminal/output.js";

interface SubmitOptions {
  readonly api: string;
  readonly as?: string;
  readonly json?: true;
}

export function registerSubmit(record: Command): void {
  record
    .command("submit")
    .description("bring a signed record to a node, which keeps it and has it sealed")
    .argument("<file>", "record as it was signed")
    .requiredOption("--api <url>", "API of a node that is a member of the record's chain, http://host:port")
    .option("--as <dir>", "folder of the record's signer, where the API wants to know")
    .option("--json", "print JSON")
    .action(submit);
}

async function submit(file: string, { api, as, json }: SubmitOptions): Promise<void> {
  const bytes = await readWhole(file, OPERATION_BYTES_MAX);
  const taken = await postRecord(api, bytes, as === undefined ? undefined : await readHolderFolder(as));
  const { service, meter, seq } = taken;
  printLines(
    json
      ? [toJson(taken)]
      : [
          `record ${seq} of ${meter} is kept for service ${service}`,
          `next: gridseal receipt get --service ${service} --meter ${meter} --seq ${seq} --api ${api} -o receipt.cbor`,
        ],
  );
}
