// The next operation of the access contract, signed by a participant: what all of `gridseal access` but `key`, `list` and `open` do.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import { signOperation } from "../../../src/wire/operation.js";
import type { Value } from "../../../src/wire/value.js";
import { GridsealError } from "../../errors.js";
import { WAITING_MAX } from "../../files/operations/outbox.js";
import { withParticipant } from "../../files/operations/participant-folder.js";
import { TYPES } from "../../market/access/types.js";
import { printLines, toJson } from "../../terminal/output.js";
import { serviceNumber } from "../operation/sign.js";

/** 2: synchronised, as a computer's clock is. */
const TIME_QUALITY = 2;

export interface AccessOptions {
  readonly as: string;
  readonly service: string;
  readonly json?: true;
}

export function withAccessOptions(command: Command): Command {
  return command
    .requiredOption("--as <dir>", "folder of the participant")
    .requiredOption("--service <name>", "name or number of the service whose chain has the contract")
    .option("--json", "print JSON");
}

/** Signs it, durable in the participant's folder, and prints what it is called on the chain. */
export async function signAccess(options: AccessOptions, what: keyof typeof TYPES, body: Value): Promise<void> {
  const { seq, service, id } = await withParticipant(
    options.as,
    async ({ genesis, credential, signer, kid, outbox }) => {
      const number = serviceNumber(genesis, options.service);
      if (!credential.services.includes(number)) {
        throw new GridsealError("USAGE", `the credential does not permit service ${number}`);
      }
      const waits = await outbox(number);
      if (waits.outbox.waiting.length === WAITING_MAX) {
        throw new GridsealError("USAGE", `${WAITING_MAX} operations of service ${number} wait: submit them first`);
      }
      const next = waits.outbox.next;
      const time_s = Math.floor(Date.now() / 1_000);
      const claims = { service: number, serviceId: 0, time_s, quality: TIME_QUALITY, type: TYPES[what], body };
      await waits.sign((place) =>
        signOperation({ ...claims, seq: place.next, previous: place.previous }, [], signer, kid),
      );
      return { seq: next, service: number, id: toHex(kid) };
    },
  );
  const name = `${id}-${seq}`;
  printLines(
    options.json
      ? [toJson({ [what]: name, service, seq })]
      : [`${what} ${name} is signed`, `next: gridseal operation submit --as ${options.as} --api URL --wait`],
  );
}

export function dayText(day: number): string {
  return new Date(1_000 * DAY_S * day).toISOString().slice(0, 10);
}
