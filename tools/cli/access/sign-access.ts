// The next operation of the access contract, signed by a participant: what all of `gridseal access` but `key`, `list` and `open` do.

import { join } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { DAY_S } from "../../../src/wire/envelope.js";
import { HIDDEN_BYTES_MAX, OPERATION_BYTES_MAX, signOperation } from "../../../src/wire/operation.js";
import type { Value } from "../../../src/wire/value.js";
import { GridsealError } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { WAITING_MAX } from "../../files/operations/outbox.js";
import type { OutboxFile } from "../../files/operations/outbox-file.js";
import { withParticipant } from "../../files/operations/participant-folder.js";
import { TYPES } from "../../market/access/types.js";
import { printLines, toJson } from "../../terminal/output.js";
import { serviceNumber } from "../operation/sign.js";
import { refuseAnswersName } from "./names.js";

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
  const { seq, service, id } = await signed(options, what, body);
  const name = `${id}-${seq}`;
  printSigned(options, { [what]: name, service, seq }, `${what} ${name}`);
}

/**
 * Signs an answer to what is named, and prints those names again: an answer has none. Throws USAGE where a name is of an answer, as
 * far as the participant's folder knows.
 */
export async function signAnswer(
  options: AccessOptions,
  what: keyof typeof TYPES,
  names: readonly string[],
  body: Value = names,
): Promise<void> {
  const { seq, service } = await signed(options, what, body, names);
  printSigned(
    options,
    { [what]: names.length === 1 ? names[0] : names, service, seq },
    `${what} as to ${names.join(", ")}`,
  );
}

function printSigned({ json, as }: AccessOptions, view: object, what: string): void {
  const next = `next: gridseal operation submit --as ${as} --api URL --wait`;
  printLines(json ? [toJson(view)] : [`${what} is signed`, next]);
}

interface Signed {
  readonly seq: number;
  readonly service: number;
  readonly id: string;
}

async function signed(
  options: AccessOptions,
  what: keyof typeof TYPES,
  body: Value,
  named: readonly string[] = [],
): Promise<Signed> {
  return withParticipant(options.as, async ({ genesis, credential, signer, kid, outbox }) => {
    const service = serviceNumber(genesis, options.service);
    if (!credential.services.includes(service)) {
      throw new GridsealError("USAGE", `the credential does not permit service ${service}`);
    }
    const waits = await outbox(service);
    const id = toHex(kid);
    for (const name of named.filter((each) => each.startsWith(`${id}-`)))
      refuseAnswersName(name, await operationsNamed(options.as, service, waits, name));
    if (waits.outbox.waiting.length === WAITING_MAX) {
      throw new GridsealError("USAGE", `${WAITING_MAX} operations of service ${service} wait: submit them first`);
    }
    const seq = waits.outbox.next;
    const time_s = Math.floor(Date.now() / 1_000);
    const claims = { service, serviceId: 0, time_s, quality: TIME_QUALITY, type: TYPES[what], body };
    await waits.sign((place) =>
      signOperation({ ...claims, seq: place.next, previous: place.previous }, [], signer, kid),
    );
    return { seq, service, id };
  });
}

/** Those that wait, and the sealed one of that name where the folder has kept it. */
async function operationsNamed(
  folder: string,
  service: number,
  { outbox }: OutboxFile,
  name: string,
): Promise<readonly Uint8Array[]> {
  const kept = join(folder, "operations", `${service}-${name.split("-")[1]}.operation.cbor`);
  const sealed = await readWhole(kept, OPERATION_BYTES_MAX + HIDDEN_BYTES_MAX).catch(() => undefined);
  return [...outbox.waiting.map(({ bytes }) => bytes), ...(sealed === undefined ? [] : [sealed])];
}

export function dayText(day: number): string {
  return new Date(1_000 * DAY_S * day).toISOString().slice(0, 10);
}
