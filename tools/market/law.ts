// Bounds that a jurisdiction sets as parameters. Beside a parameter NAME stands `NAME_law`, the paragraph that sets it: what is outside
// is denied by it.

import type { Context } from "../contracts/author.js";
import { Denied } from "./asked.js";

/** A parameter's whole number. Throws a RangeError, which fails the run, where an order has set something else. */
export function wholeParameter(context: Context, name: string, absent: number): number {
  const value = context.parameters[name] ?? absent;
  if (typeof value !== "number") throw new RangeError(`parameter ${name} is no whole number`);
  return value;
}

/** Throws Denied with the parameter, its value and its paragraph unless it holds. */
export function grantedByLaw(context: Context, holds: boolean, parameter: string, value: number): void {
  if (!holds) throw new Denied("law", { parameter, value, law: context.parameters[`${parameter}_law`] ?? null });
}
