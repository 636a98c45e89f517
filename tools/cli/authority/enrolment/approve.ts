// `gridseal authority enrolment approve`: an approver's word, granted or refused; the last that is needed issues the credential.

import type { Command } from "commander";
import { fromHex } from "../../../../src/wire/bytes.js";
import { signApproval } from "../../../../src/wire/enrolment.js";
import { WireError } from "../../../../src/wire/error.js";
import { anyNonce, takeApproval } from "../../../authority/enrolment/take.js";
import { DAYS_DEFAULT } from "../../../authority/issue.js";
import { readSealedOrOpenKey } from "../../../authority/sealed-key.js";
import { GridsealError } from "../../../errors.js";
import { refuseExisting } from "../../../files/made-once.js";
import { keyIdText, whole } from "../../../terminal/arguments.js";
import { printLines } from "../../../terminal/output.js";
import { type PassphraseOptions, readPassphrase } from "../../../terminal/passphrase.js";
import { withAuthority, withPassphrase } from "../authority-options.js";
import { type EnrollingOptions, useEnrolling } from "../enrolling.js";
import { outcomeLine, writeAnswer } from "./outcome.js";

interface ApproveOptions extends EnrollingOptions, PassphraseOptions {
  readonly key: string;
  readonly refuse?: string;
  readonly out?: string;
  readonly json?: true;
}

export function registerApprove(enrolment: Command): void {
  withPassphrase(
    withAuthority(enrolment.command("approve").description("grant an enrolment, or refuse it with a reason")),
  )
    .argument("<key>", "key id of who has signed the enrolment", keyIdText)
    .requiredOption("--key <file>", "the approver's key file, as `gridseal authority key` makes it")
    .option("--refuse <reason>", "refuse it; the applicant is told why")
    .option("--days <count>", "validity of the credential", whole(1, 36_500), DAYS_DEFAULT)
    .option("-o, --out <file>", "file to make of the answer, once there is one")
    .option("--json", "print JSON")
    .action(approve);
}

async function approve(key: string, options: ApproveOptions): Promise<void> {
  const { out, refuse: reason } = options;
  if (out !== undefined) await refuseExisting(out);
  const outcome = await useEnrolling(options, anyNonce, async (enrolling) => {
    const row = enrolling.register.get("enrolments", key);
    if (row === undefined) throw new GridsealError("NOT_FOUND", `there is no enrolment of key ${key}`);
    const signer = await readSealedOrOpenKey(options.key, () => readPassphrase(options));
    const word = { enrolment: fromHex(row.hash)!, ...(reason !== undefined && { reason }) };
    return takeApproval(
      enrolling,
      key,
      signed(() => signApproval(word, enrolling.authority.genesis.hash, signer)),
    );
  });
  if (out !== undefined && outcome.type !== "waiting") await writeAnswer(out, [outcome]);
  printLines([outcomeLine(outcome, options)]);
}

function signed(sign: () => Uint8Array): Uint8Array {
  try {
    return sign();
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("USAGE", `no approval can say this: ${cause.message}`, { cause });
  }
}
