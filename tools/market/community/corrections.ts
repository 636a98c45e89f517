// Energies that came late, or were estimated: who measures a point states them for slots that are closed. Shares of these slots are
// worked out again for all members, and what changes adds to their accounts. What is sealed stays.

import type { Context, Operation, Value } from "../../contracts/author.js";
import { fieldsOf, granted, grantedTo, listOf, meteringRoles, TIME_S_MAX, textOf, wholeOf } from "../asked.js";
import { addToAccounts, difference, slotRow } from "./accounts.js";
import {
  communityOf,
  type Energies,
  type Energy,
  holdsAt,
  membersOf,
  type Part,
  type Point,
  pointOf,
  termsAt,
} from "./kept.js";
import { energyKey, partOf, shareRows } from "./shares.js";

/** A correction writes half a dozen keys a slot and community. */
const SLOTS_TOGETHER = 8;
const ENERGY_MAX = 1_000_000_000_000;

interface Stated {
  readonly start_s: number;
  readonly taken: Value;
  readonly given: Value;
  readonly quality: number;
}

export function correct(context: Context, operation: Operation): void {
  grantedTo(operation, meteringRoles);
  const fields = fieldsOf(operation.body, ["point", "slots"]);
  const id = textOf(fields.point, "point");
  const point = pointOf(context, id);
  granted(point.by === operation.participant, "not-yours", id);
  const slots = listOf(fields.slots, SLOTS_TOGETHER, "slots").map(statedFrom);
  granted(new Set(slots.map(({ start_s }) => start_s)).size === slots.length, "malformed", "slots");
  const places = slots.flatMap((stated) => placesOf(context, point, stated));
  granted(places.length > 0, "no-member", id);
  for (const place of places) correctSlot(context, place);
}

/** `[start, taken, given, quality]`: mWh or null; 1 measured, 2 estimated. */
function statedFrom(row: Value): Stated {
  const [start, taken, given, quality] = listOf(row, 4, "slots");
  const energy = (value: Value | undefined) => (value === null ? null : wholeOf(value, [0, ENERGY_MAX], "slots"));
  return {
    start_s: wholeOf(start, [0, TIME_S_MAX], "slots"),
    taken: energy(taken),
    given: energy(given),
    quality: wholeOf(quality, [1, 2], "slots"),
  };
}

interface Placed {
  readonly stated: Stated;
  readonly part: Part;
  readonly energies: Energies;
}

/** Where a slot counts. Throws Denied where its energies are not kept any more. */
function placesOf(context: Context, { parts }: Point, stated: Stated): Placed[] {
  return parts
    .filter(([, , , from, until]) => holdsAt(from, until, stated.start_s))
    .map((part) => {
      const energies = context.get(energyKey(part[0], stated.start_s)) as unknown as Energies | undefined;
      granted(energies !== undefined, "not-kept", stated.start_s);
      return { stated, part, energies };
    });
}

function correctSlot(context: Context, { stated, part: [id, number], energies }: Placed): void {
  const { start_s, quality } = stated;
  const community = communityOf(context, id);
  const terms = termsAt(community, start_s)!;
  const members = new Map(membersOf(context, id).map((each) => [each.number, each.member] as const));
  const member = members.get(number)!;
  const its = (energy: Value) => partOf(context, { energy, id, member }, start_s);
  const corrected: Energy = [number, its(stated.taken), its(stated.given), quality];
  const after = energies.rows.map((row) => (row[0] === number ? corrected : row));
  const sharesFor = (list: readonly Energy[]) =>
    shareRows(
      list.map((energy) => ({ number: energy[0], energy, member: members.get(energy[0])! })),
      community.terms[terms]!,
    );
  const [old, rows] = [sharesFor(energies.rows), sharesFor(after)];
  const revision = energies.revision + 1;
  context.put(energyKey(id, start_s), { revision, rows: after });
  const { model, rounding } = community.terms[terms]!;
  context.effect("corrected", { community: id, start: start_s, model, rounding, revision, rows });
  const changes = after.map((energy, index) =>
    difference(slotRow(energy[0], rows[index]!, energy[3]), slotRow(energy[0], old[index]!, energies.rows[index]![3])),
  );
  addToAccounts(context, { id, community, terms, start_s }, changes.filter(isChange));
}

function isChange([, ...fields]: ReturnType<typeof difference>): boolean {
  return fields.some((field) => field !== 0 && field !== 0n);
}
