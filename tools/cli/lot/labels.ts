// `gridseal lot labels`: a sheet of labels with QR codes for the devices of a lot.

import type { Command } from "commander";
import { labelSheet } from "../../authority/lots/labels.js";
import { createFile, refuseExisting } from "../../files/made-once.js";
import { countText, printLines, toJson } from "../../terminal/output.js";
import { readLot } from "./read-lot.js";

export function registerLabels(lot: Command): void {
  lot
    .command("labels")
    .description("make a sheet of labels with QR codes, an SVG as wide as A4")
    .argument("<file>", "shipment file")
    .requiredOption("-o, --out <file>", "file to make")
    .option("--json", "print JSON")
    .action(labels);
}

async function labels(file: string, options: { readonly out: string; readonly json?: true }): Promise<void> {
  const { out } = options;
  await refuseExisting(out);
  const { shipment } = await readLot(file);
  await createFile(out, labelSheet(shipment.lot, shipment.devices));
  const count = shipment.devices.length;
  printLines([
    options.json ? toJson({ file: out, labels: count }) : `${out}: ${countText(count, "label")} of lot ${shipment.lot}`,
  ]);
}
