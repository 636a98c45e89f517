// A contract that says the bits of a load flow's voltages, by which an engine is held against another one.

import type { Context, Operation } from "../../tools/contracts/author.js";
import { gridFrom } from "../../tools/dispatch/grid.js";
import { loadFlow } from "../../tools/dispatch/load-flow.js";
import { bitsOf } from "./bits-of.js";

export const reads: readonly string[] = [];
export const writes: readonly string[] = [];

export function operation(context: Context, { body }: Operation): void {
  context.effect("flow", bitsOf(loadFlow(gridFrom(body).network)));
}
