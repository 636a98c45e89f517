// `gridseal market bill`: a community's periods billed by its manager, and what came of it: lines, a table, a page to print, the slots.

import { type Command, Option } from "commander";
import { csvRow } from "../../../files/csv.js";
import { createFile, refuseExisting } from "../../../files/made-once.js";
import { operationTypes } from "../../../market/community/types.js";
import { withNodeSource } from "../../../sources/open.js";
import { moment, whole, withNode } from "../../../terminal/arguments.js";
import { pairs, printLines, secondText, table, toJson } from "../../../terminal/output.js";
import { checkedText, toldText } from "../../told.js";
import { type AskOptions, ask, energyText, moneyText, withSigner } from "../arguments.js";
import { billPage } from "./page.js";
import {
  type BillOptions,
  type Place,
  placeOf,
  readBills,
  readSlots,
  type SealedBill,
  type SlotShare,
} from "./read.js";

interface ShowOptions extends BillOptions {
  readonly csv?: string;
  readonly page?: string;
  readonly json?: true;
}

export function registerBill(market: Command): void {
  const bill = market.command("bill").description("what members of a community pay and get");
  withSigner(bill.command("run").description("bill a period, as the community's manager"))
    .argument("<community>", "its ID")
    .requiredOption("--period <time>", "its begin", moment)
    .addOption(
      new Option("--kind <kind>", "preview; final, once; correction, of what came late since")
        .choices(["preview", "final", "correction"])
        .makeOptionMandatory(),
    )
    .action((id: string, { period, kind, ...options }: AskOptions & { period: number; kind: string }) =>
      ask(operationTypes.bill, { community: id, period, kind }, options),
    );
  withBills(bill.command("show").description("show bills of a period; --genesis holds them to their sealed blocks"))
    .option("--point <point>", "of this point alone")
    .option("--csv <file>", "make a table of all lines")
    .option("--page <file>", "make a page to print")
    .action(show);
  withBills(bill.command("slots").description("show the slots that a point's bill adds up, and where each is sealed"))
    .requiredOption("--point <point>", "the point")
    .action(showSlots);
}

function withBills(command: Command): Command {
  return withNode(command)
    .argument("<community>", "its ID")
    .requiredOption("--period <time>", "begin of the period", moment)
    .option(
      "--height <height>",
      "block of the run: of a preview, or of one run alone",
      whole(1, Number.MAX_SAFE_INTEGER),
    )
    .option("--service <name>", "name or number of the chain's service", "trading")
    .option("--contract <name>", "the contract's name there", "community")
    .option("--json", "print JSON");
}

const NOTHING_YET = "the run has no line: no slot of the period with a member in it has closed yet";

async function show(id: string, options: ShowOptions): Promise<void> {
  const { csv, page, json } = options;
  for (const file of [csv, page]) if (file !== undefined) await refuseExisting(file);
  const { bills, word } = await withNodeSource(options, async (source) => {
    const place = await placeOf(source, options);
    return { bills: await readBills(place, id, options), word: wordOn("the bills", place) };
  });
  if (bills.length === 0) return printLines([json ? toJson(bills) : NOTHING_YET]);
  const utf8 = new TextEncoder();
  if (csv !== undefined) await createFile(csv, utf8.encode(csvOf(bills)));
  if (page !== undefined) await createFile(page, utf8.encode(billPage(bills)));
  printLines(json ? [toJson(bills)] : [...bills.flatMap((bill) => linesOf(bill)), word]);
}

/** What the answer rests on. */
function wordOn(what: string, { source, genesis }: Place): string {
  return genesis === undefined
    ? toldText(source.origin, "--genesis FILE holds it to its sealed blocks")
    : checkedText(`${what} in sealed blocks`, genesis);
}

function linesOf(bill: SealedBill): string[] {
  const [begin, end] = bill.period;
  const rows = bill.lines.map(([what, energy, price, amount, slots, estimated, missing, , , low, high]) => [
    ...[what, energy === null ? "" : energyText(energy as number | bigint), moneyText(price)],
    ...[moneyText(amount as number | bigint), slots, estimated, missing, `${low}-${high}`],
  ]);
  return [
    ...pairs([
      ["point", `${bill.point}, owner ${bill.owner}`],
      ["period", `${secondText(begin)} to ${end === null ? "now" : secondText(end)}, ${bill.kind} ${bill.number}`],
      ["consumed", `${energyText(bill.consumed)} kWh`],
      ["produced", `${energyText(bill.produced)} kWh`],
      ["amount", moneyText(bill.amount)],
      ["sealed", `block ${bill.height}, effect ${bill.index}`],
    ]),
    ...table(["FOR", "kWh", "A kWh", "AMOUNT", "SLOTS", "ESTIMATED", "MISSING", "BLOCKS"], rows),
    "",
  ];
}

function csvOf(bills: readonly SealedBill[]): string {
  const heads = ["point", "owner", "kind", "from", "until", "for", "kWh", "price", "amount", "slots", "estimated"];
  const rows = bills.flatMap(({ point, owner, kind, period, lines, height, index }) =>
    lines.map(([what, energy, price, amount, slots, estimated, missing, first, last, low, high]) => [
      ...[point, owner, kind, secondText(period[0]), period[1] === null ? "" : secondText(period[1]), what],
      ...[energy === null ? "" : energyText(energy as number | bigint), moneyText(price)],
      ...[moneyText(amount as number | bigint), slots, estimated, missing, secondText(first), secondText(last)],
      ...[low, high, `${height}/${index}`],
    ]),
  );
  const all = [...heads, "missing", "first slot", "last slot", "first block", "last block", "effect"];
  return [all, ...rows].map((row) => csvRow(row.map(String))).join("");
}

async function showSlots(id: string, options: ShowOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const place = await placeOf(source, options);
    const [bill] = await readBills(place, id, options);
    if (bill === undefined) return printLines([options.json ? toJson([]) : NOTHING_YET]);
    const slots = await readSlots(place, id, bill);
    printLines(options.json ? [toJson(slots)] : [...slotsTable(slots), "", wordOn("the slots", place)]);
  });
}

function slotsTable(slots: readonly SlotShare[]): string[] {
  const heads = ["SLOT", "REVISION", "CONSUMED", "OFFERED", "COVERED", "PRODUCED", "SURPLUS", "QUALITY", "EFFECT"];
  const rows = slots.map(({ start, revision, share, height, index }) => [
    ...[secondText(start), revision],
    ...share.slice(1, 6).map((energy) => energyText(energy as number | bigint)),
    ...[share[6], `${height}/${index}`],
  ]);
  return table(heads, rows);
}
