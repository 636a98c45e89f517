// `gridseal access request`: asks for what a meter confides on some days, or for sums over a group, delivered to the participant's key.

import { type Command, InvalidArgumentError } from "commander";
import { parseObis } from "../../../src/meter/obis.js";
import { toHex } from "../../../src/wire/bytes.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { utcDay, whole } from "../../terminal/arguments.js";
import { deliveryKeysIn } from "./key.js";
import { keyIdOf, type NamingOptions, withNaming } from "./key-id.js";
import { statedName } from "./names.js";
import { type AccessOptions, signAccess, withAccessOptions } from "./sign-access.js";

interface RequestOptions extends AccessOptions, NamingOptions {
  readonly need: string;
  readonly meter?: string;
  readonly group?: string;
  readonly register?: Uint8Array;
  readonly unit?: number;
  readonly from: number;
  readonly until: number;
}

/** Of DLMS: one byte. */
const UNIT_MAX = 255;

function obisCode(text: string): Uint8Array {
  try {
    return parseObis(text);
  } catch (error) {
    throw new InvalidArgumentError(reasonOf(error));
  }
}

export function registerRequest(access: Command): void {
  withNaming(
    withAccessOptions(access.command("request").description("ask for what a meter confides, or for sums over a group")),
  )
    .requiredOption("--need <name>", "the need that it is for, as `access need` has named it", statedName)
    .option("--meter <meter>", "the meter, by its ID or key id")
    .option("--group <name>", "the group, in the place of a meter")
    .option("--register <obis>", "OBIS code that is summed over the group, as 1-0:1.7.0", obisCode)
    .option("--unit <number>", "unit that its values must have, by its number of DLMS: 27 is W", whole(0, UNIT_MAX))
    .requiredOption("--from <day>", "first day, as 2026-03-29", utcDay)
    .requiredOption("--until <day>", "day behind the last", utcDay)
    .action(async ({ need, meter, group, register, unit, from, until, ...options }: RequestOptions) => {
      const { key } = await deliveryKeysIn(options.as);
      if (group !== undefined && register !== undefined && unit !== undefined && meter === undefined) {
        const wanted = [need, group, toHex(register), unit, from, until, toHex(key)];
        return signAccess(options, "groupRequest", wanted);
      }
      if (meter === undefined || group !== undefined || register !== undefined || unit !== undefined) {
        throw new GridsealError("USAGE", "name one --meter, or a --group with its --register and --unit");
      }
      await signAccess(options, "request", [need, await keyIdOf(meter, options), from, until, toHex(key)]);
    });
}
