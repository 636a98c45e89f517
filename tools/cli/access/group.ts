// `gridseal access group`: states a group of meters, over which sums may be asked for; once, and for ever.

import { type Command, Option } from "commander";
import { type GroupKind, groupKinds } from "../../market/access/groups.js";
import { several } from "../../terminal/arguments.js";
import { keyIdOf, type NamingOptions, withNaming } from "./key-id.js";
import { type AccessOptions, signAccess, withAccessOptions } from "./sign-access.js";

interface GroupOptions extends AccessOptions, NamingOptions {
  readonly kind: GroupKind;
  readonly meter: readonly string[];
}

export function registerGroup(access: Command): void {
  withNaming(
    withAccessOptions(
      access
        .command("group")
        .description("state a group of meters that sums may be asked of; it stays as it is")
        .argument("<name>", "at most 32 small letters, digits and hyphens"),
    ),
  )
    .addOption(new Option("--kind <kind>", "whose meters they are").choices(groupKinds).makeOptionMandatory())
    .requiredOption("--meter <meter>", "a meter, by its ID or key id (repeatable)", several)
    .action(async (name: string, { kind, meter, ...options }: GroupOptions) => {
      const meters: string[] = [];
      for (const each of meter) meters.push(await keyIdOf(each, options));
      await signAccess(options, "group", [name, kind, [...new Set(meters)].sort()]);
    });
}
