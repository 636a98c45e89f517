// `gridseal authority registrar limit`: makes a participant a registrar, or gives one other limits.

import { join } from "node:path";
import type { Command } from "commander";
import { moment, serviceTexts, several, whole } from "../../../terminal/arguments.js";
import { printLines, toJson } from "../../../terminal/output.js";
import { servicesNamed } from "../../services.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

interface LimitOptions extends AuthorityOptions {
  readonly lot: readonly string[];
  readonly services: readonly string[];
  readonly devices: number;
  readonly until: number;
  readonly json?: true;
}

export function registerLimit(registrar: Command): void {
  withAuthority(
    registrar.command("limit").description("make a participant a registrar within limits, or give one other limits"),
  )
    .argument("<id>", "ID of the participant")
    .requiredOption("--lot <name>", "a lot whose devices it registers (repeatable)", several)
    .requiredOption(
      "--services <numbers>",
      "services that it registers for, by name or number, 1,heat,...",
      serviceTexts,
    )
    .requiredOption("--devices <count>", "how many devices it may register, over all time", whole(1, 1_000_000))
    .requiredOption("--until <time>", "until when, as 2027-06-30", moment)
    .option("--json", "print JSON")
    .action(limit);
}

async function limit(id: string, options: LimitOptions): Promise<void> {
  const limits = {
    lots: options.lot,
    services: await servicesNamed(options.services, join(options.network, "genesis.cbor")),
    ...{ devices_max: options.devices, until_s: options.until },
  };
  const row = await useRegister(options, (register) => {
    register.update(Math.floor(Date.now() / 1_000), () => [{ type: "registrar", id, limits }]);
    return register.get("registrars", id)!;
  });
  const until = new Date(limits.until_s * 1_000).toISOString();
  printLines([
    options.json
      ? toJson(row)
      : `${id} may register ${row.devices_max - row.devices} more devices of lot ${row.lots.join(", ")} until ${until}`,
  ]);
}
