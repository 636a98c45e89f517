// `gridseal chain show`: one block in its six parts (Wang et al. 2019, figure 3), its readings with their
// registers, its operations with what they ask.

import type { Command } from "commander";
import type { Acknowledgement } from "../../../src/wire/batch.js";
import { type Block, decodeBlock, type SealedBatch } from "../../../src/wire/block.js";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { entryText } from "../../../src/wire/entry.js";
import { decodeHeader, headerHash } from "../../../src/wire/header.js";
import { decodeCarried } from "../../../src/wire/message.js";
import { noticesOf } from "../../../src/wire/notice.js";
import { parseAnyRecord } from "../../../src/wire/operation.js";
import { readOrder } from "../../../src/wire/order.js";
import { decodeOutput } from "../../../src/wire/value.js";
import { decodeEvidence } from "../../consensus/messages.js";
import type { Statement } from "../../consensus/types.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { rulesNamed } from "../../ledger/contract-centre.js";
import { decodeDisproof } from "../../ledger/disproof.js";
import { decodeResults, type Violation } from "../../ledger/violations.js";
import { type SourceOptions, withSource } from "../../sources/open.js";
import { serviceIn } from "../../sources/source.js";
import { whole, withNode } from "../../terminal/arguments.js";
import { countText, pairs, printLines, timeText, toJson } from "../../terminal/output.js";
import { entryShown } from "../entry-shown.js";
import { orderView } from "../order/view.js";
import { recordLines, recordView } from "../record/view.js";
import { noteTold } from "../told.js";

interface ShowOptions extends SourceOptions {
  readonly service?: string;
  readonly json?: true;
}

export function registerShow(chain: Command): void {
  withNode(chain.command("show").description("show a block in its six parts"))
    .argument("<height>", "height of the block", whole(1, HEIGHT_MAX))
    .argument("[file]", "exported chain")
    .option("--service <name>", "name or number of the chain's service; a file has but one")
    .option("--json", "print JSON")
    .action(show);
}

async function show(height: number, file: string | undefined, options: ShowOptions): Promise<void> {
  await withSource(file, options, async (source) => {
    const service = await serviceIn(source, file, options.service);
    const bytes = await source.block(service, height);
    if (bytes === undefined)
      throw new GridsealError("NOT_FOUND", `${source.origin} has no block ${height} of this chain`);
    const view = viewOf(bytes, `${source.origin}: block ${height}`);
    printLines(options.json ? [toJson(view)] : linesOf(view));
    noteTold(source.origin, "`chain audit --genesis FILE` checks whole chains", options);
  });
}

type BlockView = ReturnType<typeof blockView>;

