// `gridseal credit explain`: a participant's rating computed again from the facts that its chain remembers, each figure with where it is
// sealed.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import type { Value } from "../../../src/wire/value.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import type { Standing } from "../../market/credit/kinds.js";
import { type Facts, type Rating, rate } from "../../market/credit/rating.js";
import type { Rules } from "../../market/credit/rules.js";
import { holderOnAny } from "../../sources/named-holder.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource, type ReceiptSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { pairs, printLines, table, toJson } from "../../terminal/output.js";
import { energyText, moneyText } from "../market/arguments.js";
import { provedValue } from "../state/proved-value.js";
import { checkedText, toldText } from "../told.js";

interface ExplainOptions extends SourceOptions {
  readonly service: string;
  readonly contract: string;
  readonly json?: true;
}

/** What the contract keeps of a rating, with what it was made by. */
interface KeptRating extends Rating {
  readonly standing: Standing;
  readonly month: number;
  readonly since: number;
  readonly rules: Rules;
  readonly time_s: number;
}

export function registerExplain(credit: Command): void {
  withNode(
    credit
      .command("explain")
      .description("compute a participant's rating again, and say what each indicator is made of"),
  )
    .argument("<participant>", "its ID or key id")
    .option("--service <name>", "name or number of the chain's service", "credit")
    .option("--contract <name>", "the contract", "credit")
    .option("--json", "print JSON")
    .action(explain);
}

async function explain(text: string, options: ExplainOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const { service } = await chainOfSource(source, options.service);
    const participant = toHex(await holderOnAny(source, text));
    const genesis = options.genesis === undefined ? undefined : (await readGenesisFile(options.genesis)).genesis;
    const word =
      genesis === undefined
        ? toldText(source.origin, "--genesis FILE proves rating and facts")
        : checkedText("rating and facts by proofs of the chain's state", genesis);
    const valueAt = (key: string) => provedValue(source, { service, contract: options.contract, key, genesis });
    const kept = (await valueAt(`rating/${participant}`)) as unknown as KeptRating | undefined;
    if (kept === undefined) throw new GridsealError("NOT_FOUND", `${participant} has no rating on chain ${service}`);
    const facts = await factsOf(source, { service, contract: options.contract, participant, valueAt });
    const { since, month, time_s, rules } = kept;
    const again = rate({ facts, since, month, time_s, rules });
    const isSame = toJson(ratingOf(again)) === toJson(ratingOf(kept));
    const view = {
      participant,
      ...ratingOf(again),
      standing: kept.standing,
      isSame,
      checked: genesis !== undefined,
      month,
      facts: Object.fromEntries(facts),
    };
    printLines(options.json ? [toJson(view)] : [...linesOf(participant, kept, { again, facts, isSame }), "", word]);
    if (!isSame) {
      throw new GridsealError(
        "RATING_DIFFERS",
        `${participant} is rated ${kept.score}, and its facts give ${again.score}`,
      );
    }
  });
}

interface Place {
  readonly service: number;
  readonly contract: string;
  readonly participant: string;
  readonly valueAt: (key: string) => Promise<Value | undefined>;
}

async function factsOf(source: ReceiptSource, { service, contract, participant, valueAt }: Place) {
  const facts = new Map<number, Facts>();
  const prefix = `facts/${participant}/`;
  for await (const { key } of source.stateEntries({ service, contract, prefix })) {
    const value = await valueAt(key);
    if (value !== undefined) facts.set(Number(key.slice(prefix.length)), value as unknown as Facts);
  }
  return facts;
}

/** Fields in one order, by which two are compared. */
function ratingOf({ score, grade, indicators }: Rating) {
  return {
    ...{ score, grade },
    indicators: indicators.map(({ name, value, weight, inputs }) => ({
      ...{ name, value, weight },
      inputs: Object.fromEntries(Object.entries(inputs).sort(([one], [other]) => (one < other ? -1 : 1))),
    })),
  };
}

/** What its holder may owe, as the auction tells it too. */
export function limitText(limit: number): string {
  return `may owe ${moneyText(limit)}`;
}

/** Energy in kWh, what breaches take away as a part of 1000; counts as they are. */
export function inputText(name: string, amount: number | bigint): string {
  if (name === "contracted" || name === "beyond") return `${name} ${energyText(amount)} kWh`;
  return name === "taken" ? `taken ${amount} of 1000` : `${name} ${amount}`;
}

interface Again {
  readonly again: Rating;
  readonly facts: ReadonlyMap<number, Facts>;
  readonly isSame: boolean;
}

function linesOf(participant: string, kept: KeptRating, { again, facts, isSame }: Again): string[] {
  const { standing } = kept;
  const rows = again.indicators.map(({ name, value, weight, inputs }) => [
    ...[name, value === null ? "nothing known" : `${value}`, `${weight}`],
    Object.entries(inputs)
      .map(([input, amount]) => inputText(input, amount))
      .join(", "),
  ]);
  return [
    ...pairs([
      ["participant", participant],
      ["score", `${again.score} of 1000${isSame ? ", as the chain has it" : `; the chain has ${kept.score}`}`],
      ["grade", again.grade],
      ["bond", `${standing.bond_percent} %`],
      ["limit", limitText(standing.limit)],
      ["list", standing.list],
    ]),
    "",
    ...table(["INDICATOR", "OF 1000", "WEIGHT", "MADE OF"], rows),
    "",
    ...table(["MONTH", "FACT", "SEALED IN"], evidenceRows(facts)),
  ];
}

function evidenceRows(facts: ReadonlyMap<number, Facts>): string[][] {
  return [...facts]
    .sort(([one], [other]) => one - other)
    .flatMap(([month, { evidence, breaches, payments }]) => {
      const name = `${Math.floor(month / 12) + 1_970}-${String((month % 12) + 1).padStart(2, "0")}`;
      const sums = Object.entries(evidence).map(([kind, [first, last, count]]) => [
        ...[name, `${kind}, ${count} times`, `${placeText(first)} to ${placeText(last)}`],
      ]);
      const broken = breaches.map(([rule, class_, , place]) => [
        name,
        `breach ${rule}, class ${class_}`,
        placeText(place),
      ]);
      const paid = payments.map(([bill, , , place]) => [name, `bill ${bill}`, placeText(place)]);
      return [...sums, ...broken, ...paid];
    });
}

function placeText([service, height, what]: readonly [number, number, string]): string {
  return `chain ${service}, block ${height}, ${what}`;
}
