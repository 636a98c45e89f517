// `gridseal access open` of a grant of sums over a group: what f + 1 custodians have come to alike, as lines, as a table, or as they
// have signed it.

import { formatObis } from "../../../src/meter/obis.js";
import type { Aggregate } from "../../../src/wire/aggregate.js";
import { fromHex } from "../../../src/wire/bytes.js";
import { csvRow } from "../../files/csv.js";
import type { StatedGroupGrant } from "../../sources/group-grants.js";
import { toJson } from "../../terminal/output.js";
import type { AgreedSums } from "./group-sums.js";

const THOUSAND = 1_000n;

/** One slot, as it is printed; `sum` and `mean` are null where the sum is withheld, or there is none. */
export interface SlotView {
  readonly group: string;
  readonly time: string;
  readonly seconds: number;
  readonly obis: string;
  readonly unit: number;
  readonly count: number;
  readonly sum: string | null;
  readonly mean: string | null;
}

const columns = ["group", "time", "seconds", "obis", "unit", "count", "sum", "mean"] as const;

export function slotViews(
  { from_s, slot_s, slots }: Pick<Aggregate, "from_s" | "slot_s" | "slots">,
  { group, register, unit }: Pick<StatedGroupGrant, "group" | "register" | "unit">,
): SlotView[] {
  const obis = formatObis(fromHex(register)!);
  return slots.map(({ count, sum }, index) => ({
    ...{ group, time: new Date(1_000 * (from_s + index * slot_s)).toISOString(), seconds: slot_s, obis, unit, count },
    sum: sum === null ? null : decimal(sum),
    mean: sum === null || count === 0 ? null : decimal(sum / BigInt(count)),
  }));
}

export function sumsText(views: readonly SlotView[], form: "json" | "csv"): string {
  if (form === "json") return views.map((view) => `${toJson(view)}\n`).join("");
  return [csvRow(columns), ...views.map((view) => csvRow(columns.map((column) => String(view[column] ?? ""))))].join(
    "",
  );
}

/** The signed sums of each custodian, one behind the other: they prove themselves to whoever has the genesis. */
export function signedSums(all: readonly AgreedSums[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(all.flatMap(({ signed }) => signed)));
}

/** Thousandths as a decimal number. */
function decimal(thousandths: bigint): string {
  const size = thousandths < 0n ? -thousandths : thousandths;
  const rest = (size % THOUSAND).toString().padStart(3, "0");
  return `${thousandths < 0n ? "-" : ""}${size / THOUSAND}.${rest}`;
}
