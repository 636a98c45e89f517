// Bills of a community's period, as the blocks of its runs have them; and the slots that a line comes from.

import type { Genesis } from "../../../../src/wire/genesis.js";
import { GridsealError } from "../../../errors.js";
import { readGenesisFile } from "../../../files/genesis-file.js";
import type { Line, Ran } from "../../../market/community/bills.js";
import type { ShareRow } from "../../../market/community/kept.js";
import type { SourceOptions } from "../../../sources/open.js";
import { chainOfSource, type ReceiptSource } from "../../../sources/source.js";
import { secondText } from "../../../terminal/output.js";
import { type SealedEffect, sealedEffects } from "../sealed-effects.js";

export interface BillOptions extends SourceOptions {
  readonly service: string;
  readonly contract: string;
  readonly period: number;
  /** of a preview, or of one run alone */
  readonly height?: number;
  readonly point?: string;
}

/** A bill as its effect has it, and where that stands. */
export interface SealedBill {
  readonly height: number;
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  readonly number: number;
  readonly period: readonly [number, number | null];
  readonly point: string;
  readonly owner: string;
  readonly consumed: number | bigint;
  readonly produced: number | bigint;
  readonly lines: readonly Line[];
  readonly amount: number | bigint;
}

export interface Place {
  readonly source: ReceiptSource;
  readonly service: number;
  readonly contract: string;
  readonly genesis: Genesis | undefined;
}

export async function placeOf(source: ReceiptSource, options: BillOptions): Promise<Place> {
  const { service } = await chainOfSource(source, options.service);
  const genesis = options.genesis === undefined ? undefined : (await readGenesisFile(options.genesis)).genesis;
  return { source, service, contract: options.contract, genesis };
}

/** Bills of the period; none where its run, a preview mostly, has counted nothing yet. Rejects with NOT_FOUND where there was no run. */
export async function readBills(place: Place, id: string, options: BillOptions): Promise<readonly SealedBill[]> {
  const heights = options.height === undefined ? await heightsOf(place, id, options.period) : [options.height];
  const found: BillsFound = { bills: [], hasEmptyRun: false };
  for (const at of heights) {
    await findBills(found, sealedEffects(place.source, { ...place, from: at, to: at }), id, options);
  }
  if (found.bills.length > 0 || found.hasEmptyRun) return found.bills;
  const of = options.point === undefined ? "" : ` for point ${options.point}`;
  throw new GridsealError("NOT_FOUND", `community ${id} has no bill${of} of the period that begins then`);
}

export interface BillsFound {
  readonly bills: SealedBill[];
  /** a run has billed the period, and nobody */
  hasEmptyRun: boolean;
}

/** Adds what effects of a run say of the period. */
export async function findBills(
  found: BillsFound,
  effects: AsyncIterable<SealedEffect>,
  id: string,
  { period, point }: Pick<BillOptions, "period" | "point">,
): Promise<void> {
  for await (const effect of effects) {
    const bill = billIn(effect, id, period);
    if (bill !== undefined && (point === undefined || bill.point === point)) found.bills.push(bill);
    if (effect.name !== "bills") continue;
    const run = effect.body as unknown as Run;
    if (run.community === id && run.period[0] === period && run.bills === 0) found.hasEmptyRun = true;
  }
}

/** What a run says last. */
interface Run {
  readonly community: string;
  readonly period: readonly [number, number | null];
  readonly bills: number;
}

/** Periods that are named where another was asked for. */
const BILLED_SHOWN_MAX = 12;

async function heightsOf({ source, service, contract }: Place, id: string, period: number): Promise<number[]> {
  const key = `run/${id}/${String(period).padStart(13, "0")}`;
  for await (const entry of source.stateEntries({ service, contract, prefix: key })) {
    return (entry.value as readonly Ran[]).map(([, height]) => height);
  }
  const billed: string[] = [];
  const prefix = `run/${id}/`;
  for await (const entry of source.stateEntries({ service, contract, prefix })) {
    billed.push(secondText(Number(entry.key.slice(prefix.length))));
    // The newest are those that are asked for.
    if (billed.length > BILLED_SHOWN_MAX) billed.shift();
  }
  const has = billed.length === 0 ? "none yet" : `the newest billed begin at ${billed.join(", ")}`;
  throw new GridsealError(
    "NOT_FOUND",
    `community ${id} has billed no period that begins at ${secondText(period)}: ${has}; --height names a preview`,
  );
}

function billIn({ height, index, name, body }: SealedEffect, id: string, period: number): SealedBill | undefined {
  if (name !== "bill") return undefined;
  const bill = body as unknown as SealedBill & { readonly community: string };
  return bill.community === id && bill.period[0] === period ? { ...bill, height, index } : undefined;
}

/** A point's shares of one slot, and where the effect stands that has them. */
export interface SlotShare {
  readonly start: number;
  /** above 0 where it was corrected */
  readonly revision: number;
  readonly share: ShareRow;
  readonly height: number;
  readonly index: number;
}

/** Shares of a point's slots that a bill's lines name, corrections behind what they correct. */
export async function readSlots(place: Place, id: string, bill: SealedBill): Promise<readonly SlotShare[]> {
  const found: SlotShare[] = [];
  const from = Math.min(...bill.lines.map((line) => line[9]));
  const to = Math.max(...bill.lines.map((line) => line[10]));
  for await (const effect of sealedEffects(place.source, { ...place, from, to })) {
    if (effect.name !== "shares" && effect.name !== "corrected") continue;
    const { community, start, revision, rows } = effect.body as unknown as Shares;
    const [begin, end] = bill.period;
    if (community !== id || start < begin || (end !== null && start >= end)) continue;
    const share = rows.find(([point]) => point === bill.point);
    if (share !== undefined) found.push({ start, revision, share, height: effect.height, index: effect.index });
  }
  return found.sort((one, two) => one.start - two.start || one.revision - two.revision);
}

interface Shares {
  readonly community: string;
  readonly start: number;
  readonly revision: number;
  readonly rows: readonly ShareRow[];
}
