// `gridseal authority assign`: says which measuring point a device measures, from now on.

import type { Command } from "commander";
import { printLines } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";

export function registerAssign(authority: Command): void {
  withAuthority(authority.command("assign").description("assign a device to a measuring point, from now on"))
    .argument("<device>", "ID of the device")
    .argument("<point>", "ID of the point")
    .action(assign);
}

async function assign(device: string, point: string, options: AuthorityOptions): Promise<void> {
  const before = await useRegister(options, (register) => {
    const earlier = register.get("assignments", device);
    register.update(Math.floor(Date.now() / 1_000), () => [{ type: "assign", device, point }]);
    return earlier;
  });
  printLines([`${device} measures point ${point}${before === undefined ? "" : `, no more ${before.point}`}`]);
}
