// `gridseal access key`: the key pair that is delivered to, in the participant's folder.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import type { DeliveryKeys } from "../../crypto/hpke.js";
import { createDeliveryKeyFile, readDeliveryKeyFile } from "../../files/delivery-key-file.js";
import { printLines } from "../../terminal/output.js";

export function registerKey(access: Command): void {
  access
    .command("key")
    .description("make the X25519 key that values are delivered to, and print what others may know of it")
    .requiredOption("--as <dir>", "folder of the participant")
    .action(async ({ as }: { readonly as: string }) => {
      const path = deliveryPath(as);
      const { key } = existsSync(path) ? await readDeliveryKeyFile(path) : await createDeliveryKeyFile(path);
      printLines([toHex(key)]);
    });
}

/** Rejects with a GridsealError that names the file. */
export function deliveryKeysIn(folder: string): Promise<DeliveryKeys> {
  return readDeliveryKeyFile(deliveryPath(folder));
}

function deliveryPath(folder: string): string {
  return join(folder, "delivery.json");
}
