// `gridseal operation sign`: the next operation of a participant, durable in its folder before it is anywhere else.

import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { OPERATION_TYPE_MAX, SERVICE_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import {
  encodeHidden,
  OPERATION_BYTES_MAX,
  type OperationClaims,
  parseOperation,
  signOperation,
} from "../../../src/wire/operation.js";
import { digestsOf } from "../../../src/wire/record.js";
import type { Value } from "../../../src/wire/value.js";
import { valueFromJson } from "../../contracts/value-json.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { createFile, readWhole, refuseExisting } from "../../files/made-once.js";
import { WAITING_MAX } from "../../files/operations/outbox.js";
import { type Participant, withParticipant } from "../../files/operations/participant-folder.js";
import { SECRET } from "../../files/private-files.js";
import { moment, several, whole } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { operationView } from "./view.js";

interface SignOptions {
  readonly as: string;
  readonly service: string;
  readonly type: number;
  readonly body: string;
  readonly hide?: readonly string[];
  readonly until?: number;
  readonly out?: string;
  readonly json?: true;
}

const SALT_BYTES = 16;
/** 2: synchronised, as a computer's clock is. */
const TIME_QUALITY = 2;

export function registerSign(operation: Command): void {
  operation
    .command("sign")
    .description("sign the next operation; it waits in the participant's folder until it is sealed")
    .requiredOption("--as <dir>", "folder of the participant: key.json, genesis.cbor, credential.cbor")
    .requiredOption("--service <name>", "name or number of the service that is asked")
    .requiredOption("--type <number>", "what is asked (PROTOCOL.md, section 4)", whole(1, OPERATION_TYPE_MAX))
    .requiredOption("--body <json>", "what it asks with, in JSON; @FILE reads a file")
    .option("--hide <label=json>", "a part that stands as a digest alone until it is opened (repeatable)", several)
    .option("--until <time>", "after this time it asks nothing any more, as 2026-03-29T00:00:00Z", moment)
    .option("-o, --out <file>", "file to make as well")
    .option("--json", "print JSON")
    .action(sign);
}

async function sign(options: SignOptions): Promise<void> {
  const { out } = options;
  if (out !== undefined) await refuseExisting(out);
  const body = await bodyFrom(options.body);
  const hidden = (options.hide ?? []).map(hiddenFrom);
  const { bytes, waiting } = await signIn(options.as, options.service, {
    ...{ type: options.type, body, hidden },
    ...(options.until !== undefined && { until_s: options.until }),
  });
  if (out !== undefined) await createFile(out, bytes, SECRET);
  const operation = parseOperation(bytes);
  const { seq, service, type } = operation.claims;
  printLines(
    options.json
      ? [toJson({ ...operationView(operation), waiting })]
      : [
          `operation ${seq} of service ${service}, type ${type}, is signed: ${toHex(operation.hash)}`,
          ...pastOf(options.until),
          `next: gridseal operation submit --as ${options.as} --api URL`,
        ],
  );
}

export interface AskedOperation {
  readonly type: number;
  readonly body: Value;
  /** encoded disclosures of the parts of which it holds digests alone */
  readonly hidden?: readonly Uint8Array[];
  readonly until_s?: number;
}

/** Signs the next operation of the participant in a folder: it is durable there before this resolves. Throws USAGE. */
export async function signIn(
  folder: string,
  serviceName: string,
  { type, body, hidden = [], until_s }: AskedOperation,
): Promise<{ readonly bytes: Uint8Array; readonly waiting: number }> {
  return withParticipant(folder, async (participant) => {
    const service = serviceIn(participant, serviceName);
    const outbox = await participant.outbox(service);
    if (outbox.outbox.waiting.length === WAITING_MAX) {
      throw new GridsealError("USAGE", `${WAITING_MAX} operations of service ${service} wait: submit them first`);
    }
    const claims = {
      ...{ service, serviceId: 0, time_s: Math.floor(Date.now() / 1_000), quality: TIME_QUALITY },
      ...{ type, body },
      ...(hidden.length > 0 && { digests: digestsOf(hidden) }),
      ...(until_s !== undefined && { until_s }),
    };
    const bytes = await outbox.sign(({ next, previous }) =>
      made(participant, { ...claims, seq: next, previous }, hidden),
    );
    return { bytes, waiting: outbox.outbox.waiting.length };
  });
}

/** It is sealed all the same, and asks nothing. */
function pastOf(until_s: number | undefined): string[] {
  const isPast = until_s !== undefined && until_s * 1_000 <= Date.now();
  return isPast ? ["warning: --until is past by this machine's clock: the operation will ask nothing"] : [];
}

function made({ signer, kid }: Participant, claims: OperationClaims, hidden: readonly Uint8Array[]): Uint8Array {
  try {
    return signOperation(claims, hidden, signer, kid);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("USAGE", `no operation can say this: ${cause.message}`, { cause });
  }
}

/** The number of a service that the participant may use. */
function serviceIn({ genesis, credential }: Participant, text: string): number {
  const service = serviceNumber(genesis, text);
  if (credential.services.includes(service)) return service;
  const may = credential.services.join(", ") || "none";
  throw new GridsealError("USAGE", `the credential does not permit service ${service}: it permits ${may}`);
}

/** Of a name the genesis has it; a number may be of a chain that an order has added. */
export function serviceNumber(genesis: Genesis, text: string): number {
  const known = genesis.chains.find(({ name, service }) => name === text || String(service) === text);
  if (known !== undefined) return known.service;
  if (/^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= SERVICE_MAX) return Number(text);
  const names = genesis.chains.map(({ name, service }) => `${name} (${service})`).join(", ");
  throw new GridsealError("NOT_FOUND", `no service is called ${text}: the genesis has ${names}`);
}

async function bodyFrom(text: string): Promise<Value> {
  if (!text.startsWith("@")) return valueFrom(text, "--body");
  const path = text.slice(1);
  return valueFrom(new TextDecoder().decode(await readWhole(path, 4 * OPERATION_BYTES_MAX)), path);
}

/** Encoded as it stands in the operation, with a salt of its own. */
function hiddenFrom(text: string): Uint8Array {
  const at = text.indexOf("=");
  if (at < 1) throw new GridsealError("USAGE", "--hide takes LABEL=JSON");
  const label = text.slice(0, at);
  const salt = Uint8Array.from(randomBytes(SALT_BYTES));
  const value = valueFrom(text.slice(at + 1), `--hide ${label}`);
  try {
    return encodeHidden({ salt, label, value });
  } catch (cause) {
    throw new GridsealError("USAGE", `--hide ${label}: ${reasonOf(cause)}`, { cause });
  }
}

function valueFrom(text: string, name: string): Value {
  try {
    return valueFromJson(JSON.parse(text), name);
  } catch (cause) {
    throw new GridsealError("USAGE", `${name} is no value of a contract: ${reasonOf(cause)}`, { cause });
  }
}
