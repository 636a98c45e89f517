// `gridseal access request`: asks for what a meter confides on some days, delivered to the participant's key.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { utcDay } from "../../terminal/arguments.js";
import { deliveryKeysIn } from "./key.js";
import { keyIdOf, type NamingOptions, withNaming } from "./key-id.js";
import { statedName } from "./names.js";
import { type AccessOptions, signAccess, withAccessOptions } from "./sign-access.js";

interface RequestOptions extends AccessOptions, NamingOptions {
  readonly need: string;
  readonly meter: string;
  readonly from: number;
  readonly until: number;
}

export function registerRequest(access: Command): void {
  withNaming(withAccessOptions(access.command("request").description("ask for what a meter confides")))
    .requiredOption("--need <name>", "the need that it is for, as `access need` has named it", statedName)
    .requiredOption("--meter <meter>", "the meter, by its ID or key id")
    .requiredOption("--from <day>", "first day, as 2026-03-29", utcDay)
    .requiredOption("--until <day>", "day behind the last", utcDay)
    .action(async ({ need, meter, from, until, ...options }: RequestOptions) => {
      const { key } = await deliveryKeysIn(options.as);
      await signAccess(options, "request", [need, await keyIdOf(meter, options), from, until, toHex(key)]);
    });
}
