// `gridseal operation submit`: brings what a participant has signed to a node or a broker, in the order of its numbers, and waits for
// the receipts where that is asked for.

import { join } from "node:path";
import type { Command } from "commander";
import { concatBytes, equalBytes, toHex } from "../../../src/wire/bytes.js";
import { decodeReceipt, type Receipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import type { Waiting } from "../../files/operations/outbox.js";
import { type Participant, withParticipant } from "../../files/operations/participant-folder.js";
import { countText, printLines, toJson } from "../../terminal/output.js";
import { openBrokerSession } from "./broker-session.js";
import { type Done, type Fate, failureOf, lineOf, notSealedYet } from "./done.js";
import { sealedOutcome } from "./outcome.js";
import { serviceNumber } from "./sign.js";
import { type Sealed, type Way, wayByApi } from "./way.js";

interface SubmitOptions {
  readonly as: string;
  readonly service?: string;
  readonly api?: string;
  readonly broker?: string;
  readonly wait?: true;
  readonly json?: true;
}

/** How long submitted operations are waited for. */
const SEALED_WITHIN_MS = 60_000;
const POLL_MS = 500;

export function registerSubmit(operation: Command): void {
  operation
    .command("submit")
    .description("bring what was signed and is not sealed to the network")
    .requiredOption("--as <dir>", "folder of the participant")
    .option("--service <name>", "of this service alone; of all that its credential permits where absent")
    .option("--api <url>", "API of a node that is a member of the service's chain, http://host:port")
    .option("--broker <url>", "or a broker, mqtt://host:port or mqtts://host:port")
    .option("--wait", "until it is sealed, and keep the receipts")
    .option("--json", "print JSON")
    .action(submit);
}

async function submit(options: SubmitOptions): Promise<void> {
  await withParticipant(options.as, async (participant) => {
    const { genesis, credential } = participant;
    const services = options.service === undefined ? credential.services : [serviceNumber(genesis, options.service)];
    const done: Done[] = [];
    for (const service of services) {
      const { waiting } = (await participant.outbox(service)).outbox;
      if (waiting.length === 0) continue;
      const way = await openWay(participant, service, options);
      try {
        done.push(...(await submitAll({ participant, service, way }, waiting, options.wait ? SEALED_WITHIN_MS : 0)));
      } finally {
        await way.close();
      }
    }
    printLines(options.json ? [toJson(done)] : linesOf(done, options));
    const failure = failureOf(done);
    if (failure !== undefined) throw failure;
  });
}

function linesOf(done: readonly Done[], { as, wait }: SubmitOptions): string[] {
  if (done.length === 0) return ["nothing waits"];
  const sealed = done.findLast(({ height }) => height !== undefined);
  const next =
    sealed === undefined || !wait
      ? `next: the same again, or with --wait, until ${countText(done.length, "receipt")} is there`
      : `next: gridseal receipt verify ${join(as, "operations", `${sealed.service}-${sealed.seq}.receipt.cbor`)} --genesis ${join(as, "genesis.cbor")}`;
  return [...done.map(lineOf), next];
}

interface Submitting {
  readonly participant: Participant;
  readonly service: number;
  readonly way: Way;
}

/** Submits what is not sealed since the last time, and waits so long for what is not. One that is refused holds up none behind it. */
async function submitAll(submitting: Submitting, waiting: readonly Waiting[], patience_ms: number): Promise<Done[]> {
  const { service, way } = submitting;
  const done: Done[] = [];
  for (const each of waiting) {
    const fate = await fateOf(async () => {
      const sealed = await keepSealed(submitting, each);
      if (sealed === undefined) await way.submit(each);
      return sealed;
    });
    done.push({ service, seq: each.seq, hash: toHex(each.hash), ...fate });
  }
  if (patience_ms === 0) return done;
  const end_ms = performance.now() + patience_ms;
  for (const [index, each] of waiting.entries()) {
    const { height, refused } = done[index]!;
    if (height !== undefined || refused !== undefined) continue;
    done[index] = { ...done[index]!, ...(await fateOf(() => whenSealed(submitting, each, end_ms))) };
  }
  return done;
}

/** Where it is sealed and what has become of it, or why it is refused; nothing where it is under way. */
async function fateOf(act: () => Promise<Fate | undefined>): Promise<Fate> {
  try {
    return (await act()) ?? {};
  } catch (error) {
    if (error instanceof GridsealError && error.code === "RECORD_REFUSED") return { refused: error.message };
    throw error;
  }
}

/** Verifies the operation's receipt and keeps both, where it is there. */
async function keepSealed({ participant, service, way }: Submitting, waiting: Waiting): Promise<Fate | undefined> {
  const found = await way.receipt(waiting);
  if (found === undefined) return undefined;
  const receipt = checkReceipt(participant, service, waiting, found);
  await participant.keep(service, waiting, concatBytes(found.bytes, ...found.lineage));
  const block = await way.block(receipt.height);
  const outcome = block === undefined ? undefined : sealedOutcome(block, receipt);
  if (outcome === undefined) return { height: receipt.height };
  return { height: receipt.height, result: outcome.type, outcome: outcome.words };
}

async function whenSealed(submitting: Submitting, waiting: Waiting, end_ms: number): Promise<Fate> {
  while (performance.now() < end_ms) {
    const sealed = await keepSealed(submitting, waiting);
    if (sealed !== undefined) return sealed;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw notSealedYet({ service: submitting.service, seq: waiting.seq });
}

function checkReceipt(
  { genesis }: Participant,
  service: number,
  { seq, hash }: Waiting,
  { bytes, lineage }: Sealed,
): Receipt {
  const name = `the receipt of operation ${seq} of service ${service}`;
  try {
    const receipt = decodeReceipt(bytes);
    if (receipt.chain !== service || !equalBytes(receipt.recordHash, hash)) throw new Error("it is for another record");
    verifyReceipt(receipt, genesis, nodeVerify, lineage);
    return receipt;
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${name} proves nothing: ${reasonOf(cause)}`, { cause });
  }
}

async function openWay(participant: Participant, service: number, { api, broker }: SubmitOptions): Promise<Way> {
  if (api !== undefined && broker === undefined) return wayByApi(participant, service, api);
  if (broker !== undefined && api === undefined) return openBrokerSession(participant, service, broker);
  throw new GridsealError("USAGE", "name one way: --api URL or --broker URL");
}
