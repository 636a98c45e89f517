// `gridseal authority assign`: says which measuring point a device measures, from now on.

import type { Command } from "commander";
import { assignmentsDue } from "../../authority/assignments.js";
import { GridsealError } from "../../errors.js";
import { printLines, toJson } from "../../terminal/output.js";
import { useRegister, withAuthority } from "./authority-options.js";
import { governanceFor } from "./governance.js";
import { type MakeOptions, makeOrder, withOrderSources } from "./order/make-order.js";

type AssignOptions = Omit<MakeOptions, "out"> & Partial<Pick<MakeOptions, "out">>;

export function registerAssign(authority: Command): void {
  withOrderSources(
    withAuthority(authority.command("assign").description("assign a device to a measuring point, from now on")),
  )
    .argument("<device>", "ID of the device")
    .argument("<point>", "ID of the point")
    .option("-o, --out <file>", "order to make of it, so that chains settle the point by the device's meter")
    .action(assign);
}

async function assign(device: string, point: string, options: AssignOptions): Promise<void> {
  const { out } = options;
  const governance = out === undefined ? undefined : await governanceFor(options);
  const before = await useRegister(options, (register) => {
    const earlier = register.get("assignments", device);
    register.update(Math.floor(Date.now() / 1_000), () => [{ type: "assign", device, point }]);
    return earlier;
  });
  if (options.json) {
    printLines([toJson({ device, point, before: before?.point })]);
  } else {
    printLines([`${device} measures point ${point}${before === undefined ? "" : `, no more ${before.point}`}`]);
  }
  if (governance === undefined || out === undefined) return;
  const assignments = await useRegister(options, (register) =>
    assignmentsDue(register, [register.get("assignments", device)!], governance.assignments),
  );
  if (assignments.length === 0) throw withoutCredential(device);
  await makeOrder({ type: "assign", assignments }, governance, { ...options, out });
}

function withoutCredential(device: string): GridsealError {
  const what = `device ${device} has no credential, so that no meter counts for its point`;
  return new GridsealError(
    "REGISTER_REFUSED",
    `${what}: gridseal authority issue, then authority order assign --registered`,
  );
}
