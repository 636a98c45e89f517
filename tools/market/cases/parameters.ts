// Parameters of the cases contract that are numbers.

import type { Context } from "../../contracts/author.js";

export function numberOf({ parameters }: Context, name: string, otherwise: number): number {
  const value = parameters[name];
  return typeof value === "number" && value > 0 ? value : otherwise;
}
