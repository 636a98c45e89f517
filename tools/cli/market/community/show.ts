// `gridseal market community show`: communities of a chain as its contract remembers them, members and the newest shares.

import type { Command } from "commander";
import { GridsealError } from "../../../errors.js";
import type { Community, Member, ShareRow } from "../../../market/community/kept.js";
import { type SourceOptions, withNodeSource } from "../../../sources/open.js";
import { chainOfSource, type ReceiptSource } from "../../../sources/source.js";
import { withNode } from "../../../terminal/arguments.js";
import { pairs, printLines, secondText, table, toJson } from "../../../terminal/output.js";
import { noteTold } from "../../told.js";
import { energyText, moneyText } from "../arguments.js";

interface ShowOptions extends SourceOptions {
  readonly service: string;
  readonly contract: string;
  readonly json?: true;
}

export function registerShow(community: Command): void {
  withNode(community.command("show").description("list communities, or show one with its members and newest shares"))
    .argument("[community]", "its ID; all of them where absent")
    .option("--service <name>", "name or number of the chain's service", "trading")
    .option("--contract <name>", "the contract's name there", "community")
    .option("--json", "print JSON")
    .action(show);
}

async function show(id: string | undefined, options: ShowOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const { service } = await chainOfSource(source, options.service);
    const read = <Kept>(prefix: string) => valuesOf<Kept>(source, { service, contract: options.contract, prefix });
    if (id === undefined) {
      const all = await read<Community>("community/");
      printLines(options.json ? [toJson(all)] : listOf(all));
      noteTold(source.origin, PROVED, options);
      return;
    }
    const community = (await read<Community>(`community/${id}`)).find(({ key }) => key === `community/${id}`)?.value;
    if (community === undefined) throw new GridsealError("NOT_FOUND", `${source.origin} knows no community ${id}`);
    const members = (await read<readonly Member[]>(`member/${id}/`)).flatMap(({ value }) => value);
    const shares = await read<Newest>(`shares/${id}/`);
    const newest = shares[0] && { start: shares[0].value.start, rows: shares.flatMap(({ value }) => value.rows) };
    printLines(
      options.json ? [toJson({ community: id, ...community, members, newest })] : linesOf(community, members, newest),
    );
    noteTold(source.origin, PROVED, options);
  });
}

const PROVED =
  "`state get community/ID --contract community --genesis FILE` checks a community, `market bill show` its bills";

interface Newest {
  readonly start: number;
  readonly rows: readonly ShareRow[];
}

async function valuesOf<Kept>(
  source: ReceiptSource,
  asked: { readonly service: number; readonly contract: string; readonly prefix: string },
): Promise<{ readonly key: string; readonly value: Kept }[]> {
  const found: { key: string; value: Kept }[] = [];
  for await (const { key, value } of source.stateEntries(asked)) found.push({ key, value: value as Kept });
  return found;
}

function listOf(all: readonly { readonly key: string; readonly value: Community }[]): string[] {
  if (all.length === 0) return ["no community is founded"];
  const rows = all.map(({ key, value: { name, manager, members, terms } }) => [
    ...[key.slice("community/".length), name, manager],
    ...[members, terms.at(-1)!.model],
  ]);
  return table(["ID", "NAME", "MANAGER", "MEMBERSHIPS", "MODEL"], rows);
}

function linesOf({ name, manager, begins, terms }: Community, members: readonly Member[], newest?: Newest): string[] {
  return [
    ...pairs([
      ["name", name],
      ["manager", manager],
      ["periods from", begins.map(secondText).join(", ")],
    ]),
    "",
    ...table(
      ["TERMS FROM", "MODEL", "ROUNDING", "PRICE", "FEED", "FEE"],
      terms.map(({ from, model, rounding, price, feed, fee }) => [
        ...[secondText(from), model, rounding],
        ...[moneyText(price), moneyText(feed), moneyText(fee)],
      ]),
    ),
    "",
    ...table(
      ["POINT", "OWNER", "PART %", "KEY", "FROM", "UNTIL"],
      members.map(([point, owner, factor, key, from, until]) => [
        ...[point, owner, (factor / 100).toFixed(2), key],
        ...[secondText(from), until === null ? "" : secondText(until)],
      ]),
    ),
    ...(newest === undefined ? [] : ["", `slot at ${secondText(newest.start)}, in kWh`, ...sharesTable(newest.rows)]),
  ];
}

/** Rows of shares as people read them. */
export function sharesTable(rows: readonly ShareRow[]): string[] {
  const kWh = (energy: unknown) => energyText(energy as number | bigint);
  return table(
    ["POINT", "CONSUMED", "OFFERED", "COVERED", "PRODUCED", "SURPLUS", "QUALITY"],
    rows.map(([point, ...rest]) => [point, ...rest.slice(0, 5).map(kWh), rest[5]]),
  );
}
