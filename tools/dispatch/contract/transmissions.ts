// A transmission contract after its verdict: the operator countersigns it, and once the slot has closed it is held to what was metered.

import type { Context, Operation, Slot, Value } from "../../contracts/author.js";
import { fieldsOf, granted, listOf, wholeOf } from "../../market/asked.js";
import { wholeParameter } from "../../market/law.js";
import { type CarriedRow, chains, type DeliveryRow, tell, tellFacts } from "../../market/messages.js";
import { plausible } from "../../market/slot-rows.js";
import type { Transmission } from "./kinds.js";
import { networkInForce } from "./networks.js";
import { numbersOf, transmissionAt } from "./schedules.js";

const NUMBERS_MAX = 32;
const NUMBER_MAX = 9_007_199_254_740_991;

/** Throws Denied. */
export function countersign(context: Context, { participant, body }: Operation): void {
  const { numbers } = fieldsOf(body, ["numbers"]);
  granted(networkInForce(context)?.operator === participant, "operator", networkInForce(context)?.operator ?? null);
  const signed = listOf(numbers, NUMBERS_MAX, "numbers").map((value) => {
    const number = wholeOf(value, [0, NUMBER_MAX], "numbers");
    const transmission = transmissionAt(context, number);
    granted(transmission !== undefined, "unknown-transmission", number);
    granted(transmission.countersigned === null, "countersigned", number);
    granted(transmission.slot_s > context.time_s, "late", number);
    return { number, transmission };
  });
  for (const { number, transmission } of signed) {
    context.put(`transmission/${number}`, { ...transmission, countersigned: context.height } as unknown as Value);
    context.effect("countersigned", { number, slot_s: transmission.slot_s, network: transmission.network });
    if (transmission.asked_by !== null) {
      tell(context, transmission.asked_by, "transmission", { slot_s: transmission.slot_s, number });
    }
  }
}

/** What a point was to feed in by contracts of one slot, and by whom. */
interface Contracted {
  energy: number;
  participant: string | null;
  number: number;
  tolerance_permille: number;
  /** 10^-5 of the currency's unit */
  penalty_per_kWh: number;
  trades: number;
}

/** Holds contracts to a closed slot; a point that nothing is contracted of is not looked at. */
export function holdTo(context: Context, { start_s, length_s, points }: Slot): void {
  const contracted = contractedIn(context, start_s, length_s);
  if (contracted.size === 0) return;
  const told: DeliveryRow[] = [];
  for (const [point, taken, given, quality] of points.map(plausible)) {
    const due = contracted.get(point);
    if (due === undefined || due.trades === 0) continue;
    if (quality === 3) {
      context.effect("unmetered", { slot_s: start_s, point, contracted_mWh: due.energy, transmission: due.number });
      continue;
    }
    // What a meter does not have has no energy: a point that only takes gives nothing.
    const metered = BigInt(amount(given)) - BigInt(amount(taken));
    const off = metered - BigInt(due.energy);
    const size = off < 0n ? -off : off;
    const tolerated = (BigInt(Math.abs(due.energy)) * BigInt(due.tolerance_permille)) / BigInt(1_000);
    const beyond = size > tolerated ? size - tolerated : BigInt(0);
    if (due.participant !== null) {
      told.push([due.participant, Math.abs(due.energy), Number(beyond), point, due.number]);
    }
    if (beyond > BigInt(0)) accuse(context, { start_s, point, due, metered, beyond });
  }
  const credit = wholeParameter(context, "credit_chain", chains.credit);
  tellFacts(context, credit, "delivery", { slot_s: start_s, rows: told });
}

interface Deviation {
  readonly start_s: number;
  readonly point: string;
  readonly due: Contracted;
  readonly metered: bigint;
  readonly beyond: bigint;
}

function accuse(context: Context, { start_s, point, due, metered, beyond }: Deviation): void {
  const body = {
    ...{ class: 2, slot_s: start_s, point, contracted_mWh: due.energy, metered_mWh: metered, beyond_mWh: beyond },
    penalty: (beyond * BigInt(due.penalty_per_kWh)) / BigInt(1_000_000),
    transmission: due.number,
  };
  if (due.participant === null) context.effect("deviation", body);
  else context.violation("deviation", due.participant, body);
}

function contractedIn(context: Context, start_s: number, length_s: number): ReadonlyMap<string, Contracted> {
  const found = new Map<string, Contracted>();
  for (const number of numbersOf(context, start_s)) {
    const transmission = transmissionAt(context, number)!;
    if (transmission.countersigned === null || transmission.length_s !== length_s) continue;
    for (const row of transmission.rows) add(found, { number, transmission, row });
  }
  return found;
}

interface Added {
  readonly number: number;
  readonly transmission: Transmission;
  readonly row: CarriedRow;
}

function add(found: Map<string, Contracted>, { number, transmission, row }: Added): void {
  const [point, energy, trade, participant] = row;
  const { tolerance_permille, penalty_per_kWh } = transmission;
  const before = found.get(point) ?? {
    ...{ energy: 0, participant: null, number, tolerance_permille, penalty_per_kWh, trades: 0 },
  };
  before.energy += energy;
  before.trades += trade === null ? 0 : 1;
  before.participant ??= participant;
  found.set(point, before);
}

function amount(energy: Value): bigint | number {
  return typeof energy === "bigint" || typeof energy === "number" ? energy : 0;
}

/** Lets go of the contracts of a slot. */
export function forgetSlot(context: Context, slot_s: number): void {
  for (const number of numbersOf(context, slot_s)) context.remove(`transmission/${number}`);
  context.remove(`slot/${slot_s}`);
}
