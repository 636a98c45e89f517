// `gridseal authority transfer`: says which organisation owns devices from now on.

import type { Command } from "commander";
import { GridsealError } from "../../errors.js";
import { countText, printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";

interface TransferOptions extends AuthorityOptions {
  readonly to: string;
  readonly lot?: string;
  readonly json?: true;
}

export function registerTransfer(authority: Command): void {
  withAuthority(authority.command("transfer").description("give devices, or all of a lot, to another organisation"))
    .argument("[device...]", "IDs of the devices")
    .requiredOption("--to <organisation>", "ID of the organisation that owns them from now on")
    .option("--lot <name>", "all devices of this lot that are not its yet")
    .option("--json", "print JSON")
    .action(transfer);
}

async function transfer(named: readonly string[], options: TransferOptions): Promise<void> {
  const { to, lot } = options;
  const devices = await useRegister(options, (register) => {
    const moved = [...named];
    for (const { row } of lot === undefined ? [] : register.rows("devices")) {
      if (row.lot === lot && row.owner !== to && !named.includes(row.id)) moved.push(row.id);
    }
    if (moved.length === 0) {
      throw new GridsealError(
        "USAGE",
        lot === undefined ? "name devices or a --lot" : `no device of lot ${lot} is to go`,
      );
    }
    register.update(Math.floor(Date.now() / 1_000), () =>
      moved.map((device) => ({ type: "transfer" as const, device, to })),
    );
    return moved;
  });
  printLines([
    options.json
      ? toJson({ devices, to })
      : `${countText(devices.length, "device")} ${devices.length === 1 ? "is" : "are"} ${to}'s now`,
  ]);
}
