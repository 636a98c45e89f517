// `gridseal authority receive`: brings a shipment file into the register: its devices, and whose they are.

import type { Command } from "commander";
import type { PublicKey } from "../../../src/wire/key.js";
import { receiveShipment } from "../../authority/lots/receive.js";
import { printLines, toJson } from "../../terminal/output.js";
import { publicKey, readLot } from "../lot/read-lot.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";

interface ReceiveOptions extends AuthorityOptions {
  readonly maker?: PublicKey;
  readonly dryRun?: true;
  readonly json?: true;
}

export function registerReceive(authority: Command): void {
  withAuthority(
    authority
      .command("receive")
      .description("register the devices of a shipment file, or give them to their new owner"),
  )
    .argument("<file>", "shipment file, as `gridseal lot` makes it")
    .option("--maker <hex>", "the maker's public key; where absent the maker has a credential here", publicKey)
    .option("--dry-run", "say what it would do, and change nothing")
    .option("--json", "print JSON")
    .action(receive);
}

async function receive(file: string, options: ReceiveOptions): Promise<void> {
  const { maker, dryRun } = options;
  const { shipment } = await readLot(file);
  const now_s = Math.floor(Date.now() / 1_000);
  const received = await useRegister(options, (register) =>
    receiveShipment(register, shipment, { maker, now_s, isDry: dryRun ?? false }),
  );
  const { owner, registered, transferred, unchanged } = received;
  const verb = dryRun ? "would be" : "are";
  printLines([
    options.json
      ? toJson({ lot: shipment.lot, ...received })
      : `lot ${shipment.lot} of ${owner}: ${registered} devices ${verb} registered, ${transferred} transferred, ${unchanged} as before`,
  ]);
}
