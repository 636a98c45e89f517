// `gridseal authority assign`: says which measuring point a device measures, from now on.

import type { Command } from "commander";
import { printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";

export function registerAssign(authority: Command): void {
  withAuthority(authority.command("assign").description("assign a device to a measuring point, from now on"))
    .argument("<device>", "ID of the device")
    .argument("<point>", "ID of the point")
    .option("--json", "print JSON")
    .action(assign);
}

async function assign(
  device: string,
  point: string,
  options: AuthorityOptions & { readonly json?: true },
): Promise<void> {
  const before = await useRegister(options, (register) => {
    const earlier = register.get("assignments", device);
    register.update(Math.floor(Date.now() / 1_000), () => [{ type: "assign", device, point }]);
    return earlier;
  });
  if (options.json) {
    printLines([toJson({ device, point, before: before?.point })]);
    return;
  }
  printLines([`${device} measures point ${point}${before === undefined ? "" : `, no more ${before.point}`}`]);
}