function viewOf(bytes: Uint8Array, name: string): BlockView {
  try {
    return blockView(decodeBlock(bytes), bytes.length);
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${name} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** A block as it is printed, members in the order of its parts. */
function blockView(block: Block, size: number) {
  const { version, previous, merkleRoot, time_s, target, nonce } = decodeHeader(block.header);
  const results = decodeResults(block.results);
  return {
    format: { network: block.network, chain: block.chain, height: block.height },
    size,
    header: { hash: headerHash(block.header), version, previous, merkleRoot, time: time_s, target, nonce },
    counter: block.counter,
    data: {
      time_ms: block.time_ms,
      script: rulesNamed(block.script) ?? "unknown",
      violations: results.violations.map(violationView),
      outcomes: results.outcomes,
      slots: results.slots.map(({ start_s, slot_s, points, root }) => ({
        start: start_s,
        length: slot_s,
        points,
        root,
      })),
      stateRoot: block.stateRoot,
      anchors: block.anchors,
      judgedAt: block.judgedAt,
      memberSet: block.memberSet,
      nextMemberSet: block.nextMemberSet,
      batches: block.batches.map(batchView),
    },
    lock_ms: block.lock_ms,
    certificate: block.certificate,
  };
}

function violationView(violation: Violation) {
  if (violation.kind === "equivocation") {
    const { kind, node, height, evidence } = violation;
    const { first } = decodeEvidence(evidence);
    return { kind, node, height, round: first.round, statement: statementName(first), evidence };
  }
  if (violation.kind === "falseAcknowledgement") {
    const { kind, node, number, evidence } = violation;
    const { origin } = decodeDisproof(evidence).bad.summary;
    return { kind, node, origin, number, evidence };
  }
  if (violation.kind === "contract") return { ...violation, body: valueText(violation.body) };
  const { kind, meter, seq, detail } = violation;
  if (kind === "gap") return { kind, meter, seq, last: detail };
  return { kind, meter, seq, record: kind === "fork" ? parseAnyRecord(detail as Uint8Array).hash : detail };
}

/** How a person calls a statement: a proposal, a prevote, a precommit. */
function statementName({ type }: Statement): string {
  return type === "head" ? "proposal" : type;
}

function batchView({ origin, number, id, acknowledgements, notices, records }: SealedBatch) {
  const credentials = noticesOf(notices, "credential");
  const orders = noticesOf(notices, "order").map((bytes) => ({ ...orderView(readOrder(bytes)), bytes }));
  const messages = noticesOf(notices, "message").map((bytes) => decodeCarried(bytes).message);
  return { origin, number, id, acknowledgements, credentials, orders, messages, records: records.map(recordView) };
}

function linesOf(view: BlockView): string[] {
  const { format, header, data, certificate } = view;
  const records = data.batches.reduce((sum, batch) => sum + batch.records.length, 0);
  return [
    `1 format          network ${format.network}, chain ${format.chain}, height ${format.height}`,
    `2 size            ${view.size} bytes`,
    `3 header          ${toHex(header.hash)}`,
    ...indented(
      pairs([
        ["version", header.version],
        ["previous", toHex(header.previous)],
        ["Merkle root", toHex(header.merkleRoot)],
        ["timestamp", timeText(header.time * 1000)],
        ["target", header.target.toString(16).padStart(8, "0")],
        ["nonce", header.nonce],
      ]),
    ),
    `4 action counter  ${view.counter}`,
    `5 data record     ${countText(records, "record")} in ${countText(data.batches.length, "temporary block")}`,
    ...indented(
      pairs([
        ["timestamp", timeText(data.time_ms)],
        ["script", data.script],
        ["results", data.violations.length === 0 ? "no violation" : countText(data.violations.length, "violation")],
        ["entries", outcomesText(data.outcomes)],
        ["judged at", data.judgedAt],
        ["member set", toHex(data.memberSet)],
        ["next set", toHex(data.nextMemberSet)],
        ["state root", toHex(data.stateRoot)],
        ...data.anchors.map(
          ({ chain, height, headerHash: hash }) =>
            ["anchor", `chain ${chain} height ${height} ${toHex(hash)}`] as const,
        ),
      ]),
    ),
    ...data.violations.flatMap((violation) => indented([violationLine(violation)])),
    ...indented(data.outcomes.map(outcomeLine)),
    ...data.batches.flatMap(batchLines),
    `6 lock time       ${timeText(view.lock_ms)}`,
    `certificate       round ${certificate.round}, signed by ${certificate.signatures.map(({ node }) => toHex(node)).join(" ")}`,
  ];
}

/** How many entries came to what. */
function outcomesText(outcomes: BlockView["data"]["outcomes"]): string {
  const counts = new Map<string, number>();
  for (const { type } of outcomes) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${count} ${type}`).join(", ") || "none";
}

function outcomeLine(outcome: BlockView["data"]["outcomes"][number]): string {
  const contract = "contract" in outcome ? ` by ${outcome.contract}` : "";
  const effects = ("effects" in outcome ? outcome.effects : []).map(({ name, to }) =>
    to === undefined ? name : `${name} as message ${to.number} to chain ${to.service}`,
  );
  const reason = outcome.type === "failed" ? `: ${outcome.reason}` : "";
  const said = effects.length === 0 ? "" : `: ${effects.join(", ")}`;
  return `${entryShown(entryText(outcome.entry))} ${outcome.type}${contract}${reason}${said}`;
}

/** A contract's value as JSON. */
function valueText(body: Uint8Array): string {
  return JSON.stringify(decodeOutput(body), (_key, member) => (typeof member === "bigint" ? String(member) : member));
}

function violationLine(violation: BlockView["data"]["violations"][number]): string {
  if (violation.kind === "equivocation") {
    const { node, height, round, statement } = violation;
    return `violation equivocation: node ${toHex(node)} signed two ${statement}s at height ${height}, round ${round}`;
  }
  if (violation.kind === "falseAcknowledgement") {
    const { node, origin, number } = violation;
    const what = `temporary block ${number} of node ${toHex(origin)}`;
    return `violation falseAcknowledgement: node ${toHex(node)} signed that it had verified ${what}`;
  }
  if (violation.kind === "contract") {
    const { subject, entry, contract, name, body } = violation;
    return `violation contract: ${contract} says ${name} of ${toHex(subject)}, for ${entryShown(entryText(entry))}: ${body}`;
  }
  const { kind, meter, seq, ...rest } = violation;
  const what = "last" in rest ? `to ${rest.last}` : `record ${toHex(rest.record as Uint8Array)}`;
  return `violation ${kind}: meter ${toHex(meter)} seq ${seq} ${what}`;
}

function acknowledgerText({ node, verified }: Acknowledgement): string {
  return `${toHex(node)} (${verified ? "verified" : "stored"})`;
}

function batchLines(batch: BlockView["data"]["batches"][number]): string[] {
  const { origin, number, acknowledgements, credentials, orders, messages, records } = batch;
  return indented([
    `temporary block ${number} of node ${toHex(origin)}: ${countText(records.length, "record")}, ${countText(credentials.length, "new meter")}`,
    `  acknowledged by ${acknowledgements.map(acknowledgerText).join(" ")}`,
    ...orders.map(({ number: which, what }) => `  order ${which}, ${what}`),
    ...messages.map(
      ({ service, number: which, name, contract, height }) =>
        `  message ${which} of chain ${service}: ${name} of contract ${contract}, sealed there at height ${height}`,
    ),
    ...records.flatMap(recordLines),
  ]);
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `    ${line}`);
}
