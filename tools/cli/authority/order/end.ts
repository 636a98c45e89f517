// `gridseal authority order end`: ends a meter at numbers of its services; another may take its place.

import { type Command, InvalidArgumentError } from "commander";
import { SEQ_MAX, SERVICE_MAX } from "../../../../src/wire/bounds.js";
import { whole } from "../../../terminal/arguments.js";
import { governanceFor } from "../governance.js";
import { type MakeOptions, makeOrder, withOrderOptions } from "./make-order.js";
import { namedMeter } from "./named-meter.js";

export type End = readonly [service: number, seq: number];

interface EndOptions extends MakeOptions {
  readonly from?: readonly End[];
  readonly successor?: string;
}

export function registerEnd(order: Command): void {
  withOrderOptions(order.command("end").description("end a meter: no block seals a record of it from these numbers on"))
    .argument("<meter>", "ID or key id of the meter")
    .option(
      "--from <service:number>",
      "the first number of a service that is not sealed (repeatable); of services not named none is",
      endFrom,
    )
    .option("--successor <meter>", "ID or key id of the meter that takes its place")
    .action(orderEnd);
}

/** Gathers `SERVICE:NUMBER`, each service once. */
export function endFrom(text: string, earlier: readonly End[] = []): readonly End[] {
  const [service = "", seq = "", ...more] = text.split(":");
  if (more.length > 0) throw new InvalidArgumentError("It must be SERVICE:NUMBER.");
  const end: End = [whole(1, SERVICE_MAX)(service), whole(0, SEQ_MAX)(seq)];
  if (earlier.some(([other]) => other === end[0])) throw new InvalidArgumentError(`Service ${end[0]} is named twice.`);
  return [...earlier, end].sort(([left], [right]) => left - right);
}

async function orderEnd(text: string, options: EndOptions): Promise<void> {
  const { from = [] } = options;
  const meter = await namedMeter(options, text);
  const successor = options.successor === undefined ? undefined : await namedMeter(options, options.successor);
  await makeOrder({ type: "end", meter, ends: from, successor }, await governanceFor(options), options);
}
