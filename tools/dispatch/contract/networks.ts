// The grid operator's network: large ones come in parts, and the one in force is named by its hash.

import type { Context, Operation, Value } from "../../contracts/author.js";
import { Denied, type Fields, fieldsOf, granted, grantedTo, textOf, wholeOf } from "../../market/asked.js";
import { type Grid, gridFrom, gridLists } from "../grid.js";
import { canonicalText, sha256OfText } from "./canonical.js";
import { type NetworkInForce, roles } from "./kinds.js";

const PARTS_MAX = 256;
const scalars = ["name", "band", "slack"] as const;

/** Takes a part; the last one puts the network into force. Throws Denied. */
export function takeNetwork(context: Context, operation: Operation): void {
  grantedTo(operation, [roles.gridOperator]);
  const { participant } = operation;
  const body = fieldsOf(operation.body, ["part", "of", "hash", ...scalars, ...gridLists]);
  const [of, hash] = [wholeOf(body.of, [1, PARTS_MAX], "of"), textOf(body.hash, "hash")];
  const part = wholeOf(body.part, [0, of - 1], "part");
  granted(body.deliveries === undefined, "malformed", "deliveries");
  const { operator = participant } = context.parameters;
  const before = networkInForce(context);
  granted(operator === participant, "operator", operator ?? null);
  const isOwn = before === undefined || before.operator === participant || context.parameters.operator === participant;
  granted(isOwn, "operator", before?.operator ?? null);
  const waiting = part === 0 ? [] : context.keys(`pending/${participant}/`).map((key) => context.get(key) as Fields);
  granted(waiting.length === part, "part-missing", waiting.length);
  granted(
    waiting.every((each) => each.hash === hash && each.of === of),
    "other-parts",
    hash,
  );
  const parts = [...waiting, body];
  if (part < of - 1) {
    if (part === 0) forget(context, `pending/${participant}/`);
    context.put(`pending/${participant}/${numbered(part)}`, body);
    return;
  }
  const stated = joined(parts);
  const found = checked(() => sha256OfText(canonicalText(stated)));
  granted(found === hash, "hash", found);
  const grid = checked(() => gridFrom(stated));
  forget(context, `pending/${participant}/`);
  forget(context, "network/");
  for (const [at, each] of parts.entries()) context.put(`network/${numbered(at)}`, each);
  context.put("network", { hash, operator: participant, parts: of, height: context.height });
  const { buses, branches } = grid.network;
  context.effect("network", { hash, operator: participant, buses: buses.length, branches: branches.length });
}

export function networkInForce(context: Context): NetworkInForce | undefined {
  return context.get("network") as NetworkInForce | undefined;
}

/** The grid of the network in force. */
export function gridInForce(context: Context): Grid {
  return gridFrom(joined(context.keys("network/").map((key) => context.get(key) as Fields)));
}

/** Keys of parts are listed in their order. */
function numbered(part: number): string {
  return String(part).padStart(3, "0");
}

function joined(parts: readonly Fields[]): Fields {
  const whole: { [name: string]: Value } = {};
  for (const part of parts) {
    for (const name of scalars) if (part[name] !== undefined) whole[name] = part[name];
    for (const name of gridLists) {
      const list = part[name];
      if (list === undefined) continue;
      granted(Array.isArray(list), "malformed", name);
      whole[name] = [...((whole[name] ?? []) as readonly Value[]), ...(list as readonly Value[])];
    }
  }
  return whole;
}

function forget(context: Context, prefix: string): void {
  for (const key of context.keys(prefix)) context.remove(key);
}

/** What a network says wrong denies it, with the field. */
function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new Denied("malformed", error.message);
    throw error;
  }
}
